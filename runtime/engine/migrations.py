"""Our tables, as numbered steps forward. A step that has been released is never edited: add the next one.

``{serial}`` stands for the dialect's own growing integer key. Times are seconds since the epoch, UTC.
Content lives in our tables only; the engine's own tables hold ids, so that a tenant is deleted in one place.
"""

import sqlalchemy as sa

_SERIAL = {
    "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "postgresql": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
}

STEPS: tuple[tuple[str, ...], ...] = (
    (
        # What arrived. The unique key is what makes a second delivery of the same message nothing.
        """CREATE TABLE inbox (
            seq {serial},
            tenant TEXT NOT NULL, channel TEXT NOT NULL, id TEXT NOT NULL,
            conversation TEXT NOT NULL, turn TEXT NOT NULL, body TEXT NOT NULL, received DOUBLE PRECISION NOT NULL,
            UNIQUE (tenant, channel, id))""",
        "CREATE INDEX inbox_turn ON inbox (turn)",
        # Where a conversation stands: which turn collects what arrives now, and the number of the next one.
        """CREATE TABLE conversation (
            tenant TEXT NOT NULL, conversation TEXT NOT NULL, open_turn TEXT, next_turn INTEGER NOT NULL,
            PRIMARY KEY (tenant, conversation))""",
        # open -> closed (its messages are fixed) -> answered (its reply is durable) -> done | failed
        """CREATE TABLE turn (
            id TEXT PRIMARY KEY,
            tenant TEXT NOT NULL, conversation TEXT NOT NULL, state TEXT NOT NULL, previous TEXT,
            attempts INTEGER NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT '',
            commits TEXT NOT NULL DEFAULT '[]',
            opened DOUBLE PRECISION NOT NULL, answered DOUBLE PRECISION, finished DOUBLE PRECISION)""",
        "CREATE INDEX turn_unfinished ON turn (state) WHERE state NOT IN ('done', 'failed')",
        "CREATE INDEX turn_day ON turn (tenant, opened)",
        # What leaves. planned -> claimed -> sent | failed | unknown; a claim without a mark is unknown.
        """CREATE TABLE outbox (
            key TEXT PRIMARY KEY,
            turn TEXT NOT NULL, part INTEGER NOT NULL, tenant TEXT NOT NULL, conversation TEXT NOT NULL,
            channel TEXT NOT NULL, address TEXT NOT NULL, text TEXT NOT NULL,
            state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
            provider_id TEXT NOT NULL DEFAULT '', problem TEXT NOT NULL DEFAULT '',
            planned DOUBLE PRECISION NOT NULL, changed DOUBLE PRECISION NOT NULL)""",
        "CREATE INDEX outbox_turn ON outbox (turn, part)",
        "CREATE INDEX outbox_provider ON outbox (tenant, channel, provider_id)",
        "CREATE INDEX outbox_troubled ON outbox (state) WHERE state IN ('failed', 'unknown', 'held')",
    ),
    (
        "CREATE INDEX inbox_pace ON inbox (tenant, conversation, received)",
        # Since when the business itself has been answering here; the assistant stays silent until released.
        "ALTER TABLE conversation ADD COLUMN taken_over DOUBLE PRECISION",
        # What else a message to send has: the file it carries, the approved template it is sent as, why it is held.
        "ALTER TABLE outbox ADD COLUMN file TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE outbox ADD COLUMN template TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX outbox_held ON outbox (tenant, channel, address) WHERE state = 'held'",
        # Strangers who wrote. Their words wait in the inbox; the code is what an owner answers with.
        """CREATE TABLE pairing (
            tenant TEXT NOT NULL, channel TEXT NOT NULL, sender TEXT NOT NULL, name TEXT NOT NULL,
            code TEXT NOT NULL, state TEXT NOT NULL, opened DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (tenant, channel, sender))""",
        "CREATE UNIQUE INDEX pairing_code ON pairing (tenant, code)",
        # How far a channel that is polled has been read: confirmed only after the durable write.
        """CREATE TABLE polled (
            tenant TEXT NOT NULL, channel TEXT NOT NULL, upto BIGINT NOT NULL, PRIMARY KEY (tenant, channel))""",
    ),
    (
        "CREATE INDEX inbox_said ON inbox (tenant, conversation, seq)",
        # Work that nobody typed: due -> running -> done (or due again). It covers what was said up to inbox.seq
        # ``upto``; ``conversation`` is empty where it is about all of a tenant's.
        """CREATE TABLE run (
            id TEXT PRIMARY KEY,
            tenant TEXT NOT NULL, kind TEXT NOT NULL, conversation TEXT NOT NULL, state TEXT NOT NULL,
            upto BIGINT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
            outcome TEXT NOT NULL DEFAULT '', problem TEXT NOT NULL DEFAULT '', landed TEXT NOT NULL DEFAULT '',
            opened DOUBLE PRECISION NOT NULL, due DOUBLE PRECISION NOT NULL,
            started DOUBLE PRECISION, finished DOUBLE PRECISION)""",
        "CREATE INDEX run_of ON run (tenant, kind, conversation)",
        "CREATE INDEX run_unfinished ON run (due) WHERE state <> 'done'",
        # How far of what was said is learned from: of one conversation, or (empty) by the reviews of a tenant.
        """CREATE TABLE learned (
            tenant TEXT NOT NULL, conversation TEXT NOT NULL, upto BIGINT NOT NULL,
            PRIMARY KEY (tenant, conversation))""",
        # When a tenant is looked at next for a review.
        "CREATE TABLE review (tenant TEXT PRIMARY KEY, due DOUBLE PRECISION NOT NULL)",
        # Edits that are not in force: what is wrong, the blob of the version that is, and where the bytes are kept.
        """CREATE TABLE bad_edit (
            tenant TEXT NOT NULL, path TEXT NOT NULL, faults TEXT NOT NULL, committed TEXT NOT NULL,
            aside TEXT NOT NULL, whose TEXT NOT NULL, since DOUBLE PRECISION NOT NULL, PRIMARY KEY (tenant, path))""",
    ),
    (
        # Of a consolidation: the file it is about, and the blob of what it looked at.
        "ALTER TABLE run ADD COLUMN file TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE run ADD COLUMN seen TEXT NOT NULL DEFAULT ''",
    ),
    (
        # Whether it was looked at how a turn that ended went; those that ended before are not.
        "ALTER TABLE turn ADD COLUMN judged INTEGER NOT NULL DEFAULT 0",
        "UPDATE turn SET judged = 1 WHERE state IN ('done', 'failed')",
        "CREATE INDEX turn_unjudged ON turn (tenant, finished) WHERE judged = 0",
        # Of each tenant: when it is looked at for an improvement next, when the gate is tried with an empty one, and
        # up to which commit its history was looked at for what people took back.
        """CREATE TABLE annealing (
            tenant TEXT PRIMARY KEY, due DOUBLE PRECISION NOT NULL, empty_due DOUBLE PRECISION NOT NULL,
            head TEXT NOT NULL DEFAULT '')""",
        # One walk of the loop: due -> running -> done. ``dry``: nothing lands.
        """CREATE TABLE anneal (
            id TEXT PRIMARY KEY,
            tenant TEXT NOT NULL, kind TEXT NOT NULL, dry INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0, outcome TEXT NOT NULL DEFAULT '', problem TEXT NOT NULL DEFAULT '',
            opened DOUBLE PRECISION NOT NULL, due DOUBLE PRECISION NOT NULL,
            started DOUBLE PRECISION, finished DOUBLE PRECISION)""",
        "CREATE INDEX anneal_unfinished ON anneal (due) WHERE state <> 'done'",
        "CREATE INDEX anneal_of ON anneal (tenant, opened)",
    ),
)


def migrate(connection: sa.Connection) -> None:
    """Bring the schema to the newest step, inside the caller's transaction."""
    connection.execute(sa.text("CREATE TABLE IF NOT EXISTS proxystaff_schema (version INTEGER NOT NULL)"))
    version = connection.execute(sa.text("SELECT max(version) FROM proxystaff_schema")).scalar() or 0
    for number, statements in enumerate(STEPS[version:], start=version + 1):
        for statement in statements:
            connection.execute(sa.text(statement.replace("{serial}", _SERIAL[connection.dialect.name])))
        connection.execute(sa.text("INSERT INTO proxystaff_schema VALUES (:number)"), {"number": number})
