"""Files that come with messages, into the tenant's folder, and files that answers carry, out of it.

Owns where they lie (``state/media/``) and how large one may be. Does not own how a channel hands one over.
"""

import asyncio
import io
import mimetypes
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from runtime import logs
from runtime.channels.base import MediaRefused
from runtime.errors import Fault, Refused, Unavailable
from runtime.tenant.folder import Folder
from runtime.tenant.registry import Tenant
from runtime.turns.post import Post
from runtime.words import Inbound, Media, Role, TurnId

MEDIA = "state/media"
LARGEST = 25 * 1024 * 1024
"""Bytes of one file. A contract, a plan or a minute of video is smaller."""

ATTEMPTS = 3

MAY_LEAVE = ("life/", "execution/", "state/media/")
"""Where a file lies that an answer may carry."""

log = logs.get("turns")


class Attachments:
    def __init__(self, post: Post) -> None:
        self._post = post

    async def bring(self, tenant: Tenant, messages: Sequence[Inbound]) -> list[Inbound]:
        """``messages`` with each file's ``path`` in the folder, or its ``problem``. None is brought twice."""
        return [
            replace(message, media=tuple([await self._one(tenant, message, n) for n in range(len(message.media))]))
            for message in messages
        ]

    async def _one(self, tenant: Tenant, message: Inbound, number: int) -> Media:
        media = message.media[number]
        stem = f"{MEDIA}/{message.sent_at:%Y-%m}/{_plain(message.id)[-80:]}-{number}"
        for name in tenant.folder.names(stem.rpartition("/")[0]):
            if name.startswith(f"{stem.rpartition('/')[2]}."):
                return replace(media, path=f"{stem.rpartition('/')[0]}/{name}")
        try:
            into = io.BytesIO()
            known = await self._fetch(tenant, message.channel, media, into)
            path = stem + _ending(known)
            await asyncio.to_thread(tenant.folder.write_bytes, path, into.getvalue())
        except Fault as fault:
            log.warning("media.not_brought", tenant=tenant.id, id=message.id, problem=fault.problem)
            return replace(media, problem=fault.problem)
        return replace(known, path=path)

    async def _fetch(self, tenant: Tenant, channel: str, media: Media, into: io.BytesIO) -> Media:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._post.fetch(tenant, channel, media, into, limit=LARGEST)
            except Unavailable:
                if attempt == ATTEMPTS:
                    raise
            into.seek(0)
            into.truncate()
            await asyncio.sleep(attempt)
        raise MediaRefused("it could not be fetched", hint="send it again")


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)


def _ending(media: Media) -> str:
    """By the name it was sent with, then by its type: what opens a file often goes by that."""
    named = re.search(r"\.[A-Za-z0-9]{1,8}$", media.name)
    return named[0].lower() if named else mimetypes.guess_extension(media.mime.partition(";")[0].strip()) or ".bin"


class Outgoing:
    """Files that an answer carries, copied out of the folder before they are sent: what leaves is what was answered,
    whatever the agent writes there meanwhile. ``room`` is a folder outside of every tenant."""

    def __init__(self, room: Path) -> None:
        self._room = room

    def copy(self, tenant: Tenant, turn: TurnId, rel: str, role: Role, *, number: int) -> str:
        """The absolute path of a copy of ``rel``, for whom has ``role``; a guest is given no files.

        Raises what Folder does (not there, a link, outside), or Refused.
        """
        if role is Role.GUEST:
            raise Refused("a guest is given no files", hint="ask an owner to send it")
        inside = rel.removeprefix("/tenant/")
        if not inside.startswith(MAY_LEAVE):
            raise Refused(f"{rel} is not a file to send", hint=f"send files under {', '.join(MAY_LEAVE)}")
        data = tenant.folder.read_bytes(inside)
        place = self._room / _plain(turn) / str(number)
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        Folder(place).write_bytes(PurePosixPath(inside).name, data)
        return str(place / PurePosixPath(inside).name)
