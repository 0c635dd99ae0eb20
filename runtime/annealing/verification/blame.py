"""Which of several changes that were in play at once does the harm. Pure.

Owns the ranking and when it is too close to name one. Does not own the replays of bad turns without a change: it is
told what they are worth (log_score).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from runtime.annealing.verification.eprocess import HARMS, MOST, Baseline, alpha, crossed, evidence

HARMFUL = 0.25
"""The chance that a change does harm, before anything is seen of it."""

MARGIN = 2.0
"""Nats by which one must lead to be blamed alone."""

REPLAYS = 4
"""Bad turns that are replayed without each suspect, at most."""

MENDED, LUCKY = 0.80, 0.30
"""How often a bad turn goes well when it is replayed without what did the harm, and without what did not: a failing
conversation often passes when it is run again."""

MOST_SUSPECTS = 8
"""Beyond that the joint posterior is not worked out; all are suspects."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn in which at least one change was in play. ``exposed``: the ids of all that were."""

    exposed: frozenset[str]
    bad: bool


@dataclass(frozen=True, slots=True)
class Blamed:
    """One leads clearly: it alone is taken back."""

    change: str


@dataclass(frozen=True, slots=True)
class Suspected:
    """Too close to name one: all are taken back, the most suspect first, and landed again one at a time."""

    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frozen:
    """Turns without any of the changes went wrong as well: it is the model, a vendor, or the day. Nothing is blamed,
    and nothing lands until somebody has looked."""

    e: float


Finding = Blamed | Suspected | Frozen


def blame(
    turns: Sequence[Turn],
    baselines: Mapping[str, Baseline],
    *,
    elsewhere: Sequence[bool] = (),
    usual: Baseline | None = None,
    replays: Mapping[str, float] | None = None,
) -> Finding:
    """To be asked when E of one of the changes has crossed. ``baselines``: of each change that is on probation.

    ``elsewhere``: how the turns went in which none was in play, since the first landed, against ``usual``. ``replays``:
    log-scores of leave-one-out replays (log_score), in nats, by change. Raises ValueError when no turn exposes any.
    """
    if usual is not None and crossed(e := evidence(usual, elsewhere), alpha(owner_visible=False)):
        return Frozen(e)
    scores = ranking(turns, baselines)
    for change, score in (replays or {}).items():
        if change in scores:
            scores[change] += score
    ranked = sorted(scores, key=lambda change: (-scores[change], change))
    if not ranked:
        raise ValueError("no change was in play in any of these turns")
    close = tuple(change for change in ranked if scores[ranked[0]] - scores[change] < MARGIN)
    return Suspected(close) if close[1:] else Blamed(ranked[0])


def ranking(turns: Sequence[Turn], baselines: Mapping[str, Baseline]) -> dict[str, float]:
    """The log-odds that a change does harm, of each that was in play in a bad turn: only those can be blamed.

    From the joint posterior over all sets of harmful changes, each change harmful with the prior chance HARMFUL. A turn
    goes wrong at the rate of its worst file, and at δ more when it is exposed to a harmful change; δ is one of HARMS,
    as in E, and the same for a whole set.
    """
    suspects = sorted({change for turn in turns if turn.bad for change in turn.exposed} & set(baselines))
    if len(suspects) > MOST_SUSPECTS:
        return dict.fromkeys(suspects, 0.0)
    usual = {change: one.rate.mean for change, one in baselines.items()}
    seen = [(turn.exposed, turn.bad, max(usual[c] for c in turn.exposed if c in usual)) for turn in turns]
    posterior = {harmful: _log_posterior(harmful, len(suspects), seen) for harmful in _sets(suspects)}
    return {
        change: _log_sum(p for harmful, p in posterior.items() if change in harmful)
        - _log_sum(p for harmful, p in posterior.items() if change not in harmful)
        for change in suspects
    }


def log_score(passed: Sequence[bool]) -> float:
    """What replays of bad turns without a change say against it, in nats: True where the turn then went well."""
    return sum(math.log(MENDED / LUCKY if well else (1 - MENDED) / (1 - LUCKY)) for well in passed[:REPLAYS])


_Seen = Sequence[tuple[frozenset[str], bool, float]]


def _sets(changes: Sequence[str]) -> Iterator[frozenset[str]]:
    return (frozenset(one) for size in range(len(changes) + 1) for one in combinations(changes, size))


def _log_posterior(harmful: frozenset[str], suspects: int, seen: _Seen) -> float:
    """Up to a constant."""
    prior = len(harmful) * math.log(HARMFUL) + (suspects - len(harmful)) * math.log(1 - HARMFUL)
    each = [_log_likelihood(harmful, harm, seen) for harm in (HARMS if harmful else (0.0,))]
    return prior + _log_sum(each) - math.log(len(each))


def _log_likelihood(harmful: frozenset[str], harm: float, seen: _Seen) -> float:
    total = 0.0
    for exposed, bad, usual in seen:
        p = min(MOST, usual + harm) if exposed & harmful else usual
        total += math.log(p if bad else 1 - p)
    return total


def _log_sum(logs: Iterator[float] | Sequence[float]) -> float:
    values = list(logs)
    highest = max(values)
    return highest + math.log(sum(math.exp(value - highest) for value in values))
