"""The tables of the search index, and the ids of their rows. Nothing in them is a truth: the logs and git are.

A message's row id is its time, then its number within the millisecond: the full text hands out rows by their id, so
"newest first" needs no sorting, however many messages hold a word. ``words`` has every word once: the beginning of a
word is looked up there, and the full text is then asked for whole words, which it can hand out one by one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlite_utils import Database

from runtime.tenant.monthly import instant

VERSION = 2
"""Of the tables below; an index of another version is made anew."""

TEXTS = ("channel", "direction", "id", "at", "conversation", "person", "kind", "text", "how", "turn", "state")
TABLES = (
    "messages_fts",
    "words_list",
    "words_known",
    "words",
    "messages",
    "learned",
    "gone",
    "told",
    "used",
    "marks",
    "files",
)

_SLOT = 10
"""Bits of a row id below the millisecond. What does not fit into one goes on in the next."""

_TOKENS = "unicode61 remove_diacritics 2"


def version(db: Database) -> int:
    return int(db.conn.execute("PRAGMA user_version").fetchone()[0])


def make(db: Database) -> None:
    """Empty tables, in place of whatever there was."""
    run = db.conn.execute
    with transaction(db):
        for name in TABLES:
            db.table(name).drop(ignore=True)
        db.table("files").create({"name": str, "offset": int, "print": str}, pk="name")
        db.table("marks").create({"name": str, "value": str}, pk="name")
        db.table("learned").create({"name": str}, pk="name")
        db.table("gone").create({"section": str, "text": str}, pk=("section", "text"))
        db.table("told").create({"turn": str}, pk="turn")
        db.table("used").create({"fact": str, "times": int}, pk="fact")
        columns = {"rowid": int, **dict.fromkeys(TEXTS, str), "rank": int}
        messages = db.table("messages").create(columns, pk="rowid")
        messages.create_index(["channel", "direction", "id"], unique=True)
        run("CREATE INDEX messages_of ON messages (lower(person))")
        content = "content='messages', content_rowid='rowid'"
        run(f"CREATE VIRTUAL TABLE messages_fts USING fts5(text, {content}, tokenize='{_TOKENS}', prefix='2 3')")
        # It is written in large batches: one segment each.
        run("INSERT INTO messages_fts (messages_fts, rank) VALUES ('hashsize', 32000000)")
        run("CREATE TABLE words_known (rowid INTEGER PRIMARY KEY, word TEXT UNIQUE)")
        run(f"CREATE VIRTUAL TABLE words USING fts5(text, content='', detail=none, tokenize='{_TOKENS}')")
        run("CREATE VIRTUAL TABLE words_list USING fts5vocab('words', 'row')")
        run(f"PRAGMA user_version = {VERSION}")


@contextmanager
def transaction(db: Database) -> Iterator[None]:
    db.conn.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.conn.execute("ROLLBACK")
        raise
    db.conn.execute("COMMIT")


def row_id(at: datetime) -> int:
    """The first row id of a moment."""
    return milliseconds(instant(at)) << _SLOT


def clean(text: str) -> str:
    """SQLite takes no half surrogate pairs."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def used_key(text: str) -> str:
    """By what a fact is counted: its words, whatever stands around them."""
    return clean(" ".join(text.casefold().split()).strip(" .-"))


def milliseconds(at: str) -> int:
    return round(datetime.fromisoformat(at).timestamp() * 1000)


class Slots:
    """Row ids that nobody has, in the order they are asked for."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._highest: int = db.conn.execute("SELECT coalesce(max(rowid), 0) FROM messages").fetchone()[0]
        self._next: dict[int, int] = {}

    def next(self, ms: int) -> int:
        while True:
            first = ms << _SLOT
            found = self._next.get(first)
            if found is None:
                found = first if first > self._highest else self._behind(first)
            if found < first + (1 << _SLOT):
                self._next[first] = found + 1
                return found
            self._next[first] = found
            ms += 1

    def _behind(self, first: int) -> int:
        query = "SELECT max(rowid) FROM messages WHERE rowid >= ? AND rowid < ?"
        held = self._db.conn.execute(query, [first, first + (1 << _SLOT)]).fetchone()[0]
        return first if held is None else int(held) + 1
