"""The facts of one section beside each other: which says what another says, and where a merged one comes from. Pure.

Owns what counts as a repetition without anybody judging it: the same words, or all of them in a row within a longer
line that says nothing to turn their meaning. Does not own what a change puts in the place of what (facts.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from runtime.tenant.life.facts import Changed, Fact, facts, lacking
from runtime.tenant.life.orders import is_told
from runtime.tenant.life.terms import terms

_AROUND = ".,;:!?\"'()\u201c\u201d\u2018\u2019"

_TURNING = """
not no never none nobody nothing neither nor without except unless only just until till before after since if when
instead but former formerly ex previously maybe perhaps possibly probably over under above below least most more less
almost about
"""
TURNING = frozenset(_TURNING.split())
"""Words that turn what a sentence says, or set its bounds: with one more or one fewer of them it is another fact."""


def turning(text: str) -> frozenset[str]:
    """The words of a text that turn its meaning."""
    words = _words(text)
    denied = {"not"} if any(word.endswith("n't") or word == "cannot" for word in words) else set()
    return frozenset(denied | (TURNING & set(words)))


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A fact, the lines that go on with it, and which heading it stands under, counted from 0 (none). What is read from
    its words is kept: each is compared with all others of its section."""

    fact: Fact
    place: int
    more: tuple[str, ...] = ()

    @cached_property
    def whole(self) -> str:
        return " ".join([self.fact.text, *(line.strip() for line in self.more)])

    @cached_property
    def words(self) -> str:
        """Its words with a space around each, without case and the marks between them."""
        return f" {' '.join(_words(self.whole))} "

    @cached_property
    def terms(self) -> frozenset[str]:
        return frozenset(terms(self.whole))

    @cached_property
    def values(self) -> frozenset[str]:
        return frozenset(term for term in self.terms if any(c.isdigit() for c in term))

    @cached_property
    def turning(self) -> frozenset[str]:
        """The words that turn its meaning."""
        return turning(self.whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A body as facts and ``rest``: headings, comments and a person's own paragraphs, without blank lines."""

    facts: tuple[Placed, ...]
    rest: tuple[str, ...]


def outline(body: str) -> Outline:
    lines = body.splitlines()
    known = {one.line: one for one in facts(body)}
    found: list[Placed] = []
    rest: list[str] = []
    place, at = 0, 0
    while at < len(lines):
        line, fact = lines[at], known.get(at)
        at += 1
        if fact is None:
            rest += [line] if line.strip() else []
            place += line.startswith("#")
            continue
        start = at
        while at < len(lines) and lines[at].startswith((" ", "\t")) and lines[at].strip():
            at += 1
        found.append(Placed(fact=fact, place=place, more=tuple(lines[start:at])))
    return Outline(facts=tuple(found), rest=tuple(rest))


def by_place(found: Iterable[Placed]) -> dict[int, list[Placed]]:
    groups: dict[int, list[Placed]] = defaultdict(list)
    for one in found:
        groups[one.place].append(one)
    return groups


def covers(one: Placed, other: Placed) -> bool:
    """``one`` says all that ``other`` says, word for word, and nothing that turns it."""
    if one.words == other.words:
        return True
    return (
        bool(other.words.strip())
        and other.words in one.words
        and one.fact.topic == other.fact.topic
        and one.turning == other.turning
        and is_told(one.whole) == is_told(other.whole)
    )


def merged(body: str) -> Changed:
    """Without the facts that another one of their section covers. Of two that say the same the one with a source stays,
    and the one that stands first."""
    gone: list[Fact] = []
    for group in by_place(outline(body).facts).values():
        # The longest first: nothing is covered by what is shorter.
        longest = sorted(group, key=lambda one: (-len(one.words), one.fact.source is None, one.fact.line))
        kept: list[Placed] = []
        for one in longest:
            if any(covers(other, one) for other in kept):
                gone.append(one.fact)
            else:
                kept.append(one)
    gone.sort(key=lambda fact: fact.line)
    return Changed(lacking(body, gone), tuple(gone)) if gone else Changed(body)


def sourced(before: str, after: str) -> str:
    """``after`` with the source of each fact taken from the one of ``before``, in the same section, that carries most
    of it; of several the newest."""
    known = by_place(outline(before).facts)
    lines = after.splitlines()
    for one in outline(after).facts:
        origin = _origin(one, known.get(one.place, []))
        if origin is not None and origin.source != one.fact.source:
            lines[one.fact.line] = str(replace(one.fact, source=origin.source))
    return "\n".join(lines) + ("\n" if after.endswith("\n") else "")


def _origin(fact: Placed, known: Sequence[Placed]) -> Fact | None:
    same = [one.fact for one in known if one.fact.text == fact.fact.text]
    if same:
        return next((one for one in same if one.source == fact.fact.source), same[0])
    shares = (
        (len(fact.terms & one.terms), one.fact.source.date if one.fact.source else "", -number)
        for number, one in enumerate(known)
    )
    share, _, number = max(shares, default=(0, "", 0))
    return known[-number].fact if share else None


def _words(text: str) -> list[str]:
    plain = text.replace("\u2019", "'").casefold().split()
    return [word for word in (one.strip(_AROUND) for one in plain) if word]
