"""What the history of life/ tells about messages: which ones facts were learned from, and which facts are gone. Pure.

Owns reading a patch of life/ for that. A message from which a fact was learned need not be shown again: what it said
stands in life/, as it is now. One that says what was replaced or forgotten must not be.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from runtime.tenant.life.facts import Fact, facts

_HUNK = re.compile(r"@@ [-+,\d ]+ @@ ?(?P<section>#{1,6} .*)?")
_HEADING = re.compile(r"#{1,6} +(?P<title>.+?) *#* *$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """``names``: ids of messages and of turns. ``gone``: section and words of facts that a commit took out; some may
    have come back since. Read from ``after`` (from the beginning when that is empty) up to ``head``."""

    names: frozenset[str]
    gone: frozenset[tuple[str, str]]
    after: str
    head: str


def read(log: str, mark: str, *, after: str, head: str) -> Learned:
    """From the output of ``git log --patch -U0``, where each commit begins with a line of ``mark``, a space and its
    turns, and the hunks' headers name the section."""
    names: set[str] = set()
    gone: set[tuple[str, str]] = set()
    for commit in log.split(f"{mark} ")[1:]:
        turns, _, patch = commit.partition("\n")
        names.update(turns.split())
        for sign, section, fact in _lines(patch):
            if sign == "-":
                gone.add((section, fact.text))
            elif fact.source and fact.source.message:
                names.add(fact.source.message)
    return Learned(names=frozenset(names), gone=frozenset(gone), after=after, head=head)


def _lines(patch: str) -> Iterator[tuple[str, str, Fact]]:
    section, inside = "", False
    for line in patch.split("\n"):
        if line.startswith("diff --git "):
            inside = False
        elif hunk := _HUNK.match(line):
            heading = _HEADING.match(hunk["section"] or "")
            section, inside = heading["title"] if heading else "", True
        elif inside and line[:1] in ("+", "-"):
            if heading := _HEADING.match(line[1:]):
                section = heading["title"]
            for fact in facts(line[1:]):
                yield line[0], section, fact
