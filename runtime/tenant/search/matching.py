"""What a person typed, as the search index's SQL. Pure but for the words that the index knows.

Owns the language of a query: words, their beginnings, phrases, filters. Does not own the tables (tables.py).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from runtime.tenant.search.tables import clean, row_id
from runtime.words import Direction

MAX_QUERY = 500
MAX_WORDS = 32

_INDEXED = 3
"""Letters up to which the full text has beginnings ready (from two on); longer ones are looked up in the words."""

_MANY = 48
"""Words of one beginning that are asked for one by one. More of them, and the full text collects them itself."""

_COLUMNS = "m.id, m.at, m.channel, m.conversation, m.person, m.direction, m.kind, m.text, m.how, m.turn, m.state"
_ASCII = re.compile(r"[a-z0-9]+")

Endings = Callable[[str], Sequence[str]]
"""From the beginning of a word to the words that begin so; nothing when there are too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a message must be, whatever it says. ``until`` is not included."""

    direction: Direction | None = None
    since: datetime | None = None
    until: datetime | None = None
    person: str = ""


def select(query: str, filters: Filters, endings: Endings) -> tuple[str, list[Any]]:
    """The SQL, newest first, and its values but for LIMIT and OFFSET."""
    query = clean(query[:MAX_QUERY].replace("\0", " "))
    match = to_match(query, endings)
    wheres = _wheres(filters, "messages_fts.rowid" if match else "m.rowid")
    if match:
        wheres.insert(0, ("messages_fts MATCH ?", match))
    elif query.strip():  # signs only, an emoji say: the full text does not know them
        wheres.append(("instr(m.text, ?)", query.strip()))
    snippet = "snippet(messages_fts, 0, '«', '»', '…', 24)" if match else "substr(m.text, 1, 160)"
    # CROSS JOIN: the full text leads, in its own order, and stops at the limit.
    source = "messages_fts CROSS JOIN messages m ON m.rowid = messages_fts.rowid" if match else "messages m"
    order = "messages_fts.rowid" if match else "m.rowid"
    where = " AND ".join(text for text, _ in wheres) or "1"
    sql = f"SELECT {_COLUMNS}, {snippet} AS snippet FROM {source} WHERE {where} ORDER BY {order} DESC LIMIT ? OFFSET ?"  # noqa: S608 - every part is written here; values are bound
    return sql, [value for _, value in wheres]


def to_match(query: str, endings: Endings = lambda _: ()) -> str:
    """What a person typed, in FTS5's language: every word quoted, so that nothing in it is an operator.

    Words match by their beginning (one letter as it stands), a phrase in double quotes as it stands. Nothing when
    there is no letter or digit.
    """
    terms = []
    for phrase, word in re.findall(r'"([^"]*)"|([^\s"]+)', query):
        if any(c.isalnum() for c in phrase):
            terms.append(f'"{phrase}"')
        elif any(c.isalnum() for c in word):
            terms.append(beginning(word, endings))
    return " AND ".join(terms[:MAX_WORDS])


def beginning(word: str, endings: Endings) -> str:
    """Words that begin so, in FTS5's language."""
    plain = word.strip(".,!?;:()'").lower()
    if not _ASCII.fullmatch(plain):
        return f'"{word}"*'
    if len(plain) == 1:
        return f'"{plain}"'
    whole = endings(plain) if len(plain) > _INDEXED else ()
    return "(" + " OR ".join(f'"{one}"' for one in whole) + ")" if whole else f'"{plain}"*'


def endings_in(db: Database) -> Endings:
    """From the words that an index knows."""

    def endings(start: str) -> Sequence[str]:
        query = "SELECT term FROM words_list WHERE term >= ? AND term <= ? LIMIT ?"
        found = [row[0] for row in db.conn.execute(query, [start, start + "\U0010ffff", _MANY + 1])]
        return found if len(found) <= _MANY else ()

    return endings


def _wheres(filters: Filters, row: str) -> list[tuple[str, Any]]:
    wheres: list[tuple[str, Any]] = []
    if filters.since:
        wheres.append((f"{row} >= ?", row_id(filters.since)))
    if filters.until:
        wheres.append((f"{row} < ?", row_id(filters.until)))
    if filters.direction:
        wheres.append(("m.direction = ?", filters.direction.value))
    if filters.person:
        wheres.append(("lower(m.person) = lower(?)", clean(filters.person)))
    return wheres


_SAID = f"""
SELECT {_COLUMNS} FROM messages_fts CROSS JOIN messages m ON m.rowid = messages_fts.rowid
WHERE messages_fts MATCH ? AND m.how NOT IN ('agent', 'schedule') AND (m.direction = 'inbound' OR m.how = 'echo')
AND m.id NOT IN (SELECT name FROM learned) AND m.turn NOT IN (SELECT name FROM learned)
AND m.turn NOT IN (SELECT turn FROM told)
ORDER BY messages_fts.rowid DESC LIMIT ?
"""  # noqa: S608 - columns only


def said(db: Database, words: Sequence[Sequence[str]], limit: int) -> list[dict[str, Any]]:
    """What people said that holds a word of each group."""
    endings = endings_in(db)
    match = " AND ".join(_one_of(group, endings) for group in words)
    return list(db.query(_SAID, [match, limit])) if match else []


def how_many(db: Database, words: Sequence[Sequence[str]], most: int) -> list[int]:
    """How many messages hold a word of each group, counted up to ``most``."""
    endings = endings_in(db)
    query = "SELECT count(*) FROM (SELECT 1 FROM messages_fts WHERE messages_fts MATCH ? LIMIT ?)"
    return [int(db.conn.execute(query, [_one_of(group, endings), most]).fetchone()[0]) for group in words]


def _one_of(words: Sequence[str], endings: Endings) -> str:
    return "(" + " OR ".join(beginning(word, endings) for word in words) + ")"
