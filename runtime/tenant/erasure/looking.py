"""Finding one person in a text, however it is written. Pure.

Owns how a text is read for this: without case and accents, with JSON's, git's, URLs' and HTML's escapes undone (also
where one lies in another), and from there back to the very characters, so that what is removed leaves no escaped form.
Does not own who is looked for (whom.py).
"""

import base64
import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote_to_bytes

MARK = "[removed]"
"""Stands where a person stood."""

SHORTEST_ADDRESS = 7
"""Digits of an id that is looked for by itself; a shorter one only behind its channel's name."""

_ESCAPE = re.compile(
    r"\\+u(?P<hex>[0-9a-fA-F]{4})|\\+x(?P<byte>[0-9a-fA-F]{2})|(?P<octal>(?:\\+[0-3][0-7]{2})+)|\\+(?P<letter>[ntrbf])"
    r"|\\+(?P<sign>[\"'/])|(?P<percent>(?:%[0-9a-fA-F]{2})+)|(?P<entity>&(?:#\d{1,6}|#x[0-9a-fA-F]{1,5}|[a-zA-Z]{2,8});)"
)

_BETWEEN = r"[\s_.+*>#-]{1,8}"
"""What may stand between two words of a name: a space, a line's end with a quote's mark, a file name's hyphen."""

_BETWEEN_DIGITS = r"[\s().\-]{0,3}"
_SQUEEZED = dict.fromkeys(map(ord, " ().-\t\n\r\f\v\x1c\x1d\x1e\x1f\x85\u2028\u2029\u1680\u205f\u3000"))
_BEFORE, _AFTER = r"(?<![^\W_])", r"(?![^\W_])"
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "jr", "sr", "ii", "iii", "iv", "esq"})
_TOKEN = re.compile(r"[\w+/=.-]")
_DENSE = 0x2E80
"""From here on are the scripts that write no spaces between words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What identifies a person: full ``names``, ``phones`` as digits with the country's code, ``words`` that are
    exactly theirs (e-mail addresses, user names, a channel's ids), ``conversations`` as ``channel:address``."""

    names: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    conversations: tuple[str, ...] = ()

    def talk(self, conversation: str) -> bool:
        """Whether it is a conversation of theirs: a private one, a thread of it, or their part of a group's."""
        channel, _, address = conversation.partition(":")
        sender = address.rpartition("/")[2].partition("_")[0]
        return bool({conversation, f"{channel}:{sender}"} & set(self.conversations))


class Finder:
    """Looks for one person."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks

    def names(self, text: str) -> bool:
        """Whether the person stands in ``text``."""
        read = reading(text)
        return self._may_hold(read) and self._pattern.search(read) is not None

    def starts(self, text: str) -> bool:
        """Whether ``text``, a heading say, begins with the person."""
        return self._pattern.match(reading(text.lstrip(" *_#\"'"))) is not None

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the person stands, from and up to which character, in order."""
        if not self.names(text):
            return []
        read, starts, ends = _mapped(text)
        found: list[tuple[int, int]] = []
        for match in self._pattern.finditer(read):
            end = starts[match.end()] if match.end() < len(starts) else len(text)
            start = starts[match.start()]
            if match.lastgroup == "coded":
                start, end = _whole_token(text, start, ends[match.end() - 1])
            if found and start <= found[-1][1]:
                found[-1] = found[-1][0], max(end, found[-1][1])
            else:
                found.append((start, end))
        return found

    def without(self, text: str, mark: str = MARK) -> str:
        """``text`` with ``mark`` where the person stood; the same object where they do not stand in it."""
        parts, at = [], 0
        for start, end in self.spans(text):
            parts += [text[at:start], mark]
            at = end
        return "".join([*parts, text[at:]]) if parts else text

    def _may_hold(self, read: str) -> bool:
        """Quickly, whether there is anything to look for: of a form, all that cannot be written otherwise is there."""
        if any(all(part in read for part in parts) for parts in self._parts):
            return True
        squeezed = read.translate(_SQUEEZED) if self.marks.phones else ""
        return any(_national(digits) in squeezed for digits in self.marks.phones)

    @cached_property
    def _parts(self) -> list[list[str]]:
        return [
            *([part for word in words_of(name) for part in word.split("'")] for name in self.marks.names),
            *([reading(word)] for word in self.marks.words),
            *(re.findall(r"[^\W_]+", reading(conversation)) for conversation in self.marks.conversations),
            *([core] for digits in self.marks.phones for core in _coded(digits)),
        ]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        plain = [
            *(form for name in self.marks.names for form in _name_forms(name)),
            *map(_phone_form, self.marks.phones),
            *map(_word_form, self.marks.words),
            *map(_conversation_form, self.marks.conversations),
        ]
        coded = [re.escape(core) for digits in self.marks.phones for core in _coded(digits)]
        forms = [f"(?P<plain>{'|'.join(plain)})"] if plain else []
        forms += [f"(?P<coded>{'|'.join(coded)})"] if coded else []
        return re.compile("|".join(forms) or r"(?!)")


def reading(text: str) -> str:
    """``text`` as it is compared: escapes undone, no case, no accents, nothing that is not seen."""
    if "\\" in text or "%" in text or "&" in text:
        text = _ESCAPE.sub(_unescaped, text)
    return _plainer(text)


def words_of(name: str) -> list[str]:
    """The words of a name as they are compared, without titles: ``Dr. Zoë O'Hara-Lee`` is zoe, o'hara, lee."""
    found = [word.strip("'.") for word in re.split(r"[\s,_.\-]+", reading(name))]
    found = [word for word in found if any(c.isalnum() for c in word)]
    return [word for word in found if word not in _TITLES] or found


_HIDDEN = re.compile(
    "[\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0600-\u0605\u0610-\u061c"
    "\u064b-\u065f\u0670\u06d6-\u06dd\u070f\u180e\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\ufff9-\ufffb]"
)
"""Accents, vowel points, and marks that join, part or turn letters: a name is the same with and without."""

_APOSTROPHES = ("\u2019", "\u2018", "\u02bc", "`")


def _plainer(text: str) -> str:
    """``text`` without case, accents and what is not seen; each character by itself, so that one can be read alone."""
    text = text.lower() if text.isascii() else _HIDDEN.sub("", unicodedata.normalize("NFKD", text).casefold())
    for sign in _APOSTROPHES:
        text = text.replace(sign, "'")
    return text


def _unescaped(match: re.Match[str]) -> str:
    kind, value = match.lastgroup, match[match.lastgroup or 0]
    match kind:
        case "hex" | "byte":
            return chr(int(value, 16))
        case "octal":
            codes = bytes(int(part, 8) for part in re.findall(r"[0-7]{3}", value))
            return codes.decode("utf-8", "replace")
        case "letter":
            return " "
        case "percent":
            return unquote_to_bytes(value).decode("utf-8", "replace")
        case "entity":
            return html.unescape(value)
        case _:
            return value


def _mapped(text: str) -> tuple[str, list[int], list[int]]:
    """``reading(text)``, and for each of its characters where what it was read from starts and ends."""
    read: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def take(source: str, start: int, end: int) -> None:
        plain = _plainer(source)
        read.append(plain)
        starts.extend([start] * len(plain))
        ends.extend([end] * len(plain))

    at = 0
    for match in _ESCAPE.finditer(text):
        for place in range(at, match.start()):
            take(text[place], place, place + 1)
        take(_unescaped(match), match.start(), match.end())
        at = match.end()
    for place in range(at, len(text)):
        take(text[place], place, place + 1)
    return "".join(read), starts, ends


def _name_forms(name: str) -> list[str]:
    words = words_of(name)
    if not words:
        return []
    forms = [re.escape(word).replace("'", "'?") for word in words]
    if any(ord(c) >= _DENSE for c in name):
        return [r"\s?".join(forms)]
    middle = rf"(?:[^\W\d_]\.?{_BETWEEN})?" if len(forms) == 2 else ""
    straight = f"{_BETWEEN}{middle}".join(forms)
    turned = rf"{forms[-1]},\s{{0,3}}{_BETWEEN.join(forms[:-1])}" if len(forms) > 1 else ""
    return [f"{_BEFORE}{form}{_AFTER}" for form in (straight, turned) if form]


def _phone_form(digits: str) -> str:
    national = _national(digits)
    country = rf"(?:\+?1{_BETWEEN_DIGITS})?" if len(national) == 10 else r"(?:\+|00)?"
    return rf"(?<!\d){country}\(?{_BETWEEN_DIGITS.join(national)}(?!\d)"


def _national(digits: str) -> str:
    return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits


def _word_form(word: str) -> str:
    if word.isdecimal():
        return rf"(?<!\d){word}(?!\d)"
    return f"{_BEFORE}{re.escape(reading(word))}{_AFTER}"


def _conversation_form(conversation: str) -> str:
    channel, _, address = conversation.partition(":")
    signs = "".join(c if c.isalnum() else r"[^\w\s]" if c != "_" else "_" for c in reading(address))
    loose = signs.replace(r"[^\w\s]", r"(?:[^\w\s]|_)")
    return rf"{_BEFORE}{re.escape(reading(channel))}(?::|_){loose}{_AFTER}"


def _coded(digits: str) -> list[str]:
    """How ``digits`` look within base64, wherever they begin: WhatsApp's message ids hold the person's number so."""
    cores = []
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + digits.encode()).decode()
        first = -(-offset * 8 // 6)
        last = (offset + len(digits)) * 8 // 6
        cores.append(coded[first:last].lower())
    return cores


def _whole_token(text: str, start: int, end: int) -> tuple[int, int]:
    while start > 0 and _TOKEN.match(text[start - 1]):
        start -= 1
    while end < len(text) and _TOKEN.match(text[end]):
        end += 1
    return start, end


def phones_in(text: str) -> list[str]:
    """The telephone numbers in a text, as digits with the country's code: those written with a plus, and those of
    North America, which need separators, or a word before them that says what they are."""
    found = [re.sub(r"\D", "", match) for match in re.findall(r"(?<![\w+])\+\d[\d ().\-]{6,18}\d(?!\d)", text)]
    labelled = re.search(r"\b(?:phone|cell|mobile|tel|call|text|whatsapp|number|reach)", text, re.IGNORECASE)
    gap = "[ .)-]{0,2}" if labelled else "[ .)-]{1,2}"
    american = rf"(?<![\d$.,+])(?:\+?1[ .-]?)?\(?([2-9]\d{{2}}){gap}([2-9]\d{{2}}){gap}(\d{{4}})(?!\d)"
    found += ["1" + "".join(parts) for parts in re.findall(american, text)]
    return list(dict.fromkeys(one for one in found if 8 <= len(one) <= 15))


def words_in(text: str) -> list[str]:
    """The e-mail addresses and @names in a text."""
    mails = re.findall(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+", text)
    users = re.findall(r"(?<![\w.@+-])@\w{5,32}\b", text)
    return list(dict.fromkeys([*mails, *(one.removeprefix("@") for one in users)]))


def as_marks(names: Sequence[str], addresses: Sequence[str], conversations: Sequence[str]) -> Marks:
    """``addresses``: what ``phones_in`` and ``words_in`` found, and channels' own ids."""
    phones = {one for one in addresses if one.isdecimal() and _is_phone(one)}
    words = [one for one in addresses if one not in phones and len(one) >= (SHORTEST_ADDRESS if one.isdecimal() else 5)]
    return Marks(
        names=tuple(dict.fromkeys(names)),
        phones=tuple(sorted(phones)),
        words=tuple(dict.fromkeys(words)),
        conversations=tuple(dict.fromkeys(conversations)),
    )


def _is_phone(digits: str) -> bool:
    """Long enough that separators between its digits cannot make another number of it."""
    return 10 <= len(digits) <= 15
