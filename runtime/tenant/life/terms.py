"""What a text is about, as terms: words in their plain form, without those that say nothing. Pure.

One reading of words for everybody who compares texts: whether two facts say the same, which facts a question is about,
whether a person's own words carry a fact. How a figure is written does not matter; figures.py reads those.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from runtime.tenant.life import figures

# Vowel signs of scripts that write them beside the letter: for Python they are neither letter nor digit.
_SIGNS = (
    "\u0591-\u05bd\u05bf\u064b-\u065f\u0900-\u0963\u0971-\u0de5\u0e31-\u0e3a\u0e47-\u0e4e\u0eb1-\u0ecd\u1000-\u103f"
)
_LETTERS = rf"(?:[^\W\d_]|[{_SIGNS}])+"
_WORD = re.compile(rf"\d+(?:[.,:/-]\d+)*|{_LETTERS}(?:'{_LETTERS})?")
UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
_FRACTIONS = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "½": ".5", "¼": ".25", "¾": ".75"})
_ENDLESS = re.compile(r"([\w.,+-]{300})[\w.,+-]+")
"""Nothing that people write; a pattern could be kept busy with it for hours, and strangers' texts are read here too."""

_SAYING_NOTHING = """
a about after all also am an and any are as at be been before being but by can could did do does doing done
for from had has have having he her hers him his how i if in into is it its just know let like me mine more
most my now of off on once one only or our ours out over own please remember s say said she should so some
such t tell than that the their theirs them then there these they this those to told too up us very was we
were what when where which while who whom whose why will with would you your yours
"""
STOP = frozenset(_SAYING_NOTHING.split())

_NUMBERS = {"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9"}
_NUMBERS |= {"ten": "10", "eleven": "11", "twelve": "12"}
NOT = "not"
_DENYING = frozenset(("no", "not", "never", "without", "none", "neither", "nor", "cannot"))
_DENIED = re.compile(r"(?:ca|wo|do|does|did|is|are|was|were|has|have|had|would|should|could|must|need)n'?t")


def terms(text: str) -> list[str]:
    """The terms of a text, each as often as it stands there: words in their order, then figures.

    A date counts as itself, as its day (``11-27``) and its month (``2026-11``), a phone number as itself and without
    its area code, however they are written; an amount as its number (``$550k`` and ``550,000`` are one), a time as of
    24 hours. Every word that denies is ``not``.
    """
    return list(_terms(text))


def values(text: str) -> frozenset[str]:
    """The terms that are figures: dates, times, amounts, addresses of mail and web. Two texts that differ in these only
    contradict each other."""
    return frozenset(term for term in _terms(text) if is_figure(term))


def contents(text: str) -> frozenset[str]:
    """The terms that are words."""
    return frozenset(term for term in _terms(text) if not is_figure(term))


def is_figure(term: str) -> bool:
    return any(c.isdigit() or c in ".@/" for c in term)


def support(claim: str, heard: Iterable[str]) -> float:
    """What part of the terms of ``claim`` stands in ``heard``, from 0 to 1. Every figure has to, or it is 0; one that
    was said short counts ("at 6" for 6 pm, "around 550" for $550,000)."""
    said: set[str] = set()
    for text in heard:
        said.update(_terms(text))
        if "one" in text.casefold().split():
            said.add("1")
    said.update([meant for term in said for meant in figures.meant_by(term)])
    claimed = set(_terms(claim))
    if not claimed or any(is_figure(term) and term not in said for term in claimed):
        return 0.0
    return len(claimed & said) / len(claimed)


def plain(text: str) -> str:
    """Small letters without accents, one kind of apostrophe, spaces as they are."""
    if text.isascii():
        return text.lower().replace("e-mail", "email")
    spelled = unicodedata.normalize("NFKD", text.translate(_FRACTIONS).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", spelled)).replace("e-mail", "email")


@lru_cache(maxsize=16_384)
def _terms(text: str) -> tuple[str, ...]:
    found, rest = figures.taken_out(_ENDLESS.sub(r"\1", plain(text)))
    return (*_words(rest), *found)


def _words(text: str) -> Iterator[str]:
    for word in _WORD.findall(text):
        if word in _DENYING or _DENIED.fullmatch(word):
            yield NOT
        elif word in STOP or word.partition("'")[0] in STOP:
            continue
        elif UNSPACED.match(word):
            yield from _pairs(word)
        elif term := _NUMBERS.get(word) or _stem(word):
            yield term


def _pairs(word: str) -> Iterator[str]:
    """Chinese and Japanese set no spaces between words: every two neighbours count as one."""
    yield from (word[at : at + 2] for at in range(max(1, len(word) - 1)))


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    """English endings off, so that ``showings`` finds ``showing`` and ``wanted`` finds ``want``. Rough on purpose: both
    sides of a comparison go through it."""
    word = word.removesuffix("'s").replace("'", "")
    if word[:1] == "0" and word[1:2].isdigit():
        word = word[1:]
    if any(c.isdigit() for c in word) or len(word) < 4:
        return word
    word = _without(word, _PLURALS)
    word = _without(word, _FORMS)
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeioulsz":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 4 else word


_PLURALS = (("ies", "y"), ("sses", "ss"), ("ss", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("s", ""))
_FORMS = (("ing", ""), ("ed", ""))


def _without(word: str, endings: Iterable[tuple[str, str]]) -> str:
    for ending, instead in endings:
        if word.endswith(ending) and len(word) - len(ending) + len(instead) >= 3:
            return word[: -len(ending)] + instead
    return word
