"""What of a consolidation may stay. Pure.

Owns the rule: one file, smaller than it was, in which every line stood before or is made of lines whose place it takes,
and from which nothing is lost but what is past or was replaced. Otherwise nothing lands. It judges words, not sense:
what is no longer there stands in the commit's message, for a person to judge.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import groupby, pairwise
from pathlib import PurePosixPath

from runtime.errors import Fault
from runtime.learning.keeping import Kept
from runtime.tenant.git.changes import Change, Entry, blob_id
from runtime.tenant.git.commits import one_line, shown
from runtime.tenant.life import days
from runtime.tenant.life.budgets import size_of
from runtime.tenant.life.files import LifeFile, parse
from runtime.tenant.life.kinds import Kind
from runtime.tenant.life.merging import Placed, by_place, covers, outline, sourced
from runtime.tenant.life.orders import is_told
from runtime.tenant.life.terms import terms, values

CARRIED = 0.9
"""Part of a new line's terms that must stand in old lines of its section; its figures and names all must."""

SAID_ELSEWHERE = 2 / 3
"""Part of the terms of a line that is gone which must stand in what is left of its section; its figures and names all
must, unless it is past or was replaced."""

ENOUGH_SMALLER = 0.8
"""Of its size that a file may keep at most when it is still over its budget."""

LISTED = 40
"""Lines of what is gone, and of what came instead, in the commit's message."""

_ADDRESS = re.compile(r"\S*(?:@|://|www\.)\S*\w")


@dataclass(frozen=True, kw_only=True)
class _Section:
    """One section before and after. ``known``: the words that are names in this file."""

    old: tuple[Placed, ...]
    new: tuple[Placed, ...]
    known: frozenset[str]

    @cached_property
    def fresh(self) -> list[Placed]:
        before = {one.whole for one in self.old}
        return [one for one in self.new if one.whole not in before]

    @cached_property
    def gone(self) -> list[Placed]:
        after = {one.whole for one in self.new}
        return [one for one in self.old if one.whole not in after]

    @cached_property
    def said(self) -> frozenset[str]:
        """All terms of it before."""
        return _union(one.terms for one in self.old)

    @cached_property
    def left(self) -> frozenset[str]:
        """All terms, marks and turning words of it now, its title's included."""
        title = frozenset(_marks(f": {self.old[0].fact.section}", self.known)) if self.old else frozenset()
        return title | _union(one.terms | set(_marks(one.whole, self.known)) | one.turning for one in self.new)


def keep(changes: Sequence[Change], before: bytes, *, rel: str, budget: int, today: date) -> Kept:
    """``before``: what was in the file ``rel``. Its lines get the sources of those they come from."""
    if others := [shown(one.path) for one in changes if one.path != rel]:
        return _nothing(f"it changed {', '.join(others[:3])}, which it was not asked to")
    if not changes:
        return Kept()
    [change] = changes
    if change.data is None:
        return _nothing("it removed the file")
    try:
        old, new = parse(rel, before.decode()), parse(rel, change.data.decode())
    except (Fault, UnicodeDecodeError) as fault:
        return _nothing(f"it left a file that cannot be read: {fault}".splitlines()[0])
    new = replace(new, body=sourced(old.body, new.body))
    sections = _sections(old.body, new.body)
    if problem := next(_troubles(old, new, sections, budget, today), ""):
        return _nothing(problem)
    data = new.text.encode()
    mode = change.entry.mode if change.entry else ""
    landing = replace(change, entry=Entry(mode, blob_id(data)), data=data)
    return Kept(changes=(landing,), title=f"Consolidate: {PurePosixPath(rel).stem}", first=_told(old, new))


def _nothing(problem: str) -> Kept:
    return Kept(problem=problem, final=True)


def _sections(before: str, after: str) -> list[_Section]:
    old, new = by_place(outline(before).facts), by_place(outline(after).facts)
    known = _known(before)
    return [
        _Section(old=tuple(old.get(place, ())), new=tuple(new.get(place, ())), known=known)
        for place in sorted(old.keys() | new.keys())
    ]


def _troubles(old: LifeFile, new: LifeFile, sections: Sequence[_Section], budget: int, today: date) -> Iterator[str]:
    """What is wrong with it, the plainest first."""
    if old.meta != new.meta:
        yield "it changed the head of the file"
    if outline(old.body).rest != outline(new.body).rest:
        yield "it changed what is no fact: a heading, a comment or a paragraph"
    for section in sections:
        for one in section.fresh:
            if problem := _invented(one, section):
                yield f"“{one_line(one.whole, 120)}” {problem}"
        for one in section.gone:
            if problem := _lost(one, section, old.kind, today):
                yield f"“{one_line(one.whole, 120)}” {problem}"
    was, now = size_of(old.body), size_of(new.body)
    if now >= was or (now > budget and now > was * ENOUGH_SMALLER):
        yield f"{now} of {was} bytes are left, and {budget} were to be"


def _invented(one: Placed, section: _Section) -> str:
    """What a new line says that those whose place it takes did not."""
    exact = one.values | {term for word in one.whole.split() if word[0].isupper() for term in terms(word)}
    if not one.terms or not exact <= section.said or len(one.terms & section.said) < CARRIED * len(one.terms):
        return "is carried by no lines of its section"
    carriers = [other for other in section.gone if _went_into(other, one)]
    if not carriers:
        return "takes the place of no line"
    if not one.values <= _union(other.values for other in carriers):
        return "has a figure of another fact"
    if one.turning != _union(other.turning for other in carriers):
        return "does not mean what the lines meant whose place it takes"
    if any(is_told(other.whole) for other in carriers) and not is_told(one.whole):
        return "says as a fact what somebody was said to have said"
    if _is_mixed(one, carriers, section.known):
        return "mixes the figures and names of the lines whose place it takes"
    return ""


def _went_into(old: Placed, new: Placed) -> bool:
    """Whether a line that is gone may be part of the new one: half of its words stand there."""
    words = old.terms - old.values
    if not words:
        return bool(old.values & new.values)
    return len(words & new.terms) >= len(words) / 2


def _is_mixed(one: Placed, carriers: Sequence[Placed], known: frozenset[str]) -> bool:
    """Whether the marks of one line stand among those of another, or in another order: "12 Oak on Monday, 9 Elm on
    Friday" must not become "12 Oak on Friday, 9 Elm on Monday". What several lines share stands where it likes."""
    marks = [_marks(other.whole, known) for other in carriers]
    count = Counter(mark for found in marks for mark in set(found))
    whose = {mark: number for number, found in enumerate(marks) for mark in found if count[mark] == 1}
    order = [mark for mark in _marks(one.whole, known) if mark in whose]
    runs = [number for number, _ in groupby(order, key=whose.__getitem__)]
    if len(runs) != len(set(runs)):
        return True
    kept = [list(dict.fromkeys(mark for mark in found if mark in order)) for found in marks]
    return any(
        [mark for mark in dict.fromkeys(order) if whose[mark] == number] != [mark for mark in found if mark in whose]
        for number, found in enumerate(kept)
    )


def _lost(one: Placed, section: _Section, kind: Kind, today: date) -> str:
    """Why a line may not be gone."""
    if any(covers(other, one) for other in section.new):
        return ""
    if kind.guides:
        return f"is gone, and {kind.about} are not to be thinned out"
    if _is_past(one, today) or (kind.single and _is_replaced(one, section.new)):
        return ""
    if missing := [mark for mark in _marks(one.whole, section.known) if mark not in section.left]:
        return f"is gone, and with it {', '.join(list(dict.fromkeys(missing))[:5])}"
    if not one.turning <= section.left or len(one.terms & section.left) < SAID_ELSEWHERE * len(one.terms):
        return "is gone; it is not past, not replaced, and no other line says it"
    return ""


def _is_past(one: Placed, today: date) -> bool:
    """An appointment or a deadline that is over: it names days, which were to come when it was said and are past now.
    A birthday or a sale of long ago is none."""
    found = days.named(one.terms)
    if one.fact.source is None or found.yearly or not found.days:
        return False
    return all(one.fact.source.date <= day.isoformat() < today.isoformat() for day in found.days)


def _is_replaced(one: Placed, new: Sequence[Placed]) -> bool:
    """Another line of the section is about the same, and was said later."""
    topic, source = one.fact.topic, one.fact.source
    if not topic or source is None:
        return False
    later = (other.fact for other in new if other.fact.source and other.fact.source.date > source.date)
    return any(other.topic == topic for other in later)


def _marks(text: str, known: frozenset[str]) -> list[str]:
    """Figures, names and addresses in their order: what cannot be guessed again once it is gone."""
    found: list[str] = []
    for word in text.split():
        plain = _plain(word)
        if _ADDRESS.search(word) or plain in known:
            found.append(plain)
        else:
            found += sorted(values(word))
    return found


def _known(body: str) -> frozenset[str]:
    """The words of a body that are names: in capitals, and not only because a sentence begins with them."""
    titles: set[str] = set()
    names: set[str] = set()
    for one in outline(body).facts:
        titles.update(word for word in one.fact.section.split() if word[0].isupper())
        words = one.whole.split()
        names.update(word for last, word in pairwise(words) if word[0].isupper() and last[-1] not in ".:;!?")
    return frozenset(plain for word in titles | names if len(plain := _plain(word)) > 1)


def _plain(word: str) -> str:
    return word.casefold().replace("\u2019", "'").strip(".,;:!?\"'()\u201c\u201d").removesuffix("'s")


def _union(sets: Iterable[Set[str]]) -> frozenset[str]:
    return frozenset().union(*sets)


def _told(old: LifeFile, new: LifeFile) -> str:
    """For the commit's message: what is no longer there, and what came instead."""
    before, after = outline(old.body).facts, outline(new.body).facts
    return "\n".join([*_listed("No longer there:", before, after), *_listed("Instead:", after, before)])


def _listed(title: str, these: Sequence[Placed], others: Sequence[Placed]) -> list[str]:
    """Those of ``these`` that ``others`` do not have, or have fewer of."""
    left = Counter((one.place, one.whole) for one in others)
    found = []
    for one in these:
        left[one.place, one.whole] -= 1
        if left[one.place, one.whole] < 0:
            where = f"{one.fact.section}: " if one.fact.section else ""
            found.append(f"- {one_line(where + one.whole, 160)}")
    more = [f"- and {len(found) - LISTED} more"] if len(found) > LISTED else []
    return [title, *found[:LISTED], *more] if found else []
