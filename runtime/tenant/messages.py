"""The message log: who said what, in ``state/messages/YYYY-MM.jsonl``. The truth about it, append-only.

Owns the line's shape, how a message's later states are merged into it, and state/recent_messages.json. Does not own
the files (monthly.py) nor searching (index.py). The agent reads these files and cannot write them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from runtime.errors import Fault
from runtime.tenant.folder import Folder
from runtime.tenant.monthly import Line, MonthlyLog, instant
from runtime.words import Conversation, Direction, How, SendState, TurnId

MESSAGES = "state/messages"
RECENT_FILE = "state/recent_messages.json"
RECENT = 25

QUOTED = "quoted"
"""In ``extra``: the words of the message that this one answers, which may be anybody's."""

_RECENT_TEXT = 2_000
"""Characters of one message in recent_messages.json: the agent pays for each; the log has the whole."""

_RECENT_LINES = 20_000
"""Lines that are looked through, at most, for the last messages of a conversation that has been silent for long."""

# How far a message has come. Reports arrive in any order; one that came late does not take a message back.
_ORDER = (
    SendState.QUEUED,
    SendState.UNKNOWN,
    SendState.SENT,
    SendState.FAILED,
    SendState.DELIVERED,
    SendState.READ,
)
RANK: Mapping[SendState | None, int] = {None: -1} | {state: rank for rank, state in enumerate(_ORDER)}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    """One line. ``id`` is the channel's own, or ours for outbound; the same (channel, direction, id) is the same
    message, and a line with a state and no words is a later state of it.

    ``extra`` is whatever else is known of the message, JSON-able; the log keeps it and knows nothing of it.
    """

    id: str
    at: datetime
    channel: str
    conversation: Conversation
    direction: Direction
    person: str = ""
    kind: str = "text"
    text: str = ""
    how: How | None = None
    turn: TurnId | None = None
    state: SendState | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def later(self, state: SendState, at: datetime, **extra: Any) -> "MessageLine":
        """The line that says what has become of this message."""
        return replace(self, at=at, state=state, person="", kind="", text="", how=None, extra=extra)

    @property
    def is_later_state(self) -> bool:
        return self.state is not None and not self.text and self.kind in ("", "text")


class MessageLog:
    """One tenant's message log. Safe for many threads; calls block (one write and one fsync an append)."""

    def __init__(self, folder: Folder) -> None:
        self._log = MonthlyLog(folder, MESSAGES, _key)

    def append(self, lines: Iterable[MessageLine]) -> None:
        """Write lines durably, in order. A line of the same message with the same state is not written twice, so a
        step that is run again after a crash may append again. Raises Unavailable (disk full)."""
        self._log.append([to_line(line) for line in lines])

    def recent(self, limit: int = RECENT, conversation: Conversation | None = None) -> list[MessageLine]:
        """The last messages, oldest first, each with its latest state. Reads the log from its end."""
        return merge(self._newest(limit, conversation))[-limit:]

    def read(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        conversation: Conversation | None = None,
    ) -> Iterator[MessageLine]:
        """Lines as they were written, oldest first; ``until`` is not included."""
        first, last = instant(since) if since else "", instant(until) if until else "9999"
        for line in map(from_line, self._log.lines(since=first, until=last)):
            if line and first <= instant(line.at) < last and conversation in (None, line.conversation):
                yield line

    def unreadable(self) -> list[str]:
        """Lines that are damaged, as ``file:line``; all else passes over them."""
        return self._log.unreadable()

    def _newest(self, limit: int, conversation: Conversation | None) -> list[MessageLine]:
        """Lines enough for the last ``limit`` messages, oldest first."""
        lines: list[MessageLine] = []
        messages: set[tuple[str, str, str]] = set()
        for count, raw in enumerate(self._log.backwards()):
            if len(messages) >= limit or count >= _RECENT_LINES:
                break
            line = from_line(raw)
            if line and conversation in (None, line.conversation):
                lines.append(line)
                if not line.is_later_state:
                    messages.add(identity(line))
        return lines[::-1]


def identity(line: MessageLine) -> tuple[str, str, str]:
    return line.channel, line.direction, line.id


def merge(lines: Iterable[MessageLine]) -> list[MessageLine]:
    """One line a message, in the order they came, each with the furthest state it has reached.

    A later state of a message that is not among the lines is left out. Facts in ``extra`` add up.
    """
    found: dict[tuple[str, str, str], MessageLine] = {}
    for line in lines:
        name = identity(line)
        if name not in found:
            if not line.is_later_state:
                found[name] = line
            continue
        known = found[name]
        further = line.state if RANK[line.state] > RANK[known.state] else known.state
        found[name] = replace(known, state=further, extra={**known.extra, **line.extra})
    return list(found.values())


def sync_recent(folder: Folder, log: MessageLog) -> None:
    """Write the last messages where the agent reads them at the start of a session; nothing when they are there."""
    lines = [_for_the_agent(line) for line in log.recent(RECENT)]
    text = "[\n" + ",\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n]\n"
    text = text.encode("utf-8", "backslashreplace").decode()
    try:
        if folder.read_text(RECENT_FILE) == text:
            return
    except Fault:  # not there, or not what we wrote: it is written anew
        pass
    folder.write_text(RECENT_FILE, text)


def to_line(line: MessageLine) -> Line:
    """The JSON object of a line; what is empty is left out."""
    whole = {
        "id": line.id,
        "at": instant(line.at),
        "channel": line.channel,
        "conversation": line.conversation,
        "person": line.person,
        "direction": line.direction.value,
        "kind": line.kind,
        "text": line.text,
        "how": line.how.value if line.how else "",
        "turn": line.turn,
        "state": line.state.value if line.state else "",
        "extra": dict(line.extra),
    }
    return {key: value for key, value in whole.items() if value or key in ("id", "at")}


def from_line(raw: Line) -> MessageLine | None:
    """A line read back; None when it is no message. Keys that nobody knows are kept in ``extra``."""
    try:
        extra = raw.get("extra") or {}
        unknown = {key: value for key, value in raw.items() if key not in _KEYS}
        return MessageLine(
            id=str(raw["id"]),
            at=_time(raw["at"]),
            channel=str(raw.get("channel", "")),
            conversation=Conversation(str(raw.get("conversation", ""))),
            direction=Direction(raw["direction"]),
            person=str(raw.get("person", "")),
            kind=str(raw.get("kind", "")),
            text=str(raw.get("text", "")),
            how=_one_of(How, raw.get("how")),
            turn=TurnId(str(raw["turn"])) if raw.get("turn") else None,
            state=_one_of(SendState, raw.get("state")),
            extra={**unknown, **extra},
        )
    except (KeyError, ValueError, TypeError):
        return None


_KEYS = frozenset(MessageLine.__dataclass_fields__)


def _key(line: Line) -> tuple[Any, ...]:
    return line.get("channel"), line.get("direction"), line.get("id"), line.get("state")


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _one_of(names: Any, value: Any) -> Any:
    return names(value) if value else None


def _for_the_agent(line: MessageLine) -> Line:
    text = line.text if len(line.text) <= _RECENT_TEXT else line.text[:_RECENT_TEXT] + "…"
    shown = to_line(replace(line, text=text, turn=None, extra={}))
    return {key: value for key, value in shown.items() if key != "channel"}
