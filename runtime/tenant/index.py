"""The search index of one tenant: a SQLite file with full text, made from the message log and from nothing else.

Owns the derived database under the home's ``var/index/``: it may be deleted at any time, and one that is damaged is
thrown away and made anew. Does not own the log (messages.py), which alone is the truth.
"""

import fcntl
import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlite_utils import Database

# The very module sqlite-utils uses (there may be two), so that its errors are caught.
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]

from runtime.errors import BadInput, Unavailable
from runtime.tenant.folder import Folder
from runtime.tenant.messages import MESSAGES, RANK, MessageLine, from_line
from runtime.tenant.monthly import MonthlyLog, Place, instant, parse
from runtime.words import Direction

MAX_LIMIT = 100
VERSION = 1
"""Of the tables below; an index of another version is made anew."""

Progress = Callable[[int, int], None]
"""Called with what is done and the whole, in bytes of the log."""

_BATCH = 5_000
_MAX_QUERY = 500
_PRINT = 512
"""Bytes before an offset by which a file is known again: a log only grows, so they never change."""

_INSERT = """
INSERT INTO messages (channel, direction, id, at, conversation, person, kind, text, how, turn, state, rank)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (channel, direction, id) DO UPDATE SET state = excluded.state, rank = excluded.rank
WHERE excluded.rank > messages.rank
"""

_LATER = "UPDATE messages SET state = ?, rank = ? WHERE channel = ? AND direction = ? AND id = ? AND rank < ?"

_TRIGGER = """
CREATE TRIGGER messages_written AFTER INSERT ON messages BEGIN
  INSERT INTO messages_fts (rowid, text) VALUES (new.rowid, new.text);
END;
"""

_COLUMNS = "m.id, m.at, m.channel, m.conversation, m.person, m.direction, m.kind, m.text, m.how, m.turn, m.state"


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found, in its latest state and without its ``extra``.

    ``snippet`` is the part of the text that matched, the words in «».
    """

    line: MessageLine
    snippet: str


class Index:
    """Safe for many threads and processes: each call opens the database and closes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._folder: Folder | None = None

    def catch_up(self, folder: Folder, progress: Progress | None = None) -> int:
        """Take in what the log has gained; returns how many lines. Doing it twice changes nothing.

        A file that is shorter than it was or not the one it was means that the log was rewritten: all is made anew.
        """
        self._folder = folder
        with self._lock:
            try:
                with self._opened() as db:
                    return _catch_up(db, _log(folder), progress)
            except _Rewritten:
                return self._rebuild(folder, progress)
            except sqlite3.DatabaseError as fault:
                if isinstance(fault, sqlite3.OperationalError) and not _is_damage(fault):
                    raise self._unavailable(fault) from None
                self._throw_away()
                with self._opened() as db:
                    return _catch_up(db, _log(folder), progress)

    def rebuild(self, folder: Folder, progress: Progress | None = None) -> int:
        """Make the index anew from the whole log; returns how many lines that were."""
        self._folder = folder
        with self._lock:
            return self._rebuild(folder, progress)

    def search(
        self,
        query: str = "",
        *,
        direction: Direction | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        person: str = "",
        limit: int = 20,
        offset: int = 0,
    ) -> list[Hit]:
        """Messages that hold all the words (or their beginnings) and the quoted phrases of ``query``, newest first.

        No words at all find every message. ``until`` is not included. Raises BadInput (limit, offset), Unavailable.
        """
        if not 1 <= limit <= MAX_LIMIT:
            raise BadInput(f"limit is {limit}", hint=f"give 1 to {MAX_LIMIT}")
        if not 0 <= offset < 2**62:
            raise BadInput(f"offset is {offset}", hint="give 0 or more")
        sql, values = _select(query, direction, since, until, person)
        values += [limit, offset]
        try:
            return self._hits(sql, values)
        except sqlite3.DatabaseError as fault:
            if isinstance(fault, sqlite3.OperationalError) and not _is_damage(fault):
                raise self._unavailable(fault) from None
        self._throw_away()
        if self._folder is None:
            raise Unavailable("the search index was damaged; it is made anew", hint="search again")
        self.catch_up(self._folder)
        return self._hits(sql, values)

    def count(self) -> int:
        """How many messages the index holds."""
        with self._opened() as db:
            return int(db.table("messages").count)

    def _hits(self, sql: str, values: Sequence[Any]) -> list[Hit]:
        with self._opened() as db:
            return [_hit(row) for row in db.query(sql, values)]

    def _rebuild(self, folder: Folder, progress: Progress | None) -> int:
        try:
            with self._opened() as db:
                _make(db)
        except sqlite3.DatabaseError:
            self._throw_away()
        with self._opened() as db:
            return _catch_up(db, _log(folder), progress)

    def _throw_away(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    @contextmanager
    def _opened(self) -> Iterator[Database]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(str(self._path), timeout=30, isolation_level=None)) as connection:
            db = Database(connection)
            with self._alone():
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                if _version(db) != VERSION:
                    _make(db)
            yield db

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time, of all processes: SQLite does not wait for others when it changes to WAL, but fails."""
        with self._path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _unavailable(self, fault: Exception) -> Unavailable:
        return Unavailable(f"the search index {self._path.name} does not answer: {fault}", hint="try again in a moment")


class _Rewritten(Exception):
    """A file of the log is no longer what was taken in."""


def _is_damage(fault: Exception) -> bool:
    """An OperationalError is mostly a lock or a full disk; these are a database that is not what it should be."""
    return any(sign in str(fault) for sign in ("no such table", "no such column", "malformed", "vtable", "corrupt"))


def _log(folder: Folder) -> MonthlyLog:
    return MonthlyLog(folder, MESSAGES, lambda line: line.get("id"))


def _version(db: Database) -> int:
    return int(db.conn.execute("PRAGMA user_version").fetchone()[0])


def _make(db: Database) -> None:
    """Empty tables, in place of whatever there was."""
    with _transaction(db):
        for name in ("messages_fts", "messages", "files"):
            db.table(name).drop(ignore=True)
        db.table("files").create({"name": str, "offset": int, "print": str}, pk="name")
        messages = db.table("messages").create(
            {
                "rowid": int,
                **dict.fromkeys(("channel", "direction", "id", "at", "conversation", "person"), str),
                **dict.fromkeys(("kind", "text", "how", "turn", "state"), str),
                "rank": int,
            },
            pk="rowid",
        )
        messages.create_index(["channel", "direction", "id"], unique=True)
        messages.create_index(["at"])
        messages.enable_fts(["text"], tokenize="unicode61 remove_diacritics 2")
        db.conn.execute(_TRIGGER)
        db.conn.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def _transaction(db: Database) -> Iterator[None]:
    db.conn.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.conn.execute("ROLLBACK")
        raise
    db.conn.execute("COMMIT")


def _catch_up(db: Database, log: MonthlyLog, progress: Progress | None) -> int:
    files = log.files()
    known = {row["name"]: (row["offset"], row["print"]) for row in db.table("files").rows}
    if known.keys() - set(files):
        raise _Rewritten
    sizes = {name: log.size(name) for name in files}
    taken = 0
    for number, name in enumerate(files):
        offset, print_ = known.get(name, (0, ""))
        if offset > sizes[name] or (offset and _print(log, name, offset) != print_):
            raise _Rewritten
        before = sum(sizes[one] for one in files[:number])
        places = log.places(name, offset) if sizes[name] > offset else iter(())
        while batch := list(islice(places, _BATCH)):
            _take(db, log, batch)
            taken += len(batch)
            if progress:
                progress(before + batch[-1].end, sum(sizes.values()))
    return taken


def _take(db: Database, log: MonthlyLog, batch: Sequence[Place]) -> None:
    """A batch and how far it reaches are one transaction; what another process took meanwhile is left out."""
    name = batch[0].file
    with _transaction(db):
        held = db.conn.execute("SELECT offset FROM files WHERE name = ?", [name]).fetchone()
        offset = held[0] if held else 0
        _write(db, (place for place in batch if place.start >= offset))
        end = max(offset, batch[-1].end)
        db.conn.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", [name, end, _print(log, name, end)])


def _write(db: Database, places: Iterable[Place]) -> None:
    whole: list[tuple[Any, ...]] = []
    later: list[tuple[Any, ...]] = []
    for place in places:
        raw = parse(place.raw)
        line = from_line(raw) if raw else None
        if line is None:
            continue
        if line.is_later_state:
            rank = RANK[line.state]
            later.append((line.state, rank, _clean(line.channel), line.direction, _clean(line.id), rank))
        else:
            whole.append(_row(line))
    db.conn.executemany(_INSERT, whole)
    db.conn.executemany(_LATER, later)


def _row(line: MessageLine) -> tuple[Any, ...]:
    words = (line.conversation, line.person, line.kind, line.text, line.how or "", line.turn or "", line.state or "")
    name = (_clean(line.channel), line.direction, _clean(line.id), instant(line.at))
    return (*name, *map(_clean, words), RANK[line.state])


def _clean(text: str) -> str:
    """SQLite takes no half surrogate pairs."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _print(log: MonthlyLog, name: str, offset: int) -> str:
    start = max(0, offset - _PRINT)
    return hashlib.sha256(log.peek(name, start, offset - start)).hexdigest()


def _select(
    query: str, direction: Direction | None, since: datetime | None, until: datetime | None, person: str
) -> tuple[str, list[Any]]:
    query = _clean(query[:_MAX_QUERY].replace("\0", " "))
    match = to_match(query)
    wheres: list[tuple[str, Any]] = []
    if match:
        wheres.append(("messages_fts MATCH ?", match))
    elif query.strip():  # signs only, an emoji say: the full text does not know them
        wheres.append(("instr(m.text, ?)", query.strip()))
    if direction:
        wheres.append(("m.direction = ?", direction.value))
    if since:
        wheres.append(("m.at >= ?", instant(since)))
    if until:
        wheres.append(("m.at < ?", instant(until)))
    if person:
        wheres.append(("lower(m.person) = lower(?)", _clean(person)))
    snippet = "snippet(messages_fts, 0, '«', '»', '…', 24)" if match else "substr(m.text, 1, 160)"
    source = "messages_fts JOIN messages m ON m.rowid = messages_fts.rowid" if match else "messages m"
    where = " AND ".join(text for text, _ in wheres) or "1"
    sql = f"SELECT {_COLUMNS}, {snippet} AS snippet FROM {source} WHERE {where} ORDER BY m.at DESC, m.rowid DESC LIMIT ? OFFSET ?"  # noqa: S608, E501  # every part is written here; values are bound
    return sql, [value for _, value in wheres]


def to_match(query: str) -> str:
    """What a person typed, in FTS5's language: every word quoted, so that nothing in it is an operator.

    Words match by their beginning, a phrase in double quotes as it stands. Nothing when there is no letter or digit.
    """
    terms = []
    for phrase, word in re.findall(r'"([^"]*)"|([^\s"]+)', query):
        text = phrase or word
        if any(c.isalnum() for c in text):
            terms.append(f'"{text}"' if phrase else f'"{text}"*')
    return " ".join(terms[:32])


def _hit(row: dict[str, Any]) -> Hit:
    snippet = row.pop("snippet")
    line = from_line(row)
    assert line is not None, row  # it came from a line that could be read
    return Hit(line, snippet)
