"""The live rate of false alarms, from the weekly landings of nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from runtime.annealing.alarms import FalseAlarms, false_alarms
from runtime.annealing.records import Improvement, Kind, State


def one(kind: Kind, state: State) -> Improvement:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return Improvement(
        id="x", tenant="anden", kind=kind, family="a", idea="0", intent="", operations=(), state=state, opened=at
    )


@pytest.mark.parametrize(
    ("states", "alarms", "says"),
    [
        ([], FalseAlarms(landed=0, over=0, rolled_back=0), "not known yet; empty landings, one a week: 0 watched now"),
        ([State.PROBATION], FalseAlarms(landed=1, over=0, rolled_back=0), "1 watched now"),
        (
            [State.ROLLED_BACK, State.UNPROVEN, State.KEPT, State.KEPT, State.PROBATION],
            FalseAlarms(landed=5, over=4, rolled_back=1),
            "1 of 4 empty landings taken back (25%), 1 watched now",
        ),
    ],
)
def test_only_empty_landings_count_and_only_those_that_are_over(
    states: Sequence[State], alarms: FalseAlarms, says: str
) -> None:
    real = [one(Kind.LEARNED, State.ROLLED_BACK), one(Kind.STATED, State.ROLLED_BACK)]
    found = false_alarms([*real, *(one(Kind.EMPTY, state) for state in states)])
    assert found == alarms
    assert says in str(found)
