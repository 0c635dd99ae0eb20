"""The database of a home: SQLite by default, PostgreSQL by setting. SQL stands in the rooms that own the tables.

Every write of ours goes through one thread: SQLite's own wait between writers is unfair and sleeps up to
100 ms (measured: worst write 631 ms with eight writer threads, 8 ms with one).
"""

import asyncio
import importlib
import sqlite3
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from runtime.engine.migrations import migrate
from runtime.errors import Broken, Unavailable

T = TypeVar("T")
Row = Mapping[str, Any]


class Transaction:
    """One transaction; commits when the work returns, rolls back when it raises."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def run(self, sql: str, **values: object) -> list[Row]:
        """Run one statement; the rows it returns, if it returns any."""
        found = self._connection.execute(_statement(sql), values)
        return [dict(row) for row in found.mappings()] if found.returns_rows else []

    def one(self, sql: str, **values: object) -> Row | None:
        rows = self.run(sql, **values)
        return rows[0] if rows else None


_statement = lru_cache(maxsize=512)(sa.text)
"""Statements are constants of the rooms that own the tables: each is read once."""


class Database:
    """Opened once a process. ``url`` is ``sqlite`` (a file under var/) or ``postgresql://…``."""

    def __init__(self, url: str, var: Path) -> None:
        self.is_sqlite = url == "sqlite"
        self.engine = _sqlite(var / "proxystaff.db") if self.is_sqlite else _postgresql(url)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="database-writer")
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="database-reader")
        try:
            with self.engine.begin() as connection:
                if self.is_sqlite:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                migrate(connection)
        except DBAPIError as fault:
            raise Broken(
                f"the database cannot be opened: {fault.orig}",
                hint="check engine.database in proxystaff.yaml, the disk, and that var/ is writable",
            ) from fault

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one durable transaction. Raises Unavailable when the database refuses or is gone."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self.write_now, work)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work``, which only reads, on one snapshot."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, work)

    def write_now(self, work: Callable[[Transaction], T]) -> T:
        """The same from a thread (or a command) that may block."""
        try:
            with self.engine.begin() as connection:
                if self.is_sqlite:
                    # Takes the write lock before the first read: a SELECT alone would not open a transaction.
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                return work(Transaction(connection))
        except DBAPIError as fault:
            raise _unavailable(fault) from fault

    def read_now(self, work: Callable[[Transaction], T]) -> T:
        try:
            with self.engine.connect() as connection:
                if self.is_sqlite:
                    connection.exec_driver_sql("BEGIN")
                return work(Transaction(connection))
        except DBAPIError as fault:
            raise _unavailable(fault) from fault

    def close(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        self.engine.dispose()


def sqlite_module() -> ModuleType:
    """The SQLite binding to use. Python 3.12 and later with SQLite before 3.42 cannot launch the engine's
    library (it calls ``unixepoch('subsec')``), so there the newer one from pysqlite3-binary is taken."""
    python: tuple[int, ...] = sys.version_info[:2]
    if python < (3, 12) or sqlite3.sqlite_version_info >= (3, 42):
        return sqlite3
    try:
        return importlib.import_module("pysqlite3")
    except ImportError:
        raise Broken(
            f"SQLite {sqlite3.sqlite_version} is too old for Python {python[0]}.{python[1]}",
            hint="pip install pysqlite3-binary, or use a Python built with SQLite 3.42 or newer",
        ) from None


def _sqlite(path: Path) -> sa.Engine:
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(f"sqlite:///{path}", module=sqlite_module(), pool_size=8, max_overflow=24)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _postgresql(url: str) -> sa.Engine:
    return sa.create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=8, max_overflow=24, pool_pre_ping=True
    )


def _unavailable(fault: DBAPIError) -> Unavailable:
    return Unavailable(
        f"the database did not take it: {fault.orig}", hint="see the disk and the database's log; senders try again"
    )
