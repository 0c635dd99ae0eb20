"""Making what is said durable, together with what the tenant's own webhook is told of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from runtime.engine.database import Database, Transaction
from runtime.tenant.registry import Tenant
from runtime.turns import hooks, outbox
from runtime.turns.letters import Letter
from runtime.words import TurnId

Start = Callable[[TurnId], Awaitable[None]]


class Speaking:
    """``start`` begins an errand; one that is not begun here is found by the sweep."""

    def __init__(self, database: Database, start: Start) -> None:
        self._database = database
        self._start = start
        self._starting: set[asyncio.Task[None]] = set()

    async def plan(self, turn: TurnId, tenant: Tenant, letters: Sequence[Letter]) -> dict[str, Letter]:
        """What ``turn`` says, by its keys, durable. Doing it again gives what was said first."""

        def work(tx: Transaction) -> tuple[dict[str, Letter], TurnId | None]:
            now = time.time()
            return outbox.plan(tx, turn, tenant.id, letters, now), hooks.tell_sent(tx, tenant, turn, letters, now)

        planned, notice = await self._database.write(work)
        if notice is not None:
            task = asyncio.ensure_future(self._start(notice))
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)
        return planned
