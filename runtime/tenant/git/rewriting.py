"""Every commit of a repository written anew from cleaned files, names and messages, with the same shape.

Owns that: the objects are read and made here, beside the old ones, and one transaction moves the refs. Authors, dates,
order, merges, tags, notes and what was set aside stay; a commit of which nothing is left stays as an empty one, so that
each old id has one new id. Does not own what is cleaned (tenant/erasure/texts.py), when (history.py, its only user),
nor what git keeps besides (purging.py).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from runtime.tenant.git.objects import (
    EMPTY_TREE,
    LINK,
    TREE,
    Node,
    id_of,
    nodes,
    packs,
    read_objects,
    tree_of,
    tree_raw,
)
from runtime.tenant.git.process import Git

_ID = re.compile(rb"\b[0-9a-f]{40}\b")
_NOTES = "refs/notes/"
_UNSIGNED = re.compile(rb"^(gpgsig|gpgsig-sha256|mergetag) .*\n(?: .*\n)*", re.MULTILINE)
"""What vouches for the old bytes, or holds a copy of some."""

_TAG_SIGNATURE = re.compile(rb"-----BEGIN (PGP|SSH) SIGNATURE-----.*", re.DOTALL)


class Cleaning(Protocol):
    """What becomes of each part; what it gives back unchanged stays as it is. Doing it twice changes nothing more."""

    def name(self, path: str) -> str | None: ...
    def content(self, path: str, data: bytes) -> bytes | None: ...
    def message(self, text: str) -> str: ...
    def signature(self, line: str) -> str: ...
    def ref(self, name: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Ref:
    name: str
    id: str
    kind: str


@dataclass(slots=True)
class Rewritten:
    """``commits``: old id -> new id of those that changed. ``moves``: (old name, old id, new name, new id)."""

    commits: dict[str, str] = field(default_factory=dict)
    moves: list[tuple[str, str, str, str]] = field(default_factory=list)
    files: int = 0
    messages: int = 0


class Rewriting:
    """One rewriting of one repository. ``plan`` reads and computes, ``write`` makes the objects, ``move`` the refs."""

    def __init__(self, git: Git, cleaning: Cleaning) -> None:
        self._git = git
        self._cleaning = cleaning
        self._made: dict[str, tuple[str, bytes]] = {}
        self._trees: dict[str, list[Node]] = {}
        self._cleaned: dict[tuple[str, str], str | None] = {}
        self._naming: dict[str, bytes] = {}
        self._tags: dict[str, str] = {}
        self._found = Rewritten()

    def plan(self) -> Rewritten:
        """What is to be done; nothing is written."""
        refs = self._refs()
        notes = self._ids("rev-list", *[ref.name for ref in refs if ref.name.startswith(_NOTES)])
        commits = [one for one in self._ids("rev-list", "--all", "HEAD") if one not in set(notes)]
        raws = self._objects([*commits, *notes])
        self._load_trees([tree_of(raw) for raw in raws.values()])
        self._load_naming()
        for commit in _in_order(commits, raws):
            self._commit(commit, raws[commit], self._tree)
        for commit in _in_order(notes, raws):
            self._commit(commit, raws[commit], self._notes_tree)
        self._found.moves = [move for ref in refs if (move := self._move(ref))[:2] != move[2:]]
        self._found.files = sum(old in self._naming for _, old in self._cleaned)
        return self._found

    def add(self, tree: str, parent: str, author: str, message: str) -> str:
        """A further commit on top of a new one, to be written with the others."""
        head = f"tree {tree}\nparent {parent}\nauthor {author}\ncommitter {author}\n\n{message}"
        return self._make("commit", head.encode("utf-8", "surrogateescape"))

    def tree_of(self, commit: str) -> str:
        """The tree of a commit, old or new."""
        made = self._made.get(commit)
        return tree_of(made[1] if made else self._objects([commit])[commit])

    def write(self, tips: Sequence[str]) -> None:
        """Make the objects and see that nothing is missing. Raises Broken."""
        for pack in packs(self._made.values()):
            self._git("index-pack", "--stdin", stdin=pack, timeout=600)
        self._git("rev-list", "--objects", "--quiet", *tips, "--", timeout=600)

    def move(self, moves: Sequence[tuple[str, str, str, str]]) -> None:
        """All refs at once, each only if it is still where it was."""
        lines = []
        for old_name, old, new_name, new in moves:
            if old_name == new_name:
                lines.append(f"update {new_name}\0{new}\0{old}\0")
            else:
                lines += [f"delete {old_name}\0{old}\0", f"update {new_name}\0{new}\0\0"]
        if lines:
            self._git("update-ref", "-z", "--stdin", stdin="".join(lines).encode("utf-8", "surrogateescape"))

    # Reading

    def _refs(self) -> list[Ref]:
        form = "--format=%(refname)%00%(objectname)%00%(objecttype)%00%(symref)"
        lines = self._git("for-each-ref", form).out.decode("utf-8", "surrogateescape").splitlines()
        parts = (line.split("\0") for line in lines)
        return [Ref(name, id_, kind) for name, id_, kind, symbolic in parts if not symbolic]

    def _ids(self, *words: str) -> list[str]:
        return self._git(*words, "--", timeout=600).text().split() if len(words) > 1 else []

    def _objects(self, ids: Sequence[str]) -> dict[str, bytes]:
        return dict(read_objects(self._git, ids))

    def _load_trees(self, ids: Sequence[str]) -> None:
        waiting = set(ids)
        while waiting:
            found = {id_: list(nodes(raw)) for id_, raw in self._objects(sorted(waiting)).items()}
            self._trees |= found
            deeper = {id_ for entries in found.values() for mode, _, id_ in entries if mode == TREE}
            waiting = deeper - self._trees.keys()

    def _load_naming(self) -> None:
        """The contents that anything is to be done about: they are few, and only they are held."""
        blobs = {
            id_ for entries in self._trees.values() for mode, _, id_ in entries if mode not in (TREE, LINK)
        } - self._naming.keys()
        for id_, data in read_objects(self._git, sorted(blobs)):
            if self._cleaning.content("", data) is not data:
                self._naming[id_] = data

    # Making

    def _commit(self, id_: str, raw: bytes, tree: Callable[[str], str]) -> None:
        head, gap, message = raw.partition(b"\n\n")
        named = re.search(rb"^encoding (.+)$", head, re.MULTILINE)
        codec = _codec(named[1].decode("ascii", "replace") if named else "utf-8")
        text = message.decode(codec, "surrogateescape")
        cleaned = self._cleaning.message(text)
        self._found.messages += cleaned != text
        new = b"\n".join(self._header(line, tree, codec) for line in head.split(b"\n"))
        words = self._renamed(cleaned.encode(codec, "surrogateescape"))
        if (new, words) != (head, message):
            new = _UNSIGNED.sub(b"", new + b"\n").removesuffix(b"\n")
            self._found.commits[id_] = self._make("commit", new + gap + words)

    def _header(self, line: bytes, tree: Callable[[str], str], codec: str) -> bytes:
        key, _, value = line.partition(b" ")
        match key:
            case b"tree":
                return b"tree %b" % tree(value.decode()).encode()
            case b"parent" | b"object":
                return b"%b %b" % (key, self._new(value.decode()).encode())
            case b"author" | b"committer" | b"tagger":
                cleaned = self._cleaning.signature(value.decode(codec, "surrogateescape"))
                return b"%b %b" % (key, cleaned.encode(codec, "surrogateescape"))
            case b"tag":
                name = self._cleaning.ref("refs/tags/" + value.decode("utf-8", "surrogateescape"))
                return b"tag %b" % name.removeprefix("refs/tags/").encode("utf-8", "surrogateescape")
        return line

    def _new(self, id_: str) -> str:
        return self._found.commits.get(id_) or self._tags.get(id_, id_)

    def _renamed(self, data: bytes) -> bytes:
        return _ID.sub(lambda match: self._new(match[0].decode()).encode(), data)

    def _tree(self, id_: str, prefix: str = "") -> str:
        key = (prefix, id_)
        if (known := self._cleaned.get(key)) is not None:
            return known
        entries = []
        for mode, name, child in self._trees[id_]:
            path = prefix + name
            new_name = self._cleaning.name(path)
            new = self._child(mode, path, child)
            if new_name is not None and new is not None:
                entries.append(Node(mode, new_name, new))
        made = id_ if entries == self._trees[id_] else self._make_tree(entries)
        self._cleaned[key] = made
        return made

    def _child(self, mode: str, path: str, id_: str) -> str | None:
        if mode == LINK:
            return id_
        if mode != TREE:
            return self._blob(path, id_)
        made = self._tree(id_, f"{path}/")
        return None if made == EMPTY_TREE and id_ != EMPTY_TREE else made

    def _blob(self, path: str, id_: str) -> str | None:
        if id_ not in self._naming:
            return id_
        key = (path, id_)
        if key not in self._cleaned:
            data = self._cleaning.content(path, self._naming[id_])
            self._cleaned[key] = None if data is None else self._make("blob", data)
        return self._cleaned[key]

    def _notes_tree(self, id_: str) -> str:
        """A note's file is named by the id of the commit it is about, with slashes in it where there are many."""
        files = {}
        for path, mode, blob in self._flat(id_, ""):
            about = path.replace("/", "")
            new = self._new(about)
            parts = [len(part) for part in path.split("/")]
            name = path if new == about else "/".join(_cut(new, parts))
            if (cleaned := self._blob(path, blob)) is not None:
                files[name] = (mode, cleaned)
        return self._make_nested(files)

    def _flat(self, id_: str, prefix: str) -> Iterator[tuple[str, str, str]]:
        for mode, name, child in self._trees[id_]:
            if mode == TREE:
                yield from self._flat(child, f"{prefix}{name}/")
            else:
                yield prefix + name, mode, child

    def _make_nested(self, files: Mapping[str, tuple[str, str]]) -> str:
        entries: list[Node] = []
        deeper: dict[str, dict[str, tuple[str, str]]] = {}
        for path, (mode, id_) in files.items():
            first, slash, rest = path.partition("/")
            if slash:
                deeper.setdefault(first, {})[rest] = (mode, id_)
            else:
                entries.append(Node(mode, path, id_))
        entries += [Node(TREE, name, self._make_nested(below)) for name, below in deeper.items()]
        return self._make_tree(entries)

    def _make_tree(self, entries: Sequence[Node]) -> str:
        return self._make("tree", tree_raw(entries))

    def _make(self, kind: str, raw: bytes) -> str:
        id_ = id_of(kind, raw)
        self._made[id_] = (kind, raw)
        return id_

    def _move(self, ref: Ref) -> tuple[str, str, str, str]:
        match ref.kind:
            case "commit":
                new = self._new(ref.id)
            case "tag":
                new = self._tag(ref.id)
            case "tree":
                self._load_trees([ref.id])
                self._load_naming()
                new = self._tree(ref.id)
            case _:
                data = self._objects([ref.id])[ref.id]
                new = self._make("blob", self._cleaning.content(ref.name, data) or b"")
        return ref.name, ref.id, self._cleaning.ref(ref.name), new

    def _tag(self, id_: str) -> str:
        raw = self._objects([id_])[id_]
        head, gap, message = raw.partition(b"\n\n")
        if b"\ntype tag\n" in head:
            inner = head.partition(b"\n")[0].removeprefix(b"object ").decode()
            self._tags[inner] = self._tag(inner)
        text = message.decode("utf-8", "surrogateescape")
        words = self._renamed(self._cleaning.message(text).encode("utf-8", "surrogateescape"))
        new = b"\n".join(self._header(line, self._tree, "utf-8") for line in head.split(b"\n"))
        if (new, words) == (head, message):
            return id_
        return self._make("tag", new + gap + _TAG_SIGNATURE.sub(b"", words))


def _in_order(commits: Sequence[str], raws: Mapping[str, bytes]) -> list[str]:
    """Each after all that it names: its parents, and those its message speaks of."""
    here, done, order = set(commits), set[str](), list[str]()
    for first in commits:
        waiting = [first]
        while waiting:
            one = waiting[-1]
            ahead = [id_ for id_ in map(bytes.decode, _ID.findall(raws[one])) if id_ in here and id_ not in done]
            if one in done or not ahead:
                waiting.pop()
                order += [one] if one not in done else []
                done.add(one)
            else:
                waiting += ahead
    return order


def _cut(text: str, lengths: Sequence[int]) -> Iterator[str]:
    at = 0
    for length in lengths:
        yield text[at : at + length]
        at += length


def _codec(name: str) -> str:
    try:
        "".encode(name)
    except LookupError:
        return "latin-1"
    return name
