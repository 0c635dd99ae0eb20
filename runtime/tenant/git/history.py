"""A tenant's history: every change is a commit that a person can read and take back.

Owns when a commit is made, by whom, and how one is taken back; no other module of the runtime uses git (git.py starts
it, repository.py asks it, for this module only). git never looks at the folder: what is in there is read and written
here, through Folder, so nothing an agent writes can make git run or read anything.
Does not own what is read of it (reading.py), what may be committed (changes.py), nor how that is worded (commits.py).
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from runtime.errors import ConfigFault, NotFound, Refused
from runtime.tenant.folder import Folder
from runtime.tenant.git import aside, purging, reverting
from runtime.tenant.git import commits as wording
from runtime.tenant.git.changes import (
    Change,
    Content,
    Difference,
    Known,
    compare,
    in_the_way,
    subject_of,
)
from runtime.tenant.git.commits import ADMIN, Commit, CommitResult, Concern, Conflict, Origin, Refusal, RevertConflict
from runtime.tenant.git.landing import Landing, between
from runtime.tenant.git.purging import refuse_entangled
from runtime.tenant.git.reading import GOOD, Reading
from runtime.tenant.git.repository import Planned
from runtime.tenant.git.rewriting import Cleaning, Rewriting

__all__ = ["ADMIN", "AGENT", "Commit", "CommitResult", "Conflict", "History", "Origin", "Refusal", "RevertConflict"]

AGENT = "agent"

_SET_ASIDE = "refs/proxystaff/set-aside/"
_RUNS = "refs/proxystaff/runs/"


class History(Reading):
    """The commits of one tenant's folder. Calls block for some milliseconds: make them in a worker thread.

    ``home`` is whose git identity an admin's edits carry, by default that of the person who runs this process. What
    fails ``check`` is not committed.
    Raises Broken when there is no usable repository, Unavailable when a person's git is in the middle of something.
    """

    def __init__(
        self,
        folder: Folder,
        *,
        home: Path | None = None,
        now: Callable[[], float] = time.time,
        check: aside.Check = lambda _path, _data: None,
    ) -> None:
        super().__init__(folder)
        self._landing = Landing(folder, self._repository, self._refuse_worse)
        self._home = home
        self._now = now
        self._check = check
        self._known = Known()

    def create(self, origin: Origin) -> Commit:
        """Make the repository and its first commit, under the identity of the person who runs this."""
        with self._lock:
            self._repository.create()
            changes = compare(self._folder, {}, self._known).changes
            planned = Planned(wording.message(f"Create tenant {origin.tenant}", origin), changes)
            return self._commit([planned], self._author(ADMIN), "")[0]

    def commit_admin(self) -> CommitResult:
        """Commit whatever is uncommitted under the admin's name, a commit for each concern."""
        return self._commit_changes(Origin(actor=ADMIN, tenant=self._folder.root.name), "", lambda _: True)

    def commit_agent(self, origin: Origin, subject_hint: str = "", *, check: aside.Check | None = None) -> CommitResult:
        """Commit what a turn changed under ProxyStaff's name, a commit for each concern.

        The hint is the subject where there is one commit only; ``check`` is a further one for what the turn changed.
        Settings (tenant.yaml, CLAUDE.md) and rules are not the agent's to change: a change of those is an admin's, and
        stays for ``commit_admin``.
        """
        return self._commit_changes(origin, subject_hint, lambda path: not wording.is_admins(path), check)

    def commit_by(self, origin: Origin, *, only: Collection[str]) -> CommitResult:
        """Commit what the runtime wrote because ``origin.actor`` said so, settings included, as ProxyStaff. Of the
        folder ``only`` these files: a turn may be at work on others."""
        return self._commit_changes(origin, "", lambda path: path in only)

    def uncommitted(self) -> Difference:
        """What of the folder differs from the last commit."""
        with self._lock:
            self._landing.settle()
            return compare(self._folder, self.files(self.head()), self._known)

    def revert(self, commit: str, origin: Origin) -> Commit:
        """Take a commit back by a new one that keeps every later edit.

        Raises RevertConflict, or Refused (nothing left to take back; uncommitted edits in the same files), with folder
        and index as they were: the result is computed beside the folder. A kill on the way is mended by the next call.
        """
        with self._lock:
            self._landing.settle()
            target, head = self.find(commit), self.head()
            reverting.refuse_unrevertable(self._repository, target, head)
            tree, conflicts = self._repository.merge(target.id, head, target.parents[0])
            mended = reverting.mended(self._repository, target, head, conflicts)
            changes = between(self.files(head), self._repository.files(tree))
            if not changes:
                problem = f"{target.id[:10]} is taken back already: nothing of it is left"
                raise Refused(problem, hint="see `proxystaff history`")
            if dirty := self._landing.dirty(changes):
                raise _edited(dirty)
            title, first = wording.revert_subject(target.subject), wording.reverts_line(target.id)
            planned = Planned(wording.message(title, origin, first=first), mended, tree=tree)
            return self.find(self._landing.land(planned, self._author(origin.actor), head))

    def put(
        self, files: Mapping[str, Content | None], origin: Origin, *, base: str, title: str, first: str = ""
    ) -> Commit:
        """One commit on ``base`` after which ``files`` hold this (None: are gone), made beside the folder as a revert.

        Raises Conflict when ``base`` is not HEAD any more (``files`` of it is empty: look again) or somebody is editing
        one of them, Refused when there is nothing to change or it would leave a file that fails its check.
        """
        with self._lock:
            self._landing.settle()
            head = self.head()
            if head != base:
                raise Conflict("something was committed meanwhile", hint="it is tried again on that", files=())
            changes = reverting.changes(self.files(head), files)
            if not changes:
                raise Refused("there is nothing to change", hint="see `proxystaff history`")
            if dirty := self._landing.dirty(changes):
                raise _in_the_way("somebody is editing", dirty)
            planned = Planned(wording.message(title, origin, first=first), changes)
            return self.find(self._landing.land(planned, self._author(origin.actor), head))

    def mark_good(self) -> str:
        """Name HEAD as good: the tag ``annealed-good/<number>``. One that is named already keeps its name."""
        with self._lock:
            self._landing.settle()
            head, goods = self.head(), self.goods()
            for name, commit in goods:
                if commit == head:
                    return name
            number = max((int(name.rpartition("/")[2]) for name, _ in goods), default=0) + 1
            self._repository.move(f"refs/tags/{GOOD}{number}", head, "")
            return f"{GOOD}{number}"

    def set_aside(self, turn: str) -> str | None:
        """Take what a dead attempt left out of the folder, and keep it: the id of a commit that holds it, or None.

        The commit is kept under refs/proxystaff/set-aside/; an earlier one of the same turn is its second parent.
        Settings and rules stay where they are: no agent writes them, so what is there is an admin's.
        """
        with self._lock:
            self._landing.settle()
            head = self.head()
            tracked = self.files(head)
            for path in in_the_way(self._folder, tracked):
                self._folder.remove(path)
            found = compare(self._folder, tracked, self._known).changes
            changes = [one for one in found if not wording.is_admins(one.path)]
            if not changes:
                return None
            ref = _SET_ASIDE + wording.ref_name(turn)
            earlier = self._repository.ref(ref)
            origin = Origin(actor=AGENT, tenant=self._folder.root.name, turn=turn)
            planned = Planned(wording.message("Set aside what an unfinished attempt left", origin), changes)
            parents = [head, earlier] if earlier else [head]
            [made] = self._repository.make(ref, [planned], self._author(AGENT), parents)
            self._landing.bring([Change(change.path, change.entry, change.before) for change in changes])
            return made

    def settle(self) -> None:
        """Finish what a killed call left half done. Raises Unavailable when a person's git is in the middle of
        something."""
        with self._lock:
            self._landing.settle()

    def verify(self) -> None:
        """Raises Broken when something that the history needs is missing or damaged. Makes the index anew."""
        self._repository.verify()
        self._repository.refresh_index()

    def tidy(self) -> None:
        """Pack what has gathered; takes seconds. For a quiet hour."""
        with self._lock:
            self._repository.tidy()

    # Runs: what nobody typed is done beside the folder, and lands when it is done

    def keep(
        self, run: str, base: str, changes: Sequence[Change], origin: Origin, *, title: str = "", first: str = ""
    ) -> None:
        """Put what ``run`` changed on a branch of its own, as one commit on ``base``. HEAD does not see it. ``title``
        is its subject, if not the usual one, and ``first`` a paragraph of ours under it."""
        with self._lock:
            self.drop(run)
            planned = Planned(wording.message(title or subject_of(changes), origin, first=first), changes)
            self._repository.make(_RUNS + wording.ref_name(run), [planned], self._author(origin.actor), [base])

    def kept(self, run: str) -> bool:
        return bool(self._repository.ref(_RUNS + wording.ref_name(run)))

    def land(self, run: str) -> Commit | None:
        """Merge what is kept of ``run`` onto HEAD, as one ordinary commit; None when HEAD says all of it already.

        Raises Conflict, with folder and HEAD as they were. Doing it again, after a kill too, finds the commit by its
        Turn trailer and makes no second one.
        """
        with self._lock:
            self._landing.settle()
            kept, head = self._repository.ref(_RUNS + wording.ref_name(run)), self.head()
            if not kept:
                raise NotFound(f"nothing is kept of {run}", hint="start it again")
            [base] = self._repository.log(kept, count=1)[0].parents
            message = self._repository.message(kept)
            for commit in self._repository.log(f"{base}..{head}", count=10_000):
                if commit.trailers.get("Turn") == wording.trailers(message).get("Turn"):
                    return commit
            tree, conflicts = self._repository.merge(base, head, kept)
            if conflicts:
                raise _in_the_way("later edits touch the same lines of", conflicts)
            changes = between(self.files(head), self._repository.files(tree))
            if not changes:
                return None
            if dirty := self._landing.dirty(changes):
                raise _in_the_way("somebody is editing", dirty)
            return self.find(self._landing.land(Planned(message, tree=tree), self._author(AGENT), head))

    def drop(self, run: str) -> None:
        """Forget what was kept of ``run``. What has landed stays."""
        if self.kept(run):
            self._repository.drop(_RUNS + wording.ref_name(run))

    def rewriting(self, cleaning: Cleaning) -> Rewriting:
        """To write every commit anew. Nothing else may use the folder meanwhile. Raises Refused (a stash, a worktree)
        or Unavailable (a person's git is in the middle of something)."""
        with self._lock:
            self._landing.settle()
            refuse_entangled(self._repository.git, self._repository.branch(), cleaning.ref)
            return Rewriting(self._repository.git, cleaning)

    def purge(self, cleaned: Callable[[str], str]) -> None:
        """Take out whatever no commit leads to any more, and what git's commands left of it."""
        with self._lock:
            purging.purge(self._repository.git, cleaned)

    def author(self, actor: str) -> str:
        """Name, address and time of a commit made now."""
        return self._author(actor)

    # Committing

    def _commit_changes(
        self,
        origin: Origin,
        hint: str,
        theirs: Callable[[str], bool],
        check: aside.Check | None = None,
    ) -> CommitResult:
        with self._lock:
            self._landing.settle()
            head = self.head()
            found = compare(self._folder, self.files(head), self._known)
            ours = [one for one in found.changes if theirs(one.path)]
            left = tuple(one.path for one in found.changes if not theirs(one.path))
            bad = tuple(aside.judged(self._folder, ours, [self._check, check] if check else [self._check]))
            spoiled = {one.path for one in bad}
            good = [one for one in ours if one.path not in spoiled]
            groups = [group for concern in Concern if (group := [one for one in good if one.concern is concern])]
            if not groups:
                return CommitResult(refused=found.refused, bad=bad, left=left)
            title = hint if len(groups) == 1 else ""
            planned = [Planned(wording.message(title or subject_of(group), origin), group) for group in groups]
            return CommitResult(
                tuple(self._commit(planned, self._author(origin.actor), head)), found.refused, bad, left
            )

    def _commit(self, planned: Sequence[Planned], author: str, head: str) -> list[Commit]:
        tracked = dict(self.files(head)) if head else {}
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

    def _refuse_worse(self, changes: Sequence[Change]) -> None:
        """Raises Refused when a file that is good would not be any more."""
        entries = [entry for one in changes for entry in (one.before, one.entry) if entry]
        blobs = self._repository.blobs([entry.blob for entry in entries])
        for one in changes:
            try:
                self._check(one.path, blobs[one.entry.blob] if one.entry else None)
            except ConfigFault as fault:
                with suppress(ConfigFault):
                    self._check(one.path, blobs[one.before.blob] if one.before else None)
                    problem = f"it would leave a file that cannot be in force: {fault.faults[0]}"
                    raise Refused(problem, hint="edit the file by hand") from None


def _own_home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a container's user without a name and a home
        return Path("/nonexistent")


def _edited(files: tuple[str, ...]) -> Refused:
    return Refused(f"{', '.join(files)}: edited and not committed", hint="commit or undo these edits first")


def _in_the_way(what: str, files: tuple[str, ...]) -> Conflict:
    return Conflict(f"{what} {', '.join(files)}", hint="it is tried again on what is there now", files=files)
