"""How turns went, worked out from the logs: what is settled, what was in play, what it is compared with."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from runtime.annealing.outcomes import SETTLES, Went, as_outcomes, in_play, outcomes, rate, use, with_directive
from runtime.annealing.records import Improvement, Kind, Operation
from runtime.tenant.turnlog import TurnLine
from runtime.words import Conversation, TurnId

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RULE = "directives/rules/showings/lockbox.md"
SOP = "directives/showings.md"


def line(number: int, hours: float, *, conversation: str = "c", exposures: tuple[str, ...] = (SOP,)) -> TurnLine:
    """A turn that ended so many hours ago."""
    return TurnLine(
        turn=TurnId(f"turn:anden:{conversation}:{number}"),
        at=NOW - timedelta(hours=hours),
        conversation=Conversation(conversation),
        exposures=exposures,
    )


def went(
    lines: list[TurnLine], bad: dict[str, str] | None = None, pending: tuple[str, ...] = ()
) -> dict[str, bool | None]:
    found = outcomes(lines, bad or {}, pending=pending, now=NOW)
    return {one.turn.rpartition(":")[2]: one.bad for one in found}


def test_a_turn_is_settled_when_somebody_wrote_again_or_was_silent_long_enough() -> None:
    assert went([line(1, 1.0)]) == {"1": None}
    assert went([line(1, SETTLES / timedelta(hours=1))]) == {"1": False}
    assert went([line(1, 1.0), line(2, 0.5)]) == {"1": False, "2": None}
    assert went([line(1, 1.0), line(2, 0.5, conversation="d")]) == {"1": None, "2": None}


def test_words_that_were_not_looked_at_settle_nothing() -> None:
    pending = ("turn:anden:c:2",)
    assert went([line(1, 1.0), line(2, 0.5)], pending=pending) == {"1": None, "2": None}


def test_what_went_wrong_is_known_at_once() -> None:
    found = outcomes([line(1, 0.1)], {"turn:anden:c:1": "exit: send_email"}, pending=(), now=NOW)
    assert [(one.bad, one.why) for one in found] == [(True, "exit: send_email")]


def test_runs_are_no_turns() -> None:
    run = TurnLine(turn=TurnId("run:anden:review:000001"), at=NOW - timedelta(days=1), conversation=Conversation(""))
    assert went([run]) == {}


def improvement(do: str = "ADD", *, kind: Kind = Kind.LEARNED, to: str = "") -> Improvement:
    operation = Operation.model_validate({"do": do, "rule": "showings/lockbox", "text": "Say it.", "to": to})
    operations = () if kind is Kind.EMPTY else (operation,)
    return Improvement(
        id="x", tenant="anden", kind=kind, family="showings", idea="i", intent="i", operations=operations, opened=NOW
    )


@pytest.mark.parametrize(
    ("one", "exposures", "counts"),
    [
        (improvement(), {RULE}, True),
        (improvement(), {SOP}, False),
        (improvement("DELETE"), {SOP}, True),
        (improvement("DELETE"), {RULE}, False),
        (improvement("MOVE", to="showings/code"), {"directives/rules/showings/code.md"}, True),
        (improvement("MOVE", to="showings/code"), {RULE}, False),
        (improvement(kind=Kind.EMPTY), {SOP}, True),
    ],
)
def test_what_was_in_play(one: Improvement, exposures: set[str], counts: bool) -> None:
    turn = Went(turn=TurnId("t"), conversation=Conversation("c"), at=NOW, exposures=frozenset(exposures), bad=None)
    assert in_play(one, turn) is counts


def test_turns_with_a_directive_are_those_that_read_it_or_had_a_rule_of_it() -> None:
    found = outcomes(
        [line(1, 9), line(2, 8, exposures=(RULE,)), line(3, 7, exposures=("directives/README.md",))],
        {},
        pending=(),
        now=NOW,
    )
    assert [one.turn[-1] for one in with_directive("showings", found)] == ["1", "2"]
    assert len(list(with_directive("README", found))) == 3


def test_days_and_dialogues_are_the_tenants() -> None:
    zone = ZoneInfo("America/Denver")
    found = outcomes([line(1, 12), line(2, 4), line(3, 3)], {"turn:anden:c:1": "no"}, pending=(), now=NOW)
    assert [(one.day.isoformat(), one.bad) for one in as_outcomes(found, zone)] == [
        ("2026-11-19", True),
        ("2026-11-20", False),
        ("2026-11-20", False),
    ]
    counted = use(found, zone, since=NOW - timedelta(days=1), until=NOW)
    assert (counted.turns, counted.dialogues, counted.days) == (3, 2, 1.0)
    assert rate(found) == pytest.approx(2 / 13)
