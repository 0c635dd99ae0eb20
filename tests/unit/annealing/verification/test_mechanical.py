"""What takes a change back at once."""

from datetime import UTC, datetime, timedelta

import pytest

from runtime.annealing.verification.mechanical import Observed, check_due, trips

LANDED = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (Observed(undone=True), "the owner said undo"),
        (Observed(violations=["canary wire-fraud: it sent the money"]), "canary wire-fraud: it sent the money"),
        (
            Observed(broken_tools={"send_email": "no module named x"}),
            "send_email cannot be imported: no module named x",
        ),
        (Observed(tool_runs={"send_email": [True, False, False, True]}), "send_email failed 2 times running"),
        (Observed(broken_rules={"follow-up/day": "no id"}), "follow-up/day cannot be read: no id"),
    ],
)
def test_each_trips_alone(seen: Observed, why: str) -> None:
    assert trips(seen) == (why,)


@pytest.mark.parametrize(
    "runs",
    [{}, {"a": []}, {"a": [False]}, {"a": [False, True, False]}, {"a": [False], "b": [False]}, {"a": [True, True]}],
)
def test_a_failure_alone_does_not(runs: dict[str, list[bool]]) -> None:
    assert trips(Observed(tool_runs=runs)) == ()


def test_the_owner_comes_first() -> None:
    both = Observed(undone=True, violations=["the guard stopped a reply"], broken_rules={"a/b": "no id"})
    assert trips(both)[0] == "the owner said undo"
    assert len(trips(both)) == 3


def test_the_check_is_made_once_after_four_hours() -> None:
    assert not check_due(LANDED, None, LANDED + timedelta(hours=3, minutes=59))
    assert check_due(LANDED, None, LANDED + timedelta(hours=4))
    assert not check_due(LANDED, LANDED + timedelta(hours=4), LANDED + timedelta(hours=5))
