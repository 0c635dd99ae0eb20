"""What a text is about, as terms: words in their plain form, without those that say nothing. Pure.

One reading of words for everybody who compares texts: whether two facts say the same, which facts a question is about,
whether a person's own words carry a fact.
"""

import calendar
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_WORD = re.compile(r"\d+(?:[.,:/-]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)?|\d+", re.UNICODE)

_SAYING_NOTHING = """
a about after all also am an and any are as at be been before being but by can could did do does doing done
for from had has have having he her hers him his how i if in into is it its just know let like me mine more
most my now of off on once one only or our ours out over own please remember s say said she should so some
such t tell than that the their theirs them then there these they this those to told too up us very was we
were what when where which while who whom whose why will with would you your yours
"""
STOP = frozenset(_SAYING_NOTHING.split())

_MONTHS = {
    name: f"{number:02}"
    for number, name in enumerate(calendar.month_name)
    for name in (name.lower(), name[:3].lower())
    if name
} | {"sept": "09"}
_DAY_OF_MONTH = re.compile(
    r"\b(?P<month>[A-Za-z]{3,9})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?\b(?:,? (?P<year>\d{4}))?", re.IGNORECASE
)
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_AMOUNT = re.compile(
    r"(?<![\w:.,/-])\$?\s?(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![:/-]?\d)\s?(k|m|thousand|million)?\b",
    re.IGNORECASE,
)
_NUMBERS = {"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9"}
_TIMES = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "million": 1_000_000}


def terms(text: str) -> list[str]:
    """The terms of a text in their order, each as often as it stands there.

    A date counts as itself, as its day (``11-27``) and its month (``2026-11``), however it is written; an amount as
    its number (``$550k`` and ``550,000`` are one).
    """
    plain = _plain(text)
    dates, rest = _dates(plain)
    amounts, rest = _amounts(rest)
    words = (_NUMBERS.get(word) or _stem(word) for word in _WORD.findall(rest) if word not in STOP)
    return [*(word for word in words if word), *amounts, *dates]


def values(text: str) -> frozenset[str]:
    """The terms that are figures: dates, times, amounts. Two texts that differ in these only contradict each other."""
    return frozenset(term for term in terms(text) if any(c.isdigit() for c in term))


def contents(text: str) -> frozenset[str]:
    """The terms that are words."""
    return frozenset(term for term in terms(text) if not any(c.isdigit() for c in term))


def support(claim: str, heard: Iterable[str]) -> float:
    """What part of the terms of ``claim`` stands in ``heard``, from 0 to 1. Every figure has to, or it is 0."""
    said = {term for text in heard for term in terms(text)}
    claimed = set(terms(claim))
    figures = {term for term in claimed if any(c.isdigit() for c in term)}
    if not claimed or not figures <= said:
        return 0.0
    return len(claimed & said) / len(claimed)


def _plain(text: str) -> str:
    spelled = unicodedata.normalize("NFKD", text.replace("\u2019", "'").casefold())
    return "".join(c for c in spelled if not unicodedata.combining(c))


def _dates(text: str) -> tuple[list[str], str]:
    found: list[str] = []

    def iso(match: re.Match[str]) -> str:
        year, month, day = match.groups()
        found.extend((f"{year}-{month}-{day}", f"{month}-{day}", f"{year}-{month}"))
        return " "

    def worded(match: re.Match[str]) -> str:
        month = _MONTHS.get(match["month"].lower())
        day = int(match["day"])
        if month is None or not 1 <= day <= 31:
            return match[0]
        found.append(f"{month}-{day:02}")
        if match["year"]:
            found.extend((f"{match['year']}-{month}-{day:02}", f"{match['year']}-{month}"))
        return " "

    return found, _DAY_OF_MONTH.sub(worded, _ISO_DATE.sub(iso, text))


def _amounts(text: str) -> tuple[list[str], str]:
    found: list[str] = []

    def amount(match: re.Match[str]) -> str:
        digits, unit = match[1], (match[2] or "").lower()
        money = match[0].lstrip().startswith("$")
        if not (money or unit or "," in digits):
            return match[0]  # a house number, a time: a word like others
        number = float(digits.replace(",", "")) * _TIMES.get(unit, 1)
        found.append(f"{number:g}" if number % 1 else str(int(number)))
        return " "

    return found, _AMOUNT.sub(amount, text)


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    """English endings off, so that ``showings`` finds ``showing`` and ``wanted`` finds ``want``. Rough on purpose: both
    sides of a comparison go through it."""
    word = word.removesuffix("'s").replace("'", "")
    if word[:1] == "0" and word[1:2].isdigit():
        word = word[1:]  # 09:00 is 9:00
    if any(c.isdigit() for c in word) or len(word) < 4:
        return word
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)] + instead
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeioulsz":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 4 else word
