"""The body of a file under life/: sections of facts, one fact a line with its source, and what a change makes of them.

Owns what becomes of a file when a fact is added, replaced or taken out: a duplicate changes nothing, one that says more
takes the place of the one that said less, one that contradicts takes its place too. All that is not a fact (comments,
code, a person's own paragraphs) stays as it is, byte for byte. Does not own how a line is read (lines.py) nor which
facts agree (agreement.py). Pure.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from runtime.errors import BadInput, NotFound, Refused
from runtime.tenant.life.agreement import contradict, says_as_much
from runtime.tenant.life.lines import UNSEEN, Fact, Page, Source, page
from runtime.tenant.life.terms import plain, terms

__all__ = ["Changed", "Fact", "Source", "add", "append", "clear", "drop", "facts", "find", "part", "swap", "without"]

LONGEST = 400
"""Characters of one fact. What is longer is a document, not a fact."""

_LINKS_AND_BRACKETS = re.compile(r"(\[[^\[\];]*\]\([^()\s]*\))|[\[\]]")


class Changed(NamedTuple):
    """What came of a change: the new body, and the facts that are no longer in it. ``body`` is the old one when
    everything was known already."""

    body: str
    gone: tuple[Fact, ...] = ()


def facts(body: str) -> list[Fact]:
    """All facts of a body, in their order."""
    return list(page(body).facts)


def sections(body: str) -> list[str]:
    """The titles of its sections, each once."""
    return list(dict.fromkeys(one.title for one in page(body).headings))


def part(body: str, section: str) -> str:
    """A section as it stands there, without its heading; empty when there is none."""
    found = page(body)
    return "".join("".join(found.lines[start + 1 : end]) for start, end in _spans(found, section))


def add(body: str, fact: Fact, *, single: bool = True) -> Changed:
    """``fact`` in its section, which is made when it is missing. ``single``: facts that contradict it go; a list of
    appointments is no contradiction, so for those it is False. What a person said themselves goes only for what a
    person says themselves."""
    fact = _checked(fact)
    there = [one for one in page(body).facts if same_title(one.section, fact.section)]
    about = set(terms(fact.text))
    near = [one for one in there if about & set(terms(one.text))]
    if any(says_as_much(one.text, fact.text) for one in near):
        return Changed(body)
    gone = [
        one
        for one in near
        if (one.own <= fact.own) and (says_as_much(fact.text, one.text) or (single and contradict(fact.text, one.text)))
    ]
    if not gone:
        return Changed(_inserted(page(body), fact))
    return Changed(_rewritten(page(body), gone, at=gone[0], line=str(fact)), tuple(gone))


def append(body: str, fact: Fact) -> str:
    """``fact`` at the end of its section, whatever is said there already."""
    return _inserted(page(body), _checked(fact))


def swap(body: str, old: str, fact: Fact, *, section: str = "") -> Changed:
    """``fact`` at the place of the one that ``old`` names. Raises NotFound, BadInput when it names several, or Refused
    when a person's own word would go for somebody else's."""
    known = _named(body, old, section)
    if known.own and not fact.own:
        problem = f"what somebody else wrote does not take the place of a person's own words: {known.text}"
        raise Refused(problem, hint="add it beside, or ask the person")
    checked = _checked(replace(fact, section=known.section))
    return Changed(_rewritten(page(body), [known], at=known, line=str(checked)), (known,))


def drop(body: str, old: str, *, section: str = "") -> Changed:
    """Without the fact that ``old`` names; without the whole section when ``old`` is empty. Raises as ``swap`` does."""
    if old:
        known = _named(body, old, section)
        return Changed(_rewritten(page(body), [known]), (known,))
    if not section:
        raise BadInput("which fact?", hint="give some of its words, or a section")
    found = page(body)
    spans = _spans(found, section)
    if not spans:
        raise NotFound(f"there is no section {section}", hint="look with life_read")
    out = {number for start, end in spans for number in range(start, end)}
    gone = tuple(one for one in found.facts if one.line in out)
    return Changed("".join(line for number, line in enumerate(found.lines) if number not in out), gone)


def clear(body: str, words: str, section: str = "") -> Changed:
    """Without every fact that says ``words``; without words, everything about ``section``: it, and the facts elsewhere
    that name it whole. The same body when there is none."""
    if words:
        gone = find(body, words, section)
        return Changed(_rewritten(page(body), gone), tuple(gone)) if gone else Changed(body)
    first = drop(body, "", section=section) if _spans(page(body), section) else Changed(body)
    named = set(terms(section))
    others = [one for one in page(first.body).facts if len(named) > 1 and named <= set(terms(one.text))]
    return Changed(_rewritten(page(first.body), others), (*first.gone, *others)) if others else first


def without(body: str, *, theirs: Callable[[str], bool], named: Callable[[str], bool]) -> str:
    """``body`` without the sections whose titles are ``theirs`` and the facts, source and indented lines included, that
    are ``named``; all else byte for byte."""
    found = page(body)
    out: set[int] = set()
    for heading in found.headings:
        if theirs(heading.title):
            out.update(range(heading.line, found.end_of(heading)))
    for one in found.facts:
        span = range(one.line, one.line + one.lines)
        if named("".join(found.lines[number] for number in span)):
            out.update(span)
    return "".join(line for number, line in enumerate(found.lines) if number not in out)


def lacking(body: str, gone: Sequence[Fact]) -> str:
    """``body`` without these of its facts."""
    return _rewritten(page(body), gone)


def find(body: str, words: str, section: str = "") -> list[Fact]:
    """The facts that hold every term of ``words``, some of them in the fact and not in its section's title; of those
    the ones that say it exactly, if any do."""
    wanted = set(terms(words))
    there = [one for one in page(body).facts if not section or same_title(one.section, section)]
    exact = [one for one in there if one.text.casefold().strip(" .") == words.casefold().strip(" .-")]
    return exact or [one for one in there if _holds(one, wanted)]


def same_title(one: str, other: str) -> bool:
    """Whether two titles name the same section: capitals, accents and spaces do not matter."""
    return one == other or plain(" ".join(one.split())) == plain(" ".join(other.split()))


def _holds(fact: Fact, wanted: set[str]) -> bool:
    said = set(terms(fact.text))
    return bool(wanted & said) and wanted - said <= set(terms(fact.section))


def _named(body: str, words: str, section: str) -> Fact:
    found = find(body, words, section)
    if not found:
        raise NotFound(f"no fact says {words!r}", hint="look with life_read, and give words that stand in it")
    if len(found) > 1:
        listed = "; ".join(f"{one.text} ({one.section})" if one.section else one.text for one in found[:4])
        raise BadInput(f"{len(found)} facts say {words!r}: {listed}", hint="give more of its words, or its section")
    return found[0]


def _checked(fact: Fact) -> Fact:
    """The fact so that it is one line, and cannot be read as anything but itself."""
    text = re.sub(r"^(?:[-*] )+", "", _one_line(fact.text)).replace("<!--", "(").replace("-->", ")")
    text = _LINKS_AND_BRACKETS.sub(lambda match: match[1] or {"[": "(", "]": ")"}[match[0]], text).strip()
    if not terms(text):
        raise BadInput("the fact says nothing", hint="give one sentence")
    if len(text) > LONGEST:
        raise BadInput(f"the fact has {len(text)} characters", hint=f"one fact a line, at most {LONGEST}")
    section = re.sub(r"\s#+$", "", _one_line(fact.section).lstrip("# ")[:120].rstrip()).strip()
    return replace(fact, text=text, section="" if set(section) <= {"#"} else section)


def _one_line(text: str) -> str:
    return " ".join(UNSEEN.sub(" ", text).split())


def _spans(found: Page, section: str) -> list[tuple[int, int]]:
    """The lines of the sections of that title, their headings included; a deeper heading belongs to them."""
    spans: list[tuple[int, int]] = []
    for heading in found.headings:
        if same_title(heading.title, section) and (not spans or heading.line >= spans[-1][1]):
            spans.append((heading.line, found.end_of(heading)))
    return spans


def _inserted(found: Page, fact: Fact) -> str:
    """After the last line of its section that says something, and before a deeper heading."""
    heading = next((one for one in found.headings if fact.section and same_title(one.title, fact.section)), None)
    made = bool(fact.section) and heading is None
    start = heading.line + 1 if heading else len(found.lines) if made else 0
    after = (one.line for one in found.headings if one.line >= start)
    at = min(next(after, len(found.lines)), found.open_at)
    while at > start and not found.lines[at - 1].strip() and not made:
        at -= 1
    above, below = list(found.lines[:at]), found.lines[at:]
    if above and not above[-1].endswith("\n"):
        above[-1] += found.eol
    lines = [f"## {fact.section}", str(fact)] if made else [str(fact)]
    if above and above[-1].strip() and (made or not found.is_listed(at - 1)):
        lines.insert(0, "")
    if below and below[0].strip():
        lines.append("")
    return "".join([*above, *(f"{line}{found.eol}" for line in lines), *below])


def _rewritten(found: Page, gone: Sequence[Fact], *, at: Fact | None = None, line: str = "") -> str:
    """Without the facts ``gone``, the lines included that go on with them, and with ``line`` in the place of ``at``."""
    lines: list[str] = list(found.lines)
    for fact in gone:
        last = lines[fact.line + fact.lines - 1]
        lines[fact.line : fact.line + fact.lines] = [""] * fact.lines
        if fact is at:
            lines[fact.line] = line + last[len(last.rstrip("\r\n")) :]
    return "".join(lines)
