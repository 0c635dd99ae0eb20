"""One call of the Bot API: how the token gets to the wire and nowhere else, and what an answer means.

The token is put into the request line behind the URL, so that no log line, exception or representation of a request
holds it. Does not own which calls make up a message (api), nor retries: an outcome says whether there may be one.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from runtime.channels import sending, wire
from runtime.channels.telegram.parse import CHANNEL
from runtime.errors import BadInput, Fault, Refused, Unavailable
from runtime.metrics import Metrics
from runtime.words import GiveUp, SendOutcome, Sent, TenantId, TryLater, Uncertain

Params = dict[str, Any]

BLOCKED = "blocked"
"""``GiveUp.code``: the person blocked the bot, left, or never wrote to it; they have to act."""

UPLOAD_TIMEOUT = httpx.Timeout(connect=5.0, read=120.0, write=30.0, pool=5.0)

_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
_FIX_TOKEN = "set the bot's token, as BotFather shows it: proxystaff secret set TENANT TELEGRAM_BOT_TOKEN"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramAccount:
    """A tenant's bot."""

    tenant: TenantId
    token: SecretStr

    @property
    def bot_id(self) -> str:
        """The bot's own id on Telegram, which is no secret; "" for a token that is none."""
        token = self.token.get_secret_value()
        return token.partition(":")[0] if _TOKEN.fullmatch(token) else ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to go with a call. ``field`` is the parameter it fills; ``file`` is read from where it stands."""

    field: str
    name: str
    mime: str
    file: Any


class Conflict(Refused):
    """Somebody else takes this bot's updates: another process that polls, or a webhook."""


class Calls:
    """Protocol: Bot API over HTTPS, JSON bodies, multipart where a file goes along. ``api_base`` is
    https://api.telegram.org or a server of one's own."""

    def __init__(self, http: httpx.AsyncClient, api_base: str, metrics: Metrics) -> None:
        self._http = http
        self._base = httpx.URL(api_base.rstrip("/") + "/")
        self.metrics = metrics

    async def offer(
        self, account: TelegramAccount, method: str, params: Params, upload: Upload | None = None
    ) -> tuple[SendOutcome, wire.Object]:
        """Ask for something that must not happen twice; never raises. With the answer's ``parameters``, which say
        where a group has moved to."""
        try:
            answer = await self._post(account, method, params, upload=upload)
        except httpx.HTTPError as error:
            return sending.after_transport_error("Telegram", error), {}
        except Refused as fault:
            return GiveUp(fault.problem, fault.hint), {}
        return outcome_of(answer.status_code, answer.content), wire.child(_object(answer.content), "parameters")

    async def ask(
        self, account: TelegramAccount, method: str, params: Params | None = None, *, patience: float | None = None
    ) -> object:
        """The ``result`` of a call that may be repeated. ``patience``: seconds to wait for it,
        where that is not as long as for any other.

        Raises Unavailable: later; Conflict: another takes the updates; Refused: never, as things stand.
        """
        timeout = httpx.Timeout(connect=5.0, read=patience, write=10.0, pool=5.0) if patience else None
        try:
            answer = await self._post(account, method, params or {}, timeout=timeout)
        except httpx.HTTPError as error:
            raise Unavailable(f"Telegram does not answer {method} ({type(error).__name__})", hint="try again") from None
        found = _object(answer.content)
        if answer.is_success and found.get("ok") is True:
            return found.get("result")
        raise _fault(method, answer.status_code, answer.content)

    @asynccontextmanager
    async def download(self, account: TelegramAccount, path: str) -> AsyncIterator[httpx.Response]:
        """The file at ``path``, as getFile gave it; its bytes are still to be read. Raises httpx.HTTPError, Refused."""
        target = self._target(account, "file/", "/" + quote(path))
        request = self._http.build_request(
            "GET", self._base.join("file"), headers={"accept-encoding": "identity"}, extensions={"target": target}
        )
        answer = await self._http.send(request, stream=True)
        try:
            yield answer
        finally:
            await answer.aclose()

    async def _post(
        self,
        account: TelegramAccount,
        method: str,
        params: Params,
        *,
        upload: Upload | None = None,
        timeout: httpx.Timeout | None = None,
    ) -> httpx.Response:
        # "target" is what goes on the request line; the URL, which is logged, stays without the token.
        extensions = {"target": self._target(account, "", f"/{method}")}
        url = self._base.join(method)
        with sending.timed(self.metrics, tenant=account.tenant, channel=CHANNEL):
            if upload:
                files = {upload.field: (upload.name, upload.file, upload.mime)}
                return await self._http.post(
                    url, data=_form(params), files=files, timeout=UPLOAD_TIMEOUT, extensions=extensions
                )
            if timeout:
                return await self._http.post(url, json=params, timeout=timeout, extensions=extensions)
            return await self._http.post(url, json=params, extensions=extensions)

    def _target(self, account: TelegramAccount, before: str, after: str) -> bytes:
        """The request line's path. Raises Refused for a token that is none: it could be a path of its own."""
        token = account.token.get_secret_value()
        if not _TOKEN.fullmatch(token):
            raise Refused("the bot's token is missing or not one", hint=_FIX_TOKEN)
        return self._base.raw_path + f"{before}bot{token}{after}".encode()


def _form(params: Params) -> dict[str, str]:
    """What stands beside a file: in a form everything is text, and what is not is JSON."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}


def outcome_of(status: int, body: bytes) -> SendOutcome:
    """What an answer of the Bot API means. Pure; ``body`` as received, of any shape."""
    answer = _object(body)
    if 200 <= status < 300:
        if answer.get("ok") is True:
            return Sent(wire.ident(wire.child(answer, "result"), "message_id"))
        return Uncertain(f"Telegram answered {status} without a result")
    said = wire.text(answer, "description")[:200] or f"HTTP {status}"
    return _refusal(status, f"Telegram: {said}", wire.child(answer, "parameters"))


def _object(body: bytes) -> wire.Object:
    try:
        return wire.load(body)
    except BadInput:
        return {}


def _refusal(status: int, problem: str, parameters: Mapping[str, object]) -> SendOutcome:
    match status:
        case 429:
            return TryLater(problem, sending.retry_after(parameters.get("retry_after")))
        case 504:  # a proxy on the way gave up waiting: whether the message was taken is not known
            return Uncertain(problem)
        case _ if status >= 500:
            return TryLater(problem)
        case 401 | 404:  # the Bot API says 404 to a token of a wrong shape
            return GiveUp(problem, _FIX_TOKEN, "token")
        case 403:
            return GiveUp(
                problem, "the person has to write to the bot, or unblock it, before it can write to them", BLOCKED
            )
        case _ if moved := wire.ident(parameters, "migrate_to_chat_id"):
            return GiveUp(problem, f"the group is now chat {moved}: send there", "migrated")
        case 400:
            return GiveUp(problem, "see that the chat exists and the text is one Telegram takes")
        case 413:
            return GiveUp(problem, "send a smaller file: Telegram takes 50 MB", "too_large")
        case _:
            return GiveUp(problem, "see that telegram.api_base in proxystaff.yaml is a Bot API server")


def _fault(method: str, status: int, body: bytes) -> Fault:
    """Why a call that may be repeated has no result."""
    outcome = outcome_of(status, body)
    problem = f"{method}: {getattr(outcome, 'problem', 'no result')}"
    match outcome:
        case GiveUp() if status == 409:
            return Conflict(problem, hint="stop the other process that polls this bot, or delete its webhook")
        case GiveUp(hint=hint):
            return Refused(problem, hint=hint)
        case TryLater(after=after):
            return Later(problem, after)
        case _:
            return Later(problem, None)


class Later(Unavailable):
    """Telegram said no for now; ``after`` is in seconds, if it said."""

    def __init__(self, problem: str, after: float | None) -> None:
        super().__init__(problem, hint=f"try again in {after or 5:.0f} s")
        self.after = after
