"""The evidence that a change does harm, turn by turn: an e-process, which may be looked at as often as one likes. Pure.

Owns the rate a change is measured against, and E. While the true rate of bad turns is at most ``pU``, E is a
supermartingale that starts at 1, so the chance that it ever reaches 1/alpha is at most alpha (Ville's inequality;
Ramdas et al., "Game-theoretic statistics and safe anytime-valid inference"). Why these figures: docs/annealing.md.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from runtime.annealing.verification.beta import Beta

HARMS = (0.05, 0.10, 0.20, 0.35, 0.50)
"""What harm is looked for: points by which the rate of bad turns may have grown, each as likely as the other."""

MOST = 0.97
"""The highest rate that a harm is taken to lead to."""

QUANTILE = 0.70
"""Of what is known of the earlier rate. Higher would blame less for a baseline that was lucky, and see harm later."""

PSEUDO_TURNS = 10
"""Turns at the tenant's rate that a baseline is filled up with."""

ALPHA, ALPHA_VISIBLE = 0.20, 0.10
"""How often a change that does no harm may be rolled back; the second for what the owner sees, and for code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an exposed turn went. ``day`` is the tenant's own; ``bad``: a hard failure that reached the person, a
    correction or a complaint."""

    turn: str
    conversation: str
    day: date
    bad: bool


@dataclass(frozen=True, slots=True)
class Baseline:
    """``s0`` bad ones of ``n0`` turns; pseudo-turns make them fractions."""

    s0: float
    n0: float

    @property
    def rate(self) -> Beta:
        """What is known of the rate before the change, from Jeffreys' prior."""
        return Beta(self.s0 + 0.5, self.n0 - self.s0 + 0.5)

    @property
    def upper(self) -> float:
        """``pU``."""
        return self.rate.quantile(QUANTILE)


def baseline(earlier: Iterable[Outcome], triggers: Collection[Outcome], *, rate: float) -> Baseline:
    """``earlier``: exposed turns of the file before the change. ``rate``: bad turns per turn of the tenant as a whole.

    Without the triggers and their burst, which are all turns of a trigger's conversation on a trigger's day, good and
    bad ones alike: a change that follows a bad day looks good when that day is counted (regression to the mean).
    """
    bursts = {(one.conversation, one.day) for one in triggers}
    turns = {one.turn for one in triggers}
    counted = [one for one in earlier if one.turn not in turns and (one.conversation, one.day) not in bursts]
    return Baseline(sum(one.bad for one in counted) + PSEUDO_TURNS * rate, len(counted) + PSEUDO_TURNS)


@dataclass(frozen=True, slots=True)
class Evidence:
    """E after some turns: for each harm the likelihood ratio of that harm against ``upper``."""

    upper: float
    ratios: tuple[float, ...] = (1.0,) * len(HARMS)

    @property
    def e(self) -> float:
        return sum(self.ratios) / len(self.ratios)

    def after(self, *, bad: bool) -> "Evidence":
        """With one more turn."""
        factors = _factors(self.upper)[bad]
        return Evidence(self.upper, tuple(ratio * one for ratio, one in zip(self.ratios, factors, strict=True)))


def rates(upper: float) -> tuple[float, ...]:
    """The rate that each harm would lead to. Where ``upper`` is higher than all of them nothing is looked for."""
    return tuple(max(min(MOST, upper + harm), upper) for harm in HARMS)


@lru_cache(maxsize=1024)
def _factors(upper: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """What a good turn does to each ratio, and what a bad one does."""
    return tuple((1 - p) / (1 - upper) for p in rates(upper)), tuple(p / upper for p in rates(upper))


def course(base: Baseline, ys: Iterable[bool]) -> Iterator[float]:
    """E after each turn, oldest first."""
    so_far = Evidence(base.upper)
    for bad in ys:
        so_far = so_far.after(bad=bad)
        yield so_far.e


def evidence(base: Baseline, ys: Iterable[bool]) -> float:
    """E after all of them; 1 without any."""
    return (list(course(base, ys)) or [1.0])[-1]


def alpha(*, owner_visible: bool) -> float:
    """``owner_visible``: the owner sees the change, or it is one of code."""
    return ALPHA_VISIBLE if owner_visible else ALPHA


def crossed(e: float, alpha: float) -> bool:
    """Whether the change is to be rolled back."""
    return e >= 1 / alpha
