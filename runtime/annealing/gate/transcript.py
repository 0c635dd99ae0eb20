"""The conversation before the message that is tested, written into a play's folder: as the CLI keeps it, and the log.

Owns the CLI's own form of a transcript, as far as it is needed to go on with one (tried with CLI 2.1.327;
docs/adr/0009). The session is noted as the conversation's, so that the pool resumes it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from runtime.agent.conversations import Conversations, transcript
from runtime.agent.views import config_of
from runtime.tenant.folder import Folder
from runtime.tenant.messages import QUOTED, MessageLine, MessageLog, sync_recent
from runtime.words import Conversation, Direction, How, Role

CLI = "2.1.327"

_BETWEEN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """One message as it goes into the transcript: ``shown`` is the prompt or the answer, ``text`` the bare words."""

    role: str
    shown: str
    text: str
    how: How
    quoted: str
    at: datetime


def write(
    folder: Folder,
    conversation: Conversation,
    said: Sequence[Turned],
    *,
    workdir: str,
    role: Role,
    person: str,
    now: datetime,
) -> None:
    """``workdir``: the folder as the agent sees it. Nothing is written for a conversation that only begins."""
    if said:
        session = str(uuid5(NAMESPACE_URL, conversation))
        lines = "".join(f"{json.dumps(line)}\n" for line in _lines(said, session, workdir))
        folder.write_text(transcript(workdir, session, config_of(role, conversation)), lines)
        Conversations(folder).note(conversation, session, now=now)
    log = MessageLog(folder)
    log.append([_logged(one, number, conversation, person) for number, one in enumerate(said)])
    sync_recent(folder, log)


def times(count: int, last: datetime) -> list[datetime]:
    """When ``count`` messages were sent that come before one of ``last``."""
    return [last - _BETWEEN * (count - number) for number in range(count)]


def _lines(said: Sequence[Turned], session: str, workdir: str) -> Iterator[dict[str, Any]]:
    parent: str | None = None
    for number, one in enumerate(said):
        name = str(uuid5(NAMESPACE_URL, f"{session}/{number}"))
        yield {
            "parentUuid": parent,
            "isSidechain": False,
            "userType": "external",
            "cwd": workdir,
            "sessionId": session,
            "version": CLI,
            "gitBranch": "",
            "type": one.role,
            "message": _message(one, name),
            "uuid": name,
            "timestamp": one.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        parent = name


def _message(one: Turned, name: str) -> dict[str, Any]:
    if one.role == "user":
        return {"role": "user", "content": one.shown}
    return {
        "id": f"msg_{name}",
        "type": "message",
        "role": "assistant",
        "model": "claude-recorded",
        "content": [{"type": "text", "text": one.shown}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def _logged(one: Turned, number: int, conversation: Conversation, person: str) -> MessageLine:
    inbound = one.role == "user"
    return MessageLine(
        id=f"earlier-{number}",
        at=one.at,
        channel=conversation.partition(":")[0],
        conversation=conversation,
        direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
        person=person if inbound else "",
        text=one.text,
        how=one.how if inbound else How.AGENT,
        extra={QUOTED: one.quoted} if one.quoted else {},
    )
