"""When something is learned, and what follows an attempt: tables of cases."""

from itertools import pairwise

import pytest

from runtime.learning.moments import (
    ATTEMPTS,
    BACKOFF,
    HOUR,
    LONGEST_WAIT,
    PATIENCE,
    Again,
    Ending,
    Look,
    Over,
    Surroundings,
    after,
    consolidates,
    look,
    wait,
)

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("due", "last_review", "wanted"),
    [
        (None, None, Look(NOW + 8 * HOUR, now=False)),  # a new tenant is looked at eight hours later
        (NOW + 1, None, None),  # its time has not come
        (NOW, None, Look(NOW + 8 * HOUR, now=True)),
        (NOW - 60, None, Look(NOW - 60 + 8 * HOUR, now=True)),  # a little late: the beat is kept
        (NOW - 100 * HOUR, None, Look(NOW + 8 * HOUR, now=True)),  # long asleep: once, and not once a missed look
        (NOW, NOW - 8 * HOUR, Look(NOW + 8 * HOUR, now=False)),  # the last review was less than twelve hours ago
        (NOW, NOW - 12 * HOUR + 1, Look(NOW + 8 * HOUR, now=False)),
        (NOW, NOW - 12 * HOUR, Look(NOW + 8 * HOUR, now=True)),
        (NOW, NOW - 16 * HOUR, Look(NOW + 8 * HOUR, now=True)),
    ],
)
def test_a_tenants_timer(due: float | None, last_review: float | None, wanted: Look | None) -> None:
    assert look(due, last_review, NOW) == wanted


def test_looks_every_eight_hours_make_reviews_at_least_twelve_apart() -> None:
    due, last, reviews = NOW, None, []
    for minute in range(0, 5 * 24 * 60, 7):
        now = NOW + minute * 60
        found = look(due, last, now)
        if found:
            due = found.next
            last = now if found.now else last
            reviews += [now] if found.now else []
    apart = [second - first for first, second in pairwise(reviews)]
    assert min(apart) >= 12 * HOUR
    assert max(apart) <= 17 * HOUR


@pytest.mark.parametrize(
    ("ending", "attempts", "wanted"),
    [
        (Ending.MERGED, 1, Over(learned=True)),
        (Ending.NO_CHANGES, 3, Over(learned=True)),
        (Ending.CONFLICT, 1, Again(NOW + BACKOFF[0])),
        (Ending.FAILED, 2, Again(NOW + BACKOFF[1])),
        (Ending.FAILED, ATTEMPTS, Over(learned=False)),
        (Ending.CONFLICT, ATTEMPTS + 1, Over(learned=False)),  # one that kills the process each time
    ],
)
def test_after_an_attempt(ending: Ending, attempts: int, wanted: Again | Over) -> None:
    assert after(ending, attempts, NOW) == wanted


@pytest.mark.parametrize(
    ("due", "around", "wanted"),
    [
        (NOW, Surroundings(open_turns=0, full=False), None),
        (NOW - 9, Surroundings(open_turns=1, full=False), PATIENCE),
        (NOW - 9, Surroundings(open_turns=0, full=True), PATIENCE),
        (NOW + 3, Surroundings(open_turns=0, full=False), 3.0),
        (NOW + 3000, Surroundings(open_turns=5, full=True), LONGEST_WAIT),
    ],
)
def test_a_run_waits_for_people(due: float, around: Surroundings, wanted: float | None) -> None:
    assert wait(due, around, NOW) == wanted


@pytest.mark.parametrize(
    ("last_ended", "taken_back", "wanted"),
    [
        (None, False, True),
        (NOW - 24 * HOUR + 1, False, False),  # whatever came of the last one
        (NOW - 24 * HOUR, False, True),
        (NOW - 99 * HOUR, True, False),  # somebody brought back what was shortened
    ],
)
def test_a_consolidation_of_a_file_over_its_budget(last_ended: float | None, taken_back: bool, wanted: bool) -> None:
    assert consolidates(last_ended, taken_back=taken_back, now=NOW) is wanted


def test_what_would_end_so_again_is_not_tried_again() -> None:
    assert after(Ending.FAILED, 1, NOW, final=True) == Over(learned=False)
