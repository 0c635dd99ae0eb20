"""What becomes of a change that has landed, on real folders, git and database."""

from datetime import timedelta
from pathlib import Path

import pytest

from runtime.agent.events import ModelRefused
from runtime.annealing.gate.cases import PLACE
from runtime.annealing.records import Improvement, Kind, Operation, State, Trigger
from runtime.annealing.verification.cooldown import Why
from runtime.tenant.config import edit_config
from runtime.tenant.rules.files import Rule, parse
from tests.annealing_house import (
    LEADS,
    OTHER_TALK,
    SHOWINGS,
    TALK,
    House,
    Killed,
    add,
    dying,
    killed_everywhere,
    rule_of,
    trigger,
    with_case,
)

GOOD = "." * 40


async def watched(house: House) -> None:
    await house.watching(house.tenant, ())


def rule(house: House, one: Improvement) -> Rule:
    return parse(rule_of(one), (house.root / rule_of(one)).read_text())


def pinned(house: House, one: Improvement) -> None:
    """An admin makes the rule their own."""
    old = rule(house, one)
    new = Rule(old.directive, old.head.model_copy(update={"state": "pinned"}), old.text)
    (house.root / old.path).write_text(new.rendered)
    house.history.commit_admin()


# Kept


def proved(house: House) -> Improvement:
    reasons: tuple[Trigger, ...] = (trigger("turn:anden:telegram:111222333:90000001", house.now),)
    with_case(house.tenant.folder, "asked", f"kind: trigger\nfamily: {SHOWINGS}")
    path = house.root / PLACE / "asked.yaml"
    path.write_text(path.read_text().replace("source: blueprint", f"source: 'turn:{reasons[0].turn}'"))
    one = house.land(triggers=reasons)
    house.turns(GOOD[:-1] + "x", [rule_of(one)])
    return one


async def test_what_proves_itself_in_forty_turns_is_kept(house: House) -> None:
    one = proved(house)
    await watched(house)
    kept = house.store.find(one.id)
    assert (kept.state, kept.undone) == (State.KEPT, "")
    head = rule(house, one).head
    assert (head.state, head.helpful, head.harmful) == ("kept", 39, 1)
    assert [name for name, _ in house.history.goods()] == ["annealed-good/1"]
    assert "kind: protected" in (house.root / PLACE / "asked.yaml").read_text()
    assert house.told() == [
        "I learned something and it works: Say showings-1 in each reply. Say “undo that” if you do not want it."
    ]
    head_commit = house.history.head()
    await watched(house)
    assert (house.history.head(), len(house.told())) == (head_commit, 1)
    assert house.closed.conversations == []


async def test_a_kill_while_it_is_kept_leaves_one_of_each(house: House, tmp_path: Path) -> None:
    one = proved(house)
    await watched(house.copy(tmp_path / "first"))  # what is only counted is not what is killed here

    def end(it: House) -> object:
        return (
            it.store.find(one.id).model_dump(exclude={"ended"}),
            [commit.subject for commit in it.commits()],
            len(it.told()),
            it.says("showings/showings-1"),
            "kind: protected" in (it.root / PLACE / "asked.yaml").read_text(),
            [name for name, _ in it.history.goods()],
        )

    assert await killed_everywhere(house, tmp_path, watched, end) > 5


async def test_what_a_person_pinned_meanwhile_is_theirs_and_nobody_says_it_was_proved(house: House) -> None:
    one = house.land()
    pinned(house, one)
    house.turns("xxxx", [rule_of(one)])
    await watched(house)
    kept = house.store.find(one.id)
    assert (kept.state, kept.reason) == (State.KEPT, "a person pinned it")
    assert rule(house, one).head.state == "pinned"
    assert house.told() == []


# Taken back


def harmful(house: House) -> Improvement:
    one = house.land()
    house.turns(".x.", [rule_of(one)])
    house.turns("xx", [rule_of(one)], first=10, talk=OTHER_TALK)
    return one


async def test_what_does_harm_is_taken_back_by_a_commit_and_told_once(house: House) -> None:
    one = harmful(house)
    await watched(house)
    over = house.store.find(one.id)
    assert over.state is State.ROLLED_BACK
    assert over.reason == "3 of 5 turns went wrong where 14% did before"
    assert not (house.root / rule_of(one)).exists()
    undone = house.commits()[0]
    assert (undone.id, undone.reverts) == (over.undone, one.commit)
    assert undone.trailers["Reverts-Improvement"] == one.id
    assert (float(undone.trailers["E"]) >= 5, undone.trailers["n"]) == (True, "5")
    [grave] = house.graves.tombstones()
    assert (grave.why, grave.strikes, grave.mechanism) == (Why.ROLLED_BACK, 1, one.mechanism)
    assert sorted(house.closed.conversations) == [TALK, OTHER_TALK]
    assert len(house.told()) == 1
    assert house.told()[0].startswith("I took back something I had tried, because it made things worse")
    await watched(house)
    assert (len(house.told()), len(house.graves.tombstones()), house.commits()[0].id) == (1, 1, undone.id)


def ended(it: House) -> object:
    """Without moments and ids of commits, which differ from one copy to the other."""
    return (
        [
            (one.id, one.state, one.reason, bool(one.undone), one.superseded, one.alone, one.ending)
            for one in it.store.all()
        ],
        [(commit.subject, commit.trailers.get("Reverts-Improvement")) for commit in it.commits()],
        [(grave.idea.key, grave.why, grave.strikes) for grave in it.graves.tombstones()],
        sorted(it.told()),
    )


async def test_a_kill_while_it_is_taken_back_leaves_one_of_each(house: House, tmp_path: Path) -> None:
    harmful(house)
    assert await killed_everywhere(house, tmp_path, watched, ended) > 5


async def test_what_was_decided_before_a_kill_is_not_decided_anew(house: House) -> None:
    """Its commit is on HEAD; then turns go wrong that it was not in play in, which would have frozen the loop."""
    one = harmful(house)
    with dying(1_000) as effects:
        await watched(house.copy(house.settings.home.parent / "whole"))
    last = max(at for at, effect in enumerate(effects) if effect.startswith("write state/annealing/tombstones"))
    with dying(last), pytest.raises(Killed, match="tombstones"):
        await watched(house)
    assert not (house.root / rule_of(one)).exists()
    house.turns("xxxxxxxx", [f"directives/{LEADS}.md"], first=30)
    await watched(house)
    assert house.store.find(one.id).state is State.ROLLED_BACK
    assert house.graves.frozen() is None


@pytest.mark.parametrize(
    ("ys", "state", "n"),
    [
        ("." * 16 + "xx..", State.PROBATION, None),
        ("x...x..........x...x", State.UNPROVEN, 20),
        ("......x.........x...x.x..x.x..", State.UNPROVEN, 30),
        ("........x..x..........x.x...............", State.UNPROVEN, 40),
    ],
)
async def test_what_does_not_prove_itself_goes_as_well(house: House, ys: str, state: State, n: int | None) -> None:
    one = house.land()
    one = one.model_copy(update={"watch": one.watch and one.watch.model_copy(update={"s0": 4.0, "n0": 60.0})})
    house.store.put(one)
    house.turns(ys, [rule_of(one)])
    await watched(house)
    over = house.store.find(one.id)
    assert over.state is state
    if n is None:
        return
    assert over.reason.startswith(f"after {n} turns the chance that it helps is ")
    assert house.told()[0].startswith("I took back something I had tried, because it changed nothing")
    assert [grave.why for grave in house.graves.tombstones()] == [Why.UNPROVEN]


async def test_people_who_turn_away_speak_against_it(house: House) -> None:
    one = house.land()
    for number in range(400):  # twenty a day before, four a day since
        house.turn(number + 1, ago=timedelta(hours=20 * 24 + 241 - number), talk=OTHER_TALK)
    house.turns(GOOD, [rule_of(one)])
    await watched(house)
    over = house.store.find(one.id)
    assert over.state is State.UNPROVEN
    assert over.reason.startswith("turns a day fell from ")


# Trips


async def test_a_credential_that_was_kept_back_trips_at_once(house: House) -> None:
    one = house.land()
    turn = house.turn(1, [rule_of(one)], withheld=["key"])
    await watched(house)
    over = house.store.find(one.id)
    assert (over.state, over.reason) == (State.ROLLED_BACK, f"a credential was kept back from the reply of {turn}")


async def test_a_rule_file_that_cannot_be_read_trips_at_once(house: House) -> None:
    one = house.land()
    (house.root / rule_of(one)).write_text("no rule at all")
    house.git("commit", "-qam", "Break it")
    await watched(house)
    over = house.store.find(one.id)
    assert over.state is State.ROLLED_BACK
    assert "cannot be read" in over.reason
    assert (house.root / rule_of(one)).read_text() == "no rule at all", "what a person wrote is theirs"
    assert (over.undone, len(house.graves.tombstones()), len(house.told())) == ("", 1, 1)


async def test_nothing_is_done_over_the_head_of_an_admin_who_edits_the_rule(house: House) -> None:
    one = harmful(house)
    good = (house.root / rule_of(one)).read_text()
    (house.root / rule_of(one)).write_text(good + "x" * 500)  # too long: it is not committed as it is
    before = house.history.head()
    await watched(house)
    assert (house.history.head(), house.store.find(one.id).state) == (before, State.PROBATION)
    assert (house.told(), house.graves.tombstones()) == ([], ())
    assert (house.root / rule_of(one)).read_text() == good + "x" * 500
    (house.root / rule_of(one)).write_text(good)
    await watched(house)
    assert house.store.find(one.id).state is State.ROLLED_BACK
    assert len(house.told()) == 1


# Frozen


def bad_day(house: House) -> Improvement:
    one = house.land()
    for number in range(1, 41):
        house.turn(number, ago=timedelta(days=20, minutes=-number), talk=OTHER_TALK)
    house.turns("x.xx", [rule_of(one)])
    house.turns("xx.xxx", [f"directives/{LEADS}.md"], first=10)
    return one


async def test_a_bad_day_freezes_the_loop_and_blames_nothing(house: House) -> None:
    one = bad_day(house)
    await watched(house)
    await watched(house)
    assert house.store.find(one.id).state is State.PROBATION
    frozen = house.graves.frozen()
    assert frozen
    assert frozen.e >= 5
    assert (house.told(), house.graves.tombstones()) == ([], ())


async def test_while_it_is_frozen_no_turns_decide(house: House) -> None:
    one = bad_day(house)
    await watched(house)
    house.turns("x." * 25, [rule_of(one)], first=20)
    await watched(house)
    assert house.store.find(one.id).state is State.PROBATION


async def test_after_it_was_resumed_the_bad_day_says_nothing_of_anything(house: House) -> None:
    one = bad_day(house)
    await watched(house)
    house.graves.thaw()
    await watched(house)
    assert house.graves.frozen() is None, "the same turns froze it once"
    assert house.store.find(one.id).state is State.PROBATION
    house.wait(hours=1)
    for number, ago in ((40, 50), (41, 40)):
        house.turn(number, [rule_of(one)], bad=True, ago=timedelta(minutes=ago))
    await watched(house)
    assert house.store.find(one.id).state is State.ROLLED_BACK, "what goes wrong from then on does"


# Blame


async def test_of_two_that_overlap_only_the_guilty_one_goes(house: House) -> None:
    guilty, other = house.land("guilty"), house.land("other", family=LEADS)
    both = [rule_of(guilty), rule_of(other)]
    house.turns("....", [rule_of(other)])
    house.turns("xx", [rule_of(guilty)], first=10)
    house.turns("xxx", both, first=20)
    await watched(house)
    over, left = house.store.find("guilty"), house.store.find("other")
    assert (over.state, left.state) == (State.ROLLED_BACK, State.PROBATION)
    assert over.reason == "4 of 4 turns went wrong where 14% did before" or over.reason.startswith("2 of 2")
    assert left.watch
    assert left.watch.ys == (False,) * 4, "turns with the guilty one say nothing of the other"
    await watched(house)
    assert house.store.find("guilty") == over
    assert len(house.told()) == 1


async def test_of_three_that_overlap_only_the_guilty_one_goes(house: House) -> None:
    ones = [house.land(id, family=family) for id, family in (("a", LEADS), ("b", SHOWINGS), ("c", "listings"))]
    a, b, c = map(rule_of, ones)
    house.turns("......", [a])
    house.turns("......", [c], first=10)
    house.turns("xxx", [b], first=20)
    house.turns("xx", [a, b], first=30)
    house.turns("xx", [b, c], first=40)
    house.turns("xx", [a, b, c], first=50)
    await watched(house)
    assert [house.store.find(one.id).state for one in ones] == [State.PROBATION, State.ROLLED_BACK, State.PROBATION]
    await watched(house)
    assert [house.store.find(one.id).state for one in ones] == [State.PROBATION, State.ROLLED_BACK, State.PROBATION]
    assert len(house.told()) == 1


async def test_turns_with_one_that_was_taken_back_do_not_freeze_the_loop_for_another(house: House) -> None:
    guilty, later = house.land("guilty"), house.land("later", family=LEADS)
    house.turns("xxxxxx", [rule_of(guilty)])
    await watched(house)
    assert house.store.find("guilty").state is State.ROLLED_BACK
    house.turns("xxx", [rule_of(later)], first=100)
    await watched(house)
    assert house.graves.frozen() is None
    assert house.store.find("later").state is State.ROLLED_BACK


def close_pair(house: House) -> list[Improvement]:
    """Two that were always in play together, with words of what was expected, so that turns can be played again."""
    pair = [house.land("one"), house.land("two", family=LEADS)]
    for turn in house.turns("xxxx", [rule_of(one) for one in pair]):
        house.said(turn, "Book a showing", house.now - timedelta(days=9))
    return pair


async def test_bad_turns_are_played_again_where_it_is_too_close(house: House) -> None:
    close_pair(house)
    house.plays.well = lambda stand, _: any("/one.md" in path for path, _ in stand.changes)
    await watched(house)
    assert [house.store.find(id).state for id in ("one", "two")] == [State.ROLLED_BACK, State.PROBATION]
    assert len(house.plays.played) == 8, "four bad turns without each"
    assert house.told() == ["I took back something I had tried, because it made things worse: Say one in each reply."]


async def test_a_model_that_is_down_leaves_it_for_the_next_look_and_others_are_looked_at(house: House) -> None:
    close_pair(house)
    third = house.land("third", family="listings")
    turn = house.turn(90, [rule_of(third)], withheld=["key"])
    house.plays.fault = ModelRefused("the model did not answer", hint="later", detail="budget")
    await watched(house)
    assert [house.store.find(id).state for id in ("one", "two", "third")] == [
        State.PROBATION,
        State.PROBATION,
        State.ROLLED_BACK,
    ]
    assert turn in house.store.find("third").reason
    house.plays.fault = None
    await watched(house)
    assert house.store.find("one").state is State.ROLLED_BACK


async def test_when_it_stays_too_close_all_go_back_and_land_again_one_at_a_time(house: House) -> None:
    close_pair(house)
    house.plays.well = lambda *_: False
    await watched(house)
    assert {house.store.find(id).state for id in ("one", "two")} == {State.ROLLED_BACK}
    assert house.graves.tombstones() == (), "nobody knows which of the ideas was bad"
    again = [house.store.find(f"{id}-again") for id in ("one", "two")]
    assert {one.state for one in again} == {State.GATED}
    assert all(one.alone == ("one-again", "two-again") for one in again) or all(
        one.alone == ("two-again", "one-again") for one in again
    )
    await watched(house)
    walk = house.walker()
    done = [await walk._on(house.tenant, one) for one in again]
    assert all("gated, waits (2 rollbacks in a day" in one for one in done)
    house.wait(hours=73)
    done = [await walk._on(house.tenant, one) for one in again]
    assert done[0].startswith("one-again: landed as ")
    assert done[1] == "two-again: gated, waits (one-again is watched alone first)"
    assert (house.says("showings/one") != "", house.says(f"{LEADS}/two")) == (True, "")


async def test_a_kill_while_suspects_go_back_leaves_no_half_of_it(house: House, tmp_path: Path) -> None:
    close_pair(house)
    house.plays.well = lambda *_: False
    assert await killed_everywhere(house, tmp_path, watched, ended) > 10


# The empty landing


def empty(house: House) -> Improvement:
    one = house.land("empty-20261120", kind=Kind.EMPTY)
    one = one.model_copy(update={"operations": ()})
    house.store.put(one)
    return one


async def test_the_empty_landing_is_judged_alone_and_makes_no_commit(house: House) -> None:
    one, real = empty(house), house.land("other", family=LEADS)
    house.turns("xxx", [f"directives/{SHOWINGS}.md"])
    before = house.history.head()
    await watched(house)
    over = house.store.find(one.id)
    assert (over.state, over.undone) == (State.ROLLED_BACK, "")
    assert (house.history.head(), house.told(), house.graves.tombstones()) == (before, [], ())
    assert house.store.find(real.id).state is State.PROBATION


async def test_an_empty_landing_that_is_taken_back_takes_no_turns_from_a_change_that_does_harm(house: House) -> None:
    one, real = empty(house), house.land("real")
    house.turns("xxx", [f"directives/{SHOWINGS}.md", rule_of(real)])
    await watched(house)
    await watched(house)
    assert [house.store.find(id).state for id in (one.id, real.id)] == [State.ROLLED_BACK, State.ROLLED_BACK]


# Told


async def test_a_tenant_that_wants_to_hear_nothing_is_told_nothing(house: House) -> None:
    def change(tree: dict[str, object]) -> None:
        tree["improvements"] = {"tell": False}

    edit_config(house.tenant.folder, change)
    one = harmful(house)
    await watched(house)
    assert (house.store.find(one.id).state, house.told()) == (State.ROLLED_BACK, [])


async def test_what_stands_on_it_goes_with_it_and_its_words_are_forgotten_too(house: House) -> None:
    first = house.land("first", add("showings/late", "Text the buyer when late."))
    text = rule(house, first)
    second = house.land(
        "second",
        Operation(do="UPDATE", rule="showings/late", old_hash=text.hash, text="Call the buyer when late."),
        days=9.5,
    )
    house.turns("....", [rule_of(second)], first=30, talk=OTHER_TALK)
    house.store.put(second.model_copy(update={"watch": second.watch}))
    await watched(house)
    house.closed.conversations.clear()
    await house.watching.end(house.tenant, house.store.find("first"), State.ROLLED_BACK, "it did harm")
    over = house.store.find("second")
    assert (over.state, over.superseded, over.reason) == (
        State.ROLLED_BACK,
        True,
        "taken back with first, which it stood on",
    )
    assert OTHER_TALK in house.closed.conversations
    assert len(house.told()) == 1
