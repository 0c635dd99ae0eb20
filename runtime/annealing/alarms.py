"""How often a change that changes nothing is taken back: the false alarms of the weekly empty landings. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from runtime.annealing.records import ENDED, Improvement, Kind, State


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseAlarms:
    """Empty landings: all, those that are ``over``, and of these the ones taken back: each of them is a false alarm."""

    landed: int
    over: int
    rolled_back: int

    @property
    def rate(self) -> float | None:
        """Of those that are over; None before any is."""
        return self.rolled_back / self.over if self.over else None

    def __str__(self) -> str:
        watched = f"{self.landed - self.over} watched now"
        if self.rate is None:
            return f"false alarms: not known yet; empty landings, one a week: {watched}"
        return f"false alarms: {self.rolled_back} of {self.over} empty landings taken back ({self.rate:.0%}), {watched}"


def false_alarms(found: Iterable[Improvement]) -> FalseAlarms:
    """Out of all improvements of a tenant."""
    states = [one.state for one in found if one.kind is Kind.EMPTY]
    over = [state for state in states if state in ENDED]
    return FalseAlarms(landed=len(states), over=len(over), rolled_back=over.count(State.ROLLED_BACK))
