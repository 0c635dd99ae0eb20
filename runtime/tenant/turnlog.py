"""The turn log: what each turn did and cost, in ``state/turns/YYYY-MM.jsonl``. One line a turn, append-only.

Owns the line's shape. Does not own the files (monthly.py), nor what is learned from them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from runtime.tenant.folder import Folder
from runtime.tenant.monthly import Line, MonthlyLog, instant
from runtime.words import Conversation, TurnId

TURNS = "state/turns"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnLine:
    """One turn that has ended. Everything in it is JSON-able.

    ``tools`` holds a record for each tool run, ``exposures`` the ids of rules and tools that were in play, ``usage``
    tokens and US dollars, ``ms`` the whole turn; further timings and facts go to ``extra``.
    """

    turn: TurnId
    at: datetime
    conversation: Conversation
    trigger: str = ""
    tools: Sequence[Mapping[str, Any]] = ()
    exposures: Sequence[str] = ()
    commits: Sequence[str] = ()
    usage: Mapping[str, Any] = field(default_factory=dict)
    ms: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)


class TurnLog:
    """One tenant's turn log. Safe for many threads; calls block (one write and one fsync an append)."""

    def __init__(self, folder: Folder) -> None:
        self._log = MonthlyLog(folder, TURNS, lambda line: line.get("turn"))

    def append(self, lines: Iterable[TurnLine]) -> None:
        """Write turns durably. A turn that is in the log already is not written again. Raises Unavailable."""
        self._log.append([to_line(line) for line in lines])

    def recent(
        self, limit: int = 20, conversation: Conversation | None = None, *, within: int | None = None
    ) -> list[TurnLine]:
        """The last turns, oldest first; those ``within`` so many turns of the tenant. Reads the log from its end."""
        found: list[TurnLine] = []
        for line in map(from_line, islice(self._log.backwards(), within)):
            if len(found) >= limit:
                break
            if line and conversation in (None, line.conversation):
                found.append(line)
        return found[::-1]

    def find(self, turn: TurnId) -> TurnLine | None:
        """One turn, looked for from the newest."""
        return next((from_line(line) for line in self._log.backwards() if line.get("turn") == turn), None)

    def read(self, *, since: datetime | None = None) -> Iterator[TurnLine]:
        """Turns, oldest first."""
        first = instant(since) if since else ""
        for line in map(from_line, self._log.lines(since=first)):
            if line and instant(line.at) >= first:
                yield line

    def unreadable(self) -> list[str]:
        """Lines that are damaged, as ``file:line``; all else passes over them."""
        return self._log.unreadable()


def to_line(line: TurnLine) -> Line:
    return {
        "turn": line.turn,
        "at": instant(line.at),
        "conversation": line.conversation,
        "trigger": line.trigger,
        "tools": [dict(tool) for tool in line.tools],
        "exposures": list(line.exposures),
        "commits": list(line.commits),
        "usage": dict(line.usage),
        "ms": line.ms,
        **({"extra": dict(line.extra)} if line.extra else {}),
    }


def from_line(raw: Line) -> TurnLine | None:
    """A line read back; None when it is no turn."""
    try:
        return TurnLine(
            turn=TurnId(str(raw["turn"])),
            at=datetime.fromisoformat(raw["at"]),
            conversation=Conversation(str(raw.get("conversation", ""))),
            trigger=str(raw.get("trigger", "")),
            tools=tuple(dict(tool) for tool in raw.get("tools", ())),
            exposures=tuple(map(str, raw.get("exposures", ()))),
            commits=tuple(map(str, raw.get("commits", ()))),
            usage=dict(raw.get("usage", {})),
            ms=int(raw.get("ms", 0)),
            extra=dict(raw.get("extra", {})),
        )
    except (KeyError, ValueError, TypeError):
        return None
