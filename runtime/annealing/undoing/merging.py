"""Three versions of a text made one: what changed between two of them, on top of what else was changed. Pure.

Owns when two changes are disjoint, line by line and, in a rule, field by field. Does not own whose change stays when
they are not (undo.py).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations
from typing import Any, TypeVar

from runtime.errors import BadInput
from runtime.tenant import frontmatter
from runtime.tenant.heads import Rule as Head

T = TypeVar("T")
_Edit = tuple[int, int, tuple[T, ...]]

# What the loop itself writes into a rule's head: it says how the rule does, not what the rule is.
_COUNTS = frozenset({"helpful", "harmful"})
_BOOKS = frozenset({"state", "since", "improvement", "idea"})
_ORDER = {key: place for place, key in enumerate(Head.model_fields)}
_MISSING: Any = object()


def three_way(base: Sequence[T], ours: Sequence[T], theirs: Sequence[T]) -> list[T] | None:
    """``ours`` with what changed from ``base`` to ``theirs``; None when both changed the same places. Changes that only
    touch are disjoint: a line is a sentence of its own here."""
    mine, other = _edits(base, ours), _edits(base, theirs)
    edits = sorted({*mine, *other}, key=lambda one: one[:2])
    if any(_overlap(one, two) for one, two in combinations(edits, 2)):
        return None
    merged: list[T] = []
    at = 0
    for start, end, new in edits:
        merged += [*base[at:start], *new]
        at = end
    return [*merged, *base[at:]]


def merged_text(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """As ``three_way``, by lines."""
    if ours == base or base == theirs:
        return theirs if ours == base else ours
    lines = three_way(*(one.splitlines(keepends=True) for one in (base, ours, theirs)))
    return None if lines is None else b"".join(lines)


@dataclass(frozen=True, slots=True)
class Merged:
    """``overlaps``: both sides changed the same; there ``theirs`` stands in ``data``."""

    data: bytes
    overlaps: bool


def merged_rule(base: bytes, ours: bytes, theirs: bytes) -> Merged:
    """A rule's file by its fields: words by line, lists by entry, counters by what was counted since, anything else
    whole. What the loop writes down of its own is no reason for an overlap. Bytes stay as they are where they can."""
    sides = [_parts(one) for one in (base, ours, theirs)]
    raw = merged_text(base, ours, theirs)
    if any(side is None for side in sides):
        return Merged(theirs if raw is None else raw, raw is None)
    (head0, text0), (head1, text1), (head2, text2) = (side for side in sides if side is not None)
    head, overlaps = _heads(head0, head1, head2)
    lines = three_way(text0.splitlines(), text1.splitlines(), text2.splitlines())
    text = text2 if lines is None else "\n".join(lines)
    wanted = (head, text)
    ordered = {key: head[key] for key in sorted(head, key=lambda key: _ORDER.get(key, len(_ORDER)))}
    for same in (theirs, ours, raw):
        if (
            same is not None
            and (parts := _parts(same)) == wanted
            and (same is not raw or list(parts[0]) == list(ordered))
        ):
            return Merged(same, overlaps or lines is None)
    return Merged(frontmatter.dump(ordered, f"{text}\n").encode(), overlaps or lines is None)


def same_rule(one: bytes, two: bytes) -> bool:
    """Whether two versions of a rule's file say the same, whatever the loop wrote down of it."""
    first, second = _parts(one), _parts(two)
    if first is None or second is None:
        return one == two
    kept = [{key: head[key] for key in head.keys() - _COUNTS - _BOOKS} for head, _ in (first, second)]
    return kept[0] == kept[1] and first[1] == second[1]


def reads_as(one: bytes, two: bytes) -> bool:
    """Whether two versions of a rule's file say the same in every field, however they are written."""
    return one == two or (_parts(one) is not None and _parts(one) == _parts(two))


def same_words(one: bytes, two: bytes) -> bool:
    """Whether two versions of a rule's file tell the assistant the same on the same occasions."""
    first, second = _parts(one), _parts(two)
    if first is None or second is None:
        return one == two
    return first[1] == second[1] and first[0].get("triggers", []) == second[0].get("triggers", [])


def is_pinned(data: bytes) -> bool:
    """Whether a rule's file says that it is a person's, as one without a state does."""
    parts = _parts(data)
    return parts is not None and parts[0].get("state", "pinned") == "pinned"


def words(data: bytes) -> str:
    """What a rule's file tells the assistant, in one line."""
    parts = _parts(data)
    return re.sub(r"\s+", " ", parts[1] if parts else data.decode("utf-8", "replace")).strip()


def _parts(data: bytes) -> tuple[dict[str, Any], str] | None:
    try:
        head, body = frontmatter.parse(data.decode("utf-8"))
    except (BadInput, UnicodeDecodeError):
        return None
    return head, body.strip()


def _heads(base: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    head, overlaps = {}, False
    restamped = base.get("improvement") != ours.get("improvement")
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        value, apart = _value(key, *(side.get(key, _MISSING) for side in (base, ours, theirs)))
        overlaps |= not apart
        pinned = key == "state" and "pinned" == ours.get(key) != base.get(key)
        if key in _BOOKS and (restamped or pinned):
            value = ours.get(key, _MISSING)  # a later improvement's that stays, or a person's
        if value is not _MISSING:
            head[key] = value
    return head, overlaps


def _value(key: str, base: Any, ours: Any, theirs: Any) -> tuple[Any, bool]:
    """One field, and whether its changes were disjoint."""
    if theirs == base:
        return ours, True
    if key in _COUNTS:
        numbers = [0 if one is _MISSING else one for one in (base, ours, theirs)]
        if all(isinstance(one, int) for one in numbers):
            return max(0, numbers[2] + numbers[1] - numbers[0]) or _MISSING, True
    if ours in (base, theirs) or key in _BOOKS:
        return theirs, True
    lists = [[] if one is _MISSING else one for one in (base, ours, theirs)]
    if all(isinstance(one, list) and all(isinstance(entry, str) for entry in one) for one in lists):
        entries = three_way(*lists)
        return (theirs if entries is None else entries or _MISSING), entries is not None
    return theirs, False


def _edits(base: Sequence[T], new: Sequence[T]) -> list[_Edit[T]]:
    """What goes goes line by line, so that of two deletions what both took is the same."""
    edits: list[_Edit[T]] = []
    for tag, start, end, i, j in SequenceMatcher(None, base, new, autojunk=False).get_opcodes():
        if tag == "delete":
            edits += [(at, at + 1, ()) for at in range(start, end)]
        elif tag != "equal":
            edits.append((start, end, tuple(new[i:j])))
    return edits


def _overlap(one: _Edit[T], two: _Edit[T]) -> bool:
    """Of two different edits, the earlier first: the same line, or something put into the same place."""
    (start, end, _), (start2, end2, _) = one, two
    if start == end and start2 == end2:
        return start == start2
    if start == end:
        return start2 < start < end2
    if start2 == end2:
        return start < start2 < end
    return max(start, start2) < min(end, end2)
