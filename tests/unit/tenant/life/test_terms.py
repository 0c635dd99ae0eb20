"""Texts are read the same however they are spelled: figures of a kind in one form, words without their endings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.tenant.life.terms import contents, is_figure, support, terms, values

SAME = [
    ["Nov 27", "Nov. 27th", "November 27", "27 November", "the 27th of November", "11/27", "on 11/27"],
    ["2026-11-27", "Nov 27, 2026", "November 27th, 2026", "27 Nov 2026", "11/27/2026", "11/27/26"],
    ["9am", "9 am", "9 a.m.", "9:00", "09:00", "9:00 AM", "09:00 a.m."],
    ["9pm", "21:00", "9:00 PM", "9 p.m."],
    ["12pm", "noon", "12:00"],
    ["12 am", "0:00"],
    ["$550k", "550K", "$550,000", "550,000", "550 thousand", "$550,000.00", "$0.55M", "550 grand"],
    ["$1.2M", "1.2 million", "$1,200,000", "1,200,000"],
    ["$500-550k", "$500k-$550k", "500k \u2013 550k", "$500,000, $550,000"],
    ["5%", "5 percent", "5 %"],
    [
        "303-555-0100",
        "(303) 555-0100",
        "+1 303 555 0100",
        "1-303-555-0100",
        "303.555.0100",
        "3035550100",
        "+13035550100",
    ],
    ["+44 20 7946 0958", "+442079460958", "+44 (20) 7946-0958"],
    ["O'Brien", "O\u2019Brien", "o'brien's", "OBRIEN"],
    ["José Núñez", "Jose\u0301 Nun\u0303ez", "JOSE NUNEZ", "jose nunez's"],
    ["showing", "showings", "Showings", "showed"],
    ["morning", "mornings"],
    ["prefers", "preferred", "prefer"],
    ["house", "houses"],
    ["tax", "taxes"],
    ["party", "parties"],
    ["wants three bedrooms", "wanted 3 bedrooms"],
    ["not", "never", "no", "doesn't", "don\u2019t", "cant", "without"],
    ["ann@lee-homes.com", "ANN@Lee-Homes.com."],
    ["https://www.zillow.com/homes/12-Oak/", "zillow.com/homes/12-oak", "www.zillow.com/homes/12-Oak."],
    ["e-mail", "email", "E-Mails"],
    ["2½ baths", "2.5 bath"],
    ["it's the one", ""],
]


@pytest.mark.parametrize("spellings", SAME, ids=lambda one: one[0])
def test_spellings_of_the_same_are_one(spellings: list[str]) -> None:
    assert {tuple(terms(one)) for one in spellings} == {tuple(terms(spellings[0]))}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$550k", "$55k"),
        ("9am", "9pm"),
        ("Nov 27", "Dec 27"),
        ("2026-11-27", "2027-11-27"),
        ("303-555-0100", "720-555-0100"),
        ("wants a pool", "does not want a pool"),
        ("ann@lee.com", "ann@lee.org"),
        ("12 Oak", "14 Oak"),
        ("她想要三间卧室", "她不想要三间卧室"),
        ("$550,000.50", "$550,000"),
        ("$1,234,567", "$1,234,568"),
        ("3 beds", "3.5 baths"),
    ],
)
def test_what_differs_is_told_apart(one: str, other: str) -> None:
    assert terms(one) != terms(other)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-11-27", {"2026-11-27", "11-27", "2026-11"}),
        ("November 2026", {"november", "2026", "2026-11"}),
        ("(303) 555-0100", {"3035550100", "5550100"}),
        ("call 555-0100", {"call", "5550100"}),
        ("12 5th Ave, unit 4B", {"12", "5", "ave", "unit", "4", "b"}),
        ("3/2 ranch", {"3/2", "ranch"}),
        ("open 24/7", {"open", "24/7"}),
        ("due on 3/4", {"due", "03-04"}),
        ("mail ann@lee.com, see lee.com/a", {"mail", "see", "ann@lee.com", "lee.com/a"}),
        ("MLS 1234567", {"mls", "1234567"}),
        ("Nov 27 at 3:30pm", {"11-27", "15:30"}),
        ("9am-5pm", {"9:00", "17:00"}),
        ("ratio 1:500", {"ratio", "1:500"}),
        ("25/12", {"25/12"}),
    ],
)
def test_what_a_text_holds(text: str, found: set[str]) -> None:
    assert set(terms(text)) == found


@pytest.mark.parametrize(
    "text", ["Она хочет дом", "김민수는 집을 원한다", "नमस्ते दुनिया", "יש לה כלב", "تريد منزلا", "Θέλει σπίτι"]
)
def test_a_word_of_any_script_is_one_term(text: str) -> None:
    assert len(terms(text)) == len(text.split())


def test_figures_and_words_are_told_apart() -> None:
    text = "Ann: 303-555-0100, ann@lee.com, 3 beds by Nov 27 at 9am"
    assert contents(text) == {"ann", "bed"}
    assert values(text) == {"3035550100", "5550100", "ann@lee.com", "3", "11-27", "9:00"}


@given(st.text())
def test_any_text_is_read_and_case_means_nothing(text: str) -> None:
    found = terms(text)
    assert all(found)
    assert values(text) | contents(text) == set(found)
    assert not any(c.isspace() for term in found for c in term)


@given(st.text(st.characters(codec="ascii")))
def test_capitals_mean_nothing(text: str) -> None:
    assert terms(text.upper()) == terms(text.lower())


@given(st.integers(1, 999_999_999))
def test_an_amount_is_its_number(number: int) -> None:
    assert terms(f"${number:,}") == terms(f"${number:,}.00") == [str(number)]


@given(st.dates())
def test_a_date_is_one_in_every_spelling(day: object) -> None:
    assert hasattr(day, "year")
    if day.year < 1000:  # type: ignore[attr-defined]
        return
    spellings = (f"{day:%Y-%m-%d}", f"{day:%B} {day.day}, {day:%Y}", f"{day.day} {day:%b} {day:%Y}", f"{day:%m/%d/%Y}")  # type: ignore[attr-defined]
    assert {frozenset(terms(one)) for one in spellings} == {frozenset(terms(spellings[0]))}


@pytest.mark.parametrize(
    ("claim", "heard", "carried"),
    [
        ("Budget: up to $550,000", "her budget is 550k", 1.0),
        ("Budget: up to $550,000", "her budget is around 550", 1.0),
        ("Budget: up to $1,200,000", "budget's 1.2", 1.0),
        ("Call after 6pm", "call her after 6", 1.0),
        ("Call after 18:30", "call her after 6:30", 1.0),
        ("Wants 1 bedroom", "she wants one bedroom", 1.0),
        ("Wants 2.5 baths", "wants 2½ baths", 1.0),
        ("Budget: up to $600,000", "her budget is 550k", 0.0),
        ("Account 12345", "the account", 0.0),
        ("Write to x@evil.org", "write to her", 0.0),
        ("Call after 6pm", "call after 7", 0.0),
        ("Wants 6 bedrooms", "wants a lot of bedrooms", 0.0),
        ("Budget: up to $3,000", "she wants 3 beds in her budget", 0.0),
        ("never on Sundays", "I don't do Sundays", 1.0),
        ("", "anything", 0.0),
        ("the of and", "the of and", 0.0),
    ],
)
def test_what_words_carry(claim: str, heard: str, carried: float) -> None:
    assert support(claim, [heard]) == carried


def test_what_words_carry_in_part() -> None:
    assert support("wants a big garden", ["she wants a garden"]) == pytest.approx(2 / 3)
    assert support("wants a big garden", ["wants", "a garden"]) == pytest.approx(2 / 3)
    assert is_figure("9:00")
    assert not is_figure("garden")


@pytest.mark.parametrize(
    "endless",
    [
        "a",
        "1",
        "1,",
        "1.",
        "a.",
        "a@",
        "-",
        "+1",
        "\u0661",
        "\u4e2d",
        "$1",
        "www.",
        "9:",
        "1/",
        "a'",
        "(",
        " ",
        "\u0301",
        "k-",
    ],
)
@pytest.mark.parametrize("last", ["", "@", "x", ".com", " nov", "%"])
def test_no_text_keeps_it_busy(endless: str, last: str) -> None:
    assert terms(endless * 60_000 + last) is not None
