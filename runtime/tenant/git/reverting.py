"""What a revert needs to know: whether a commit can be taken back, and what becomes of files git cannot merge.

Does not own when a commit is taken back, nor its landing (history.py is the only user).
"""

from collections.abc import Mapping, Sequence

from runtime.errors import Refused
from runtime.tenant.git.changes import Change, Content, Entry, blob_id
from runtime.tenant.git.commits import Commit, RevertConflict
from runtime.tenant.git.inverse import without_added
from runtime.tenant.git.repository import Repository


def refuse_unrevertable(repository: Repository, target: Commit, head: str) -> None:
    if not target.parents:
        raise Refused(f"{target.id[:10]} made the tenant and cannot be taken back", hint="choose a later commit")
    if not repository.contains(target.id, in_=head):
        problem = f"{target.id[:10]} is not part of the tenant's history"
        raise Refused(problem, hint="choose one that `proxystaff history` shows")


def mended(repository: Repository, target: Commit, head: str, conflicts: Sequence[str]) -> list[Change]:
    """The files git could not merge, without the lines that ``target`` added to them. Raises RevertConflict."""
    if not conflicts:
        return []
    sides = [repository.files(one) for one in (target.parents[0], target.id, head)]
    found = []
    for path in conflicts:
        entries = [files.get(path) for files in sides]
        blobs = repository.blobs([entry.blob for entry in entries if entry])
        texts = [blobs[entry.blob] for entry in entries if entry]
        data = without_added(*texts) if len(texts) == len(sides) else None
        if data is None:
            raise _conflict(target, tuple(conflicts))
        entry = entries[-1]
        assert entry is not None
        found.append(Change(path, entry, Entry(entry.mode, blob_id(data)), data))
    return found


def changes(before: Mapping[str, Entry], files: Mapping[str, Content | None]) -> list[Change]:
    """What of ``files`` differs from the files of a commit."""
    found = []
    for path, content in sorted(files.items()):
        entry = Entry(content.mode, blob_id(content.data)) if content else None
        if entry != before.get(path):
            found.append(Change(path, before.get(path), entry, content.data if content else None))
    return found


def _conflict(target: Commit, files: tuple[str, ...]) -> RevertConflict:
    return RevertConflict(
        f"{target.id[:10]} cannot be taken back by itself: later edits touch the same lines of {', '.join(files)}",
        hint="take back the later edits first, or edit the file by hand",
        files=files,
    )
