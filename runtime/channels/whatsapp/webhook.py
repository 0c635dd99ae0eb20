"""The routes Meta calls: the verification of the address, and the deliveries.

Meta repeats whatever is not a 200, for 7 days: so anything that is rightly signed and cannot be used is a 200, a
count and a log line, and only what could not be written is asked for again.
"""

import hmac
from collections import defaultdict
from datetime import UTC, datetime

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from runtime import logs
from runtime.channels.arriving import TooLarge, hand_in, note_ignored, read_body, refuse, same_secret, wanted
from runtime.channels.base import WhatsAppDesk
from runtime.channels.whatsapp.parse import CHANNEL, REASONS, Received, parse
from runtime.errors import BadInput
from runtime.words import Arrival, Ignored, TenantId

SIGNATURE_HEADER = "x-hub-signature-256"
BODY_LIMIT = 4 * 1024 * 1024
"""Bytes. Meta's largest POST is said to be 3 MB."""

_CHALLENGE_LIMIT = 256
_log = logs.get("channels")


def verify(body: bytes, header: str, app_secret: SecretStr) -> bool:
    """Whether ``header`` is ``sha256=<hex>``, the HMAC-SHA256 of the raw ``body``; compared in constant time.
    Never true without a secret: an empty key is one that everybody knows."""
    key = app_secret.get_secret_value().encode()
    signature = "sha256=" + hmac.new(key, body, "sha256").hexdigest()
    return hmac.compare_digest(signature.encode(), header.encode(errors="replace")) and bool(key)


def routes(desk: WhatsAppDesk, *, groups: bool = False) -> list[Route]:
    """What Meta calls; ``groups``: messages of groups are handed in, too.

    ``GET /webhooks/whatsapp``: 200 with the challenge for the right verify token, else 403.

    ``POST /webhooks/whatsapp``: 503 while no app secret is set, 403 for a wrong signature, 413 for a body above the
    limit, 503 with Retry-After when something could not be made durable, else 200.
    """

    async def challenge(request: Request) -> Response:
        query = request.query_params
        token = desk.whatsapp_keys().verify_token
        if not token.get_secret_value():
            _log.warning("whatsapp.closed", problem="no verify token is set", next="set WHATSAPP_VERIFY_TOKEN")
        answer = query.get("hub.challenge", "")
        right = same_secret(query.get("hub.verify_token", ""), token) and query.get("hub.mode") == "subscribe"
        if not right or len(answer) > _CHALLENGE_LIMIT:
            return refuse(desk, CHANNEL, "bad_verify_token", 403)
        return PlainTextResponse(answer, headers={"x-content-type-options": "nosniff"})

    async def deliver(request: Request) -> Response:
        secret = desk.whatsapp_keys().app_secret
        if not secret.get_secret_value():
            _log.warning("whatsapp.closed", problem="no app secret is set", next="set WHATSAPP_APP_SECRET")
            return refuse(desk, CHANNEL, "not_configured", 503)
        header = request.headers.get(SIGNATURE_HEADER, "")
        if not header:
            return refuse(desk, CHANNEL, "bad_signature", 403)
        try:
            body = await read_body(request, BODY_LIMIT)
        except TooLarge:
            return refuse(desk, CHANNEL, "too_large", 413)
        if not verify(body, header, secret):
            return refuse(desk, CHANNEL, "bad_signature", 403)
        try:
            received = parse(body, now=datetime.now(UTC), groups=groups)
        except BadInput as fault:
            _log.warning("webhook.malformed", channel=CHANNEL, problem=fault.problem)
            desk.metrics.messages_refused.labels(channel=CHANNEL, reason="malformed").inc()
            return PlainTextResponse("ignored\n")
        batches = by_tenant(desk, received).items()
        return await hand_in(desk, {tenant: wanted(desk, tenant, batch, REASONS) for tenant, batch in batches})

    return [
        Route("/webhooks/whatsapp", challenge, methods=["GET"]),
        Route("/webhooks/whatsapp", deliver, methods=["POST"]),
    ]


def by_tenant(desk: WhatsAppDesk, received: list[Received]) -> dict[TenantId, list[Arrival]]:
    """What belongs to whom, each in the order it came. What came for nobody's number is counted and logged."""
    batches: dict[TenantId, list[Arrival]] = defaultdict(list)
    tenants = {number: desk.tenant_of_number(number) for number in {one.number for one in received} if number}
    for one in received:
        tenant = tenants.get(one.number)
        if tenant is not None:
            batches[tenant].append(one.arrival)
        elif isinstance(one.arrival, Ignored):
            note_ignored(desk, "", one.arrival, REASONS)
        else:
            _log.warning("message.nobodys_number", channel=CHANNEL, number=one.number, id=one.arrival.id)
            desk.metrics.messages_refused.labels(channel=CHANNEL, reason="unknown_number").inc()
    return batches
