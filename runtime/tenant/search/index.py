"""The search index of one tenant: a SQLite file with full text, made from the logs and the history of life/ alone.

Owns the derived database under the home's ``var/index/``: it may be deleted at any time, and one that is damaged is
thrown away and made anew. Does not own the logs (messages.py, turnlog.py), which alone are the truth, nor how their
lines get in (intake.py), nor the language of a query (matching.py).
"""

import fcntl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlite_utils import Database

# The very module sqlite-utils uses (there may be two), so that its errors are caught.
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # chosen there at import

from runtime.errors import BadInput, Unavailable
from runtime.tenant.folder import Folder
from runtime.tenant.git.learned import Learned
from runtime.tenant.messages import MessageLine, from_line
from runtime.tenant.search import matching
from runtime.tenant.search.intake import Intake, Progress, Rewritten
from runtime.tenant.search.matching import Filters, select, to_match
from runtime.tenant.search.tables import VERSION, clean, make, transaction, used_key, version
from runtime.words import Direction

__all__ = ["MAX_LIMIT", "VERSION", "Hit", "Index", "to_match"]

MAX_LIMIT = 100

_CACHE_KB = 64_000
_HEAD = "life read up to"

_A = TypeVar("_A")


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found, in its latest state and without its ``extra``.

    ``snippet`` is the part of the text that matched, the words in «».
    """

    line: MessageLine
    snippet: str


class Index:
    """Safe for many threads and processes: each call opens the database and closes it.

    Every call may raise Unavailable: another process holds the database for long, or the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._folder: Folder | None = None

    def catch_up(self, folder: Folder, progress: Progress | None = None) -> int:
        """Take in what the logs have gained; returns how many lines of messages. Doing it twice changes nothing.

        A file that is shorter than it was or not the one it was means that a log was rewritten: all is made anew.
        """
        self._folder = folder
        with self._lock:
            try:
                with self._opened() as db:
                    return Intake(db, folder).catch_up(progress)
            except Rewritten:
                return self._rebuild(folder, progress)
            except sqlite3.DatabaseError as fault:
                self._refuse_unless_damaged(fault)
                self._throw_away()
                with self._opened() as db:
                    return Intake(db, folder).catch_up(progress)

    def rebuild(self, folder: Folder, progress: Progress | None = None) -> int:
        """Make the index anew from the whole logs; returns how many lines of messages that were."""
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
        filters = Filters(direction=direction, since=since, until=until, person=person)

        def hits(db: Database) -> list[Hit]:
            sql, values = select(query, filters, matching.endings_in(db))
            return [_hit(row) for row in db.query(sql, [*values, limit, offset])]

        return self._ask(hits)

    def count(self) -> int:
        """How many messages the index holds."""
        return self._ask(lambda db: int(db.table("messages").count))

    # For recall

    def said(self, words: Sequence[Sequence[str]], *, limit: int) -> list[MessageLine]:
        """What people said that holds a word of each group (or its beginning), newest first; without the messages
        from which a fact was learned: what they said stands in life/, as it is now."""
        return self._ask(lambda db: [line for row in matching.said(db, words, limit) if (line := from_line(row))])

    def how_many(self, words: Sequence[Sequence[str]], *, most: int) -> list[int]:
        """For each group of words, how many messages hold one of them; counted up to ``most``."""
        return self._ask(lambda db: matching.how_many(db, words, most))

    def learned_up_to(self) -> str:
        """The commit up to which the history of life/ was read for messages that facts were learned from."""

        def head(db: Database) -> str:
            row = db.conn.execute("SELECT value FROM marks WHERE name = ?", [_HEAD]).fetchone()
            return str(row[0]) if row else ""

        return self._ask(head)

    def learn(self, learned: Learned) -> None:
        """Keep what the history tells; when it was read from the beginning, in place of what was kept."""
        names = [(clean(name),) for name in learned.names]
        gone = [(clean(section), clean(text)) for section, text in learned.gone]

        def keep(db: Database) -> None:
            with transaction(db):
                if not learned.after:
                    db.conn.execute("DELETE FROM learned")
                    db.conn.execute("DELETE FROM gone")
                db.conn.executemany("INSERT OR IGNORE INTO learned VALUES (?)", names)
                db.conn.executemany("INSERT OR IGNORE INTO gone VALUES (?, ?)", gone)
                db.conn.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", [_HEAD, learned.head])

        self._ask(keep)

    def gone(self) -> list[tuple[str, str]]:
        """Section and words of the facts that were taken out of life/ at some time."""
        return self._ask(lambda db: list(db.conn.execute("SELECT section, text FROM gone")))

    def used(self, texts: Iterable[str]) -> Mapping[str, int]:
        """How often each of these facts was shown by ``recall`` before."""
        keys = {used_key(text): text for text in texts}

        def times(db: Database) -> Mapping[str, int]:
            marks = ", ".join("?" * len(keys))
            query = f"SELECT fact, times FROM used WHERE fact IN ({marks})"  # noqa: S608 - question marks only
            return {keys[fact]: int(count) for fact, count in db.conn.execute(query, list(keys))}

        return self._ask(times) if keys else {}

    # Opening and mending

    def _ask(self, question: Callable[[Database], _A]) -> _A:
        """The answer; of an index made anew, when this one turns out to be damaged."""
        try:
            with self._opened() as db:
                return question(db)
        except sqlite3.DatabaseError as fault:
            self._refuse_unless_damaged(fault)
        self._throw_away()
        if self._folder is None:
            raise Unavailable("the search index was damaged; it is made anew", hint="search again")
        self.catch_up(self._folder)
        with self._opened() as db:
            return question(db)

    def _rebuild(self, folder: Folder, progress: Progress | None) -> int:
        try:
            with self._opened() as db:
                make(db)
        except sqlite3.DatabaseError as fault:
            self._refuse_unless_damaged(fault)
            self._throw_away()
        with self._opened() as db:
            return Intake(db, folder).catch_up(progress)

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
                connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
                if version(db) != VERSION:
                    make(db)
            yield db

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time, of all processes: SQLite does not wait for others when it changes to WAL, but fails."""
        with self._path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _refuse_unless_damaged(self, fault: Exception) -> None:
        """An OperationalError is mostly a lock or a full disk; raises Unavailable for those."""
        if isinstance(fault, sqlite3.OperationalError) and not any(sign in str(fault) for sign in _DAMAGE):
            problem = f"the search index {self._path.name} does not answer: {fault}"
            raise Unavailable(problem, hint="try again in a moment") from None


_DAMAGE = ("no such table", "no such column", "malformed", "vtable", "corrupt")


def _hit(row: dict[str, Any]) -> Hit:
    snippet = row.pop("snippet")
    line = from_line(row)
    assert line is not None, row  # it came from a line that could be read
    return Hit(line, snippet)
