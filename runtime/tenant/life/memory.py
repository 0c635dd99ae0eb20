"""What the assistant can do with its memory, on behalf of whoever is speaking: the verbs behind the shared tools.

Owns which file a fact belongs to, and what is answered, in words for the model. Who may cause a memory, and with whose
words, is decided in sources.py; what becomes of the lines in facts.py. Nothing here commits: the turn does.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from runtime.errors import BadInput, Fault, NotFound, Refused, Unavailable
from runtime.tenant.life import facts, sources
from runtime.tenant.life.facts import Changed, Fact
from runtime.tenant.life.files import Life, LifeFile
from runtime.tenant.life.sources import Said
from runtime.words import Role

SHOWN_BYTES = 12_000
"""Of a file or section that life_read shows whole; of a longer one it shows what there is to ask for."""

MOST_FORGOTTEN = 10
"""Facts that go by a few words at a time. More are a misunderstanding, or a person's whole section."""

_LISTED = 5
_TRIES = 3

_WHERE = {
    "person": "life/relationships/people.md",
    "business": "life/knowledge/business.md",
    "contact": "life/knowledge/contacts.md",
    "procedure": "life/knowledge/procedures.md",
    "realtor": "life/identity.md",
    "boundary": "life/boundaries.md",
    "habit": "life/patterns.md",
}
_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """For one turn. ``said``: what was said lately in the conversation, oldest first, the turn's own messages last."""

    life: Life
    role: Role
    said: Sequence[Said]
    zone: ZoneInfo
    now: Callable[[], datetime]

    def read(self, file: str, section: str = "") -> str:
        """A file, or one section of it, with what is wrong with it."""
        found = self.life.read(file)
        note = (
            f"(broken as it lies there, this is its last good version: {found.fault.problem})\n" if found.fault else ""
        )
        shown = facts.part(found.body, section) if section else found.body
        if len(shown.encode()) > SHOWN_BYTES:
            return f"{note}It is long; read one section of it: {_sections(found)}."
        if section and not shown.strip():
            return f"{note}Nothing under {section}. Sections: {_sections(found)}."
        return note + (shown.strip() or "Nothing yet.")

    def remember(self, fact: str, kind: str, about: str = "", when: str = "") -> str:
        """Save one fact where it belongs; ``when`` is the day of an event. Raises BadInput, Refused."""
        if kind == "event":
            return self._event(fact, when, about)
        if not (rel := _WHERE.get(kind)):
            raise BadInput(f"there is no kind {kind}", hint=f"use {', '.join(_WHERE)} or event")
        if kind == "person" and not about.strip():
            raise BadInput("whose fact is it?", hint="give the full name as about")
        return self._put(rel, _given(fact), section=about)

    def write(self, op: str, file: str, section: str = "", fact: str = "", old: str = "") -> str:
        """Change one line of a file: ``append`` and ``merge`` add it (merge replaces what it contradicts), ``set`` puts
        it in the place of ``old``, ``delete`` takes ``old`` out."""
        match op:
            case "append" | "merge":
                return self._put(file, _given(fact), section=section, merge=op == "merge")
            case "set":
                return self._set(file, _given(fact), _wanted(old), section)
            case "delete":
                wanted = _wanted(old)
                return self._change(file, lambda found: facts.drop(found.body, wanted, section=section), "Deleted")
            case _:
                raise BadInput(f"there is no op {op}", hint="use set, merge, append or delete")

    def forget(self, fact: str, about: str = "") -> str:
        """Take out every fact that says ``fact``, or the whole section ``about``, wherever in life/ it stands."""
        if not fact.strip() and not about.strip():
            raise BadInput("what is to be forgotten?", hint="give some words of the fact, or about")
        planned, unread = self._to_forget(fact.strip(), about)
        left = f"Not looked through, because broken: {', '.join(unread)}" if unread else ""
        if not planned:
            raise NotFound(f"nothing in life/ says {fact or about!r}", hint=left or "look with life_read")
        self._refuse_too_much([one for found in planned.values() for one in found], fact.strip())
        gone: list[Fact] = []
        for rel in planned:
            changed = self._apply(rel, lambda found: facts.clear(found.body, fact.strip(), about))
            gone += changed.gone if changed else ()
        return f"Forgotten: {_listed(gone) or about}." + (f"\n{left}." if left else "")

    def _to_forget(self, fact: str, about: str) -> tuple[dict[str, list[Fact]], list[str]]:
        """What would go, by file, and the files that nobody can look through."""
        planned: dict[str, list[Fact]] = {}
        unread: list[str] = []
        for rel in self.life.names():
            try:
                found = self.life.read(rel)
            except Fault:
                unread.append(rel)
                continue
            changed = facts.clear(found.body, fact, about)
            if found.fault:
                unread.append(rel)
            elif changed.body != found.body:
                planned[rel] = list(changed.gone)
        return planned, unread

    def _refuse_too_much(self, planned: Sequence[Fact], fact: str) -> None:
        if self.role is not Role.OWNER and (not fact or len({one.text for one in planned}) > 1):
            raise Refused("only an owner has more than one fact forgotten", hint="name the one fact")
        if fact and len(planned) > MOST_FORGOTTEN:
            raise BadInput(f"{len(planned)} facts say {fact!r}", hint="give more of its words, or whom it is about")

    def _event(self, fact: str, when: str, about: str) -> str:
        """An event stands in the file of its month, its day first; without a day, in that of today."""
        said = next((one for one in _DAY.findall(_given(fact)) if _is_day(one)), "")
        moment = _moment(when) if when.strip() else said
        if when.strip() and moment not in fact:
            fact = f"{moment}: {fact}"
        month = (moment or self._today())[:7]
        return self._put(f"life/events/{month}.md", fact, section=about)

    def _put(self, rel: str, text: str, *, section: str, merge: bool = True) -> str:
        def added(found: LifeFile) -> Changed:
            fact = Fact(text, section, self._source(text, found))
            return facts.add(found.body, fact, single=merge and found.kind.single)

        return self._change(rel, added, "Saved")

    def _set(self, rel: str, text: str, old: str, section: str) -> str:
        def put(found: LifeFile) -> Changed:
            return facts.swap(found.body, old, Fact(text, "", self._source(text, found)), section=section)

        return self._change(rel, put, "Saved")

    def _change(self, rel: str, change: Callable[[LifeFile], Changed], done: str) -> str:
        changed = self._apply(rel, change)
        if changed is None:
            return "That is known already; nothing changed."
        gone = _listed(changed.gone)
        return f"{done}." + (f"\nNo longer there: {gone}" if gone else "")

    def _apply(self, rel: str, change: Callable[[LifeFile], Changed]) -> Changed | None:
        """Make a change; None when there is nothing to change. When somebody saved the file in between: again."""
        for _ in range(_TRIES - 1):
            with suppress(Unavailable):
                return self._apply_once(rel, change)
        return self._apply_once(rel, change)

    def _apply_once(self, rel: str, change: Callable[[LifeFile], Changed]) -> Changed | None:
        with self.life.changing():
            found = self.life.read(rel)
            changed = change(found)
            if changed.body == found.body:
                return None
            self.life.write(replace(found, body=changed.body))
            return changed

    def _source(self, claim: str, file: LifeFile) -> facts.Source:
        return sources.source_of(claim, file.kind, self.said, self.zone)

    def _today(self) -> str:
        return self.now().astimezone(self.zone).date().isoformat()


def _moment(when: str) -> str:
    """``2026-11-27``, or ``2026-11-27 15:00``. Raises BadInput."""
    try:
        found = datetime.fromisoformat(when.strip())
    except ValueError:
        raise BadInput(f"{when!r} is no date", hint="give it as 2026-11-27, or 2026-11-27T15:00") from None
    day = found.date().isoformat()
    return f"{day} {found:%H:%M}" if found.time() != time.min else day


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _sections(file: LifeFile) -> str:
    """Titles, as many as fit."""
    names = ", ".join(facts.sections(file.body)) or "none"
    return names if len(names) <= SHOWN_BYTES // 2 else names[: SHOWN_BYTES // 2].rpartition(", ")[0] + ", and more"


def _listed(gone: Sequence[Fact]) -> str:
    more = f" and {len(gone) - _LISTED} more" if len(gone) > _LISTED else ""
    return "; ".join(one.text.rstrip(".") for one in gone[:_LISTED]) + more


def _given(fact: str) -> str:
    if not fact.strip():
        raise BadInput("the fact says nothing", hint="give one sentence as fact")
    if len(fact) > 2 * facts.LONGEST:  # facts.py counts what is left of it; nothing else has to look at more
        raise BadInput(f"the fact has {len(fact)} characters", hint=f"one fact a line, at most {facts.LONGEST}")
    return fact


def _wanted(old: str) -> str:
    if not old.strip():
        raise BadInput("which fact?", hint="give some words of it as old")
    return old
