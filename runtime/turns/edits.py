"""What admins edit in a tenant's folder: seen when it is saved, checked, committed, answered; and what must not be in
force, put aside before the agent could read it.

Owns when the folder is looked at between turns, and the order when a file is bad: first it is written down and the
owner told, then it is taken out of the way. Does not own what is bad (tenant/checks.py), how a commit is made
(tenant/git/history.py), where bytes are kept (tenant/git/aside.py) nor what is said (bad_edits.py).
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from runtime import logs
from runtime.engine.database import Database
from runtime.errors import Fault, NotFound
from runtime.tenant.folder import Stamps
from runtime.tenant.git.commits import BadFile, shown
from runtime.tenant.registry import Tenant, Tenants
from runtime.tenant.watch import Touched, Watch
from runtime.turns import bad_edits
from runtime.turns.lanes import Lanes
from runtime.turns.records import QUIET, Records
from runtime.words import TenantId, TurnId

LOOK, POLL = 10.0, 1.0
"""Seconds between looks at all folders, for what inotify did not tell; and where there is no inotify at all."""

AT_ONCE = 2
"""Folders that are looked at at the same time: a turn must not wait for a thread."""

log = logs.get("edits")


class Edits:
    """One a process. What the owner is told is planned here, and sent when the sweep of intake finds it."""

    def __init__(
        self,
        *,
        database: Database,
        tenants: Tenants,
        records: Records,
        lanes: Lanes,
        watching: Callable[[Touched], Watch] = Watch,
    ) -> None:
        self._database, self._tenants, self._records, self._lanes = database, tenants, records, lanes
        self._watching = watching
        self._few = asyncio.Semaphore(AT_ONCE)
        self._seen: dict[TenantId, Stamps] = {}
        self._told: set[TenantId] = set()
        self._touched: dict[TenantId, float] = {}
        self._looks: dict[TenantId, asyncio.Task[None]] = {}
        self._troubles: dict[TenantId, str] = {}

    async def begin(self, tenant: Tenant, turn: TurnId) -> None:
        """At the start of a turn, by whoever holds the lane: good edits are committed, bad ones are out of the way."""
        bad = await asyncio.to_thread(self._records.begin, tenant, turn)
        await self.refuse(tenant, bad, whose=bad_edits.ADMIN)

    async def refuse(self, tenant: Tenant, bad: Sequence[BadFile], *, whose: str) -> None:
        """Tell of bad files, and take them out of the way. A kill between the two leaves them to the next turn."""
        if bad:
            await self._settle(tenant, bad, whose=whose, gone=False)
            await asyncio.to_thread(self._records.put_aside, tenant, bad)

    async def run(self) -> None:
        """For ever: look at each folder when it was touched, and at all of them from time to time."""
        loop = asyncio.get_running_loop()

        def touched(tenant: TenantId) -> None:
            """In the watch's thread: what was told and not yet heard is told once."""
            if tenant not in self._told:
                self._told.add(tenant)
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(self._touch, watch, tenant)

        watch = self._watching(touched)
        try:
            while True:
                await self._survey(watch)
                await asyncio.sleep(LOOK if watch.works else POLL)
        finally:
            watch.close()
            for task in self._looks.values():
                task.cancel()
            await asyncio.gather(*self._looks.values(), return_exceptions=True)

    async def _survey(self, watch: Watch) -> None:
        try:
            seen = await asyncio.to_thread(self._stamps, watch)
        except Exception:
            log.exception("survey.failed")  # the border of a job: the next look is in some seconds
            return
        for gone in self._seen.keys() - seen.keys():
            watch.forget(gone)
            self._troubles.pop(gone, None)
        changed = [id for id, stamps in seen.items() if stamps != self._seen.get(id)]
        self._seen = dict(seen)
        for id in changed:
            self._touch(watch, id)

    def _stamps(self, watch: Watch) -> Mapping[TenantId, Stamps]:
        found = {}
        for tenant in self._tenants.all():
            watch.follow(tenant.id, tenant.folder.root)
            found[tenant.id] = tenant.folder.stamps()
        return found

    def _touch(self, watch: Watch, tenant: TenantId) -> None:
        self._told.discard(tenant)
        self._touched[tenant] = time.monotonic()
        if tenant not in self._looks:
            self._looks[tenant] = asyncio.create_task(self._tend(watch, tenant))

    async def _tend(self, watch: Watch, tenant: TenantId) -> None:
        """Look at a folder once it is quiet, until there is nothing more to see."""
        while True:
            heard = self._touched[tenant]
            await asyncio.sleep(heard + QUIET - time.monotonic())
            if self._touched[tenant] != heard:
                continue
            if not await self._look(watch, tenant):
                self._touched[tenant] = time.monotonic()
            elif self._touched[tenant] == heard:
                del self._looks[tenant], self._touched[tenant]
                return

    async def _look(self, watch: Watch, id: TenantId) -> bool:
        """Whether it is settled; False while something is still being written."""
        try:
            tenant = self._tenants.get(id)
            # First, so that what is made in a folder that is new itself is either found now or told of.
            await asyncio.to_thread(watch.follow, id, tenant.folder.root)
            async with self._lanes.folder(id):
                async with self._few:
                    bad = await asyncio.to_thread(self._records.look, tenant)
                if bad is None:
                    return False
                await self._settle(tenant, bad, whose=bad_edits.ADMIN, gone=True)
            self._troubles.pop(id, None)
        except NotFound:
            self._seen.pop(id, None)  # the tenant went away
        except Fault as fault:  # the border of a job: it is said once, and the next survey looks again
            if self._troubles.get(id) != fault.problem:
                log.warning("edits.not_seen", tenant=id, problem=fault.problem, next=fault.hint)
            self._troubles[id] = fault.problem
            self._seen.pop(id, None)
        except Exception:
            log.exception("edits.broke", tenant=id)
            self._seen.pop(id, None)
        return True

    async def _settle(self, tenant: Tenant, bad: Sequence[BadFile], *, whose: str, gone: bool) -> None:
        """Write down and tell what is new; with ``gone`` also of what was bad and is not among ``bad`` any more."""
        known = await self._database.read(lambda tx: bad_edits.find(tx, tenant.id))
        if not bad and not known:
            return
        here = {shown(one.path) for one in bad}
        kept = {path: one.aside for path, one in known.items() if gone and path not in here}
        now = await asyncio.to_thread(self._records.standing, tenant, kept)
        news = bad_edits.decide(known, bad, now)
        for one in news.fresh:
            places = [fault.partition(": ")[0] for fault in one.faults[: bad_edits.MOST_FAULTS]]
            log.warning("edit.not_in_force", tenant=tenant.id, whose=whose, places=places)
        for path in news.mended:
            log.info("edit.mended", tenant=tenant.id, file=path)
        write = partial(bad_edits.write, tenant=tenant, news=news, whose=whose, now=time.time())
        await self._database.write(write)
