"""When something is learned, and what follows an attempt. Decisions only: no clock, no disk, no table."""

from dataclasses import dataclass
from enum import StrEnum

HOUR = 3600.0

LOOK_EVERY = 8 * HOUR
"""Seconds between two looks at a tenant for a review."""

REVIEW_AT_MOST = 12 * HOUR
"""Seconds that lie between the beginnings of two reviews of a tenant, at least."""

CONSOLIDATE_AT_MOST = 24 * HOUR
"""Seconds that lie between the end of a consolidation of a file and the beginning of the next one, at least."""

BACKOFF = (5.0, 300.0)
"""Seconds before the second and the third attempt."""

ATTEMPTS = len(BACKOFF) + 1


class Kind(StrEnum):
    REFLECTION = "reflection"
    REVIEW = "review"
    CONSOLIDATION = "consolidation"


class Ending(StrEnum):
    """What came of a run."""

    MERGED = "merged"
    NO_CHANGES = "no_changes"
    CONFLICT = "conflict"
    FAILED = "failed"


LEARNED = frozenset({Ending.MERGED, Ending.NO_CHANGES})
"""After these what was said counts as learned from; after the others the next run looks at it again."""


@dataclass(frozen=True, slots=True)
class Again:
    """The run is tried once more, not before ``at``."""

    at: float


@dataclass(frozen=True, slots=True)
class Over:
    """The run has ended. ``learned``: the cursor moves."""

    learned: bool


def after(ending: Ending, attempts: int, now: float, *, final: bool = False) -> Again | Over:
    """What follows the ``attempts``-th attempt, which ended like this. ``final``: another one would end so as well."""
    if ending in LEARNED:
        return Over(learned=True)
    if final or attempts >= ATTEMPTS:
        return Over(learned=False)
    return Again(now + BACKOFF[attempts - 1])


@dataclass(frozen=True, slots=True)
class Look:
    """What a tenant's timer says: when it is looked at next, and whether a review may be opened now."""

    next: float
    now: bool


def look(due: float | None, last_review: float | None, now: float) -> Look | None:
    """None while the timer has not come. ``due`` is None for a tenant that has none yet; ``last_review`` is when the
    last one was opened. A timer that is late by more than a round is not caught up."""
    if due is None:
        return Look(now + LOOK_EVERY, now=False)
    if now < due:
        return None
    following = due + LOOK_EVERY
    lately = last_review is not None and now - last_review < REVIEW_AT_MOST
    return Look(following if following > now else now + LOOK_EVERY, now=not lately)


def consolidates(last_ended: float | None, *, taken_back: bool, now: float) -> bool:
    """Whether a consolidation of a file over its budget may be opened, when none is open. ``taken_back``: an earlier
    one shortened this very content, and somebody brought it back: they have decided, until the file is another."""
    if taken_back:
        return False
    return last_ended is None or now - last_ended >= CONSOLIDATE_AT_MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a run looks at before it begins: turns of its tenant that are not answered, places in the pool."""

    open_turns: int
    full: bool


PATIENCE = 1.0
"""Seconds between two looks whether a run may begin."""

LONGEST_WAIT = 60.0


def wait(due: float, around: Surroundings, now: float) -> float | None:
    """Seconds to wait before looking again; None when the run may begin: nobody's reply is delayed by it."""
    if due > now:
        return min(due - now, LONGEST_WAIT)
    return PATIENCE if around.open_turns or around.full else None
