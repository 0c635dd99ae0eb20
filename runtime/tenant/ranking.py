"""Which facts answer a question, and in which order. Pure: what is known is given, and the day.

A fact answers when it is about whom or what the question names (all the words of one name) and says something of what
is asked. What nobody knows of is no reason to show something else: a fact about somebody else is no answer.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from runtime.tenant.life.asking import STREETS, Asked, Word, bare, plain_terms
from runtime.tenant.life.days import within
from runtime.tenant.life.meanings import meanings
from runtime.tenant.life.terms import STOP

_ENOUGH = 0.34
"""Of what is asked (by the weight of its words) that a fact must hold, when it is about the right person or place."""

_ENOUGH_ALONE = 0.55
"""The same where the question names nobody: then its words are all there is, unknown ones included."""

_BY_MEANING = 0.8
_HALF_LIFE = 180.0  # days
_SIGNS = ".,:;!?()\"'"
_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One fact. ``titles`` and ``words``: the terms of its section and of its own; ``meanings``: what it says something
    of; ``names`` and ``others``: words written as names are, and those that are not, as they are written."""

    text: str
    section: str = ""
    titles: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    meanings: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    day: date | None = None
    importance: float = 0.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """``number`` is the candidate's place among those that were given. ``score``: 0 to 1, relevance before all."""

    number: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """``answers`` best first. Where there are none, ``about`` has what is known of the one who was named. ``unknown``:
    the words that nothing known mentions, as they were typed."""

    answers: tuple[Ranked, ...] = ()
    about: tuple[Ranked, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """All candidates, with the words they are found by."""

    candidates: Sequence[Candidate]
    by_title: Mapping[str, frozenset[int]] = field(default_factory=dict)
    by_word: Mapping[str, frozenset[int]] = field(default_factory=dict)
    by_meaning: Mapping[int, frozenset[int]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    sections: tuple[frozenset[str], ...] = ()

    def holding(self, term: str) -> frozenset[int]:
        return self.by_title.get(term, _NONE) | self.by_word.get(term, _NONE)

    def meaning(self, term: str) -> frozenset[int]:
        return frozenset().union(*(self.by_meaning.get(group, _NONE) for group in meanings(term)))

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
    telling = topic or " ".join(word for word in text.split() if word.strip(_SIGNS).lower() not in names)
    return Candidate(
        text=text,
        section=section,
        titles=frozenset(plain_terms(section)),
        words=frozenset(plain_terms(text)),
        meanings=frozenset(group for term in plain_terms(telling) for group in meanings(term)),
        names=names,
        others=others,
        day=day,
        importance=importance,
    )


def known(candidates: Sequence[Candidate]) -> Known:
    """Everything there is to answer from."""
    by_title: dict[str, set[int]] = {}
    by_word: dict[str, set[int]] = {}
    by_meaning: dict[int, set[int]] = {}
    for number, one in enumerate(candidates):
        for term in one.titles:
            by_title.setdefault(term, set()).add(number)
        for term in one.words:
            by_word.setdefault(term, set()).add(number)
        for group in one.meanings:
            by_meaning.setdefault(group, set()).add(number)
    sections = {one.section: one.titles for one in candidates if one.section}
    titled = {bare(word.strip(_SIGNS)) for section in sections for word in section.split()}
    written = set().union(*(one.names for one in candidates)) - set().union(*(one.others for one in candidates))
    return Known(
        candidates,
        {term: frozenset(held) for term, held in by_title.items()},
        {term: frozenset(held) for term, held in by_word.items()},
        {group: frozenset(held) for group, held in by_meaning.items()},
        frozenset((titled | written) - STREETS - STOP),
        tuple(sections.values()),
    )


def rank(asked: Asked, known: Known, *, today: date, used: Mapping[int, int] | None = None) -> Ranking:
    """What answers, best first."""
    named, wanted = split(asked, known)
    unknown = tuple(word.typed for word in asked.words if not _is_known(word, known))
    strangers = any(word.name and not _is_known(word, known) for word in asked.words)
    pool, complete = _named(named, known)
    if named and not pool:
        return Ranking(unknown=unknown or tuple(word.typed for group in named for word in group))
    about = pool if named else frozenset(range(len(known.candidates)))
    if asked.spans:
        about = frozenset(
            number for number in about if _on_a_day(asked, known.candidates[number], today, named, wanted)
        )
    relevance = _relevance(wanted, about, known, bound=bool(named or asked.spans), dated=bool(asked.spans))
    if strangers:
        relevance = {}
    scores = {
        number: share * (0.8 if number in complete or not named else 0.6)
        + _standing(known.candidates[number], today, (used or {}).get(number, 0))
        for number, share in relevance.items()
    }
    if scores:
        return Ranking(answers=_sorted(scores), unknown=unknown)
    rest = {number: _standing(known.candidates[number], today, 0) for number in pool} if named else {}
    return Ranking(about=_sorted(rest), unknown=unknown)


def split(asked: Asked, known: Known) -> tuple[list[tuple[Word, ...]], list[Word]]:
    """The names in a question, each the words that stand together, and the words that say what is wanted of them."""
    named: list[list[Word]] = []
    wanted: list[Word] = []
    follows = False
    for word in asked.words:
        if word.term in STREETS:
            continue
        if _identifies(word, known):
            if follows and not word.starts:
                named[-1].append(word)
            else:
                named.append([word])
            follows = True
        else:
            wanted.append(word)
            follows = False
    return [tuple(group) for group in named], wanted


def _identifies(word: Word, known: Known) -> bool:
    plain = bare(word.typed)
    return bool({plain, word.term} & known.names) or word.name or any(c.isdigit() for c in word.term)


def _is_known(word: Word, known: Known) -> bool:
    return bool(known.holding(word.term)) or (not word.name and bool(known.meaning(word.term)))


def _named(named: Sequence[Sequence[Word]], known: Known) -> tuple[frozenset[int], frozenset[int]]:
    """The candidates that hold all words of a name, and of those the ones that hold every name. A name that is a
    section's comes before one that is only mentioned."""
    holding = [_holding(group, known) for group in named]
    if not holding:
        return frozenset(), frozenset()
    complete = frozenset.intersection(*holding)
    if complete:
        return complete, complete
    titled = [
        held
        for group, held in zip(named, holding, strict=True)
        if any({word.term for word in group} <= titles for titles in known.sections)
    ]
    return frozenset().union(*(titled or holding)), frozenset()


def _holding(group: Sequence[Word], known: Known) -> frozenset[int]:
    """The candidates that hold all words of a name in one place: half of it in the section and half in the text are
    two others."""
    titled = frozenset.intersection(*(known.by_title.get(word.term, _NONE) for word in group))
    worded = frozenset.intersection(*(known.by_word.get(word.term, _NONE) for word in group))
    return titled | worded or frozenset.intersection(*(known.holding(word.term) for word in group))


def _on_a_day(asked: Asked, one: Candidate, today: date, named: object, wanted: object) -> bool:
    """It names one of the days; or it was learned on one that is past, and the question says of whom or what."""
    if any(within(span, one.words) for span in asked.spans):
        return True
    past = [span for span in asked.spans if not span.yearless and span.first <= today]
    return bool(one.day and (named or wanted) and any(span.holds(one.day) for span in past))


def _relevance(
    wanted: Sequence[Word], about: Iterable[int], known: Known, *, bound: bool, dated: bool
) -> dict[int, float]:
    """How much of what is wanted each candidate holds, from 0 to 1; those that hold too little are left out."""
    heeded = [word for word in wanted if _is_known(word, known)] if bound else list(wanted)
    if not heeded:
        nothing_else = bound and (dated or not wanted)
        return dict.fromkeys(about, 1.0) if nothing_else else {}
    whole = sum(known.weight(word.term) for word in heeded)
    found: dict[int, float] = {}
    reach = frozenset(about)
    for word in heeded:
        weight = known.weight(word.term) / whole
        exact = known.holding(word.term) & reach
        for number in exact:
            found[number] = found.get(number, 0.0) + weight
        for number in (known.meaning(word.term) & reach) - exact:
            found[number] = found.get(number, 0.0) + weight * _BY_MEANING
    enough = _ENOUGH if bound else _ENOUGH_ALONE
    best = max(found.values(), default=0.0)
    return {number: share for number, share in found.items() if share >= max(enough, best * 0.6)}


def _standing(one: Candidate, today: date, used: int) -> float:
    """What a fact has before it is asked for: its file's importance, how new it is, how often it was of use."""
    age = max(0, (today - one.day).days) if one.day else 365
    return 0.08 * one.importance + 0.08 * math.exp(-age / _HALF_LIFE) + 0.04 * min(1.0, math.log1p(used) / 3)


def _sorted(scores: Mapping[int, float]) -> tuple[Ranked, ...]:
    return tuple(
        Ranked(number, round(score, 4)) for number, score in sorted(scores.items(), key=lambda one: (-one[1], one[0]))
    )


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
