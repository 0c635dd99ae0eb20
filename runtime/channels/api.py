"""The HTTP API: a program talks to a tenant, one conversation each, and waits for the reply or follows the turn.

Owns the shapes of requests, answers and the event stream. Does not own what a turn does, nor who a key belongs to.
Every answer that is not a success is ``{"error", "hint"}``.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runtime.channels import wire
from runtime.channels.arriving import RETRY_AFTER, TooLarge, read_body, tenant_id
from runtime.channels.base import (
    ApiDesk,
    Commits,
    Done,
    Failed,
    Reply,
    TurnEvent,
)
from runtime.channels.event_stream import KEEP_ALIVE_SECONDS, close, event_stream, resumed
from runtime.errors import BadInput, Fault, NotFound, Refused, Unavailable
from runtime.words import Conversation, Inbound, TenantId, TurnId

CHANNEL = "api"
TEXT_LIMIT = 64 * 1024
"""Bytes of the text in UTF-8."""
BODY_LIMIT = 512 * 1024
"""Bytes of a request: a text of the full length with every character escaped fits in."""
_CONVERSATION = re.compile(r"[A-Za-z0-9._@+-]{1,64}")
_ID = re.compile(r"[A-Za-z0-9._~@+=-]{1,128}")


@dataclass(frozen=True, slots=True)
class _Said:
    text: str
    conversation: str
    id: str


def routes(desk: ApiDesk, *, keep_alive: float = KEEP_ALIVE_SECONDS) -> list[Route]:
    """Each with ``Authorization: Bearer KEY``, below ``/api/v1/tenants/{tenant}``; shapes in docs/http-api.md.

    ``POST …/messages`` takes ``{"text", "conversation"?, "id"?}`` and answers ``{"turn", "reply", "commits"}`` when the
    turn is done, or with ``Accept: text/event-stream`` its events, resumed by the same ``id`` with ``Last-Event-ID``.
    ``GET …/turns/{turn}/events`` resumes them without a message: 404 for a turn this API did not open, 204 when nothing
    comes any more. ``POST …/cancel`` takes ``{"conversation"?}`` and answers ``{"cancelled"}``. ``keep_alive``: seconds
    of silence after which a comment keeps a stream open.
    """

    async def post_message(request: Request) -> Response:
        try:
            tenant = _authorized(desk, request)
            said = _message(await _object(request))
            turn = await desk.submit(tenant, _inbound(said))
            if "text/event-stream" in request.headers.get("accept", ""):
                return event_stream(turn, desk.follow(turn, after=_last_event_id(request)), keep_alive)
            return await _when_done(turn, desk.follow(turn))
        except (Fault, Unauthorized, TooLarge) as fault:
            return _refusal(desk, fault)

    async def follow(request: Request) -> Response:
        try:
            turn = _turn(_authorized(desk, request), request.path_params["turn"])
            return await resumed(turn, desk.follow(turn, after=_last_event_id(request)), keep_alive)
        except (Fault, Unauthorized, TooLarge) as fault:
            return _refusal(desk, fault)

    async def cancel(request: Request) -> Response:
        try:
            tenant = _authorized(desk, request)
            name = _conversation(await _object(request))
            stopped = await desk.cancel(tenant, Conversation(f"{CHANNEL}:{name}"))
            return JSONResponse({"cancelled": stopped})
        except (Fault, Unauthorized, TooLarge) as fault:
            return _refusal(desk, fault)

    return [
        Route("/api/v1/tenants/{tenant}/messages", post_message, methods=["POST"]),
        Route("/api/v1/tenants/{tenant}/cancel", cancel, methods=["POST"]),
        Route("/api/v1/tenants/{tenant}/turns/{turn}/events", follow, methods=["GET"]),
    ]


# The request


class Unauthorized(Exception):
    """No key, a wrong one, or no such tenant: from outside they are the same."""


def bearer(request: Request) -> str:
    """The key of a request; Unauthorized without one."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Unauthorized
    return key.strip()


def _authorized(desk: ApiDesk, request: Request) -> TenantId:
    key, tenant = bearer(request), tenant_id(request.path_params["tenant"])
    if tenant is None or not desk.authorize(tenant, key):
        raise Unauthorized
    return tenant


async def _object(request: Request) -> wire.Object:
    """The body; an empty one is an empty object."""
    body = await read_body(request, BODY_LIMIT)
    return wire.load(body) if body.strip() else {}


def _message(body: wire.Object) -> _Said:
    """Raises BadInput naming the field and what was wanted."""
    text = body.get("text")
    if not isinstance(text, str) or not text.strip():
        raise BadInput("text: wanted a string that is not empty", hint='send {"text": "…"}')
    text = wire.clean(text)
    if len(text.encode()) > TEXT_LIMIT:
        raise BadInput(f"text: more than {TEXT_LIMIT} bytes", hint="send a shorter text")
    key = body.get("id", uuid4().hex)
    if not isinstance(key, str) or not _ID.fullmatch(key):
        raise BadInput("id: wanted 1 to 128 of A-Z a-z 0-9 . _ ~ @ + = -", hint="send a UUID, or none")
    return _Said(text, _conversation(body), key)


def _conversation(body: wire.Object) -> str:
    name = body.get("conversation", "default")
    if not isinstance(name, str) or not _CONVERSATION.fullmatch(name):
        raise BadInput("conversation: wanted 1 to 64 of A-Z a-z 0-9 . _ @ + -", hint="leave it out for the default one")
    return name


def _last_event_id(request: Request) -> int:
    """Where a broken stream was; whatever is not a number of ours starts from the beginning."""
    given = request.headers.get("last-event-id", "")
    return int(given) if given.isdecimal() and given.isascii() and len(given) < 12 else 0


def _turn(tenant: TenantId, name: str) -> TurnId:
    """A turn of this API and this tenant; what is said on its other channels is not the API's to tell."""
    if not name.startswith(f"turn:{tenant}:{CHANNEL}:"):
        raise NotFound(
            f"there is no turn {name[:200]} of this API", hint="take the turn from the answer to the message"
        )
    return TurnId(name)


def _inbound(said: _Said) -> Inbound:
    return Inbound(
        channel=CHANNEL,
        id=said.id,
        sender=said.conversation,
        address=said.conversation,
        text=said.text,
        sent_at=datetime.now(UTC),
    )


# The answer


async def _when_done(turn: TurnId, events: AsyncIterator[TurnEvent]) -> Response:
    """Raises Unavailable when the events end before the turn does; the turn itself goes on."""
    reply = ""
    commits: tuple[str, ...] = ()
    try:
        async for event in events:
            match event.what:
                case Reply(text):
                    reply = text
                case Commits(ids):
                    commits = ids
                case Done():
                    return JSONResponse({"turn": turn, "reply": reply, "commits": list(commits)})
                case Failed(problem, hint):
                    return JSONResponse({"error": problem, "hint": hint, "turn": turn}, status_code=502)
                case _:
                    pass
    finally:
        await close(events)
    raise Unavailable(f"{turn} is not finished yet", hint="send the same id again to wait for its reply")


def _refusal(desk: ApiDesk, fault: Fault | Unauthorized | TooLarge) -> Response:
    status, problem, hint = explain(fault)
    headers = {401: {"www-authenticate": "Bearer"}, 503: {"retry-after": RETRY_AFTER}}.get(status)
    desk.metrics.messages_refused.labels(channel=CHANNEL, reason=str(status)).inc()
    return JSONResponse({"error": problem, "hint": hint}, status_code=status, headers=headers)


def explain(fault: Fault | Unauthorized | TooLarge) -> tuple[int, str, str]:
    """The status, the problem and the hint that a request is refused with."""
    match fault:
        case Unauthorized():
            return 401, "no valid key", "send the tenant's key as: Authorization: Bearer KEY"
        case TooLarge():
            return 413, f"the body has more than {BODY_LIMIT} bytes", "send a shorter text"
        case BadInput():
            return 400, fault.problem, fault.hint
        case Refused():
            return 403, fault.problem, fault.hint
        case NotFound():
            return 404, fault.problem, fault.hint
        case _:
            return 503, fault.problem, fault.hint
