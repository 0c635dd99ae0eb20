"""A case made from a turn that went wrong."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runtime.annealing.gate.cases import parse, render
from runtime.annealing.gate.growing import BEFORE, expectation, from_turn
from runtime.errors import NotFound
from runtime.tenant.folder import Folder
from runtime.tenant.messages import MessageLine, MessageLog
from runtime.tenant.turnlog import TurnLine, TurnLog
from runtime.words import Conversation, Direction, How, Role, TurnId

WHERE = Conversation("telegram:1")
START = datetime(2026, 11, 20, 9, tzinfo=UTC)
TURN = TurnId("turn:anden:telegram:1:00000009")


def said(number: int, text: str, turn: str = "", **more: Any) -> MessageLine:
    given: dict[str, Any] = {
        "id": f"m{number}",
        "at": START + timedelta(minutes=number),
        "channel": "telegram",
        "conversation": WHERE,
        "direction": Direction.INBOUND,
        "person": "Anden Wick",
        "text": text,
        "how": How.TYPED,
        "turn": TurnId(turn or f"t{number}"),
    }
    return MessageLine(**(given | more))


def answered(number: int, text: str, turn: str = "") -> MessageLine:
    return said(number, text, turn, direction=Direction.OUTBOUND, person="", how=How.AGENT)


def tool(name: str, effect: str, given: Mapping[str, Any], output: str = "", *, ok: bool = True) -> dict[str, Any]:
    return {"name": name, "effect": effect, "input": dict(given), "output": output, "ok": ok, "ms": 3}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def log(folder: Folder, *lines: MessageLine, tools: list[dict[str, Any]] | None = None, **extra: Any) -> None:
    MessageLog(folder).append(lines)
    at = lines[-1].at
    TurnLog(folder).append([TurnLine(turn=TURN, at=at, conversation=WHERE, tools=tools or [], extra=extra)])


def test_the_conversation_ends_with_what_the_turn_answered(folder: Folder) -> None:
    earlier = [one for n in range(0, 30, 2) for one in (said(n, f"q{n}"), answered(n + 1, f"a{n}"))]
    of_turn = [said(40, "Saturday at 10", TURN, extra={"quoted": "When?"}), said(41, "a note", TURN, how=How.FORWARDED)]
    log(folder, *earlier, *of_turn, answered(42, "Sunday it is", TURN), said(43, "No, Saturday"))
    case = from_turn(folder, TURN, family="showings", expected="Saturday, not Sunday")
    assert [one.text for one in case.conversation] == [
        *(text for n in range(20, 30, 2) for text in (f"q{n}", f"a{n}")),
        "Saturday at 10",
        "a note",
    ]
    assert len(case.earlier) == BEFORE + 1
    assert [(one.role, one.how, one.quoted) for one in case.conversation[-3:]] == [
        ("assistant", How.TYPED, ""),
        ("user", How.TYPED, "When?"),
        ("user", How.FORWARDED, ""),
    ]
    assert (case.kind, case.family, case.source, case.at) == ("trigger", "showings", f"turn:{TURN}", of_turn[-1].at)
    assert case.expect.says == ("Saturday",)
    assert parse(f"{case.id}.yaml", render(case)) == case


def test_what_its_tools_gave_is_recorded_but_not_what_runs_for_real(folder: Folder) -> None:
    tools = [
        tool("Read", "read", {"file_path": "x"}, "words"),
        tool("mcp__staff__recall", "read", {"question": "Sarah"}, "A buyer."),
        tool("mcp__staff__send_email", "external", {"to": "s"}, "no", ok=False),
        tool("Bash", "write", {"cut": "grep Sarah state/messages/..."}, "long"),
        tool("Bash", "write", {"command": "cat directives/showings.md state/schedules.yaml"}, "as it was"),
        tool("Bash", "write", {"command": "date"}, "Friday"),
        tool("mcp__staff__remember", "write", {"fact": "x"}, "Saved."),
    ]
    log(folder, said(1, "Mail Sarah", TURN), tools=tools, role="member")
    case = from_turn(folder, TURN)
    assert [(one.tool, one.input, one.output, one.ok) for one in case.cassette] == [
        ("recall", {"question": "Sarah"}, "A buyer.", True),
        ("send_email", {"to": "s"}, "no", False),
        ("Bash", None, "long", True),
    ]
    [extra] = case.tools
    assert (extra.name, extra.effect, extra.input_schema["properties"]) == ("send_email", "external", {"to": {}})
    assert case.role is Role.MEMBER
    assert case.expect.is_open
    assert case.about == "went wrong: Mail Sarah"


def test_a_turn_that_is_not_there_or_that_nobody_typed_makes_none(folder: Folder) -> None:
    with pytest.raises(NotFound, match="there is no turn"):
        from_turn(folder, TURN)
    log(folder, answered(1, "Good morning", TURN))
    with pytest.raises(NotFound, match="nobody said anything"):
        from_turn(folder, TURN)


@pytest.mark.parametrize(
    ("expected", "says"),
    [
        ("Saturday", "Saturday"),
        ("Saturday, not Sunday", "Saturday"),
        ("$525,000", "$525,000"),
        ("4 p.m. instead of 5", "4 p.m"),
        ("12 Elm Street", "12 Elm Street"),
        ("ask her for the lender's name first", ""),
        ("Sarah Lee", "Sarah Lee"),
        ("Shorter", ""),
        ("be brief", ""),
        ("/etc/passwd", ""),
        ("", ""),
    ],
)
def test_a_plain_value_has_to_be_said_and_the_rest_is_the_judges(expected: str, says: str) -> None:
    found = expectation(expected)
    assert found.says == ((says,) if says else ())
    assert bool(found.checklist) is bool(expected and not says)
