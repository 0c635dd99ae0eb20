"""What an idea is, so that it is known again in other words. Pure.

Same idea = same family, same target, same intent. An intent is the set of its terms (tenant/life/terms): order,
endings, small words and the way a figure is written do not matter; neither do the words with which such
texts begin. It judges words, not sense: what says the same in entirely other words is another idea here.
"""

import hashlib
from functools import lru_cache
from typing import Annotated

from pydantic import Field

from runtime.checked_yaml import Strict
from runtime.tenant.life.terms import terms

ALIKE = 0.6
"""Part of the terms of the shorter of two texts that the longer must have."""

_ROOT = 4
"""Letters that a word must share with another for the two to be forms of one."""


def _root(term: str) -> str:
    return term.removesuffix("e") if len(term) >= _ROOT else term


_URGING = frozenset(
    _root(one)
    for one in terms(
        """always ensure sure make must need never use using used try keep consistently carefully properly correct
        correctly explicitly clearly rule instead rather every each time user owner realtor assistant agent add update
        delete change improve fix avoid prevent because whenever"""
    )
)
"""Of every proposal: they say that something is to be done, not what."""


class Idea(Strict):
    """``family`` is the directive or tool, ``target`` the rule or file in it. ``words``: the intent's terms, sorted."""

    family: str
    target: str
    words: Annotated[tuple[str, ...], Field(min_length=1)]

    @property
    def key(self) -> str:
        """16 hex digits: the same for the same family, target and terms."""
        whole = "\n".join((self.family, self.target, *self.words))
        return hashlib.sha256(whole.encode()).hexdigest()[:16]


def idea(family: str, target: str, intent: str) -> Idea:
    """An intent of small words only is its own words: nothing would tell it apart otherwise."""
    words = _terms(intent) or frozenset(intent.casefold().split()) or frozenset(("nothing",))
    return Idea(family=family, target=target, words=tuple(sorted(words)))


def same_idea(one: Idea, other: Idea) -> bool:
    """Rather too often than too seldom: what is taken for the same waits; what is not fails again on people."""
    return (one.family, one.target) == (other.family, other.target) and _alike(
        frozenset(one.words), frozenset(other.words)
    )


def same_words(one: str, other: str) -> bool:
    """Whether two texts say the same as far as words tell, two mechanisms say. What says nothing is no other."""
    return _alike(_terms(one), _terms(other))


def _terms(text: str) -> frozenset[str]:
    return frozenset(map(_root, terms(text))) - _URGING


@lru_cache(maxsize=4096)
def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    fewer, more = sorted((one, other), key=len)
    return sum(_is_in(word, more) for word in fewer) >= ALIKE * len(fewer)


def _is_in(word: str, words: frozenset[str]) -> bool:
    """Itself, or as the beginning of a longer one: ``confirm`` and ``confirmation``."""
    return word in words or any(
        min(len(word), len(one)) >= _ROOT and (one.startswith(word) or word.startswith(one)) for one in words
    )
