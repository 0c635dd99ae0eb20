"""A rule that the owner states, on real folders, git and database: written once, whatever happens meanwhile."""

from pathlib import Path

from runtime.annealing import stating
from runtime.annealing.records import Kind, State
from runtime.tenant.rules.files import parse
from runtime.tenant.turnlog import TurnLine, TurnLog
from runtime.words import TurnId
from tests.annealing_house import TALK, House, killed_everywhere

WORDS = "Always attach the W-9 with invoices."
RULE = "directives/rules/showings/always-attach-the-w-9-with.md"
TURN = TurnId("turn:anden:telegram:111222333:00000001")


async def stated(house: House) -> None:
    await stating.write(house.loop, house.tenant, TURN, "m1", WORDS)


def turn(house: House, *commits: str) -> None:
    exposures = ["directives/README.md", "directives/showings.md"]
    line = TurnLine(turn=TURN, at=house.now, conversation=TALK, exposures=exposures, commits=commits)
    TurnLog(house.tenant.folder).append([line])


async def test_it_is_pinned_in_the_owners_words_beside_the_directive_the_turn_went_by(house: House) -> None:
    turn(house)
    await stated(house)
    rule = parse(RULE, (house.root / RULE).read_text())
    assert (rule.text, rule.head.state) == (WORDS, "pinned")
    [one] = house.store.all()
    assert (one.state, one.kind, one.family, one.commit) == (State.KEPT, Kind.STATED, "showings", house.history.head())
    assert house.told() == [
        "Written down as a rule: Always attach the W-9 with invoices. Say “undo that” if you meant something else."
    ]
    await stated(house)
    assert (len(house.store.all()), len(house.told()), len(house.commits())) == (1, 1, 1)


async def test_what_a_rule_says_already_is_not_written_again(house: House) -> None:
    turn(house)
    await stated(house)
    await stating.write(house.loop, house.tenant, TURN, "m2", "always attach the W-9 with an invoice")
    assert (len(house.store.all()), len(house.told()), len(house.commits())) == (1, 1, 1)


async def test_two_rules_that_begin_alike_are_two(house: House) -> None:
    turn(house)
    await stating.write(house.loop, house.tenant, TURN, "m1", "Always text the buyer before a showing on Saturday")
    await stating.write(house.loop, house.tenant, TURN, "m2", "Always text the buyer before a closing, in the morning")
    assert sorted(path.name for path in (house.root / "directives/rules/showings").glob("*.md")) == [
        "always-text-the-buyer-before-a-2.md",
        "always-text-the-buyer-before-a.md",
    ]


async def test_what_the_turn_wrote_into_a_directive_itself_is_no_rule_beside_it(house: House) -> None:
    (house.root / "directives/showings.md").write_text(
        (house.root / "directives/showings.md").read_text() + "\nAlways attach the W-9.\n"
    )
    turn(house, house.history.commit_admin().commits[0].id)
    await stated(house)
    assert (house.store.all(), house.told()) == ([], [])


async def test_a_turn_that_the_log_does_not_have_goes_by_the_readme(house: House) -> None:
    await stated(house)
    assert house.store.all()[0].family == "README"


async def test_a_kill_while_it_is_written_leaves_one_rule_that_is_told_once(house: House, tmp_path: Path) -> None:
    turn(house)

    def end(it: House) -> object:
        return (
            [one.model_dump(exclude={"opened", "landed", "ended", "commit"}) for one in it.store.all()],
            [one.commit == it.history.head() for one in it.store.all()],
            [commit.subject for commit in it.commits()],
            it.told(),
            it.says("showings/always-attach-the-w-9-with"),
        )

    assert await killed_everywhere(house, tmp_path, stated, end) > 5
