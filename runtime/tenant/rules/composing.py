"""Which rules apply, and how they are said to the agent. Pure.

Rules reach the agent in three ways: those of README stand in the standing system prompt, those of a directive come with
it when it is read, and one whose triggers a person uses comes with their message. Does not own reading the files
(shelf.py), nor what of it was in play (agent/exposing.py).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import groupby

from runtime.tenant.life import terms
from runtime.tenant.rules.files import Rule

README = "README"
"""The directive whose rules always apply."""

MOST_BROUGHT_UP = 8
ROOM_BROUGHT_UP = 2_500
"""Rules, and bytes of their words, that come with a message."""

MOST_SHOWN = 40
ROOM_SHOWN = 12_000
"""Rules, and bytes of their words, that come with a directive."""

LEARNED = "Rules you learned"
APPLYING = "(rules of yours that apply here:)"

_FIRST = {"pinned": 0, "kept": 1, "probation": 2}


def brought_up(rules: Iterable[Rule], text: str) -> list[Rule]:
    """Those with a trigger that occurs in ``text``, a person's own words, as whole words; case and accents do not
    matter. The pinned ones first. README's are none of them: they are always there."""
    heard = terms.plain(text)
    found = [
        one for one in rules if one.directive != README and any(_occurs(word, heard) for word in one.head.triggers)
    ]
    return _fitting(found, MOST_BROUGHT_UP, ROOM_BROUGHT_UP)


def of_directive(rules: Iterable[Rule], name: str) -> list[Rule]:
    """Those of the directive ``name``, the pinned ones first."""
    return _fitting([one for one in rules if one.directive == name], MOST_SHOWN, ROOM_SHOWN)


def rendered(rules: Iterable[Rule]) -> str:
    """The lines that the agent is shown, under a line for each directive; nothing for no rules."""
    return "\n".join(line for name, those in groupby(rules, lambda one: one.directive) for line in _under(name, those))


def applying(rules: Iterable[Rule]) -> str:
    """The block of ours above a person's message; nothing for no rules."""
    lines = [_line(rule) for rule in rules]
    return "\n".join([APPLYING, *lines]) if lines else ""


def _under(directive: str, rules: Iterable[Rule]) -> Iterator[str]:
    yield f"{LEARNED}:" if directive == README else f"{LEARNED} for {directive}:"
    yield from map(_line, rules)


def _line(rule: Rule) -> str:
    """One line, however the file was written."""
    return f"- {' '.join(rule.text.split())}"


def _fitting(rules: Iterable[Rule], most: int, room: int) -> list[Rule]:
    """As many as there is room for; the pinned ones first, then by name."""
    fitting: list[Rule] = []
    for rule in sorted(rules, key=lambda one: (_FIRST[one.head.state], one.ref)):
        size = len(rule.text.encode())
        if len(fitting) < most and size <= room:
            fitting.append(rule)
            room -= size
    return fitting


def _occurs(trigger: str, heard: str) -> bool:
    word, search = _finder(trigger)
    return word in heard and search(heard) is not None  # the first is fast, and seldom so


@lru_cache(maxsize=4096)
def _finder(trigger: str) -> tuple[str, Callable[[str], re.Match[str] | None]]:
    """Its longest word, and what finds all of it."""
    words = terms.plain(trigger).split()
    inner = r"\s+".join(re.escape(word) for word in words)
    # Scripts that set no spaces between words have no whole ones.
    before = "" if not words or terms.UNSPACED.match(words[0]) else r"(?<!\w)"
    after = "" if not words or terms.UNSPACED.match(words[-1][-1]) else r"(?!\w)"
    return max(words, key=len, default=""), re.compile(f"{before}{inner}{after}" if words else r"(?!)").search
