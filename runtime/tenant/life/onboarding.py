"""Getting to know the realtor: which questions are open, and in which phase the assistant is.

Owns the order of the phases and when one may be left. The questions are asked by the agent, one at a time, where they
fit; what is answered goes into its own file like any other fact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from runtime.errors import BadInput, Fault, NotFound, Refused
from runtime.tenant.life import facts
from runtime.tenant.life.facts import Fact, Source
from runtime.tenant.life.files import Life, LifeFile
from runtime.tenant.life.kinds import Phase
from runtime.tenant.life.sources import Said

QUESTIONS = "life/questions.md"
ONBOARDING = "life/onboarding.md"

_NEXT = {Phase.DISCOVERY: Phase.BUILDING, Phase.BUILDING: Phase.LIVE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarding:
    """For one turn. ``said`` is what was said lately, the turn's own messages last."""

    life: Life
    said: Sequence[Said]
    zone: ZoneInfo
    now: Callable[[], datetime]

    def mark_question(self, question: str, state: str) -> str:
        """Note that a question of questions.md was asked, or answered, today. Raises NotFound."""
        wanted, days = question.strip().lower(), {"answered": self._today()} if state == "answered" else {}
        with self.life.changing():
            found = self.life.read(QUESTIONS)
            known = [one["id"] for one in _questions(found)]
            if wanted not in known:
                raise NotFound(f"there is no question {question}", hint=f"there are: {', '.join(known) or 'none'}")
            noted = [
                {**one, "asked": one.get("asked") or self._today(), **days} if one["id"] == wanted else one
                for one in _questions(found)
            ]
            found = replace(found, meta={**found.meta, "questions": noted})
            self.life.write(found)
        left = ", ".join(one["id"] for one in open_core(found))
        return f"Noted. Core questions still open: {left or 'none'}."

    def enter_phase(self, phase: str) -> str:
        """Go on to the next phase. Back is only by /reonboard, which the owner types. Raises BadInput, Refused."""
        if phase not in set(Phase):
            raise BadInput(f"there is no phase {phase}", hint=f"there are: {', '.join(Phase)}")
        wanted = Phase(phase)
        with self.life.changing():
            found = self.life.read(ONBOARDING)
            now = phase_of(found)
            if wanted is now:
                return f"The phase is {now} already."
            if _NEXT.get(now) is not wanted:
                raise Refused(f"after {now} does not come {wanted}", hint="the owner goes back with /reonboard")
            if left := open_core(self.life.read(QUESTIONS)):
                named = ", ".join(one["id"] for one in left)
                raise Refused(f"core questions are open: {named}", hint="ask them first, one at a time, where they fit")
            self._enter(found, wanted)
        return f"The phase is {wanted} now."

    def begin_again(self) -> None:
        """Back to the first phase, every question open: the owner asked for it. What is known stays."""
        with self.life.changing():
            questions, found = self.life.read(QUESTIONS), self.life.read(ONBOARDING)
            opened = [{**one, "asked": None, "answered": None} for one in _questions(questions)]
            if opened:
                self.life.write(replace(questions, meta={**questions.meta, "questions": opened}))
            if phase_of(found) is not Phase.DISCOVERY:
                self._enter(found, Phase.DISCOVERY)

    def _enter(self, found: LifeFile, wanted: Phase) -> None:
        last = self.said[-1] if self.said else None
        source = Source(date=self._today(), who=last.who if last else "", message=last.id if last else "")
        body = facts.append(found.body, Fact(f"{phase_of(found)} to {wanted}", source=source))
        meta = {**found.meta, "phase": wanted.value, "since": self._today()}
        self.life.write(replace(found, body=body, meta=meta))

    def _today(self) -> str:
        return self.now().astimezone(self.zone).date().isoformat()


def phase_of(onboarding: LifeFile) -> Phase:
    """The first one where the file says none."""
    return Phase(onboarding.meta.get("phase", Phase.DISCOVERY))


def open_core(questions: LifeFile) -> list[dict[str, Any]]:
    """The core questions that nobody has answered."""
    return [one for one in _questions(questions) if one.get("core") and not one.get("answered")]


def standing(life: Life) -> str:
    """What the agent is told while the assistant is not LIVE yet, or when that cannot be known; nothing when it is."""
    try:
        phase = phase_of(life.read(ONBOARDING))
        left = open_core(life.read(QUESTIONS)) if phase is not Phase.LIVE else []
    except Fault as fault:  # a file that was never good: that is no reason not to answer anybody
        return f"(onboarding: not known, tell the admin: {fault.problem.splitlines()[0]})"
    if phase is Phase.LIVE:
        return ""
    if left:
        waiting = next((one for one in left if one.get("asked")), left[0])
        state = "asked before, not answered" if waiting.get("asked") else "not asked yet"
        ask = f"{waiting['id']}, {state}: {waiting['question']}"
        return f"(onboarding: {phase}; {len(left)} core questions open, next is {ask})"
    if phase is Phase.DISCOVERY:
        return f"(onboarding: {phase}; all core questions are answered: go on to BUILDING)"
    return f"(onboarding: {phase}; offer to fit the directives to the answers, and when that is done go on to LIVE)"


def _questions(file: LifeFile) -> Sequence[dict[str, Any]]:
    found: Sequence[dict[str, Any]] = file.meta.get("questions", ())
    return found
