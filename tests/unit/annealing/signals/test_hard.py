"""Signals without words, from the turn log."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runtime.annealing.signals.hard import Happened, hard
from runtime.annealing.signals.records import Hard
from runtime.tenant.turnlog import TurnLine
from runtime.words import Conversation, TurnId

NOW = datetime(2026, 11, 20, 16, tzinfo=UTC)


def run(
    name: str = "send_email", *, ok: bool = True, output: str = "", effect: str = "write", **given: Any
) -> dict[str, Any]:
    return {"name": name, "input": given, "output": output, "ok": ok, "ms": 3, "effect": effect}


def line(*tools: dict[str, Any], number: int = 2, minutes: float = 0, **more: Any) -> TurnLine:
    turn, at = TurnId(f"turn:{number}"), NOW + timedelta(minutes=minutes)
    return TurnLine(turn=turn, at=at, conversation=Conversation("web:1"), tools=tools, **more)


def kinds(turn: Happened) -> list[tuple[Hard, bool]]:
    return [(Hard(one.kind), one.reached) for one in hard(turn)]


FAILURES = [
    ("exit code 1: no such file", Hard.EXIT),
    ("Not done: the tool timed out after 30 s", Hard.TIMEOUT),
    ("Input validation error: 'to' is a required property", Hard.SCHEMA),
    ("Refused: this may not leave without a receipt", Hard.BLOCKED),
]


@pytest.mark.parametrize(("output", "kind"), FAILURES)
def test_a_failing_tool_is_told_by_what_it_says(output: str, kind: Hard) -> None:
    found = hard(Happened(line=line(run(ok=False, output=output))))
    assert [(one.kind, one.tool, one.turn, one.bad) for one in found] == [(kind, "send_email", "turn:2", True)]


def test_a_tool_that_worked_afterwards_did_not_reach_the_person() -> None:
    broken, whole = run(ok=False, output="exit code 1"), run(ok=True)
    assert kinds(Happened(line=line(broken, whole))) == [(Hard.EXIT, False)]
    assert kinds(Happened(line=line(whole, broken))) == [(Hard.EXIT, True)]
    assert kinds(Happened(line=line(broken, run("other")))) == [(Hard.EXIT, True)]


def test_the_same_call_over_and_over() -> None:
    same, other = run("recall", effect="read", query="Lee"), run("recall", effect="read", query="Kim")
    assert kinds(Happened(line=line(same, same, other))) == []
    assert kinds(Happened(line=line(same, same, same, same))) == [(Hard.REPEATED, False)]
    sent = line(run(to="Ann"), number=1)
    assert kinds(Happened(line=line(run(to="Ann")), previous=sent)) == [(Hard.REPEATED, False)]
    assert kinds(Happened(line=line(run(to="Bob")), previous=sent)) == []
    assert kinds(Happened(line=line(same), previous=line(same, number=1))) == [], "looking twice is nothing"


def test_how_a_turn_ended() -> None:
    assert kinds(Happened(line=line(extra={"stopped": True}))) == [(Hard.INTERRUPTED, True)]
    assert kinds(Happened(line=line(extra={"problem": "the model did not answer"}))) == [(Hard.FAILED, True)]
    assert kinds(Happened(line=line(extra={"outcome": "merged"}))) == []


@pytest.mark.parametrize("text", ["undo that", "/undo", "Undo", "revert it please", "no, undo"])
def test_an_undo_blames_the_turn_before(text: str) -> None:
    before = line(number=1, commits=("abc",))
    now = Happened(line=line(minutes=9), said=(text,), previous=before, message="m2")
    assert [(one.kind, one.turn, one.message) for one in hard(now)] == [(Hard.UNDONE, "turn:1", "m2")]
    assert hard(replace(now, line=line(minutes=11))) == []
    assert hard(replace(now, previous=line(number=1))) == [], "there was nothing to undo"
    assert hard(replace(now, said=("can I undo things here?",))) == []


def test_the_same_question_again_blames_the_turn_before() -> None:
    asked = ("when does the Oak Street listing expire?",)
    now = Happened(line=line(), said=("When does the listing on Oak street expire",), previous=line(number=1))
    for earlier in ([asked], [asked, ("thanks",)]):
        found = hard(replace(now, earlier=earlier))
        assert [(one.kind, one.turn) for one in found] == [(Hard.ASKED_AGAIN, "turn:1")]
    assert hard(replace(now, earlier=[asked, ("a",), ("b",)])) == [], "two turns, no more"
    assert hard(replace(now, earlier=[("when does the Elm listing close?",)])) == []
    assert hard(replace(now, said=("ok",), earlier=[("ok",)])) == []


def test_the_same_evidence_has_the_same_id() -> None:
    turn = Happened(line=line(run(ok=False), run(ok=False)))
    assert len(hard(turn)) == 1
    assert hard(turn) == hard(turn)
