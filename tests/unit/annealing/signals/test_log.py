"""Signals as they are stored, on real files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runtime.annealing.signals.log import SIGNALS, SignalLog
from runtime.annealing.signals.records import About, Hard, Judgement, Label, Signal, Source, signal_id, soft
from runtime.tenant.folder import Folder

NOW = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)


def signal(number: int = 1, label: Label = Label.CORRECTION) -> Signal:
    judgement = Judgement(label=label, p=0.9, about=About.ASSISTANT, span="Saturday", expected="Saturday, not Sunday")
    at = NOW + timedelta(minutes=number)
    return soft(judgement, turn=f"turn:{number}", conversation="telegram:1", message=f"m{number}", at=at)


def test_a_signal_is_written_once_and_comes_back(tmp_path: Path) -> None:
    log = SignalLog(Folder(tmp_path))
    assert log.append([signal(), signal()]) == 1
    assert SignalLog(Folder(tmp_path)).append([signal()]) == 0
    assert list(log.read()) == [signal()]
    assert log.append([signal(label=Label.COMPLAINT)]) == 1


def test_signals_are_kept_by_month_and_read_since_a_time(tmp_path: Path) -> None:
    log = SignalLog(Folder(tmp_path))
    log.append([signal(0), signal(5)])
    assert sorted(path.name for path in (tmp_path / SIGNALS).iterdir()) == ["2026-11.jsonl", "2026-12.jsonl"]
    assert [one.turn for one in log.read(since=NOW + timedelta(minutes=1))] == ["turn:5"]


def test_a_damaged_line_is_passed_over_and_named(tmp_path: Path) -> None:
    log = SignalLog(Folder(tmp_path))
    log.append([signal()])
    file = tmp_path / SIGNALS / "2026-12.jsonl"
    file.write_text("garbage\n" + '{"at":"2026-12-01T00:00:00.000Z","id":"x"}\n' + file.read_text())
    assert list(log.read()) == [signal()]
    assert log.unreadable() == [f"{SIGNALS}/2026-12.jsonl:1"]


COUNTING = [
    (Label.CORRECTION, 0.7, About.ASSISTANT, Source.OWNER, True),
    (Label.COMPLAINT, 0.9, About.ASSISTANT, Source.OWNER, True),
    (Label.REMEMBER, 0.9, About.WORLD, Source.OWNER, True),
    (Label.NEUTRAL, 1.0, About.ASSISTANT, Source.OWNER, False),
    (Label.CORRECTION, 0.69, About.ASSISTANT, Source.OWNER, False),
    (Label.COMPLAINT, 0.9, About.THIRD_PARTY, Source.OWNER, False),
    (Label.REMEMBER, 0.9, About.ASSISTANT, Source.FORWARDED, False),
    (Label.CORRECTION, 0.9, About.ASSISTANT, Source.QUOTED, False),
]


@pytest.mark.parametrize(("label", "p", "about", "source", "counts"), COUNTING)
def test_what_counts(label: Label, p: float, about: About, source: Source, counts: bool) -> None:
    judgement = Judgement(label=label, p=p, about=about, source=source)
    assert judgement.counts is counts
    stored = soft(judgement, turn="t", conversation="c", message="m", at=NOW)
    assert stored.bad is (counts and label is not Label.REMEMBER)


def test_a_hard_failure_is_bad_only_when_it_reached_the_person() -> None:
    made = {"turn": "t", "conversation": "c", "at": NOW, "kind": Hard.EXIT, "id": signal_id("t", "", Hard.EXIT)}
    assert Signal(**made).bad
    assert not Signal(**made, reached=False).bad
