"""The model gateway: the only way from a sandbox to a model.

Owns the sessions' tokens, who may ask and when, the budget that is checked *before* a call, the real credential's
absence from the sandbox, and the count of what a turn used. Does not own the provider (upstream), retries (attempts),
prices, or the socket it is served on. An answer passes through byte for byte.

What a refusal looks like to the CLI was measured: it shows a 402 at once and asks again five times after a 400,
and it does not retry an error that carries ``x-should-retry: false``.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NewType
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from runtime import logs
from runtime.agent.attempts import PATIENCE, Patience, error_body
from runtime.agent.caching import shared_first
from runtime.agent.ledger import Ledger
from runtime.agent.prices import NO_TOKENS, Prices, Tokens, model_id
from runtime.agent.relay import Caller, Relay
from runtime.agent.upstream import Call, Upstream
from runtime.errors import Fault, NotFound, Refused
from runtime.metrics import Metrics
from runtime.words import Conversation, TenantId, TurnId

SessionToken = NewType("SessionToken", str)
"""Random; all a sandbox has in place of a key. Good for one session, and only while one of its turns runs."""

LARGEST_BODY = 32 * 1024 * 1024
"""Bytes; the provider's own limit."""

AT_ONCE = 8
"""Requests of one session under way together. It bounds what a budget can be overrun by."""

_PASSED_ON = ("anthropic-version", "anthropic-beta", "content-type", "accept")
"""Headers that leave the house. All others name a machine, a session or a person, or belong to the connection."""

_STAYS = ("metadata", "speed", "inference_geo", "service_tier")
"""Keys of a request that do not leave: the first identifies the person, the others change the price."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a tenant may spend a day in its own time zone; ``None`` is no limit."""

    usd_per_day: float | None
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one turn asked of models. ``refused``: why the last request was not answered, empty when it was:
    ``budget``, ``tenant``, ``busy``, ``request``, ``ledger``, or ``upstream:<status>``. ``context``: tokens of the
    longest request with its answer, so how far the session has grown."""

    requests: int = 0
    tokens: Tokens = NO_TOKENS
    usd: float = 0.0
    models: tuple[str, ...] = ()
    refused: str = ""
    first_request_bytes: int = 0
    context: int = 0


@dataclass(slots=True)
class _Session:
    tenant: TenantId
    conversation: Conversation
    digest: bytes
    turn: TurnId | None = None
    usage: Usage = field(default_factory=Usage)
    under_way: int = 0


class _No(Exception):
    """A request that is refused, in Anthropic's form. ``reason`` is for Usage and the metrics."""

    def __init__(self, status: int, kind: str, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.status, self.kind, self.message, self.reason = status, kind, message, reason


class Gateway:
    """``app`` is the ASGI application; it may be served on any number of sockets. Not safe across event loops."""

    def __init__(
        self,
        upstream: Upstream,
        ledger: Ledger,
        prices: Prices,
        *,
        limits: Callable[[TenantId], Limits],
        metrics: Metrics,
        fallback: tuple[str, ...] = (),
        patience: Patience = PATIENCE,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._upstream, self._ledger, self._prices, self._limits = upstream, ledger, prices, limits
        self._metrics, self._patience, self._now = metrics, patience, now
        self._fallback = tuple(model_id(name) for name in fallback)
        self._sessions: dict[bytes, _Session] = {}
        self._log = logs.get("agent")
        self.app = Starlette(
            routes=[
                Route("/v1/messages", self._messages, methods=["POST"]),
                Route("/v1/messages/count_tokens", self._messages, methods=["POST"]),
                Route("/{path:path}", self._elsewhere, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
            ]
        )

    async def aclose(self) -> None:
        await self._upstream.close()
        self._ledger.close()

    @property
    def upstream_name(self) -> str:
        return self._upstream.name

    def spent_today(self, tenant: TenantId) -> float:
        """US dollars since midnight where the tenant is; what a rehearsal would have cost is told apart."""
        return self._ledger.spent_today(tenant, self._limits(tenant).zone, self._now(), upstream=self._upstream.name)

    # What the pool does.

    def open(self, tenant: TenantId, conversation: Conversation) -> SessionToken:
        token = SessionToken(secrets.token_urlsafe(32))
        digest = _digest(token)
        self._sessions[digest] = _Session(tenant, conversation, digest)
        return token

    def close(self, token: SessionToken) -> None:
        """The token is worth nothing from now on. Closing twice is closing once."""
        self._sessions.pop(_digest(token), None)

    def begin_turn(self, token: SessionToken, turn: TurnId) -> None:
        """Raises NotFound for an unknown token, Refused when a turn is running already."""
        session = self._session(token)
        if session.turn is not None:
            raise Refused(f"{session.turn} is still running in this session", hint="end it before another begins")
        session.turn, session.usage = turn, Usage()

    def end_turn(self, token: SessionToken) -> Usage:
        """What the turn used. A request still under way is in the ledger under its turn, but not in here."""
        session = self._session(token)
        session.turn = None
        return session.usage

    def usage(self, token: SessionToken) -> Usage:
        """What the turn has used so far."""
        return self._session(token).usage

    def _session(self, token: SessionToken) -> _Session:
        if found := self._sessions.get(_digest(token)):
            return found
        raise NotFound("this session is not open at the gateway", hint="open it before its first turn")

    # What the sandbox asks.

    async def _messages(self, request: Request) -> Response:
        session = self._caller(request)
        if session is None:
            return self._unknown()
        try:
            if session.turn is None:
                raise _No(403, "permission_error", "nobody asked: no turn is running", reason="outside_turn")
            call = await self._call(request, session)
            if call.path == "/v1/messages":
                self._count_request(session, call)
                self._check(session)
        except ClientDisconnect:
            return Response(status_code=499)
        except _No as no:
            return self._refuse(session, no)
        return self._relay(session, session.turn, call)

    async def _elsewhere(self, request: Request) -> Response:
        session = self._caller(request)
        if session is None:
            return self._unknown()
        return self._refuse(session, _No(404, "not_found_error", "not served here", reason="not_found"))

    def _caller(self, request: Request) -> _Session | None:
        shown = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
        digest = _digest(shown)
        session = self._sessions.get(digest)
        return session if session and hmac.compare_digest(session.digest, digest) else None

    async def _call(self, request: Request, session: _Session) -> Call:
        raw = await _body(request)
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
            raise _No(400, "invalid_request_error", "not a Messages request", reason="request")
        return Call(
            path=request.url.path,
            query=request.url.query,
            headers={name: request.headers[name] for name in _PASSED_ON if name in request.headers},
            body=shared_first({key: value for key, value in body.items() if key not in _STAYS}),
            asked_bytes=len(raw),
            session=session.digest.hex(),
        )

    def _count_request(self, session: _Session, call: Call) -> None:
        usage = session.usage
        session.usage = _with(
            usage,
            requests=usage.requests + 1,
            first_request_bytes=usage.first_request_bytes or call.asked_bytes,
        )

    def _check(self, session: _Session) -> None:
        """May this tenant ask a model now? Everything that cannot be found out is a no."""
        if session.under_way >= AT_ONCE:
            raise _No(429, "rate_limit_error", f"{AT_ONCE} requests are under way already", reason="busy")
        try:
            limits = self._limits(session.tenant)
        except Fault as fault:
            raise _No(402, "billing_error", f"tenant_unknown: {fault.problem}", reason="tenant") from fault
        if limits.usd_per_day is None:
            return
        try:
            spent = self._ledger.spent_today(session.tenant, limits.zone, self._now(), upstream=self._upstream.name)
        except Fault as fault:
            raise _No(402, "billing_error", f"ledger_broken: {fault.problem}", reason="ledger") from fault
        if spent >= limits.usd_per_day:
            raise _No(
                402,
                "billing_error",
                f"budget_reached: today's {limits.usd_per_day:.2f} USD for models are spent; more at midnight"
                f" in {limits.zone.key}",
                reason="budget",
            )

    def _relay(self, session: _Session, turn: TurnId, call: Call) -> Relay:
        metered = call.path == "/v1/messages"
        session.under_way += 1
        caller = Caller(session.tenant, session.conversation, turn)

        def done(status: int, model: str, tokens: Tokens, usd: float) -> None:
            session.under_way -= 1
            if not metered or session.turn != turn:
                return
            usage = session.usage
            session.usage = _with(
                usage,
                tokens=usage.tokens + tokens,
                usd=usage.usd + usd,
                context=max(usage.context, tokens.prompt + tokens.output),
                models=tuple(dict.fromkeys((*usage.models, model))) if status < 400 else usage.models,
                refused=f"upstream:{status}" if status >= 400 else "",
            )

        return Relay(
            call,
            caller,
            models=(call.model, *(model for model in self._fallback if model != call.model)),
            upstream=self._upstream,
            ledger=self._ledger,
            prices=self._prices,
            metrics=self._metrics,
            patience=self._patience,
            now=self._now,
            metered=metered,
            done=done,
        )

    def _unknown(self) -> Response:
        self._metrics.claude_requests.labels("", "unknown_token").inc()
        return _error(401, "authentication_error", "this gateway does not know you")

    def _refuse(self, session: _Session, no: _No) -> Response:
        self._metrics.claude_requests.labels(session.tenant, no.reason).inc()
        if no.reason != "not_found":  # a CLI may be curious; that is not worth a line each
            self._log.warning("model.refused", tenant=session.tenant, turn=session.turn, reason=no.reason)
            session.usage = _with(session.usage, refused=no.reason)
        return _error(no.status, no.kind, no.message)


def _with(usage: Usage, **changes: Any) -> Usage:
    return Usage(**{name: changes.get(name, getattr(usage, name)) for name in Usage.__slots__})


def _digest(token: str) -> bytes:
    """Found by its digest, so that how long a look-up takes says nothing about a token."""
    return hashlib.sha256(token.encode()).digest()


def _error(status: int, kind: str, message: str) -> Response:
    headers = {"x-should-retry": "false"}
    return Response(error_body(kind, message), status, headers=headers, media_type="application/json")


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            raise _No(413, "request_too_large", f"more than {LARGEST_BODY} bytes", reason="request")
        parts.append(part)
    return b"".join(parts)
