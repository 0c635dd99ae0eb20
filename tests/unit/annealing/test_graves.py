"""Ideas that failed, and the loop being frozen: each written once, and read back."""

from datetime import UTC, datetime, timedelta

import pytest

from runtime.annealing.graves import FROZEN, TOMBSTONES, Freeze, idea_of
from runtime.annealing.records import Operation
from runtime.annealing.verification.cooldown import Why, after_rejected, after_rollback
from runtime.errors import ConfigFault
from tests.annealing_house import House

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_tombstone_is_there_once_and_each_failing_is_a_strike(house: House) -> None:
    place, what = house.graves, idea_of(house.improvement())
    for at in (AT, AT, AT + timedelta(days=9)):
        place.add(after_rollback(what, "why", [one for one in place.tombstones() if one.at < at], at))
    assert [one.strikes for one in place.tombstones()] == [1, 2]
    place.add(after_rejected(what, "why", place.tombstones(), AT + timedelta(days=60), entombed=True))
    last = place.tombstones()[-1]
    assert (last.why, last.strikes, last.until) == (Why.ENTOMBED, 3, None)


def test_the_owner_lets_an_idea_come_back_and_no_other(house: House) -> None:
    place, what = house.graves, idea_of(house.improvement())
    other = idea_of(house.improvement("x", intent="park on the street"))
    for one in (what, other):
        place.add(after_rollback(one, "why", (), AT))
    assert (place.lift(what.key), place.lift(what.key)) == (1, 0)
    assert [one.idea for one in place.tombstones()] == [other]


def test_it_is_frozen_until_it_is_let_go_on(house: House) -> None:
    place = house.graves
    assert (place.frozen(), place.resumed()) == (None, None)
    place.thaw()
    assert place.resumed() is None, "what was not frozen is not let go on"
    place.freeze(Freeze(since=AT, e=9.0, reason="the day"))
    assert place.frozen() == Freeze(since=AT, e=9.0, reason="the day")
    place.thaw()
    over = place.resumed()
    place.thaw()
    assert place.frozen() is None
    assert over
    assert place.resumed() == over


@pytest.mark.parametrize("path", [TOMBSTONES, FROZEN])
def test_what_is_damaged_is_not_guessed_at(house: House, path: str) -> None:
    house.tenant.folder.write_text(path, "{")
    with pytest.raises(ConfigFault, match=path.rpartition("/")[2]):
        house.graves.tombstones() if path == TOMBSTONES else house.graves.frozen()


def test_a_new_rule_has_no_target_whatever_it_is_called(house: House) -> None:
    one = house.improvement("a", intent="say when")
    assert idea_of(one).target == ""
    assert idea_of(one.model_copy(update={"id": "b"})) == idea_of(one)
    change = Operation(do="UPDATE", rule="showings/late", text="x", old_hash="y")
    assert idea_of(one.model_copy(update={"operations": (change,)})).target == "showings/late"
