"""What is no longer so: the facts that were replaced or forgotten, to know a message that says one again. Pure."""

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass, field

from runtime.tenant.life.asking import plain_terms

_ENOUGH = 0.6
_TOPIC = re.compile(r"^[^\W\d_][\w '/-]{1,40}?: +")
_YEAR = re.compile(r"\d{4}-\d\d")
"""A day with its year, a month: of a day, messages mostly say the month and the day only."""


@dataclass(frozen=True, slots=True)
class _Gone:
    section: str
    text: str
    about: frozenset[str]
    value: frozenset[str]
    figures: frozenset[str]


@dataclass(frozen=True, slots=True)
class Superseded:
    """Facts that were taken out of life/, up to the commit ``head``."""

    by_term: dict[str, list[_Gone]] = field(default_factory=dict)
    head: str = ""

    @classmethod
    def of(cls, gone: Iterable[tuple[str, str]], head: str) -> "Superseded":
        by_term: dict[str, list[_Gone]] = {}
        for section, text in gone:
            value = frozenset(plain_terms(_TOPIC.sub("", text)))
            figures = frozenset(term for term in value if any(c.isdigit() for c in term) and not _YEAR.match(term))
            value = frozenset(term for term in value if not _YEAR.match(term))
            one = _Gone(section, text, frozenset(plain_terms(section)), value, figures)
            for term in value:
                by_term.setdefault(term, []).append(one)
        return cls(by_term, head)

    def says(self, message: str, current: Set[tuple[str, str]]) -> bool:
        """Whether a message says such a fact: every figure of it and most of its words, of the same one. What has come
        back since is ``current`` again."""
        said = frozenset(plain_terms(message))
        return any(
            one.figures <= said
            and len(one.value & said) >= _ENOUGH * len(one.value)
            and (not one.about or one.about & said)
            and (one.section, one.text) not in current
            for term in said
            for one in self.by_term.get(term, ())
        )
