"""When the loop walks, as rows: a timer for each tenant, and the walks that were opened.

Owns the tables annealing and anneal, and the turns that are not judged yet. Decides in the transaction that writes it
down, so that a look that comes twice, late or after a kill opens nothing twice. Does not own a walk's steps (walk.py).
"""

from dataclasses import dataclass
from enum import StrEnum

from runtime.engine.database import Row, Transaction
from runtime.words import TenantId, TurnId

HOUR = 3600.0
EVERY = 6 * HOUR
"""Seconds between two looks for something to improve."""

WEEK = 7 * 24 * HOUR
"""Seconds between two empty landings."""

ATTEMPTS = 3
BACKOFF = 300.0
"""Seconds before a walk that failed is tried again."""

PAUSE = 60.0
"""Seconds until a walk that stepped aside for a person looks again."""

TIMER = "SELECT * FROM annealing WHERE tenant = :tenant"
SET_TIMER = """
INSERT INTO annealing (tenant, due, empty_due) VALUES (:tenant, :due, :empty_due)
ON CONFLICT (tenant) DO UPDATE SET due = excluded.due, empty_due = excluded.empty_due"""
SET_HEAD = "UPDATE annealing SET head = :head WHERE tenant = :tenant"

UNFINISHED_OF = "SELECT id FROM anneal WHERE tenant = :tenant AND state <> 'done' AND dry = :dry"
LAST_NUMBER = "SELECT count(*) AS walks FROM anneal WHERE tenant = :tenant"
OPEN = """
INSERT INTO anneal (id, tenant, kind, dry, state, opened, due) VALUES (:id, :tenant, :kind, :dry, 'due', :now, :now)"""
UNFINISHED = "SELECT id FROM anneal WHERE state <> 'done' ORDER BY due, id"
FIND = "SELECT * FROM anneal WHERE id = :id"
BEGIN = """
UPDATE anneal SET state = 'running', attempts = attempts + 1, started = :now WHERE id = :id AND state <> 'done'
RETURNING *"""
AGAIN = "UPDATE anneal SET state = 'due', due = :due, problem = :problem WHERE id = :id"
STEP_ASIDE = "UPDATE anneal SET state = 'due', due = :due, problem = :problem, attempts = attempts - 1 WHERE id = :id"
END = """
UPDATE anneal SET state = 'done', outcome = :outcome, problem = :problem, finished = :now WHERE id = :id"""
OF_TENANT = "SELECT * FROM anneal WHERE tenant = :tenant ORDER BY opened DESC, id DESC LIMIT :limit"

UNJUDGED = """
SELECT id, conversation, previous, state, problem, commits, opened, finished FROM turn
WHERE tenant = :tenant AND judged = 0 AND state IN ('done', 'failed') ORDER BY finished, id LIMIT 50"""
WITH_UNJUDGED = "SELECT DISTINCT tenant FROM turn WHERE judged = 0 AND state IN ('done', 'failed')"
JUDGED = "UPDATE turn SET judged = 1 WHERE id = :turn"


class Kind(StrEnum):
    """``LOOK``: by the timer, or by hand. ``EMPTY``: the weekly landing of nothing."""

    LOOK = "look"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One walk of the loop. Times are seconds since the epoch."""

    id: str
    tenant: TenantId
    kind: Kind
    dry: bool
    state: str
    attempts: int
    outcome: str
    problem: str
    opened: float
    due: float
    started: float | None
    finished: float | None


def due(tx: Transaction, tenant: TenantId, now: float, *, paused: bool) -> str | None:
    """Set the tenant's timers, if they have come, and open a walk: its id, None when there is none to open now."""
    timer = tx.one(TIMER, tenant=tenant)
    if timer is None:
        tx.run(SET_TIMER, tenant=tenant, due=now + EVERY, empty_due=now + WEEK)
        return None
    look, empty = now >= timer["due"], now >= timer["empty_due"]
    if not look and not empty:
        return None
    # A timer that is late by more than a round is not caught up.
    due_next = max(timer["due"] + EVERY, now + EVERY / 2) if look else timer["due"]
    empty_next = max(timer["empty_due"] + WEEK, now + WEEK / 2) if empty else timer["empty_due"]
    tx.run(SET_TIMER, tenant=tenant, due=due_next, empty_due=empty_next)
    if paused:
        return None
    return open_walk(tx, tenant, Kind.EMPTY if empty else Kind.LOOK, now)


def open_walk(tx: Transaction, tenant: TenantId, kind: Kind, now: float, *, dry: bool = False) -> str:
    """The walk that is open for the tenant already, or a new one."""
    if found := tx.run(UNFINISHED_OF, tenant=tenant, dry=int(dry)):
        return str(found[0]["id"])
    number = int(tx.run(LAST_NUMBER, tenant=tenant)[0]["walks"]) + 1
    id = f"anneal:{tenant}:{number:06d}"
    tx.run(OPEN, id=id, tenant=tenant, kind=kind.value, dry=int(dry), now=now)
    return id


def find(tx: Transaction, id: str) -> Walk | None:
    row = tx.one(FIND, id=id)
    return _walk(row) if row else None


def begin(tx: Transaction, id: str, now: float) -> Walk | None:
    """Count an attempt; None when the walk has ended."""
    rows = tx.run(BEGIN, id=id, now=now)
    return _walk(rows[0]) if rows else None


def again(tx: Transaction, id: str, problem: str, due: float) -> None:
    tx.run(AGAIN, id=id, problem=problem, due=due)


def step_aside(tx: Transaction, id: str, problem: str, due: float) -> None:
    """The attempt does not count: it made way, or was cut short from outside."""
    tx.run(STEP_ASIDE, id=id, problem=problem, due=due)


def end(tx: Transaction, id: str, outcome: str, problem: str, now: float) -> None:
    tx.run(END, id=id, outcome=outcome, problem=problem, now=now)


def unfinished(tx: Transaction) -> list[str]:
    return [row["id"] for row in tx.run(UNFINISHED)]


def of_tenant(tx: Transaction, tenant: TenantId, limit: int) -> list[Walk]:
    """The newest first."""
    return [_walk(row) for row in tx.run(OF_TENANT, tenant=tenant, limit=limit)]


def head(tx: Transaction, tenant: TenantId) -> str:
    """Up to which commit the tenant's history was looked at; nothing where it never was."""
    timer = tx.one(TIMER, tenant=tenant)
    return str(timer["head"]) if timer else ""


def saw_head(tx: Transaction, tenant: TenantId, head: str, now: float) -> None:
    if tx.one(TIMER, tenant=tenant) is None:
        tx.run(SET_TIMER, tenant=tenant, due=now + EVERY, empty_due=now + WEEK)
    tx.run(SET_HEAD, tenant=tenant, head=head)


def with_unjudged(tx: Transaction) -> list[TenantId]:
    """Tenants with turns that have ended and were not judged."""
    return [TenantId(row["tenant"]) for row in tx.run(WITH_UNJUDGED)]


def unjudged(tx: Transaction, tenant: TenantId) -> list[Row]:
    """The turns of a tenant that have ended and were not judged, in the order they ended."""
    return tx.run(UNJUDGED, tenant=tenant)


def judged(tx: Transaction, turn: TurnId) -> None:
    tx.run(JUDGED, turn=turn)


def _walk(row: Row) -> Walk:
    return Walk(**{**row, "kind": Kind(row["kind"]), "dry": bool(row["dry"]), "tenant": TenantId(row["tenant"])})
