"""Improvements that somebody else took back, or put back, with a commit of their own.

Owns what counts as that: git's own revert line (`git revert`, `/undo`, `proxystaff revert`) and, of a person's commit,
that none of what the improvement did is there afterwards. Does not own what follows from it (the caller). Reads only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtime.annealing.records import Improvement, State
from runtime.annealing.undoing.landings import (
    REVERTS,
    Past,
    Standing,
    Step,
    is_by_person,
    landing_of,
    standing,
    steps,
    superseded_by,
)
from runtime.annealing.undoing.merging import same_words, words
from runtime.tenant.git.commits import Commit
from runtime.tenant.git.history import AGENT, History
from runtime.tenant.rules.files import ref_of

_LANDED = (State.PROBATION, State.KEPT)
_UNDONE = (State.ROLLED_BACK, State.UNPROVEN)


@dataclass(frozen=True, slots=True)
class Recognised:
    """``back`` is False when ``commit`` took the improvement back, True when it put one back that had been."""

    improvement: Improvement
    commit: Commit
    back: bool = False


def recognised(history: History, improvements: Iterable[Improvement], since: str) -> list[Recognised]:
    """What commits after ``since`` (all, if that is not part of the history) did to improvements that are recorded as
    being in force, or as having been taken back. Oldest commit first; of an improvement only how it ended up."""
    fresh = {commit.id for commit in history.since(since)}
    if not fresh:
        return []
    past, every = Past(history), history.since("")
    places = {commit.id: place for place, commit in enumerate(every)}
    found = []
    for one in improvements:
        if one.state not in (*_LANDED, *_UNDONE):
            continue
        landing = every[places[one.commit]] if one.commit in places else landing_of(history, one)
        if landing is None or landing.id not in places:
            continue
        later = every[places[landing.id] + 1 :]
        told = _told(past, one, standing(one, landing, later), [commit for commit in later if commit.id in fresh])
        if told:
            found.append(told)
    return sorted(found, key=lambda told: places[told.commit.id])


def _told(past: Past, one: Improvement, known: Standing, fresh: Sequence[Commit]) -> Recognised | None:
    ids = {commit.id for commit in fresh}
    undone = known.undone
    if one.state in _UNDONE:
        is_back = undone is None and known.commit.id in ids and known.commit.id != known.landing
        return Recognised(one, known.commit, back=True) if is_back else None
    if undone is not None:
        return None if _is_ours(one, undone) or undone.id not in ids else Recognised(one, undone)
    return _by_hand(past, one, known, fresh)


def _is_ours(one: Improvement, undone: Commit) -> bool:
    """Whether it is the loop's own commit, which writes down what became of ``one`` itself; of what went with another
    one, that is told with the other."""
    if one.id in superseded_by(undone):
        return True
    return undone.trailers.get(REVERTS) == one.id and undone.trailers.get("Actor") == AGENT


def _by_hand(past: Past, one: Improvement, known: Standing, fresh: Sequence[Commit]) -> Recognised | None:
    """The first of a person's commits after which nothing of it was left."""
    for commit in fresh:
        if not is_by_person(commit) or commit.id in known.chain:
            continue
        if not set(known.commit.files) & set(commit.files):
            continue
        done = steps(past, one, known.commit)
        undone = bool(done) and all(_is_undone(past, step, commit.id) for step in done)
        if undone and not _is_in_a_text(past, done, fresh[-1].id):
            return Recognised(one, commit)
    return None


def _is_undone(past: Past, step: Step, commit: str) -> bool:
    """Whether a file is, in what it says, as it was before."""
    if step.new and step.new != step.old and past.one(commit, step.new) is not None:
        return False
    if step.old is None:
        return True
    now = past.one(commit, step.old)
    assert step.before
    return now is not None and (
        now == step.before or (bool(ref_of(step.old)) and same_words(now.data, step.before.data))
    )


def _is_in_a_text(past: Past, done: Iterable[Step], commit: str) -> bool:
    """Whether a directive says what the rule said: then a person has promoted it by hand, which is no undoing."""
    gone = [words(step.after.data) for step in done if step.old is None and step.after and ref_of(step.new or "")]
    texts = [path for path in past.files(commit) if path.startswith("directives/") and not ref_of(path)]
    return any(
        words(one.data).find(said) >= 0 for one in past.read(commit, texts).values() if one for said in gone if said
    )
