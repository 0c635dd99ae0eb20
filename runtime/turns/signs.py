"""What a person sees while an answer is coming: the answer growing, where the channel can show that; else "typing"."""

import asyncio
from types import TracebackType
from typing import Self

from runtime.channels.telegram import DraftStream
from runtime.tenant.registry import Tenant
from runtime.turns import reply
from runtime.turns.post import Post
from runtime.words import Inbound, TurnId

UNNOTICED = 0.3
"""Seconds in which an answer comes before anybody wonders whether it will."""


class Signs:
    """Shown from a moment after its block begins until it ends. ``add`` takes more of the answer as it is written."""

    def __init__(self, post: Post, tenant: Tenant, message: Inbound, turn: TurnId) -> None:
        self._post, self._tenant, self._message, self._turn = post, tenant, message, turn
        self._growing = reply.Growing()
        self._draft = DraftStream(self._grow)
        self._no_drafts = asyncio.Event()
        self._showing: asyncio.Task[None] | None = None

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

    async def __aenter__(self) -> Self:
        self._showing = asyncio.create_task(self._show())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._showing:
            self._showing.cancel()
            await asyncio.gather(self._showing, return_exceptions=True)

    async def _show(self) -> None:
        await asyncio.sleep(UNNOTICED)
        async with self._draft:
            await self._no_drafts.wait()
        while (refresh := await self._post.typing(self._tenant, self._message)) > 0:  # noqa: ASYNC110 - a clock
            await asyncio.sleep(refresh)

    async def _grow(self, text: str) -> bool:
        shown = await self._post.draft(self._tenant, self._message, self._turn, text)
        if not shown:
            self._no_drafts.set()
        return shown
