"""What a bot does: send words and files, show that an answer comes, answer buttons, fetch files, manage its webhook.

Owns which calls make up each of these. Does not own how a call is made (calls), how words look (formatting), nor
retries: an outcome says whether there may be one. What surely was not taken is put right and offered once more where
Telegram says how: to the chat that a group became, without marks it cannot read, outside of a topic that is gone.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import BinaryIO

import httpx
from pydantic import SecretStr

from runtime.channels import sending, wire
from runtime.channels.splitting import units
from runtime.channels.telegram import files
from runtime.channels.telegram.calls import Calls, Params, TelegramAccount, Upload
from runtime.channels.telegram.formatting import CAPTION_LIMIT, LIMIT, Formatted, format_text
from runtime.channels.telegram.parse import ALLOWED_UPDATES, CHANNEL, Bot
from runtime.channels.telegram.parts import split
from runtime.errors import Fault, Refused
from runtime.metrics import Metrics
from runtime.words import GiveUp, Media, Outbound, SendOutcome

POLL_SECONDS = 50
"""How long Telegram keeps a question for updates open; more it does not."""

_PATIENCE = 15.0
"""Seconds beyond that before the line counts as dead."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_MENDS = 2
_NO_PHOTO = ("photo_invalid", "image_process", "photo_save_file", "photo_ext_invalid", "photo_content")


@dataclass(frozen=True, slots=True)
class Webhook:
    """How updates get here: ``url`` is "" while they are polled. ``problem``: what Telegram last got for an answer."""

    url: str
    pending: int
    problem: str


class TelegramApi:
    """Protocol: Bot API. ``api_base`` is https://api.telegram.org or a server of one's own."""

    def __init__(self, http: httpx.AsyncClient, api_base: str, metrics: Metrics) -> None:
        self._calls = Calls(http, api_base, metrics)
        self._names: dict[str, str] = {}
        self._metrics = metrics

    @property
    def metrics(self) -> Metrics:
        return self._metrics

    async def send(self, account: TelegramAccount, message: Outbound) -> SendOutcome:
        """One message, once: its file, with the text under it, else its text, which is markdown. There is no
        idempotency key: after a lost answer the outcome is Uncertain."""
        formatted = format_text(wire.clean(message.text))
        if message.file:
            outcome = await self._send_file(account, message, formatted)
        elif not formatted.text.strip() or units(formatted.text) > LIMIT:
            outcome = GiveUp(f"a message has 1 to {LIMIT} characters", "split the reply before it is queued")
        else:
            params = _to(message) | {"text": formatted.text} | _entities("entities", formatted)
            outcome = await self._offer(account, "sendMessage", params)
        return sending.counted(self.metrics, outcome, tenant=account.tenant, channel=CHANNEL)

    async def typing(self, account: TelegramAccount, *, address: str, message_id: str = "") -> bool:  # noqa: ARG002 - the other channel's
        """sendChatAction: shown for 5 s or until the reply comes; call it again every 4 s while a turn runs."""
        return await self._tell(account, "sendChatAction", _chat(address) | {"action": "typing"})

    async def draft(self, account: TelegramAccount, *, address: str, key: str, text: str) -> bool:
        """sendMessageDraft: what there is of an answer, for 30 s or until the answer is sent; the same ``key`` grows
        the same draft, and "" shows that it is being thought about. The person may press its Stop button. Of a text
        longer than a message the end is shown. False where it could not be shown, as in a group."""
        if address.startswith("-"):
            return False
        parts = split(wire.clean(text))
        formatted = format_text(parts[-1]) if parts else Formatted("")
        params = {"draft_id": _draft_id(key), "text": formatted.text, "can_stop": True}
        return await self._tell(account, "sendMessageDraft", _chat(address) | params | _entities("entities", formatted))

    async def answer_callback(self, account: TelegramAccount, callback_id: str, *, text: str = "") -> bool:
        """answerCallbackQuery: the button stops waiting; ``text`` (up to 200 characters) is shown for a moment."""
        said = {"text": wire.clean(text)[:200]} if text else {}
        return await self._tell(account, "answerCallbackQuery", {"callback_query_id": callback_id} | said)

    async def fetch(self, account: TelegramAccount, media: Media, into: BinaryIO, *, limit: int) -> Media:
        """As ``ChannelApi.fetch``; never more than Telegram's own 20 MB."""
        return await files.fetch(self._calls, account, media, into, limit=limit)

    # Who and how: these raise Refused (never, as things stand) or Unavailable (later)

    async def me(self, account: TelegramAccount) -> Bot:
        """getMe: who the bot is; remembered for ``bot``."""
        result = await self._calls.ask(account, "getMe")
        name = wire.text(result, "username") if isinstance(result, dict) else ""
        self._names[account.bot_id] = name
        return Bot(id=account.bot_id, username=name)

    def bot(self, account: TelegramAccount) -> Bot:
        """Who the bot is, as far as it is known without asking: by its id it can be answered, by its name once ``me``
        was asked it can be called."""
        return Bot(id=account.bot_id, username=self._names.get(account.bot_id, ""))

    async def set_webhook(self, account: TelegramAccount, *, url: str, secret: SecretStr) -> None:
        """setWebhook, with the secret Telegram has to show and only the updates we read."""
        if not _SECRET.fullmatch(secret.get_secret_value()):
            hint = "set TELEGRAM_WEBHOOK_SECRET to 1 to 256 of A-Z a-z 0-9 _ -"
            raise Refused("the webhook secret is not one that Telegram takes", hint=hint)
        params = {"url": url, "secret_token": secret.get_secret_value(), "allowed_updates": list(ALLOWED_UPDATES)}
        await self._calls.ask(account, "setWebhook", params)

    async def delete_webhook(self, account: TelegramAccount) -> None:
        """deleteWebhook: from here on updates can be polled. Those that wait are kept."""
        await self._calls.ask(account, "deleteWebhook", {"drop_pending_updates": False})

    async def webhook(self, account: TelegramAccount) -> Webhook:
        """getWebhookInfo."""
        result = await self._calls.ask(account, "getWebhookInfo")
        found = result if isinstance(result, dict) else {}
        pending = found.get("pending_update_count")
        count = pending if isinstance(pending, int) else 0
        return Webhook(wire.text(found, "url"), count, wire.text(found, "last_error_message"))

    async def updates(self, account: TelegramAccount, *, offset: int, wait: int = POLL_SECONDS) -> list[wire.Object]:
        """getUpdates: what came since, oldest first, as soon as there is any; none after ``wait`` seconds. An
        ``offset`` above 0 confirms everything below it: Telegram then forgets it."""
        params: Params = {"timeout": wait, "allowed_updates": list(ALLOWED_UPDATES)}
        if offset > 0:
            params["offset"] = offset
        result = await self._calls.ask(account, "getUpdates", params, patience=wait + _PATIENCE)
        return [update for update in result if isinstance(update, dict)] if isinstance(result, list) else []

    async def _tell(self, account: TelegramAccount, method: str, params: Params) -> bool:
        """Whether it was done; nobody needs to act when it was not."""
        try:
            await self._calls.ask(account, method, params)
        except Fault:
            return False
        return True

    async def _send_file(self, account: TelegramAccount, message: Outbound, caption: Formatted) -> SendOutcome:
        if units(caption.text) > CAPTION_LIMIT:
            return GiveUp(f"a file has at most {CAPTION_LIMIT} characters under it", "send the words as a message")
        with sending.opened(message.file, limit=files.SEND_LIMIT, taken="Telegram takes files") as found:
            if isinstance(found, GiveUp):
                return found
            file, size = found
            shape = files.shape_of(message.file, size)
            params = _to(message)
            if caption.text.strip():
                params |= {"caption": caption.text} | _entities("caption_entities", caption)
            upload = Upload(shape.field, shape.name, shape.mime, file)
            outcome = await self._offer(account, shape.method, params, upload)
            if shape.field == "photo" and isinstance(outcome, GiveUp) and _is_no_photo(outcome):
                upload = Upload("document", shape.name, shape.mime, file)
                outcome = await self._offer(account, "sendDocument", params, upload)
            return outcome

    async def _offer(
        self, account: TelegramAccount, method: str, params: Params, upload: Upload | None = None
    ) -> SendOutcome:
        for _ in range(_MENDS):
            outcome, parameters = await self._try(account, method, params, upload)
            mended = mend(params, outcome, parameters)
            if mended is None:
                return outcome
            params = mended
        return (await self._try(account, method, params, upload))[0]

    async def _try(
        self, account: TelegramAccount, method: str, params: Params, upload: Upload | None
    ) -> tuple[SendOutcome, wire.Object]:
        if upload:
            upload.file.seek(0)
        return await self._calls.offer(account, method, params, upload)


def mend(params: Params, outcome: SendOutcome, parameters: wire.Object) -> Params | None:
    """What to ask for instead, after a refusal that says what is wrong with ``params``; None when nothing does."""
    if not isinstance(outcome, GiveUp):
        return None
    moved = parameters.get("migrate_to_chat_id")
    said = outcome.problem.lower()
    if isinstance(moved, int) and moved != params.get("chat_id"):
        return _without(params, "message_thread_id", "reply_parameters") | {"chat_id": moved}
    if "entit" in said and ("entities" in params or "caption_entities" in params):
        return _without(params, "entities", "caption_entities")
    if "thread not found" in said and "message_thread_id" in params:
        return _without(params, "message_thread_id")
    return None


def _without(params: Params, *names: str) -> Params:
    return {name: value for name, value in params.items() if name not in names}


def _to(message: Outbound) -> Params:
    params = _chat(message.address)
    if message.reply_to.isdecimal():
        params["reply_parameters"] = {"message_id": int(message.reply_to), "allow_sending_without_reply": True}
    return params


def _chat(address: str) -> Params:
    """The chat of an address, and the topic behind its ``_``."""
    chat, _, thread = address.partition("_")
    found: Params = {"chat_id": int(chat) if chat.lstrip("-").isdecimal() else chat}
    return found | {"message_thread_id": int(thread)} if thread.isdecimal() else found


def _entities(field: str, formatted: Formatted) -> Params:
    return {field: list(formatted.entities)} if formatted.entities else {}


def _is_no_photo(outcome: GiveUp) -> bool:
    """Telegram cannot show it as a photo (too wide, too many pixels, another format), but takes it as a document."""
    return any(sign in outcome.problem.lower() for sign in _NO_PHOTO)


def _draft_id(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % 0x7FFFFFFF + 1
