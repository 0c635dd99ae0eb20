"""Kept, rolled back, unproven, or further on: after each turn, whenever it is looked at."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.annealing.verification.eprocess import Baseline
from runtime.annealing.verification.proving import (
    Fate,
    GateAgain,
    Goes,
    Keep,
    Probation,
    RollBack,
    Unproven,
    Use,
    better,
    fate,
    turned_away,
)

LANDED = datetime(2026, 11, 1, 9, tzinfo=UTC)
SOON = LANDED + timedelta(days=5)
BASE = Baseline(12, 100)
BUSY = Use(turns=600, days=40, dialogues=150)


def on_probation(ys: Sequence[bool], base: Baseline = BASE, *, owner_visible: bool = False) -> Probation:
    return Probation(base=base, ys=ys, landed=LANDED, gated=LANDED, owner_visible=owner_visible)


def spread(bad: int, n: int) -> list[bool]:
    """Bad turns as far apart as they can be, the first as late as possible."""
    return [(at + 1) * bad // n > at * bad // n for at in range(n)]


def test_harm_is_rolled_back_at_the_turn_that_shows_it() -> None:
    end = fate(on_probation([False, True, True, True, False, False]), SOON)
    assert isinstance(end, RollBack)
    assert (end.n, end.k) == (3, 2)
    assert end.reason == "2 of 3 turns went wrong where 12% did before"
    assert end.e >= 5


def test_what_the_owner_sees_is_rolled_back_on_more_evidence() -> None:
    """Fewer false alarms, the same turns tell less."""
    ys = [False, True, True]
    assert isinstance(fate(on_probation(ys), SOON), RollBack)
    assert fate(on_probation(ys, owner_visible=True), SOON) == Goes()


def test_a_few_good_turns_prove_nothing() -> None:
    assert fate(on_probation([False] * 39), SOON) == Goes()


def test_forty_good_turns_do() -> None:
    end = fate(on_probation([False] * 40), SOON)
    assert isinstance(end, Keep)
    assert end.better > 0.95


@pytest.mark.parametrize(("n", "bad"), [(20, [5]), (30, [3, 4])])
def test_what_is_hardly_better_is_unproven_at_its_look(n: int, bad: list[int]) -> None:
    """``bad``: of the first twenty turns, and of ten more."""
    base = Baseline(20, 200)
    ys = [y for k, of in zip(bad, (20, 10), strict=False) for y in spread(k, of)]
    assert isinstance(fate(on_probation(ys[:-1], base, owner_visible=True), SOON), Goes)
    end = fate(on_probation(ys, base, owner_visible=True), SOON)
    assert isinstance(end, Unproven)
    assert f"after {n} turns" in end.reason


def test_at_the_last_look_it_must_be_likelier() -> None:
    """At 30 turns a chance between .10 and .35 goes on; at 40 it does not."""
    base, ys = Baseline(10, 100), spread(5, 40)
    assert 0.10 < better(base, ys) < 0.35
    assert fate(on_probation(ys[:39], base), SOON) == Goes()
    assert isinstance(fate(on_probation(ys, base), SOON), Unproven)


@given(st.integers(0, 100_000), st.floats(0, 0.6), st.integers(0, 60), st.integers(1, 15))
def test_one_look_says_what_many_would_have_said(seed: int, rate: float, n: int, step: int) -> None:
    """After a kill all turns are gone through again; the first decision stands, whatever came later."""
    ran = random.Random(seed)
    ys = [ran.random() < rate for _ in range(n)]
    first: Fate = Goes()
    for upto in range(n + 1):
        first = fate(on_probation(ys[:upto]), SOON)
        if first != Goes():
            break
    assert fate(on_probation(ys), SOON) == first
    looks = (fate(on_probation(ys[:upto]), SOON) for upto in [*range(0, n, step), n])
    assert next((one for one in looks if one != Goes()), Goes()) == first


def test_what_is_rarely_in_play_stays_and_its_gate_runs_weekly() -> None:
    rare = on_probation([False] * 19)
    assert fate(rare, LANDED + timedelta(days=20)) == Goes()
    assert fate(rare, LANDED + timedelta(days=21)) == GateAgain()
    again = replace(rare, gated=LANDED + timedelta(days=21))
    assert fate(again, LANDED + timedelta(days=27)) == Goes()
    assert fate(again, LANDED + timedelta(days=28)) == GateAgain()
    assert fate(on_probation([False] * 20), LANDED + timedelta(days=90)) == Goes()


def test_better_is_a_chance() -> None:
    assert better(BASE, [False] * 40) > 0.95
    assert better(BASE, [True] * 10) < 0.01
    assert better(Baseline(5, 50), spread(5, 50)) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (Use(turns=150, days=10, dialogues=38), None),
        (Use(turns=125, days=10, dialogues=31), None),  # a little less
        (Use(turns=4, days=1, dialogues=1), None),  # one quiet day
        (Use(turns=60, days=10, dialogues=15), "turns a day fell from 15.0 to 6.0"),
        (Use(turns=14, days=2, dialogues=4), None),  # a weekend
        (Use(turns=0, days=10, dialogues=0), "turns a day fell from 15.0 to 0.0"),
        (Use(turns=160, days=10, dialogues=22), "dialogues grew from 4.0 to 7.3 turns"),
        (Use(turns=7, days=1, dialogues=1), None),  # one long dialogue
    ],
)
def test_fewer_signals_do_not_count_when_people_turn_away(after: Use, why: str | None) -> None:
    assert turned_away(BUSY, after) == why


def test_nobody_turns_away_from_nothing() -> None:
    assert turned_away(Use(turns=0, days=10, dialogues=0), Use(turns=20, days=10, dialogues=5)) is None


def test_a_change_that_people_turn_away_from_is_unproven() -> None:
    good = replace(on_probation([False] * 40), before=BUSY, after=Use(turns=60, days=10, dialogues=15))
    assert fate(good, SOON) == Unproven("turns a day fell from 15.0 to 6.0")
    assert isinstance(fate(replace(good, after=BUSY), SOON), Keep)
