"""Taking back lines that were added, where git sees a conflict because lines beside them came later. Pure."""

from collections.abc import Sequence
from difflib import SequenceMatcher


def without_added(parent: bytes, commit: bytes, now: bytes) -> bytes | None:
    """``now`` without the lines that ``commit`` added to ``parent``.

    None when the commit did more than add lines, or when what it added is not there, once, as it was written.
    """
    left = now.splitlines(keepends=True)
    for block in reversed(_added(parent.splitlines(keepends=True), commit.splitlines(keepends=True)) or [[]]):
        # Whole if it stands so; otherwise without its blank edges, which may be a neighbour's by now.
        places = [(found, one) for one in (block, _stripped(block)) if (found := _place(one, left)) is not None]
        if not places:
            return None
        place, found_block = places[0]
        del left[place : place + len(found_block)]
    return b"".join(left)


def _stripped(block: Sequence[bytes]) -> list[bytes]:
    solid = [at for at, line in enumerate(block) if line.strip()]
    return list(block[solid[0] : solid[-1] + 1]) if solid else []


def _added(before: Sequence[bytes], after: Sequence[bytes]) -> list[list[bytes]] | None:
    blocks = []
    for tag, _, _, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "insert":
            blocks.append(list(after[start:end]))
        elif tag != "equal":
            return None
    return blocks


def _place(block: Sequence[bytes], lines: Sequence[bytes]) -> int | None:
    """Where ``block`` stands; None when nowhere, more than once, or when it is nothing but white space."""
    if not b"".join(block).strip():
        return None
    places = [at for at in range(len(lines) - len(block) + 1) if list(lines[at : at + len(block)]) == list(block)]
    return places[0] if len(places) == 1 else None
