"""Which facts answer a question, and in which order. Pure: what is known is given, and the day.

A fact answers when it is about whom or what the question names (all the words of one name) and says something of what
is asked. What nobody knows of is no reason to show something else: a fact about somebody else is no answer.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from runtime.tenant.life.asking import STREETS, Asked, Word, bare
from runtime.tenant.search.candidates import NONE, Candidate, Known

_ENOUGH = 0.34
"""Of what is asked (by the weight of its words) that a fact must hold, when it is about the right person or place."""

_ENOUGH_ALONE = 0.55
"""The same where the question names nobody: then its words are all there is, unknown ones included."""

_BY_MEANING = 0.8
_HALF_LIFE = 180.0  # days


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
        about = frozenset(number for number in about if _on_a_day(asked, known.candidates[number], today))
    relevance = _relevance(wanted, about, known, bound=bool(named or asked.spans), dated=bool(asked.spans))
    if strangers:
        relevance = {}
    scores = {
        number: share * _bearing(known.candidates[number], named, whole=number in complete)
        + _standing(known.candidates[number], today, (used or {}).get(number, 0))
        for number, share in relevance.items()
    }
    if scores:
        return Ranking(answers=_sorted(scores), unknown=unknown)
    rest = {number: _standing(known.candidates[number], today, 0) for number in pool} if named else {}
    return Ranking(about=_sorted(rest), unknown=unknown)


def _bearing(one: Candidate, named: Sequence[Sequence[Word]], *, whole: bool) -> float:
    """How surely a fact is about those who were named: it stands in their section; it mentions all, or one of them."""
    if named and not whole:
        return 0.6
    titled = any(all(word.term in one.titles for word in group) for group in named)
    return 0.8 if titled or not named else 0.72


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
    terms = {word.term for word in group}
    titled = frozenset.intersection(*(known.by_title.get(term, NONE) for term in terms))
    titles = frozenset().union(*(titles for titles in known.sections if terms <= titles))
    mentioned = frozenset.intersection(*(known.by_mention.get(term, NONE) for term in terms))
    if titles:  # "Sarah" is Sarah Kim, of whom there is a section, and not the Sarah Jones whom somebody mentioned
        last = group[-1].term
        mentioned = frozenset(
            number
            for number in mentioned
            if not any(one == last and other not in titles for one, other in known.candidates[number].pairs)
        )
    if titled or mentioned:
        return titled | mentioned
    worded = frozenset.intersection(*(known.by_word.get(term, NONE) for term in terms))
    return worded or frozenset.intersection(*(known.holding(term) for term in terms))


def _on_a_day(asked: Asked, one: Candidate, today: date) -> bool:
    """It names one of the days; or it was learned on one that is past, and the question says of whom or what."""
    if any(one.dates.within(span) for span in asked.spans):
        return True
    past = [span for span in asked.spans if not span.yearless and span.first <= today]
    return bool(one.day and asked.words and any(span.holds(one.day) for span in past))


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
