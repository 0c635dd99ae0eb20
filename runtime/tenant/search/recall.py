"""What is known about something: facts of life/ first, then what people said that is no fact yet.

Owns keeping the facts at hand (only files that changed are read again) and fetching messages that are worth a look.
Does not own which of them answer (ranking.py, asking.py) nor the tables that messages come from (index.py). Everything
kept here is derived: a new ``Recall`` on the same folder gives the same.
"""

import math
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from runtime.errors import Fault, Unavailable
from runtime.tenant.folder import Folder, Stamp
from runtime.tenant.git.history import History
from runtime.tenant.life.asking import Asked, Word, asked, plain_terms
from runtime.tenant.life.facts import Fact, Source
from runtime.tenant.life.files import LIFE, Life, LifeFile
from runtime.tenant.messages import MessageLine
from runtime.tenant.search.candidates import Candidate, Known, candidate, known
from runtime.tenant.search.index import Index
from runtime.tenant.search.ranking import Ranked, rank, split
from runtime.tenant.search.superseded import Superseded

LIMIT = 20

_LOOKED_AT = 60
"""Messages that are fetched, at most, to be ranked."""

_COUNTED = 200
"""Facts of which it is looked up how often they were of use."""

_COMMON = 400
"""A word that this many messages hold is common; no more are counted."""

_SAID_ENOUGH = 0.6
"""Of a question's words (by weight) that a message must hold."""

# What of a tenant's memory matters most when it matters equally.
_IMPORTANCE = {"boundaries": 1.0, "identity": 0.9, "people": 0.8, "patterns": 0.7, "events": 0.6, "contacts": 0.6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A fact. ``rel`` and ``section`` say where it stands; ``score`` is from 0 to 1.

    As text it is its line in life/: how often a fact was of use is counted from such lines in the turn log.
    """

    text: str
    rel: str
    section: str
    source: Source | None
    score: float

    def __str__(self) -> str:
        return str(Fact(self.text, self.section, self.source))


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message of a person. ``at`` is in the tenant's zone."""

    text: str
    at: datetime
    person: str
    message: str
    channel: str
    how: str
    score: float

    def __str__(self) -> str:
        return f'{self.at:%Y-%m-%d %H:%M} {self.person or "somebody"} ({self.how or "said"}): "{self.text}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """``facts`` answer the question, best first, ``hits`` may. Where no fact answers, ``about`` has what is known of
    the one who was named. ``unknown``: words of the question that nothing shown or known mentions. ``searched`` is
    False when the messages could not be searched just now."""

    facts: tuple[Found, ...] = ()
    hits: tuple[Said, ...] = ()
    about: tuple[Found, ...] = ()
    unknown: tuple[str, ...] = ()
    searched: bool = True


@dataclass(frozen=True, slots=True)
class _Held:
    """One fact as it is kept at hand."""

    rel: str
    fact: Fact
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class _Memory:
    """All of life/ at one moment, and what it was read from."""

    stamps: Mapping[str, Stamp]
    files: Mapping[str, tuple[_Held, ...]]
    held: tuple[_Held, ...]
    current: frozenset[tuple[str, str]]
    known: Known


class Recall:
    """Answers questions from one tenant's memory. Safe for many threads; calls block for some milliseconds."""

    def __init__(self, life: Life, index: Index, history: History, folder: Folder, *, zone: ZoneInfo) -> None:
        self._life = life
        self._index = index
        self._history = history
        self._folder = folder
        self._zone = zone
        self._lock = threading.Lock()
        self._memory = _Memory({}, {}, (), frozenset(), known(()))
        self._superseded = Superseded()

    def recall(self, query: str, *, limit: int = 5, now: datetime, asking: Collection[str] = ()) -> Recalled:
        """What is known of ``query``, a question or a name. ``now`` says what "tomorrow" is; ``asking`` are the ids of
        the messages in which it is asked, which answer nothing."""
        limit = max(1, min(limit, LIMIT))
        today = now.astimezone(self._zone).date()
        question = asked(query, today)
        memory = self._refreshed()
        try:
            stale = self._learned()
            used = self._used(question, memory)
            searched = True
        except Unavailable:
            stale, used, searched = self._superseded, {}, False
        ranking = rank(question, memory.known, today=today, used=used)
        facts = [memory.held[one.number] for one in ranking.answers[:limit]]
        hits: Sequence[Said] = ()
        if searched and len(facts) < limit:
            try:
                hits = self._said(question, facts, stale, memory, asking)[: limit - len(facts)]
            except Unavailable:
                searched = False
        mentioned = {term for hit in hits for term in plain_terms(hit.text)}
        return Recalled(
            facts=tuple(_found(memory, one) for one in ranking.answers[:limit]),
            hits=tuple(hits),
            about=tuple(_found(memory, one) for one in ranking.about[:limit]),
            unknown=tuple(word for word in ranking.unknown if not set(plain_terms(word)) & mentioned),
            searched=searched,
        )

    # Facts

    def _refreshed(self) -> _Memory:
        """Everything in life/ as it is now; only what has changed is read."""
        with self._lock:
            before = self._memory
            stamps = {rel: one for rel, one in self._folder.stamps().items() if rel.startswith(f"{LIFE}/")}
            if stamps == before.stamps:
                return before
            files = {rel: held for rel, held in before.files.items() if stamps.get(rel) == before.stamps.get(rel)}
            kept = {(one.rel, one.fact): one.candidate for held in before.files.values() for one in held}
            for rel in self._life.names():
                if rel not in files and (file := self._read(rel)):
                    files[rel] = tuple(
                        _Held(rel, fact, kept.get((rel, fact)) or _candidate(file.kind.name, fact))
                        for fact in file.facts
                    )
            held = tuple(one for rel in sorted(files) for one in files[rel])
            current = frozenset((one.fact.section, one.fact.text) for one in held)
            self._memory = _Memory(stamps, files, held, current, known([one.candidate for one in held]))
            return self._memory

    def _read(self, rel: str) -> LifeFile | None:
        """None for a file that was never good, or is gone again: what is wrong with it is told by doctor."""
        try:
            return self._life.read(rel)
        except Fault:
            return None

    def _learned(self) -> Superseded:
        """Take in what logs and history have gained. Returns what must not come back."""
        self._index.catch_up(self._folder)
        read, head = self._index.learned_up_to(), self._history.head()
        if read != head:
            self._index.learn(self._history.learned(read))
        with self._lock:
            if self._superseded.head != head:
                self._superseded = Superseded.of(self._index.gone(), head)
            return self._superseded

    def _used(self, question: Asked, memory: _Memory) -> Mapping[int, int]:
        """How often facts were shown before: of those with the question's rarest word, where it may decide."""
        held = [memory.known.holding(word.term) for word in question.words]
        near = min((sorted(one)[:_COUNTED] for one in held if one), key=len, default=[])
        counts = self._index.used(memory.held[number].fact.text for number in near)
        return {number: count for number in near if (count := counts.get(memory.held[number].fact.text))}

    # Messages

    def _said(
        self, question: Asked, facts: Sequence[_Held], stale: Superseded, memory: _Memory, asking: Collection[str]
    ) -> list[Said]:
        """What people said that holds enough of the question, newest first among equals."""
        words = question.words
        if not words:
            return []
        groups = [_forms(word) for word in words]
        counts = self._index.how_many(groups, most=_COMMON)
        if any(count == 0 and word.name for word, count in zip(words, counts, strict=True)):
            return []  # somebody nobody ever spoke of
        named, wanted = split(question, memory.known)
        lines = [line for line in self._index.said(groups, limit=_LOOKED_AT) if line.id not in asking]
        present = [number for number in sorted(range(len(words)), key=lambda number: counts[number]) if counts[number]]
        if not lines and len(present) > 1:
            lines = self._index.said([groups[number] for number in present[:2]], limit=_LOOKED_AT)
        found = []
        for line in lines:
            share = _share(line.text, words, counts) if _answers(line.text, named, wanted) else 0.0
            if (
                line.id in asking
                or share < _SAID_ENOUGH
                or stale.says(line.text, memory.current)
                or self._older(line, question, facts)
            ):
                continue
            found.append(self._as_said(line, share))
        return sorted(found, key=lambda one: (-one.score, -one.at.timestamp()))

    def _older(self, line: MessageLine, question: Asked, facts: Sequence[_Held]) -> bool:
        """Whether a fact that is shown says as much of the question, and was learned on the same day or later."""
        day = line.at.astimezone(self._zone).date()
        asked_for = {word.term for word in question.words}
        says = asked_for & set(plain_terms(line.text))
        return any(
            one.candidate.day and one.candidate.day >= day and says <= one.candidate.words | one.candidate.titles
            for one in facts
        )

    def _as_said(self, line: MessageLine, score: float) -> Said:
        return Said(
            text=line.text,
            at=line.at.astimezone(self._zone),
            person=line.person,
            message=line.id,
            channel=line.channel,
            how=line.how.value if line.how else "",
            score=round(score, 4),
        )


def _candidate(kind: str, fact: Fact) -> Candidate:
    return candidate(
        fact.text,
        section=fact.section,
        topic=fact.topic,
        day=_day(fact.source),
        importance=_IMPORTANCE.get(kind, 0.5),
    )


def _found(memory: _Memory, ranked: Ranked) -> Found:
    held = memory.held[ranked.number]
    fact = held.fact
    return Found(text=fact.text, rel=held.rel, section=fact.section, source=fact.source, score=ranked.score)


def _forms(word: Word) -> tuple[str, ...]:
    """As it was typed and in its plain form: the index knows no endings, only beginnings."""
    plain = word.term if word.term.isalpha() and len(word.term) > 2 else ""
    typed = word.typed.removesuffix("'s").removesuffix("\u2019s")
    return tuple(dict.fromkeys(form for form in (typed, plain) if form))


def _share(text: str, words: Sequence[Word], counts: Sequence[int]) -> float:
    said = set(plain_terms(text))
    weights = [1 / math.sqrt(1 + count) for count in counts]
    return sum(w for w, word in zip(weights, words, strict=True) if word.term in said) / sum(weights)


def _answers(text: str, named: Sequence[Sequence[Word]], wanted: Sequence[Word]) -> bool:
    """Whether a message holds every name of a question, and one word at least of what is wanted."""
    said = set(plain_terms(text))
    whole = all(word.term in said for group in named for word in group)
    return whole and (not wanted or any(word.term in said for word in wanted))


def _day(source: Source | None) -> date | None:
    try:
        return date.fromisoformat(source.date) if source else None
    except ValueError:
        return None
