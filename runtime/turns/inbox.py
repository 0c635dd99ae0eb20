"""What arrived: accepted durably, each message once, labelled with the turn that will answer it.

Owns the tables inbox, conversation and turn up to the moment a turn is closed. Order comes from
``inbox.seq``, never from the engine.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from runtime.engine.database import Row, Transaction
from runtime.errors import NotFound
from runtime.turns.triage import Standing, Way, is_undo_that, triage
from runtime.words import Conversation, How, Inbound, Media, Person, TenantId, TurnId

IMPROVEMENT = "improvement"
"""How the cause of a notice begins that tells of a change: ``improvement:<id>:<state>``."""

KNOWN = "SELECT turn FROM inbox WHERE tenant = :tenant AND channel = :channel AND id = :id"

INSERT = """
INSERT INTO inbox (tenant, channel, id, conversation, turn, body, received)
VALUES (:tenant, :channel, :id, :conversation, :turn, :body, :received)"""

# The conversation's row is the lock: who holds it decides which turn a message belongs to.
LOCK_CONVERSATION = """
INSERT INTO conversation (tenant, conversation, open_turn, next_turn) VALUES (:tenant, :conversation, NULL, 1)
ON CONFLICT (tenant, conversation) DO UPDATE SET next_turn = conversation.next_turn
RETURNING open_turn, next_turn, taken_over"""

PACE = """
SELECT count(*) AS messages FROM inbox
WHERE tenant = :tenant AND conversation = :conversation AND received > :since"""
"""Of one conversation; a person's pace is that of all of theirs together."""

TAKE_OVER = "UPDATE conversation SET taken_over = :now WHERE tenant = :tenant AND conversation = :conversation"
TAKEN_OVER = "SELECT taken_over FROM conversation WHERE tenant = :tenant AND conversation = :conversation"

SILENT = """
SELECT conversation FROM conversation WHERE tenant = :tenant AND taken_over IS NOT NULL ORDER BY taken_over DESC"""

RELEASE = """
UPDATE conversation SET taken_over = NULL
WHERE tenant = :tenant AND conversation = :conversation AND taken_over IS NOT NULL RETURNING conversation"""

OPEN_TURN = """
INSERT INTO turn (id, tenant, conversation, state, previous, opened)
VALUES (:turn, :tenant, :conversation, 'open', :previous, :now)"""

OPEN_ERRAND = """
INSERT INTO turn (id, tenant, conversation, state, opened)
VALUES (:turn, :tenant, :conversation, 'closed', :now)"""

OPEN_NOTICE = """
INSERT INTO turn (id, tenant, conversation, state, opened)
VALUES (:turn, :tenant, :conversation, 'answered', :now) ON CONFLICT (id) DO NOTHING"""

SET_OPEN = """
UPDATE conversation SET open_turn = :turn, next_turn = :next WHERE tenant = :tenant AND conversation = :conversation"""

# UPDATE first, then read: from here on a message that arrives opens the next turn.
CLOSE_CONVERSATION = "UPDATE conversation SET open_turn = NULL WHERE open_turn = :turn"
CLOSE_TURN = "UPDATE turn SET state = 'closed' WHERE id = :turn AND state = 'open'"

TURNS_SINCE = "SELECT count(*) AS turns FROM turn WHERE tenant = :tenant AND opened >= :since AND id LIKE 'turn:%'"
BEGIN = "UPDATE turn SET attempts = attempts + 1 WHERE id = :turn RETURNING attempts"
MESSAGES = "SELECT seq, body, received FROM inbox WHERE turn = :turn ORDER BY seq"
SPAN = "SELECT min(received) AS first, max(received) AS last FROM inbox WHERE turn = :turn"
LAST_HEARD = "SELECT max(received) AS last FROM inbox WHERE tenant = :tenant AND conversation = :conversation"
TURN = "SELECT * FROM turn WHERE id = :turn"
PREVIOUS_STATE = """
SELECT state FROM turn WHERE id = (SELECT previous FROM turn WHERE id = :turn)"""

LAST_TURN = """
SELECT id FROM turn WHERE tenant = :tenant AND conversation = :conversation AND id <> :but
ORDER BY opened DESC, id DESC LIMIT 1"""

STANDING = """
SELECT count(*) AS depth, min(opened) AS oldest FROM turn WHERE state NOT IN ('done', 'failed')"""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of one message. ``turn`` is the turn or errand that works on it (empty when it was dropped);
    ``again``: it was here before; ``opened``: that turn is new and has to be started."""

    turn: TurnId
    way: Way
    again: bool = False
    opened: bool = False


def accept(
    tx: Transaction, tenant: TenantId, message: Inbound, person: Person | None, now: float, *, pace: int
) -> Accepted:
    """Decide what becomes of ``message`` and write it down: under the turn that collects now (opening one if none
    does), or under an errand of its own, which waits for nobody. ``pace``: messages a minute that are heard."""
    key = {"tenant": tenant, "channel": message.channel, "id": message.id}
    if known := tx.one(KNOWN, **key):
        return Accepted(TurnId(known["turn"]), way_of(known["turn"]), again=True)
    where = {"tenant": tenant, "conversation": message.conversation}
    (row,) = tx.run(LOCK_CONVERSATION, **where)
    heard = _heard_lately(tx, tenant, message, person, now)
    told = is_undo_that(message) and bool(told_of(tx, tenant, message.conversation))
    standing = Standing(taken_over=row["taken_over"] is not None, too_fast=heard >= pace, told=told)
    way = triage(message, person, standing)
    if way is Way.DROP:
        return Accepted(TurnId(""), way)
    if message.how is How.ECHO:
        tx.run(TAKE_OVER, now=now, **where)
    turn, opened = row["open_turn"], False
    if way is not Way.TURN:
        turn, opened = f"{way.value}:{tenant}:{message.conversation}:{message.id}", True
        tx.run(OPEN_ERRAND, turn=turn, now=now, **where)
    elif turn is None:
        turn, opened = turn_id(tenant, message.conversation, row["next_turn"]), True
        previous = turn_id(tenant, message.conversation, row["next_turn"] - 1)
        tx.run(OPEN_TURN, turn=turn, previous=previous, now=now, **where)
        tx.run(SET_OPEN, turn=turn, next=row["next_turn"] + 1, **where)
    tx.run(INSERT, turn=turn, body=_dump(message), received=now, conversation=message.conversation, **key)
    return Accepted(TurnId(turn), way, opened=opened)


def is_taken_over(tx: Transaction, tenant: TenantId, conversation: Conversation) -> bool:
    """Whether the business itself answers there."""
    (row,) = tx.run(TAKEN_OVER, tenant=tenant, conversation=conversation)
    return row["taken_over"] is not None


def turns_since(tx: Transaction, tenant: TenantId, since: float) -> int:
    """How many turns of ``tenant`` were opened since ``since`` (seconds since the epoch); errands do not count."""
    return int(tx.run(TURNS_SINCE, tenant=tenant, since=since)[0]["turns"])


def told_of(tx: Transaction, tenant: TenantId, conversation: Conversation, *, but: str = "") -> str:
    """The improvement that the last thing said in a conversation was about; nothing where that was something else.
    ``but``: a turn that does not count."""
    row = tx.one(LAST_TURN, tenant=tenant, conversation=conversation, but=but)
    _, notice, cause = str(row["id"]).partition(f"{conversation}:{IMPROVEMENT}:") if row else ("", "", "")
    return cause.rpartition(":")[0] if notice else ""


def _heard_lately(tx: Transaction, tenant: TenantId, message: Inbound, person: Person | None, now: float) -> int:
    """Messages of the last minute, by whoever wrote this one, on all of their channels."""
    theirs = {message.conversation, *(f"{channel}:{address}" for channel, address in _addresses(person))}
    counted = [tx.run(PACE, tenant=tenant, conversation=one, since=now - 60)[0]["messages"] for one in sorted(theirs)]
    return sum(counted)


def _addresses(person: Person | None) -> Iterable[tuple[str, str]]:
    return person.addresses.items() if person else ()


def conversation_of(turn: TurnId) -> Conversation:
    """Of a turn of the agent, from its id."""
    return Conversation(turn.split(":", 2)[2].rpartition(":")[0])


def tenant_of(turn: str) -> TenantId:
    """Whose a turn or errand is: the second word of its id, and a tenant's name has no colon."""
    return TenantId(turn.split(":", 2)[1])


def way_of(turn: str) -> Way:
    """What kind of work an id stands for: its first word."""
    return Way(turn.partition(":")[0])


def silent(tx: Transaction, tenant: TenantId) -> list[Conversation]:
    """Where the business itself answers, the newest first."""
    return [Conversation(row["conversation"]) for row in tx.run(SILENT, tenant=tenant)]


def release(tx: Transaction, tenant: TenantId, conversation: Conversation) -> bool:
    """The assistant speaks again in ``conversation``; False when it was not silent there."""
    return bool(tx.run(RELEASE, tenant=tenant, conversation=conversation))


@dataclass(frozen=True, slots=True)
class Pause:
    """The person may still be writing: look again in ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class After:
    """The turn ``previous`` of the same conversation has not ended."""

    previous: TurnId


Quiet = Callable[[TenantId, str], float]
"""Seconds without a message after which a turn closes, by tenant and channel."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a turn answers. ``attempt`` counts from 1; ``today``: turns of the tenant since midnight, with this one."""

    messages: tuple[Inbound, ...]
    attempt: int
    today: int


def take(tx: Transaction, turn: TurnId, quiet: Quiet, midnight: float, now: float) -> Batch | Pause | After:
    """Fix the messages of ``turn`` and begin an attempt at it; or what it has to wait for. Called by whoever holds
    the tenant's lane. Taking a turn again, after a kill, gives the same messages."""
    row = find_turn(tx, turn)
    if row["state"] == "open":
        first, last = span(tx, turn)
        remaining = wait_until(first, last, quiet(tenant_of(turn), row["conversation"].partition(":")[0])) - now
        if remaining > 0:
            return Pause(remaining)
        if not previous_is_finished(tx, turn):
            return After(TurnId(row["previous"]))
        close(tx, turn)
    (begun,) = tx.run(BEGIN, turn=turn)
    return Batch(tuple(messages(tx, turn)), begun["attempts"], turns_since(tx, tenant_of(turn), midnight))


def open_notice(tx: Transaction, tenant: TenantId, conversation: Conversation, cause: str, now: float) -> TurnId:
    """An errand that only sends what is put under it; ``cause`` makes its id, so that one cause opens one."""
    turn = notice_id(tenant, conversation, cause)
    tx.run(OPEN_NOTICE, turn=turn, tenant=tenant, conversation=conversation, now=now)
    return turn


def notice_id(tenant: TenantId, conversation: Conversation, cause: str) -> TurnId:
    return TurnId(f"{Way.NOTICE.value}:{tenant}:{conversation}:{cause}")


def close(tx: Transaction, turn: TurnId) -> None:
    """Fix the messages of ``turn``; doing it again changes nothing."""
    tx.run(CLOSE_CONVERSATION, turn=turn)
    tx.run(CLOSE_TURN, turn=turn)


def messages(tx: Transaction, turn: TurnId) -> list[Inbound]:
    """The messages of ``turn`` in the order they were accepted."""
    return [load(row["body"]) for row in tx.run(MESSAGES, turn=turn)]


def span(tx: Transaction, turn: TurnId) -> tuple[float, float]:
    """When the first and the last message of ``turn`` were accepted, in seconds since the epoch."""
    (row,) = tx.run(SPAN, turn=turn)
    return row["first"], row["last"]


def last_heard(tx: Transaction, tenant: TenantId, conversation: Conversation) -> float | None:
    """When somebody last wrote in ``conversation``, in seconds since the epoch."""
    (row,) = tx.run(LAST_HEARD, tenant=tenant, conversation=conversation)
    return float(row["last"]) if row["last"] is not None else None


def previous_is_finished(tx: Transaction, turn: TurnId) -> bool:
    """Whether the turn before this one in its conversation has ended, or never was."""
    row = tx.one(PREVIOUS_STATE, turn=turn)
    return row is None or row["state"] in ("done", "failed")


def find_turn(tx: Transaction, turn: TurnId) -> Row:
    """Raises NotFound."""
    if row := tx.one(TURN, turn=turn):
        return row
    raise NotFound(f"there is no turn {turn}", hint="send the message again")


def turn_id(tenant: TenantId, conversation: Conversation, number: int) -> TurnId:
    return TurnId(f"turn:{tenant}:{conversation}:{number:08d}")


def wait_until(first: float, last: float, quiet: float) -> float:
    """When a turn may close: after ``quiet`` seconds without a message, but no later than
    five times that after the first, so that someone who never stops typing is answered too."""
    return min(last + quiet, first + 5 * quiet)


def _dump(message: Inbound) -> str:
    return json.dumps(asdict(message) | {"sent_at": message.sent_at.isoformat(), "extra": dict(message.extra)})


def load(body: str) -> Inbound:
    """A message as it is kept in the column ``body``."""
    fields: dict[str, Any] = json.loads(body)
    fields["sent_at"] = datetime.fromisoformat(fields["sent_at"])
    fields["how"] = How(fields["how"])
    fields["media"] = tuple(Media(**one) for one in fields["media"])
    return Inbound(**fields)
