"""The two logs when a person is erased: their own conversations go, other lines lose the words that name them.

Owns that, in messages and turns alike: a line that stays keeps its place, id and order. Works on decoded values, so
that no escape hides anything. Does not own the lines' meaning (messages.py, turnlog.py).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runtime.errors import NotFound
from runtime.tenant.erasure.files import MEDIA
from runtime.tenant.erasure.looking import Marks
from runtime.tenant.erasure.texts import Cleaning
from runtime.tenant.folder import Folder
from runtime.tenant.messages import MESSAGES, RECENT_FILE, MessageLog, sync_recent
from runtime.tenant.monthly import Line, MonthlyLog, encode, parse
from runtime.tenant.turnlog import TURNS


@dataclass(frozen=True, slots=True)
class Lines:
    """How many lines go whole, and how many lose some words."""

    gone: int = 0
    cleaned: int = 0

    def __add__(self, other: "Lines") -> "Lines":
        return Lines(self.gone + other.gone, self.cleaned + other.cleaned)


def media_of(folder: Folder, marks: Marks) -> set[str]:
    """The files that came or went in their conversations."""
    found: set[str] = set()
    for line in _log(folder, MESSAGES).lines():
        if marks.talk(str(line.get("conversation", ""))):
            extra = line.get("extra")
            files = [*extra.get("files", ()), extra.get("file", "")] if isinstance(extra, dict) else []
            found |= {str(one).removeprefix("/tenant/") for one in files}
    return {one for one in found if one.startswith(MEDIA)}


def survey(folder: Folder, cleaning: Cleaning) -> dict[str, Lines]:
    """What is to be done in each log; nothing is written."""
    return {
        rel: sum((_count(folder, rel, name, cleaning) for name in _log(folder, rel).files()), Lines())
        for rel in (MESSAGES, TURNS)
    }


def carry_out(folder: Folder, cleaning: Cleaning, commits: Mapping[str, str]) -> None:
    """Rewrite the logs, a file at a time, with the new ids of ``commits``. Doing it again changes nothing."""
    for rel in (MESSAGES, TURNS):
        for name in _log(folder, rel).files():
            new_ids = commits if rel == TURNS else {}
            if any(new != raw for raw, new in _lines(folder, rel, name, cleaning, new_ids)):
                with folder.replacing(f"{rel}/{name}") as out:
                    for _, new in _lines(folder, rel, name, cleaning, new_ids):
                        out.write(b"" if new is None else new + b"\n")
    try:
        folder.read_bytes(RECENT_FILE)
    except NotFound:
        return
    sync_recent(folder, MessageLog(folder))


def _log(folder: Folder, rel: str) -> MonthlyLog:
    return MonthlyLog(folder, rel, lambda line: line.get("id"))


def _count(folder: Folder, rel: str, name: str, cleaning: Cleaning) -> Lines:
    found = Lines()
    for raw, new in _lines(folder, rel, name, cleaning, {}):
        found += Lines(int(new is None), int(new is not None and new != raw))
    return found


def _lines(
    folder: Folder, rel: str, name: str, cleaning: Cleaning, commits: Mapping[str, str]
) -> Iterator[tuple[bytes, bytes | None]]:
    """Each line as it is and as it will be; None when it goes."""
    for place in _log(folder, rel).places(name):
        line = parse(place.raw)
        if line is not None and cleaning.finder.marks.talk(str(line.get("conversation", ""))):
            yield place.raw, None
        else:
            yield place.raw, _cleaned(place.raw, line, cleaning, commits)


def _cleaned(raw: bytes, line: Line | None, cleaning: Cleaning, commits: Mapping[str, str]) -> bytes:
    text = raw.decode("utf-8", "surrogateescape")
    named = cleaning.finder.names(text)
    if line is not None and named:
        text = encode(cleaning.value(line)).decode().removesuffix("\n")
    if named:
        text = cleaning.finder.without(text)
    if commits and line is not None and line.get("commits"):
        ids = [commits.get(str(one), one) for one in line["commits"]]
        if ids != line["commits"]:
            text = encode({**json.loads(text), "commits": ids}).decode().removesuffix("\n")
    return text.encode("utf-8", "surrogateescape")
