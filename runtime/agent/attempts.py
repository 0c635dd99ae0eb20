"""How often one question is asked, and of whom: again after a pause, then of the next model.

Owns the decision and the waiting. Only what happens before the first byte is retried: after it, the words are
already on their way. Error table: platform.claude.com/docs/en/api/errors.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from runtime.agent.metering import Meter
from runtime.agent.upstream import Call, CutOff, Upstream

_AGAIN = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_STATUS_OF = {"overloaded_error": 529, "rate_limit_error": 429, "timeout_error": 504, "api_error": 500}
UNREACHABLE = 503
_JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. One try more than there are ``waits``; who asks for more than ``longest`` is not waited for."""

    waits: tuple[float, ...] = (0.5, 2.0)
    longest: float = 15.0


PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Begun:
    """An answer of which the first bytes are in hand. ``rest`` must be closed. ``tries`` counts every model's."""

    status: int
    headers: Mapping[str, str]
    model: str
    first: bytes
    rest: AsyncGenerator[bytes, None] | None = None
    tries: int = 1

    @property
    def again(self) -> bool:
        return self.status in _AGAIN


def pause(begun: Begun, wait: float | None, patience: Patience, now: datetime) -> float | None:
    """Seconds until the same model is asked again; None: it is not. ``wait`` is our own next pause, if one is left."""
    if wait is None or begun.headers.get("x-should-retry") == "false":
        return None
    asked = _retry_after(begun.headers, now)
    if asked is None:
        return wait
    return max(asked, 0.0) if asked <= patience.longest else None


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds, or an HTTP date (RFC 9110 section 10.2.3); None when it says nothing we can read."""
    value = headers.get("retry-after", "")
    with contextlib.suppress(ValueError):
        return float(value)
    with contextlib.suppress(ValueError):
        at = parsedate_to_datetime(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    return None


async def reach(upstream: Upstream, call: Call, models: Sequence[str], patience: Patience) -> Begun:
    """Ask the first model, and the others when it does not answer. The last refusal is returned as it came."""
    tries = 0
    for model in models:
        for wait in (*patience.waits, None):
            begun = await _begin(upstream, call.to(model))
            tries += 1
            seconds = pause(begun, wait, patience, datetime.now(UTC)) if begun.again else None
            if not begun.again or (seconds is None and model == models[-1]):
                return replace(begun, tries=tries)
            if seconds is None:
                break
            await asyncio.sleep(seconds)
    raise AssertionError("no model was asked: models is empty")


async def _begin(upstream: Upstream, call: Call) -> Begun:
    """One try, up to the first bytes. What is not streamed is taken whole: until then it can be asked again."""
    try:
        reply = await upstream.send(call)
        if reply.status >= 400 or not call.streamed:
            whole = b"".join([chunk async for chunk in reply.chunks])
            return Begun(reply.status, reply.headers, call.model, whole)
        first = await _first(reply.chunks)
    except CutOff as fault:
        return Begun(UNREACHABLE, _JSON, call.model, error_body("api_error", fault.problem))
    if failure := _failed_at_once(first):
        await reply.chunks.aclose()
        headers = {**reply.headers, **_JSON}
        return Begun(_STATUS_OF.get(failure, 500), headers, call.model, _plain_error(first))
    return Begun(reply.status, reply.headers, call.model, first, reply.chunks)


async def _first(chunks: AsyncGenerator[bytes, None]) -> bytes:
    """Raises CutOff when nothing comes. Whoever stops waiting has ended the call."""
    try:
        return await anext(chunks)
    except StopAsyncIteration:
        raise CutOff("the model's provider sent an empty answer", hint="send the message again") from None
    except BaseException:
        await chunks.aclose()
        raise


def _failed_at_once(first: bytes) -> str:
    """A stream may open with 200 and an error as its first event, which is a refusal like any other."""
    meter = Meter(streamed=True)
    meter.feed(first)
    return "" if meter.started else meter.failure


def _plain_error(first: bytes) -> bytes:
    data = next(line for line in first.split(b"\n") if line.startswith(b"data:"))
    return data[5:].strip()


def error_body(kind: str, message: str) -> bytes:
    """Anthropic's form of an error."""
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()
