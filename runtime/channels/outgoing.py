"""The outbound webhook: what a tenant says or is told, posted as signed JSON to an address of the tenant's own.

Protocol: ``POST`` with a JSON body; ``X-ProxyStaff-Timestamp`` (Unix seconds) and ``X-ProxyStaff-Signature``,
``sha256=`` and the hex HMAC-SHA256 of the timestamp, a full stop and the raw body: a replay shows by its time.
docs/channels/outbound-webhook.md is the receiver's side. Owns one attempt. Does not own retries, nor what is worth
telling: every attempt at one event has the same ``id``, so a receiver that looks at it takes each event once.
"""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Literal

import httpx
from pydantic import SecretStr

from runtime.channels import sending
from runtime.metrics import Metrics
from runtime.words import GiveUp, SendOutcome, Sent, TenantId, TryLater, Uncertain

CHANNEL = "webhook"
SIGNATURE_HEADER = "X-ProxyStaff-Signature"
TIMESTAMP_HEADER = "X-ProxyStaff-Timestamp"
ID_HEADER = "X-ProxyStaff-Id"

TIMEOUT = httpx.Timeout(connect=5.0, read=10.0, write=10.0, pool=5.0)
_FIX_URL = "set the address of the outbound webhook: https, without a name and password in it"
_FIX_SECRET = "set the secret of the outbound webhook, at least 16 characters"  # noqa: S105
_SHORTEST_SECRET = 16
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """Where a tenant wants to be told: ``url`` is https, or http on this machine."""

    tenant: TenantId
    url: str
    secret: SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. ``id`` is ours, the same for every attempt. ``kind``: a message someone sent, one that
    was sent to someone, or something the owner should know. ``extra`` goes along as it is."""

    id: str
    kind: Literal["message.received", "message.sent", "notification"]
    at: datetime
    text: str
    channel: str = ""
    conversation: str = ""
    person: str = ""
    turn: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


class OutgoingApi:
    """``clock`` gives Unix seconds; receivers compare them with their own."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.time,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self._http = http
        self._metrics = metrics
        self._clock = clock
        self._timeout = timeout

    async def tell(self, hook: Hook, event: Event) -> SendOutcome:
        """Post ``event`` once; never raises for what the network or the receiver did. Also after a lost answer it is
        TryLater: who receives it twice knows it by its id."""
        outcome = await self._post(hook, event)
        return sending.counted(self._metrics, outcome, tenant=hook.tenant, channel=CHANNEL)

    async def _post(self, hook: Hook, event: Event) -> SendOutcome:
        if (url := _address(hook.url)) is None:
            return GiveUp("the outbound webhook has no address that can be used", _FIX_URL, "url")
        if len(hook.secret.get_secret_value()) < _SHORTEST_SECRET:
            return GiveUp("the outbound webhook has no secret, or too short a one", _FIX_SECRET, "secret")
        body = body_of(hook.tenant, event)
        timestamp = str(int(self._clock()))
        headers = {
            "content-type": "application/json",
            "user-agent": "ProxyStaff",
            ID_HEADER: _UNPRINTABLE.sub("?", event.id),
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(hook.secret, timestamp, body),
        }
        try:
            with sending.timed(self._metrics, tenant=hook.tenant, channel=CHANNEL):
                # What a receiver has to say is in the status; its body may be of any length and is not read.
                async with self._http.stream(
                    "POST", url, content=body, headers=headers, timeout=self._timeout
                ) as answer:
                    return outcome_of(answer.status_code, answer.headers.get("retry-after", ""), event.id)
        except httpx.HTTPError as error:
            outcome = sending.after_transport_error("the outbound webhook", error)
            return TryLater(outcome.problem) if isinstance(outcome, Uncertain) else outcome


def sign(secret: SecretStr, timestamp: str, body: bytes) -> str:
    """The value of the signature header."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()


def body_of(tenant: TenantId, event: Event) -> bytes:
    """The body that is posted and signed: ASCII, so that no proxy on the way finds anything to re-encode."""
    told = {
        "id": event.id,
        "kind": event.kind,
        "tenant": tenant,
        "at": event.at.astimezone(UTC).isoformat(),
        "text": event.text,
        "channel": event.channel,
        "conversation": event.conversation,
        "person": event.person,
        "turn": event.turn,
        "extra": dict(event.extra),
    }
    return json.dumps(told, separators=(",", ":")).encode()


def outcome_of(status: int, retry_after: str, key: str) -> SendOutcome:
    """What a receiver's status means for the event."""
    problem = f"the outbound webhook answered {status}"
    match status:
        case _ if 200 <= status < 300:
            return Sent(key)
        case 408 | 409 | 425 | 429:
            return TryLater(problem, sending.retry_after(retry_after))
        case _ if status >= 500:
            return TryLater(problem, sending.retry_after(retry_after))
        case 401 | 403:
            return GiveUp(problem, "give the receiver the same secret as ProxyStaff", str(status))
        case _ if 300 <= status < 400:
            return GiveUp(problem, "set the address it redirects to: redirects are not followed", str(status))
        case _:
            return GiveUp(problem, "see that the address takes these events", str(status))


def _address(text: str) -> httpx.URL | None:
    """``text`` as an address to post to; None for one that would show the events to who listens on the way."""
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        return None
    if not url.host or url.userinfo or url.fragment:
        return None
    return url if url.scheme == "https" or (url.scheme == "http" and _is_here(url.host)) else None


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
