"""Append-only logs in a tenant's folder: a file a month, one JSON object a line, the file's order is the truth.

Owns durability (one write and one fsync an append), the repair of a line a kill cut short, the same line written once,
and reading from either end. Does not own what a line means: messages.py and turnlog.py do.
"""

import errno
import fcntl
import json
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json

from runtime.errors import Unavailable
from runtime.tenant.folder import Folder

Line = dict[str, Any]
"""One parsed line. ``at`` is always there: UTC, ISO 8601."""

_REMEMBERED = 4_000
"""Lines whose keys are held, so that the same one is not written twice: far more than one turn or one retry writes."""

_BLOCK = 64 * 1024
_NAME = re.compile(r"\d{4}-\d{2}\.jsonl")


@dataclass(frozen=True, slots=True)
class Place:
    """A whole line in a file: where it starts and ends, and its bytes without the line feed."""

    file: str
    start: int
    end: int
    raw: bytes


class MonthlyLog:
    """The files ``<folder>/<rel>/YYYY-MM.jsonl``. Safe for many threads and processes; no file stays open.

    ``key`` says which lines are the same; of those only the first is written.
    """

    def __init__(self, folder: Folder, rel: str, key: Callable[[Line], Hashable]) -> None:
        self._folder = folder
        self._rel = rel
        self._key = key
        self._lock = threading.Lock()
        self._ends: dict[str, int] = {}  # file -> up to where its keys are known
        self._seen: OrderedDict[Hashable, None] = OrderedDict()

    def append(self, lines: Sequence[Line]) -> int:
        """Write lines durably, each into the file of its month; returns how many were new.

        Raises Unavailable when the disk is full, and then nothing of that month's lines is in the file.
        """
        months: dict[str, list[Line]] = {}
        for line in lines:
            months.setdefault(line["at"][:7], []).append(line)
        with self._lock:
            return sum(self._append(f"{month}.jsonl", months[month]) for month in sorted(months))

    def files(self) -> list[str]:
        """The names of the log's files, oldest first."""
        return [name for name in self._folder.names(self._rel) if _NAME.fullmatch(name)]

    def lines(self, *, since: str = "", until: str = "9999") -> Iterator[Line]:
        """Every line as it was written, oldest first; ``since`` and ``until``: months (``2026-11``), both included."""
        for name in self.files():
            if since[:7] <= name[:7] <= until[:7]:
                yield from parsed(self.places(name))

    def backwards(self) -> Iterator[Line]:
        """Every line, newest first; what is not asked for is not read."""
        for name in reversed(self.files()):
            with self._opened(name) as descriptor:
                yield from parsed(_backwards(descriptor, name))

    def places(self, name: str, start: int = 0) -> Iterator[Place]:
        """The whole lines of one file from byte ``start``, which is the start of a line."""
        with self._opened(name) as descriptor, os.fdopen(os.dup(descriptor), "rb", buffering=_BLOCK * 4) as file:
            file.seek(start)
            for raw in file:
                if not raw.endswith(b"\n"):  # cut short by a kill, or being written
                    return
                yield Place(name, start, start + len(raw), raw[:-1])
                start += len(raw)

    def size(self, name: str) -> int:
        with self._opened(name) as descriptor:
            return os.fstat(descriptor).st_size

    def peek(self, name: str, start: int, length: int) -> bytes:
        """Some bytes of a file as they are."""
        with self._opened(name) as descriptor:
            return os.pread(descriptor, length, start)

    def unreadable(self) -> list[str]:
        """The lines that are not what they should be, as ``file:line``. Reading passes over them."""
        return [
            f"{self._rel}/{name}:{number}"
            for name in self.files()
            for number, place in enumerate(self.places(name), start=1)
            if parse(place.raw) is None
        ]

    def _append(self, name: str, lines: list[Line]) -> int:
        with self._opened(name, os.O_RDWR | os.O_APPEND | os.O_CREAT) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            end = _repair(descriptor)
            self._learn(descriptor, name, end)
            new: dict[Hashable, Line] = {}
            for line in lines:
                if (key := self._key(line)) not in self._seen:
                    new.setdefault(key, line)
            if not new:
                return 0
            data = b"".join(map(encode, new.values()))
            _write_whole(descriptor, data, end, f"{self._rel}/{name}")
            if end == 0:
                self._keep_name()
            self._remember(new)
            self._ends[name] = end + len(data)
            return len(new)

    def _learn(self, descriptor: int, name: str, end: int) -> None:
        """Know the keys of the file's last lines: after a start, or when another process has written meanwhile."""
        known = self._ends.get(name, 0)
        if known == end:
            return
        newest: list[Place] = []
        for place in _backwards(descriptor, name, end):
            if place.start < known or len(newest) >= _REMEMBERED:
                break
            newest.append(place)
        self._remember(self._key(line) for line in parsed(reversed(newest)))
        self._ends[name] = end

    def _remember(self, keys: Iterable[Hashable]) -> None:
        for key in keys:
            self._seen[key] = None
            self._seen.move_to_end(key)
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    def _keep_name(self) -> None:
        """A new file's name is durable only when its folder is synced."""
        descriptor = os.open(self._folder.path(self._rel), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _opened(self, name: str, flags: int = os.O_RDONLY) -> Iterator[int]:
        descriptor = self._folder.open_regular(f"{self._rel}/{name}", flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def encode(line: Line) -> bytes:
    """One line of the file; half a surrogate pair, which JSON may carry and UTF-8 may not, stays an escape."""
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace") + b"\n"


def parse(raw: bytes) -> Line | None:
    """The object on a line; None when it is not one, or has no time."""
    try:
        line = from_json(raw, cache_strings="keys")
    except ValueError:  # not JSON, or what this parser does not take: half a surrogate pair
        try:
            line = json.loads(raw.decode())
        except (ValueError, RecursionError):
            return None
    return line if isinstance(line, dict) and isinstance(line.get("at"), str) else None


def parsed(places: Iterable[Place]) -> Iterator[Line]:
    return (line for place in places if (line := parse(place.raw)) is not None)


def instant(at: datetime) -> str:
    """A time as the logs hold it: UTC with milliseconds, so that texts sort as times do."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _backwards(descriptor: int, name: str, end: int | None = None) -> Iterator[Place]:
    """The whole lines before ``end``, last first, read in blocks."""
    start = os.fstat(descriptor).st_size if end is None else end
    rest = b""
    while start > 0:
        size = min(_BLOCK, start)
        start -= size
        block = os.pread(descriptor, size, start) + rest
        first = block.find(b"\n") + 1 if start else 0
        if start and not first:
            rest = block
            continue
        at = start + len(block)
        whole = block[first:].split(b"\n")
        at -= len(whole.pop())  # what is after the last line feed is no whole line
        for raw in reversed(whole):
            yield Place(name, at - len(raw) - 1, at, raw)
            at -= len(raw) + 1
        rest = block[:first]


def _repair(descriptor: int) -> int:
    """Cut off what is after the last line feed: an append that was killed before it was durable. Returns the size."""
    size = os.fstat(descriptor).st_size
    if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n":
        return size
    whole = size
    while whole > 0:
        start = max(0, whole - _BLOCK)
        found = os.pread(descriptor, whole - start, start).rfind(b"\n")
        if found >= 0:
            whole = start + found + 1
            break
        whole = start
    os.ftruncate(descriptor, whole)
    return whole


def _write_whole(descriptor: int, data: bytes, end: int, name: str) -> None:
    """All of it or nothing: a full disk must not leave half a line."""
    try:
        written = os.write(descriptor, data)
        if written < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    except OSError as fault:
        os.ftruncate(descriptor, end)
        raise Unavailable(f"{name} cannot be written: {fault.strerror}", hint="make room on the disk") from None
