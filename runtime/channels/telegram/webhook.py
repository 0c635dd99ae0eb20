"""The route Telegram posts to: the secret header, the body, the desk, the answer.

Telegram repeats an update until it gets a 2xx, for 24 hours, and holds back the later ones of that chat: so
anything that came with the right secret and cannot be used is a 200, a count and a log line.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from runtime import logs
from runtime.channels import wire
from runtime.channels.arriving import TooLarge, hand_in, read_body, refuse, same_secret, tenant_id, wanted
from runtime.channels.base import TelegramDesk
from runtime.channels.telegram.parse import CHANNEL, REASONS, Bot, callback_of, read
from runtime.errors import BadInput
from runtime.words import TenantId

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - a header's name
BODY_LIMIT = 4 * 1024 * 1024
"""Bytes. An update carries no file, only its id: a few kilobytes."""

_log = logs.get("channels")


def verify(header: str, secret: SecretStr | None) -> bool:
    """Whether the secret header is the tenant's, in constant time; never true where there is no secret."""
    return same_secret(header, secret)


def no_bot(_: TenantId) -> Bot | None:
    """Nobody is known by name: what is said in groups is not heard."""
    return None


def routes(desk: TelegramDesk, *, bot_of: Callable[[TenantId], Bot | None] = no_bot) -> list[Route]:
    """``POST /webhooks/telegram/{tenant}``: 403 for a wrong secret and for an unknown tenant alike, 413 for a body
    above the limit, 503 with Retry-After when it could not be made durable, else 200.

    The 200 to a pressed button carries ``answerCallbackQuery``, so that no button waits. ``bot_of`` says whom a group
    addresses, from memory: it never raises and never asks anybody.
    """

    async def deliver(request: Request) -> Response:
        tenant = tenant_id(request.path_params["tenant"])
        secret = desk.telegram_secret(tenant) if tenant else None
        if not verify(request.headers.get(SECRET_HEADER, ""), secret) or tenant is None:
            return refuse(desk, CHANNEL, "bad_secret", 403)
        try:
            update = wire.load(await read_body(request, BODY_LIMIT))
        except TooLarge:
            return refuse(desk, CHANNEL, "too_large", 413)
        except BadInput as fault:
            _log.warning("webhook.malformed", channel=CHANNEL, tenant=tenant, problem=fault.problem)
            desk.metrics.messages_refused.labels(channel=CHANNEL, reason="malformed").inc()
            return PlainTextResponse("ignored\n")
        arrival = read(update, now=datetime.now(UTC), bot=bot_of(tenant))
        answer = await hand_in(desk, {tenant: wanted(desk, tenant, [arrival], REASONS)})
        callback = callback_of(update)
        if callback and answer.status_code == 200:
            return JSONResponse({"method": "answerCallbackQuery", "callback_query_id": callback})
        return answer

    return [Route("/webhooks/telegram/{tenant}", deliver, methods=["POST"])]
