"""Who goes when: one writer of a tenant's folder at a time, and the turns of a conversation one after another."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.words import Conversation, TenantId, TurnId

POLL = 0.25
"""Seconds between looks at a turn before ours that no task of this process runs yet."""


class Lanes:
    """In memory: after a restart every turn comes through here again."""

    def __init__(self) -> None:
        self._folders: defaultdict[TenantId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._running: dict[TurnId, asyncio.Event] = {}
        self._waiting: set[TurnId] = set()

    def folder(self, tenant: TenantId) -> asyncio.Lock:
        """Held by the one turn (or admin's commit) that may write the tenant's folder."""
        return self._folders[tenant]

    @asynccontextmanager
    async def running(self, turn: TurnId) -> AsyncIterator[None]:
        over = self._running[turn] = asyncio.Event()
        try:
            yield
        finally:
            del self._running[turn]
            self._waiting.discard(turn)
            over.set()

    def is_busy(self) -> bool:
        """Whether any turn of this process is at work, or waits to be."""
        return bool(self._running)

    def runs(self, turn: TurnId) -> bool:
        return turn in self._running

    def waits(self, turn: TurnId) -> None:
        """``turn`` has yet to ask the agent, and may be stopped before it does."""
        self._waiting.add(turn)

    def stop_next(self, tenant: TenantId, conversation: Conversation) -> bool:
        """The turn of ``conversation`` that comes next need not ask the agent; False when none waits."""
        waiting = sorted(turn for turn in self._waiting if turn.startswith(f"turn:{tenant}:{conversation}:"))
        self._waiting.difference_update(waiting[:1])
        return bool(waiting)

    def begins(self, turn: TurnId) -> bool:
        """``turn`` is about to ask the agent; False when it was stopped before it could."""
        stopped = turn not in self._waiting
        self._waiting.discard(turn)
        return not stopped

    async def wait_for(self, turn: TurnId) -> None:
        """Until ``turn`` may have ended: the caller looks again."""
        if over := self._running.get(turn):
            await over.wait()
        else:
            await asyncio.sleep(POLL)
