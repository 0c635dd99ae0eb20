"""Telegram without a public address: each tenant's bot is asked for updates, and they go the way of a webhook's.

Owns who is polled, and how far each bot was read: that is written in the transaction that accepts what was read, and
Telegram is told only afterwards.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from runtime import logs
from runtime.channels.base import Delivered
from runtime.channels.telegram import CHANNEL, TelegramApi, poll
from runtime.engine.database import Database
from runtime.errors import Fault
from runtime.tenant.registry import Tenant, Tenants
from runtime.turns.intake import Intake
from runtime.turns.post import bot_of
from runtime.words import TenantId

LOOK = 10.0
"""Seconds between looks for tenants that came, went, or failed."""

UPTO = "SELECT upto FROM polled WHERE tenant = :tenant AND channel = :channel"

log = logs.get("polling")


class Polling:
    def __init__(self, database: Database, tenants: Tenants, api: TelegramApi, intake: Intake) -> None:
        self._database, self._tenants, self._api, self._intake = database, tenants, api, intake
        self._lines: dict[TenantId, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """For ever: one line a bot. A line that ended is begun again at the next look."""
        try:
            while True:
                for tenant in self._tenants.all():
                    line = self._lines.get(tenant.id)
                    if tenant.config.channels.telegram is not None and (line is None or line.done()):
                        self._lines[tenant.id] = asyncio.create_task(self._line(tenant))
                await asyncio.sleep(LOOK)
        finally:
            for line in self._lines.values():
                line.cancel()
            await asyncio.gather(*self._lines.values(), return_exceptions=True)

    async def _line(self, tenant: Tenant) -> None:
        where = {"tenant": tenant.id, "channel": CHANNEL}
        row = await self._database.read(lambda tx: tx.one(UPTO, **where))

        async def receive(arrivals: Sequence[Delivered], upto: int) -> None:
            await self._intake.receive(tenant.id, arrivals, polled=(CHANNEL, upto))

        try:
            await poll(self._api, bot_of(tenant), offset=row["upto"] if row else 0, receive=receive)
        except Fault as fault:  # the border of a job: it is begun again at the next look
            log.warning("polling.ended", tenant=tenant.id, problem=fault.problem, next=fault.hint)


async def introduce(tenants: Tenants, api: TelegramApi) -> None:
    """For ever: learn each bot's name, by which a group addresses it. What cannot be asked now is asked later."""
    known: set[TenantId] = set()
    while True:
        for tenant in tenants.all():
            if tenant.id in known or tenant.config.channels.telegram is None:
                continue
            with contextlib.suppress(Fault):
                await api.me(bot_of(tenant))
                known.add(tenant.id)
        await asyncio.sleep(LOOK)
