"""The runs of a home, as rows: opened once for what they cover, begun, ended; and how far was learned.

Owns the tables run, learned and review. Does not own when a run is due (moments.py) nor what is done in one (run.py).
A run is opened in the transaction that finds it due, so that a kill loses none and opens none twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.engine.database import Row, Transaction
from runtime.learning import moments, remarks
from runtime.learning.moments import Ending, Kind
from runtime.learning.remarks import Remark
from runtime.tenant.registry import Tenant
from runtime.words import Conversation, TenantId

ALL = Conversation("")
"""In the place of a conversation: all of a tenant's."""

UPTO = "SELECT upto FROM learned WHERE tenant = :tenant AND conversation = :conversation"

LEARN = """
INSERT INTO learned (tenant, conversation, upto) VALUES (:tenant, :conversation, :upto)
ON CONFLICT (tenant, conversation) DO UPDATE SET upto = excluded.upto WHERE excluded.upto > learned.upto"""

OF_CONVERSATION = """
SELECT * FROM run WHERE tenant = :tenant AND kind = :kind AND conversation = :conversation ORDER BY opened, id"""

OPEN = """
INSERT INTO run (id, tenant, kind, conversation, state, upto, opened, due)
VALUES (:id, :tenant, :kind, :conversation, 'due', :upto, :now, :now)"""

OF_FILE = "SELECT * FROM run WHERE tenant = :tenant AND kind = 'consolidation' AND file = :file ORDER BY opened, id"

OPEN_OF_FILE = """
INSERT INTO run (id, tenant, kind, conversation, state, upto, opened, due, file, seen)
VALUES (:id, :tenant, 'consolidation', '', 'due', 0, :now, :now, :file, :seen)"""

SAW = "UPDATE run SET seen = :seen WHERE id = :id"

# One that waits takes what was said since along; one that runs has read already what it covers.
EXTEND = "UPDATE run SET upto = :upto WHERE id = :id AND state = 'due' AND upto < :upto"

# A conversation whose session nobody goes on with, with words in it that no run covers yet.
EXPIRED = """
SELECT c.tenant, c.conversation FROM conversation AS c
WHERE EXISTS (
    SELECT 1 FROM inbox AS i
    WHERE i.tenant = c.tenant AND i.conversation = c.conversation AND i.turn LIKE 'turn:%'
    AND i.seq > coalesce((SELECT l.upto FROM learned AS l
                          WHERE l.tenant = c.tenant AND l.conversation = c.conversation), 0)
    AND i.seq > coalesce((SELECT max(r.upto) FROM run AS r
                          WHERE r.tenant = c.tenant AND r.kind = 'reflection' AND r.conversation = c.conversation), 0))
AND (SELECT max(i.received) FROM inbox AS i
     WHERE i.tenant = c.tenant AND i.conversation = c.conversation) < :before"""

TIMERS = "SELECT tenant, due FROM review"
TIMER = "SELECT due FROM review WHERE tenant = :tenant"
LAST_REVIEW = "SELECT max(opened) AS opened FROM run WHERE tenant = :tenant AND kind = 'review'"

SET_TIMER = """
INSERT INTO review (tenant, due) VALUES (:tenant, :due) ON CONFLICT (tenant) DO UPDATE SET due = excluded.due"""

LAST_SAID = "SELECT max(seq) AS seq FROM inbox WHERE tenant = :tenant AND conversation = :conversation"

UNFINISHED = "SELECT id FROM run WHERE state <> 'done' ORDER BY due, id"
FIND = "SELECT * FROM run WHERE id = :id"
OPEN_TURNS = """
SELECT count(*) AS turns FROM turn WHERE state IN ('open', 'closed') AND tenant = :tenant AND id LIKE 'turn:%'"""

BEGIN = """
UPDATE run SET state = 'running', attempts = attempts + 1, started = :now WHERE id = :id AND state <> 'done'
RETURNING *"""
AGAIN = "UPDATE run SET state = 'due', due = :due, outcome = :outcome, problem = :problem WHERE id = :id"
GIVE_BACK = "UPDATE run SET state = 'due', due = :due, problem = :problem, attempts = attempts - 1 WHERE id = :id"
END = """
UPDATE run SET state = 'done', outcome = :outcome, problem = :problem, landed = :landed, finished = :now
WHERE id = :id"""

OF_TENANT = "SELECT * FROM run WHERE tenant = :tenant ORDER BY opened DESC, id DESC LIMIT :limit"
LAST = """
SELECT * FROM run AS r WHERE state = 'done'
AND finished = (SELECT max(finished) FROM run AS o WHERE o.tenant = r.tenant AND o.state = 'done') ORDER BY tenant"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as it stands. ``landed`` is the commit's id; times are seconds since the epoch. ``file`` and ``seen``:
    what a consolidation is about, and the blob of what it looked at."""

    id: str
    tenant: TenantId
    kind: Kind
    conversation: Conversation
    state: str
    upto: int
    attempts: int
    outcome: str
    problem: str
    landed: str
    opened: float
    due: float
    started: float | None
    finished: float | None
    file: str
    seen: str


def conversation_ended(tx: Transaction, tenant: Tenant, conversation: Conversation, now: float) -> str | None:
    """Open a reflection on what was said since the last one: the run that covers it, None when nobody who may be
    learned from said anything. Doing it again opens no second one."""
    after = learned(tx, tenant.id, conversation)
    found = remarks.in_conversation(tx, tenant.id, conversation, tenant.config.person, after=after)
    if not found:
        _pass_over(tx, tenant.id, conversation)
        return None
    return _open(tx, tenant.id, Kind.REFLECTION, conversation, found[-1].seq, now)


def review_due(tx: Transaction, tenant: Tenant, now: float) -> str | None:
    """Set the tenant's timer, if it has come, and open a review if there may be one and something was said."""
    timer, last_review = tx.one(TIMER, tenant=tenant.id), tx.one(LAST_REVIEW, tenant=tenant.id)
    look = moments.look(timer["due"] if timer else None, last_review["opened"] if last_review else None, now)
    if look is None:
        return None
    tx.run(SET_TIMER, tenant=tenant.id, due=look.next)
    if not look.now:
        return None
    found = remarks.with_tenant(tx, tenant.id, tenant.config.person, after=learned(tx, tenant.id, ALL))
    return _open(tx, tenant.id, Kind.REVIEW, ALL, found[-1].seq, now) if found else None


def over_budget(tx: Transaction, tenant: TenantId, file: str, blob: str, now: float) -> str | None:
    """Open a consolidation of a file that holds ``blob`` and is over its budget: the run that is open for it, None when
    there may be none now."""
    earlier = tx.run(OF_FILE, tenant=tenant, file=file)
    if unfinished := next((row for row in earlier if row["state"] != "done"), None):
        return str(unfinished["id"])
    taken_back = any(row["outcome"] == Ending.MERGED.value and row["seen"] == blob for row in earlier)
    last = max((row["finished"] for row in earlier), default=None)
    if not moments.consolidates(last, taken_back=taken_back, now=now):
        return None
    name = file.removeprefix("life/").removesuffix(".md").replace("/", ".")
    id = f"run:{tenant}:{Kind.CONSOLIDATION.value}:{name}:{_next(earlier):06d}"
    tx.run(OPEN_OF_FILE, id=id, tenant=tenant, file=file, seen=blob, now=now)
    return id


def saw(tx: Transaction, run: Run, blob: str) -> None:
    """What a consolidation looks at in the end: the file may have grown since it was opened."""
    tx.run(SAW, id=run.id, seen=blob)


def expired(tx: Transaction, before: float) -> list[tuple[TenantId, Conversation]]:
    """Conversations in which nobody wrote since ``before``, and that were not reflected on."""
    rows = tx.run(EXPIRED, before=before)
    return [(TenantId(row["tenant"]), Conversation(row["conversation"])) for row in rows]


def timers(tx: Transaction) -> dict[TenantId, float]:
    return {TenantId(row["tenant"]): row["due"] for row in tx.run(TIMERS)}


def learned(tx: Transaction, tenant: TenantId, conversation: Conversation) -> int:
    """Up to which ``inbox.seq`` it was learned from ``conversation`` (ALL: by reviews)."""
    row = tx.one(UPTO, tenant=tenant, conversation=conversation)
    return int(row["upto"]) if row else 0


def covered(tx: Transaction, run: Run, tenant: Tenant) -> list[Remark]:
    """What ``run`` looks at: the same at every attempt, as long as the tenant's people are the same."""
    after = learned(tx, run.tenant, run.conversation)
    known = tenant.config.person
    if run.kind is Kind.REVIEW:
        return remarks.with_tenant(tx, run.tenant, known, after=after, upto=run.upto)
    return remarks.in_conversation(tx, run.tenant, run.conversation, known, after=after, upto=run.upto)


def find(tx: Transaction, id: str) -> Run | None:
    row = tx.one(FIND, id=id)
    return _run(row) if row else None


def begin(tx: Transaction, id: str, now: float) -> Run | None:
    """Count an attempt; None when the run has ended."""
    rows = tx.run(BEGIN, id=id, now=now)
    return _run(rows[0]) if rows else None


def open_turns(tx: Transaction, tenant: TenantId) -> int:
    """How many turns of the tenant have no reply yet."""
    return int(tx.run(OPEN_TURNS, tenant=tenant)[0]["turns"])


def again(tx: Transaction, run: Run, ending: Ending, problem: str, due: float) -> None:
    tx.run(AGAIN, id=run.id, outcome=ending.value, problem=problem, due=due)


def give_back(tx: Transaction, run: Run, problem: str, due: float) -> None:
    """The attempt does not count: it was cut short from outside."""
    tx.run(GIVE_BACK, id=run.id, problem=problem, due=due)


def end(tx: Transaction, run: Run, ending: Ending, problem: str, *, landed: str, upto: int | None, now: float) -> None:
    """The run is over. ``upto``: how far was learned, None where the cursor stays."""
    tx.run(END, id=run.id, outcome=ending.value, problem=problem, landed=landed, now=now)
    if upto is not None:
        tx.run(LEARN, tenant=run.tenant, conversation=run.conversation, upto=upto)


def unfinished(tx: Transaction) -> list[str]:
    return [row["id"] for row in tx.run(UNFINISHED)]


def of_tenant(tx: Transaction, tenant: TenantId, limit: int) -> list[Run]:
    """The newest first."""
    return [_run(row) for row in tx.run(OF_TENANT, tenant=tenant, limit=limit)]


def last(tx: Transaction) -> list[Run]:
    """Of each tenant the run that ended last."""
    return [_run(row) for row in tx.run(LAST)]


def _open(
    tx: Transaction, tenant: TenantId, kind: Kind, conversation: Conversation, upto: int, now: float
) -> str | None:
    where = {"tenant": tenant, "kind": kind.value, "conversation": conversation}
    earlier = tx.run(OF_CONVERSATION, **where)
    unfinished = [row for row in earlier if row["state"] != "done"]
    if waiting := next((row for row in unfinished if row["state"] == "due"), None):
        tx.run(EXTEND, id=waiting["id"], upto=upto)
        return str(waiting["id"])
    if covering := next((row for row in unfinished if row["upto"] >= upto), None):
        return str(covering["id"])
    id = ":".join(part for part in ("run", tenant, kind.value, conversation, f"{_next(earlier):06d}") if part)
    tx.run(OPEN, id=id, upto=upto, now=now, **where)
    return id


def _next(earlier: Sequence[Row]) -> int:
    return 1 + max((int(row["id"].rpartition(":")[2]) for row in earlier), default=0)


def _pass_over(tx: Transaction, tenant: TenantId, conversation: Conversation) -> None:
    """Nobody who spoke may be learned from: their words are not looked at again."""
    row = tx.one(LAST_SAID, tenant=tenant, conversation=conversation)
    if row and row["seq"]:
        tx.run(LEARN, tenant=tenant, conversation=conversation, upto=row["seq"])


def _run(row: Row) -> Run:
    fields = {name: row[name] for name in Run.__dataclass_fields__}
    return Run(**{**fields, "kind": Kind(row["kind"])})
