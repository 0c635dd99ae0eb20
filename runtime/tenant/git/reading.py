"""What a tenant's history says: its commits, what they changed, what a file once held. Reads only.

history.py is what others use: it is this, and the changes.
"""

import secrets
import threading
from collections.abc import Collection, Iterator

from runtime.errors import NotFound
from runtime.tenant.erasure import records
from runtime.tenant.folder import Folder
from runtime.tenant.git import learned, purging
from runtime.tenant.git.changes import FILE, PROGRAM, Entry, is_versioned
from runtime.tenant.git.commits import Commit
from runtime.tenant.git.learned import Learned
from runtime.tenant.git.repository import Repository


class Reading:
    """Of one tenant. Raises Broken when there is no usable repository."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._repository = Repository(folder.root / ".git")
        self._lock = threading.RLock()
        self._tracked: tuple[str, dict[str, Entry]] = ("", {})

    def head(self) -> str:
        """The id of the newest commit; it rarely needs a process."""
        return self._repository.head()

    def files(self, commit: str) -> dict[str, Entry]:
        """The files of a commit. Those of the last one asked for are kept: each turn asks for HEAD's."""
        with self._lock:
            if commit != self._tracked[0]:
                self._tracked = (commit, self._repository.files(commit))
            return self._tracked[1]

    def contents(self, commit: str, paths: Collection[str] | None = None) -> Iterator[tuple[str, Entry, bytes]]:
        """The files of a commit that the runtime versions (of them ``paths``, if given), and what is in them."""
        wanted = {
            path: entry
            for path, entry in self.files(commit).items()
            if is_versioned(path) and entry.mode in (FILE, PROGRAM) and (paths is None or path in paths)
        }
        blobs = self._repository.blobs([entry.blob for entry in wanted.values()])
        yield from ((path, entry, blobs[entry.blob]) for path, entry in wanted.items())

    def log(self, *, limit: int = 20, by_agent: bool | None = None) -> list[Commit]:
        """The newest commits first; ``by_agent`` True or False only those by ProxyStaff or only those by people."""
        found: list[Commit] = []
        size, seen = max(limit, 50), 0
        while len(found) < limit:
            page = self._repository.log("HEAD", count=size, skip=seen)
            found += (one for one in page if by_agent is None or one.by_agent is by_agent)
            seen += size
            if len(page) < size:
                break
        return found[:limit]

    def find(self, prefix: str) -> Commit:
        """The commit whose id starts with ``prefix``, at least 4 digits of it.

        The id that a commit had before a person was erased leads to what it is now. Raises BadInput (no prefix of an
        id), NotFound, or Refused (several commits begin so).
        """
        try:
            return self._repository.find(prefix)
        except NotFound:
            new = records.renamed(self._folder, prefix.strip().lower())
            if new is None:
                raise
            return self._repository.find(new)

    def versions(self, path: str, *, limit: int = 50) -> Iterator[bytes]:
        """What a file held in each commit that changed it, newest first; what is not there any more is passed over."""
        for commit in self._repository.touching(path, count=limit):
            entry = self._repository.files(commit).get(path)
            if entry is not None:
                yield self._repository.blobs([entry.blob])[entry.blob]

    def learned(self, after: str = "") -> Learned:
        """What the commits since ``after`` tell of facts that were learned or taken out; since the beginning when
        ``after`` is empty or no longer part of the history."""
        head = self.head()
        if after and not self._repository.follows(head, after):
            after = ""
        mark = secrets.token_hex(16)  # nothing that is committed can hold it
        log = self._repository.patches("life", after=after, head=head, mark=mark)
        return learned.read(log, mark, after=after, head=head)

    def diff(self, commit: str) -> str:
        """What a commit changed, as a plain patch."""
        return self._repository.show(self.find(commit).id, "--patch")

    def stat(self, commit: str) -> str:
        """What a commit changed, a line for each file."""
        return self._repository.show(self.find(commit).id, "--stat=100")

    def committed(self, path: str) -> tuple[str, bytes, int] | None:
        """The committed version of a file: its blob, its bytes, its mode in the folder; None when there is none."""
        with self._lock:
            entry = self.files(self.head()).get(path)
            if entry is None or entry.mode not in (FILE, PROGRAM):
                return None
            data = self._repository.blobs([entry.blob])[entry.blob]
            return entry.blob, data, 0o755 if entry.mode == PROGRAM else 0o644

    def objects(self) -> Iterator[tuple[str, str]]:
        """Every object of the repository, by its id, as text."""
        return purging.objects(self._repository.git)

    def branch(self) -> str:
        """The ref that is worked on."""
        return self._repository.branch()
