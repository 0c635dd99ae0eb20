"""A tenant's history: every change is a commit that a person can read and take back.

Owns when a commit is made, by whom, and how one is taken back; no other module of the runtime uses git (git.py starts
it, repository.py asks it, for this module only). git never looks at the folder: what is in there is read and written
here, through Folder, so nothing an agent writes can make git run or read anything.
Does not own what may be committed (changes.py) nor how a commit is worded (commits.py).
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from runtime.errors import Fault, NotFound, Refused
from runtime.tenant import commits as wording
from runtime.tenant import learned
from runtime.tenant.changes import FILE, PROGRAM, Change, Entry, Known, blob_id, compare, in_the_way, is_versioned
from runtime.tenant.commits import ADMIN, Commit, CommitResult, Concern, Origin, Refusal, RevertConflict
from runtime.tenant.folder import Folder
from runtime.tenant.inverse import without_added
from runtime.tenant.learned import Learned
from runtime.tenant.repository import Planned, Repository

__all__ = ["ADMIN", "AGENT", "Commit", "CommitResult", "History", "Origin", "Refusal", "RevertConflict"]

AGENT = "agent"

_LANDING = "refs/proxystaff/landing"
"""Holds a revert's commit from before HEAD moves to it until its files are in the folder: after a kill it says that
something is left to do."""

_SET_ASIDE = "refs/proxystaff/set-aside/"


class History:
    """The commits of one tenant's folder. Calls block for some milliseconds: make them in a worker thread.

    ``home`` is whose git identity an admin's edits carry, by default that of the person who runs this process.
    Raises Broken when there is no usable repository, Unavailable when a person's git is in the middle of something.
    """

    def __init__(self, folder: Folder, *, home: Path | None = None, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._repository = Repository(folder.root / ".git")
        self._home = home
        self._now = now
        self._lock = threading.RLock()
        self._known = Known()
        self._tracked: tuple[str, dict[str, Entry]] = ("", {})

    def create(self, origin: Origin) -> Commit:
        """Make the repository and its first commit, under the identity of the person who runs this."""
        with self._lock:
            self._repository.create()
            changes = compare(self._folder, {}, self._known).changes
            planned = Planned(wording.message(f"Create tenant {origin.tenant}", origin), changes)
            return self._commit([planned], self._author(ADMIN), "")[0]

    def commit_admin(self) -> CommitResult:
        """Commit whatever is uncommitted under the admin's name, a commit for each concern."""
        return self._commit_changes(Origin(actor=ADMIN, tenant=self._folder.root.name), "", frozenset(Concern))

    def commit_agent(self, origin: Origin, subject_hint: str = "") -> CommitResult:
        """Commit what a turn changed under ProxyStaff's name, a commit for each concern.

        The hint is the subject where there is one commit only. Settings (tenant.yaml, CLAUDE.md) are not the agent's
        to change: a change of those is an admin's, and stays for ``commit_admin``.
        """
        return self._commit_changes(origin, subject_hint, frozenset(Concern) - {Concern.SETTINGS})

    def commit_by(self, origin: Origin) -> CommitResult:
        """Commit what the runtime wrote because ``origin.actor`` said so, settings included, as ProxyStaff."""
        return self._commit_changes(origin, "", frozenset(Concern))

    def revert(self, commit: str, origin: Origin) -> Commit:
        """Take a commit back by a new one that keeps every later edit.

        Raises RevertConflict, or Refused (nothing left to take back; uncommitted edits in the same files), with folder
        and index as they were: the result is computed beside the folder. A kill on the way is mended by the next call.
        """
        with self._lock:
            self._settle()
            target, head = self.find(commit), self.head()
            self._refuse_unrevertable(target, head)
            tree, conflicts = self._repository.merge(target.id, head, target.parents[0])
            mended = self._mended(target, head, conflicts)
            changes = _between(self._files(head), self._repository.files(tree))
            if not changes:
                problem = f"{target.id[:10]} is taken back already: nothing of it is left"
                raise Refused(problem, hint="see `proxystaff history`")
            self._refuse_dirty(changes)
            title, first = wording.revert_subject(target.subject), wording.reverts_line(target.id)
            planned = Planned(wording.message(title, origin, first=first), mended, tree=tree)
            [made] = self._repository.make(_LANDING, [planned], self._author(origin.actor), [head])
            self._repository.move(self._repository.branch(), made, head)
            self._land(_between(self._files(head), self._repository.files(made)))
            return self.find(made)

    def set_aside(self, turn: str) -> str | None:
        """Take what a dead attempt left out of the folder, and keep it: the id of a commit that holds it, or None.

        The commit is kept under refs/proxystaff/set-aside/; an earlier one of the same turn is its second parent.
        """
        with self._lock:
            self._settle()
            head = self.head()
            tracked = self._files(head)
            for path in in_the_way(self._folder, tracked):
                self._folder.remove(path)
            changes = compare(self._folder, tracked, self._known).changes
            if not changes:
                return None
            ref = _SET_ASIDE + quote(turn, safe="").replace(".", "%2E")
            earlier = self._repository.ref(ref)
            origin = Origin(actor=AGENT, tenant=self._folder.root.name, turn=turn)
            planned = Planned(wording.message("Set aside what an unfinished attempt left", origin), changes)
            parents = [head, earlier] if earlier else [head]
            [made] = self._repository.make(ref, [planned], self._author(AGENT), parents)
            self._bring([Change(change.path, change.entry, change.before) for change in changes])
            return made

    def head(self) -> str:
        """The id of the newest commit; it rarely needs a process."""
        return self._repository.head()

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

        Raises BadInput (no prefix of an id), NotFound, or Refused (several commits begin so).
        """
        return self._repository.find(prefix)

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

    def verify(self) -> None:
        """Raises Broken when something that the history needs is missing or damaged. Makes the index anew."""
        self._repository.verify()
        self._repository.refresh_index()

    def tidy(self) -> None:
        """Pack what has gathered; takes seconds. For a quiet hour."""
        with self._lock:
            self._repository.tidy()

    def _mended(self, target: Commit, head: str, conflicts: Sequence[str]) -> list[Change]:
        """The files git could not merge, without the lines that ``target`` added to them. Raises RevertConflict."""
        if not conflicts:
            return []
        sides = [self._files(target.parents[0]), self._files(target.id), self._files(head)]
        changes = []
        for path in conflicts:
            entries = [files.get(path) for files in sides]
            blobs = self._repository.blobs([entry.blob for entry in entries if entry])
            texts = [blobs[entry.blob] for entry in entries if entry]
            data = without_added(*texts) if len(texts) == len(sides) else None
            if data is None:
                raise _conflict(target, tuple(conflicts))
            entry = entries[-1]
            assert entry is not None
            changes.append(Change(path, entry, Entry(entry.mode, blob_id(data)), data))
        return changes

    # Committing

    def _commit_changes(self, origin: Origin, hint: str, concerns: frozenset[Concern]) -> CommitResult:
        with self._lock:
            self._settle()
            head = self.head()
            found = compare(self._folder, self._files(head), self._known)
            groups = [[one for one in found.changes if one.concern is concern] for concern in Concern]
            groups = [group for group in groups if group and group[0].concern in concerns]
            if not groups:
                return CommitResult(refused=found.refused)
            title = hint if len(groups) == 1 else ""
            planned = [Planned(wording.message(title or _subject(group), origin), group) for group in groups]
            return CommitResult(tuple(self._commit(planned, self._author(origin.actor), head)), found.refused)

    def _commit(self, planned: Sequence[Planned], author: str, head: str) -> list[Commit]:
        tracked = dict(self._files(head)) if head else {}
        ids = self._repository.make(self._repository.branch(), planned, author, [head] if head else [])
        self._repository.refresh_index()
        for change in (change for one in planned for change in one.changes):
            tracked.pop(change.path, None)
            if change.entry:
                tracked[change.path] = change.entry
        self._tracked = (ids[-1], tracked)
        return [
            wording.written(id_, one.message, author, [change.path for change in one.changes], parent)
            for id_, one, parent in zip(ids, planned, [head, *ids], strict=False)
        ]

    def _author(self, actor: str) -> str:
        """Name, address and time as git writes them. A person's are what git itself would take for them."""
        agent = f"{wording.AGENT_NAME} <{wording.AGENT_EMAIL}>"
        person = self._repository.identity(self._home or _own_home()) if actor == ADMIN else agent
        return f"{person or wording.NOBODY} {int(self._now())} +0000"

    def _files(self, commit: str) -> dict[str, Entry]:
        """The files of a commit. Those of the last one asked for are kept: each turn asks for HEAD's."""
        if commit != self._tracked[0]:
            self._tracked = (commit, self._repository.files(commit))
        return self._tracked[1]

    # Taking back

    def _refuse_unrevertable(self, target: Commit, head: str) -> None:
        if not target.parents:
            raise Refused(f"{target.id[:10]} made the tenant and cannot be taken back", hint="choose a later commit")
        if not self._repository.contains(target.id, in_=head):
            problem = f"{target.id[:10]} is not part of the tenant's history"
            raise Refused(problem, hint="choose one that `proxystaff history` shows")

    def _refuse_dirty(self, changes: Sequence[Change]) -> None:
        dirty = [wording.shown(change.path) for change in changes if not self._holds(change.path, change.before)]
        if dirty:
            raise Refused(f"{', '.join(dirty)}: edited and not committed", hint="commit or undo these edits first")

    def _holds(self, path: str, entry: Entry | None) -> bool:
        """Whether the folder holds exactly this content; a link or the like never does."""
        try:
            data = self._folder.read_bytes(path)
        except NotFound:
            return entry is None
        except Fault:
            return False
        return entry is not None and blob_id(data) == entry.blob

    def _settle(self) -> None:
        """Finish what a killed call left half done, and refuse to work in the middle of a person's own git command."""
        if not self._repository.folder.is_dir():
            raise self._repository.broken("is not there (.git is missing)")
        if self._repository.has(_LANDING):
            landing = self._repository.ref(_LANDING)
            if self.head() == landing:
                self._land(_between(self._repository.files(f"{landing}^"), self._repository.files(landing)))
            else:
                self._repository.drop(_LANDING)
        self._repository.refuse_unfinished()

    def _land(self, changes: Sequence[Change]) -> None:
        """HEAD has moved to the landing commit: bring its files, where nobody has edited them since."""
        self._bring([change for change in changes if self._holds(change.path, change.before)])
        self._repository.refresh_index()
        self._repository.drop(_LANDING)

    def _bring(self, changes: Sequence[Change]) -> None:
        """Write (or remove) files so that they are as the changes say."""
        blobs = self._repository.blobs([change.entry.blob for change in changes if change.entry])
        for change in changes:
            if change.entry is None:
                self._folder.remove(change.path)
        for change in changes:
            if change.entry:
                mode = 0o755 if change.entry.mode == PROGRAM else 0o644
                self._folder.write_bytes(change.path, blobs[change.entry.blob], mode=mode)


def _own_home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a container's user without a name and a home
        return Path("/nonexistent")


def _subject(changes: Sequence[Change]) -> str:
    return wording.subject(
        changes[0].concern,
        added=[one.path for one in changes if one.before is None],
        changed=[one.path for one in changes if one.before and one.entry],
        deleted=[one.path for one in changes if one.entry is None],
    )


def _between(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> list[Change]:
    """What differs between two commits. Raises Refused when it is not a file that the runtime may write."""
    paths = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    for path in paths:
        entries = [one for one in (before.get(path), after.get(path)) if one]
        if not is_versioned(path) or any(entry.mode not in (FILE, PROGRAM) for entry in entries):
            problem = f"{wording.shown(path)} is not a file the runtime writes"
            raise Refused(problem, hint="use `git revert` in the tenant's folder")
    return [Change(path, before.get(path), after.get(path)) for path in paths]


def _conflict(target: Commit, files: tuple[str, ...]) -> RevertConflict:
    return RevertConflict(
        f"{target.id[:10]} cannot be taken back by itself: later edits touch the same lines of {', '.join(files)}",
        hint="take back the later edits first, or edit the file by hand",
        files=files,
    )
