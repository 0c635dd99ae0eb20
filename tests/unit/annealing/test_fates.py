"""How a change that has landed stands: its baseline, the turns that count, what trips, and who is to blame."""

from datetime import timedelta

from runtime.annealing import fates
from runtime.annealing.outcomes import Went
from runtime.annealing.records import Improvement, Kind, Operation, State
from runtime.annealing.verification import blame
from runtime.annealing.verification.proving import GateAgain, Goes
from tests.annealing_house import LEADS, OTHER_TALK, SHOWINGS, House, add, rule_of, trigger

SOP = f"directives/{SHOWINGS}.md"


def went(house: House) -> list[Went]:
    return house.loop.went(house.tenant, ())


def ys(house: House, one: Improvement, turns: list[Went] | None = None) -> str:
    found = fates.counted(house.tenant, one, went(house) if turns is None else turns)
    assert found == house.store.find(one.id)
    return "".join("?" if turn.bad is None else "x" if turn.bad else "." for turn in fates.watch_of(found).exposed)


def test_the_baseline_leaves_out_the_triggers_and_their_burst(house: House) -> None:
    for number in range(1, 9):
        house.turn(number, [SOP], ago=timedelta(days=20 - number), talk=OTHER_TALK)
    burst = [house.turn(number, [SOP], bad=True, ago=timedelta(days=2, minutes=30 - number)) for number in range(1, 6)]
    house.turn(20, ["directives/README.md"], ago=timedelta(days=1), talk=OTHER_TALK)
    one = house.improvement(triggers=(trigger(burst[0], house.now),))
    watch = fates.start(one, went(house), house.tenant)
    assert watch.n0 == 8 + 10
    assert watch.s0 == 10 * (0 + 1) / (9 + 10), "no bad one of its own, and ten at the tenant's rate without the burst"
    assert (watch.e, watch.exposed) == (1.0, ())


def test_only_turns_since_the_landing_in_which_it_was_in_play_count(house: House) -> None:
    one = house.land(days=1)
    house.turn(1, [rule_of(one)], bad=True, ago=timedelta(days=2))
    house.turn(2, [rule_of(one)], ago=timedelta(hours=20))
    house.turn(3, [SOP], bad=True, ago=timedelta(hours=19))
    house.turn(4, [rule_of(one)], bad=True, ago=timedelta(hours=18))
    house.turn(5, [rule_of(one)], ago=timedelta(minutes=10))
    assert ys(house, one) == ".x?"
    found = house.store.find(one.id)
    assert found.watch
    assert found.watch.e > 1
    before = (house.root / "state/annealing/improvements/showings-1.json").stat()
    assert ys(house, found) == ".x?"
    after = (house.root / "state/annealing/improvements/showings-1.json").stat()
    assert before.st_mtime_ns == after.st_mtime_ns, "what is not new is not written"


def test_of_a_rule_that_it_took_away_its_directive_counts(house: House) -> None:
    first = house.land("first", add("showings/late", "Text the buyer when late."), days=9)
    hash_ = fates.rules.parse(rule_of(first), (house.root / rule_of(first)).read_text()).hash
    one = house.land("gone", Operation(do="DELETE", rule="showings/late", old_hash=hash_), days=8)
    house.turns("x.", [SOP], first=60)
    assert ys(house, one) == "x."
    assert not fates.are_pinned(house.tenant, one)


def test_turns_with_one_that_did_harm_say_nothing(house: House) -> None:
    one, other = house.land("one"), house.land("other", family=LEADS)
    house.turns("xx", [rule_of(one), rule_of(other)])
    house.turns(".", [rule_of(one)], first=10)

    def told(**update: object) -> str:
        known = [one, other.model_copy(update={"ended": house.now, **update})]
        return ys(house, house.store.find("one"), fates.speaking(known, [one], went(house), None))

    assert told(state=State.ROLLED_BACK) == "."
    assert told(state=State.ROLLED_BACK, superseded=True) == "xx."
    assert told(state=State.ROLLED_BACK, kind=Kind.EMPTY) == "xx."
    assert told(state=State.ROLLED_BACK, ended=house.now - timedelta(days=30)) == "xx.", "it was gone by then"
    assert told(state=State.UNPROVEN) == "xx."


def test_turns_before_a_freeze_was_over_are_anybodys_fault(house: House) -> None:
    one = house.land()
    house.turns("xx", [rule_of(one)])
    house.turns("x", [rule_of(one)], first=10)
    resumed = house.now - timedelta(hours=215)
    assert ys(house, one, fates.speaking([one], [one], went(house), resumed)) == "??x"


def test_a_gate_is_asked_for_again_after_three_weeks(house: House) -> None:
    one = house.land(days=22)
    assert fates.fate_of(house.tenant, one, (), house.now) == GateAgain()
    assert fates.fate_of(house.tenant, one, (), house.now - timedelta(days=2)) == Goes()


def test_what_trips_is_seen_of_its_own_rules_and_turns_only(house: House) -> None:
    one, other = house.land("one"), house.land("other", family=LEADS)
    house.turn(1, [rule_of(other)], withheld=["key"])
    seen = fates.observed(house.tenant, one, went(house))
    assert (seen.broken_rules, seen.violations) == ({}, ())
    assert len(fates.observed(house.tenant, other, went(house)).violations) == 1
    (house.root / rule_of(one)).write_text("---json\n{}\n---\n\nx\n")
    assert list(fates.observed(house.tenant, one, ()).broken_rules) == [rule_of(one)]
    (house.root / rule_of(one)).unlink()
    assert fates.observed(house.tenant, one, ()).broken_rules == {}, "somebody took it away: that is no trip"


def test_blame_looks_at_who_was_in_play(house: House) -> None:
    pair = [house.land("one"), house.land("two", family=LEADS)]
    house.turns("xxxx", [rule_of(one) for one in pair])
    assert isinstance(fates.blamed(house.tenant, pair, went(house)), blame.Suspected)
    told = {"one": 3.0, "two": -3.0}
    assert fates.blamed(house.tenant, pair, went(house), told) == blame.Blamed("one")
    house.turns("......", [rule_of(pair[0])], first=20)
    assert fates.blamed(house.tenant, pair, went(house)) == blame.Blamed("two")
