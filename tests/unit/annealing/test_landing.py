"""A change as one commit on real git: its words, that it is there once, and what is in its way."""

import pytest

from runtime.annealing import landing
from runtime.annealing.gate.case import GLOBAL
from runtime.annealing.records import Gate, Operation, Play
from runtime.errors import Refused
from runtime.tenant.git.commits import AGENT_EMAIL, Conflict
from tests.annealing_house import House, Killed, add, dying, rule_of, trigger

LONG = (
    "Nobody said which day is meant when a buyer asks for a showing, and so the assistant guessed, and guessed wrong."
)


def files(house: House, *operations: Operation, **more: object) -> tuple[object, landing.Files]:
    one = house.improvement("a", *operations, **more)
    return one, landing.files(house.history, house.tenant, one, house.now)


def test_it_is_one_commit_with_its_reasons(house: House) -> None:
    plays = tuple(
        Play(case="c", kind="trigger", arm=arm, run=run, passed=arm == "candidate")  # type: ignore[arg-type]
        for arm in ("parent", "candidate")
        for run in (1, 2)
    )
    one, found = files(
        house, mechanism=LONG, triggers=(trigger("turn:x", house.now),), gate=Gate(plays=plays, accepted=True)
    )
    before = house.history.head()
    commit = landing.land(house.history, one, found)
    assert commit
    assert (commit.parents, commit.files, commit.email) == ((before,), (rule_of(one),), AGENT_EMAIL)
    assert commit.subject == "anneal(showings): say a"
    assert commit.trailers["Improvement"] == "a"
    assert 'From 1 signals: "no, Saturday".' in commit.body
    assert "Gate: triggers 0 of 2 before, 2 of 2 with it" in " ".join(commit.body.split())
    assert max(len(line) for line in commit.body.splitlines()) <= 72
    assert landing.land(house.history, one, found) == commit
    assert landing.landed(house.history, one) == commit
    assert house.history.head() == commit.id


def test_what_the_folder_says_already_is_no_commit(house: House) -> None:
    one, found = files(house)
    (path, text), *_ = found.items()
    (house.root / path).parent.mkdir(parents=True, exist_ok=True)
    (house.root / path).write_text(text or "")
    house.history.commit_admin()
    before = house.history.head()
    assert landing.land(house.history, one, found) is None
    assert house.history.head() == before


def test_operations_stand_on_what_is_committed_now(house: House) -> None:
    with pytest.raises(Refused, match="there is no such rule"):
        files(house, Operation(do="DELETE", rule="showings/none", old_hash="x"))


def test_what_somebody_has_open_is_in_the_way_and_stays(house: House) -> None:
    one, found = files(house)
    path = house.root / rule_of(one)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("half a rule")
    before = house.history.head()
    with pytest.raises(Conflict):
        landing.land(house.history, one, found)
    assert (house.history.head(), path.read_text()) == (before, "half a rule")
    assert landing.landed(house.history, one) is None
    path.unlink()
    assert landing.land(house.history, one, found)


def test_files_that_a_kill_kept_out_are_brought(house: House) -> None:
    one, found = files(house)
    with dying(1_000) as effects:
        landing.land(house.copy(house.settings.home.parent / "whole").history, one, found)
    with dying(effects.index(f"write {rule_of(one)}")), pytest.raises(Killed):
        landing.land(house.history, one, found)
    assert not (house.root / rule_of(one)).exists()
    assert landing.landed(house.history, one)
    assert (house.root / rule_of(one)).exists()


def test_changes_are_those_that_make_a_difference(house: House) -> None:
    base = house.history.head()
    text = (house.root / "directives/showings.md").read_text()
    given = {"directives/showings.md": text, "directives/rules/showings/none.md": None, "life/new.md": "- New.\n"}
    assert [(one.path, one.data) for one in landing.changes(house.history, base, given)] == [
        ("life/new.md", b"- New.\n")
    ]
    assert landing.evidence(house.improvement("a", add("showings/a", GLOBAL))) == "Nobody said a."
