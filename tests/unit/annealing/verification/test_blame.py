"""Who is to blame when several changes were in play."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.annealing.verification.blame import (
    MOST_SUSPECTS,
    Blamed,
    Frozen,
    Suspected,
    Turn,
    blame,
    log_score,
    ranking,
)
from runtime.annealing.verification.eprocess import Baseline

BASES = dict.fromkeys("abc", Baseline(12, 100))


def turns(exposed: str, *, bad: int, good: int) -> list[Turn]:
    return [Turn(frozenset(exposed), at < bad) for at in range(bad + good)]


def test_the_one_whose_turns_go_wrong_is_blamed() -> None:
    seen = [*turns("a", bad=4, good=3), *turns("b", bad=1, good=9), *turns("bc", bad=1, good=9)]
    assert blame(seen, BASES) == Blamed("a")


def test_what_was_always_in_play_together_cannot_be_told_apart() -> None:
    assert blame(turns("ab", bad=4, good=3), BASES) == Suspected(("a", "b"))


def test_what_is_clearly_innocent_is_no_suspect() -> None:
    seen = [*turns("ab", bad=4, good=3), *turns("c", bad=1, good=20)]
    assert blame(seen, BASES) == Suspected(("a", "b"))


def test_only_what_was_in_play_in_a_bad_turn_can_be_blamed() -> None:
    scores = ranking([*turns("a", bad=3, good=0), *turns("b", bad=0, good=3)], BASES)
    assert set(scores) == {"a"}
    assert blame([*turns("a", bad=3, good=0), *turns("b", bad=0, good=3)], BASES) == Blamed("a")


def test_replays_without_a_change_tell_apart_what_turns_cannot() -> None:
    seen = turns("ab", bad=4, good=3)
    replays = {"a": log_score([False] * 4), "b": log_score([True] * 4)}
    assert blame(seen, BASES, replays=replays) == Blamed("b")


def test_a_replay_of_what_is_no_suspect_changes_nothing() -> None:
    seen = turns("a", bad=3, good=0)
    assert blame(seen, BASES, replays={"z": 100.0}) == Blamed("a")


def test_replays_speak_for_and_against_and_only_four_count() -> None:
    assert log_score([True]) > 0 > log_score([False])
    assert log_score([]) == 0
    assert log_score([True] * 9) == log_score([True] * 4)


def test_two_that_do_harm_are_both_taken_back() -> None:
    seen = [*turns("a", bad=6, good=4), *turns("b", bad=6, good=4), *turns("c", bad=1, good=12)]
    assert blame(seen, BASES) == Suspected(("a", "b"))


def test_nothing_is_blamed_when_turns_without_any_go_wrong_too() -> None:
    seen, usual = turns("a", bad=4, good=3), Baseline(12, 100)
    found = blame(seen, BASES, elsewhere=[True, True, False, True], usual=usual)
    assert isinstance(found, Frozen)
    assert found.e >= 5
    assert blame(seen, BASES, elsewhere=[False] * 20, usual=usual) == Blamed("a")


def test_without_an_exposure_nobody_can_be_blamed() -> None:
    with pytest.raises(ValueError, match="in play"):
        blame([], BASES)
    with pytest.raises(ValueError, match="in play"):
        blame(turns("a", bad=0, good=4), BASES)


def test_a_file_that_was_always_bad_explains_its_bad_turns() -> None:
    """The same turns on a file that went wrong half of the time before."""
    seen = turns("a", bad=4, good=3)
    poor = ranking(seen, {"a": Baseline(50, 100)})["a"]
    assert poor < 0 < ranking(seen, BASES)["a"]


def test_a_crowd_is_suspected_as_a_whole() -> None:
    names = [f"change-{n}" for n in range(MOST_SUSPECTS + 1)]
    seen = [Turn(frozenset(names), bad=True)]
    assert blame(seen, dict.fromkeys(names, Baseline(12, 100))) == Suspected(tuple(names))


@given(st.integers(0, 10_000))
def test_names_do_not_matter(seed: int) -> None:
    ran = random.Random(seed)
    seen = [
        Turn(frozenset(c for c in "abc" if ran.random() < 0.5) or frozenset("a"), ran.random() < 0.4) for _ in range(25)
    ]
    swap = {"a": "c", "b": "a", "c": "b"}
    swapped = [Turn(frozenset(swap[c] for c in one.exposed), one.bad) for one in seen]
    mine, theirs = ranking(seen, BASES), ranking(swapped, BASES)
    assert {swap[c]: pytest.approx(score) for c, score in mine.items()} == theirs
