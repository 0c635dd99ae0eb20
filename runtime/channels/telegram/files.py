"""Files on Telegram: as what each is sent, and how one is fetched that a person sent.

Protocol: sendPhoto, sendDocument and their like (multipart), getFile and the file server. Owns nothing of a message.
"""

import asyncio
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import PurePath, PurePosixPath
from typing import BinaryIO

import httpx

from runtime.channels import wire
from runtime.channels.base import MediaRefused
from runtime.channels.sending import MB
from runtime.channels.telegram.calls import Calls, TelegramAccount
from runtime.errors import Refused, Unavailable
from runtime.words import Media

SEND_LIMIT = 50 * MB
FETCH_LIMIT = 20 * MB
"""Bytes of a file that a bot may fetch; Telegram does not give out larger ones."""

FETCH_SECONDS = 120.0
"""For one file, from the question where it is to its last byte."""

PHOTO_LIMIT = 10 * MB
_NAME_LIMIT = 200
_METHODS = {
    **dict.fromkeys((".jpg", ".jpeg", ".png"), ("sendPhoto", "photo")),
    **dict.fromkeys((".mp4", ".m4v"), ("sendVideo", "video")),
    **dict.fromkeys((".mp3", ".m4a"), ("sendAudio", "audio")),
    **dict.fromkeys((".ogg", ".oga", ".opus"), ("sendVoice", "voice")),
    ".gif": ("sendAnimation", "animation"),
}
_AGAIN = "ask the person to send it again"
_SMALLER = "ask for a smaller one, or for a link"


@dataclass(frozen=True, slots=True)
class Shape:
    """How a file is sent: by which method, in which of its fields."""

    method: str
    field: str
    name: str
    mime: str


def shape_of(path: str, size: int) -> Shape:
    """By its name; whatever Telegram shows in no way of its own is a document."""
    file = PurePath(path)
    method, field = _METHODS.get(file.suffix.lower(), ("sendDocument", "document"))
    if field == "photo" and size > PHOTO_LIMIT:
        method, field = "sendDocument", "document"
    mime = guess_type(file.name)[0] or "application/octet-stream"
    return Shape(method, field, wire.clean(file.name)[-_NAME_LIMIT:], mime)


async def fetch(calls: Calls, account: TelegramAccount, media: Media, into: BinaryIO, *, limit: int) -> Media:
    """As ``ChannelApi.fetch``: asks where the file is, then takes it from there."""
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            return await _fetch(calls, account, media, into, min(limit, FETCH_LIMIT))
    except TimeoutError:
        raise Unavailable("the file came too slowly", hint="try again later") from None


async def _fetch(calls: Calls, account: TelegramAccount, media: Media, into: BinaryIO, limit: int) -> Media:
    if media.size is not None and media.size > limit:
        raise _too_large(limit)
    path = await _locate(calls, account, media, limit)
    size = 0
    try:
        async with calls.download(account, path) as answer:
            if not answer.is_success:
                raise _not_given(answer.status_code)
            async for chunk in answer.aiter_raw():
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                into.write(chunk)
    except httpx.HTTPError as error:
        problem = f"the file could not be fetched from Telegram ({type(error).__name__})"
        raise Unavailable(problem, hint="try again later") from None
    mime = media.mime or guess_type(path)[0] or "application/octet-stream"
    return Media(ref=media.ref, kind=media.kind, mime=mime, name=media.name, size=size)


async def _locate(calls: Calls, account: TelegramAccount, media: Media, limit: int) -> str:
    """The file's path on Telegram's file server. Raises MediaRefused, Unavailable."""
    try:
        result = await calls.ask(account, "getFile", {"file_id": media.ref})
    except Refused as fault:
        raise (_too_large(limit) if "too big" in fault.problem else MediaRefused(fault.problem, hint=_AGAIN)) from None
    found = result if isinstance(result, dict) else {}
    size = found.get("file_size")
    if isinstance(size, int) and size > limit:
        raise _too_large(limit)
    path = wire.text(found, "file_path")
    if not path or path.startswith("/") or ".." in PurePosixPath(path).parts:
        raise MediaRefused("Telegram does not say where the file is", hint=_AGAIN)
    return path


def _not_given(status: int) -> MediaRefused | Unavailable:
    if status in (400, 403, 404, 410):
        return MediaRefused(f"Telegram does not give the file out any more (HTTP {status})", hint=_AGAIN)
    return Unavailable(f"Telegram does not give the file out now (HTTP {status})", hint="try again later")


def _too_large(limit: int) -> MediaRefused:
    return MediaRefused(f"the file is larger than {limit // MB} MB", hint=_SMALLER)
