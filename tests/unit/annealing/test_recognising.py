"""What people took back or put back themselves, on real folders, git and database."""

import asyncio
from pathlib import Path

import pytest

from runtime.annealing.graves import idea_of
from runtime.annealing.probation import undone_by_owner
from runtime.annealing.records import State
from runtime.tenant.git.history import Origin
from tests.annealing_house import TALK, House, killed_everywhere, rule_of

BY_OWNER = Origin(actor="owner", tenant="anden", trigger="/undo", reason="they said so")


async def seen(house: House) -> None:
    await house.recognising(house.tenant)


@pytest.mark.parametrize("how", ["git revert", "rm", "undo"])
async def test_all_ways_end_in_the_same_state(house: House, how: str) -> None:
    one = house.land()
    house.turn(1, [rule_of(one)])
    await house.look()
    match how:
        case "git revert":
            house.git("revert", "--no-edit", one.commit)
        case "rm":
            (house.root / rule_of(one)).unlink()
            house.history.commit_admin()
        case _:
            assert undone_by_owner(house.loop, house.tenant, one.id, BY_OWNER)
    await seen(house)
    over = house.store.find(one.id)
    assert (over.state, over.undone) == (State.ROLLED_BACK, house.history.head())
    assert over.reason.startswith("the owner took it back: ")
    assert over.ended == house.history.find(over.undone).at
    assert (house.told(), house.closed.conversations) == ([], [TALK])
    assert [grave.idea for grave in house.graves.tombstones()] == [idea_of(one)]
    await seen(house)
    await house.look()
    assert (house.store.find(one.id), len(house.graves.tombstones())) == (over, 1)


async def test_undoing_what_is_undone_is_nothing(house: House) -> None:
    one = house.land()
    first = undone_by_owner(house.loop, house.tenant, one.id, BY_OWNER)
    again = undone_by_owner(house.loop, house.tenant, one.id, BY_OWNER)
    assert first
    assert again
    assert first.id == again.id == house.history.head()


async def test_what_they_put_back_stays_and_may_come_again(house: House) -> None:
    one = house.land()
    await seen(house)
    house.turns("xxx", [rule_of(one)])
    await house.watching(house.tenant, ())
    over = house.store.find(one.id)
    assert over.state is State.ROLLED_BACK
    await seen(house)
    assert house.store.find(one.id) == over, "the loop's own commit is none of theirs"
    house.git("revert", "--no-edit", over.undone)
    await seen(house)
    back = house.store.find(one.id)
    assert (back.state, back.reason, back.undone) == (State.KEPT, "the owner put it back", "")
    assert house.graves.tombstones() == ()
    assert "Say showings-1" in house.says("showings/showings-1")


async def test_later_edits_of_others_say_nothing(house: House) -> None:
    one = house.land()
    await seen(house)
    (house.root / "directives/showings.md").write_text(
        (house.root / "directives/showings.md").read_text() + "\nMore.\n"
    )
    house.history.commit_admin()
    await seen(house)
    assert house.store.find(one.id).state is State.PROBATION


async def test_a_history_that_cannot_be_read_is_looked_at_again(house: House) -> None:
    one = house.land()
    await seen(house)
    house.git("revert", "--no-edit", one.commit)
    (house.root / ".git").rename(house.root / ".git-away")
    await seen(house)
    assert house.store.find(one.id).state is State.PROBATION
    (house.root / ".git-away").rename(house.root / ".git")
    await seen(house)
    assert house.store.find(one.id).state is State.ROLLED_BACK


async def test_a_kill_on_the_way_leaves_each_once(house: House, tmp_path: Path) -> None:
    first, second = house.land("first"), house.land("second", family="lead-follow-up")
    await seen(house)
    house.git("revert", "--no-edit", first.commit)
    (house.root / rule_of(second)).unlink()
    await asyncio.to_thread(house.history.commit_admin)

    def end(it: House) -> object:
        return (
            [one.model_dump() for one in it.store.all()],
            it.graves.tombstones(),
            it.history.head() == house.history.head(),
            it.told(),
        )

    assert await killed_everywhere(house, tmp_path, seen, end) > 4
