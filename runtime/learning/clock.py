"""What opens runs when their time has come, and starts those that nobody looks after.

Owns the looking, at intervals; every decision is taken in the transaction that writes it down, so that a look that
comes twice, late or after a kill opens nothing twice. Does not own the decisions (moments.py) nor the tables (runs.py).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from runtime import logs
from runtime.engine.database import Database, Transaction
from runtime.engine.durable import Engine
from runtime.errors import Fault
from runtime.learning import runs
from runtime.learning.moments import HOUR
from runtime.learning.runner import Runner
from runtime.tenant.life import budgets
from runtime.tenant.life.budgets import Budgets
from runtime.tenant.registry import Tenant, Tenants
from runtime.words import Conversation

RUN = "run"
"""The engine's workflow."""

SWEEP = 1.0
"""Seconds between looks for runs that are open and that nobody looks after."""

LOOK = 60.0
"""Seconds between looks for conversations that have ended and reviews that are due."""

log = logs.get("learning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """``timeout_hours``: after how many silent hours a conversation starts afresh. ``budgets``: of files of life/."""

    database: Database
    engine: Engine
    tenants: Tenants
    runner: Runner
    timeout_hours: float
    budgets: Budgets
    now: Callable[[], float] = time.time

    async def run(self) -> None:
        """For ever. A look that fails is followed by the next one."""
        looked = -LOOK
        while True:
            try:
                if time.monotonic() - looked >= LOOK:
                    looked = time.monotonic()
                    await self.look()
                await self.start()
            except Exception:
                log.exception("clock.failed")  # the border of a job: the next look is in a second
            await asyncio.sleep(SWEEP)

    async def look(self) -> None:
        """Open a reflection for every conversation that expired, a review for every tenant that is due one, and a
        consolidation for every file over its budget, whoever made it grow."""
        now = self.now()
        before = now - self.timeout_hours * HOUR
        for tenant_id, conversation in await self.database.read(lambda tx: runs.expired(tx, before)):
            try:
                tenant = self.tenants.get(tenant_id)
            except Fault:
                continue  # nobody is learned about in a tenant that is gone, or broken
            await self.database.write(
                partial(runs.conversation_ended, tenant=tenant, conversation=conversation, now=now)
            )
        timers = await self.database.read(runs.timers)
        for tenant in self.tenants.all():
            if timers.get(tenant.id, now) <= now:
                await self.database.write(partial(runs.review_due, tenant=tenant, now=now))
            for one in await asyncio.to_thread(budgets.over, tenant.folder, self.budgets):
                await self.database.write(
                    partial(runs.over_budget, tenant=tenant.id, file=one.rel, blob=one.blob, now=now)
                )

    async def start(self) -> None:
        for id in await self.database.read(runs.unfinished):
            if id not in self.runner.here:
                await self.engine.start(RUN, id)

    def ended(self, tx: Transaction, tenant: Tenant, conversation: Conversation) -> None:
        """A person has ended a conversation: part of the transaction that takes it down."""
        runs.conversation_ended(tx, tenant, conversation, self.now())
