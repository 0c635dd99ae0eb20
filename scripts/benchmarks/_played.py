"""What a played tenant is made of: its turns, its files and what is wrong with them, what a detector sees of it.

The rates are assumptions; those of the specification are its own, the rest were chosen so that a tenant that never
improves has 18 bad turns in a hundred.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from runtime.annealing.verification.eprocess import Outcome
from runtime.annealing.verification.ideas import Idea
from runtime.annealing.verification.proving import Probation

RECALL, FALSE_POSITIVES = 0.80, 0.02
FILES = 4
"""Each turn is about one of them: 25 % of the turns are exposed to a given file."""

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
NEVER = BEGIN + timedelta(days=10_000)
CONVERSATIONS = (0.55, 0.25, 0.15, 0.05)
DIALOGUE = 3.0
"""Turns of a dialogue, in the mean."""

FLOOR, DEFECT = 0.08, 0.10
"""Bad turns of a file with nothing wrong, and what one thing wrong adds. Each file begins with one."""

MOST_DEFECTS = 3

SETTLED = 60
"""Days that a tenant is served before it begins to improve."""

HARMS = (0.10, 0.20, 0.35)
NEUTRAL = 0.25
"""Share of the proposals that do no harm that do no good either."""

MEMORY = timedelta(days=60)
"""Turns before it that a baseline counts, and that signals are gathered from."""

UNDONE = -1
"""The version of a file that a turn is said to have seen once that version was taken back: no baseline counts it."""

MECHANISMS = ("states the step", "checks the argument", "narrows the trigger", "shows an example", "splits the task")


@dataclass
class Seen:
    """A turn as the detector saw it. ``idea``: what a signal was about."""

    outcome: Outcome
    at: datetime
    version: int
    idea: str


@dataclass
class Change:
    """A proposal, and what it does to the rate of its file: it adds ``harm``, or mends ``intent``, or nothing."""

    kind: str
    harm: float
    intent: str
    idea: Idea
    mechanism: str
    triggers: list[Seen]
    landed: datetime = BEGIN
    gated: datetime = BEGIN
    ys: list[bool] = field(default_factory=list)
    landing: int = -1
    probation: Probation | None = None


@dataclass
class File:
    """``defects``: of the world, whoever mends them. ``harms``: of changes that are in force."""

    name: str
    defects: list[str]
    harms: float = 0.0
    mended: set[str] = field(default_factory=set)
    version: int = 0
    seen: list[Seen] = field(default_factory=list)
    change: Change | None = None
    signals: list[Seen] = field(default_factory=list)
    settled: dict[str, datetime] = field(default_factory=dict)
    """Until when the signals for an idea have led to a change that was kept."""
    rests: dict[str, datetime] = field(default_factory=dict)
    """Until when an idea may not come back, whatever its words."""

    @property
    def wrong(self) -> list[str]:
        return [one for one in self.defects if one not in self.mended]

    @property
    def rate(self) -> float:
        return min(0.95, FLOOR + DEFECT * len(self.wrong) + self.harms)


@dataclass
class Life:
    """What came of it. ``ends``: (kind, state) of everything that landed; ``again``: ideas that were proposed within
    their cool-down."""

    turns: int = 0
    bad: int = 0
    ends: list[tuple[str, str]] = field(default_factory=list)
    gates: list[tuple[str, float, bool]] = field(default_factory=list)
    proposed: int = 0
    refused: int = 0
    again: int = 0

    @property
    def friction(self) -> float:
        """Bad turns in a hundred."""
        return 100 * self.bad / self.turns


def detected(ran: random.Random, *, bad: bool) -> bool:
    return ran.random() < (RECALL if bad else FALSE_POSITIVES)


def poisson(ran: random.Random, mean: float) -> int:
    """Arrivals in a unit of time, by their exponential gaps."""
    count, at = 0, ran.expovariate(mean)
    while at < 1:
        count, at = count + 1, at + ran.expovariate(mean)
    return count


def dialogues(ran: random.Random, turns: int) -> Iterator[str]:
    """The conversation of each of a day's turns."""
    while turns > 0:
        length = min(turns, 1 + int(ran.expovariate(1 / (DIALOGUE - 0.5))))
        yield from [f"c{ran.choices(range(len(CONVERSATIONS)), CONVERSATIONS)[0]}"] * length
        turns -= length
