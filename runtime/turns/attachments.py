"""Files that came with messages, brought into the tenant's folder, where the agent can open them.

Owns where they lie (``state/media/``) and how large one may be. Does not own how a channel hands one over.
"""

import asyncio
import io
import mimetypes
import re
from collections.abc import Sequence
from dataclasses import replace

from runtime import logs
from runtime.channels.base import MediaRefused
from runtime.errors import Fault, Unavailable
from runtime.tenant.registry import Tenant
from runtime.turns.post import Post
from runtime.words import Inbound, Media

MEDIA = "state/media"
LARGEST = 25 * 1024 * 1024
"""Bytes of one file. A contract, a plan or a minute of video is smaller."""

ATTEMPTS = 3

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
