"""What webhook routes share: reading a body within a limit, comparing secrets, handing in, saying "deliver again".

Does not know any channel's wire format.
"""

import asyncio
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from runtime import logs
from runtime.channels.base import Delivered, Desk
from runtime.errors import Unavailable
from runtime.metrics import Metrics
from runtime.words import Arrival, Ignored, TenantId

Batches = Mapping[TenantId, Sequence[Delivered]]

RETRY_AFTER = "5"
"""Seconds after which a channel may deliver again what could not be written."""

_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_ABSENT = b"\0" * 32
_log = logs.get("channels")


class TooLarge(Exception):
    """A body above the limit; it was not read to its end."""


def tenant_id(text: str) -> TenantId | None:
    """``text`` from a path as a tenant's id; None when it cannot be one."""
    return TenantId(text) if _TENANT.fullmatch(text) else None


def same_secret(given: str, wanted: SecretStr | None) -> bool:
    """Compare in constant time. An absent or empty ``wanted`` is compared all the same, and is never met."""
    secret = wanted.get_secret_value().encode() if wanted else b""
    return hmac.compare_digest(given.encode(errors="replace"), secret or _ABSENT) and bool(secret)


def any_secret(given: str, wanted: SecretStr | None) -> bool:
    """As ``same_secret``, of several that ``wanted`` may hold with commas between: the new key and the one before it,
    so that a key changes without a moment in which none is right. All are compared, whichever is met."""
    secrets = [SecretStr(part.strip()) for part in (wanted.get_secret_value() if wanted else "").split(",")]
    return sum(same_secret(given, secret) for secret in secrets) > 0


async def read_body(request: Request, limit: int) -> bytes:
    """The body of ``request``, at most ``limit`` bytes held. Raises TooLarge, unread where the length is declared."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > 15 or int(declared) > limit):
        raise TooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge
    return bytes(body)


class Counting(Protocol):
    """Whatever counts: a desk, or an API that asks for updates itself."""

    @property
    def metrics(self) -> Metrics: ...


def refuse(desk: Counting, channel: str, reason: str, status: int) -> Response:
    """A refusal leaves a count and nothing else: what a stranger sends must not fill a log."""
    desk.metrics.messages_refused.labels(channel=channel, reason=reason).inc()
    if reason == "too_large":  # it may have been somebody's message
        _log.warning("webhook.too_large", channel=channel)
    return PlainTextResponse("refused\n", status_code=status)


def note_ignored(desk: Counting, tenant: str, ignored: Ignored, known: frozenset[str]) -> None:
    """Count and log what is rightly not answered. A reason outside ``known`` is one series: it comes from outside."""
    label = ignored.reason if ignored.reason in known else "other"
    desk.metrics.messages_refused.labels(channel=ignored.channel, reason=label).inc()
    _log.info(
        "message.ignored",
        channel=ignored.channel,
        tenant=tenant,
        reason=ignored.reason,
        id=ignored.id,
        detail=ignored.detail,
    )


def wanted(desk: Counting, tenant: TenantId, arrivals: Sequence[Arrival], known: frozenset[str]) -> list[Delivered]:
    """What of ``arrivals`` goes to the desk; the rest is counted and logged."""
    kept: list[Delivered] = []
    for arrival in arrivals:
        if isinstance(arrival, Ignored):
            note_ignored(desk, tenant, arrival, known)
        else:
            kept.append(arrival)
    return kept


async def hand_in(desk: Desk, batches: Batches) -> Response:
    """Give each tenant what is its own and answer the channel: 200 when all of it is durable, else 503.

    A tenant whose write fails does not keep the others from theirs; on the repeated delivery the desk knows
    what it has already taken.
    """
    outcomes = await asyncio.gather(*(_receive(desk, tenant, batch) for tenant, batch in batches.items() if batch))
    if all(outcomes):
        return PlainTextResponse("ok\n")
    return PlainTextResponse("not accepted, deliver again\n", status_code=503, headers={"retry-after": RETRY_AFTER})


async def _receive(desk: Desk, tenant: TenantId, batch: Sequence[Delivered]) -> bool:
    """Whether all of ``batch`` is durable. After a defect each message gets its own chance."""
    outcome = (await asyncio.gather(desk.receive(tenant, batch), return_exceptions=True))[0]
    if outcome is None:
        return True
    if not isinstance(outcome, Unavailable) and len(batch) > 1:
        return all([await _receive(desk, tenant, [message]) for message in batch])
    ids = [message.id for message in batch]
    _log.error("message.not_accepted", tenant=tenant, ids=ids, exc_info=outcome)
    return False
