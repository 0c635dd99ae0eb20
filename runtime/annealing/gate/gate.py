"""The gate: a proposed change is checked by its form, then played on copies, in both arms, until a verdict stands.

Owns the order of it and that each play is written down when it ends: after a kill it goes on with those that are
missing. It waits while somebody waits for a reply, and stops with a fault when the budget is spent, to be called again.
Does not own what is decided from the plays (verdict.py), how one is made (playing.py) nor landing what is let through.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from runtime.annealing.gate import growing, judging, mechanical
from runtime.annealing.gate.case import Case
from runtime.annealing.gate.cases import Cases
from runtime.annealing.gate.choosing import WANTED, Chosen, choose
from runtime.annealing.gate.playing import Played, Stand
from runtime.annealing.gate.verdict import Arm, CaseKind, CaseRun, Verdict, Wanted, verdict
from runtime.annealing.operations import Changed, Stamped, apply, result
from runtime.annealing.records import Gate as Record
from runtime.annealing.records import Improvement, Kind, Play, State
from runtime.errors import Fault, NotFound, Refused
from runtime.tenant.git.history import History
from runtime.tenant.registry import Tenant
from runtime.tenant.rules.files import Rule, parse, ref_of
from runtime.words import TenantId, TurnId

PAUSE = 1.0
"""Seconds between two looks whether somebody waits for a reply."""

DIRECTIVES = "directives"


class Playing(Protocol):
    """As Player."""

    async def play(self, stand: Stand, case: Case, name: str) -> Played: ...


class Judging(Protocol):
    """As Judge."""

    async def unmet(self, tenant: TenantId, played: Played) -> tuple[str, ...]: ...
    async def better(self, tenant: TenantId, parent: Played, candidate: Played) -> judging.Better: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arms:
    """What is played against what, and what speaks against the change without playing."""

    tenant: Tenant
    history: History
    base: str
    changes: tuple[Changed, ...]
    problems: tuple[str, ...]

    def stand(self, arm: Arm) -> Stand:
        changes = self.changes if arm is Arm.CANDIDATE else ()
        return Stand(tenant=self.tenant, history=self.history, base=self.base, changes=changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """``save`` makes an improvement durable as it stands; it is called after each play. ``busy``: somebody waits for a
    reply. ``history`` is a tenant's."""

    player: Playing
    judge: Judging
    history: Callable[[Tenant], History]
    save: Callable[[Improvement], None]
    busy: Callable[[], bool]
    now: Callable[[], datetime]

    async def run(self, improvement: Improvement, tenant: Tenant) -> Improvement:
        """The improvement gated, rejected or in conflict, as it was saved. One that was begun before is gone on with.

        Raises AskFailed (the budget, the model, a session that died) and Unavailable: call it again later. Raises
        ConfigFault for a case with faults.
        """
        one = await asyncio.to_thread(self._begun, improvement, tenant)
        try:
            arms = await asyncio.to_thread(self._arms, one, tenant)
        except Refused as fault:
            return await self._end(one, State.CONFLICT, (fault.problem,))
        one = _gated(one, mechanical=arms.problems)
        if one.kind is not Kind.LEARNED:  # the owner's own words, or nothing at all: there is nothing to compare
            return await self._end(one, State.REJECTED if arms.problems else State.GATED, arms.problems)
        chosen = await asyncio.to_thread(self._chosen, one, tenant)
        while (said := _verdict(one, chosen)).open:
            await self._until_free()
            plays = await self._played(arms, chosen, said.again[0], one)
            one = _gated(one, plays=(*one.gate.plays, *plays))
            await asyncio.to_thread(self.save, one)
        state = State.GATED if said.accepted else State.REJECTED
        return await self._end(one, state, (*said.reasons, *chosen.few), entombs=said.entombed)

    def _begun(self, one: Improvement, tenant: Tenant) -> Improvement:
        """On one commit from the first play to the last: whether it still fits is for the landing to see."""
        history = self.history(tenant)
        if one.gate.started is not None and _has(history, one.gate.parent):
            return one
        begun = one.model_copy(update={"gate": Record(parent=history.head(), started=self.now())})
        self.save(begun)
        return begun

    def _arms(self, one: Improvement, tenant: Tenant) -> _Arms:
        """Raises Refused when the operations do not stand on the rules there are."""
        history, base = self.history(tenant), one.gate.parent
        rules, directives = read(history, base)
        state: Literal["pinned", "probation"] = "pinned" if one.kind is Kind.STATED else "probation"
        since = (one.gate.started or self.now()).astimezone(tenant.config.zone).date()
        stamped = Stamped(improvement=one.id, idea=one.idea, since=since, state=state)
        changes = apply(one.operations, rules, stamped)
        problems = mechanical.problems(
            one.operations,
            changes,
            family=one.family,
            directives=directives,
            before=rules,
            after=result(one.operations, rules, stamped),
            approved=one.kind is Kind.STATED,
        )
        return _Arms(tenant=tenant, history=history, base=base, changes=changes, problems=problems)

    def _chosen(self, one: Improvement, tenant: Tenant) -> Chosen:
        """Cases of the turns that are the reason are made first, as far as the logs still have them."""
        cases = Cases(tenant.folder)
        cases.seed()
        known = cases.all()
        for trigger in one.triggers:
            have = list(choose(one, known).kinds.values()).count(CaseKind.TRIGGER)
            if have >= WANTED[CaseKind.TRIGGER]:
                break
            if not any(case.source == f"turn:{trigger.turn}" for case in known):
                made = _of_trigger(tenant, trigger.turn, one.family, trigger.expected)
                if made is not None:
                    cases.add(made)
                    known.append(made)
        return choose(one, known)

    async def _played(self, arms: _Arms, chosen: Chosen, wanted: Wanted, one: Improvement) -> tuple[Play, ...]:
        case = chosen.find(wanted.case)
        if not case.expect.is_open:
            return (await self._judged(arms, case, wanted, one),)
        parent = await self.player.play(arms.stand(Arm.PARENT), case, _name(one, wanted, Arm.PARENT))
        await self._until_free()
        candidate = await self.player.play(arms.stand(Arm.CANDIDATE), case, _name(one, wanted, Arm.CANDIDATE))
        return compared(wanted, await self.judge.better(arms.tenant.id, parent, candidate))

    async def _judged(self, arms: _Arms, case: Case, wanted: Wanted, one: Improvement) -> Play:
        played = await self.player.play(arms.stand(wanted.arm), case, _name(one, wanted, wanted.arm))
        unmet = () if played.problems else await self.judge.unmet(arms.tenant.id, played)
        why = judging.failures(unmet, played.problems)
        return _play(wanted, wanted.arm, passed=not why, why=why)

    async def _until_free(self) -> None:
        while self.busy():  # noqa: ASYNC110 - somebody waits as long as a row says so: there is no event
            await asyncio.sleep(PAUSE)

    async def _end(
        self, one: Improvement, state: State, reasons: tuple[str, ...], *, entombs: bool = False
    ) -> Improvement:
        now, accepted = self.now(), state is State.GATED
        gated = _gated(
            one, ended=now, accepted=accepted, entombs=entombs, reasons=tuple(reason[:1000] for reason in reasons)
        )
        rest = {} if accepted else {"ended": now, "reason": (reasons[0] if reasons else "")[:1000]}
        ended = gated.model_copy(update={"state": state, **rest})
        await asyncio.to_thread(self.save, ended)
        return ended


def read(history: History, commit: str) -> tuple[dict[str, Rule], dict[str, str]]:
    """The rules of a commit by ``<directive>/<id>``, and its directives by name. A file that is no rule is passed over,
    as it is where rules are shown."""
    rules: dict[str, Rule] = {}
    directives: dict[str, str] = {}
    for path, _, data in history.contents(commit):
        text = data.decode(errors="replace")
        if (ref := ref_of(path)) is not None:
            with suppress(Fault):
                rules[ref] = parse(path, text)
        elif path.startswith(f"{DIRECTIVES}/") and path.count("/") == 1 and path.endswith(".md"):
            directives[path.removeprefix(f"{DIRECTIVES}/").removesuffix(".md")] = text
    return rules, directives


def _has(history: History, commit: str) -> bool:
    try:
        return history.find(commit).id == commit
    except Fault:  # purged, when a person was forgotten
        return False


def compared(wanted: Wanted, better: judging.Better) -> tuple[Play, Play]:
    """Of a case of which only two answers can be compared: the worse one fails, and in a tie neither does."""
    parent = _play(wanted, Arm.PARENT, passed=better != "candidate", why="the other answer is better")
    candidate = _play(wanted, Arm.CANDIDATE, passed=better != "parent", why="the other answer is better")
    return parent, candidate


def _verdict(one: Improvement, chosen: Chosen) -> Verdict:
    runs = [
        CaseRun(
            case=play.case,
            kind=CaseKind(play.kind),
            arm=Arm(play.arm),
            run=play.run,
            passed=play.passed,
            why=play.why,
        )
        for play in one.gate.plays
    ]
    return verdict(chosen.kinds, runs, problems=one.gate.mechanical, landed=bool(one.commit))


def _of_trigger(tenant: Tenant, turn: str, family: str, expected: str) -> Case | None:
    try:
        return growing.from_turn(tenant.folder, TurnId(turn), family=family, expected=expected)
    except NotFound:  # it was erased, or is older than the logs
        return None


def _play(wanted: Wanted, arm: Arm, *, passed: bool, why: str) -> Play:
    return Play(
        case=wanted.case,
        kind=wanted.kind.value,
        arm=arm.value,
        run=wanted.run,
        passed=passed,
        why="" if passed else why,
    )


def _name(one: Improvement, wanted: Wanted, arm: Arm) -> str:
    return f"{one.tenant}-{one.id}-{wanted.case}-{arm}-{wanted.run}"


def _gated(one: Improvement, **update: object) -> Improvement:
    """A verdict's reasons and plays, checked as they will be read back."""
    gate = Record.model_validate(one.gate.model_dump() | update)
    return one.model_copy(update={"gate": gate})
