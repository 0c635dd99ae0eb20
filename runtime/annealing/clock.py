"""What makes the loop move: turns that ended are judged, timers open walks, and open walks are looked after.

Owns the looking, at intervals; every decision is taken in the transaction that writes it down, so that a look that
comes twice, late or after a kill does nothing twice.
"""

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial

from runtime import logs
from runtime.annealing import jobs
from runtime.annealing.loop import Loop
from runtime.annealing.noticing import Noticing
from runtime.annealing.walk import Walker
from runtime.engine.durable import Engine
from runtime.words import TenantId

ANNEAL = "anneal"
"""The engine's workflow."""

SWEEP = 1.0
"""Seconds between looks for turns that ended and walks that are open."""

LOOK = 60.0
"""Seconds between looks at every tenant: for timers, what people took back, and turns that silence has settled."""

log = logs.get("annealing")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnealingClock:
    loop: Loop
    engine: Engine
    noticing: Noticing
    walker: Walker
    resting: dict[TenantId, float] = field(default_factory=dict)
    """Until when (monotonic) a tenant that could not be looked at is left alone."""

    async def run(self) -> None:
        """For ever. A look that fails is followed by the next one."""
        looked = -LOOK
        while True:
            try:
                every = time.monotonic() - looked >= LOOK
                if every:
                    looked = time.monotonic()
                await self.look(every=every)
                await self.start()
            except Exception:
                log.exception("clock.failed")  # the border of a job: the next look is in a second
            await asyncio.sleep(SWEEP)

    async def look(self, *, every: bool) -> None:
        """``every``: at all tenants, not only at those with turns that ended. What is wrong with one tenant is none of
        the others' business."""
        ended = await self.loop.database.read(jobs.with_unjudged)
        now = self.loop.clock()
        tenants = self.loop.tenants.all() if every else ()
        for tenant in tenants:
            paused = tenant.config.improvements.paused
            await self.loop.database.write(partial(jobs.due, tenant=tenant.id, now=now, paused=paused))
        for id in dict.fromkeys([*ended, *(tenant.id for tenant in tenants)]):
            if self.resting.get(id, 0.0) > time.monotonic():
                continue
            try:
                await self.noticing.look(id)
            except Exception:
                log.exception("look.failed", tenant=id)  # the border of a job: there is another look
                self.resting[id] = time.monotonic() + LOOK

    async def start(self) -> None:
        for id in await self.loop.database.read(jobs.unfinished):
            if id not in self.walker.here:
                await self.engine.start(ANNEAL, id)
