"""Days in a question: "on March 3", "tomorrow", "next week", "in December", as spans of the calendar. Pure.

Owns what such words mean on a given day, and the days that a fact names. A day without a year is that day of any year.
"""

import calendar
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = {name.lower(): n for n, name in enumerate(calendar.month_name) if name} | {
    name.lower(): n for n, name in enumerate(calendar.month_abbr) if name
}
_WEEKDAYS = {name.lower(): n for n, name in enumerate(calendar.day_name)} | {
    name.lower(): n for n, name in enumerate(calendar.day_abbr)
}
_COUNTS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True)) + "|sept"
_WEEKDAY = "|".join(sorted(_WEEKDAYS, key=len, reverse=True))

_WHOLE = re.compile(r"\d{4}-\d\d-\d\d")
_BARE = re.compile(r"\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Span:
    """Days from ``first`` to ``last``, both included. ``yearless``: of this year or any other."""

    first: date
    last: date
    yearless: bool = False

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last

    def holds_day(self, month: int, day: int) -> bool:
        """Whether a day of any year, a birthday say, falls into it."""
        for year in {self.first.year, self.last.year}:
            try:
                if self.holds(date(year, month, day)):
                    return True
            except ValueError:  # the 29th of February of a common year
                continue
        return False


def spans(text: str, today: date) -> tuple[list[Span], str]:
    """The spans that a question names, and the question without them."""
    found: list[Span] = []
    for pattern, meaning in _FORMS:

        def taken(match: re.Match[str], meaning: "_Meaning" = meaning) -> str:
            span = meaning(match, today)
            if span is None:
                return match[0]
            found.append(span)
            return " "

        text = pattern.sub(taken, text)
    return found, text


@dataclass(frozen=True, slots=True)
class Named:
    """The days that a fact names; ``yearly`` are those without a year, as month and day."""

    days: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()

    def within(self, span: Span) -> bool:
        if span.yearless:
            wanted = span.first.month, span.first.day
            return wanted in self.yearly or any((day.month, day.day) == wanted for day in self.days)
        return any(map(span.holds, self.days)) or any(span.holds_day(*day) for day in self.yearly)


NO_DAYS = Named()


def named(terms: Iterable[str]) -> Named:
    """The days in the terms of a fact (life/terms.py)."""
    terms = set(terms)
    days = frozenset(day for term in terms if _WHOLE.fullmatch(term) and (day := _day(term)))
    bare = {term for term in terms if _BARE.fullmatch(term)} - {f"{day:%m-%d}" for day in days}
    return Named(days, frozenset((int(term[:2]), int(term[3:])) for term in bare))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


_Meaning = Callable[["re.Match[str]", date], "Span | None"]


def _one(day: date) -> Span:
    return Span(day, day)


def _iso(match: re.Match[str], _: date) -> Span | None:
    day = _day(match[0])
    return _one(day) if day else None


def _worded(match: re.Match[str], _: date) -> Span | None:
    month = _MONTHS.get(match["month"].lower()[:3])
    if month is None:
        return None
    try:
        if match["year"]:
            return _one(date(int(match["year"]), month, int(match["day"])))
        day = date(2028, month, int(match["day"]))  # a leap year: the 29th of February is a day
    except ValueError:
        return None
    return Span(day, day, yearless=True)


def _numbers(match: re.Match[str], _: date) -> Span | None:
    """3/14 and 3/14/2027, as it is written in the United States."""
    try:
        if match["year"]:
            year = int(match["year"]) + (2000 if len(match["year"]) == 2 else 0)
            return _one(date(year, int(match["month"]), int(match["day"])))
        day = date(2028, int(match["month"]), int(match["day"]))
    except ValueError:
        return None
    return Span(day, day, yearless=True)


def _near(match: re.Match[str], today: date) -> Span:
    ahead = {"yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1, "tmrw": 1, "tomorow": 1}
    ahead |= {"day after tomorrow": 2, "day before yesterday": -2}
    return _one(today + timedelta(days=ahead[" ".join(match[1].lower().split())]))


def _counted(match: re.Match[str], today: date) -> Span:
    number = match["number"].lower()
    days = (int(number) if number.isdigit() else _COUNTS[number]) * (7 if match["unit"].lower() == "week" else 1)
    days = min(days, 3660)
    return _one(today + timedelta(days=-days if match["ago"] else days))


def _weekday(match: re.Match[str], today: date) -> Span | None:
    """The next such day; "last" the one before today. Today is none of these but for "this" and "on"."""
    wanted = _WEEKDAYS[match["day"].lower()]
    ahead = (wanted - today.weekday()) % 7
    match (match["which"] or "").lower():
        case "last":
            return _one(today - timedelta(days=(today.weekday() - wanted) % 7 or 7))
        case "next":
            return _one(today + timedelta(days=ahead or 7))
        case _:
            return _one(today + timedelta(days=ahead))


def _week(match: re.Match[str], today: date) -> Span:
    monday = today - timedelta(days=today.weekday())
    monday += timedelta(days={"last": -7, "this": 0, "next": 7}[match["which"].lower()])
    if match["unit"].lower() == "weekend":
        return Span(monday + timedelta(days=5), monday + timedelta(days=6))
    return Span(monday, monday + timedelta(days=6))


def _month(match: re.Match[str], today: date) -> Span:
    count = today.year * 12 + today.month - 1 + {"last": -1, "this": 0, "next": 1}[match["which"].lower()]
    return _whole_month(count // 12, count % 12 + 1)


def _in_month(match: re.Match[str], today: date) -> Span | None:
    """Of this year, or of the next when that is nearer: in November "in January" is to come, "in October" is past."""
    month = _MONTHS.get(match["month"].lower()[:3])
    if month is None:
        return None
    if match["year"]:
        return _whole_month(int(match["year"]), month)
    ahead = (month - today.month) % 12
    count = today.year * 12 + today.month - 1 + (ahead if ahead <= 8 else ahead - 12)
    return _whole_month(count // 12, count % 12 + 1)


def _whole_month(year: int, month: int) -> Span:
    year = min(max(year, 1), 9999)
    return Span(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# In this order: what one form has taken, no later one sees.
_FORMS: tuple[tuple[re.Pattern[str], _Meaning], ...] = (
    (_form(r"\b\d{4}-\d{2}-\d{2}\b"), _iso),
    (_form(rf"\b(?P<month>{_MONTH})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<year>\d{{4}})\b)?"), _worded),
    (_form(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month>{_MONTH})\b(?:,? (?P<year>\d{{4}})\b)?"), _worded),
    (_form(r"(?<![\w/-])(?P<month>\d{1,2})/(?P<day>\d{1,2})(?:/(?P<year>\d{4}|\d{2}))?(?![\w/-])"), _numbers),
    (_form(r"\b(day\s+after\s+tomorrow|day\s+before\s+yesterday)\b"), _near),
    (_form(r"\b(yesterday|today|tonight|tomorrow|tomorow|tmrw)\b"), _near),
    (_form(rf"\bin (?P<number>\d{{1,4}}|{'|'.join(_COUNTS)}) (?P<unit>day|week)s?\b(?P<ago>)"), _counted),
    (_form(rf"\b(?P<number>\d{{1,4}}|{'|'.join(_COUNTS)}) (?P<unit>day|week)s? (?P<ago>ago)\b"), _counted),
    (_form(r"\b(?P<which>last|this|next) (?P<unit>weekend|week)\b"), _week),
    (_form(r"\b(?P<which>last|this|next) month\b"), _month),
    (_form(rf"\b(?:(?P<which>last|this|next|on) )(?P<day>{_WEEKDAY})\b"), _weekday),
    (_form(rf"\b(?P<which>)(?P<day>{'|'.join(name.lower() for name in calendar.day_name)})s?\b"), _weekday),
    (_form(rf"\b(?:in|during|of|for) (?P<month>{_MONTH})\b(?:,? (?P<year>\d{{4}})\b)?"), _in_month),
)
