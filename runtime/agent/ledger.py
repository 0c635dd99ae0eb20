"""What was spent on models: one line a request, kept for good.

Owns a SQLite file of its own under ``var/`` and the questions asked of it. Does not own prices or budgets.
A line is on the disk (WAL, synchronous=FULL) before ``record`` returns.
"""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from runtime.agent.prices import KINDS, NO_TOKENS, Tokens
from runtime.errors import Broken
from runtime.words import Conversation, TenantId, TurnId

_VERSION = 1

_SCHEMA = f"""
CREATE TABLE spent (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,            -- UTC, of fixed width, so that it sorts
    tenant TEXT NOT NULL,
    conversation TEXT NOT NULL,
    turn TEXT NOT NULL,
    upstream TEXT NOT NULL,      -- what a rehearsal "cost" is never counted against real money
    model TEXT NOT NULL,
    {", ".join(f"{kind} INTEGER NOT NULL" for kind in KINDS)},
    usd REAL NOT NULL,
    complete INTEGER NOT NULL    -- 0: the answer broke off, and part of the numbers is an estimate
);
CREATE INDEX spent_by_tenant ON spent (tenant, upstream, at, usd);
CREATE INDEX spent_by_turn ON spent (turn);
PRAGMA user_version = {_VERSION};
"""

_NAMES = "SELECT DISTINCT conversation, turn FROM spent WHERE tenant = ?"
_FORGET = "UPDATE spent SET conversation = ?, turn = ? WHERE tenant = ? AND conversation = ? AND turn = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request to a model that cost something. ``at`` is aware."""

    at: datetime
    tenant: TenantId
    conversation: Conversation
    turn: TurnId
    upstream: str
    model: str
    tokens: Tokens
    usd: float
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """A sum of entries."""

    requests: int = 0
    tokens: Tokens = NO_TOKENS
    usd: float = 0.0
    models: tuple[str, ...] = ()


class Ledger:
    """Safe to call from any thread. Raises Broken when the file is damaged or of a newer version."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._writer = self._open()
        self._reader = self._open()  # in WAL a reader waits for no writer, and so for no disk

    def close(self) -> None:
        self._reader.close()
        self._writer.close()

    def record(self, entry: Entry) -> None:
        """Durable when this returns. May take as long as the disk does: call it beside the event loop."""
        row = (
            _text(entry.at),
            entry.tenant,
            entry.conversation,
            entry.turn,
            entry.upstream,
            entry.model,
            *entry.tokens.counts(),
            entry.usd,
            int(entry.complete),
        )
        columns = ("at", "tenant", "conversation", "turn", "upstream", "model", *KINDS, "usd", "complete")
        statement = f"INSERT INTO spent ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - our own column names
        with self._lock:
            self._ask(self._writer, statement, row)

    def spent_today(self, tenant: TenantId, zone: ZoneInfo, now: datetime, *, upstream: str | None = None) -> float:
        """US dollars since midnight in ``zone``; of one upstream (``anthropic``, ``rehearsal``) if it is named."""
        midnight = datetime.combine(now.astimezone(zone).date(), time.min, tzinfo=zone)
        statement = "SELECT coalesce(sum(usd), 0.0) FROM spent WHERE tenant = ? AND at >= ?"
        values: list[Any] = [tenant, _text(midnight)]
        if upstream is not None:
            statement, values = f"{statement} AND upstream = ?", [*values, upstream]
        [(usd,)] = self._read(statement, values)
        return float(usd)

    def by_day(self, tenant: TenantId, zone: ZoneInfo, *, since: date) -> dict[date, Spent]:
        """Every day in ``zone`` from ``since`` on which something was spent, in order."""
        start = datetime.combine(since, time.min, tzinfo=zone)
        rows = self._read(
            f"SELECT at, model, {', '.join(KINDS)}, usd FROM spent WHERE tenant = ? AND at >= ? ORDER BY at",  # noqa: S608 - our own column names
            [tenant, _text(start)],
        )
        days: dict[date, list[Any]] = {}
        for at, *rest in rows:
            days.setdefault(datetime.fromisoformat(at).astimezone(zone).date(), []).append(rest)
        return {day: _sum(found) for day, found in days.items()}

    def by_turn(self, turn: TurnId) -> Spent:
        rows = self._read(f"SELECT model, {', '.join(KINDS)}, usd FROM spent WHERE turn = ? ORDER BY id", [turn])  # noqa: S608 - our own column names
        return _sum(rows)

    def names(self, tenant: TenantId) -> list[tuple[str, str]]:
        """The conversations and turns that anything was spent on, each pair once."""
        return [tuple(row) for row in self._read(_NAMES, [tenant])]

    def forget(self, tenant: TenantId, gone: Callable[[str], bool], mark: str) -> int:
        """Keep what was spent on the conversations and turns that ``gone`` says, under ``mark``; how many there were.
        No byte of their names is left in the file."""
        found = [pair for pair in self.names(tenant) if any(map(gone, pair))]
        with self._lock:
            for conversation, turn in found:
                self._ask(self._writer, _FORGET, (mark, mark, tenant, conversation, turn))
        for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            with self._lock, self._reading:
                self._ask(self._writer, statement, ())
        return len(found)

    def _read(self, statement: str, values: list[Any]) -> list[Any]:
        with self._reading:
            return self._ask(self._reader, statement, values)

    def _ask(self, connection: sqlite3.Connection, statement: str, values: Any) -> list[Any]:
        try:
            with closing(connection.execute(statement, values)) as cursor:
                return cursor.fetchall()
        except sqlite3.Error as fault:
            raise self._broken(fault) from fault

    def _open(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=10)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            self._make_schema(connection)
        except sqlite3.Error as fault:
            raise self._broken(fault) from fault
        return connection

    def _make_schema(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")  # two processes may open a new home at once
        [version] = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
        connection.execute("COMMIT")
        if version > _VERSION:
            raise Broken(
                f"{self._path} was written by a newer ProxyStaff (version {version}, this one knows {_VERSION})",
                hint="run the newer ProxyStaff, or move the file away: only the record of what was spent is in it",
            )

    def _broken(self, fault: sqlite3.Error) -> Broken:
        return Broken(
            f"the record of what was spent, {self._path}, cannot be used: {fault}",
            hint="check the disk's space and rights; if the file is damaged, move it away and start again",
        )


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _sum(rows: list[Any]) -> Spent:
    """Rows of (model, a count for each of KINDS, usd)."""
    return Spent(
        requests=len(rows),
        tokens=sum((Tokens(*counts) for _, *counts, _ in rows), NO_TOKENS),
        usd=sum(usd for *_, usd in rows),
        models=tuple(dict.fromkeys(model for model, *_ in rows)),
    )
