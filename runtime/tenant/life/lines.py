"""How the lines of a file under life/ are read: headings, facts with their sources, and what is neither. Pure.

A fact is a bullet at the margin, ``- Budget: up to $550,000 [2026-11-20; Ann Lee; typed; <message id>]``: the words,
then its source. Indented lines below go on with it. A word or two before a colon name what it is about. Comments and
fenced code are nobody's facts, however they look. Owns the form of a line and of its source; does not own what becomes
of them (facts.py).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from runtime.tenant.life import agreement
from runtime.words import How

OWN = frozenset({How.TYPED, How.VOICE})
"""How a person's own words come; all else is something they show us."""

UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""What nobody sees: control characters, line ends of other systems, turns of the writing's direction, halves of one."""

_BULLET = re.compile(r"[-*+][ \t]+(?!<!--)(?P<rest>\S.*)")
_BREAK = re.compile(r"(?:[-*+_][ \t]*){3,}")
_HEADING = re.compile(r"(?P<marks>#{1,6})[ \t]+(?P<title>.+?)(?:[ \t]+#+)?[ \t]*")
_FENCE = re.compile(r" {0,3}(?:(?P<ticks>`{3,})[^`]*|(?P<waves>~{3,}).*)")
_COMMENT = re.compile(r" {0,3}<!--")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a fact comes from: the day it was learned (in the tenant's zone), who said it, how, in which message."""

    date: str
    who: str = ""
    how: str = ""
    message: str = ""

    def __str__(self) -> str:
        parts = (self.date, self.who, self.how, self.message)
        clean = (" ".join(re.sub(r"[\[\];]", " ", UNSEEN.sub(" ", part)).split()) for part in parts)
        return re.sub(r"[; ]+$", "", "; ".join(clean))


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. ``line`` is where it stands in the body, from 0, and ``lines`` how many it takes; ``source`` is None
    where a person wrote none."""

    text: str
    section: str = ""
    source: Source | None = None
    line: int = -1
    lines: int = 1

    @property
    def topic(self) -> str:
        """What it is about, where it says so before a colon."""
        return agreement.topic(self.text)

    @property
    def own(self) -> bool:
        """Whether a person wrote it into the file, or it stands in words of their own."""
        return self.source is None or not self.source.how or self.source.how in OWN

    def __str__(self) -> str:
        return f"- {self.text} [{self.source}]" if self.source else f"- {self.text}"


@dataclass(frozen=True, slots=True)
class Heading:
    line: int
    depth: int
    title: str


@dataclass(slots=True)
class Page:
    """A body taken apart. ``lines`` are whole, joined they are the body; ``open_at`` is the line of a comment or fence
    that nobody closed, or how many lines there are."""

    lines: tuple[str, ...]
    headings: list[Heading] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    open_at: int = 0

    @property
    def eol(self) -> str:
        return "\r\n" if self.lines and self.lines[0].endswith("\r\n") else "\n"

    def end_of(self, heading: Heading) -> int:
        """The line after a section; a deeper heading belongs to it."""
        after = (one.line for one in self.headings if one.line > heading.line and one.depth <= heading.depth)
        return next(after, len(self.lines))

    def is_listed(self, line: int) -> bool:
        """Whether a fact may follow right after the line: it is a heading, or of a fact."""
        return any(one.line == line for one in self.headings) or any(
            one.line <= line < one.line + one.lines for one in self.facts
        )


@lru_cache(maxsize=8)
def page(body: str) -> Page:
    """A body taken apart; not to be changed by whoever gets it."""
    parts = body.split("\n")
    lines = (*(f"{part}\n" for part in parts[:-1]), *parts[-1:]) if parts[-1] else tuple(f"{x}\n" for x in parts[:-1])
    found = Page(lines, open_at=len(lines))
    at, section = 0, ""
    while at < len(lines):
        line = lines[at].rstrip("\r\n")
        if closed := _closes(line, lines, at):
            if closed > len(lines):
                found.open_at = at
            at = closed
        elif heading := _HEADING.fullmatch(line):
            section = heading["title"]
            found.headings.append(Heading(at, len(heading["marks"]), section))
            at += 1
        elif (bullet := _BULLET.fullmatch(line)) and not _BREAK.fullmatch(line):
            more = list(_goes_on(lines, at + 1))
            text, source = _taken_apart(bullet["rest"].rstrip(), more)
            found.facts.append(Fact(text, section, source, at, 1 + len(more)))
            at += 1 + len(more)
        else:
            at += 1
    return found


def _closes(line: str, lines: tuple[str, ...], at: int) -> int:
    """The line after a comment or fenced code that begins at ``at``, one too many when nothing closes it; 0 when none
    begins there."""
    if _COMMENT.match(line):
        rest = line.partition("<!--")[2]
        if "-->" in rest:
            return at + 1
        return next((n + 1 for n in range(at + 1, len(lines)) if "-->" in lines[n]), len(lines) + 1)
    if fence := _FENCE.fullmatch(line):
        mark = fence["ticks"] or fence["waves"]
        end = re.compile(rf" {{0,3}}{re.escape(mark)}{mark[0]}*\s*")
        return next((n + 1 for n in range(at + 1, len(lines)) if end.fullmatch(lines[n])), len(lines) + 1)
    return 0


def _goes_on(lines: tuple[str, ...], at: int) -> Iterator[str]:
    """The indented lines below a bullet; empty ones between them too."""
    blank: list[str] = []
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            blank.append(line)
        elif line.startswith((" ", "\t")) and (not blank or line.startswith(("  ", "\t"))):
            yield from blank
            blank = []
            yield line
        else:
            return
        at += 1


def _taken_apart(first: str, more: list[str]) -> tuple[str, Source | None]:
    """The words of a fact, all its lines in one, and its source: at the end of its first line, or of its last."""
    text, source = _source_of(first)
    if source:
        return " ".join([text, *" ".join(more).split()]), source
    return _source_of(" ".join([first, *" ".join(more).split()]))


def _source_of(text: str) -> tuple[str, Source | None]:
    """``… [2026-11-20; Ann Lee; typed; <message id>]``, as much of it as is there. Brackets that begin with no day are
    part of the words."""
    at = text.rfind("[") if text.endswith("]") else 0
    if at <= 0 or text[at - 1] not in " \t":
        return text, None
    date, who, how, message = ([part.strip() for part in text[at + 1 : -1].split(";", 3)] + ["", "", ""])[:4]
    if not _DATE.fullmatch(date):
        return text, None
    return text[:at].rstrip(), Source(date=date, who=who, how=how, message=message)
