"""The events of a turn as server-sent events: named, numbered, kept open, resumed where a stream broke.

Owns the form of the stream. Does not own which turn somebody may follow (api), nor what happens in one.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping

from starlette.responses import Response, StreamingResponse

from runtime.channels.base import (
    Commits,
    Done,
    Failed,
    Happening,
    Partial,
    Progress,
    Reply,
    ToolRan,
    TurnEvent,
)
from runtime.errors import Fault
from runtime.words import TurnId

KEEP_ALIVE_SECONDS = 15.0
FIRST_SECONDS = 1.0
"""How long a resumed stream waits to see whether there is anything to come, before it begins all the same."""


async def resumed(turn: TurnId, events: AsyncIterator[TurnEvent], keep_alive: float) -> Response:
    """The stream from where it was. A turn that is unknown, or over and wholly told, shows in the status: nobody who
    reconnects by himself, as browsers do, comes again for it."""
    upcoming = asyncio.create_task(_next(events))
    if (await asyncio.wait({upcoming}, timeout=FIRST_SECONDS))[0]:
        try:
            first = upcoming.result()
        except Fault:
            await close(events)
            raise
        if first is None:
            return Response(status_code=204)
    return event_stream(turn, events, keep_alive, upcoming)


def event_stream(
    turn: TurnId,
    events: AsyncIterator[TurnEvent],
    keep_alive: float,
    upcoming: asyncio.Task[TurnEvent | None] | None = None,
) -> Response:
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    frames = _frames(turn, events, keep_alive, upcoming)
    return StreamingResponse(frames, media_type="text/event-stream", headers=headers)


async def _frames(
    turn: TurnId,
    events: AsyncIterator[TurnEvent],
    keep_alive: float,
    upcoming: asyncio.Task[TurnEvent | None] | None,
) -> AsyncIterator[str]:
    """The stream as text. The first frame names the turn; a fault while following is an ``error`` without an id."""
    try:
        yield _frame("status", {"turn": turn, "status": "resumed" if upcoming else "accepted"})
        while True:
            upcoming = upcoming or asyncio.create_task(_next(events))
            while not (await asyncio.wait({upcoming}, timeout=keep_alive))[0]:
                yield ": still here\n\n"
            event = upcoming.result()
            if event is None:
                return
            name, data = describe(event.what)
            yield _frame(name, {"turn": turn, **data}, event.id)
            if isinstance(event.what, (Done, Failed)):
                return
            upcoming = None
    except Fault as fault:
        yield _frame("error", {"turn": turn, "error": fault.problem, "hint": fault.hint})
    finally:
        if upcoming is not None:
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)
        await close(events)


async def _next(events: AsyncIterator[TurnEvent]) -> TurnEvent | None:
    return await anext(events, None)


async def close(events: AsyncIterator[TurnEvent]) -> None:
    """An iterator that is a generator has its own ``finally`` to run, at once and not when memory is cleared."""
    close = getattr(events, "aclose", None)
    if close is not None:
        await close()


def describe(what: Happening) -> tuple[str, dict[str, object]]:
    """The name of an event on the stream and its data."""
    match what:
        case Progress(status):
            return "status", {"status": status}
        case Partial(text):
            return "partial", {"text": text}
        case ToolRan(name=name, ok=ok, ms=ms):
            return "tool", {"name": name, "state": "started" if ok is None else "ended", "ok": ok, "ms": ms}
        case Reply(text):
            return "reply", {"text": text}
        case Commits(ids):
            return "commits", {"commits": list(ids)}
        case Done():
            return "done", {}
        case Failed(problem, hint):
            return "error", {"error": problem, "hint": hint}


def _frame(event: str, data: Mapping[str, object], id_: int | None = None) -> str:
    """One frame: JSON keeps the data on one line, whatever the text holds."""
    number = f"id: {id_}\n" if id_ is not None else ""
    return f"{number}event: {event}\ndata: {json.dumps(data)}\n\n"
