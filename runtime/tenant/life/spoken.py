"""What a person's words mean on the day they are said: "tomorrow", "on Friday", "the 27th" as days. Pure.

Owns only as much as it takes to know whether a day was said; what is meant when several days could be is not decided:
each of them was said.
"""

import calendar
import re
from collections.abc import Iterator
from datetime import date, timedelta

from runtime.tenant.life.terms import plain, terms

_NEAR = {"today": 0, "tonight": 0, "this": 0, "tomorrow": 1, "tmrw": 1, "yesterday": -1}
_WEEKDAYS = {name[:length].lower(): n for n, name in enumerate(calendar.day_name) for length in (3, len(name))}
_WEEKDAYS |= {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}
_COUNTED = re.compile(r"\bin (?:a|(\d{1,2})) (day|week)s?\b")
_NTH = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)\b")
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def with_days(text: str, day: date) -> str:
    """The text, and the days that its words may mean, as ``2026-11-27``."""
    return " ".join([text, *sorted({one.isoformat() for one in _days(text, day)})])


def _days(text: str, day: date) -> Iterator[date]:
    said = plain(text)
    for number, word in enumerate(_NUMBERS, start=1):
        said = said.replace(f"in {word} ", f"in {number} ")
    for word in re.findall(r"[a-z]+", said):
        if word in _NEAR:
            yield day + timedelta(days=_NEAR[word])
        if (weekday := _WEEKDAYS.get(word.removesuffix("s") if len(word) > 5 else word)) is not None:
            ahead = (weekday - day.weekday()) % 7
            yield from (day + timedelta(days=ahead + week) for week in (-7, 0, 7))
    for count, unit in _COUNTED.findall(said):
        yield day + timedelta(days=int(count or 1) * (7 if unit == "week" else 1))
    for nth in _NTH.findall(said):
        yield from _valid(
            (day.year + (day.month + ahead > 12), (day.month + ahead - 1) % 12 + 1, int(nth)) for ahead in (0, 1)
        )
    named = [term for term in terms(text) if re.fullmatch(r"\d\d-\d\d", term)]
    yield from _valid((day.year + ahead, int(one[:2]), int(one[3:])) for one in named for ahead in (-1, 0, 1))


def _valid(days: Iterator[tuple[int, int, int]]) -> Iterator[date]:
    for year, month, number in days:
        if 1 <= number <= calendar.monthrange(year, month)[1]:
            yield date(year, month, number)
