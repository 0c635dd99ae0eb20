"""Every row of a real database, changed, removed, and gone from its file."""

from pathlib import Path

from runtime.engine import scrubbing
from runtime.engine.database import Database

INSERT = "INSERT INTO polled (tenant, channel, upto) VALUES (:t, :c, 1)"


def test_rows_are_changed_and_removed_in_one_go(tmp_path: Path) -> None:
    database = Database("sqlite", tmp_path)
    try:
        for tenant in ("a", "b", "c"):
            database.write_now(lambda tx, tenant=tenant: tx.run(INSERT, t=tenant, c="x"))  # type: ignore[misc]
        told = {"a": None, "b": {"tenant": "b", "channel": "y", "upto": 2}}
        scrubbing.scrub(database, lambda _, row: told.get(str(row.get("tenant")), row))
        found = [dict(row) for table, row in scrubbing.rows(database) if table == "polled"]
        assert found == [{"tenant": "b", "channel": "y", "upto": 2}, {"tenant": "c", "channel": "x", "upto": 1}]
    finally:
        database.close()


def test_no_byte_of_what_went_is_left_in_the_files(tmp_path: Path) -> None:
    database = Database("sqlite", tmp_path)
    try:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA secure_delete = OFF")  # on in some builds, and then this tests nothing
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql("INSERT INTO polled VALUES ('tenant', 'a very own word', 1)")
        with database.engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA secure_delete = OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql("DELETE FROM polled")
        assert [path for path in tmp_path.iterdir() if b"a very own word" in path.read_bytes()]
        scrubbing.compact(database)
        assert not [path for path in tmp_path.iterdir() if b"a very own word" in path.read_bytes()]
        assert database.read_now(lambda tx: tx.run("SELECT * FROM polled")) == []
    finally:
        database.close()
