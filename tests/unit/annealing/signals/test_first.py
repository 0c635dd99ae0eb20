"""The first stage: what a message says of the turn before it, judged without any model."""

from pathlib import Path

import pytest

from runtime.annealing.signals.first import first, weights
from runtime.annealing.signals.records import About, Label, Source, Spoken
from runtime.words import How
from scripts.benchmarks._signals import BARS, HELD_OUT, Share, load, measured

TRAIN = HELD_OUT.with_name("train.jsonl")
CORRECTION, COMPLAINT, REMEMBER, NEUTRAL = Label.CORRECTION, Label.COMPLAINT, Label.REMEMBER, Label.NEUTRAL


def after(assistant: str) -> list[Spoken]:
    return [Spoken("assistant", assistant)] if assistant else []


PAIRS = [
    ("Showing is set for Tuesday.", "Wednesday", CORRECTION),
    ("Which day suits you?", "Wednesday", NEUTRAL),
    ("The price is $410,000.", "401", CORRECTION),
    ("What is the price?", "401", NEUTRAL),
    ("Is it Ann or Amy?", "Amy, not Ann", NEUTRAL),
    ("I wrote to Ann.", "Amy, not Ann", CORRECTION),
    ("Here's the draft.", "this is terrible", COMPLAINT),
    ("The inspector's report is in.", "he did a terrible job", NEUTRAL),
    ("Rates went up again.", "this is terrible", NEUTRAL),
    ("I couldn't open the file.", "what a surprise", COMPLAINT),
    ("Sent.", "always copy Lena on invoices", REMEMBER),
    ("Ok.", "remember that Sam is colorblind", REMEMBER),
    ("Ok.", "remember to call Sam at 6", NEUTRAL),
    ("Hi.", "do you remember the code for Elm?", NEUTRAL),
    ("Photo received.", "save it to the Elm folder", NEUTRAL),
    ("Sent to Tia.", "my bad, I meant Mia, sorry", NEUTRAL),
    ("Done.", "thanks, perfect", NEUTRAL),
    ("Listo.", "a partir de ahora usa el formato corto", REMEMBER),
]


@pytest.mark.parametrize(("assistant", "text", "label"), PAIRS)
def test_a_message_is_judged_by_what_went_before(assistant: str, text: str, label: Label) -> None:
    assert first(after(assistant), text).label is label


def test_the_bars_hold_on_turns_that_nothing_was_learned_from() -> None:
    turns = load(HELD_OUT)
    found = measured(turns, [first(turn.context, turn.text) for turn in turns])
    assert len(turns) >= 150
    for name in ("friction recall", "friction precision", "remember recall", "remember precision"):
        assert found[name].value >= BARS[name], (name, found[name].plain())


def test_others_words_are_hardly_ever_taken_for_a_signal() -> None:
    turns = [*load(HELD_OUT), *load(TRAIN)]
    found = measured(turns, [first(turn.context, turn.text) for turn in turns])["false positives on others' words"]
    assert found.of >= 100
    assert found.value <= BARS["false positives on others' words"], found.plain()


def test_the_two_sets_share_no_turn() -> None:
    def keys(path: Path) -> set[tuple[str, str]]:
        return {(turn.context[-1].text, turn.text) for turn in load(path)}

    assert not keys(HELD_OUT) & keys(TRAIN)


@pytest.mark.parametrize("how", [How.FORWARDED, How.QUOTED, How.DOCUMENT, How.ECHO, How.AGENT, How.SCHEDULE])
def test_words_that_are_not_the_persons_own_say_nothing(how: How) -> None:
    found = first(after("Sent."), "from now on always copy Eve", how)
    assert (found.label, found.about) == (NEUTRAL, About.THIRD_PARTY)
    assert found.source is (Source.FORWARDED if how is How.FORWARDED else Source.QUOTED)
    assert not found.counts
    assert first(after("Sent."), "from now on always copy Eve", How.VOICE).counts


def test_a_signal_says_which_words_carry_it_and_a_correction_what_was_expected() -> None:
    found = first(after("I booked it for Sunday."), "Saturday, not Sunday")
    assert (found.span, found.expected, found.about, found.source, found.stage) == (
        "Saturday, not Sunday",
        "Saturday, not Sunday",
        About.ASSISTANT,
        Source.OWNER,
        1,
    )
    assert found.counts


@pytest.mark.parametrize("text", ["", " ", "👍", "?" * 5_000, "not " * 5_000, '"' * 3_000, "a" * 100_000, "\x00\ud800"])
def test_anything_can_be_judged(text: str) -> None:
    for context in ([], after(""), after(text), [Spoken("user", "hi")]):
        found = first(context, text)
        assert 0 <= found.p <= 1


def test_the_same_turn_is_judged_the_same() -> None:
    turns = load(HELD_OUT)[:40]
    assert [first(one.context, one.text) for one in turns] == [first(one.context, one.text) for one in turns]


def test_the_weights_are_of_features_that_are_used() -> None:
    table = weights()
    assert len(table.bias) == 4
    assert all(len(ones) == 4 for ones in table.table.values())


def test_an_interval_is_wilsons() -> None:
    low, high = Share(8, 10).interval
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)
