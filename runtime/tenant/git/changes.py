"""What of a tenant's folder differs from its last commit, and what may be committed at all.

Owns the comparison and the list of what is never versioned. git is not asked: it never reads a file an agent can
write, so no attribute, filter, link or nested repository in there can mean anything to it. Runs no git.
"""

import hashlib
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from runtime.errors import Fault
from runtime.tenant.folder import COMMITTED, Folder, Stamp, stamp_of
from runtime.tenant.git.commits import Concern, Refusal, concern_of, shown, subject

MAX_FILE = 5_000_000
"""Bytes. Larger files are not history; ``state/media`` is the place for them."""

MAX_TOTAL = 64_000_000
MAX_CHANGES = 10_000
"""Bytes and files that one look takes; what is beyond is refused and named, and the next look takes it."""

FILE = "100644"
PROGRAM = "100755"

# Left by editors, Python and the system: nobody's words, skipped without a report.
_LITTER = re.compile(
    r"__pycache__|.*\.py[co]|\.DS_Store|\.ps-.*"
    r"|.*\.sw[a-p]|4913|.*~|\.#.*|#.*#|.*\.kate-swp|\.goutputstream-.*|\.~lock\..*#|.*___jb_(tmp|old)___"
)

# Read by the CLI or by git wherever they lie: below the top they would be orders nobody reviewed.
_PLANTED = frozenset({"claude.md", "claude.local.md", ".claude", ".mcp.json", ".gitattributes", ".gitmodules"})

# What a file system somewhere takes for ``.git``: other case, NTFS' short name and trailing marks, HFS' ignored marks.
_GIT = re.compile(r"(\.git|git~[0-9])[ .]*(:.*)?", re.IGNORECASE | re.DOTALL)
_IGNORED_BY_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


class Entry(NamedTuple):
    """A file in a commit: git's mode and the blob's id."""

    mode: str
    blob: str


class Content(NamedTuple):
    """A file as bytes: git's mode and what is in it."""

    mode: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """One file that differs. ``entry``, ``data`` and ``stamp`` are what is in the folder now, None where it is gone."""

    path: str
    before: Entry | None
    entry: Entry | None
    data: bytes | None = field(default=None, repr=False)
    stamp: Stamp | None = None

    @property
    def concern(self) -> Concern:
        return concern_of(self.path)


@dataclass(frozen=True, slots=True)
class Difference:
    changes: tuple[Change, ...]
    refused: tuple[Refusal, ...]


class Known:
    """Blob ids of files by their stamp, so that an unchanged file is not read again. Kept between two looks."""

    def __init__(self) -> None:
        self._blobs: dict[str, tuple[Stamp, str]] = {}

    def blob(self, path: str, stamp: Stamp) -> str | None:
        held = self._blobs.get(path)
        return held[1] if held and held[0] == stamp else None

    def keep(self, path: str, stamp: Stamp, blob: str) -> None:
        self._blobs[path] = (stamp, blob)

    def forget_others(self, paths: Iterable[str]) -> None:
        here = set(paths)
        self._blobs = {path: held for path, held in self._blobs.items() if path in here}


def compare(folder: Folder, tracked: Mapping[str, Entry], known: Known) -> Difference:
    """The folder against the files of a commit. What may not be committed counts as unchanged and is
    reported."""
    stamps = folder.stamps()
    refused: dict[str, str] = {}
    present: set[str] = set()
    changes: list[Change] = []
    total = 0
    for path, stamp in sorted(stamps.items()):
        before = tracked.get(path)
        mode = mode_of(path, stamp.mode)
        if before and before == (mode, known.blob(path, stamp)):
            present.add(path)
            continue
        if is_litter(path):
            continue
        if refusal := why_not(path, stamp):
            refused.setdefault(*refusal)
            continue
        present.add(path)
        if total > MAX_TOTAL or len(changes) >= MAX_CHANGES:
            refused[path] = "too much changed at once; it waits for the next commit"
            continue
        try:
            data = folder.read_bytes(path)
        except Fault as fault:  # replaced or removed since the scan
            refused[path] = fault.problem
            continue
        entry = Entry(mode, blob_id(data))
        known.keep(path, stamp, entry.blob)
        if entry != before:
            total += len(data)
            changes.append(Change(path, before, entry, data, stamp))
    known.forget_others(present)
    changes += (Change(path, tracked[path], None) for path in _gone(tracked, present, refused))
    reported = (Refusal(shown(path), why) for path, why in refused.items() if not _is_link_of_a_person(path, tracked))
    return Difference(tuple(changes), tuple(reported))


def last_changed(folder: Folder, changes: Iterable[Change]) -> float:
    """When the youngest of the changes was made, in seconds since the epoch; 0 when there is none. Of what is gone,
    the folder it lay in knows."""
    stamps = (one.stamp or stamp_of((folder.root / one.path).parent) for one in changes)
    return max((stamp.ctime_ns / 1e9 for stamp in stamps if stamp), default=0.0)


def why_not(path: str, stamp: Stamp) -> tuple[str, str] | None:
    """What may not be committed of ``path`` (itself or a folder above it), and why; None when it may."""
    parts = path.split("/")
    for depth, name in enumerate(parts, start=1):
        below_top = depth > 1
        if is_git_name(name):
            return "/".join(parts[:depth]), "a git repository inside the tenant's is not committed"
        if below_top and name.lower() in _PLANTED:
            return "/".join(
                parts[:depth]
            ), f"{name} is read by programs; below the top of the folder it is not committed"
    if not stat.S_ISREG(stamp.mode):
        return path, f"{_kind(stamp.mode)} is not committed, only ordinary files are"
    if stamp.size > MAX_FILE:
        return path, f"{stamp.size:,} bytes are more than the {MAX_FILE:,} a committed file may have"
    return None


def is_versioned(path: str) -> bool:
    """Whether the path lies in what the runtime commits; anything else in the repository is a person's own affair."""
    return any(path == part or path.startswith(f"{part}/") for part in COMMITTED) and not is_litter(path)


def subject_of(changes: Sequence[Change]) -> str:
    """What a commit of these changes is called, after the concern of the first."""
    return subject(
        changes[0].concern,
        added=[one.path for one in changes if one.before is None],
        changed=[one.path for one in changes if one.before and one.entry],
        deleted=[one.path for one in changes if one.entry is None],
    )


def in_the_way(folder: Folder, tracked: Mapping[str, Entry]) -> list[str]:
    """Links, pipes and the like that lie where a tracked file or a folder of one should be."""
    wanted = {path for path, entry in tracked.items() if entry.mode in (FILE, PROGRAM)}
    wanted |= {"/".join(path.split("/")[:depth]) for path in wanted for depth in range(1, path.count("/") + 1)}
    return [path for path, stamp in folder.stamps().items() if path in wanted and not stat.S_ISREG(stamp.mode)]


def mode_of(path: str, mode: int) -> str:
    """Only a tenant's own tools are programs."""
    tool = path.startswith("execution/") and path.endswith(".py")
    return PROGRAM if tool and mode & stat.S_IXUSR else FILE


def blob_id(data: bytes) -> str:
    """The name git gives to these bytes."""
    return hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()


def _gone(tracked: Mapping[str, Entry], present: set[str], refused: Mapping[str, str]) -> Iterator[str]:
    """Tracked files that are there no more. One that something refused stands in for is not gone."""
    for path, entry in tracked.items():
        if path in present or entry.mode not in (FILE, PROGRAM) or not is_versioned(path):
            continue
        parts = path.split("/")
        if not any("/".join(parts[:depth]) in refused for depth in range(1, len(parts) + 1)):
            yield path


def is_litter(path: str) -> bool:
    """Whether a file, or a folder above it, was left by an editor, Python or the system."""
    return any(_LITTER.fullmatch(name) for name in path.split("/"))


def is_git_name(name: str) -> bool:
    return _GIT.fullmatch(_IGNORED_BY_HFS.sub("", name)) is not None


def _is_link_of_a_person(path: str, tracked: Mapping[str, Entry]) -> bool:
    """A link somebody committed with git is theirs: it is left alone, without a report at every turn."""
    return path in tracked and tracked[path].mode not in (FILE, PROGRAM)


def _kind(mode: int) -> str:
    kinds = {stat.S_IFLNK: "a link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device" if mode else "what cannot be listed")
