"""When an idea that failed may come back, and when anything may land at all. Pure.

Owns the waits and the limits, each answered with why not. Does not own what an idea is (ideas.py), nor where tombstones
lie; the owner's own rules are not asked about here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from runtime.annealing.verification.ideas import Idea, same_idea, same_words
from runtime.checked_yaml import Strict

SIGNALS, CONVERSATIONS, DAYS = 3, 2, 2
"""Evidence for a proposal: at least so many signals, from so many conversations, on so many days."""

STRIKE_TWO = timedelta(days=30)
STRIKES = 3
"""With this one only the owner can bring an idea back."""

LANDINGS, DAY = 3, timedelta(days=1)
ROLLBACKS, PAUSE = 2, timedelta(hours=72)
"""So many rollbacks within a day, and nothing lands for so long after the last of them."""


class Why(StrEnum):
    ROLLED_BACK = "rolled_back"
    UNPROVEN = "unproven"
    REJECTED = "rejected"
    ENTOMBED = "entombed"
    """A canary failed in the gate."""


WAITS = {
    Why.ROLLED_BACK: timedelta(days=7),
    Why.UNPROVEN: timedelta(days=3),
    Why.REJECTED: timedelta(hours=24),
}


class Tombstone(Strict):
    """``until`` is None when only the owner may bring the idea back. ``at``: when it failed. ``mechanism``: why it
    should have helped; an idea that was rolled back needs another one. ``strikes``: how often it has failed."""

    idea: Idea
    why: Why
    at: datetime
    until: datetime | None
    strikes: int = 1
    mechanism: str = ""


@dataclass(frozen=True, slots=True)
class Sign:
    """A signal that speaks for an idea: where and when. ``day`` is the tenant's own."""

    conversation: str
    day: date
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """A change that landed. ``over``: when it left probation. ``rolled_back``: when it was taken back for its harm.
    ``empty``: the weekly landing that changes nothing; it takes nobody's place."""

    file: str
    at: datetime
    over: datetime | None = None
    rolled_back: datetime | None = None
    empty: bool = False


def after_rollback(idea: Idea, mechanism: str, earlier: Iterable[Tombstone], now: datetime) -> Tombstone:
    return _tombstone(idea, Why.ROLLED_BACK, mechanism, earlier, now)


def after_unproven(idea: Idea, mechanism: str, earlier: Iterable[Tombstone], now: datetime) -> Tombstone:
    return _tombstone(idea, Why.UNPROVEN, mechanism, earlier, now)


def after_rejected(
    idea: Idea, mechanism: str, earlier: Iterable[Tombstone], now: datetime, *, entombed: bool = False
) -> Tombstone:
    """``entombed``: as the gate's verdict says."""
    return _tombstone(idea, Why.ENTOMBED if entombed else Why.REJECTED, mechanism, earlier, now)


def _tombstone(idea: Idea, why: Why, mechanism: str, earlier: Iterable[Tombstone], now: datetime) -> Tombstone:
    """Every failing is a strike, whatever the reason. ``earlier``: all of the tenant."""
    strikes = 1 + max((one.strikes for one in earlier if same_idea(one.idea, idea)), default=0)
    until: datetime | None = None
    if strikes < STRIKES and why in WAITS:
        until = now + (WAITS[why] if strikes == 1 else STRIKE_TWO)
    return Tombstone(idea=idea, why=why, at=now, until=until, strikes=strikes, mechanism=mechanism)


def too_little(signs: Sequence[Sign]) -> str | None:
    """Why these are no reason for a proposal; None when they are."""
    for needed, have, what in (
        (SIGNALS, len(signs), "signals"),
        (CONVERSATIONS, len({one.conversation for one in signs}), "conversations"),
        (DAYS, len({one.day for one in signs}), "days"),
    ):
        if have < needed:
            return f"{have} of {needed} {what}"
    return None


def may_propose(
    idea: Idea, mechanism: str, signs: Sequence[Sign], tombstones: Iterable[Tombstone], now: datetime
) -> str | None:
    """Why this idea may not be proposed now; None when it may. ``signs``: all signals for it, old ones too."""
    for one in tombstones:
        if same_idea(one.idea, idea) and (why := _holds(one, mechanism, signs, now)):
            return why
    return None


def _holds(one: Tombstone, mechanism: str, signs: Sequence[Sign], now: datetime) -> str | None:
    if one.until is None:
        return f"{one.why}, and only the owner may bring it back"
    if now < one.until:
        return f"{one.why}, until {one.until:%Y-%m-%d %H:%M}"
    if one.why is not Why.ROLLED_BACK:
        return None
    fresh = [sign for sign in signs if sign.at > one.at]
    if len(fresh) < SIGNALS or len({sign.conversation for sign in fresh}) < CONVERSATIONS:
        return f"rolled back, and {len(fresh)} new signals are too few"
    if same_words(mechanism, one.mechanism):
        return "rolled back, and the mechanism is the same"
    return None


def may_land(file: str, landings: Iterable[Landing], now: datetime) -> str | None:
    """Why nothing may land on this file now; None when it may. ``landings``: of the tenant, at least of its last week
    and all that are on probation."""
    real = [one for one in landings if not one.empty]
    if any(one.file == file and one.over is None for one in real):
        return f"a change of {file} is on probation"
    if sum(now - one.at < DAY for one in real) >= LANDINGS:
        return f"{LANDINGS} landings in a day"
    if (until := _paused(real)) and now < until:
        return f"{ROLLBACKS} rollbacks in a day; nothing lands until {until:%Y-%m-%d %H:%M}"
    return None


def _paused(landings: Iterable[Landing]) -> datetime | None:
    """Until when, by the last rollbacks that came close together."""
    at = sorted(one.rolled_back for one in landings if one.rolled_back)
    close = [later for earlier, later in zip(at, at[ROLLBACKS - 1 :], strict=False) if later - earlier <= DAY]
    return close[-1] + PAUSE if close else None
