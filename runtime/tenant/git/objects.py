"""git's objects as bytes: read in bulk, taken apart, and packed to be handed to git. It keeps nothing.

Owns the form of a tree, a commit's first line and a pack. Does not own what becomes of them (rewriting.py).
"""

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from runtime.errors import Unavailable
from runtime.tenant.git.process import Git

TREE, LINK = "40000", "160000"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

_AT_ONCE = 32_000_000
"""Bytes of objects that are read, or handed to git, at once."""

_KINDS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}


class Node(NamedTuple):
    """One name in a tree."""

    mode: str
    name: str
    id: str


def read_objects(git: Git, ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Objects with their contents. Raises Unavailable when one is missing."""
    for asked in _portions(git, ids):
        out = git("cat-file", "--batch", stdin="".join(f"{one}\n" for one in asked).encode(), timeout=600).out
        place = 0
        for one in asked:
            start = out.index(b"\n", place) + 1
            size = int(out[place:start].split()[2])
            place = start + size + 1
            yield one, out[start : start + size]


def all_ids(git: Git) -> list[str]:
    """Every object there is, whether anything leads to it or not."""
    return git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)", timeout=600).text().split()


def _portions(git: Git, ids: Sequence[str]) -> Iterator[list[str]]:
    if not ids:
        return
    lines = git("cat-file", "--batch-check", stdin="".join(f"{one}\n" for one in ids).encode(), timeout=600).text()
    portion: list[str] = []
    size = 0
    for id_, line in zip(ids, lines.splitlines(), strict=True):
        known = line.split()
        if len(known) != 3:
            raise Unavailable(f"the history lacks the object {id_}", hint="restore it from a copy, then try again")
        if portion and size + int(known[2]) > _AT_ONCE:
            yield portion
            portion, size = [], 0
        portion.append(id_)
        size += int(known[2])
    yield portion


def nodes(raw: bytes) -> Iterator[Node]:
    """What a tree holds."""
    at = 0
    while at < len(raw):
        space, end = raw.index(b" ", at), raw.index(b"\0", at)
        name = raw[space + 1 : end].decode("utf-8", "surrogateescape")
        yield Node(raw[at:space].decode(), name, raw[end + 1 : end + 21].hex())
        at = end + 21


def tree_raw(entries: Iterable[Node]) -> bytes:
    """A tree that holds ``entries``, in git's order."""
    rows = [(mode.encode(), name.encode("utf-8", "surrogateescape"), bytes.fromhex(id_)) for mode, name, id_ in entries]
    rows.sort(key=lambda row: row[1] + (b"/" if row[0] == TREE.encode() else b""))
    return b"".join(b"%b %b\0%b" % row for row in rows)


def tree_of(commit: bytes) -> str:
    return commit[5:45].decode()


def id_of(kind: str, raw: bytes) -> str:
    return hashlib.sha1(b"%b %d\0%b" % (kind.encode(), len(raw), raw), usedforsecurity=False).hexdigest()


def packs(objects: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Objects (kind, contents) as git's packs, without deltas."""
    parts: list[bytes] = []
    size = 0
    for kind, raw in objects:
        parts.append(_packed(kind, raw))
        size += len(parts[-1])
        if size > _AT_ONCE:
            yield _pack(parts)
            parts, size = [], 0
    if parts:
        yield _pack(parts)


def _pack(parts: Sequence[bytes]) -> bytes:
    body = struct.pack(">4sII", b"PACK", 2, len(parts)) + b"".join(parts)
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def _packed(kind: str, raw: bytes) -> bytes:
    size, head = len(raw), bytearray()
    byte = (_KINDS[kind] << 4) | (size & 15)
    size >>= 4
    while size:
        head.append(byte | 128)
        byte, size = size & 127, size >> 7
    head.append(byte)
    return bytes(head) + zlib.compress(raw)
