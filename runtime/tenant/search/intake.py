"""How lines of the logs get into the search index: one batch after another.

Owns that a batch and how far it reaches are one transaction, so a kill or a second process costs nothing. Does not own
the tables (tables.py), when that happens (index.py), nor what is asked of them (matching.py).
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlite_utils import Database

from runtime.tenant.folder import Folder
from runtime.tenant.life.facts import facts
from runtime.tenant.messages import MESSAGES, RANK, MessageLine, from_line
from runtime.tenant.monthly import Line, MonthlyLog, Place, instant, parse
from runtime.tenant.search.tables import TEXTS, Slots, clean, milliseconds, transaction, used_key
from runtime.tenant.turnlog import TURNS
from runtime.words import Direction, How, SendState

Progress = Callable[[int, int], None]
"""Called with what is done and the whole, in bytes of the log."""

_BATCH = 100_000
_BATCH_BYTES = 32 * 1024 * 1024
_PRINT = 512
"""Bytes before an offset by which a file is known again: a log only grows, so they never change."""

_WORD = re.compile(r"[a-z0-9]+")
_KEYS = frozenset(MessageLine.__dataclass_fields__)
_DIRECTIONS = frozenset(one.value for one in Direction)
_HOWS = frozenset(one.value for one in How) | {""}
_STATES = {"": RANK[None]} | {state.value: RANK[state] for state in SendState}
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

_INSERT = """
INSERT INTO messages (rowid, channel, direction, id, at, conversation, person, kind, text, how, turn, state, rank)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (channel, direction, id) DO UPDATE SET state = excluded.state, rank = excluded.rank
WHERE excluded.rank > messages.rank
"""

# Of row ids, those that the line above has used: it uses none for a message that is known already.
_PRESENT = "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM messages WHERE rowid = value)"

# One row a statement: for a statement of several the full text writes out what it holds, row by row.
_INSERT_TEXT = "INSERT INTO messages_fts (rowid, text) VALUES (?, ?)"

_LATER = "UPDATE messages SET state = ?, rank = ? WHERE channel = ? AND direction = ? AND id = ? AND rank < ?"

_USED = "INSERT INTO used VALUES (?, 1) ON CONFLICT (fact) DO UPDATE SET times = times + 1"


class Rewritten(Exception):
    """A file of a log is no longer what was taken in."""


class Intake:
    """What has been taken in of one tenant's logs. One for each time that an index catches up: it remembers words."""

    def __init__(self, db: Database, folder: Folder) -> None:
        self._db = db
        self._messages = MonthlyLog(folder, MESSAGES, lambda line: line.get("id"))
        self._turns = MonthlyLog(folder, TURNS, lambda line: line.get("turn"))
        self._words: set[str] = set()

    def catch_up(self, progress: Progress | None = None) -> int:
        """Take in what the logs have gained; returns how many lines of messages. Raises Rewritten."""
        known = {row["name"]: (row["offset"], row["print"]) for row in self._db.table("files").rows}
        present = {f"{MESSAGES}/{name}" for name in self._messages.files()}
        present |= {f"{TURNS}/{name}" for name in self._turns.files()}
        if known.keys() - present:
            raise Rewritten
        self._read(self._turns, TURNS, known, self._take_turns)
        return self._read(self._messages, MESSAGES, known, self._take_messages, progress)

    def _read(
        self,
        log: MonthlyLog,
        rel: str,
        known: dict[str, tuple[int, str]],
        take: Callable[[list[Place]], None],
        progress: Progress | None = None,
    ) -> int:
        files = log.files()
        sizes = {name: log.size(name) for name in files}
        starts = {}
        for name in files:
            offset, print_ = known.get(f"{rel}/{name}", (0, ""))
            if offset > sizes[name] or (offset and _print(log, name, offset) != print_):
                raise Rewritten
            starts[name] = offset
        new = (place for name in files if sizes[name] > starts[name] for place in log.places(name, starts[name]))
        taken = 0
        for batch in _batches(new):
            self._batch(log, rel, batch, take)
            taken += len(batch)
            if progress:
                before = sum(sizes[name] for name in files if name < batch[-1].file)
                progress(before + batch[-1].end, sum(sizes.values()))
        return taken

    def _batch(self, log: MonthlyLog, rel: str, batch: list[Place], take: Callable[[list[Place]], None]) -> None:
        """A batch and how far it reaches are one transaction; what another process took meanwhile is left out."""
        ends = {place.file: place.end for place in batch}
        run = self._db.conn.execute
        with transaction(self._db):
            held = dict.fromkeys(ends, 0)
            for name in ends:
                for (offset,) in run("SELECT offset FROM files WHERE name = ?", [f"{rel}/{name}"]):
                    held[name] = offset
            take([place for place in batch if place.start >= held[place.file]])
            for name, end in ends.items():
                end = max(end, held[name])
                run("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", [f"{rel}/{name}", end, _print(log, name, end)])

    def _take_messages(self, places: list[Place]) -> None:
        rows: list[tuple[Any, ...]] = []
        later: list[tuple[Any, ...]] = []
        free = Slots(self._db)
        for place in places:
            raw = parse(place.raw)
            row = (_row(raw) or _rough_row(raw)) if raw else None
            if row is None:
                continue
            ms, channel, direction, id_, _, _, _, kind, text, _, _, state, rank = row
            if state and not text and kind in ("", "text"):
                later.append((state, rank, channel, direction, id_, rank))
            else:
                rows.append((free.next(ms), *row[1:]))
        self._db.conn.executemany(_INSERT, rows)
        self._db.conn.executemany(_LATER, later)
        # By row id: the full text writes out what it holds whenever an id is lower than the last.
        ids = json.dumps([row[0] for row in rows])
        present = {row[0] for row in self._db.conn.execute(_PRESENT, [ids])}
        texts = sorted((row[0], row[8]) for row in rows if row[0] in present)
        self._db.conn.executemany(_INSERT_TEXT, texts)
        self._learn_words([text for _, text in texts])

    def _learn_words(self, texts: Sequence[str]) -> None:
        """Of plain text the words here are the full text's own; what else there is it takes apart itself."""
        plain = "\n".join(text for text in texts if text.isascii()).lower()
        found = set(plain.split())
        found.update(*(text.split() for text in texts if not text.isascii()))
        found -= self._words
        self._words |= found
        words = {word for one in found for word in (_WORD.findall(one) if one.isascii() else [one])}
        run = self._db.conn
        before = run.execute("SELECT coalesce(max(rowid), 0) FROM words_known").fetchone()[0]
        run.executemany("INSERT OR IGNORE INTO words_known (word) VALUES (?)", [(word,) for word in sorted(words)])
        new = run.execute("SELECT rowid, word FROM words_known WHERE rowid > ?", [before]).fetchall()
        run.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", new)

    def _take_turns(self, places: list[Place]) -> None:
        for place in places:
            if not any(name in place.raw for name in (b'recall"', b'remember"', b'forget"')):
                continue
            raw = parse(place.raw) or {}
            shown = {used_key(fact.text) for output in _outputs(raw, "recall") for fact in facts(output)}
            self._db.conn.executemany(_USED, [(key,) for key in sorted(shown)])
            if any(True for name in ("remember", "forget") for _ in _outputs(raw, name)):
                self._db.conn.execute("INSERT OR IGNORE INTO told VALUES (?)", [clean(str(raw.get("turn")))])


def _row(raw: Line) -> tuple[Any, ...] | None:
    """Milliseconds and columns of a line as the log writes it; None when anything about it is unusual, and it has to
    be read with care."""
    if not _KEYS.issuperset(raw) or not isinstance(raw.get("extra", {}), dict):
        return None
    words = [raw.get(name) or "" for name in TEXTS]
    state = raw.get("state") or ""
    try:
        "".join(words).encode()
        usual = (
            raw.get("id")
            and raw.get("direction") in _DIRECTIONS
            and state in _STATES
            and (raw.get("how") or "") in _HOWS
        )
        ms = milliseconds(raw["at"]) if usual and _INSTANT.fullmatch(raw["at"]) else None
    except (TypeError, ValueError):  # something is no text, half a surrogate pair, no day of the calendar
        return None
    return None if ms is None else (ms, *words, _STATES[state])


def _rough_row(raw: Line) -> tuple[Any, ...] | None:
    line = from_line(raw)
    if line is None:
        return None
    try:
        at = instant(line.at)
    except OverflowError:  # before the year 1, or after 9999, in UTC
        return None
    words = (line.conversation, line.person, line.kind, line.text, line.how or "", line.turn or "", line.state or "")
    name = (clean(line.channel), line.direction.value, clean(line.id))
    return (milliseconds(at), *name, at, *map(clean, words), RANK[line.state])


def _batches(places: Iterable[Place]) -> Iterator[list[Place]]:
    batch: list[Place] = []
    size = 0
    for place in places:
        batch.append(place)
        size += len(place.raw)
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _outputs(raw: Line, name: str) -> Iterator[str]:
    """What the runs of a tool gave in a turn; a shared tool's name has the server's before it."""
    tools = raw.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict) and tool.get("ok", True) and str(tool.get("name", "")).endswith(name):
            yield str(tool.get("output", ""))


def _print(log: MonthlyLog, name: str, offset: int) -> str:
    start = max(0, offset - _PRINT)
    return hashlib.sha256(log.peek(name, start, offset - start)).hexdigest()
