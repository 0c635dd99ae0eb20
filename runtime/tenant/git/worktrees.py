"""The folder in which a run works: a tenant's files as they were committed, beside the tenant's own folder.

Owns where it lies, what is in it at the start, and what of it lands. There is no ``.git`` in it and nothing of
``state/`` but what the run makes: whoever works there can change neither history nor logs. Its name is the run's, so
that a second start after a kill finds the first one's and throws it away. Does not own who works in it, nor git
(history.py).
"""

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runtime.tenant.folder import Folder
from runtime.tenant.git.changes import PROGRAM, Change, Difference, Known, compare
from runtime.tenant.git.commits import Conflict as MergeConflict
from runtime.tenant.git.commits import ref_name
from runtime.tenant.git.history import History, Origin


@dataclass(frozen=True, slots=True)
class Merged:
    """It landed as this commit."""

    commit: str


@dataclass(frozen=True, slots=True)
class NoChanges:
    """There was nothing to land."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """What others changed meanwhile is in the way; nothing was changed."""

    files: tuple[str, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class Failed:
    """It came to no end, or what it did may not land; nothing was changed."""

    problem: str


Outcome = Merged | NoChanges | Conflict | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Worktree:
    """Made from the commit ``base``. Calls block for some milliseconds."""

    run: str
    base: str
    folder: Folder
    history: History

    def difference(self) -> Difference:
        """What the run changed, and what of that is never committed."""
        return compare(self.folder, self.history.files(self.base), Known())

    def before(self, path: str) -> bytes:
        """A file as it was at the start; nothing where there was none."""
        return next((data for _, _, data in self.history.contents(self.base, [path])), b"")

    def blob(self, path: str) -> str:
        """The name of a file's content at the start; nothing where there was none."""
        entry = self.history.files(self.base).get(path)
        return entry.blob if entry else ""

    def keep(self, changes: list[Change], origin: Origin, *, title: str = "", first: str = "") -> None:
        """Make what is to land durable, without landing it: from here on the folder is not needed any more."""
        self.history.keep(self.run, self.base, changes, origin, title=title, first=first)


def make(root: Path, run: str, history: History, base: str = "") -> Worktree:
    """A folder under ``root`` for ``run``, from the commit ``base``, else HEAD; what an earlier attempt left goes."""
    place = _place(root, run)
    remove(place)
    place.mkdir(mode=0o700, parents=True)
    folder, base = Folder(place), base or history.head()
    for path, entry, data in history.contents(base):
        mode = 0o755 if entry.mode == PROGRAM else 0o644
        with os.fdopen(folder.open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=mode), "wb") as file:
            file.write(data)
    return Worktree(run=run, base=base, folder=folder, history=history)


def land(history: History, run: str) -> Outcome:
    """What is kept of ``run``, onto HEAD. Called by whoever holds the tenant's lane; twice is once."""
    try:
        landed = history.land(run)
    except MergeConflict as fault:
        return Conflict(fault.files, fault.problem)
    return Merged(landed.id) if landed else NoChanges()


def discard(root: Path, run: str, history: History | None) -> None:
    """Nothing of ``run`` is needed any more but what has landed. ``history`` is None for a tenant that is gone."""
    remove(_place(root, run))
    if history is not None:
        history.drop(run)


def _place(root: Path, run: str) -> Path:
    return root / ref_name(run)


def remove(place: Path) -> None:
    """Take a run's folder away, whatever rights the agent took from it, and without following a link of its."""
    _for_each_folder(place, lambda folder: folder.chmod(0o700))
    with suppress(FileNotFoundError):
        shutil.rmtree(place)


def _for_each_folder(top: Path, work: Callable[[Path], None]) -> None:
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            if not stat.S_ISDIR(folder.lstat().st_mode):
                continue
            work(folder)
            waiting += folder.iterdir()
        except FileNotFoundError:
            continue
