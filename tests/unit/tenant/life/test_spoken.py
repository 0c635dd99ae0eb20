"""What "tomorrow" means on the day it is said."""

from datetime import date

import pytest

from runtime.tenant.life.spoken import with_days

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("today", ["11-20"]),
        ("this evening", ["11-20"]),
        ("tonight at 8", ["11-20"]),
        ("tomorrow", ["11-21"]),
        ("Tmrw!", ["11-21"]),
        ("yesterday", ["11-19"]),
        ("on Friday", ["11-13", "11-20", "11-27"]),
        ("fri or sat", ["11-13", "11-14", "11-20", "11-21", "11-27", "11-28"]),
        ("Mondays", ["11-16", "11-23", "11-30"]),
        ("next tues", ["11-17", "11-24", "12-01"]),
        ("weds, thur, thurs", ["11-18", "11-19", "11-25", "11-26", "12-02", "12-03"]),
        ("in 3 days", ["11-23"]),
        ("in a week", ["11-27"]),
        ("in two weeks", ["12-04"]),
        ("the 27th", ["11-27", "12-27"]),
        ("the 31st", ["12-31"]),
        ("the 32nd", []),
        ("nothing of the kind, 12 Oak", []),
    ],
)
def test_words_mean_days(text: str, days: list[str]) -> None:
    assert with_days(text, FRIDAY) == " ".join([text, *(f"2026-{day}" for day in days)])


def test_a_day_without_a_year_is_of_the_year_before_this_or_the_next() -> None:
    assert with_days("May 5", FRIDAY) == "May 5 2025-05-05 2026-05-05 2027-05-05"
    assert with_days("Feb 29", FRIDAY) == "Feb 29"


def test_the_end_of_a_year() -> None:
    last = date(2026, 12, 31)
    assert with_days("tomorrow, or the 5th", last) == "tomorrow, or the 5th 2026-12-05 2027-01-01 2027-01-05"
