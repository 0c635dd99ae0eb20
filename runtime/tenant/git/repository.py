"""The git repository of a tenant, as objects and refs: commits, trees, the log. It has no folder of files.

Owns what git is asked and how its answers are read. Does not own what the runtime does with them (history.py, its only
user) nor how a process is started (git.py).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import BadInput, Broken, NotFound, Refused, Unavailable
from runtime.tenant.git import commits as wording
from runtime.tenant.git.changes import Change, Entry
from runtime.tenant.git.commits import Commit
from runtime.tenant.git.process import Git

# What git leaves in .git while a person is in the middle of one of these.
_UNFINISHED = {
    "MERGE_HEAD": "merge",
    "REVERT_HEAD": "revert",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
}

_PLAIN = ("--no-color", "--no-show-signature", "--diff-merges=first-parent")


@dataclass(frozen=True, slots=True)
class Planned:
    """A commit to be made: its message, and the changes, on top of ``tree`` where one is given."""

    message: str
    changes: Sequence[Change] = ()
    tree: str = ""


class Repository:
    """One ``.git`` folder. Every method may raise Broken (damaged) or Unavailable (another git holds a lock)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.parent.name
        self.git = Git(folder)

    def create(self) -> None:
        if self.folder.exists():
            raise Refused(f"{self.name} has a history already", hint="choose another name")
        self.git.init()

    def identity(self, home: Path) -> str | None:
        return self.git.identity(home)

    # Refs

    def branch(self) -> str:
        """The ref that HEAD stands on. Raises Unavailable when a person has checked out a bare commit."""
        try:
            head = (self.folder / "HEAD").read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise self.broken("is not there (.git/HEAD is missing)") from None
        if not head.startswith("ref: refs/heads/"):
            raise Unavailable(
                f"somebody has checked out an old commit in {self.name}",
                hint=f"`git switch main` in {self.folder.parent}",
            )
        return head.removeprefix("ref: ")

    def head(self) -> str:
        """The id of the newest commit, without starting git where the ref is a plain file."""
        try:
            held = (self.folder / self.branch()).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            held = ""
        found = held if re.fullmatch(r"[0-9a-f]{40}", held) else self.ref("HEAD")
        if not found:
            raise self.broken("has no commit")
        return found

    def ref(self, name: str) -> str:
        """The id that a ref holds, or nothing."""
        return self.git("rev-parse", "--verify", "--quiet", name, ok=(0, 1)).text()

    def refs(self, under: str) -> list[tuple[str, str]]:
        """The names and ids of the refs under a prefix that name a commit, straight or by a tag of its own."""
        form = "--format=%(refname)%00%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)"
        lines = (line.split("\0") for line in self.git("for-each-ref", form, under).text().splitlines())
        found = ((name, (kind, id_) if kind == "commit" else (kind2, id2)) for name, kind, id_, kind2, id2 in lines)
        return [(name, id_) for name, (kind, id_) in found if kind == "commit"]

    def has(self, ref: str) -> bool:
        """Whether a ref that was made a moment ago is there, without starting git."""
        return (self.folder / ref).exists()

    def move(self, ref: str, new: str, old: str) -> None:
        self.git("update-ref", ref, new, old)

    def drop(self, ref: str) -> None:
        self.git("update-ref", "-d", ref)

    def refuse_unfinished(self) -> None:
        """Raises Unavailable when a person has begun something and not ended it: a commit would end up inside it."""
        for name, what in _UNFINISHED.items():
            if (self.folder / name).exists():
                raise Unavailable(
                    f"somebody is in the middle of a git {what} in {self.name}",
                    hint=f"`git {what} --continue` or `git {what} --abort` in {self.folder.parent}",
                )

    # Commits

    def log(self, revision: str, *, count: int, skip: int = 0) -> list[Commit]:
        form = (f"--format={wording.LOG_FORMAT}", "-z", "--name-only", "--no-renames")
        page = (f"--max-count={count}", f"--skip={skip}")
        return wording.parse_log(self.git("log", *form, *_PLAIN, *page, "--end-of-options", revision, "--").out)

    def touching(self, path: str, *, count: int) -> list[str]:
        """The ids of the newest commits that changed ``path``, newest first."""
        spec = f":(top,literal){path}"
        return self.git("rev-list", f"--max-count={count}", "HEAD", "--", spec).text().split()

    def patches(self, under: str, *, after: str, head: str, mark: str) -> str:
        """What the commits since ``after`` changed under a folder, without context: a commit begins with a line of
        ``mark`` and its turns, a hunk's header names the markdown section that it is in."""
        headings = ("-c", "diff.default.xfuncname=^#{1,6} .*")
        form = (f"--format={mark} %(trailers:key=Turn,valueonly,separator=%x20)", "--patch", "--unified=0")
        raw = ("--no-renames", "--no-ext-diff", "--no-textconv", *_PLAIN)
        span = f"{after}..{head}" if after else head
        out = self.git(*headings, "log", *form, *raw, span, "--", f":(top,literal){under}", timeout=600).out
        return out.decode("utf-8", "replace")

    def find(self, prefix: str) -> Commit:
        """Raises BadInput (no prefix of an id), NotFound, or Refused (several begin so)."""
        prefix = prefix.strip().lower()
        if not re.fullmatch(r"[0-9a-f]{4,40}", prefix):
            raise BadInput(
                f"{wording.one_line(prefix, 60)!r} is not the id of a commit",
                hint="give at least 4 of its digits, as `proxystaff history` shows them",
            )
        full = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{prefix}^{{commit}}", ok=(0, 1, 128))
        if full.code == 0:
            return self.log(full.text(), count=1)[0]
        candidates = self._commits_named(prefix)
        if candidates:
            named = ", ".join(one[:12] for one in candidates[:5])
            raise Refused(f"{prefix} could be {named}", hint="give more digits of the id")
        raise NotFound(f"there is no commit {prefix}", hint="see `proxystaff history`")

    def show(self, commit: str, form: str) -> str:
        text = self.git("show", "--format=", form, *_PLAIN, "--no-ext-diff", "--no-textconv", commit, "--").out
        return text.decode("utf-8", "replace")

    def message(self, commit: str) -> str:
        """The whole message of a commit, as it was written."""
        return self.git("log", "--max-count=1", "--format=%B", *_PLAIN, "--end-of-options", commit, "--").text() + "\n"

    def contains(self, commit: str, *, in_: str) -> bool:
        return self.git("merge-base", "--is-ancestor", commit, in_, ok=(0, 1)).code == 0

    def follows(self, commit: str, earlier: str) -> bool:
        """As ``contains``, of an id that may be of no commit any more."""
        return self.git("merge-base", "--is-ancestor", earlier, commit, ok=(0, 1, 128)).code == 0

    def make(self, ref: str, planned: Sequence[Planned], author: str, parents: Sequence[str]) -> list[str]:
        """Make commits on top of each other and move ``ref`` to the last, in one process. Returns their ids.

        Raises Broken, with the ref where it was, when ``ref`` is no longer at the first parent.
        """
        stream = [b"feature done\n"]
        for number, one in enumerate(planned, start=1):
            text = one.message.encode("utf-8", "replace")
            stream.append(b"commit %b\nmark :%d\n" % (ref.encode(), number))
            stream.append(b"author %b\ncommitter %b\n" % (author.encode(), author.encode()))
            stream.append(b"data %d\n%b\n" % (len(text), text))
            if number == 1:
                words = (b"from", *(b"merge" for _ in parents))
                stream += (b"%b %b\n" % (word, parent.encode()) for word, parent in zip(words, parents, strict=False))
            stream += _body(one)
        stream += (b"get-mark :%d\n" % number for number in range(1, len(planned) + 1))
        stream.append(b"done\n")
        return self.git("fast-import", "--quiet", "--done", stdin=b"".join(stream)).text().split()

    # Trees and blobs

    def files(self, tree: str) -> dict[str, Entry]:
        """Every file of a commit or tree, by its path."""
        files = {}
        for line in self.git("ls-tree", "-r", "-z", "--full-tree", tree).out.split(b"\0")[:-1]:
            facts, _, name = line.partition(b"\t")
            mode, _, blob = facts.decode().split(" ")
            files[name.decode("utf-8", "surrogateescape")] = Entry(mode, blob)
        return files

    def blobs(self, ids: Sequence[str]) -> dict[str, bytes]:
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return {}
        out = self.git("cat-file", "--batch", stdin="".join(f"{one}\n" for one in wanted).encode()).out
        found = {}
        at = 0
        for one in wanted:
            start = out.index(b"\n", at) + 1
            header = out[at:start].split()
            if len(header) != 3:
                raise self.broken(f"lacks the object {one}")
            at = start + int(header[2]) + 1
            found[one] = out[start : at - 1]
        return found

    def merge(self, base: str, ours: str, theirs: str) -> tuple[str, tuple[str, ...]]:
        """Merge two commits' trees as if they had parted at ``base``: the tree, and the files that conflict.

        git before 2.40 cannot be told the base, so it gets two commits of which the base's tree is the parent.
        """
        root = self._scratch(base)
        sides = self._scratch(ours, root), self._scratch(theirs, root)
        ran = self.git("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", *sides, ok=(0, 1))
        tree, *names = ran.out.split(b"\0")
        shown = (wording.shown(name.decode("utf-8", "surrogateescape")) for name in names if name)
        return tree.decode(), tuple(dict.fromkeys(shown)) if ran.code else ()

    # Upkeep

    def refresh_index(self) -> None:
        """Make git's index say what HEAD says, for people who use plain git; the runtime itself never reads it, so a
        person's git that holds it just now is left alone."""
        self.git("read-tree", "-i", "--reset", "HEAD", skip_if_locked=True)

    def verify(self) -> None:
        self.head()
        ran = self.git("fsck", "--connectivity-only", "--no-dangling", "--no-progress", ok=None, timeout=600)
        if ran.code:
            raise self.broken(f"is damaged: {wording.one_line(ran.error, 200)}")

    def tidy(self) -> None:
        self.git("gc", "--quiet", timeout=600)

    def broken(self, what: str) -> Broken:
        return Broken(f"the history of {self.name} {what}", hint=f"look with `git -C {self.folder.parent} fsck`")

    def _scratch(self, commit: str, *parents: str) -> str:
        given = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", f"{commit}^{{tree}}", *given, "-m", "scratch").text()

    def _commits_named(self, prefix: str) -> list[str]:
        objects = self.git("rev-parse", f"--disambiguate={prefix}", ok=(0, 1, 128)).out
        kinds = self.git("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=objects).text().splitlines()
        return [line.split()[0] for line in kinds if line.endswith(" commit")]


def _body(planned: Planned) -> list[bytes]:
    """The part of a fast-import commit that says what is in it; what goes is said first, so that a file may become
    a folder."""
    if planned.tree:
        return [b'M 040000 %b ""\n' % planned.tree.encode(), *_there(planned)]
    gone = [b"D %b\n" % _quoted(change.path) for change in planned.changes if change.entry is None]
    return gone + _there(planned)


def _there(planned: Planned) -> list[bytes]:
    there: list[bytes] = []
    for change in planned.changes:
        if change.entry is not None and change.data is not None:
            mode, size = change.entry.mode.encode(), len(change.data)
            there += (b"M %b inline %b\ndata %d\n" % (mode, _quoted(change.path), size), change.data, b"\n")
    return there


_UNQUOTED = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./")


def _quoted(path: str) -> bytes:
    """A path as fast-import reads it whatever bytes are in it: quoted, and all but plain characters in octal."""
    raw = path.encode("utf-8", "surrogateescape")
    return b'"%b"' % b"".join(bytes((byte,)) if byte in _UNQUOTED else b"\\%03o" % byte for byte in raw)
