"""The turn log on real files."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runtime.tenant.folder import Folder
from runtime.tenant.turnlog import TurnLine, TurnLog
from runtime.words import Conversation, TurnId

START = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)


def turn(n: int, conversation: str = "telegram:1") -> TurnLine:
    return TurnLine(
        turn=TurnId(f"turn:anden:{conversation}:{n:08}"),
        at=START + timedelta(minutes=n),
        conversation=Conversation(conversation),
        trigger="message 7",
        tools=({"name": "Edit", "ok": True, "ms": 3},),
        exposures=("rule-1",),
        commits=("abc",),
        usage={"input_tokens": 10, "usd": 0.01},
        ms=812,
        extra={"queued_ms": 3},
    )


@pytest.fixture
def log(tmp_path: Path) -> TurnLog:
    return TurnLog(Folder(tmp_path))


def test_a_turn_is_written_once_and_comes_back(log: TurnLog, tmp_path: Path) -> None:
    log.append([turn(0)])
    log.append([turn(0)])
    TurnLog(Folder(tmp_path)).append([turn(0)])
    assert log.recent() == [turn(0)]
    [line] = (tmp_path / "state/turns/2026-11.jsonl").read_text().splitlines()
    assert set(json.loads(line)) >= {"turn", "conversation", "trigger", "tools", "exposures", "commits", "usage", "ms"}


def test_recent_find_and_read(log: TurnLog, tmp_path: Path) -> None:
    for n in range(4):
        log.append([turn(n), turn(n, "whatsapp:2")])
    assert sorted(path.name for path in (tmp_path / "state/turns").iterdir()) == ["2026-11.jsonl", "2026-12.jsonl"]
    assert log.recent(3) == [turn(2, "whatsapp:2"), turn(3), turn(3, "whatsapp:2")]
    assert log.recent(2, Conversation("telegram:1")) == [turn(2), turn(3)]
    assert log.find(turn(1).turn) == turn(1)
    assert log.find(TurnId("turn:none")) is None
    assert len(list(log.read())) == 8
    assert [line.turn for line in log.read(since=START + timedelta(minutes=3))] == [
        turn(3).turn,
        turn(3, "whatsapp:2").turn,
    ]


def test_damaged_lines_are_passed_over_and_named(log: TurnLog, tmp_path: Path) -> None:
    log.append([turn(0)])
    with (tmp_path / "state/turns/2026-11.jsonl").open("ab") as file:
        file.write(b'junk\n{"at":"2026-11-30","turn":"x","tools":7}\n{"at":"2026-11-30"}\n{"torn')
    assert log.recent() == [turn(0)]
    assert log.unreadable() == ["state/turns/2026-11.jsonl:2"]
    log.append([turn(0)])
    assert log.recent() == [turn(0)]
