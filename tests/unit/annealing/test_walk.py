"""One walk of the loop on real folders, git and database: what is proposed, played, landed, and left by a kill."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from runtime.agent.events import ModelRefused
from runtime.annealing import jobs, landing, weighing
from runtime.annealing.graves import Freeze, idea_of
from runtime.annealing.jobs import ATTEMPTS, BACKOFF, Walk
from runtime.annealing.records import Kind, State, Watch
from runtime.annealing.verification import cooldown
from runtime.words import TurnId
from tests.annealing_house import LEADS, OTHER_TALK, SHOWINGS, TALK, House, killed_everywhere, rule_of

SOP = f"directives/{SHOWINGS}.md"
WORDS = "Showings are on Saturday when nobody names a day."


def corrected(
    house: House, days: tuple[float, ...] = (5, 4, 2), *, family: str = SHOWINGS, first: int = 1
) -> list[str]:
    """On each of these days ago a turn with the directive was corrected; the ids of the signals."""
    ids = []
    for number, ago in enumerate(days, start=first):
        turn = house.turn(number, ["directives/README.md", f"directives/{family}.md"], ago=timedelta(days=ago))
        house.said(turn, "Book a showing", house.now - timedelta(days=ago, seconds=9))
        house.said(turn, "Booked for Sunday.", house.now - timedelta(days=ago, seconds=5), out=True)
        ids.append(house.signal(turn, house.now - timedelta(days=ago)).id)
    house.turn(first + len(days), ago=timedelta(hours=3))
    return ids


def proposes(house: House, signals: list[str], *, family: str = SHOWINGS, text: str = WORDS, **more: Any) -> None:
    house.asked.answers["proposal"] = {
        "propose": True,
        "reason": "Nothing says which day is meant.",
        "intent": "showings on Saturday",
        "signals": signals,
        "operations": [{"do": "ADD", "rule": f"{family}/saturday", "text": text, "triggers": ["showing"]}],
        **more,
    }


async def walked(house: House, *, kind: jobs.Kind = jobs.Kind.LOOK, dry: bool = False) -> Walk:
    """Open a walk (or find the open one) and go on with it as far as it goes now."""
    tenant, now = house.tenant.id, house.loop.clock()
    id = house.loop.database.write_now(lambda tx: jobs.open_walk(tx, tenant, kind, now, dry=dry))
    await house.walker()._look(id)
    found = house.loop.database.read_now(lambda tx: jobs.find(tx, id))
    assert found
    return found


async def test_corrections_become_a_proposal_that_is_played_and_lands(house: House) -> None:
    signals = corrected(house)
    proposes(house, signals)
    walk = await walked(house)
    [one] = house.store.all()
    assert walk.outcome == f"{one.id}: landed as {one.commit[:10]}"
    assert (one.state, [each.signal for each in one.triggers]) == (State.PROBATION, signals)
    commit = house.commits()[0]
    assert (commit.id, commit.files, commit.trailers["Improvement"]) == (one.commit, (rule_of(one),), one.id)
    assert one.watch
    assert one.watch.n0 == 10, "the triggers and their burst are not in what it is measured against"
    shown = house.asked.questions[0].prompt
    assert "Booked for Sunday." in shown
    assert (await walked(house)).outcome == "nothing to do", "its signals are used"
    assert len(house.asked.questions) == 1


@pytest.mark.parametrize("days", [(3,), (5, 2), (2.0, 2.01, 2.02)])
async def test_too_few_signals_are_no_reason_to_ask(house: House, days: tuple[float, ...]) -> None:
    proposes(house, corrected(house, days))
    assert (await walked(house)).outcome == "nothing to do"
    assert house.asked.questions == []


async def test_a_dry_run_keeps_nothing(house: House) -> None:
    proposes(house, corrected(house))
    before = house.history.head()
    walk = await walked(house, dry=True)
    assert f"would land: ADD showings/saturday: {WORDS}" in walk.outcome
    assert (house.history.head(), house.store.all(), house.graves.tombstones()) == (before, [], ())


async def test_a_dry_run_says_why_it_would_not_land(house: House) -> None:
    proposes(house, corrected(house))
    house.plays.well = lambda stand, case: case.kind != "trigger"
    assert "would not land (triggers: " in (await walked(house, dry=True)).outcome
    assert (house.store.all(), house.graves.tombstones()) == ([], ())


# What is refused


async def test_what_the_gate_refuses_is_entombed_once_and_not_proposed_again(house: House) -> None:
    signals = corrected(house, (6, 5, 4))
    proposes(house, signals)
    house.plays.well = lambda stand, case: case.kind != "trigger"
    await walked(house)
    [one] = house.store.all()
    assert one.state is State.REJECTED
    [grave] = house.graves.tombstones()
    assert (grave.idea, grave.why, grave.strikes) == (idea_of(one), "rejected", 1)
    proposes(house, corrected(house, (3.5, 3, 2), first=10))
    walk = await walked(house)
    assert walk.outcome.startswith("showings: not proposed (rejected, until ")
    assert (len(house.store.all()), len(house.graves.tombstones())) == (1, 1)


async def test_three_landings_in_a_day_are_enough(house: House) -> None:
    for id, family in (("a", LEADS), ("b", "listing-alerts"), ("c", "objection-handling")):
        house.land(id, family=family, days=0.2)
    proposes(house, corrected(house))
    walk = await walked(house)
    assert walk.outcome.endswith("gated, waits (3 landings in a day)")
    house.wait(days=1)
    assert ": landed as " in (await walked(house)).outcome


async def test_one_change_of_a_directive_is_on_probation_at_a_time(house: House) -> None:
    house.land("a")
    proposes(house, corrected(house))
    assert (await walked(house)).outcome == "nothing to do"
    waiting = house.improvement("b")
    house.store.put(waiting.model_copy(update={"state": State.GATED}))
    assert (await walked(house)).outcome == f"b: gated, waits (a change of {SOP} is on probation)"


async def test_a_rule_that_came_meanwhile_is_a_conflict(house: House) -> None:
    proposes(house, corrected(house))
    one = house.improvement("b")
    house.store.put(one.model_copy(update={"state": State.GATED}))
    path = house.root / rule_of(one)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('---json\n{"id": "b"}\n---\n\nThe admin was first.\n')
    house.history.commit_admin()
    assert "b: conflict (showings/b is there already)" in (await walked(house)).outcome
    over = house.store.find("b")
    assert (over.state, bool(over.ended)) == (State.CONFLICT, True)
    assert "The admin was first." in house.says("showings/b")


async def test_what_an_admin_has_open_is_a_conflict_and_stays(house: House) -> None:
    one = house.improvement("b")
    house.store.put(one.model_copy(update={"state": State.GATED}))
    path = house.root / rule_of(one)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("half a rule")
    await walked(house)
    assert house.store.find("b").state is State.CONFLICT
    assert path.read_text() == "half a rule"


async def test_nothing_lands_while_it_is_frozen_until_it_is_resumed(house: House) -> None:
    proposes(house, corrected(house))
    house.graves.freeze(Freeze(since=house.now, e=9.0, reason="the day"))
    assert (await walked(house)).outcome.startswith("frozen since ")
    assert (house.store.all(), house.asked.questions) == ([], [])
    house.graves.thaw()
    assert ": landed as " in (await walked(house)).outcome


# What goes wrong


async def test_a_model_that_is_down_is_asked_some_times_and_then_the_next_timer_is_waited_for(house: House) -> None:
    corrected(house)
    house.asked.answers["proposal"] = ModelRefused("the model did not answer: 529", hint="later", detail="upstream")
    for attempt in range(1, ATTEMPTS):
        walk = await walked(house)
        assert (walk.state, walk.attempts, walk.problem) == ("due", attempt, "the model did not answer: 529")
        assert (await walked(house)).attempts == attempt, "not before its time"
        house.wait(seconds=BACKOFF + 1)
    walk = await walked(house)
    assert (walk.state, walk.outcome, walk.problem) == ("done", "failed", "the model did not answer: 529")


async def test_what_is_broken_in_us_is_tried_no_more_often(house: House) -> None:
    corrected(house)
    house.asked.answers["proposal"] = KeyError("signals")
    with capture_logs():
        for _ in range(ATTEMPTS - 1):
            assert (await walked(house)).state == "due"
            house.wait(seconds=BACKOFF + 1)
        walk = await walked(house)
    assert (walk.state, walk.outcome) == ("done", "failed")
    assert "KeyError" in walk.problem


async def test_it_makes_way_for_whoever_waits_and_that_is_no_attempt(house: House) -> None:
    proposes(house, corrected(house))
    id = house.loop.database.write_now(lambda tx: jobs.open_walk(tx, house.tenant.id, jobs.Kind.LOOK, 0.0))
    busy = house.walker(gate=_with_people(house))
    assert await busy._look(id) == weighing.PATIENCE
    walk = house.loop.database.read_now(lambda tx: jobs.find(tx, id))
    assert walk
    assert (walk.attempts, walk.problem) == (0, "somebody waits for a reply")
    house.wait(seconds=weighing.PATIENCE + 1)
    assert (await walked(house)).state == "done"


def _with_people(house: House) -> Any:
    return replace(house.gate, busy=lambda: True)


async def test_two_walks_are_never_at_work_at_once(house: House) -> None:
    proposes(house, corrected(house))
    at_work, most = 0, 0

    async def during() -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0.05)
        at_work -= 1

    house.asked.during = during
    database, tenant = house.loop.database, house.tenant.id
    ids = [
        database.write_now(lambda tx, dry=dry: jobs.open_walk(tx, tenant, jobs.Kind.LOOK, 0.0, dry=dry))
        for dry in (False, True)
    ]
    assert len(set(ids)) == 2
    walker = house.walker()
    await asyncio.gather(*(walker(id) for id in ids))
    assert most == 1
    assert {database.read_now(lambda tx, id=id: jobs.find(tx, id)).state for id in ids} == {"done"}
    assert walker.here == set()


# Again each week, and the empty landing


async def test_what_is_in_play_too_rarely_is_played_again_each_week(house: House) -> None:
    one = house.land("a", days=22, triggers=())
    house.plays.well = lambda stand, case: case.kind == "canary" or not stand.changes
    house.turn(1, [rule_of(one)])
    assert (await walked(house)).outcome == "a: played again, failed"
    over = house.store.find("a")
    assert over.state is State.UNPROVEN
    assert over.reason.startswith("its gate was run again: family case hello fails where the parent passes")
    assert over.gate.accepted is False
    assert not (house.root / rule_of(one)).exists()


async def test_one_that_still_helps_stays_and_is_not_played_again_before_a_week_is_over(house: House) -> None:
    signals = corrected(house)
    proposes(house, signals)
    await walked(house)
    [one] = house.store.all()
    house.store.put(one.model_copy(update={"landed": house.now - timedelta(days=22)}))
    house.wait(days=8)
    assert (await walked(house)).outcome == f"{one.id}: played again, passed"
    assert house.store.find(one.id).state is State.PROBATION
    plays = len(house.plays.played)
    await walked(house)
    assert len(house.plays.played) == plays


async def test_an_empty_landing_makes_no_commit_and_is_alone(house: House) -> None:
    before = house.history.head()
    assert "nothing was said yet" in (await walked(house, kind=jobs.Kind.EMPTY)).outcome
    corrected(house)
    assert "an empty landing" in (await walked(house, kind=jobs.Kind.EMPTY)).outcome
    [one] = house.store.all()
    assert (one.kind, one.state, one.family, one.commit) == (Kind.EMPTY, State.PROBATION, SHOWINGS, "")
    assert house.history.head() == before
    assert "one is on probation" in (await walked(house, kind=jobs.Kind.EMPTY)).outcome
    proposes(house, [each.id for each in house.signals()])
    assert ": landed as " in (await walked(house)).outcome, "it takes nobody's place"


# Kills


def ended(it: House) -> object:
    return (
        [
            (
                one.state,
                one.reason,
                one.intent,
                sorted((play.kind, play.arm, play.passed) for play in one.gate.plays),  # which first hangs on its id
                len({(play.case, play.arm, play.run) for play in one.gate.plays}),
                one.watch and (one.watch.s0, one.watch.n0),
                one.commit == it.commits()[0].id if it.commits() else one.commit,
            )
            for one in it.store.all()
        ],
        [commit.subject for commit in it.commits()],
        [(grave.idea.key, grave.why, grave.strikes) for grave in it.graves.tombstones()],
        it.told(),
        it.says("showings/saturday").replace(it.store.all()[0].id, ""),
    )


async def test_a_walk_that_is_killed_anywhere_lands_one_commit(house: House, tmp_path: Path) -> None:
    proposes(house, corrected(house))
    assert await killed_everywhere(house, tmp_path, walked, ended) > 15


async def test_a_walk_that_is_killed_while_the_gate_refuses_leaves_one_tombstone(house: House, tmp_path: Path) -> None:
    proposes(house, corrected(house))
    house.plays.well = lambda stand, case: case.kind != "trigger"

    async def twice(it: House) -> None:
        await walked(it)
        await walked(it)

    assert await killed_everywhere(house, tmp_path, twice, ended) > 10


async def test_what_had_landed_before_a_kill_is_watched_also_when_the_loop_froze_since(house: House) -> None:
    one = house.improvement("b")
    house.store.put(one.model_copy(update={"state": State.GATED}))
    commit = landing.land(house.history, one, landing.files(house.history, house.tenant, one, house.now))
    assert commit
    house.graves.freeze(Freeze(since=house.now, e=9.0, reason="the day"))
    assert "; frozen since " in (await walked(house)).outcome
    found = house.store.find("b")
    assert (found.state, found.commit, found.landed) == (State.PROBATION, commit.id, commit.at)


async def test_turns_since_the_landing_are_not_what_it_is_measured_against(house: House) -> None:
    """A kill came between the commit and the state; the rule was in play meanwhile, and did harm."""
    one = house.improvement("b")
    house.store.put(one.model_copy(update={"state": State.GATED}))
    assert landing.land(house.history, one, landing.files(house.history, house.tenant, one, house.now))
    house.wait(hours=5)
    for number in range(1, 6):
        house.turn(number, [SOP, rule_of(one)], bad=True, ago=timedelta(hours=4, minutes=-number), talk=OTHER_TALK)
    await walked(house)
    found = house.store.find("b")
    assert found.watch
    assert found.watch.n0 == 10


def test_a_gate_is_due_only_for_what_is_seldom_in_play(house: House) -> None:
    one = house.land("a", days=22)
    assert weighing.gate_is_due(one, house.now)
    assert not weighing.gate_is_due(one.model_copy(update={"watch": None}), house.now)
    assert not weighing.gate_is_due(one, house.now - timedelta(days=2))
    again = one.model_copy(update={"gate": one.gate.model_copy(update={"ended": house.now - timedelta(days=6)})})
    assert not weighing.gate_is_due(again, house.now)


def test_an_idea_that_did_harm_waits_for_new_signals_and_another_mechanism(house: House) -> None:
    one = house.improvement("b", triggers=())
    at = house.now - timedelta(days=8)
    house.graves.add(cooldown.after_rollback(idea_of(one), one.mechanism, (), at))
    assert weighing.why_not(house.tenant, one.model_copy(update={"opened": house.now})) == (
        "rolled back, and 0 new signals are too few"
    )


def test_two_rollbacks_stop_all_landing_for_three_days(house: House) -> None:
    for id, family in (("a", LEADS), ("b", "listing-alerts")):
        one = house.land(id, family=family, days=3)
        over = {"state": State.ROLLED_BACK, "ended": house.now - timedelta(hours=2)}
        house.store.put(one.model_copy(update=over))
    next_ = house.improvement("c")
    assert "2 rollbacks in a day" in (weighing.why_wait(house.tenant, next_, house.now) or "")
    assert weighing.why_wait(house.tenant, next_, house.now + timedelta(hours=71)) is None


def test_what_is_shown_to_whoever_proposes(house: House) -> None:
    ids = corrected(house)
    house.signal(TurnId("turn:anden:telegram:111222333:00000001"), house.now - timedelta(days=40), text="too old")
    [shown] = weighing.shown(house.loop, house.tenant, ())
    assert (shown.family, [one.signal for one in shown.found]) == (SHOWINGS, ids)
    assert "assistant: Booked for Sunday." in shown.found[0].trace
    assert [id for id, _ in shown.cases] != []
    assert shown.found[0].conversation == TALK
    rejected = house.improvement("x").model_copy(update={"state": State.REJECTED, "reason": "it helped nobody"})
    house.store.put(rejected.model_copy(update={"watch": Watch(s0=1, n0=10)}))
    assert weighing.shown(house.loop, house.tenant, ())[0].refused == ("say x: it helped nobody",)
