"""What a person sees while an answer is coming: the answer growing, where the channel can show that; else "typing"."""

import asyncio

from runtime.channels.telegram import DraftStream
from runtime.tenant.registry import Tenant
from runtime.turns import reply
from runtime.turns.post import Post
from runtime.words import Inbound, TurnId

UNNOTICED = 0.3
"""Seconds in which an answer comes before anybody wonders whether it will."""


class Signs:
    """Shown from a moment after it begins to run. ``add`` takes more of the answer as it is written."""

    def __init__(self, post: Post, tenant: Tenant, message: Inbound, turn: TurnId) -> None:
        self._post, self._tenant, self._message, self._turn = post, tenant, message, turn
        self._growing = reply.Growing()
        self._draft = DraftStream(self._grow)

    def add(self, text: str) -> str:
        """More of the answer as it is written; what of it may be seen now, guarded like the answer itself."""
        return self._show_more(self._growing.add(text))

    def end(self) -> str:
        """Nothing more is written: what could not be seen yet."""
        return self._show_more(self._growing.end())

    def restart(self) -> None:
        self._growing = reply.Growing()
        self._draft.restart()

    def _show_more(self, fresh: str) -> str:
        if fresh:
            self._draft.add(fresh)
        return fresh

    async def run(self) -> None:
        """Until it is cancelled, or the channel shows nothing."""
        await asyncio.sleep(UNNOTICED)
        await self._draft.run()  # for as long as the channel takes drafts
        while (refresh := await self._post.typing(self._tenant, self._message)) > 0:  # noqa: ASYNC110 - a clock
            await asyncio.sleep(refresh)

    async def _grow(self, text: str) -> bool:
        return await self._post.draft(self._tenant, self._message, self._turn, text)
