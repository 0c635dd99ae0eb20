"""What was corrected and then thanked for becomes a case that protects it, once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.annealing.gate.cases import Cases
from runtime.annealing.signals.first import first
from runtime.annealing.signals.records import Signal, Spoken, soft
from runtime.annealing.thanking import is_thanks, protect
from runtime.tenant.folder import Folder
from runtime.tenant.messages import MessageLine, MessageLog
from runtime.tenant.turnlog import TurnLine, TurnLog
from runtime.words import Conversation, Direction, How, TurnId

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
WHERE = Conversation("telegram:1")


@pytest.mark.parametrize("text", ["thanks!", "perfect, thank you", "gracias", "great", "looks good"])
def test_a_few_words_of_thanks_are_thanks(text: str) -> None:
    assert is_thanks(text)


@pytest.mark.parametrize(
    "text", ["no thanks, that is wrong", "great, you broke it again", "Book a showing", "", "thanks " * 9]
)
def test_what_says_something_else_is_none(text: str) -> None:
    assert not is_thanks(text)


def line(number: int, text: str, *, out: bool = False) -> MessageLine:
    return MessageLine(
        id=f"{number}{'out' if out else 'in'}",
        at=AT,
        channel="telegram",
        conversation=WHERE,
        person="" if out else "Anden",
        direction=Direction.OUTBOUND if out else Direction.INBOUND,
        kind="text",
        text=text,
        how=How.AGENT if out else How.TYPED,
        turn=TurnId(f"turn:anden:{WHERE}:{number:08d}"),
    )


def talked(tmp_path: Path, answer: str) -> tuple[Folder, TurnLine, list[Signal]]:
    folder = Folder(tmp_path)
    MessageLog(folder).append(
        [
            line(1, "Book a showing at 12 Elm"),
            line(1, "Booked for Sunday.", out=True),
            line(2, answer),
            line(2, "Booked for Saturday.", out=True),
        ]
    )
    turns = [TurnLine(turn=TurnId(f"turn:anden:{WHERE}:{n:08d}"), at=AT, conversation=WHERE) for n in (1, 2)]
    TurnLog(folder).append(turns)
    judged = first([Spoken("assistant", "Booked for Sunday.")], answer)
    return folder, turns[1], [soft(judged, turn=turns[0].turn, conversation=WHERE, message="2in", at=AT)]


def test_the_turn_that_was_thanked_for_is_protected(tmp_path: Path) -> None:
    folder, thanked, signals = talked(tmp_path, "no, Saturday, not Sunday")
    id = protect(folder, thanked, {"2in"}, signals)
    assert id is not None
    case = Cases(folder).find(id)
    assert (case.kind, case.family, case.source) == ("protected", "README", f"turn:{thanked.turn}")
    assert [one.text for one in case.conversation] == [
        "Book a showing at 12 Elm",
        "Booked for Sunday.",
        "no, Saturday, not Sunday",
    ]
    assert protect(folder, thanked, {"2in"}, signals) is None, "once"


def test_thanks_for_what_was_no_correction_protects_nothing(tmp_path: Path) -> None:
    folder, thanked, signals = talked(tmp_path, "what is the HOA fee there?")
    assert protect(folder, thanked, {"2in"}, signals) is None
    assert Cases(folder).all() == []
