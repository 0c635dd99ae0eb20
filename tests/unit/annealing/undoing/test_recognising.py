"""What other people's commits did to improvements: taken back, put back, or neither."""

import pytest

from runtime.annealing.records import Improvement, State
from runtime.annealing.undoing.recognising import Recognised, recognised
from runtime.tenant.git.history import ADMIN, Origin
from runtime.tenant.rules.files import path_of
from tests.undoing_house import House, add, delete, move, update

OWNER = Origin(actor="owner", tenant="anden", turn="command:1")


def told(house: House, since: str) -> list[tuple[str, bool]]:
    found = recognised(house.history, list(house.improvements.values()), since)
    assert all(isinstance(one, Recognised) for one in found)
    return [(one.improvement.id, one.back) for one in found]


def landed(house: House) -> Improvement:
    return house.land("a", add("leads/new", "Ask for the budget."))


@pytest.mark.parametrize("how", ["git", "undo", "command line", "file deleted"])
def test_it_is_recognised_however_a_person_takes_it_back(house: House, how: str) -> None:
    one = landed(house)
    since = house.history.head()
    house.edit("directives/leads.md", lambda text: text + "\nAnd smile.\n")
    match how:
        case "git":
            house.git("revert", "--no-edit", one.commit)
        case "undo":
            house.history.revert(one.commit, OWNER)
        case "command line":
            house.history.revert(one.commit, Origin(actor=ADMIN, tenant="anden"))
        case _:
            house.edit(path_of("leads/new"), None)
    assert told(house, since) == [("a", False)]
    [found] = recognised(house.history, [one], since)
    assert found.commit.id == house.history.head()
    assert told(house, house.history.head()) == []


def test_old_words_put_back_by_hand_are_a_taking_back(house: House) -> None:
    house.land("a", update("leads/tone", "One, two, three."))
    since = house.history.head()
    house.note("leads/tone", helpful=1)
    house.edit(path_of("leads/tone"), lambda text: text.replace("One, two, three.", "One.\nTwo, too.\nThree."))
    assert told(house, since) == [], "other words, not the old ones"
    house.edit(path_of("leads/tone"), lambda text: text.replace("Two, too.", "Two."))
    assert told(house, since) == [("a", False)]


def test_a_deleted_or_moved_rule_put_back_by_hand_is_one(house: House) -> None:
    old, tone = ((house.root / path_of(ref)).read_text() for ref in ("leads/old", "leads/tone"))
    house.land("a", delete("leads/old"))
    house.land("b", move("leads/tone", "closing/tone"))
    since = house.history.head()
    house.edit(path_of("leads/old"), lambda _: old)
    (house.root / path_of("closing/tone")).unlink()
    house.edit(path_of("leads/tone"), lambda _: tone)
    assert told(house, since) == [("a", False), ("b", False)]


def test_of_two_rules_one_deleted_is_not_all_of_it(house: House) -> None:
    house.land("a", add("leads/one", "One."), add("leads/two", "Two."))
    since = house.history.head()
    house.edit(path_of("leads/one"), None)
    assert told(house, since) == []
    house.edit(path_of("leads/two"), None)
    assert told(house, since) == [("a", False)]


def test_a_promotion_is_no_taking_back(house: House) -> None:
    landed(house)
    since = house.history.head()
    (house.root / path_of("leads/new")).unlink()
    house.edit("directives/leads.md", lambda text: text.replace("brochure.", "brochure. Ask for\nthe budget."))
    assert told(house, since) == []


def test_the_loops_own_and_the_assistants_commits_are_not_somebody_elses(house: House) -> None:
    landed(house)
    since = house.history.head()
    house.note("leads/new", helpful=3)
    house.undo("a")
    assert told(house, since) == []


def test_the_revert_of_a_revert_puts_it_back_with_all_that_went_with_it(house: House) -> None:
    landed(house)
    house.land("b", update("leads/new", "Ask for the budget first."))
    made = house.undo("a")
    house.state("a", State.ROLLED_BACK)
    house.state("b", State.ROLLED_BACK)
    since = house.history.head()
    house.git("revert", "--no-edit", made.commit)
    assert told(house, since) == [("a", True), ("b", True)]
    house.git("revert", "--no-edit", "HEAD")
    assert told(house, since) == [], "and out again: as it was recorded"
    house.state("a", State.KEPT)
    house.state("b", State.KEPT)
    assert told(house, since) == [("a", False), ("b", False)]


def test_a_deletion_by_hand_that_is_reverted_puts_it_back(house: House) -> None:
    landed(house)
    gone = house.edit(path_of("leads/new"), None)
    since = house.history.head()
    house.improvements["a"] = house.improvements["a"].model_copy(update={"state": State.ROLLED_BACK, "undone": gone.id})
    house.git("revert", "--no-edit", gone.id)
    assert told(house, since) == [("a", True)]


def test_with_an_unknown_beginning_all_commits_are_looked_at(house: House) -> None:
    one = landed(house)
    house.git("revert", "--no-edit", one.commit)
    assert told(house, "0" * 40) == [("a", False)]
    assert told(house, "") == [("a", False)]
