"""The Bot API: one call a method, and what its answer means for the message.

Owns the token's way to the wire: it is put into the request line behind the URL, so that no log line, exception
or representation of a request holds it. Does not own retries: an outcome says whether there may be one.
"""

import re
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from runtime.channels import sending, wire
from runtime.channels.splitting import units
from runtime.channels.telegram.formatting import LIMIT, format_text
from runtime.channels.telegram.parse import CHANNEL
from runtime.errors import BadInput
from runtime.metrics import Metrics
from runtime.words import GiveUp, Outbound, SendOutcome, Sent, TenantId, TryLater, Uncertain

_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
_FIX_TOKEN = "set the bot's token, as BotFather shows it: proxystaff secret set TENANT TELEGRAM_BOT_TOKEN"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramAccount:
    """A tenant's bot."""

    tenant: TenantId
    token: SecretStr


class TelegramApi:
    """Protocol: Bot API over HTTPS, JSON bodies. ``api_base`` is https://api.telegram.org or a server of one's own."""

    def __init__(self, http: httpx.AsyncClient, api_base: str, metrics: Metrics) -> None:
        self._http = http
        self._base = httpx.URL(api_base.rstrip("/") + "/")
        self._metrics = metrics

    async def send(self, account: TelegramAccount, message: Outbound) -> SendOutcome:
        """sendMessage, once. There is no idempotency key: after a lost answer the outcome is Uncertain."""
        formatted = format_text(wire.clean(message.text))
        if not formatted.text.strip() or units(formatted.text) > LIMIT:
            return GiveUp(f"a message has 1 to {LIMIT} characters", "split the reply before it is queued")
        params: dict[str, object] = {"chat_id": _chat(message.address), "text": formatted.text}
        if formatted.entities:
            params["entities"] = list(formatted.entities)
        if message.reply_to.isdecimal():
            params["reply_parameters"] = {"message_id": int(message.reply_to), "allow_sending_without_reply": True}
        outcome = await self._call(account, "sendMessage", params)
        return sending.counted(self._metrics, outcome, tenant=account.tenant, channel=CHANNEL)

    async def typing(self, account: TelegramAccount, *, address: str, message_id: str = "") -> bool:  # noqa: ARG002
        """sendChatAction: shown for 5 s or until the reply comes; call it again every 4 s while a turn runs."""
        outcome = await self._call(account, "sendChatAction", {"chat_id": _chat(address), "action": "typing"})
        return isinstance(outcome, Sent)

    async def _call(self, account: TelegramAccount, method: str, params: dict[str, object]) -> SendOutcome:
        token = account.token.get_secret_value()
        if not _TOKEN.fullmatch(token):
            return GiveUp("the bot's token is missing or not one", _FIX_TOKEN)
        target = self._base.raw_path + f"bot{token}/{method}".encode()
        try:
            with sending.timed(self._metrics, tenant=account.tenant, channel=CHANNEL):
                # "target" is what goes on the request line; the URL, which is logged, stays without the token.
                answer = await self._http.post(self._base.join(method), json=params, extensions={"target": target})
        except httpx.HTTPError as error:
            return sending.after_transport_error("Telegram", error)
        return outcome_of(answer.status_code, answer.content)


def outcome_of(status: int, body: bytes) -> SendOutcome:
    """What an answer of the Bot API means. Pure; ``body`` as received, of any shape."""
    try:
        answer = wire.load(body)
    except BadInput:
        answer = {}
    if 200 <= status < 300:
        if answer.get("ok") is True:
            return Sent(wire.ident(wire.child(answer, "result"), "message_id"))
        return Uncertain(f"Telegram answered {status} without a result")
    said = wire.text(answer, "description")[:200] or f"HTTP {status}"
    return _refusal(status, f"Telegram: {said}", wire.child(answer, "parameters"))


def _refusal(status: int, problem: str, parameters: wire.Object) -> SendOutcome:
    match status:
        case 429:
            return TryLater(problem, sending.retry_after(parameters.get("retry_after")))
        case 504:  # a proxy on the way gave up waiting: whether the message was taken is not known
            return Uncertain(problem)
        case _ if status >= 500:
            return TryLater(problem)
        case 401 | 404:  # the Bot API says 404 to a token of a wrong shape
            return GiveUp(problem, _FIX_TOKEN)
        case 403:
            return GiveUp(problem, "the person has to write to the bot, or unblock it, before it can write to them")
        case _ if moved := wire.ident(parameters, "migrate_to_chat_id"):
            return GiveUp(problem, f"the group is now chat {moved}: send there")
        case 400:
            return GiveUp(problem, "see that the chat exists and the text is one Telegram takes")
        case _:
            return GiveUp(problem, "see that telegram.api_base in proxystaff.yaml is a Bot API server")


def _chat(address: str) -> int | str:
    return int(address) if address.lstrip("-").isdecimal() else address
