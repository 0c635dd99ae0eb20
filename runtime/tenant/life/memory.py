"""What the assistant can do with its memory, on behalf of whoever is speaking: the verbs behind the shared tools.

Owns which file a fact belongs to, and what is answered, in words for the model. Who may cause a memory, and with whose
words, is decided in sources.py; what becomes of the lines in facts.py. Nothing here commits: the turn does.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from runtime.errors import BadInput, NotFound, Refused
from runtime.tenant.life import facts, sources
from runtime.tenant.life.facts import Changed, Fact
from runtime.tenant.life.files import Life, LifeFile
from runtime.tenant.life.sources import Said
from runtime.words import Role

SHOWN_BYTES = 12_000
"""Of a file that life_read shows whole; of a longer one it lists the sections."""

_WHERE = {
    "person": "life/relationships/people.md",
    "business": "life/knowledge/business.md",
    "contact": "life/knowledge/contacts.md",
    "procedure": "life/knowledge/procedures.md",
    "realtor": "life/identity.md",
    "boundary": "life/boundaries.md",
    "habit": "life/patterns.md",
}

_lock = threading.Lock()
"""A change is a read and a write, and the model may ask for two at once."""


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
        if section:
            part = [str(fact) for fact in found.facts if fact.section.casefold() == section.casefold()]
            return note + ("\n".join(part) or f"Nothing under {section}. Sections: {_sections(found)}.")
        if len(found.body.encode()) > SHOWN_BYTES:
            return f"{note}It is long; read one section of it: {_sections(found)}."
        return note + (found.body.strip() or "Nothing yet.")

    def remember(self, fact: str, kind: str, about: str = "", when: str = "") -> str:
        """Save one fact where it belongs; ``when`` is the day of an event."""
        rel = f"life/events/{self._month(when)}.md" if kind == "event" else _WHERE[kind]
        if kind == "event" and when and when not in fact:
            fact = f"{when}: {fact}"
        return self._put(rel, fact, section=about)

    def write(self, op: str, file: str, section: str = "", fact: str = "", old: str = "") -> str:
        """Change one line of a file: ``append`` and ``merge`` add it (merge replaces what it contradicts), ``set`` puts
        it in the place of ``old``, ``delete`` takes ``old`` out."""
        match op:
            case "append" | "merge":
                return self._put(file, fact, section=section, merge=op == "merge")
            case "set":
                return self._set(file, fact, old, section)
            case "delete":
                return self._change(file, lambda found: facts.drop(found.body, _wanted(old), section=section))
            case _:
                raise BadInput(f"there is no op {op}", hint="use set, merge, append or delete")

    def forget(self, fact: str, about: str = "") -> str:
        """Take out every fact that says ``fact``, or the whole section ``about``, wherever in life/ it stands."""
        if not fact and self.role is not Role.OWNER:
            raise Refused("only an owner has a whole person or topic forgotten", hint="name the one fact")
        gone: list[Fact] = []
        for rel in self.life.names():
            gone += self._apply(rel, lambda found: facts.clear(found.body, fact, about)).gone
        if not gone:
            raise NotFound(f"nothing in life/ says {fact or about!r}", hint="look with recall")
        return "Forgotten:\n" + "\n".join(f"- {one.text}" for one in gone)

    def _put(self, rel: str, text: str, *, section: str, merge: bool = True) -> str:
        def added(found: LifeFile) -> Changed:
            fact = Fact(text, section, self._source(text, found))
            return facts.add(found.body, fact, single=merge and found.kind.single)

        return self._change(rel, added)

    def _set(self, rel: str, text: str, old: str, section: str) -> str:
        return self._change(
            rel,
            lambda found: facts.swap(
                found.body, _wanted(old), Fact(text, "", self._source(text, found)), section=section
            ),
        )

    def _change(self, rel: str, change: Callable[[LifeFile], Changed]) -> str:
        changed = self._apply(rel, change)
        gone = "".join(f"\nNo longer there: {one.text}" for one in changed.gone)
        return f"Saved.{gone}" if changed.body or gone else "That is known already; nothing changed."

    def _apply(self, rel: str, change: Callable[[LifeFile], Changed]) -> Changed:
        with _lock:
            found = self.life.read(rel)
            changed = change(found)
            if changed.body == found.body:
                return Changed("")
            self.life.write(replace(found, body=changed.body))
            return changed

    def _source(self, claim: str, file: LifeFile) -> facts.Source:
        return sources.source_of(claim, file.kind, self.said, self.zone)

    def _today(self) -> str:
        return self.now().astimezone(self.zone).date().isoformat()

    def _month(self, when: str) -> str:
        try:
            return datetime.fromisoformat(when).strftime("%Y-%m") if when else self._today()[:7]
        except ValueError:
            raise BadInput(f"{when!r} is no date", hint="give it as 2026-11-27") from None


def _sections(file: LifeFile) -> str:
    names = list(dict.fromkeys(fact.section for fact in file.facts if fact.section))
    return ", ".join(names[:200]) or "none"


def _wanted(old: str) -> str:
    if not old.strip():
        raise BadInput("which fact?", hint="give some words of it as old")
    return old
