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
from runtime.tenant.git.changes import FILE, PROGRAM, Content, Entry, is_versioned
from runtime.tenant.git.commits import Commit
from runtime.tenant.git.landing import between
from runtime.tenant.git.learned import Learned
from runtime.tenant.git.repository import Repository

GOOD = "annealed-good/"
"""Tags that name a commit after which everything was well: a number follows."""


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

    def blobs(self, ids: Collection[str]) -> dict[str, bytes]:
        """The contents that go by these names, as ``files`` gives them."""
        return self._repository.blobs(list(ids))

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

    def since(self, commit: str) -> list[Commit]:
        """The commits after ``commit``, oldest first; all there are when it is not part of the history."""
        head = self.head()
        known = bool(commit) and self._repository.follows(head, commit)
        found = self._repository.log(f"{commit}..{head}" if known else head, count=100_000)
        return found[::-1]

    def goods(self) -> list[tuple[str, str]]:
        """The tags ``annealed-good/<number>`` and the commits they name, highest number first."""
        named = self._repository.refs(f"refs/tags/{GOOD}")
        goods = [
            (name.removeprefix("refs/tags/"), commit) for name, commit in named if name[len(GOOD) + 10 :].isdigit()
        ]
        return sorted(goods, key=lambda one: int(one[0].rpartition("/")[2]), reverse=True)

    def follows(self, commit: str, earlier: str) -> bool:
        """Whether ``earlier`` is ``commit``, or an ancestor of it."""
        return self._repository.follows(commit, earlier)

    def without(self, commit: Commit, head: str) -> dict[str, Content | None] | None:
        """What ``head`` would have to hold else for git to have taken ``commit`` back; None when git sees a conflict.
        Raises Refused when that touches what the runtime does not write."""
        with self._lock:
            tree, conflicts = self._repository.merge(commit.id, head, commit.parents[0])
            if conflicts:
                return None
            changes = between(self.files(head), self._repository.files(tree))
            blobs = self._repository.blobs([one.entry.blob for one in changes if one.entry])
            return {one.path: Content(one.entry.mode, blobs[one.entry.blob]) if one.entry else None for one in changes}

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
