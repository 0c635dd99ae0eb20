"""Who is forgotten is gone from what the loop keeps, and the loop still reads all of it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.annealing.gate.case import Case, Expect, Message
from runtime.annealing.gate.cases import Cases
from runtime.annealing.graves import Graves, idea_of
from runtime.annealing.records import Improvement, Operation, State, Trigger
from runtime.annealing.signals.log import SignalLog
from runtime.annealing.signals.records import Hard, Label, Signal, signal_id
from runtime.annealing.stating import made
from runtime.annealing.store import Improvements
from runtime.annealing.verification import cooldown
from runtime.tenant.erasure import files
from runtime.tenant.erasure.looking import Finder, as_marks
from runtime.tenant.erasure.texts import Cleaning
from runtime.tenant.folder import Folder
from runtime.tenant.rules.shelf import Shelf

NAME, PHONE = "Jose Garcia", "13035550100"
OWNERS, THEIRS = "telegram:111222333", f"whatsapp:{PHONE}"
SAID = f"no, call {NAME} first"
RULE = f"From now on call {NAME} first."
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FINDER = Finder(as_marks([NAME], [PHONE], [THEIRS]))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A tenant whose owner has spoken of them, and stated a rule that is named after them."""
    folder = Folder(tmp_path)
    rule = made("showings", RULE, NOW, improvement="stated-1", taken=())
    folder.write_text(rule.path, rule.rendered)
    SignalLog(folder).append([_signal(OWNERS, Label.CORRECTION, SAID), _signal(THEIRS, Hard.FAILED, "")])
    one = Improvement(
        id="stated-1",
        tenant="anden",
        family="showings",
        idea="0",
        intent=f"call {NAME}",
        mechanism=f"{NAME} asked for it",
        operations=(Operation(do="ADD", rule=rule.ref, text=RULE),),
        triggers=(Trigger(signal="a", turn=_turn(OWNERS), conversation=OWNERS, at=NOW, text=SAID, expected=SAID),),
        state=State.KEPT,
        opened=NOW,
    )
    Improvements(folder).put(one)
    Graves(folder).add(cooldown.after_rollback(idea_of(one), one.mechanism, (), NOW))
    Cases(folder).add(_case("call-jose-garcia-first", OWNERS, SAID))
    Cases(folder).add(_case("of-theirs", THEIRS, "I would pay more"))
    return folder


def _signal(conversation: str, kind: Hard | Label, span: str) -> Signal:
    id = signal_id(_turn(conversation), "1", kind)
    return Signal(id=id, turn=_turn(conversation), conversation=conversation, at=NOW, kind=kind, span=span)


def _turn(conversation: str) -> str:
    return f"turn:anden:{conversation}:00000001"


def _case(id: str, conversation: str, text: str) -> Case:
    said = (Message(role="user", text=text),)
    expect = Expect(checklist=(f"It calls {NAME} first: yes",), says=(f"/{NAME}/",))
    return Case(
        id=id, about=SAID, kind="protected", source=f"turn:{_turn(conversation)}", conversation=said, expect=expect
    )


def test_a_person_leaves_what_the_loop_keeps_and_all_of_it_can_still_be_read(folder: Folder) -> None:
    cleaning = Cleaning(FINDER, b"salt")
    files.carry_out(folder, cleaning, files.survey(folder, cleaning, files.Own()))
    for path in folder.root.rglob("*"):
        assert not FINDER.names(str(path.relative_to(folder.root)))
        assert path.is_dir() or not FINDER.names(path.read_text())

    [signal] = SignalLog(folder).read()
    assert (signal.conversation, signal.span) == (OWNERS, "no, call [removed] first")
    assert SignalLog(folder).unreadable() == []
    [one] = Improvements(folder).all()
    assert one.triggers[0].text == "no, call [removed] first"
    [rule] = Shelf(folder).rules()
    assert rule.text == "From now on call [removed] first."
    assert one.rules == {rule.ref}, "it is still known whose rule it is"
    [case] = Cases(folder).all()
    assert case.id.startswith("call-removed-"), "what they said themselves goes whole"
    assert case.conversation[0].text == "no, call (removed) first"
    assert len(Graves(folder).tombstones()) == 1
    assert files.survey(folder, cleaning, files.Own()) == []
