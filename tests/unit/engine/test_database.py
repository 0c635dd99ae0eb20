"""The database: durable settings, numbered migrations, faults that say what next."""

import sqlite3
from pathlib import Path

import pytest

from runtime.engine.database import Database
from runtime.engine.migrations import STEPS
from runtime.errors import Broken, Unavailable


@pytest.fixture
def database(tmp_path: Path):
    opened = Database("sqlite", tmp_path)
    yield opened
    opened.close()


def test_every_commit_is_on_the_disk_before_it_is_acknowledged(database: Database) -> None:
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


async def test_a_write_that_raises_leaves_nothing(database: Database) -> None:
    def work(tx) -> None:
        tx.run("INSERT INTO conversation (tenant, conversation, next_turn) VALUES ('t', 'c', 1)")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.write(work)
    assert await database.read(lambda tx: tx.run("SELECT * FROM conversation")) == []


async def test_a_refused_write_says_what_next(database: Database) -> None:
    def twice(tx) -> None:
        for _ in range(2):
            tx.run("INSERT INTO conversation (tenant, conversation, next_turn) VALUES ('t', 'c', 1)")

    with pytest.raises(Unavailable, match="did not take it"):
        await database.write(twice)


def test_the_schema_is_brought_forward_once(tmp_path: Path) -> None:
    for _ in range(2):
        Database("sqlite", tmp_path).close()
    with sqlite3.connect(tmp_path / "proxystaff.db") as raw:
        versions = [row[0] for row in raw.execute("SELECT version FROM proxystaff_schema ORDER BY version")]
    raw.close()
    assert versions == list(range(1, len(STEPS) + 1))


def test_a_file_that_is_no_database_is_a_fault_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "proxystaff.db").write_bytes(b"this is not a database, but long enough to be read as one" * 100)
    with pytest.raises(Broken, match="cannot be opened"):
        Database("sqlite", tmp_path)
