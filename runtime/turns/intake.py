"""What channels hand in: people are recognised, messages accepted durably, their turns woken and followed.

Owns the way from "a channel parsed it" to "a turn runs". Does not own the turn itself, nor a channel's format.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from runtime import logs
from runtime.channels.base import Commits, Delivered, Done, Failed, Happening, Reply, TurnEvent
from runtime.channels.whatsapp import is_window_closed
from runtime.engine.database import Database, Transaction
from runtime.engine.durable import Engine
from runtime.errors import BadInput, Refused
from runtime.metrics import Metrics
from runtime.tenant.registry import Tenant, Tenants
from runtime.turns import hooks, inbox, outbox, windows
from runtime.turns.board import ENDING_IDS, Board
from runtime.turns.lanes import Lanes
from runtime.turns.outbox import Planned
from runtime.turns.triage import Way
from runtime.words import How, Inbound, Person, StatusUpdate, StopPressed, TakenOver, TenantId, TurnId

TURN, ERRAND = "turn", "errand"
"""The engine's workflows: one with the agent, one without."""

SWEEP = 1.0
"""Seconds between looks for turns that were accepted and that nobody runs. Only a kill or a full disk leaves one."""

READ_UPTO = """
INSERT INTO polled (tenant, channel, upto) VALUES (:tenant, :channel, :upto)
ON CONFLICT (tenant, channel) DO UPDATE SET upto = excluded.upto"""

UNFINISHED = "SELECT id FROM turn WHERE state NOT IN ('done', 'failed') ORDER BY opened, id"
log = logs.get("intake")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Became:
    """What came of one arrival: a message's place, the outbound message that was reported on, a notice to send."""

    accepted: inbox.Accepted | None = None
    reported: Planned | None = None
    notices: tuple[TurnId, ...] = ()


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

    async def receive(
        self, tenant_id: TenantId, arrivals: Sequence[Delivered], *, polled: tuple[str, int] | None = None
    ) -> None:
        """Take ``arrivals`` durably, in order, and wake what works on them. ``polled``: a channel that was asked, and
        how far it is read with these; written in the same transaction."""
        tenant = self._tenants.get(tenant_id)
        now = time.time()

        def work(tx: Transaction) -> list[_Became]:
            if polled:
                tx.run(READ_UPTO, tenant=tenant_id, channel=polled[0], upto=polled[1])
            return [self._take(tx, tenant, arrival, now) for arrival in arrivals]

        became = await self._database.write(work)
        for arrival, one in zip(arrivals, became, strict=True):
            if one.accepted is not None:
                self._note(tenant_id, arrival, one.accepted)
            if one.reported is not None and isinstance(arrival, StatusUpdate):
                await asyncio.to_thread(self._reported, one.reported, arrival)
            for notice in one.notices:
                self._wake(notice)

    async def submit(self, tenant_id: TenantId, message: Inbound) -> TurnId:
        """Take one message from a channel that waits for the reply; what answers it. Raises Refused (too fast)."""
        tenant = self._tenants.get(tenant_id)
        became = await self._database.write(lambda tx: self._take(tx, tenant, message, time.time()))
        accepted = became.accepted
        assert accepted is not None
        if accepted.again and f":{message.conversation}:" not in accepted.turn:
            raise BadInput(
                f"id: {message.id} was a message of another conversation", hint="give each message its own id"
            )
        self._note(tenant_id, message, accepted)
        for notice in became.notices:
            self._wake(notice)
        if accepted.way is Way.DROP:
            raise Refused("too many messages in a minute", hint="wait a moment and send it again")
        return accepted.turn

    def _take(self, tx: Transaction, tenant: Tenant, arrival: Delivered, now: float) -> "_Became":
        if isinstance(arrival, StatusUpdate):
            return self._settle(tx, tenant, arrival, now)
        message = arrival if isinstance(arrival, Inbound) else _as_message(arrival)
        person = tenant.config.person(message.channel, message.sender)
        accepted = _accept(tx, tenant, message, person, now)
        notices = []
        if accepted.way is not Way.DROP and not accepted.again:
            notices += [hooks.tell_received(tx, tenant, message, person, accepted.turn, now)]
        if accepted.way in (Way.TURN, Way.COMMAND) and not accepted.again:
            held_for = inbox.notice_id(tenant.id, message.conversation, message.id)
            if outbox.release(tx, tenant.id, message, held_for, now):
                notices += [inbox.open_notice(tx, tenant.id, message.conversation, message.id, now)]
        return _Became(accepted=accepted, notices=tuple(notice for notice in notices if notice))

    def _settle(self, tx: Transaction, tenant: Tenant, status: StatusUpdate, now: float) -> "_Became":
        """A channel reported on one of our messages; one that its window refused goes another way."""
        row = outbox.resolve(tx, tenant.id, status, now)
        if row is None or row.state != "sent" or not is_window_closed(status) or row.outbound.template:
            return _Became(reported=row)
        letter = windows.way_out(row, tenant)
        if letter is None:
            outbox.hold_sent(tx, row.key, status.problem, now)
            return _Became(reported=row)
        notice = inbox.open_notice(tx, tenant.id, row.conversation, f"{status.id}:window", now)
        outbox.reopen(tx, row.key, notice, letter, now)
        return _Became(reported=row, notices=(notice,))

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
                        await self._engine.start(workflow_of(row["id"]), row["id"])
            except Exception:
                log.exception("sweep.failed")  # the border of a job: the next look is in a second
            await asyncio.sleep(SWEEP)

    async def close(self) -> None:
        """Stop waking turns; what was accepted is started by the next process."""
        for task in self._waking:
            task.cancel()
        await asyncio.gather(*self._waking, return_exceptions=True)

    def _note(self, tenant: TenantId, arrival: Delivered, accepted: inbox.Accepted) -> None:
        ids = {"tenant": tenant, "channel": arrival.channel, "id": arrival.id, "turn": accepted.turn}
        if accepted.way is Way.DROP:
            self.metrics.messages_refused.labels(arrival.channel, "not_heard").inc()
            log.info("message.not_heard", **ids)
            return
        if accepted.again:
            log.info("message.again", **ids)
            return
        self.metrics.messages_inbound.labels(tenant, arrival.channel).inc()
        log.info("message.accepted", way=accepted.way.value, **ids)
        if accepted.opened:
            self._wake(accepted.turn)

    def _wake(self, turn: TurnId) -> None:
        self._board.open(turn)
        task = asyncio.create_task(self._engine.start(workflow_of(turn), turn))
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
        reply = Reply("\n\n".join(part.outbound.text for part in parts if part.outbound.text))
        return [reply, Commits(tuple(json.loads(row["commits"]))), Done()]


def _accept(tx: Transaction, tenant: Tenant, message: Inbound, person: Person | None, now: float) -> inbox.Accepted:
    return inbox.accept(tx, tenant.id, message, person, now, pace=tenant.config.limits.messages_per_minute)


def workflow_of(turn: str) -> str:
    return TURN if inbox.way_of(turn) is Way.TURN else ERRAND


def _as_message(arrival: TakenOver | StopPressed) -> Inbound:
    """What happened beside the words, as a message: it is kept, and decided about, like one."""
    if isinstance(arrival, StopPressed):
        return Inbound(
            channel=arrival.channel,
            id=arrival.id,
            sender=arrival.sender,
            address=arrival.address,
            text="/stop",
            sent_at=datetime.now(UTC),
            kind="stop",
        )
    return Inbound(
        channel=arrival.channel,
        id=arrival.id,
        sender=arrival.address,
        address=arrival.address,
        text=arrival.text,
        sent_at=arrival.at,
        how=How.ECHO,
    )
