"""The body of a file under life/: sections of facts, one fact a line. Pure.

Owns the line's form, and what becomes of a file when a fact is added, replaced or taken out: a duplicate changes
nothing, one that says more takes the place of the one that said less, one that contradicts takes its place too. All
that is not a fact (comments, a person's own paragraphs) stays as it is, byte for byte.

A fact is ``- Budget: up to $550,000. [2026-11-20; Ann Lee; typed; <message id>]``: the words, then its source. A word
or two before a colon name what it is about, so that a new budget replaces the old one.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from runtime.errors import BadInput, NotFound
from runtime.tenant.life.terms import contents, terms, values

LONGEST = 400
"""Characters of one fact. What is longer is a document, not a fact."""

_FACT = re.compile(r"^[-*] +(?P<text>.+?)(?: +\[(?P<source>[^\[\]]*)\])? *$")
_HEADING = re.compile(r"^#{1,6} +(?P<title>.+?) *#* *$")
_TOPIC = re.compile(r"^(?P<topic>[^\W\d_][\w '/-]{1,40}?): +\S")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ALIKE = 0.75
"""Of the words of two facts that must be the same for the one to contradict the other, when their figures differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a fact comes from: the day it was learned (in the tenant's zone), who said it, how, in which message."""

    date: str
    who: str = ""
    how: str = ""
    message: str = ""

    def __str__(self) -> str:
        parts = (self.date, self.who, self.how, self.message)
        return "; ".join(re.sub(r"[\[\];\s]+", " ", part).strip() for part in parts if part)


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. ``line`` is where it stands in the body, from 0; ``source`` None where a person wrote none."""

    text: str
    section: str = ""
    source: Source | None = None
    line: int = -1

    @property
    def topic(self) -> str:
        """What it is about, where it says so before a colon."""
        found = _TOPIC.match(self.text)
        return found["topic"].casefold() if found else ""

    def __str__(self) -> str:
        return f"- {self.text} [{self.source}]" if self.source else f"- {self.text}"


class Changed(NamedTuple):
    """What came of a change: the new body, and the facts that are no longer in it. ``body`` is the old one when
    everything was known already."""

    body: str
    gone: tuple[Fact, ...] = ()


def facts(body: str) -> list[Fact]:
    """All facts of a body, in their order."""
    found: list[Fact] = []
    section, hidden = "", False
    for number, line in enumerate(body.splitlines()):
        hidden, inside = _comment(line, hidden=hidden)
        if inside:
            continue
        if heading := _HEADING.match(line):
            section = heading["title"]
        elif match := _FACT.match(line):
            source = _source(match["source"])
            text = match["text"] if source or match["source"] is None else f"{match['text']} [{match['source']}]"
            found.append(Fact(text, section, source, number))
    return found


def add(body: str, fact: Fact, *, single: bool = True) -> Changed:
    """``fact`` in its section, which is made when it is missing. ``single``: facts that contradict it go; a list of
    appointments is no contradiction, so for those it is False."""
    fact = _checked(fact)
    there = [one for one in facts(body) if _same_section(one, fact)]
    if any(_says_as_much(one, fact) for one in there):
        return Changed(body)
    gone = [one for one in there if _says_as_much(fact, one) or (single and contradicts(fact, one))]
    if not gone:
        return Changed(_inserted(body, fact))
    lines = body.splitlines()
    lines[gone[0].line] = str(fact)
    return Changed(_without(lines, gone[1:]), tuple(gone))


def swap(body: str, old: str, fact: Fact, *, section: str = "") -> Changed:
    """``fact`` at the place of the one that ``old`` names. Raises NotFound, or BadInput when it names several."""
    known = _named(body, old, section)
    lines = body.splitlines()
    lines[known.line] = str(_checked(replace(fact, section=known.section)))
    return Changed(_joined(lines), (known,))


def drop(body: str, old: str, *, section: str = "") -> Changed:
    """Without the fact that ``old`` names; without the whole section when ``old`` is empty. Raises as ``swap`` does."""
    if old:
        known = _named(body, old, section)
        return Changed(_without(body.splitlines(), [known]), (known,))
    if not section:
        raise BadInput("which fact?", hint="give some of its words, or a section")
    span = _span(body, section)
    if span is None:
        raise NotFound(f"there is no section {section}", hint="look with life_read")
    gone = [one for one in facts(body) if span[0] <= one.line < span[1]]
    lines = body.splitlines()
    return Changed(_joined(lines[: span[0]] + lines[span[1] :]), tuple(gone))


def clear(body: str, words: str, section: str = "") -> Changed:
    """Without every fact that says ``words``; without words, everything about ``section``: it, and the facts elsewhere
    that name it whole. The same body when there is none."""
    if words:
        gone = find(body, words, section)
        return Changed(_without(body.splitlines(), gone), tuple(gone)) if gone else Changed(body)
    first = drop(body, "", section=section) if _span(body, section) else Changed(body)
    named = set(terms(section))
    others = [one for one in facts(first.body) if len(named) > 1 and named <= set(terms(one.text))]
    return Changed(_without(first.body.splitlines(), others), (*first.gone, *others)) if others else first


def without(body: str, *, theirs: Callable[[str], bool], named: Callable[[str], bool]) -> str:
    """``body`` without the sections whose titles are ``theirs`` and the facts, source and indented lines included, that
    are ``named``; all else byte for byte."""
    lines = body.splitlines(keepends=True)
    heads = {one.line for one in facts(body)}
    kept: list[str] = []
    inside, at, hidden = 0, 0, False
    while at < len(lines):
        end = at + 1
        hidden, comment = _comment(lines[at], hidden=hidden)
        heading = None if comment else _HEADING.match(lines[at].rstrip("\r\n"))
        if heading:
            depth = len(lines[at]) - len(lines[at].lstrip("#"))
            inside = 0 if depth <= inside else inside
            inside = inside or (depth if theirs(heading["title"]) else 0)
        elif at in heads:
            while end < len(lines) and lines[end].startswith((" ", "\t")) and lines[end].strip():
                end += 1
        block = lines[at:end]
        if not inside and not (at in heads and named("".join(block))):
            kept += block
        at = end
    return "".join(kept)


def lacking(body: str, gone: Sequence[Fact]) -> str:
    """``body`` without these of its facts."""
    return _without(body.splitlines(), gone)


def contradicts(new: Fact, old: Fact) -> bool:
    """Both cannot be: they are about the same topic, or say the same of other figures."""
    if new.topic or old.topic:
        return new.topic == old.topic
    ours, theirs = contents(new.text), contents(old.text)
    if values(new.text) == values(old.text) or len(ours & theirs) < 2:
        return False
    return len(ours & theirs) / len(ours | theirs) >= _ALIKE


def find(body: str, words: str, section: str = "") -> list[Fact]:
    """The facts that hold every term of ``words``; of those the ones that say it exactly, if any do."""
    wanted = set(terms(words))
    there = [one for one in facts(body) if not section or one.section.casefold() == section.casefold()]
    exact = [one for one in there if one.text.casefold().strip(" .") == words.casefold().strip(" .-")]
    return exact or [one for one in there if wanted and wanted <= set(terms(f"{one.section} {one.text}"))]


def _named(body: str, words: str, section: str) -> Fact:
    found = find(body, words, section)
    if not found:
        raise NotFound(f"no fact says {words!r}", hint="look with life_read, and give words that stand in it")
    if len(found) > 1:
        listed = "; ".join(one.text for one in found[:4])
        raise BadInput(f"{len(found)} facts say {words!r}: {listed}", hint="give more of its words")
    return found[0]


def _checked(fact: Fact) -> Fact:
    text = " ".join(fact.text.split()).removeprefix("- ").strip()
    if not terms(text):
        raise BadInput("the fact says nothing", hint="give one sentence")
    if len(text) > LONGEST:
        raise BadInput(f"the fact has {len(text)} characters", hint=f"one fact a line, at most {LONGEST}")
    section = " ".join(fact.section.split()).lstrip("# ")
    return replace(fact, text=text.replace("[", "(").replace("]", ")"), section=section[:120])


def _same_section(one: Fact, other: Fact) -> bool:
    return one.section.casefold() == other.section.casefold()


def _says_as_much(one: Fact, other: Fact) -> bool:
    """Everything that ``other`` says is in ``one``."""
    return set(terms(other.text)) <= set(terms(one.text)) and (not one.topic or one.topic == other.topic)


def _inserted(body: str, fact: Fact) -> str:
    lines = body.splitlines()
    if not fact.section:
        end = next((number for number, line in enumerate(lines) if _HEADING.match(line)), len(lines))
    elif (span := _span(body, fact.section)) is not None:
        end = span[1]
    else:
        return _joined([*_trimmed(lines), "", f"## {fact.section}", str(fact)])
    above, below = _trimmed(lines[:end]), lines[end:]
    gap = [""] if above and not _FACT.match(above[-1]) and not _HEADING.match(above[-1]) else []
    return _joined([*above, *gap, str(fact), *([""] if below else []), *below])


def _span(body: str, section: str) -> tuple[int, int] | None:
    """The lines of a section, its heading included; a deeper heading belongs to it."""
    start, depth = None, 0
    lines = body.splitlines()
    for number, line in enumerate(lines):
        heading = _HEADING.match(line)
        if heading is None:
            continue
        level = len(line) - len(line.lstrip("#"))
        if start is not None and level <= depth:
            return start, number
        if start is None and heading["title"].casefold() == section.casefold():
            start, depth = number, level
    return None if start is None else (start, len(lines))


def _without(lines: list[str], gone: Sequence[Fact]) -> str:
    """A fact goes with the lines that go on with it, indented."""
    out: set[int] = set()
    for fact in gone:
        out.add(fact.line)
        follow = fact.line + 1
        while follow < len(lines) and lines[follow].startswith((" ", "\t")) and lines[follow].strip():
            out.add(follow)
            follow += 1
    return _joined([line for number, line in enumerate(lines) if number not in out])


def _joined(lines: Sequence[str]) -> str:
    return "\n".join([*lines, ""]) if lines else ""


def _trimmed(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines


def _comment(line: str, *, hidden: bool) -> tuple[bool, bool]:
    """Whether a comment is open after the line, and whether the line is part of one."""
    opens, closes = line.rfind("<!--"), line.rfind("-->")
    if hidden:
        return closes < 0 or opens > closes, True
    return opens > closes, opens >= 0 and line.lstrip().startswith("<!--")


def _source(text: str | None) -> Source | None:
    """``2026-11-20; Ann Lee; typed; <message id>``, as much of it as is there; None when it begins with no day."""
    if text is None:
        return None
    date, who, how, message = ([part.strip() for part in text.split(";", 3)] + ["", "", ""])[:4]
    return Source(date=date, who=who, how=how, message=message) if _DATE.fullmatch(date) else None
