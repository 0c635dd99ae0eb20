"""What of a consolidation may stay. Pure.

Owns the rule: one file, smaller than it was, in which every line stood before or is made of lines whose place it takes,
and from which no figure and no name is lost but with what is past or was replaced. Otherwise nothing lands. It judges
words, not sense: what is no longer there stands in the commit's message, for a person to judge.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePosixPath

from runtime.errors import Fault
from runtime.learning.keeping import Kept
from runtime.tenant.changes import Change, Entry, blob_id
from runtime.tenant.commits import one_line, shown
from runtime.tenant.life import days
from runtime.tenant.life.budgets import size_of
from runtime.tenant.life.files import LifeFile, parse
from runtime.tenant.life.kinds import Kind
from runtime.tenant.life.merging import Placed, by_place, covers, outline, sourced, turning
from runtime.tenant.life.sources import is_attributed
from runtime.tenant.life.terms import contents, support, terms, values

CARRIED = 0.9
"""Part of a new line's terms that must stand in old lines of its section; its figures all must."""

ENOUGH_SMALLER = 0.8
"""Of its size that a file may keep at most when it is still over its budget."""

LISTED = 40
"""Lines of what is gone, and of what came instead, in the commit's message."""

_WORD = re.compile(r"(?P<begins>^|[.:;!?]\s+)?(?P<word>[^\W\d_][\w'\u2019&-]*)")
_ADDRESS = re.compile(r"\S*(?:@|://|www\.)\S*\w")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """One section before and after. ``known``: the words that are names in this file."""

    old: tuple[Placed, ...]
    new: tuple[Placed, ...]
    known: frozenset[str]

    @property
    def fresh(self) -> list[Placed]:
        before = {one.whole for one in self.old}
        return [one for one in self.new if one.whole not in before]

    @property
    def gone(self) -> list[Placed]:
        after = {one.whole for one in self.new}
        return [one for one in self.old if one.whole not in after]


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
    if support(one.whole, [other.whole for other in section.old]) < CARRIED:
        return "is carried by no lines of its section"
    carriers = [other for other in section.gone if _went_into(other, one)]
    if not carriers:
        return "takes the place of no line"
    if not values(one.whole) <= frozenset().union(*(values(other.whole) for other in carriers)):
        return "has a figure of another fact"
    if turning(one.whole) != frozenset().union(*(turning(other.whole) for other in carriers)):
        return "does not mean what the lines meant whose place it takes"
    if any(is_attributed(other.whole) for other in carriers) and not is_attributed(one.whole):
        return "says as a fact what somebody was said to have said"
    return ""


def _went_into(old: Placed, new: Placed) -> bool:
    """Whether a line that is gone may be part of the new one: half of its words stand there."""
    words = contents(old.whole)
    if not words:
        return bool(values(old.whole) & values(new.whole))
    return len(words & contents(new.whole)) >= len(words) / 2


def _lost(one: Placed, section: _Section, kind: Kind, today: date) -> str:
    """Why a line may not be gone."""
    if any(covers(other, one) for other in section.new):
        return ""
    if kind.guides:
        return f"is gone, and {kind.about} are not to be thinned out"
    if _is_past(one, today) or (kind.single and _is_replaced(one, section.new)):
        return ""
    left = frozenset().union(*(_marks(other.whole, section.known) for other in section.new))
    left |= _marks(f": {one.fact.section}", section.known)
    missing = sorted(_marks(one.whole, section.known) - left)
    return f"is gone, and with it {', '.join(missing[:5])}" if missing else ""


def _is_past(one: Placed, today: date) -> bool:
    """An appointment or a deadline that is over: it names days, which were to come when it was said and are past now.
    A birthday or a sale of long ago is none."""
    found = days.named(terms(one.whole))
    if one.fact.source is None or found.yearly or not found.days:
        return False
    return all(one.fact.source.date <= day.isoformat() < today.isoformat() for day in found.days)


def _is_replaced(one: Placed, new: Sequence[Placed]) -> bool:
    """Another line of the section is about the same, and not older."""
    topic, source = one.fact.topic, one.fact.source
    return bool(topic) and any(
        other.fact.topic == topic
        and (other.fact.source.date if other.fact.source else "") >= (source.date if source else "")
        for other in new
    )


def _marks(text: str, known: frozenset[str]) -> frozenset[str]:
    """Figures, names and addresses: what cannot be guessed again once it is gone."""
    names = {word for word in _capitals(text) if word in known}
    return frozenset(values(text) | names | {match[0].casefold() for match in _ADDRESS.finditer(text)})


def _known(body: str) -> frozenset[str]:
    """The words of a body that are names: in capitals, and not only because a sentence begins with them."""
    found = outline(body).facts
    titles = {word for one in found for word in _capitals(f": {one.fact.section}")}
    return frozenset(titles | {word for one in found for word in _capitals(one.whole, first=False)})


def _capitals(text: str, *, first: bool = True) -> set[str]:
    """The words in capitals; without ``first`` not those that a sentence begins with."""
    return {
        match["word"].casefold().replace("\u2019", "'").removesuffix("'s")
        for match in _WORD.finditer(text)
        if match["word"][0].isupper() and len(match["word"]) > 1 and (first or match["begins"] is None)
    }


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
