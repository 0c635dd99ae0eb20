"""Every row of every table, ours and the engine's, to be searched, changed or removed; and the bytes of what was.

Owns how rows are reached, whatever the tables. Does not own what becomes of a row (turns/forgetting.py).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from runtime.engine.database import Database

Judge = Callable[[str, Mapping[str, Any]], Mapping[str, Any] | None]
"""Table and row in, the row as it may stand out; None: it goes."""

_SCHEMAS = (None, "dbos")


def rows(database: Database) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every row, with its table's name."""
    with database.engine.connect() as connection:
        for table in _tables(database):
            for row in connection.execute(sa.select(table)).mappings():
                yield table.name, dict(row)


def scrub(database: Database, judge: Judge) -> None:
    """Change and remove what ``judge`` says, all in one transaction."""
    tables = _tables(database)
    with database.engine.begin() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        for table in tables:
            if not table.primary_key.columns:
                continue
            found = map(dict, connection.execute(sa.select(table)).mappings())
            changes = [(row, new) for row in found if (new := judge(table.name, row)) is None or new != row]
            for row, new in changes:
                here = sa.and_(*(column == row[column.name] for column in table.primary_key.columns))
                connection.execute(sa.delete(table).where(here) if new is None else _update(table, here, row, new))


def compact(database: Database) -> None:
    """Make the database's files anew, so that no byte of a row that went is left in them."""
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in _tables(database):
                connection.execute(sa.text(f"VACUUM FULL {table.fullname}"))
        return
    raw = database.engine.raw_connection()
    try:
        raw.driver_connection.isolation_level = None  # type: ignore[union-attr]  # it is connected
        cursor = raw.cursor()
        for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            cursor.execute(statement)
            cursor.fetchall()
        cursor.close()
    finally:
        raw.invalidate()


def _update(table: sa.Table, here: Any, old: Mapping[str, Any], new: Mapping[str, Any]) -> sa.Update:
    return sa.update(table).where(here).values({key: value for key, value in new.items() if value != old[key]})


def _tables(database: Database) -> list[sa.Table]:
    found: list[sa.Table] = []
    for schema in _SCHEMAS:
        if schema is not None and (database.is_sqlite or schema not in sa.inspect(database.engine).get_schema_names()):
            continue
        metadata = sa.MetaData(schema=schema)
        metadata.reflect(database.engine)
        found += metadata.sorted_tables
    return found
