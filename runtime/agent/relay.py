"""One answer of a model on its way to the session that asked: through untouched, metered from the side.

Owns the passing on, the ledger's line, and what happens when either end goes away. Does not own who may ask (gateway).
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from runtime import logs
from runtime.agent.attempts import Begun, Patience, reach
from runtime.agent.ledger import Entry, Ledger
from runtime.agent.metering import Meter
from runtime.agent.prices import KINDS, NO_TOKENS, Prices, Tokens
from runtime.agent.upstream import Call, CutOff, Upstream
from runtime.metrics import Metrics
from runtime.words import Conversation, TenantId, TurnId

_PASSED_BACK = ("content-type", "request-id", "retry-after", "x-should-retry")

GONE = 499
"""The status by which an answer nobody waited for is counted; it is never sent."""


@dataclass(frozen=True, slots=True)
class Caller:
    tenant: TenantId
    conversation: Conversation
    turn: TurnId


class Relay(Response):
    """Asks, and passes the answer on. ``done`` is called once, with the status, model, tokens and US dollars."""

    def __init__(
        self,
        call: Call,
        caller: Caller,
        *,
        models: tuple[str, ...],
        upstream: Upstream,
        ledger: Ledger,
        prices: Prices,
        metrics: Metrics,
        patience: Patience,
        now: Callable[[], datetime],
        metered: bool,
        done: Callable[[int, str, Tokens, float], None],
    ) -> None:
        super().__init__()
        self._call, self._caller, self._models = call, caller, models
        self._upstream, self._ledger, self._prices, self._metrics = upstream, ledger, prices, metrics
        self._patience, self._now, self._metered, self._done = patience, now, metered, done
        self._meter = Meter(streamed=call.streamed)
        self._status, self._model = GONE, call.model
        self._tokens, self._usd = NO_TOKENS, 0.0
        self._settled = False
        self._writing: asyncio.Future[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the shape of ASGI
        started = time.monotonic()
        try:
            await _unless_gone(self._pass(send), receive)
        finally:
            try:
                if entry := self._settle():  # the client hung up: written before the turn's end asks what it cost
                    self._ledger.record(entry)
            finally:
                self._count(time.monotonic() - started)

    async def _pass(self, send: Send) -> None:
        begun = await reach(self._upstream, self._call, self._models, self._patience)
        self._status, self._model = begun.status, begun.model
        await send(_start(begun))
        try:
            await self._chunk(begun.first, send)
            if begun.rest is not None:
                async for chunk in begun.rest:
                    await self._chunk(chunk, send)
        except CutOff:
            # A stream that ends before its last event: the CLI notices, and asks again by itself.
            logs.get("agent").warning("model.cut_off", tenant=self._caller.tenant, turn=self._caller.turn)
        finally:
            if begun.rest is not None:
                await begun.rest.aclose()
        self._meter.close()
        await self._record()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _chunk(self, chunk: bytes, send: Send) -> None:
        self._meter.feed(chunk)
        if self._meter.finished:
            await self._record()  # durable before the answer ends
        await send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def _record(self) -> None:
        """Beside the event loop, and to its end even if the client hangs up meanwhile."""
        if entry := self._settle():
            self._writing = asyncio.ensure_future(asyncio.to_thread(self._ledger.record, entry))
            await asyncio.shield(self._writing)

    def _settle(self) -> Entry | None:
        """The line to write, once. A refusal costs nothing; a question nobody waited to see answered may have."""
        costs = self._metered and (self._status < 400 or self._status == GONE)
        if self._settled or not costs:
            return None
        self._settled = True
        model = self._meter.model or self._model
        self._tokens = self._meter.tokens(asked_bytes=self._call.asked_bytes)
        self._usd = self._prices.usd(model, self._tokens)
        return Entry(
            at=self._now(),
            tenant=self._caller.tenant,
            conversation=self._caller.conversation,
            turn=self._caller.turn,
            upstream=self._upstream.name,
            model=model,
            tokens=self._tokens,
            usd=self._usd,
            complete=self._meter.finished,
        )

    def _count(self, seconds: float) -> None:
        tenant = self._caller.tenant
        if self._metered:
            broke_off = self._status < 400 and not self._meter.finished
            self._metrics.claude_requests.labels(tenant, "broke_off" if broke_off else str(self._status)).inc()
            self._metrics.claude_request.labels(tenant).observe(seconds)
            for kind, count in zip(KINDS, self._tokens.counts(), strict=True):
                if count:
                    self._metrics.claude_tokens.labels(tenant, kind).inc(count)
        self._done(self._status, self._meter.model or self._model, self._tokens, self._usd)


def _start(begun: Begun) -> Message:
    headers = {name: begun.headers[name] for name in _PASSED_BACK if name in begun.headers}
    if begun.again:
        headers["x-should-retry"] = "false"  # we have tried; the CLI's own ten tries would only make the person wait
    return {
        "type": "http.response.start",
        "status": begun.status,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
    }


async def _unless_gone(work: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Do the work, and drop it when the client hangs up."""
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, watching):
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
    if not working.cancelled():
        working.result()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
