"""What people took back themselves: ``/undo``, ``proxystaff revert``, a plain ``git revert``, a hand on the file.

Owns the looking at new commits, and that all of them end in the same states. Does not own how a commit is told apart
(undoing/recognised).
"""

import asyncio
from dataclasses import dataclass
from functools import partial

from runtime import logs
from runtime.annealing import jobs
from runtime.annealing.loop import Loop, improvements
from runtime.annealing.probation import Watching
from runtime.annealing.records import State
from runtime.annealing.telling import OWNER
from runtime.annealing.undoing.landings import superseded_by
from runtime.annealing.undoing.plan import Way
from runtime.annealing.undoing.recognising import recognised
from runtime.annealing.undoing.taking_back import TakenBack
from runtime.errors import Fault
from runtime.tenant.registry import Tenant

log = logs.get("annealing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognising:
    """Called for a tenant whenever it is looked at; costs one look at HEAD when nothing was committed."""

    loop: Loop
    watching: Watching

    async def __call__(self, tenant: Tenant) -> None:
        history = self.loop.history(tenant)
        try:
            head = await asyncio.to_thread(history.head)
        except Fault as fault:  # no usable repository: whoever serves the turns says so
            log.warning("history.not_read", tenant=tenant.id, problem=fault.problem)
            return
        seen = await self.loop.database.read(lambda tx: jobs.head(tx, tenant.id))
        if seen == head:
            return
        if seen:
            await self._look(tenant, seen)
        await self.loop.database.write(partial(jobs.saw_head, tenant=tenant.id, head=head, now=self.loop.clock()))

    async def _look(self, tenant: Tenant, since: str) -> None:
        history, known = self.loop.history(tenant), await asyncio.to_thread(improvements(tenant).all)
        for told in await asyncio.to_thread(recognised, history, known, since):
            one, commit = told.improvement, told.commit
            if told.back:
                await self.watching.reinstated(tenant, one, commit)
            else:
                taken = TakenBack(commit.id, superseded_by(commit), Way.ALREADY)
                why = f"{OWNER} took it back: {commit.trailers.get('Reason') or commit.subject}"
                await self.watching.ended(tenant, one, State.ROLLED_BACK, why, taken, at=commit.at)
