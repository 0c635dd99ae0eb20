"""When an idea that failed may come back, and when anything may land."""

from datetime import UTC, datetime, timedelta

import pytest

from runtime.annealing.verification.cooldown import (
    Landing,
    Sign,
    Tombstone,
    Why,
    after_rejected,
    after_rollback,
    after_unproven,
    may_land,
    may_propose,
    too_little,
)
from runtime.annealing.verification.ideas import idea

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IDEA = idea("follow-up", "follow-up/day", "confirm the day of a showing before booking it")
REWORDED = idea("follow-up", "follow-up/day", "Before booking, always confirm the showing's day with the client")
OTHER = idea("follow-up", "follow-up/day", "quote the list price from the sheet")
STATES, CHECKS = "a sentence at the top of the text", "the tool refuses an argument without a date"


def signs(*places: tuple[str, float]) -> list[Sign]:
    """Conversation, and days from NOW."""
    return [Sign(where, (NOW + days * DAY).date(), NOW + days * DAY) for where, days in places]


FRESH = signs(("a", 1), ("b", 2), ("a", 3))


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        (signs(("a", 0), ("b", -1), ("a", -1)), None),
        (signs(("a", 0), ("b", -1)), "2 of 3 signals"),
        (signs(("a", 0), ("a", -1), ("a", -2)), "1 of 2 conversations"),
        (signs(("a", 0), ("b", 0), ("c", 0)), "1 of 2 days"),
        ([], "0 of 3 signals"),
    ],
)
def test_what_is_reason_enough(evidence: list[Sign], why: str | None) -> None:
    assert too_little(evidence) == why


def test_the_first_time_each_end_has_its_own_wait() -> None:
    assert after_rollback(IDEA, STATES, [], NOW).until == NOW + 7 * DAY
    assert after_unproven(IDEA, STATES, [], NOW).until == NOW + 3 * DAY
    assert after_rejected(IDEA, STATES, [], NOW).until == NOW + DAY


def test_the_second_strike_waits_a_month_and_the_third_for_the_owner() -> None:
    first = after_rejected(IDEA, STATES, [], NOW)
    second = after_unproven(REWORDED, STATES, [first], NOW)
    third = after_rollback(IDEA, STATES, [first, second], NOW)
    assert (first.strikes, second.strikes, third.strikes) == (1, 2, 3)
    assert second.until == NOW + 30 * DAY
    assert third.until is None
    assert after_rollback(OTHER, STATES, [first, second], NOW).strikes == 1


def test_after_a_canary_only_the_owner_brings_it_back() -> None:
    stone = after_rejected(IDEA, STATES, [], NOW, entombed=True)
    assert (stone.why, stone.until) == (Why.ENTOMBED, None)
    said = may_propose(REWORDED, CHECKS, FRESH, [stone], NOW + 1000 * DAY)
    assert said == "entombed, and only the owner may bring it back"


@pytest.mark.parametrize("after", [after_unproven, after_rejected])
def test_the_wait_is_for_the_idea_in_any_words(after: type) -> None:
    stone: Tombstone = after(IDEA, STATES, [], NOW)
    assert stone.until is not None
    for same in (IDEA, REWORDED):
        assert may_propose(same, CHECKS, FRESH, [stone], stone.until - HOUR) is not None
        assert may_propose(same, STATES, [], [stone], stone.until) is None
    assert may_propose(OTHER, STATES, [], [stone], NOW) is None


def test_what_was_rolled_back_needs_new_signals_and_another_mechanism() -> None:
    stone, then = after_rollback(IDEA, STATES, [], NOW), NOW + 8 * DAY
    old = signs(("a", -1), ("b", -2), ("c", -3))
    assert may_propose(IDEA, CHECKS, FRESH, [stone], NOW + 6 * DAY) == "rolled_back, until 2026-11-27 09:00"
    assert may_propose(IDEA, CHECKS, old, [stone], then) == "rolled back, and 0 new signals are too few"
    assert "too few" in (may_propose(IDEA, CHECKS, [*old, *FRESH[:2]], [stone], then) or "")
    one_place = signs(("a", 1), ("a", 2), ("a", 3))
    assert "too few" in (may_propose(IDEA, CHECKS, one_place, [stone], then) or "")
    assert may_propose(IDEA, STATES, FRESH, [stone], then) == "rolled back, and the mechanism is the same"
    assert may_propose(IDEA, CHECKS, FRESH, [stone], then) is None


def test_every_tombstone_of_an_idea_counts() -> None:
    rejected = after_rejected(IDEA, STATES, [], NOW)
    back = after_rollback(IDEA, STATES, [], NOW)
    assert may_propose(IDEA, CHECKS, FRESH, [rejected, back], NOW + 2 * DAY) is not None


def test_a_tombstone_survives_its_file() -> None:
    stone = after_rollback(IDEA, STATES, [], NOW)
    assert Tombstone.model_validate_json(stone.model_dump_json()) == stone


def ended(file: str, hours_ago: float, *, rolled_back: float | None = None, empty: bool = False) -> Landing:
    """``rolled_back``: hours ago."""
    back = None if rolled_back is None else NOW - rolled_back * HOUR
    return Landing(file=file, at=NOW - hours_ago * HOUR, over=back or NOW, rolled_back=back, empty=empty)


def test_one_change_of_a_file_at_a_time() -> None:
    open_ = Landing(file="a", at=NOW - 50 * HOUR)
    assert may_land("a", [open_], NOW) == "a change of a is on probation"
    assert may_land("b", [open_], NOW) is None
    assert may_land("a", [ended("a", 50)], NOW) is None


def test_three_landings_a_day() -> None:
    today = [ended("a", 20), ended("b", 10), ended("c", 1)]
    assert may_land("d", today, NOW) == "3 landings in a day"
    assert may_land("d", [ended("a", 24), *today[1:]], NOW) is None


def test_two_rollbacks_in_a_day_stop_everything_for_three_days() -> None:
    close = [ended("a", 200, rolled_back=30), ended("b", 200, rolled_back=10)]
    assert may_land("c", close, NOW) == "2 rollbacks in a day; nothing lands until 2026-11-22 23:00"
    assert may_land("c", close, NOW + 61 * HOUR) is not None
    assert may_land("c", close, NOW + 62 * HOUR) is None
    apart = [ended("a", 200, rolled_back=35), ended("b", 200, rolled_back=10)]
    assert may_land("c", apart, NOW) is None
    assert may_land("c", close[:1], NOW) is None


def test_an_empty_landing_takes_nobodys_place() -> None:
    empty = [Landing(file="a", at=NOW - HOUR, empty=True)] * 3
    assert may_land("a", empty, NOW) is None
    back = [ended("a", 9, rolled_back=2, empty=True), ended("b", 9, rolled_back=1)]
    assert may_land("c", back, NOW) is None
