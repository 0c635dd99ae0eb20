"""What channels hand in: people are recognised, messages accepted durably, their turns woken and followed.

Owns the way from "a channel parsed it" to "a turn runs". Does not own the turn itself, nor a channel's format.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence

from runtime import logs
from runtime.channels.base import Commits, Done, Failed, Happening, Reply, TurnEvent
from runtime.engine.database import Database, Transaction
from runtime.engine.durable import Engine
from runtime.metrics import Metrics
from runtime.tenant.registry import Tenant, Tenants
from runtime.turns import inbox, outbox
from runtime.turns.board import ENDING_IDS, Board
from runtime.turns.lanes import Lanes
from runtime.turns.outbox import Planned
from runtime.words import Inbound, StatusUpdate, TenantId, TurnId

WORKFLOW = "turn"

SWEEP = 1.0
"""Seconds between looks for turns that were accepted and that nobody runs. Only a kill or a full disk leaves one."""

UNFINISHED = "SELECT id FROM turn WHERE state NOT IN ('done', 'failed') ORDER BY opened, id"
log = logs.get("intake")


class Intake:
    def __init__(
        self,
        *,
        database: Database,
        engine: Engine,
        tenants: Tenants,
        lanes: Lanes,
        board: Board,
        metrics: Metrics,
        reported: Callable[[Planned, StatusUpdate], None],
    ) -> None:
        self._database = database
        self._engine = engine
        self._tenants = tenants
        self._lanes = lanes
        self._board = board
        self._reported = reported
        self.metrics = metrics
        self._waking: set[asyncio.Task[None]] = set()

    async def receive(self, tenant_id: TenantId, arrivals: Sequence[Inbound | StatusUpdate]) -> None:
        """Take ``arrivals`` durably, in order, and wake the turns they open. Strangers are counted, not answered."""
        tenant = self._tenants.get(tenant_id)
        messages = [one for one in arrivals if isinstance(one, Inbound) and self._is_known(tenant, one)]
        statuses = [one for one in arrivals if isinstance(one, StatusUpdate)]
        if not messages and not statuses:
            return
        now = time.time()

        def work(tx: Transaction) -> tuple[list[inbox.Accepted], list[tuple[Planned | None, StatusUpdate]]]:
            accepted = [inbox.accept(tx, tenant_id, message, now) for message in messages]
            return accepted, [(outbox.resolve(tx, tenant_id, status, now), status) for status in statuses]

        accepted, resolved = await self._database.write(work)
        for message, one in zip(messages, accepted, strict=True):
            self._note(tenant_id, message, one)
        for planned, status in resolved:
            if planned is not None:
                await asyncio.to_thread(self._reported, planned, status)

    async def submit(self, tenant_id: TenantId, message: Inbound) -> TurnId:
        """Take one message from a channel that waits for the reply; the turn that answers it."""
        self._tenants.get(tenant_id)
        accepted = await self._database.write(lambda tx: inbox.accept(tx, tenant_id, message, time.time()))
        self._note(tenant_id, message, accepted)
        return accepted.turn

    async def follow(self, turn: TurnId, *, after: int = 0) -> AsyncIterator[TurnEvent]:
        """The events of ``turn`` as they come; of one that is over, how it ended. Raises NotFound."""
        async for event in self._board.watch(turn, after):
            after = event.id
            yield event
            if isinstance(event.what, Done | Failed):
                return
        while True:
            row = await self._database.read(lambda tx: inbox.find_turn(tx, turn))
            if row["state"] in ("done", "failed"):
                break
            await self._lanes.wait_for(turn)
        for what in await self._ending(turn):
            if ENDING_IDS[type(what)] > after:
                yield TurnEvent(ENDING_IDS[type(what)], what)

    async def standing(self) -> tuple[int, float]:
        """How many turns are accepted and not finished, and the age in seconds of the oldest of them (0: none)."""
        (row,) = await self._database.read(lambda tx: tx.run(inbox.STANDING))
        age = time.time() - row["oldest"] if row["oldest"] else 0.0
        self.metrics.queue_depth.set(row["depth"])
        self.metrics.oldest_unanswered.set(age)
        return row["depth"], age

    async def sweep(self) -> None:
        """For ever: start accepted turns that nobody runs. The safety net under the wake after an accept."""
        while True:
            try:
                for row in await self._database.read(lambda tx: tx.run(UNFINISHED)):
                    if not self._lanes.runs(row["id"]):
                        await self._engine.start(WORKFLOW, row["id"])
            except Exception:
                log.exception("sweep.failed")  # the border of a job: the next look is in a second
            await asyncio.sleep(SWEEP)

    async def close(self) -> None:
        """Stop waking turns; what was accepted is started by the next process."""
        for task in self._waking:
            task.cancel()
        await asyncio.gather(*self._waking, return_exceptions=True)

    def _is_known(self, tenant: Tenant, message: Inbound) -> bool:
        if tenant.config.person(message.channel, message.sender) is not None:
            return True
        self.metrics.messages_refused.labels(message.channel, "stranger").inc()
        log.info("message.from_stranger", tenant=tenant.id, channel=message.channel, id=message.id)
        return False

    def _note(self, tenant: TenantId, message: Inbound, accepted: inbox.Accepted) -> None:
        if accepted.again:
            log.info("message.again", tenant=tenant, turn=accepted.turn, id=message.id)
            return
        self.metrics.messages_inbound.labels(tenant, message.channel).inc()
        log.info("message.accepted", tenant=tenant, turn=accepted.turn, id=message.id)
        if accepted.opened:
            self._board.open(accepted.turn)
            task = asyncio.create_task(self._engine.start(WORKFLOW, accepted.turn))
            self._waking.add(task)
            task.add_done_callback(self._woken)

    def _woken(self, task: asyncio.Task[None]) -> None:
        self._waking.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            log.error("turn.not_woken", problem=str(fault))  # the sweep starts it

    async def _ending(self, turn: TurnId) -> list[Happening]:
        """How a turn that is over ended, as the API tells it."""
        row, parts = await self._database.read(lambda tx: (inbox.find_turn(tx, turn), outbox.of_turn(tx, turn)))
        if not parts:
            return [Failed(row["problem"] or "the turn ended without a reply", "send the message again")]
        reply = Reply("\n\n".join(part.outbound.text for part in parts))
        return [reply, Commits(tuple(json.loads(row["commits"]))), Done()]
