"""What becomes of a landed change after each of its turns: it goes on, is kept or taken back. Pure.

Owns the order of the looks and their bars. What was decided by fewer turns is never decided anew by more: the turns are
gone through in their order, so one look after ten turns says the same as ten looks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from runtime.annealing.verification.beta import Beta, chance_below
from runtime.annealing.verification.eprocess import Baseline, alpha, course, crossed

LOOKS = (20, 30)
HOPELESS = 0.10
"""At these numbers of exposed turns a change is taken back if the chance that it made the rate lower is below this."""

LAST_LOOK = 40
PROVED = 0.35
"""At the last look it is kept only with at least this chance."""

PATIENCE = timedelta(days=21)
GATE_EVERY = timedelta(days=7)
"""A change that has been in play too rarely for a look by then stays, and its gate is run again so often."""

FEWER, LONGER = 0.75, 1.25
"""Turns a day, as a part of those before, below which people have turned away; turns a dialogue above which dialogues
have become longer."""

SURELY = 2.6
"""Standard errors beyond which a difference in the number of turns is none of luck (a chance of about 1 in 200)."""

DAYS_VARY, DIALOGUES_VARY = 0.5, 0.8
"""By which part of their mean the turns of a day, and of a dialogue, vary beside what counting alone would give: people
write in bouts and rest on Sundays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How much a tenant was used in a span of time. A dialogue is the turns of a conversation on one day."""

    turns: int
    days: float
    dialogues: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Probation:
    """A change that has landed. ``ys``: how its exposed turns went, oldest first. ``before``, ``after``: the tenant's
    use in the weeks before landing and since; ``gated``: when its gate ran last."""

    base: Baseline
    ys: Sequence[bool]
    landed: datetime
    gated: datetime
    owner_visible: bool = False
    before: Use | None = None
    after: Use | None = None


@dataclass(frozen=True, slots=True)
class Goes:
    """On probation, further on."""


@dataclass(frozen=True, slots=True)
class GateAgain:
    """On probation, and its gate is due once more."""


@dataclass(frozen=True, slots=True)
class Keep:
    """``better``: the chance that it made the rate lower."""

    better: float


@dataclass(frozen=True, slots=True)
class RollBack:
    """It does harm. ``n`` and ``k``: exposed turns until that showed, and bad ones of them."""

    reason: str
    e: float
    n: int
    k: int


@dataclass(frozen=True, slots=True)
class Unproven:
    """It does not show that it helps, and is taken back as well."""

    reason: str


Fate = Goes | GateAgain | Keep | RollBack | Unproven


def fate(one: Probation, now: datetime) -> Fate:
    """What follows from all turns up to now."""
    harm = _harm(one)
    if ended := _looked(one, harm.n - 1 if harm else len(one.ys)) or harm:
        return ended
    if len(one.ys) < LOOKS[0] and now - one.landed >= PATIENCE and now - one.gated >= GATE_EVERY:
        return GateAgain()
    return Goes()


def better(base: Baseline, ys: Sequence[bool]) -> float:
    """P(p1 < p0): the chance that the rate is lower than it was, both from Jeffreys' prior."""
    k = sum(ys)
    return chance_below(Beta(k + 0.5, len(ys) - k + 0.5), base.rate)


def _harm(one: Probation) -> RollBack | None:
    """The first turn at which E crosses, among those that are looked at."""
    level = alpha(owner_visible=one.owner_visible)
    for n, e in enumerate(course(one.base, islice(one.ys, LAST_LOOK)), start=1):
        if crossed(e, level):
            k = sum(one.ys[:n])
            return RollBack(f"{k} of {n} turns went wrong where {one.base.rate.mean:.0%} did before", e, n, k)
    return None


def _looked(one: Probation, upto: int) -> Keep | Unproven | None:
    """The first look within ``upto`` turns that decides."""
    chance = 0.0
    for n in (*LOOKS, LAST_LOOK):
        if n > upto:
            return None
        chance = better(one.base, one.ys[:n])
        if chance < (PROVED if n == LAST_LOOK else HOPELESS):
            return Unproven(f"after {n} turns the chance that it helps is {chance:.0%}")
    less = one.before and one.after and turned_away(one.before, one.after)
    return Unproven(less) if less else Keep(chance)


def turned_away(before: Use, after: Use) -> str | None:
    """Fewer signals alone are no improvement: they also grow fewer when people ask less, or when each thing takes more
    turns. Both differences must be large and none of luck."""
    a_day = _rate(before.turns, before.days), _rate(after.turns, after.days)
    if a_day[1] < FEWER * a_day[0] and _fewer(after.turns, after.days, before.turns, before.days, varying=DAYS_VARY):
        return f"turns a day fell from {a_day[0]:.1f} to {a_day[1]:.1f}"
    each = _rate(before.turns, before.dialogues), _rate(after.turns, after.dialogues)
    if each[1] > LONGER * each[0] and _fewer(
        before.turns, before.dialogues, after.turns, after.dialogues, varying=DIALOGUES_VARY
    ):
        return f"dialogues grew from {each[0]:.1f} to {each[1]:.1f} turns"
    return None


def _rate(count: int, over: float) -> float:
    return count / over if over else 0.0


def _fewer(few: int, over: float, many: int, span: float, *, varying: float) -> bool:
    """Whether ``few`` in ``over`` is surely a lower rate than ``many`` in ``span``: the log of the ratio of two rates
    against its standard error, by the delta method, with variation beyond Poisson's (McCullagh and Nelder, 6.2)."""
    if not (over and span and many):
        return False
    some = max(few, 0.5)
    error = math.sqrt(varying**2 * (1 / over + 1 / span) + 1 / some + 1 / many)
    return math.log(many / span) - math.log(some / over) > SURELY * error
