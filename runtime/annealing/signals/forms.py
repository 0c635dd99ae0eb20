"""Forms: the ways of saying one thing, as tables of short patterns over plain words (reading.plain_words).

Owns how a table is read. The tables are in forms/*.txt, one file a matter: a form's name in brackets, then its ways,
set apart by `` | `` or lines; ``{VERB}`` and ``{ROLES}`` stand for verbs.txt and roles.txt. What a form weighs is in
weights.json.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from runtime.tenant.life import tables

Forms = Mapping[str, re.Pattern[str]]

_TABLES = Path(__file__).parent / "forms"

_WHOSE = "(?:(?:the|my|our|that|this|some|a|his|her|their|ur|your) )?"
_WHICH = "(?:(?:other|listing|buyers?|sellers?|title|new|ex) )?"


def words_of(name: str) -> Mapping[str, tuple[str, ...]]:
    """A table of plain words by heading."""
    return tables.words_of(_table(name))


@cache
def matter(name: str) -> Forms:
    """The table of one matter, which is the name of its file."""
    named = {"{VERB}": f"(?:{_words('verbs')})", "{ROLES}": f"{_WHOSE}{_WHICH}(?:{_words('roles')})s?"}
    found: dict[str, str] = {}
    current = ""
    for line in tables.lines_of(_table(name)):
        if heading := tables.HEADING.fullmatch(line):
            current = heading[1]
            continue
        ways = line
        for mark, words in named.items():
            ways = ways.replace(mark, words)
        found[current] = f"{found.get(current, '')}\n{ways}"
    return {form: re.compile(_whole(ways)) for form, ways in found.items()}


def found(text: str, table: Forms) -> Iterator[str]:
    """The names of the forms that stand in the text."""
    return (name for name, pattern in table.items() if pattern.search(text))


def _words(name: str) -> str:
    return "|".join(word for line in tables.lines_of(_table(name)) for word in line.split())


def _table(name: str) -> Path:
    return _TABLES / f"{name}.txt"


def _whole(text: str) -> str:
    ways = [way.strip() for line in text.splitlines() for way in line.split(" | ")]
    return rf"(?<!\w)(?:{'|'.join(way for way in ways if way)})(?!\w)"
