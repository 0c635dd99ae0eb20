"""The evidence of harm: the figures of the specification, the baseline, and how often it is wrong."""

import math
import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.annealing.verification.eprocess import (
    PSEUDO_TURNS,
    Baseline,
    Evidence,
    Outcome,
    alpha,
    baseline,
    course,
    crossed,
    evidence,
    rates,
)

BAD, OK = True, False
MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)


def after(*ys: bool) -> float:
    one = Evidence(0.13)
    for bad in ys:
        one = one.after(bad=bad)
    return one.e


@pytest.mark.parametrize(
    ("ys", "e"),
    [((BAD,), 2.85), ((BAD, BAD), 9.72), ((BAD, BAD, OK), 5.54), ((BAD, OK, OK, BAD), 3.42)],
)
def test_the_figures_of_the_specification(ys: tuple[bool, ...], e: float) -> None:
    assert after(*ys) == pytest.approx(e, abs=0.005)


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 20), st.integers(0, 200))
def test_turn_by_turn_and_at_once_are_the_same(ys: list[bool], bad: int, good: int) -> None:
    base = Baseline(bad, bad + good + 1)
    one = Evidence(base.upper)
    for y in ys:
        one = one.after(bad=y)
    assert evidence(base, ys) == one.e == ([*course(base, ys)] or [1.0])[-1]


@given(st.lists(st.booleans(), max_size=12), st.floats(0.01, 0.96))
def test_at_the_upper_rate_the_next_turn_is_a_fair_game(ys: list[bool], upper: float) -> None:
    """The mean of E over the next turn is E: a martingale, which Ville's inequality is about."""
    one = Evidence(upper)
    for y in ys:
        one = one.after(bad=y)
    following = upper * one.after(bad=True).e + (1 - upper) * one.after(bad=False).e
    assert following == pytest.approx(one.e)


@pytest.mark.parametrize("owner_visible", [False, True])
@pytest.mark.parametrize("base", [Baseline(4.3, 40), Baseline(1.0, 10), Baseline(30, 200)])
def test_without_harm_it_crosses_no_more_often_than_alpha(base: Baseline, owner_visible: bool) -> None:
    """Looked at after each of 150 turns at the highest rate that is no harm."""
    ran, level, lives = random.Random(3), alpha(owner_visible=owner_visible), 600
    crossings = sum(
        any(crossed(e, level) for e in course(base, [ran.random() < base.upper for _ in range(150)]))
        for _ in range(lives)
    )
    assert crossings / lives <= level + 3 * math.sqrt(level * (1 - level) / lives)
    assert crossings, "a test that never crosses would show nothing"


def test_the_bars() -> None:
    assert (alpha(owner_visible=False), alpha(owner_visible=True)) == (0.20, 0.10)
    assert crossed(5.0, 0.20)
    assert not crossed(4.99, 0.20)
    assert not crossed(9.7, 0.10)


def test_a_harm_beyond_every_rate_is_not_looked_for() -> None:
    assert rates(0.5) == pytest.approx((0.55, 0.60, 0.70, 0.85, 0.97))
    assert rates(0.99) == (0.99,) * 5
    assert evidence(Baseline(1000, 1000), [True] * 50) == pytest.approx(1.0)


def test_the_upper_rate_lies_above_the_mean() -> None:
    base = Baseline(3, 30)
    assert base.rate.mean == pytest.approx(3.5 / 31)
    assert base.rate.mean < base.upper
    assert base.rate.cdf(base.upper) == pytest.approx(0.70)


def seen(turn: str, conversation: str, day: date, *, bad: bool = False) -> Outcome:
    return Outcome(turn=turn, conversation=conversation, day=day, bad=bad)


def test_triggers_and_their_burst_are_no_baseline() -> None:
    trigger = seen("3", "telegram:1", TUESDAY, bad=True)
    earlier = [
        seen("1", "telegram:1", MONDAY),
        seen("2", "telegram:1", TUESDAY),  # the trigger's conversation on its day
        trigger,
        seen("4", "telegram:1", TUESDAY, bad=True),
        seen("5", "whatsapp:9", TUESDAY, bad=True),  # another conversation
    ]
    assert baseline(earlier, [trigger], rate=0.2) == Baseline(1 + 0.2 * PSEUDO_TURNS, 2 + PSEUDO_TURNS)


def test_a_trigger_that_is_no_turn_of_the_file_still_marks_its_burst() -> None:
    elsewhere = seen("9", "telegram:1", TUESDAY, bad=True)
    earlier = [seen("1", "telegram:1", MONDAY, bad=True), seen("2", "telegram:1", TUESDAY, bad=True)]
    assert baseline(earlier, [elsewhere], rate=0.0).s0 == 1


def test_a_file_without_turns_has_the_rate_of_its_tenant() -> None:
    assert baseline([], [], rate=0.15) == Baseline(1.5, 10)
