"""Dates, times, amounts, phone numbers and addresses of mail and web in a text, each in one form. Pure.

Owns that two spellings of the same figure are one. The texts it is given are plain (terms.py): small letters, no
accents. What may be a figure of several kinds (``3/2``: beds and baths, or the second of March) is left as it stands.
"""

import calendar
import re
from collections.abc import Callable, Iterator
from decimal import Decimal

_MONTHS = {
    name: number
    for number, whole in enumerate(calendar.month_name)
    if whole
    for name in (whole.lower(), whole[:3].lower())
} | {"sept": 9}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_ORDINAL = r"(\d{1,2})(?:st|nd|rd|th)?"
_BEFORE, _AFTER = r"(?<![\w:.,/-])", r"(?![\w:/-]|[.,]\d)"

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"')\]]+"
    r"|(?<![\w@.-])[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|io|us|info|gov|edu|app|realtor|homes)\b(?:/[^\s<>\"')\]]*)?"
)
_PHONE = re.compile(r"(?<![\w.+-])(?:\+?1[\s.-]?)?(?:\(\d{3}\)\s?|\d{3}[\s.-])\d{3}[\s.-]\d{4}(?![\w-])")
_BARE_PHONE = re.compile(r"(?<![\w.$,-])\+?1?\d{10}(?![\w,-])")
_SHORT_PHONE = re.compile(r"(?<![\w.$,-])\d{3}-\d{4}(?![\w-])")
_FOREIGN_PHONE = re.compile(r"(?<!\w)\+(?!1\D?\d{3})\d[\d\s().-]{6,}\d")
_PHONES = (_PHONE, _BARE_PHONE, _SHORT_PHONE, _FOREIGN_PHONE)

_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_MONTH_DAY = re.compile(rf"\b({_MONTH})\.? {_ORDINAL}\b(?!:)(?:,? (\d{{4}})\b)?")
_DAY_MONTH = re.compile(rf"\b{_ORDINAL}(?: of)? ({_MONTH})\b\.?(?:,? (\d{{4}})\b)?")
_SLASHES = re.compile(
    rf"(\b(?:on|by|until|before|after|since|from|due|for) )?{_BEFORE}(\d\d?)/(\d\d?)(?:/(\d{{4}}|\d\d))?{_AFTER}"
)
_NAMES_MONTH = re.compile(rf"\b(?:{_MONTH})\b")
_MONTH_YEAR = re.compile(rf"\b({_MONTH})\.?,? (\d{{4}})\b")

_TIME = re.compile(rf"{_BEFORE}(\d\d?)(?::([0-5]\d))?\s?([ap])\.?m\b\.?|(?<![\d:.])([01]?\d|2[0-3]):([0-5]\d)(?![\d:])")
_NOON = re.compile(r"\bnoon\b")
_CLOCK_RANGE = re.compile(r"(\d\d?(?::\d\d)?\s?(?:[ap]\.?m\.?)?)\s?[-\u2013\u2014]\s?(?=\d\d?(?::\d\d)?\s?[ap]\.?m\b)")

_UNITS = {"k": 3, "thousand": 3, "grand": 3, "m": 6, "mil": 6, "million": 6}
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_AMOUNT = re.compile(
    rf"(?<![\w:.,/-])\$?\s?(\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d*\.?\d+)(?![:/-]?\d)\s?(?:({_UNIT})\b)?(?=\W|$)"
)
_RANGE = re.compile(rf"(\d[\d,.]*)\s?({_UNIT})?\s?[-\u2013\u2014]\s?\$?(\d[\d,.]*)\s?({_UNIT})\b")
_PERCENT = re.compile(r"(?<=\d)\s?%")
_NTH = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")


def taken_out(text: str) -> tuple[list[str], str]:
    """The figures of a text, each as often as it stands there, and the text without them. A bare number stays."""
    found: list[str] = []

    def take(pattern: re.Pattern[str], read: Callable[[re.Match[str]], list[str]], text: str) -> str:
        def one(match: re.Match[str]) -> str:
            figures = read(match)
            found.extend(figures)
            return " " if figures else match[0]

        return pattern.sub(one, text)

    if "@" in text:
        text = take(_ADDRESS, lambda match: [match[0]], text)
    if "." in text or "://" in text:
        text = take(_LINK, lambda match: [_link(match[0])], text)
    if "noon" in text:
        text = take(_NOON, lambda _: ["12:00"], text)
    digits = sum(map(str.isdigit, text))
    if not digits:
        return found, text
    for pattern in _PHONES if digits >= 7 else ():
        text = take(pattern, lambda match: _phone(match[0]), text)
    text = _dates(text, take)
    text = take(_TIME, _time, _CLOCK_RANGE.sub(r"\1 ", text))
    text = _PERCENT.sub(" percent", _RANGE.sub(_both, text))
    text = take(_AMOUNT, _amount, text)
    return found, _NTH.sub(r"\1", text)


def meant_by(figure: str) -> Iterator[str]:
    """What else a figure means to whoever says it short: ``6`` may be six in the evening, ``550`` be $550,000."""
    if re.fullmatch(r"\d{1,2}", figure) and 1 <= int(figure) <= 12:
        yield f"{int(figure)}:00"
        yield f"{int(figure) % 12 + 12}:00"
    elif short := re.fullmatch(r"(1?\d):(\d\d)", figure):
        yield f"{int(short[1]) % 12 + 12}:{short[2]}"
    if re.fullmatch(r"\d{2,4}", figure):
        yield f"{figure}000"
    elif re.fullmatch(r"\d\.\d{1,3}", figure):
        yield _number(figure, 6)


def _link(text: str) -> str:
    """``zillow.com/homedetails/1``, without what can be left out."""
    text = re.sub(r"^https?://", "", text.rstrip(".,;:!?/"))
    return text.removeprefix("www.")


def _phone(text: str) -> list[str]:
    digits = "".join(c for c in text if c.isdigit())
    if text.startswith("+") and not text.startswith("+1"):
        return [digits]
    digits = digits[-10:]
    return [digits, digits[3:]] if len(digits) == 10 else [digits]


Take = Callable[[re.Pattern[str], Callable[[re.Match[str]], list[str]], str], str]


def _dates(text: str, take: Take) -> str:
    text = take(_ISO_DATE, lambda match: _day(match[1], int(match[2]), match[3]), text)
    if "/" in text:
        text = take(_SLASHES, _slashed, text)
    if not _NAMES_MONTH.search(text):
        return text
    text = take(_MONTH_DAY, lambda match: _day(match[3], _MONTHS[match[1]], match[2]), text)
    text = take(_DAY_MONTH, lambda match: _day(match[3], _MONTHS[match[2]], match[1]), text)
    return _MONTH_YEAR.sub(lambda match: f"{match[0]} {match[2]}-{_MONTHS[match[1]]:02}", text)


def _day(year: str | None, month: int, day: str) -> list[str]:
    if not (1 <= month <= 12 and 1 <= int(day) <= 31):
        return []
    short = f"{month:02}-{int(day):02}"
    return [f"{year}-{short}", short, f"{year}-{month:02}"] if year else [short]


def _slashed(match: re.Match[str]) -> list[str]:
    """As it is written in the United States: ``11/27/2026``, ``11/27``."""
    leads, month, day, year = match.groups()
    if not year and not leads and int(month) <= 6 and int(day) <= 6:
        return []  # three beds and two baths, or half an acre
    return _day(f"20{year}" if year and len(year) == 2 else year, int(month), day)


def _time(match: re.Match[str]) -> list[str]:
    hour, minute, half = match[1] or match[4], match[2] or match[5] or "00", match[3]
    number = int(hour)
    if half and not 1 <= number <= 12:
        return []
    if half:
        number = number % 12 + (12 if half == "p" else 0)
    return [f"{number}:{minute}"]


def _both(match: re.Match[str]) -> str:
    """``$500-550k`` are two amounts, both in thousands."""
    return f"{match[1]}{match[2] or match[4]} {match[3]}{match[4]}"


def _amount(match: re.Match[str]) -> list[str]:
    digits, unit = match[1], match[2] or ""
    if not (match[0].lstrip().startswith("$") or unit or "," in digits):
        return []  # a house number, a count: a word like others
    return [_number(digits, _UNITS.get(unit, 0))]


def _number(digits: str, zeros: int) -> str:
    number = Decimal(digits.replace(",", "")) * 10**zeros
    return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"
