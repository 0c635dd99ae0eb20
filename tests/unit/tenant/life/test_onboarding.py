"""Getting to know the realtor: phases in their order, none before its questions, and an owner's hand in the files."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runtime.errors import BadInput, NotFound, Refused
from runtime.tenant import frontmatter
from runtime.tenant.folder import Folder
from runtime.tenant.life.files import Life
from runtime.tenant.life.onboarding import ONBOARDING, QUESTIONS, Onboarding, open_core, standing
from runtime.tenant.life.sources import Said
from runtime.words import How

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SAID = Said(id="m1", who="Anden", how=How.TYPED, text="ok", at=NOW)


@pytest.fixture
def onboarding(life: Life) -> Onboarding:
    return Onboarding(life=life, said=(SAID,), zone=ZoneInfo("America/Denver"), now=lambda: NOW)


@pytest.fixture
def edit(folder: Folder) -> Callable[..., None]:
    """As an owner does, in an editor."""

    def do(rel: str, **changes: Any) -> None:
        meta, body = frontmatter.parse(folder.read_text(rel))
        folder.write_text(rel, f"---json\n{json.dumps(meta | changes)}\n---\n{body}")

    return do


def ask(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "question": f"What about {id}?", "core": True, **more}


def test_a_question_is_asked_then_answered(onboarding: Onboarding, life: Life) -> None:
    assert onboarding.mark_question("name", "asked").startswith("Noted. Core questions still open: name, brokerage")
    assert "next is name, asked before, not answered" in standing(life)
    assert onboarding.mark_question(" NAME ", "answered").startswith("Noted. Core questions still open: brokerage")
    [name] = [one for one in life.read(QUESTIONS).meta["questions"] if one["id"] == "name"]
    assert (name["asked"], name["answered"]) == ("2026-11-20", "2026-11-20")
    assert "7 core questions open, next is brokerage, not asked yet: Which brokerage" in standing(life)
    assert life.faults() == []


def test_a_question_that_is_none_is_answered_with_those_there_are(onboarding: Onboarding) -> None:
    with pytest.raises(NotFound) as fault:
        onboarding.mark_question("shoe-size", "asked")
    assert "name, brokerage" in fault.value.hint


def test_phases_come_in_order_and_not_before_their_questions(
    onboarding: Onboarding, life: Life, edit: Callable[..., None]
) -> None:
    with pytest.raises(Refused, match="core questions are open: name, brokerage"):
        onboarding.enter_phase("BUILDING")
    edit(QUESTIONS, questions=[ask("name", answered="2026-11-01"), {"id": "extra", "question": "?"}])
    assert "go on to BUILDING" in standing(life)
    with pytest.raises(Refused, match="after DISCOVERY does not come LIVE"):
        onboarding.enter_phase("LIVE")
    assert onboarding.enter_phase("BUILDING") == "The phase is BUILDING now."
    assert onboarding.enter_phase("BUILDING") == "The phase is BUILDING already."
    assert "go on to LIVE" in standing(life)
    assert onboarding.enter_phase("LIVE") == "The phase is LIVE now."
    assert standing(life) == ""
    with pytest.raises(Refused, match="after LIVE does not come DISCOVERY"):
        onboarding.enter_phase("DISCOVERY")
    found = life.read(ONBOARDING)
    assert (found.meta["phase"], found.meta["since"]) == ("LIVE", "2026-11-20")
    assert [one.text for one in found.facts] == ["DISCOVERY to BUILDING", "BUILDING to LIVE"]
    assert str(found.facts[0].source) == "2026-11-20; Anden; ; m1"


def test_going_back_is_a_change_of_phase_like_any_other(
    onboarding: Onboarding, life: Life, folder: Folder, edit: Callable[..., None]
) -> None:
    edit(QUESTIONS, questions=[])
    onboarding.enter_phase("BUILDING")
    folder.write_text(ONBOARDING, folder.read_text(ONBOARDING) + "\nA note of mine.\n")
    onboarding.begin_again()
    onboarding.begin_again()
    found = life.read(ONBOARDING)
    assert (found.meta["phase"], found.meta["since"]) == ("DISCOVERY", "2026-11-20")
    assert [one.text for one in found.facts] == ["DISCOVERY to BUILDING", "BUILDING to DISCOVERY"]
    assert "A note of mine." in found.body


def test_the_second_time_round_is_noted_as_well(onboarding: Onboarding, life: Life, edit: Callable[..., None]) -> None:
    edit(QUESTIONS, questions=[])
    for _ in range(2):
        edit(ONBOARDING, phase="DISCOVERY")
        onboarding.enter_phase("BUILDING")
    assert [one.text for one in life.read(ONBOARDING).facts] == ["DISCOVERY to BUILDING"] * 2


def test_a_question_that_comes_later_holds_the_phase_back(
    onboarding: Onboarding, life: Life, edit: Callable[..., None]
) -> None:
    edit(QUESTIONS, questions=[ask("name", answered="2026-11-01")])
    onboarding.enter_phase("BUILDING")
    edit(QUESTIONS, questions=[ask("name", answered="2026-11-01"), ask("niche")])
    with pytest.raises(Refused, match="core questions are open: niche"):
        onboarding.enter_phase("LIVE")
    assert "next is niche" in standing(life)


@pytest.mark.parametrize("phase", ["", "live", "DONE"])
def test_a_phase_that_is_none_is_refused(onboarding: Onboarding, phase: str) -> None:
    with pytest.raises(BadInput, match="there is no phase") as fault:
        onboarding.enter_phase(phase)
    assert "DISCOVERY, BUILDING, LIVE" in fault.value.hint


@pytest.mark.parametrize("rel", [ONBOARDING, QUESTIONS])
def test_a_file_that_an_owner_removed_stops_nothing(
    onboarding: Onboarding, life: Life, folder: Folder, edit: Callable[..., None], rel: str
) -> None:
    edit(QUESTIONS, questions=[])
    folder.remove(rel)
    assert standing(life).startswith("(onboarding: DISCOVERY; ")
    assert onboarding.enter_phase("BUILDING") == "The phase is BUILDING now."
    with pytest.raises(NotFound):
        onboarding.mark_question("name", "asked")
    assert life.faults() == []


@pytest.mark.parametrize("rel", [ONBOARDING, QUESTIONS])
def test_a_broken_file_stops_no_turn_and_is_not_written_over(
    onboarding: Onboarding, life: Life, folder: Folder, edit: Callable[..., None], rel: str
) -> None:
    edit(QUESTIONS, questions=[])
    life._history.commit_admin()
    folder.write_text(rel, "broken")
    assert standing(life).startswith("(onboarding: DISCOVERY; ")
    with pytest.raises((Refused, NotFound)):
        onboarding.mark_question("name", "asked")
    assert folder.read_text(rel) == "broken"


def test_what_was_never_good_is_told_to_the_agent(life: Life, folder: Folder) -> None:
    class NeverGood(Life):
        def _last_good(self, rel: str, fault: Any) -> Any:
            raise fault

    folder.write_text(ONBOARDING, "broken\n")
    told = standing(NeverGood(folder, life._history))
    assert told == f"(onboarding: not known, tell the admin: {ONBOARDING}:1: wanted ---json in the first line)"


def test_an_owners_own_questions_count(onboarding: Onboarding, life: Life, edit: Callable[..., None]) -> None:
    mine = ask("niche", asked="2026-11-02")
    edit(QUESTIONS, questions=[mine, {"id": "tea", "question": "Tea?", "asked": None}])
    assert [one["id"] for one in open_core(life.read(QUESTIONS))] == ["niche"]
    assert onboarding.mark_question("tea", "answered") == "Noted. Core questions still open: niche."
    assert life.read(QUESTIONS).meta["questions"][0] == mine
    edit(QUESTIONS, questions=[mine | {"answered": "2026-11-03"}])
    assert "go on to BUILDING" in standing(life)


def test_beginning_again_opens_every_question_and_keeps_what_is_known(onboarding: Onboarding, life: Life) -> None:
    for one in life.read(QUESTIONS).meta["questions"]:
        onboarding.mark_question(one["id"], "answered")
    onboarding.enter_phase("BUILDING")
    onboarding.begin_again()
    assert life.read(ONBOARDING).meta["phase"] == "DISCOVERY"
    assert "DISCOVERY to BUILDING" in life.read(ONBOARDING).body
    assert len(open_core(life.read(QUESTIONS))) == 8
    assert "next is name, not asked yet" in standing(life)
