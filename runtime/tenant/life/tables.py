"""Tables of plain words, kept as text: a heading in brackets, then its words. Lines from ``# `` on are notes."""

import re
from collections.abc import Mapping
from pathlib import Path

HEADING = re.compile(r"\[(\w+)\]")


def words_of(table: Path) -> Mapping[str, tuple[str, ...]]:
    """The words of a table by heading."""
    found: dict[str, tuple[str, ...]] = {}
    current = ""
    for line in lines_of(table):
        if heading := HEADING.fullmatch(line):
            current = heading[1]
        else:
            found[current] = (*found.get(current, ()), *line.split())
    return found


def lines_of(table: Path) -> list[str]:
    text = table.read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("# ")]
