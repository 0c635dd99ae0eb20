"""What the shared tools work on, made for the turn that uses them: a tenant's memory, its onboarding, its messages."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from runtime.agent.events import Ask
from runtime.errors import BadInput
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import History
from runtime.tenant.life.files import Life
from runtime.tenant.life.memory import Memory
from runtime.tenant.life.onboarding import Onboarding
from runtime.tenant.life.said import elsewhere, lately
from runtime.tenant.messages import MessageLog
from runtime.tenant.search.index import Index
from runtime.tenant.search.recall import Found, Recall
from runtime.tenant.turnlog import TurnLog
from runtime.turns.printed import Printed
from runtime.words import Direction, TenantId
from shared_tools import offered


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The tenant's messages, for the tool that searches them. Days are the tenant's."""

    index: Index
    folder: Folder
    zone: ZoneInfo

    def search(self, query: str, direction: str, since: str, until: str, limit: int, offset: int) -> str:
        self.index.catch_up(self.folder)
        hits = self.index.search(
            query,
            direction=Direction(direction) if direction else None,
            since=day(since, self.zone),
            until=day(until, self.zone, days=1),
            limit=limit,
            offset=offset,
        )
        lines = (
            f"{hit.line.at.astimezone(self.zone):%a %Y-%m-%d %H:%M} {hit.line.person or 'assistant'}"
            f" ({hit.line.channel}): {hit.snippet}"
            for hit in hits
        )
        return "\n".join(lines) or "Nothing was said about that."


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalling:
    """The tenant's memory as it is asked. A fact is shown as its line in life/: the turn log counts how often."""

    recall: Recall
    now: Callable[[], datetime]
    asking: frozenset[str] = frozenset()
    """The messages that the turn answers."""

    def answer(self, question: str, limit: int) -> str:
        found = self.recall.recall(question, limit=limit, now=self.now(), asking=self.asking)
        shown, note = (found.facts, "") if found.facts or not found.about else (found.about, "Not known. Near it:")
        lines = [note, *_by_place(shown)] if note else _by_place(shown)
        lines += ["Said, and in no note:", *map(str, found.hits)] if found.hits else []
        if found.unknown:
            lines.append(f"Nothing known mentions: {', '.join(found.unknown)}.")
        if not found.searched:
            lines.append("What was said could not be searched just now.")
        return "\n".join(lines) or "Nothing is known about that."


def _by_place(facts: Iterable[Found]) -> list[str]:
    lines: list[str] = []
    place = ""
    for one in facts:
        where = f"{one.rel.removeprefix('life/').removesuffix('.md')}{', ' if one.section else ''}{one.section}:"
        lines += [str(one)] if where == place else [where, str(one)]
        place = where
    return lines


def providers(
    folder_of: Callable[[TenantId], Folder],
    index: Callable[[str], Path],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Mapping[type, Callable[[Ask], object]]:
    """By what a tool needs. ``folder_of``: the tenant's own folder, which a run's is not; ``index``: where its search
    index lies."""

    def memory(ask: Ask) -> Memory:
        folder = Folder(ask.folder)
        near = lately(MessageLog(folder), ask.conversation, ask.said)
        tenants = folder_of(ask.tenant)
        others = [] if ask.replay else elsewhere(MessageLog(tenants), ask.conversation, ask.said)
        printed = Printed(folder, History(folder), TurnLog(tenants)).heard(ask.conversation, near, ask.ran, now())
        said = [*others, *printed, *near]
        return Memory(life=_life(folder), role=ask.role, said=said, zone=ZoneInfo(ask.timezone), now=now)

    def onboarding(ask: Ask) -> Onboarding:
        return Onboarding(life=_life(Folder(ask.folder)), said=ask.said, zone=ZoneInfo(ask.timezone), now=now)

    recalls: dict[tuple[TenantId, Path, str], Recall] = {}

    def recall(ask: Ask) -> Recalling:
        """What stands in the tenant's own folder, in a run too; kept, because it holds all facts at hand."""
        folder = folder_of(ask.tenant)
        key = (ask.tenant, folder.root, ask.timezone)  # an admin may move a tenant, or set its clock
        if (found := recalls.get(key)) is None:
            history, zone = History(folder), ZoneInfo(ask.timezone)
            made = Recall(Life(folder, history), Index(index(ask.tenant)), history, folder, zone=zone)
            found = recalls.setdefault(key, made)
        return Recalling(recall=found, now=now, asking=frozenset(one.id for one in ask.said))

    def messages(ask: Ask) -> Search:
        return Search(index=Index(index(ask.tenant)), folder=folder_of(ask.tenant), zone=ZoneInfo(ask.timezone))

    return {
        offered.Memory: memory,
        offered.Onboarding: onboarding,
        offered.Recall: recall,
        offered.Messages: messages,
    }


def day(text: str, zone: ZoneInfo, *, days: int = 0) -> datetime | None:
    """The start of a day, or of the one that many days later; a time of day as it is; None for no text. Raises
    BadInput."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        found = found if found.tzinfo else found.replace(tzinfo=zone)
        is_day = len(text.strip()) <= len("2026-11-27")
        return found + timedelta(days=days if is_day else 0)
    except (ValueError, OverflowError):
        raise BadInput(f"{text!r} is no date", hint="give it as 2026-11-27") from None


def _life(folder: Folder) -> Life:
    return Life(folder, History(folder))
