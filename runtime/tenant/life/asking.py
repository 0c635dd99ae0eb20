"""A question taken apart: whom or what it names, what it wants to know of them, and when. Pure.

Owns which words of a question name something, whatever is known. Does not own what is known (ranking.py).
"""

import re
from dataclasses import dataclass
from datetime import date

from runtime.tenant.life.days import Span, spans
from runtime.tenant.life.meanings import meanings
from runtime.tenant.life.terms import STOP, terms

_TOKEN = re.compile(r"\$?[^\W_][\w.,:/@&'\u2019-]*", re.UNICODE)

_SHORT = {"st": "street", "ave": "avenu", "rd": "road", "ln": "lane", "blvd": "boulevard", "dr": "driv", "ct": "court"}
STREETS = frozenset(_SHORT.values()) | {"way", "plac"}
"""Of an address the part that people leave out or get wrong."""

# What a question is made of, whatever it is about.
_ASKING = """
agenda anybody anyone anything appointment appointments arent around background brief briefing busy calendar called
came cant come couldnt count date dates day detail details didnt does doesnt dont event events everything exact
exactly fill free full get gets give given go goes going good got happen happening happens hasnt havent hello help
here hey hi hows info information isnt keep lets long look looking many meeting meetings much name named names need
needs never new no not note notes ok okay one overview past plan planned plans please profile question quick recap
record records regarding remind rundown schedule scheduled show something story sum summarize summary talk thank
thanks there thing things time times today upcoming update use used wanna want wanted wants whats whens wheres whos
wise wont yes yet
"""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a question. ``starts``: nothing that belongs to the word before it. ``name``: it is written as names
    are."""

    term: str
    typed: str
    starts: bool
    name: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """``words`` say what about; a question of a day alone has none."""

    words: tuple[Word, ...]
    spans: tuple[Span, ...] = ()


def plain_terms(text: str) -> list[str]:
    """As ``terms``, with the short forms of an address written out."""
    return [_SHORT.get(term, term) for term in terms(text)]


def asked(question: str, today: date) -> Asked:
    """Words in their order, each once, without those that every question has."""
    found, rest = spans(question, today)
    words: list[Word] = []
    seen: set[str] = set()
    broken, first, tokens = True, True, list(_TOKEN.finditer(rest))
    for number, match in enumerate(tokens):
        typed = match[0].rstrip(".,:;'\u2019-")
        following = tokens[number + 1][0] if number + 1 < len(tokens) else ""
        name = _is_name(typed, following, first=first)
        first = bool(re.search(r"[.?!]\s*$", rest[: match.start()])) or number == 0
        if number > 0 and rest[tokens[number - 1].end() : match.start()].strip():
            broken = True  # a comma or the like stands between
        kept = [] if _says_nothing(typed) and not name else [term for term in plain_terms(typed) if term not in STOP]
        for term in kept:
            if term not in seen:
                words.append(Word(term, typed.strip("$"), broken, name))
                seen.add(term)
            broken = False
        broken = not kept or typed.endswith(("'s", "\u2019s")) or match[0].endswith((",", ":", ";"))
    return Asked(tuple(words), tuple(found))


def bare(typed: str) -> str:
    """A word as it is written in small letters, without 's."""
    return re.sub(r"['\u2019]s$", "", typed.lower())


def _says_nothing(typed: str) -> bool:
    """One of the words that every question has, also put together: I'm, who've, don't."""
    plain = bare(typed).replace("\u2019", "'")
    return bool({plain, plain.partition("'")[0], plain.replace("'", "")} & (STOP | _ASKING_WORDS))


def _is_name(typed: str, following: str, *, first: bool) -> bool:
    """Written with a capital inside a sentence, or with 's behind it; at the start both it and the next word."""
    if any(c.isdigit() for c in typed) or _says_nothing(typed):
        return False
    owns = bare(typed) != typed.lower()
    capital = typed[:1].isupper() and not (typed.isupper() and len(typed) > 1)
    capital = capital and not any(meanings(term) for term in plain_terms(typed))  # "the Inspection" is no name
    return owns or (capital and (not first or (following[:1].isupper() and following.lower() not in STOP)))


_ASKING_WORDS = frozenset(_ASKING.split())
