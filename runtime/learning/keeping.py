"""What of a run's changes may stay. Pure.

Owns the rule: files under life/ that can be read, with a few facts more than before and none fewer. All else that a
run did is left behind with its folder; a run that did too much changes nothing at all.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtime.errors import Fault
from runtime.learning.prompts import MOST_FACTS
from runtime.tenant.git.changes import Change
from runtime.tenant.git.commits import shown
from runtime.tenant.life.facts import facts
from runtime.tenant.life.files import LIFE, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """``changes`` may land unless ``problem`` says why nothing does; ``left`` are files that are not taken. ``title``
    and ``first``: the commit's subject, if not the usual one, and a paragraph under it. ``final``: a problem that is
    not tried again."""

    changes: tuple[Change, ...] = ()
    left: tuple[str, ...] = ()
    problem: str = ""
    title: str = ""
    first: str = ""
    final: bool = False


def keep(changes: Sequence[Change], before: Mapping[str, bytes]) -> Kept:
    """``before``: what was in the files of life/ that changed."""
    taken = [one for one in changes if one.path.startswith(f"{LIFE}/") and one.path.endswith(".md")]
    left = tuple(shown(one.path) for one in changes if one not in taken)
    if removed := [one.path for one in taken if one.data is None]:
        return Kept(left=left, problem=f"it removed {', '.join(removed)}")
    try:
        counts = [_counts(one, before.get(one.path, b"")) for one in taken]
    except (Fault, UnicodeDecodeError) as fault:
        return Kept(left=left, problem=f"it left a file that cannot be read: {fault}".splitlines()[0])
    added, gone = sum(count[0] for count in counts), sum(count[1] for count in counts)
    if added > MOST_FACTS:
        return Kept(left=left, problem=f"it added {added} facts, more than the {MOST_FACTS} that one run may")
    if gone > added:
        return Kept(left=left, problem=f"it took out {gone} facts and added {added}")
    return Kept(changes=tuple(taken), left=left)


def _counts(change: Change, before: bytes) -> tuple[int, int]:
    """How many facts a file holds that it did not hold before, and how many it holds no more: one that took another's
    place counts in both. Raises what is wrong with the file as it is now."""
    assert change.data is not None
    old = Counter(one.text for one in facts(before.decode("utf-8", "replace")))
    new = Counter(one.text for one in parse(change.path, change.data.decode()).facts)
    return (new - old).total(), (old - new).total()
