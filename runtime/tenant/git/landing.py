"""Bringing a commit into a tenant's folder: a kill at any moment leaves it whole or not there.

Owns the order (a ref first, then HEAD, then the files) and what finishes a killed one. Does not own what is in the
commit: history.py merges reverts and runs, and is the only one to land anything.
"""

from collections.abc import Callable, Mapping, Sequence

from runtime.errors import Fault, NotFound, Refused
from runtime.tenant.folder import Folder
from runtime.tenant.git import commits as wording
from runtime.tenant.git.changes import FILE, PROGRAM, Change, Entry, blob_id, is_versioned
from runtime.tenant.git.repository import Planned, Repository

_LANDING = "refs/proxystaff/landing"
"""Holds a commit from before HEAD moves to it until its files are in the folder: after a kill it says that something
is left to do."""


class Landing:
    """Of one tenant. Whoever calls holds the history's lock. ``judge`` raises Refused when changes must not land."""

    def __init__(self, folder: Folder, repository: Repository, judge: Callable[[Sequence[Change]], None]) -> None:
        self._folder = folder
        self._repository = repository
        self._judge = judge

    def settle(self) -> None:
        """Finish what a killed call left half done, and refuse to work in the middle of a person's own git command."""
        if not self._repository.folder.is_dir():
            raise self._repository.broken("is not there (.git is missing)")
        if self._repository.has(_LANDING):
            landing = self._repository.ref(_LANDING)
            if self._repository.head() == landing:
                self._finish(between(self._repository.files(f"{landing}^"), self._repository.files(landing)))
            else:
                self._repository.drop(_LANDING)
        self._repository.refuse_unfinished()

    def land(self, planned: Planned, author: str, head: str) -> str:
        """Make ``planned`` a commit on ``head``, move HEAD to it and bring its files; its id. Raises as ``judge``."""
        [made] = self._repository.make(_LANDING, [planned], author, [head])
        changes = between(self._repository.files(head), self._repository.files(made))
        try:
            self._judge(changes)
        except Refused:
            self._repository.drop(_LANDING)
            raise
        self._repository.move(self._repository.branch(), made, head)
        self._finish(changes)
        return made

    def dirty(self, changes: Sequence[Change]) -> tuple[str, ...]:
        """The files that are to be changed and are not in the folder as they were committed."""
        return tuple(wording.shown(change.path) for change in changes if not self._holds(change.path, change.before))

    def bring(self, changes: Sequence[Change]) -> None:
        """Write (or remove) files so that they are as the changes say."""
        blobs = self._repository.blobs([change.entry.blob for change in changes if change.entry])
        for change in changes:
            if change.entry is None:
                self._folder.remove(change.path)
        for change in changes:
            if change.entry:
                mode = 0o755 if change.entry.mode == PROGRAM else 0o644
                self._folder.write_bytes(change.path, blobs[change.entry.blob], mode=mode)

    def _finish(self, changes: Sequence[Change]) -> None:
        """HEAD has moved to the landing commit: bring its files, where nobody has edited them since."""
        self.bring([change for change in changes if self._holds(change.path, change.before)])
        self._repository.refresh_index()
        self._repository.drop(_LANDING)

    def _holds(self, path: str, entry: Entry | None) -> bool:
        """Whether the folder holds exactly this content; a link or the like never does."""
        try:
            data = self._folder.read_bytes(path)
        except NotFound:
            return entry is None
        except Fault:
            return False
        return entry is not None and blob_id(data) == entry.blob


def between(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> list[Change]:
    """What differs between two commits. Raises Refused when it is not a file that the runtime may write."""
    paths = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    for path in paths:
        entries = [one for one in (before.get(path), after.get(path)) if one]
        if not is_versioned(path) or any(entry.mode not in (FILE, PROGRAM) for entry in entries):
            problem = f"{wording.shown(path)} is not a file the runtime writes"
            raise Refused(problem, hint="use `git revert` in the tenant's folder")
    return [Change(path, before.get(path), after.get(path)) for path in paths]
