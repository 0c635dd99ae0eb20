"""The same idea in other words, and other ideas in similar words."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.annealing.verification.ideas import Idea, idea, same_idea, same_words

SHOWING = "Confirm the day of a showing before booking it"


def about(intent: str, family: str = "follow-up", target: str = "follow-up/day") -> Idea:
    return idea(family, target, intent)


@pytest.mark.parametrize(
    "again",
    [
        "confirm the day of a showing, before booking it!",
        "Always make sure to confirm the day of the showing before you book it.",
        "Before booking a showing, its day must be confirmed",
        "Showings: confirm day before you book them",
    ],
)
def test_small_words_order_and_endings_do_not_make_another_key(again: str) -> None:
    assert about(again).key == about(SHOWING).key


@given(st.integers(0, 1000))
def test_the_order_of_words_is_no_part_of_it(seed: int) -> None:
    words = SHOWING.split()
    random.Random(seed).shuffle(words)
    assert about(" ".join(words)).key == about(SHOWING).key


@pytest.mark.parametrize(
    "again",
    [
        "Confirm with the client which day the showing is on before it is booked",
        "Booking a showing needs confirmation of its day",
        "Never book showings whose day nobody confirmed",
    ],
)
def test_more_words_are_still_the_same_idea(again: str) -> None:
    assert about(again).key != about(SHOWING).key
    assert same_idea(about(again), about(SHOWING))
    assert same_idea(about(SHOWING), about(again))


@pytest.mark.parametrize(
    "other", ["Quote the list price from the sheet", "Send photos of a showing in one album", "Leave Sunday free"]
)
def test_other_ideas_are_others(other: str) -> None:
    assert not same_idea(about(other), about(SHOWING))


def test_the_same_words_about_something_else_are_another_idea() -> None:
    assert not same_idea(about(SHOWING), about(SHOWING, target="follow-up/other"))
    assert about(SHOWING).key != about(SHOWING, family="listing").key


def test_a_name_and_the_named_are_one_word() -> None:
    assert same_words("Name the lender on every offer", "the lender is named when an offer is written")


@pytest.mark.parametrize("empty", ["", "   ", "always make sure to", "!!!"])
def test_an_intent_without_content_still_has_a_key(empty: str) -> None:
    assert about(empty).key == about(empty).key
    assert len(about(empty).key) == 16
    assert same_idea(about(empty), about(empty))


def test_a_mechanism_that_says_nothing_is_no_other_one() -> None:
    assert same_words("", "a check before the tool runs")
    assert not same_words("a check before the tool runs", "an example in the text")


def test_it_survives_its_file() -> None:
    assert Idea.model_validate_json(about(SHOWING).model_dump_json()) == about(SHOWING)
