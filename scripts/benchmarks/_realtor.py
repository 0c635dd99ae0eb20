"""A realtor's half year for the memory benchmark: what is said, what is learned from it, what is asked afterwards.

Deterministic for a seed. Owns the world and which answer is right; not the wordings (_wordings.py).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from _values import FIRST, LAST, STRANGERS, STREETS, TRADES, VALUES
from _wordings import (
    ABOUT,
    ABOUT_HELD,
    CHATTER,
    EVENTS,
    LISTINGS,
    NOWHERE,
    NOWHERE_HELD,
    ON_A_DAY,
    ON_A_DAY_HELD,
    PEOPLE,
    VENDORS,
    Wording,
)

ZONE = ZoneInfo("America/Denver")
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=ZONE)
BEGIN = datetime(2026, 5, 4, 8, 0, tzinfo=ZONE)

PEOPLE_MD, BUSINESS_MD, CONTACTS_MD = "relationships/people.md", "knowledge/business.md", "knowledge/contacts.md"


@dataclass(slots=True, kw_only=True)
class Told:
    """One fact as it goes through the half year. ``stale`` holds what it said before."""

    rel: str
    section: str
    topic: str
    wording: Wording
    names: dict[str, str]
    text: str = ""
    value: str = ""
    day: date | None = None
    stale: list[str] = field(default_factory=list)
    dropped: bool = False

    @property
    def who(self) -> str:
        return self.names["who"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One message and what is done about it: learn, update, drop, or nothing. ``states`` is the fact it says."""

    when: float
    text: str
    do: str = ""
    told: Told | None = None
    new: str = ""
    old: str = ""
    states: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``right``: (section, text) of facts that answer it; none is right where nothing is known. ``all_of`` is how many
    of them have to be among the first, where no other may be."""

    kind: str
    topic: str
    asked: str
    held: str
    right: frozenset[tuple[str, str]] = frozenset()
    all_of: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    steps: tuple[Step, ...]
    told: tuple[Told, ...]
    questions: tuple[Question, ...]


class Realtor:
    """Makes a world. One random source: the same seed is the same world."""

    def __init__(self, seed: int) -> None:
        self._r = random.Random(seed)
        pairs = [f"{first} {last}" for first in FIRST for last in LAST]
        self._r.shuffle(pairs)
        self._people = iter(pairs)
        places = [f"{number} {street} Street" for street in STREETS for number in range(112, 3990, 97)]
        self._r.shuffle(places)
        self._places = iter(places)

    def live(self, *, facts: int, messages: int, updates: int, deletions: int, questions: int) -> World:
        told = self._world(facts)
        steps: list[Step] = []
        begins = {id(one): self._r.random() * 0.7 for one in told}
        steps += [self._said(one, begins[id(one)], "learn") for one in told]
        movable = [one for one in told if one.topic not in FIXED]
        updated = self._r.sample(movable, updates)
        chosen = {id(one) for one in updated}
        dropped = self._r.sample([one for one in told if id(one) not in chosen], deletions)
        restated = self._r.sample(told, min(facts, max(0, messages - facts - updates - deletions)) // 4)
        for one in restated:
            steps.append(self._said(one, begins[id(one)] + 0.01 + self._r.random() * 0.1, ""))
        for one in updated:
            steps.append(self._update(one, self._r.uniform(0.82, 1.0)))
        for one in dropped:
            one.dropped = True
            text = f"forget what I said about {one.who}: {one.topic}"
            steps.append(Step(when=self._r.uniform(0.82, 1.0), text=text, do="drop", told=one, old=one.text))
        while len(steps) < messages:
            steps.append(Step(when=self._r.random(), text=self._r.choice(CHATTER)))
        steps.sort(key=lambda step: step.when)
        asked = tuple(self._questions(told, {id(one) for one in updated}, questions))
        return World(steps=tuple(steps), told=tuple(told), questions=asked)

    # The world

    def _world(self, count: int) -> list[Told]:
        told: list[Told] = []
        trades = iter(TRADES)
        places: list[str] = []
        people: list[str] = []
        while len(told) < count * 0.84:
            who = next(self._people)
            people.append(who)
            told += [self._one(PEOPLE_MD, who, topic, PEOPLE[topic]) for topic in self._r.sample(sorted(PEOPLE), 6)]
            if len(people) % 4 == 0:
                place = next(self._places)
                places.append(place)
                picked = self._r.sample(sorted(LISTINGS), 3)
                told += [self._one(BUSINESS_MD, place, topic, LISTINGS[topic]) for topic in picked]
            if len(people) % 6 == 0 and (trade := next(trades, "")):
                who = next(self._people)
                told += [self._one(CONTACTS_MD, who, topic, VENDORS[topic], trade=trade) for topic in VENDORS]
        while len(told) < count:
            topic = self._r.choice(sorted(EVENTS))
            place = self._r.choice(places) if self._r.random() < 0.3 else next(self._places)
            told.append(self._one("", self._r.choice(people), topic, EVENTS[topic], place=place))
        return told[:count]

    def _one(self, rel: str, who: str, topic: str, wording: Wording, **names: str) -> Told:
        section = who if rel else ""
        one = Told(rel=rel, section=section, topic=topic, wording=wording, names={"who": who, **names})
        self._renew(one)
        return one

    def _renew(self, one: Told) -> None:
        """Give it a (new) value."""
        before = one.value
        while one.value == before:
            if one.wording.values == "event":
                day = NOW.date() + timedelta(days=self._r.randint(1, 70))
                while day.weekday() == 6:
                    day += timedelta(days=1)
                time = f"{self._r.randint(8, 17):02}:{self._r.choice(('00', '15', '30', '45'))}"
                one.day, one.value = day, f"{day} {time}"
                one.rel = one.rel or f"events/{day:%Y-%m}.md"
                one.names |= {"day": f"{day}", "time": time, "said": f"{day:%b} {day.day}"}
            else:
                one.value = VALUES[one.wording.values](self._r)
        one.text = one.wording.fact.format(v=one.value, **one.names)

    def _said(self, one: Told, when: float, do: str) -> Step:
        text = self._r.choice(one.wording.says).format(v=_spoken(one), **one.names)
        return Step(when=when, text=text, do=do, told=one, new=one.text, states=one.text)

    def _update(self, one: Told, when: float) -> Step:
        old = one.text
        one.stale.append(old)
        month = one.rel
        self._renew(one)
        one.rel = month  # a moved appointment is swapped where it stands
        step = self._said(one, when, "update")
        return Step(
            when=when,
            text=f"{self._r.choice(('update:', 'change of plan,', 'actually', ''))} {step.text}".strip(),
            do="update",
            told=one,
            new=one.text,
            old=old,
            states=one.text,
        )

    # What is asked

    def _questions(self, told: list[Told], updated: set[int], count: int) -> Iterator[Question]:
        each = count // 5
        standing = [one for one in told if not one.dropped]
        self._shared = _ambiguous(told)
        fresh = [one for one in standing if id(one) not in updated]
        for one in self._r.sample(fresh, each):
            yield self._about_one("single", one)
        for one in self._r.sample([one for one in standing if id(one) in updated], each):
            yield self._about_one("update", one)
        yield from self._on_days(standing, each)
        people = sorted({one.section for one in standing if one.rel == PEOPLE_MD})
        for who in self._r.sample(people, each):
            right = _names(one for one in standing if one.who == who)
            asks = self._r.choice(ABOUT), self._r.choice(ABOUT_HELD)
            name = self._called(who)
            yield _question("person", "person", *(ask.format(who=name) for ask in asks), right=right, every=True)
        yield from self._absent(told, each)

    def _about_one(self, kind: str, one: Told) -> Question:
        n = self._r.randrange(100)
        names = {**one.names, "who": self._called(one.who)}
        asked = _pick(one.wording.asks, n).format(**names)
        held = _pick(one.wording.held, n).format(**names)
        # An event is asked by person or place: what else fits is right as well, as long as the one is there.
        return _question(kind, one.topic, asked, held, right=_names([one]))

    def _on_days(self, standing: list[Told], count: int) -> Iterator[Question]:
        days: dict[date, list[Told]] = {}
        for one in standing:
            if one.day:
                days.setdefault(one.day, []).append(one)
        near = [day for day in days if day <= NOW.date() + timedelta(days=7)] or list(days)
        for number in range(count):
            relative = number % 5 >= 3
            day = self._r.choice(sorted(near if relative else days))
            asked, held = _pick(_days(ON_A_DAY, relative), number), _pick(_days(ON_A_DAY_HELD, relative), number)
            names = {"worded": f"{day:%B} {day.day}", "iso": f"{day}", "relative": _relative(day)}
            right = _names(days[day]) | _names(one for one in standing if _same_day(one, day))
            yield _question("time", "day", asked.format(**names), held.format(**names), right=right, every=True)

    def _absent(self, told: list[Told], count: int) -> Iterator[Question]:
        known: dict[str, set[str]] = {}
        for one in told:
            if one.rel == PEOPLE_MD and not one.dropped:
                known.setdefault(one.section, set()).add(one.topic)
        gone = [one for one in told if one.dropped and one.rel == PEOPLE_MD and one.section in known]
        busy = {one.day for one in told if one.day} | {one.day for one in told if one.dropped}
        for number in range(count):
            match number % 5:
                case 0:
                    who, topic = self._r.choice(STRANGERS), self._r.choice(sorted(PEOPLE))
                case 1:
                    who = self._r.choice(sorted(known))
                    topic = self._r.choice(sorted(PEOPLE.keys() - known[who] - _TOLD_ELSEWHERE))
                case 2:
                    one = self._r.choice(gone)
                    who, topic = one.section, one.topic
                case 3:
                    yield _question("absent", "nowhere", _pick(NOWHERE, number // 5), _pick(NOWHERE_HELD, number // 5))
                    continue
                case _:
                    day = next(d for d in self._free_days() if d not in busy and not _any_day(told, d))
                    names = {"worded": f"{day:%B} {day.day}", "iso": f"{day}", "relative": f"on {day}"}
                    asks = (_pick(_days(form, False), number).format(**names) for form in (ON_A_DAY, ON_A_DAY_HELD))
                    yield _question("absent", "empty day", *asks)
                    continue
            named, wording = self._called(who), PEOPLE[topic]
            asked, held = (_pick(forms, number).format(who=named) for forms in (wording.asks, wording.held))
            yield _question("absent", ("stranger", "not told", "dropped")[number % 5], asked, held)

    def _free_days(self) -> Iterator[date]:
        while True:
            yield NOW.date() + timedelta(days=self._r.randint(80, 400))

    def _called(self, who: str) -> str:
        """Half of the time the first name, where only one person has it."""
        first = who.split()[0]
        if who.endswith("Street"):
            return self._r.choice((who, who.removesuffix(" Street"), who.replace("Street", "St")))
        return first if first not in self._shared and self._r.random() < 0.5 else who


FIXED = {"spouse", "children", "pet", "birthday", "source", "seller", "roof"}
_TOLD_ELSEWHERE = {"contact", "children", "spouse"}
"""What other facts of the same person may well say: not asked as something that is not known."""


def _spoken(one: Told) -> str:
    """As it is typed on a phone: 550k, Feb 28."""
    if one.wording.values == "money":
        return one.value.removeprefix("$").removesuffix(",000").replace(",", "") + "k"
    if one.wording.values == "day":
        day = date.fromisoformat(one.value)
        return f"{day:%b} {day.day}"
    return one.value


def _ambiguous(told: list[Told]) -> set[str]:
    people = {one.section for one in told if one.rel in (PEOPLE_MD, CONTACTS_MD)}
    firsts = [who.split()[0] for who in people]
    return {first for first in firsts if firsts.count(first) > 1}


def _names(told: "Iterator[Told] | list[Told]") -> frozenset[tuple[str, str]]:
    return frozenset((one.section, one.text) for one in told)


def _question(
    kind: str,
    topic: str,
    asked: str,
    held: str,
    *,
    right: frozenset[tuple[str, str]] = frozenset(),
    every: bool = False,
) -> Question:
    count = min(5, len(right)) if every else 0
    return Question(kind=kind, topic=topic, asked=asked, held=held, right=right, all_of=count)


def _pick(forms: tuple[str, ...], number: int) -> str:
    return forms[number % len(forms)]


def _days(forms: tuple[str, ...], relative: bool) -> tuple[str, ...]:
    return tuple(form for form in forms if ("{relative}" in form) is relative)


def _relative(day: date) -> str:
    ahead = (day - NOW.date()).days
    return {1: "tomorrow", 2: "in two days"}.get(ahead, f"this {day:%A}" if ahead < 7 else f"in {ahead} days")


def _same_day(one: Told, day: date) -> bool:
    return (one.wording.values == "birthday" and one.value == f"{day:%B} {day.day}") or (
        one.wording.values == "day" and one.value == f"{day}"
    )


def _any_day(told: list[Told], day: date) -> bool:
    return any(_same_day(one, day) or f"{day}" in one.text for one in told)
