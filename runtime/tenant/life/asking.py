"""A question taken apart: whom or what it names, what it wants to know of them, and when. Pure.

Owns which words of a question name something, whatever is known. Does not own what is known (ranking.py).
"""

import re
from dataclasses import dataclass
from datetime import date

from runtime.tenant.life.days import Span, spans
from runtime.tenant.life.terms import STOP, terms

_TOKEN = re.compile(r"\$?[^\W_][\w.,:/@&'\u2019-]*", re.UNICODE)

_SHORT = {"st": "street", "ave": "avenu", "rd": "road", "ln": "lane", "blvd": "boulevard", "dr": "driv", "ct": "court"}
STREETS = frozenset(_SHORT.values()) | {"way", "plac"}
"""Of an address the part that people leave out or get wrong."""

# What a question is made of, whatever it is about.
_ASKING = """
anybody anyone anything appointment appointments around background brief briefing busy calendar called came come count
date dates day detail details dont does doesnt event events everything exact exactly fill free full get gets
give given go goes going good got happen happening happens help here info information isnt keep long look looking many
meeting meetings much name named names need needs new note notes one overview past plan planned plans profile
question quick recap record records regarding remind rundown schedule scheduled show something story sum summarize
summary talk there thing things time times today update use used wanna want wanted wants wise wont yet agenda upcoming
whats whos wheres whens hows lets please thanks thank hi hey hello okay ok yes no not never
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
        said_by_all = bare(typed) in _ASKING_WORDS and not name
        kept = [] if said_by_all else [term for term in plain_terms(typed) if term not in STOP]
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


def _is_name(typed: str, following: str, *, first: bool) -> bool:
    """Written with a capital inside a sentence, or with 's behind it; at the start both it and the next word."""
    plain = bare(typed)
    if any(c.isdigit() for c in plain) or plain in STOP or plain in _ASKING_WORDS:
        return False
    owns = plain != typed.lower()
    capital = typed[:1].isupper() and not (typed.isupper() and len(typed) > 1)
    return owns or (capital and (not first or (following[:1].isupper() and following.lower() not in STOP)))


_ASKING_WORDS = frozenset(_ASKING.split())
