"""What leaves: durable before it is sent, claimed by one sender, its outcome recorded.

A row goes planned -> claimed -> sent, or back to planned when the channel surely did not take it, or to
failed (it never will be) or unknown (nobody knows: it is reconciled or shown, never resent by itself).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runtime.engine.database import Row, Transaction
from runtime.turns.letters import Letter
from runtime.words import (
    Conversation,
    GiveUp,
    Inbound,
    Outbound,
    SendOutcome,
    SendState,
    Sent,
    StatusUpdate,
    TenantId,
    TryLater,
    TurnId,
    Uncertain,
)

PLAN = """
INSERT INTO outbox
    (key, turn, part, tenant, conversation, channel, address, text, file, template, state, planned, changed)
VALUES
    (:key, :turn, :part, :tenant, :conversation, :channel, :address, :text, :file, :template, 'planned', :now, :now)
ON CONFLICT (key) DO NOTHING"""

ANSWERED = "UPDATE turn SET state = 'answered', answered = :now WHERE id = :turn AND state = 'closed'"

# Compare and set: of two senders one gets the row, and a row left claimed by a dead one is nobody's to send.
CLAIM = """
UPDATE outbox SET state = 'claimed', attempts = attempts + 1, changed = :now
WHERE key = :key AND state = 'planned' RETURNING *"""

MARK = """
UPDATE outbox SET state = :state, problem = :problem, changed = :now,
    provider_id = CASE WHEN :provider_id = '' THEN provider_id ELSE :provider_id END
WHERE key = :key AND state = 'claimed' RETURNING key"""

OF_TURN = "SELECT * FROM outbox WHERE turn = :turn ORDER BY part"
OF_KEY = "SELECT * FROM outbox WHERE key = :key"

BY_STATUS = """
SELECT * FROM outbox WHERE tenant = :tenant AND channel = :channel
AND ((provider_id <> '' AND provider_id = :id AND state NOT IN ('planned', 'claimed', 'unknown'))
    OR (key = :tracker AND provider_id <> :id AND state IN ('planned', 'claimed', 'unknown')))"""
"""The row whose last attempt is reported on. A message that went another way keeps its key: what is told again of the
attempt before is not about this one. While an attempt runs, the id beside it is that of the one before."""

REOPEN = """
UPDATE outbox SET state = 'planned', turn = :turn, channel = :channel, address = :address, template = :template,
    changed = :now
WHERE key = :key AND state = 'failed'"""

HOLD_SENT = "UPDATE outbox SET state = 'held', problem = :problem, changed = :now WHERE key = :key AND state = 'failed'"

LOST = """
UPDATE outbox SET state = 'failed', problem = :problem, changed = :now WHERE key = :key AND state = 'sent'"""

RESOLVE = """
UPDATE outbox SET state = :state, provider_id = :id, problem = :problem, changed = :now
WHERE key = :key AND state IN ('claimed', 'unknown')"""

# A claimed row that goes another way, or waits until the person writes again.
REDIRECT = """
UPDATE outbox SET state = 'planned', channel = :channel, address = :address, template = :template, changed = :now
WHERE key = :key AND state = 'claimed'"""

# Without its template: within the window the words go as they are.
HOLD = """
UPDATE outbox SET state = 'held', template = '', problem = :problem, changed = :now
WHERE key = :key AND state = 'claimed'"""

RELEASE = """
UPDATE outbox SET state = 'planned', turn = :turn, changed = :now
WHERE tenant = :tenant AND channel = :channel AND address = :address AND state = 'held' RETURNING key"""

TROUBLED = """
SELECT * FROM outbox WHERE state IN ('failed', 'unknown', 'held') ORDER BY changed DESC LIMIT :limit"""


@dataclass(frozen=True, slots=True)
class Planned:
    """A row as the sender sees it."""

    key: str
    turn: TurnId
    tenant: TenantId
    conversation: Conversation
    channel: str
    outbound: Outbound
    attempts: int
    state: str


def plan(tx: Transaction, turn: TurnId, tenant: TenantId, letters: Sequence[Letter], now: float) -> dict[str, Letter]:
    """Make what ``turn`` says durable; it by its keys, in order. Doing it again keeps, and gives, the first."""
    for number, letter in enumerate(letters):
        tx.run(
            PLAN,
            key=f"{turn}:{number}",
            turn=turn,
            part=number,
            tenant=tenant,
            conversation=letter.conversation,
            channel=letter.channel,
            address=letter.address,
            text=letter.text,
            file=letter.file,
            template=letter.template,
            now=now,
        )
    tx.run(ANSWERED, turn=turn, now=now)
    return planned(tx, turn)


def planned(tx: Transaction, turn: TurnId) -> dict[str, Letter]:
    """What ``turn`` says, by its keys, in order; nothing as long as it was not planned."""
    return {row["key"]: _letter(row) for row in tx.run(OF_TURN, turn=turn)}


def of_turn(tx: Transaction, turn: TurnId) -> list[Planned]:
    return [_planned(row) for row in tx.run(OF_TURN, turn=turn)]


def find(tx: Transaction, key: str) -> Planned:
    (row,) = tx.run(OF_KEY, key=key)
    return _planned(row)


def claim(tx: Transaction, key: str, now: float) -> Planned | None:
    """The row, now ours to send; None when it is not waiting to be sent."""
    row = tx.one(CLAIM, key=key, now=now)
    return _planned(row) if row else None


def mark(tx: Transaction, key: str, outcome: SendOutcome, now: float) -> None:
    """Record what came of the attempt that claimed ``key``."""
    state, provider_id, problem = _recorded(outcome)
    tx.run(MARK, key=key, state=state, provider_id=provider_id, problem=problem, now=now)


def resolve(tx: Transaction, tenant: TenantId, status: StatusUpdate, now: float) -> Planned | None:
    """The channel reported on one of ours: settle a send whose outcome was unknown. None: not one of ours."""
    row = tx.one(BY_STATUS, tenant=tenant, channel=status.channel, id=status.id, tracker=status.tracker)
    if row is None:
        return None
    state = "failed" if status.state is SendState.FAILED else "sent"
    if status.state is SendState.FAILED:
        tx.run(LOST, key=row["key"], problem=status.problem, now=now)
    tx.run(RESOLVE, key=row["key"], state=state, id=status.id, problem=status.problem, now=now)
    return _planned(row)


def redirect(tx: Transaction, key: str, letter: Letter, now: float) -> None:
    """Send ``key`` by another way: it waits to be claimed again."""
    tx.run(REDIRECT, key=key, channel=letter.channel, address=letter.address, template=letter.template, now=now)


def hold(tx: Transaction, key: str, problem: str, now: float) -> None:
    tx.run(HOLD, key=key, problem=problem, now=now)


def release(tx: Transaction, tenant: TenantId, message: Inbound, turn: TurnId, now: float) -> bool:
    """What is held for whoever wrote ``message`` becomes ``turn``'s to send; False when nothing is."""
    to = {"channel": message.channel, "address": message.address}
    return bool(tx.run(RELEASE, tenant=tenant, turn=turn, now=now, **to))


def reopen(tx: Transaction, key: str, turn: TurnId, letter: Letter, now: float) -> None:
    """The channel took ``key`` and refused it later, for a reason that has another way: ``turn`` sends it that way."""
    way = {"channel": letter.channel, "address": letter.address, "template": letter.template}
    tx.run(REOPEN, key=key, turn=turn, now=now, **way)


def hold_sent(tx: Transaction, key: str, problem: str, now: float) -> None:
    """The channel took ``key``, refused it later, and there is no other way: it waits until they write again."""
    tx.run(HOLD_SENT, key=key, problem=problem, now=now)


def troubled(tx: Transaction, limit: int) -> list[Row]:
    return tx.run(TROUBLED, limit=limit)


def _recorded(outcome: SendOutcome) -> tuple[str, str, str]:
    match outcome:
        case Sent(id):
            return "sent", id, ""
        case TryLater(problem, _):
            return "planned", "", problem
        case GiveUp(problem, hint, _):
            return "failed", "", f"{problem} (next: {hint})"
        case Uncertain(problem):
            return "unknown", "", problem


def _letter(row: Row) -> Letter:
    letter = Letter(
        channel=row["channel"],
        address=row["address"],
        text=row["text"],
        file=row["file"],
        template=row["template"],
    )
    within = Conversation(row["conversation"])
    return letter if letter.conversation == within else replace(letter, within=within)


def _planned(row: Row) -> Planned:
    return Planned(
        key=row["key"],
        turn=TurnId(row["turn"]),
        tenant=TenantId(row["tenant"]),
        conversation=Conversation(row["conversation"]),
        channel=row["channel"],
        outbound=Outbound(
            key=row["key"], address=row["address"], text=row["text"], file=row["file"], template=row["template"]
        ),
        attempts=row["attempts"],
        state=row["state"],
    )
