"""What a turn says about the one before it: its signals, and the rules that an owner states.

Owns the looking at each turn once, after it has ended and never on the way of a reply. Signals are appended to the
tenant's log, which has each once, and then the turn is marked: a kill between the two does the first again.
Does not own what a signal is (signals/), nor what follows from one (probation.py, walk.py).
"""

import asyncio
from dataclasses import dataclass
from functools import partial

from runtime import logs
from runtime.annealing import jobs, stating
from runtime.annealing.loop import Loop
from runtime.annealing.probation import Watching
from runtime.annealing.recognising import Recognising
from runtime.annealing.signals.first import first
from runtime.annealing.signals.hard import Happened, hard
from runtime.annealing.signals.log import SignalLog
from runtime.annealing.signals.records import OWN, Judgement, Label, Signal, Spoken, soft
from runtime.annealing.signals.second import Message, judge
from runtime.annealing.signals.stated import stated_rule
from runtime.annealing.thanking import is_thanks, protect
from runtime.engine.database import Transaction
from runtime.errors import Fault
from runtime.tenant.registry import Tenant
from runtime.turns import inbox
from runtime.words import Conversation, Inbound, Role, TenantId, TurnId

REPLIES = "SELECT text FROM outbox WHERE turn = :turn AND text <> '' ORDER BY part"
BEFORE = "SELECT previous FROM turn WHERE id = :turn"

BACK = 2
"""Turns before this one in which the same question counts as asked again."""

log = logs.get("annealing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One turn as a reader of signals needs it: what a person wrote, what was replied, and the turns before."""

    turn: TurnId
    previous: TurnId | None
    conversation: Conversation
    messages: tuple[Inbound, ...]
    replied: str
    """By the turn before."""
    thanked: frozenset[str]
    """The ids of the messages of the turn before."""
    earlier: tuple[tuple[str, ...], ...]
    """What was written in the turns before, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticing:
    loop: Loop
    watching: Watching
    recognising: Recognising

    async def look(self, id: TenantId) -> None:
        """Judge every turn of a tenant that has ended and was not judged, and what was taken back meanwhile."""
        try:
            tenant = self.loop.tenants.get(id)
        except Fault:
            return  # it is gone, or was never in order: nobody learns from it
        rows = await self.loop.database.read(lambda tx: jobs.unjudged(tx, id))
        for row in rows:
            if inbox.way_of(row["id"]).value == "turn":
                await self._judge(tenant, TurnId(row["id"]))
            await self.loop.database.write(partial(jobs.judged, turn=TurnId(row["id"])))
        await self.recognising(tenant)
        left = await self.loop.database.read(lambda tx: jobs.unjudged(tx, id))
        await self.watching(tenant, {TurnId(row["id"]) for row in left})

    async def _judge(self, tenant: Tenant, turn: TurnId) -> None:
        said = await self.loop.database.read(partial(_said, turn=turn))
        found = await asyncio.to_thread(self._hard, tenant, said)
        heard = await asyncio.to_thread(_heard, tenant, said)
        for message in said.messages:
            if not _is_owner(tenant, message) or message.id in heard:
                continue
            judged = await self._judgement(tenant, said, message)
            if judged.label is not Label.NEUTRAL:
                found.append(_signal(judged, said, message))
            if rule := stated_rule(message.text, judged, message.how, Role.OWNER):
                await stating.write(self.loop, tenant, said.turn, message.id, rule)
        own = [one.text for one in said.messages if _is_owner(tenant, one) and one.how in OWN]
        if said.previous and any(map(is_thanks, own)):
            await asyncio.to_thread(self._protect, tenant, said)
        if found:
            await asyncio.to_thread(SignalLog(tenant.folder).append, found)
            log.info("turn.judged", tenant=tenant.id, turn=said.turn, signals=[one.kind.value for one in found])

    def _protect(self, tenant: Tenant, said: Said) -> None:
        """What was thanked for, if it was corrected before."""
        thanked = self.loop.records.book(tenant).turns.find(said.previous) if said.previous else None
        made = thanked and protect(tenant.folder, thanked, said.thanked, self.loop.signals(tenant))
        if made:
            log.info("case.made", tenant=tenant.id, case=made, turn=said.previous)

    async def _judgement(self, tenant: Tenant, said: Said, message: Inbound) -> Judgement:
        """What the owner's words say of the turn before: without a model, and with one where that is in doubt."""
        before = (Spoken("assistant", said.replied),) if said.replied else ()
        external = await asyncio.to_thread(self._reached_out, tenant, said.previous)
        asked = Message(text=message.text, context=before, how=message.how, external=external)
        ask = partial(self.loop.questions.ask, tenant.id)
        return await judge(first(before, message.text, message.how), asked, ask)

    def _reached_out(self, tenant: Tenant, turn: TurnId | None) -> bool:
        """Whether a turn reached somebody outside: what cannot be undone is worth a second look."""
        line = self.loop.records.book(tenant).turns.find(turn) if turn else None
        return line is not None and any(run.get("effect") == "external" for run in line.tools)

    def _hard(self, tenant: Tenant, said: Said) -> list[Signal]:
        """What needs no words."""
        turns = self.loop.records.book(tenant).turns
        line = turns.find(said.turn)
        if line is None:
            return []
        happened = Happened(
            line=line,
            said=[one.text for one in said.messages if _is_owner(tenant, one) and one.how in OWN],
            earlier=said.earlier,
            previous=turns.find(said.previous) if said.previous else None,
            message=said.messages[-1].id if said.messages else "",
        )
        return hard(happened)


def _signal(judged: Judgement, said: Said, message: Inbound) -> Signal:
    return soft(
        judged,
        turn=said.previous or said.turn,
        conversation=said.conversation,
        message=message.id,
        at=message.sent_at,
    )


def _heard(tenant: Tenant, said: Said) -> set[str]:
    """The messages that a look which was killed has written down signals of: a model may judge them otherwise today."""
    if not said.messages:
        return set()
    since = min(one.sent_at for one in said.messages)
    return {one.message for one in SignalLog(tenant.folder).read(since=since) if isinstance(one.kind, Label)}


def _is_owner(tenant: Tenant, message: Inbound) -> bool:
    person = tenant.config.person(message.channel, message.sender)
    return person is not None and person.role is Role.OWNER


def _said(tx: Transaction, turn: TurnId) -> Said:
    row = inbox.find_turn(tx, turn)
    previous = TurnId(row["previous"]) if row["previous"] else None
    replied = "\n\n".join(str(one["text"]) for one in tx.run(REPLIES, turn=previous)) if previous else ""
    earlier: list[tuple[str, ...]] = []
    before = previous
    while before and len(earlier) < BACK:
        texts = tuple(one.text for one in inbox.messages(tx, before))
        earlier.append(texts)
        found = tx.one(BEFORE, turn=before)
        before = TurnId(found["previous"]) if found and found["previous"] else None
    return Said(
        turn=turn,
        previous=previous,
        conversation=inbox.conversation_of(turn),
        messages=tuple(inbox.messages(tx, turn)),
        replied=replied,
        thanked=frozenset(one.id for one in inbox.messages(tx, previous)) if previous else frozenset(),
        earlier=tuple(earlier[::-1]),
    )
