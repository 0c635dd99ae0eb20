"""The Graph API: send a text, a template or a file, mark a message read, show that an answer is coming, fetch a file.

Does not own retries, nor when a template is needed: an outcome says what the answer was, and
``errors.is_window_closed`` whether a template would go.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

import httpx
from pydantic import SecretStr

from runtime.channels import sending, wire
from runtime.channels.base import MediaRefused
from runtime.channels.whatsapp import bodies
from runtime.channels.whatsapp.errors import load, outcome_of, refusal_of
from runtime.channels.whatsapp.files import SIZES, Shape, may_see_token, same_digest, shape_of
from runtime.channels.whatsapp.parse import CHANNEL
from runtime.errors import Unavailable
from runtime.metrics import Metrics
from runtime.words import GiveUp, Media, Outbound, SendOutcome, Sent, TenantId, TryLater

FETCH_SECONDS = 120.0
"""For one file, from the question where it is to its last byte. Meta's address of a file is good for 5 minutes."""

_FIX_TOKEN = "set it: proxystaff secret set TENANT WHATSAPP_ACCESS_TOKEN"  # noqa: S105
_GONE = "ask the person to send it again: Meta keeps what was sent for 7 days"
_NUMBER = re.compile(r"[0-9]{1,40}")
_MEDIA_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_AGENT = "ProxyStaff"  # Meta's file servers refuse requests of nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsAppAccount:
    """A tenant's business number: ``phone_number_id`` is Meta's id of it, not the number itself."""

    tenant: TenantId
    phone_number_id: str
    access_token: SecretStr


class WhatsAppApi:
    """Protocol: Graph API, ``POST {api_base}/{phone_number_id}/messages`` and ``/media``, ``GET {api_base}/{media}``;
    ``api_base`` ends with the version."""

    def __init__(self, http: httpx.AsyncClient, api_base: str, metrics: Metrics) -> None:
        self._http = http
        self._base = httpx.URL(api_base.rstrip("/") + "/")
        self._metrics = metrics

    async def send(self, account: WhatsAppAccount, message: Outbound) -> SendOutcome:
        """One message, once: the template, if it names one, else the file, else the text. There is no idempotency
        key: after a lost answer the outcome is Uncertain, and ``message.key`` comes back as the tracker of a status
        if it was taken."""
        body: bodies.Body | GiveUp | TryLater
        if message.template:
            body = bodies.template_body(message)
        elif message.file:
            body = await self._with_file(account, message)
        else:
            body = bodies.text_body(message)
        outcome = body if isinstance(body, GiveUp | TryLater) else await self._offer(account, body)
        return sending.counted(self._metrics, outcome, tenant=account.tenant, channel=CHANNEL)

    async def read(self, account: WhatsAppAccount, *, message_id: str) -> bool:
        """Mark the message read, and all before it."""
        answer = await self._post(account, "messages", json=bodies.read_body(message_id, typing=False))
        return isinstance(answer, httpx.Response) and answer.is_success

    async def typing(self, account: WhatsAppAccount, *, message_id: str, address: str = "") -> bool:  # noqa: ARG002 - the other channel's
        """Mark the message read (and all before it) and show typing, for 25 s or until the reply comes; call it again
        every 20 s while a turn runs. Only for a message that will be answered."""
        answer = await self._post(account, "messages", json=bodies.read_body(message_id, typing=True))
        return isinstance(answer, httpx.Response) and answer.is_success

    async def fetch(self, account: WhatsAppAccount, media: Media, into: BinaryIO, *, limit: int) -> Media:
        """As ``ChannelApi.fetch``: asks where the file is, then takes it from there."""
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                return await self._fetch(account, media, into, limit)
        except TimeoutError:
            raise Unavailable("the file came too slowly", hint="try again later") from None
        except httpx.HTTPError as error:
            problem = f"the file could not be fetched from WhatsApp ({type(error).__name__})"
            raise Unavailable(problem, hint="try again later") from None

    async def _offer(self, account: WhatsAppAccount, body: bodies.Body) -> SendOutcome:
        answer = await self._post(account, "messages", json=body)
        if not isinstance(answer, httpx.Response):
            return answer
        return outcome_of(answer.status_code, answer.content, retry_after=answer.headers.get("retry-after", ""))

    async def _with_file(self, account: WhatsAppAccount, message: Outbound) -> bodies.Body | GiveUp | TryLater:
        """The message with its file, once that is at Meta. Whatever went wrong on the way there: nothing was sent."""
        shape = shape_of(message.file)
        if shape is None:
            return GiveUp("WhatsApp takes no files of this type", "send it as PDF, or send a link to it")
        body = bodies.file_body(message, shape, "0")  # what no message can hold is not uploaded
        if isinstance(body, GiveUp):
            return body
        with sending.opened(message.file, limit=SIZES[shape.kind], taken=f"WhatsApp takes {shape.kind} files") as found:
            outcome = found if isinstance(found, GiveUp) else await self._upload(account, shape, found[0])
        match outcome:
            case Sent(id=media_id):
                return bodies.file_body(message, shape, media_id)
            case GiveUp() | TryLater():
                return outcome
            case _:
                return TryLater(f"the file is not at WhatsApp: {outcome.problem}")

    async def _upload(self, account: WhatsAppAccount, shape: Shape, file: BinaryIO) -> SendOutcome:
        """``Sent`` with the id of the file at Meta, where it stays for 30 days."""
        form = {"messaging_product": "whatsapp", "type": shape.mime}
        answer = await self._post(account, "media", data=form, files={"file": (shape.name, file, shape.mime)})
        if not isinstance(answer, httpx.Response):
            return answer
        found = load(answer.content)
        if answer.is_success and (media_id := wire.ident(found, "id")):
            return Sent(media_id)
        if answer.is_success:
            return TryLater("WhatsApp took a file and did not say as what")
        return refusal_of(answer.status_code, found, retry_after=answer.headers.get("retry-after", ""))

    async def _fetch(self, account: WhatsAppAccount, media: Media, into: BinaryIO, limit: int) -> Media:
        where, mime, wanted = await self._locate(account, media, limit)
        digest, size = hashlib.sha256(), 0
        async with self._streamed(account, where) as answer:
            async for chunk in answer.aiter_raw():
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                digest.update(chunk)
                into.write(chunk)
        if not same_digest(wanted, digest.digest()):
            raise Unavailable("the file did not arrive as it was sent", hint="fetch it again")
        return replace(media, mime=mime or media.mime, size=size)

    async def _locate(self, account: WhatsAppAccount, media: Media, limit: int) -> tuple[httpx.URL, str, str]:
        """Where the file is, its type and its SHA-256."""
        if not _MEDIA_ID.fullmatch(media.ref):
            raise MediaRefused("what names the file is not an id", hint=_GONE)
        url = self._base.join(media.ref).copy_merge_params({"phone_number_id": account.phone_number_id})
        async with self._streamed(account, url) as answer:
            found = load(await _beginning(answer))
        size = wire.ident(found, "file_size")
        if size.isdecimal() and int(size) > limit:
            raise _too_large(limit)
        try:
            where = httpx.URL(wire.text(found, "url"))
        except httpx.InvalidURL:
            where = httpx.URL()
        if not may_see_token(where, self._base):
            problem = f"WhatsApp names {where.host or 'no place'} as where the file is"
            raise MediaRefused(problem, hint="report this: it is not an address of Meta, the token was not sent there")
        return where, wire.text(found, "mime_type"), wire.text(found, "sha256")

    @asynccontextmanager
    async def _streamed(self, account: WhatsAppAccount, url: httpx.URL) -> AsyncIterator[httpx.Response]:
        """A GET with the token that was answered with success. Raises MediaRefused or Unavailable for any other."""
        token = _bearer(account)
        if isinstance(token, GiveUp):
            raise MediaRefused(token.problem, hint=token.hint)
        headers = {**token, "user-agent": _AGENT, "accept-encoding": "identity"}
        async with self._http.stream("GET", url, headers=headers) as answer:
            if not answer.is_success:
                raise _refused(answer.status_code, await _beginning(answer), answer.headers.get("retry-after", ""))
            yield answer

    async def _post(self, account: WhatsAppAccount, what: str, **content: object) -> httpx.Response | SendOutcome:
        token = _bearer(account)
        if isinstance(token, GiveUp):
            return token
        if not _NUMBER.fullmatch(account.phone_number_id):
            return GiveUp("phone_number_id is not one", "set the number's id at Meta, digits only, in tenant.yaml")
        url = self._base.join(f"{account.phone_number_id}/{what}")
        try:
            with sending.timed(self._metrics, tenant=account.tenant, channel=CHANNEL):
                return await self._http.post(url, headers=token, **content)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            return sending.after_transport_error("WhatsApp", error)


def _bearer(account: WhatsAppAccount) -> dict[str, str] | GiveUp:
    token = account.access_token.get_secret_value()
    if not _TOKEN.fullmatch(token):
        return GiveUp("the access token is missing or not one", _FIX_TOKEN)
    return {"authorization": f"Bearer {token}"}


async def _beginning(answer: httpx.Response, limit: int = 65536) -> bytes:
    body = b""
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > limit:
            break
    return body


def _refused(status: int, body: bytes, retry_after: str) -> MediaRefused | Unavailable:
    outcome = refusal_of(status, load(body), retry_after=retry_after)
    if not isinstance(outcome, GiveUp):
        return Unavailable(f"the file cannot be fetched now: {getattr(outcome, 'problem', status)}", hint="try again")
    gone = status in (404, 410) or outcome.code in ("33", "100", "131052")
    return MediaRefused(f"the file is not to be had: {outcome.problem}", hint=_GONE if gone else outcome.hint)


def _too_large(limit: int) -> MediaRefused:
    return MediaRefused(f"the file is larger than {limit / 1e6:.0f} MB", hint="ask for a smaller one, or for a link")
