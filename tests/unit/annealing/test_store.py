"""Improvements as files: whole or not there, found by id, commit and rule, and the tenant's own wherever it goes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runtime.annealing.records import Improvement, Operation, State
from runtime.annealing.store import PLACE, Improvements
from runtime.errors import ConfigFault, NotFound
from runtime.tenant.folder import Folder

OPENED = datetime(2026, 11, 20, tzinfo=UTC)


def made(id: str, *, hours: int = 0, state: State = State.PROPOSED, rule: str = "showings/day") -> Improvement:
    landed = OPENED + timedelta(hours=hours) if state is State.PROBATION else None
    return Improvement(
        id=id,
        tenant="anden",
        family="showings",
        idea="0" * 16,
        intent="name the day",
        operations=(Operation(do="ADD", rule=rule, text="Name the day."),),
        state=state,
        opened=OPENED + timedelta(hours=hours),
        landed=landed,
        commit=id * 8 if landed else "",
    )


@pytest.fixture
def place(tmp_path: Path) -> Improvements:
    (tmp_path / "anden").mkdir()
    return Improvements(Folder(tmp_path / "anden"))


def test_what_was_put_is_found_as_it_was_oldest_first(place: Improvements) -> None:
    late, early = made("late", hours=2, state=State.PROBATION), made("early")
    place.put(late)
    place.put(early)
    assert place.all() == [early, late]
    assert place.find("late") == late
    assert place.in_state(State.PROBATION) == [late]
    assert place.of_commit(late.commit) == late
    assert place.of_commit("") is None


@pytest.mark.parametrize("id", ["none", "../x", "", "A"])
def test_what_is_not_there_is_said(place: Improvements, id: str) -> None:
    with pytest.raises(NotFound, match="there is no improvement"):
        place.find(id)


def test_a_damaged_file_is_named_with_its_line(place: Improvements, tmp_path: Path) -> None:
    place.put(made("one"))
    file = tmp_path / "anden" / PLACE / "one.json"
    file.write_text(file.read_text().replace('"showings"', "7"))
    with pytest.raises(ConfigFault, match=r"one\.json:\d+: family"):
        place.find("one")
    place.put(made("other"))
    assert [one.id for one in place.all()] == ["other"], "it stops no other one"
    assert [fault.problem.partition(":")[0] for fault in place.damaged()] == [f"{PLACE}/one.json"]


def test_a_tenant_that_was_imported_under_another_name_keeps_its_improvements(
    place: Improvements, tmp_path: Path
) -> None:
    place.put(made("one"))
    (tmp_path / "anden").rename(tmp_path / "berta")
    assert Improvements(Folder(tmp_path / "berta")).find("one").tenant == "berta"
