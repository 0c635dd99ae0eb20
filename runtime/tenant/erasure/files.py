"""The files of a tenant's folder when a person is erased: what is to be done with each, and doing it.

Owns the walk and the deeds. What a file becomes is decided in texts.py; the two logs are in logs.py, the history in
history.py. ``state/erasures`` holds nothing personal, ``.secrets`` nothing that could be read.
"""

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from runtime.errors import Fault, NotFound
from runtime.tenant.erasure.looking import Finder
from runtime.tenant.erasure.texts import Cleaning, is_admins
from runtime.tenant.folder import MAX_READ, Folder
from runtime.tenant.messages import RECENT_FILE

MEDIA = "state/media/"
TRANSCRIPTS = ("state/claude/", "state/guests/")
_ELSEWHERE = (".git", ".secrets", "state/messages", "state/turns", "state/erasures", "state/sessions", RECENT_FILE)
_CHUNK = 1024 * 1024
_OVERLAP = 4096


class Deed(StrEnum):
    REMOVED = "removed"
    CLEANED = "cleaned"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class Touched:
    """One file and what is done with it. ``lines``: those that name the person, of what an admin wrote; ``gone``: how
    many lines go, of what was remembered."""

    path: str
    deed: Deed
    to: str = ""
    lines: tuple[int, ...] = ()
    gone: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What is the person's own whatever stands in it: media they sent or got, their folders, their sessions."""

    media: Collection[str] = ()
    folders: Collection[str] = ()
    sessions: Collection[str] = ()


def survey(folder: Folder, cleaning: Cleaning, own: Own) -> list[Touched]:
    """What is to be done, in order; nothing is written."""
    found = []
    for path, mode in walk(folder, leave_out=_ELSEWHERE):
        if path in own.media or _is_in(path, own.folders) or _is_session(path, own.sessions):
            found.append(Touched(path, Deed.REMOVED))
        elif (touched := _touched(folder, path, mode, cleaning)) is not None:
            found.append(touched)
    return found


def sessions_gone(touched: Collection[Touched]) -> set[str]:
    """The sessions whose transcripts go."""
    gone = [one.path for one in touched if one.path.startswith(TRANSCRIPTS) and one.path.endswith(".jsonl")]
    return {path.rpartition("/")[2].removesuffix(".jsonl") for path in gone}


def carry_out(folder: Folder, cleaning: Cleaning, touched: Collection[Touched]) -> None:
    """Do it, a file at a time. What is done already is passed over."""
    for one in touched:
        with suppress(NotFound):
            match one.deed:
                case Deed.REMOVED:
                    folder.remove(one.path)
                case Deed.CLEANED:
                    _clean(folder, cleaning, one.path, one.path)
                case Deed.RENAMED:
                    _clean(folder, cleaning, one.path, one.to)
                    folder.remove(one.path)
    _drop_empty(folder, cleaning.finder, [one for one in touched if one.deed is not Deed.CLEANED])


def walk(folder: Folder, *, leave_out: Collection[str] = ()) -> Iterator[tuple[str, int]]:
    """Every name in the folder that is no folder, and its mode; no link is followed."""
    for at, folders, names in os.walk(folder.root):
        rel = os.path.relpath(at, folder.root)
        prefix = "" if rel == "." else f"{rel}/"
        links = [name for name in folders if os.path.islink(os.path.join(at, name))]  # noqa: PTH114, PTH118 - os.walk gives names
        folders[:] = sorted(name for name in folders if f"{prefix}{name}" not in leave_out and name not in links)
        for name in sorted((*names, *links)):
            if f"{prefix}{name}" not in leave_out:
                with suppress(OSError):
                    yield f"{prefix}{name}", os.lstat(folder.root / prefix / name).st_mode


def chunks(folder: Folder, path: str) -> Iterator[str]:
    """A file of any size as text, piece by piece, each with the end of the one before."""
    with os.fdopen(folder.open_regular(path), "rb") as file:
        rest = b""
        while data := file.read(_CHUNK):
            yield (rest + data).decode("utf-8", "surrogateescape")
            rest = data[-_OVERLAP:]


def _touched(folder: Folder, path: str, mode: int, cleaning: Cleaning) -> Touched | None:
    finder = cleaning.finder
    to = cleaning.path(path)
    if stat.S_ISLNK(mode):
        target = str((folder.root / path).readlink())
        return Touched(path, Deed.REMOVED) if to != path or finder.names(target) else None
    if not stat.S_ISREG(mode):
        return Touched(path, Deed.REMOVED) if to != path else None
    if to is None or (to != path and path.startswith(MEDIA)):
        return Touched(path, Deed.REMOVED)
    if path.startswith(TRANSCRIPTS) and (to != path or _names(folder, path, finder)):
        return Touched(path, Deed.REMOVED)
    if not _names(folder, path, finder):
        return Touched(path, Deed.RENAMED, to) if to != path else None
    deed, to = (Deed.CLEANED, "") if to == path else (Deed.RENAMED, to)
    data = _read(folder, path)
    if data is None:
        return Touched(path, Deed.REMOVED) if path.startswith(MEDIA) else Touched(path, deed, to)
    cleaned = cleaning.content(path, data)
    if cleaned is None:
        return Touched(path, Deed.REMOVED)
    lines = tuple(_lines(data, finder)) if is_admins(path) else ()
    gone = data.count(b"\n") - cleaned.count(b"\n") if path.startswith("life/") else 0
    return Touched(path, deed, to, lines, gone)


def _names(folder: Folder, path: str, finder: Finder) -> bool:
    try:
        return any(finder.names(text) for text in chunks(folder, path))
    except Fault:
        return False


def _read(folder: Folder, path: str) -> bytes | None:
    """None for what is too large to be held; that is cleaned line by line."""
    if os.lstat(folder.root / path).st_size > MAX_READ:
        return None
    return folder.read_bytes(path)


def _lines(data: bytes, finder: Finder) -> Iterator[int]:
    text = data.decode("utf-8", "surrogateescape")
    starts = {text.count("\n", 0, start) + 1 for start, _ in finder.spans(text)}
    yield from sorted(starts)


def _clean(folder: Folder, cleaning: Cleaning, path: str, to: str) -> None:
    mode = stat.S_IMODE(os.lstat(folder.root / path).st_mode) & 0o777
    data = _read(folder, path)
    if data is not None:
        cleaned = cleaning.content(path, data)
        folder.write_bytes(to, data if cleaned is None else cleaned, mode=mode)
        return
    with os.fdopen(folder.open_regular(path), "rb") as file, folder.replacing(to, mode=mode) as out:
        for line in file:
            text = cleaning.finder.without(line.decode("utf-8", "surrogateescape"))
            out.write(text.encode("utf-8", "surrogateescape"))


def _is_in(path: str, folders: Collection[str]) -> bool:
    return any(path.startswith(f"{one}/") for one in folders)


def _is_session(path: str, sessions: Collection[str]) -> bool:
    """Its transcript, or a file in the folder that the CLI keeps for it."""
    if not path.startswith(TRANSCRIPTS):
        return False
    return bool({part.removesuffix(".jsonl") for part in path.split("/")} & set(sessions))


def _drop_empty(folder: Folder, finder: Finder, touched: Collection[Touched]) -> None:
    """Folders that hold nothing any more and are named after them, or held nothing but what is gone."""
    above = {one.path.rpartition("/")[0] for one in touched if one.path.startswith(TRANSCRIPTS)}
    above |= {rel for rel in _folders(folder) if finder.names(rel.rpartition("/")[2])}
    for rel in sorted(above, key=len, reverse=True):
        with suppress(OSError):
            folder.path(rel).rmdir()


def _folders(folder: Folder) -> Iterator[str]:
    for at, folders, _ in os.walk(folder.root):
        rel = os.path.relpath(at, folder.root)
        folders[:] = [name for name in folders if not (rel == "." and name == ".git")]
        yield from (name if rel == "." else f"{rel}/{name}" for name in folders)
