"""The values that stand in a text: figures, days, names, and words of which one can be put in the place of another.

Owns which words are of one kind (a day for a day, a seller for a buyer) and what it means that a message puts another
value in the place of one the assistant used. Pure.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from runtime.annealing.signals.forms import words_of
from runtime.annealing.signals.reading import Text

_KIND_OF = {word: kind for kind, words in words_of("kinds").items() for word in words}
_WORDED = {word: figure for figure, words in words_of("figures").items() for word in words}
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th|k|am|pm|h|m|ft|br|ba|%|x|mt|et|pt)*$")
_NAME = re.compile(r"(?<![.!?…\w] )(?<!^)\b[A-ZÀ-Þ][\w'\u2019-]+")
_TITLE = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Sr|Sra|St|Herr|Frau)\. |[\"\u201c\u201d\u2018\u2019'](?=\w)")
_FILLING = frozenset(words_of("filling")["carrying"])


@lru_cache(maxsize=4_096)
def values(text: Text) -> Mapping[str, frozenset[str]]:
    """What stands in a text, by kind. ``number`` holds every figure, whatever it counts."""
    found: dict[str, set[str]] = {}
    for word in text.words:
        if kind := _KIND_OF.get(word):
            found.setdefault(kind, set()).add(word)
        if number := _number(word):
            found.setdefault("number", set()).add(number)
    for name in _NAME.findall(_TITLE.sub("", text.raw)):
        if (plain := name.lower().replace("\u2019", "'").removesuffix("'s")) not in _KIND_OF:
            found.setdefault("name", set()).add(plain)
    return {kind: frozenset(ones) for kind, ones in found.items()}


def replaced(before: Text, text: Text) -> frozenset[str]:
    """The kinds of which the text names another value than was named before it."""
    old, new = values(before), values(text)
    kinds = {kind for kind in old.keys() & new.keys() if new[kind] - old[kind]}
    return frozenset(kinds | ({"spelling"} if _respelled(old.get("name", frozenset()), text) else set()))


def filling(text: Text) -> int:
    """How many words are neither a value nor words that only carry one."""
    return sum(1 for word in text.words if word not in _FILLING and word not in _KIND_OF and not _number(word))


def _number(word: str) -> str:
    if worded := _WORDED.get(word):
        return worded
    if word[0].isdigit() or word[0] in "$.":
        match = _ORDINAL.match(word.strip("$.,").replace(",", "").replace(".", "").replace(":", "").replace("/", ""))
        return match[1] if match else ""
    return ""


def _respelled(names: frozenset[str], text: Text) -> bool:
    """Whether a word is nearly a name that was used: Fran for Frank."""
    words = [word.removesuffix("s") for word in text.words if len(word) > 2 and word not in _FILLING]
    return any(_near(name.removesuffix("s"), word) for name in names for word in words)


def _near(name: str, word: str) -> bool:
    if name == word or abs(len(name) - len(word)) > 3 or min(len(name), len(word)) < 3:
        return False
    head = _shared(name, word)
    tail = _shared(name[::-1], word[::-1])
    longest = max(len(name), len(word))
    alike = name[0] == word[0] and head + tail >= 2 and (head + tail) / longest >= 0.6
    return alike or (tail >= 3 and longest <= 5)


def _shared(one: str, other: str) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
