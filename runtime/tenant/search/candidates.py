"""What a question is answered from: facts with the words they are found by. Pure.

Owns which words of a fact are names, which say what it is about, and which days it names. Does not own what answers a
question (ranking.py).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import TypeVar

from runtime.tenant.life.asking import STREETS, bare, plain_terms
from runtime.tenant.life.days import NO_DAYS, Named
from runtime.tenant.life.days import named as dates_in
from runtime.tenant.life.meanings import meanings
from runtime.tenant.life.terms import STOP

NONE: frozenset[int] = frozenset()

_SIGNS = ".,:;!?()\"'"
_Key = TypeVar("_Key", str, int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One fact. ``titles`` and ``words``: the terms of its section and of its own; ``meanings``: what it says something
    of; ``names`` and ``others``: words written as names are, and those that are not; ``mentions``: the terms of
    capitals and figures, ``pairs`` those that follow each other; ``dates``: the days it names, ``day``: when it was
    learned."""

    text: str
    section: str = ""
    titles: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    meanings: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    mentions: frozenset[str] = frozenset()
    pairs: frozenset[tuple[str, str]] = frozenset()
    dates: Named = NO_DAYS
    day: date | None = None
    importance: float = 0.0


@dataclass(frozen=True, slots=True)
class Known:
    """All candidates, with the words they are found by."""

    candidates: Sequence[Candidate]
    by_title: Mapping[str, frozenset[int]] = field(default_factory=dict)
    by_word: Mapping[str, frozenset[int]] = field(default_factory=dict)
    by_mention: Mapping[str, frozenset[int]] = field(default_factory=dict)
    by_meaning: Mapping[int, frozenset[int]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    sections: tuple[frozenset[str], ...] = ()

    def holding(self, term: str) -> frozenset[int]:
        return self.by_title.get(term, NONE) | self.by_word.get(term, NONE)

    def meaning(self, term: str) -> frozenset[int]:
        return frozenset().union(*(self.by_meaning.get(group, NONE) for group in meanings(term)))

    def weight(self, term: str) -> float:
        """How much a word tells: the fewer hold it, the more."""
        held = len(self.holding(term)) or len(self.meaning(term))
        return math.log(1 + (len(self.candidates) + 1) / (held + 0.5))


def candidate(
    text: str, *, section: str = "", topic: str = "", day: date | None = None, importance: float = 0.0
) -> Candidate:
    """A fact as it is ranked. ``topic``: what it says that it is about, where it does."""
    names, others = _written(text)
    # What stands after a topic's colon is a value, and a name is one, too: they mean nothing but themselves.
    words = frozenset(plain_terms(text))
    telling = topic or " ".join(word for word in text.split() if word.strip(_SIGNS).lower() not in names)
    return Candidate(
        text=text,
        section=section,
        titles=frozenset(plain_terms(section)),
        words=words,
        meanings=frozenset(group for term in plain_terms(telling) for group in meanings(term)),
        names=names,
        others=others,
        mentions=frozenset(term for token in text.split() if _mentions(token) for term in plain_terms(token)),
        pairs=_pairs(text),
        dates=dates_in(words),
        day=day,
        importance=importance,
    )


def known(candidates: Sequence[Candidate]) -> Known:
    """Everything there is to answer from."""
    sections = {one.section: one.titles for one in candidates if one.section}
    titled = {bare(word.strip(_SIGNS)) for section in sections for word in section.split()}
    written = set().union(*(one.names for one in candidates)) - set().union(*(one.others for one in candidates))
    return Known(
        candidates,
        _postings(one.titles for one in candidates),
        _postings(one.words for one in candidates),
        _postings(one.mentions for one in candidates),
        _postings(one.meanings for one in candidates),
        frozenset((titled | written) - STREETS - STOP),
        tuple(sections.values()),
    )


def _postings(held: Iterable[frozenset[_Key]]) -> Mapping[_Key, frozenset[int]]:
    found: dict[_Key, set[int]] = {}
    for number, keys in enumerate(held):
        for key in keys:
            found.setdefault(key, set()).add(number)
    return {key: frozenset(numbers) for key, numbers in found.items()}


def _written(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words that stand inside a sentence with a capital, and those in small letters."""
    names: set[str] = set()
    others: set[str] = set()
    fresh = True
    for token in text.split():
        word = token.strip(_SIGNS)
        if word[:1].isupper() and not fresh:
            names.add(bare(word))
        elif word[:1].islower():
            others.add(bare(word))
        fresh = token.endswith((".", ":", "!", "?"))
    return frozenset(names), frozenset(others)


def _mentions(token: str) -> bool:
    return "@" not in token and (token[:1].isupper() or any(c.isdigit() for c in token))


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    """Words with a capital that follow each other, with nothing in between."""
    tokens = text.split()
    return frozenset(
        (first, second)
        for one, other in pairwise(tokens)
        if one[:1].isupper() and other[:1].isupper() and one[-1].isalnum()
        for first in plain_terms(one)
        for second in plain_terms(other)
    )
