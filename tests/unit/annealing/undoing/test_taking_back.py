"""Improvements taken back on real git: each way, what stays, what goes too, and a kill at any line."""

import itertools
from functools import partial
from pathlib import Path

import pytest

from runtime.annealing.records import Kind, State
from runtime.annealing.undoing.plan import Way
from runtime.errors import Refused
from runtime.tenant.git.commits import Conflict
from runtime.tenant.rules.files import path_of
from tests.undoing_house import House, add, delete, move, update

SEND = "execution/send.py"


def test_an_added_rule_goes_as_git_would_do_it(house: House) -> None:
    before = house.tree()
    landed = house.land("a", add("leads/new", "Ask for the budget."))
    house.edit("directives/leads.md", lambda text: text.replace("hour", "day"))
    outcome = house.undo("a")
    assert (outcome.way, outcome.superseded, outcome.alarm, outcome.note) == (Way.COMMIT, (), "", "")
    commit = house.history.find(outcome.commit)
    assert commit.parents == (house.history.log(limit=2)[1].id,)
    assert commit.subject == 'Revert "anneal(leads): a"'
    assert commit.reverts == landed.commit
    wanted = {"Reverts-Improvement": "a", "Reason": "it made things worse", "E": "6.25", "n": "9", "Actor": "agent"}
    assert wanted.items() <= commit.trailers.items()
    sop = before["directives/leads.md"].replace(b"hour", b"day")
    assert house.tree() == before | {"directives/leads.md": sop}, "the admin's later edit stays"
    assert house.clean()


def test_what_the_loop_noted_in_a_rule_is_no_reason_to_keep_it(house: House) -> None:
    house.land("a", add("leads/new", "Ask for the budget."))
    house.note("leads/new", state="kept", helpful=4)
    outcome = house.undo("a")
    assert outcome.way is Way.RULE
    assert not house.has("leads/new")
    assert house.clean()


def test_old_words_come_back_below_what_was_changed_elsewhere_in_the_rule(house: House) -> None:
    house.note("leads/tone", helpful=3)
    house.land("a", update("leads/tone", "One.\nTwo, always.\nThree."))
    house.edit(path_of("leads/tone"), lambda text: text.replace("Three.", "Three!") + "Four.\n")
    house.note("leads/tone", helpful=2, triggers=("tone",))
    outcome = house.undo("a")
    rule = house.rule("leads/tone")
    assert rule.text == "One.\nTwo.\nThree!\nFour."
    assert (rule.head.state, rule.head.helpful, rule.head.triggers, rule.head.improvement) == ("kept", 5, ("tone",), "")
    assert outcome.commit
    assert house.clean()


def test_counts_made_since_are_added_to_the_old_ones_and_the_old_state_is_back(house: House) -> None:
    house.note("leads/tone", helpful=2)
    house.land("a", update("leads/tone", "One, two, three."))
    assert house.rule("leads/tone").head.helpful == 0, "new words begin anew"
    house.note("leads/tone", helpful=2, harmful=1, state="kept")
    house.undo("a")
    head = house.rule("leads/tone").head
    assert (head.state, head.helpful, head.harmful) == ("kept", 4, 1)


def test_where_the_loop_changed_the_same_words_the_old_ones_win_and_it_is_said(house: House) -> None:
    house.land("a", update("leads/tone", "One.\nTwo, always.\nThree."))
    rule = house.rule("leads/tone")
    house.by_loop(rule.path, rule.rendered.replace("Two, always.", "Two, most of the time."))
    outcome = house.undo("a")
    assert house.rule("leads/tone").text == "One.\nTwo.\nThree."
    assert outcome.way is Way.RULE
    assert "the old words are back" in outcome.note
    assert "the old words are back" in house.history.find(outcome.commit).body


@pytest.mark.parametrize("what", ["added", "changed"])
def test_a_rule_a_person_has_made_theirs_stays(house: House, what: str) -> None:
    ref = {"added": "leads/new", "changed": "leads/tone"}[what]
    house.land("a", add(ref, "One.\nTwo, always.") if what == "added" else update(ref, "One.\nTwo, always.\nThree."))
    house.edit(path_of(ref), lambda text: text.replace("always", "says Anden"))
    before = house.history.head()
    outcome = house.undo("a")
    assert (outcome.way, outcome.commit) == (Way.RECORD, "")
    assert "edited by a person" in outcome.note
    assert "says Anden" in house.rule(ref).text
    assert house.history.head() == before


def test_of_two_rules_the_one_that_is_a_persons_stays_and_the_other_goes(house: House) -> None:
    house.land("a", add("leads/one", "One."), add("leads/two", "Two."))
    house.edit(path_of("leads/two"), lambda text: text.replace("Two.", "Two, says Anden."))
    outcome = house.undo("a")
    assert outcome.way is Way.RULE
    assert (house.has("leads/one"), house.rule("leads/two").text) == (False, "Two, says Anden.")
    assert "leads/two.md has been edited by a person" in outcome.note


def test_a_pinned_rule_stays_unless_a_person_asks(house: House) -> None:
    house.land("a", add("leads/new", "Ask for the budget."))
    house.edit(path_of("leads/new"), lambda text: text.replace("probation", "pinned"))
    kept = house.undo("a")
    assert (kept.way, house.has("leads/new")) == (Way.RECORD, True)
    assert "pinned" in kept.note
    gone = house.undo("a", actor="owner")
    assert (bool(gone.commit), house.has("leads/new")) == (True, False)
    assert house.history.find(gone.commit).trailers["Actor"] == "owner"


def test_a_deleted_rule_is_put_back_byte_for_byte(house: House) -> None:
    before = house.tree()
    house.land("a", delete("leads/old"))
    assert house.undo("a").way is Way.COMMIT
    assert house.tree() == before


def test_a_deleted_rule_that_a_person_wrote_anew_is_theirs(house: House) -> None:
    house.land("a", delete("leads/old"))
    house.edit(path_of("leads/old"), lambda _: '---json\n{"id": "old"}\n---\n\nBe brief.\n')
    outcome = house.undo("a")
    assert (outcome.way, house.rule("leads/old").text) == (Way.RECORD, "Be brief.")


def test_a_moved_rule_is_moved_back_with_what_was_changed_in_it(house: House) -> None:
    house.land("a", move("leads/tone", "closing/tone"))
    house.edit(path_of("closing/tone"), lambda text: text.replace("Two.", "Two!"))
    house.undo("a")
    assert (house.has("closing/tone"), house.rule("leads/tone").text) == (False, "One.\nTwo!\nThree.")
    assert house.rule("leads/tone").head.id == "tone"


def test_a_rule_whose_old_name_is_taken_is_not_moved_back(house: House) -> None:
    house.land("a", move("leads/tone", "closing/tone"))
    house.edit(path_of("leads/tone"), lambda _: '---json\n{"id": "tone"}\n---\n\nAnother.\n')
    outcome = house.undo("a")
    assert (outcome.way, house.rule("leads/tone").text) == (Way.RECORD, "Another.")
    assert house.has("closing/tone")


def test_a_persons_lines_in_a_moved_rule_stay_though_its_old_name_is_another_rules(house: House) -> None:
    house.land("a", move("leads/tone", "closing/tone"))
    house.land("b", update("closing/tone", "All.\nAnew."), add("leads/tone", "Another."))
    house.edit(path_of("closing/tone"), lambda text: text.replace("Anew.", "Anew, says Anden."))
    outcome = house.undo("a")
    assert (outcome.way, outcome.superseded) == (Way.RECORD, ())
    assert house.rule("closing/tone").text == "All.\nAnew, says Anden."
    assert house.rule("leads/tone").text == "Another."


def test_a_rule_that_would_be_left_without_words_goes(house: House) -> None:
    house.land("a", update("leads/old", "Be kind.\nBe short.\nBe quick."))
    house.edit(path_of("leads/old"), lambda text: text.replace("Be kind.\nBe short.\n", ""))
    outcome = house.undo("a")
    assert (bool(outcome.commit), house.has("leads/old")) == (True, False)
    assert "no words left" in outcome.note


def test_a_rule_that_was_moved_twice_comes_back_as_it_was(house: House) -> None:
    before = house.tree()
    house.land("a", move("leads/tone", "closing/tone"))
    house.land("b", move("closing/tone", "closing/voice"), add("closing/x", "X."))
    outcome = house.undo("a")
    assert (outcome.superseded, outcome.way) == (("b",), Way.CASCADE)
    assert house.tree() == before


def test_a_rule_that_is_gone_is_only_recorded(house: House) -> None:
    house.land("a", add("leads/new", "Ask for the budget."))
    house.edit(path_of("leads/new"), None)
    outcome = house.undo("a")
    assert (outcome.way, outcome.commit) == (Way.RECORD, "")
    assert "gone already" in outcome.note


def test_later_improvements_of_the_same_rule_go_too_in_one_commit(house: House) -> None:
    before = house.tree()
    house.land("a", add("leads/new", "Ask for the budget."))
    house.land("b", update("leads/new", "Ask for the budget and the date."), add("leads/more", "More."))
    house.land("c", add("leads/other", "Other."))
    house.land("d", update("leads/more", "Much more."))
    house.state("b", State.KEPT)
    head = house.history.head()
    outcome = house.undo("a")
    assert (outcome.way, outcome.superseded) == (Way.CASCADE, ("d", "b"))
    commit = house.history.find(outcome.commit)
    assert commit.parents == (head,)
    assert commit.trailers["Supersedes-1"] == "d"
    assert "anneal(leads): b" in commit.body
    other = path_of("leads/other")
    assert house.tree() == before | {other: house.tree()[other]}


def test_one_that_was_taken_back_before_does_not_go_again(house: House) -> None:
    house.land("a", update("leads/tone", "One.\nTwo, always.\nThree."))
    house.land("b", update("leads/tone", "One.\nTwo, always.\nThree, never."))
    first = house.undo("b")
    house.state("b", State.ROLLED_BACK)
    outcome = house.undo("a")
    assert (first.superseded, outcome.superseded) == ((), ())
    assert house.rule("leads/tone").text == "One.\nTwo.\nThree."


def test_what_later_improvements_did_to_a_persons_rule_stays_with_it(house: House) -> None:
    house.land("a", add("leads/new", "Ask for the budget."))
    house.edit(path_of("leads/new"), lambda text: text.replace("budget", "price"))
    house.land("b", update("leads/new", "Ask for the price first."))
    outcome = house.undo("a")
    assert (outcome.way, outcome.superseded) == (Way.RECORD, ())
    assert house.rule("leads/new").text == "Ask for the price first."


def test_changes_that_overlap_together_but_not_one_by_one_are_put_on_again(house: House) -> None:
    house.land("m", move("leads/tone", "closing/tone"), add("leads/x", "X."))
    house.land("a", update("closing/tone", "One.\nOne and a half.\nTwo.\nThree."))
    path = path_of("closing/tone")
    house.edit(path, lambda text: text.replace("One and a half.\n", ""))
    house.edit(path, lambda text: text.replace("One.", "One!"))
    house.edit(path, lambda text: text.replace("Two.", "Two!"))
    outcome = house.undo("m")
    assert (outcome.way, outcome.superseded, outcome.note) == (Way.CASCADE, ("a",), "")
    assert (house.rule("leads/tone").text, house.has("closing/tone")) == ("One!\nTwo!\nThree.", False)
    assert house.rule("leads/tone").head.state == "kept"


def test_the_owners_own_words_on_top_are_kept_as_a_persons(house: House) -> None:
    house.land("a", add("leads/new", "Ask for the budget."))
    told = house.land("b", update("leads/new", "Ask for the price."))
    house.improvements["b"] = told.model_copy(update={"kind": Kind.STATED})
    outcome = house.undo("a")
    assert (outcome.way, outcome.superseded) == (Way.RECORD, ())
    assert house.rule("leads/new").text == "Ask for the price."
    assert house.undo("b", actor="owner").way is Way.COMMIT, "by themselves they can be taken back"


def test_a_promoted_rule_is_only_recorded_and_the_text_stays(house: House) -> None:
    house.land("a", add("leads/new", "Ask for the budget."))
    (house.root / path_of("leads/new")).unlink()
    house.edit("directives/leads.md", lambda text: text + "\nAsk for the budget.\n")
    assert house.undo("a").way is Way.RECORD
    assert "Ask for the budget." in (house.root / "directives/leads.md").read_text()


def test_a_similar_rule_is_never_taken_for_a_renamed_one(house: House) -> None:
    """git's revert follows renames by likeness, and two rules are much alike."""
    house.land("a", update("leads/tone", "One.\nTwo, always.\nThree."))
    house.edit(path_of("leads/tone"), None)
    like = house.land("b", add("leads/like", "One.\nTwo, always.\nThree."))
    outcome = house.undo("a")
    assert (outcome.way, outcome.superseded) == (Way.RECORD, ())
    assert house.rule("leads/like").text == like.operations[0].text


# Again, and at once with others


def test_taking_back_twice_is_once_whoever_did_it(house: House) -> None:
    house.land("a", add("leads/new", "New."))
    house.land("b", update("leads/new", "Newer."))
    first = house.undo("a")
    head = house.history.head()
    again = house.undo("a")  # as after a kill before the caller wrote it down
    assert (again.way, again.commit, again.superseded) == (Way.ALREADY, first.commit, ("b",))
    assert house.history.head() == head
    house.land("c", add("leads/third", "Third."))
    house.git("revert", "--no-edit", "HEAD")
    by_hand = house.undo("c")
    assert (by_hand.way, by_hand.commit) == (Way.ALREADY, house.history.head())


def test_what_was_put_back_by_a_person_can_be_taken_back_again(house: House) -> None:
    house.land("a", add("leads/new", "New."))
    first = house.undo("a")
    house.git("revert", "--no-edit", first.commit)
    assert house.has("leads/new")
    second = house.undo("a")
    assert second.way is Way.COMMIT
    assert second.commit != first.commit
    assert not house.has("leads/new")


def test_a_kill_after_head_moved_is_finished_by_the_next_call(house: House) -> None:
    house.land("a", add("leads/new", "New."))
    made = house.undo("a")
    # As it is when the kill came before the files were brought: HEAD has moved, the landing ref is there.
    house.git("update-ref", "refs/proxystaff/landing", made.commit)
    house.git("checkout", "HEAD~1", "--", path_of("leads/new"))
    assert house.has("leads/new")
    again = house.undo("a")
    assert (again.commit, house.has("leads/new"), house.clean()) == (made.commit, False, True)


def test_a_kill_at_any_step_leaves_nothing_or_all_and_the_next_call_makes_no_second_commit(
    house: House, tmp_path: Path
) -> None:
    before = house.tree()
    house.land("a", update("leads/tone", "One.\nTwo, always.\nThree."), delete("leads/old"))
    house.land("b", update("leads/tone", "One.\nTwo, always.\nThree, never."), add("leads/new", "New."))
    house.edit("life/notes.txt", lambda _: "an admin's\n")
    wanted = before | {"life/notes.txt": b"an admin's\n"}
    found = []
    for step in itertools.count():
        copy = house.copy(tmp_path / f"killed-{step}")
        killed = copy.killed_at(step, partial(copy.undo, "a"))
        head = copy.history.head()
        outcome = copy.undo("a")
        made = [one for one in copy.history.since("") if one.trailers.get("Reverts-Improvement") == "a"]
        assert [one.id for one in made] == [outcome.commit]
        assert (outcome.superseded, copy.tree() == wanted, copy.clean()) == (("b",), True, True)
        found.append(outcome.way)
        assert (outcome.way is Way.ALREADY) == (head == outcome.commit)
        if not killed:
            break
    assert found.count(Way.CASCADE) > 5
    assert found.count(Way.ALREADY) > 5


def test_a_rule_somebody_is_editing_is_left_for_later(house: House) -> None:
    house.land("a", update("leads/tone", "One.\nTwo, always.\nThree."))
    path = house.root / path_of("leads/tone")
    path.write_text(path.read_text().replace("One.", "One and a ha"))
    head = house.history.head()
    with pytest.raises(Conflict) as raised:
        house.undo("a")
    assert raised.value.files == (path_of("leads/tone"),)
    assert (house.history.head(), "One and a ha" in path.read_text()) == (head, True)
    house.history.commit_admin()
    house.undo("a")
    assert house.rule("leads/tone").text == "One and a ha\nTwo.\nThree."


def test_what_never_landed_is_refused(house: House) -> None:
    house.land("a", add("leads/new", "New."))
    house.improvements["a"] = house.improvements["a"].model_copy(update={"commit": "0" * 40})
    with pytest.raises(Refused):
        house.undo("a")


# Tools


def code(house: House) -> str:
    return (house.root / SEND).read_text()


def test_a_tool_gets_its_lines_back_and_keeps_others(house: House) -> None:
    text = code(house)
    house.land("a", code={SEND: text.replace("A = 1", "A = 3")})
    house.edit(SEND, lambda text: text.replace("B = 2", "B = 4"))
    assert house.undo("a").way is Way.COMMIT
    assert code(house) == text.replace("B = 2", "B = 4")
    assert (house.root / SEND).stat().st_mode & 0o111


def test_of_a_chain_on_the_same_lines_only_what_stands_alone_stays(house: House) -> None:
    text = code(house)
    house.land("a", code={SEND: text.replace("A = 1", "A = 3")})
    house.land("b", code={SEND: code(house).replace("A = 3", "A = 33")})
    house.land("c", code={SEND: code(house).replace("B = 2", "B = 4")})
    outcome = house.undo("a")
    assert (outcome.way, outcome.superseded) == (Way.CHAIN, ("b",))
    assert code(house) == text.replace("B = 2", "B = 4")


def test_a_later_change_that_does_not_pass_without_it_goes_too(house: House) -> None:
    """Not on the same lines, but its tests need what is taken back."""
    text = code(house)
    house.land("a", code={SEND: text.replace("A = 1", "A = 3")})
    house.land("b", code={SEND: code(house).replace("B = 2", "B = 2 * A")})
    seen = []

    def trial(files: dict[str, bytes | None]) -> bool:
        seen.append(files[SEND])
        return b"2 * A" not in (files[SEND] or b"") or b"A = 3" in (files[SEND] or b"")

    outcome = house.undo("a", trial=trial)
    assert (outcome.way, outcome.superseded) == (Way.CHAIN, ("b",))
    assert (code(house), len(seen) >= 3) == (text, True)


def test_a_persons_lines_in_a_tool_stay_and_somebody_is_told(house: House) -> None:
    house.land("a", code={SEND: code(house).replace("A = 1", "A = 3")})
    house.edit(SEND, lambda text: text.replace("A = 3", "A = 3000"))
    outcome = house.undo("a")
    assert (outcome.way, "A = 3000" in code(house)) == (Way.RECORD, True)
    assert SEND in outcome.alarm


def test_when_nothing_else_works_the_last_good_file_is_made_anew(house: House) -> None:
    text = code(house)
    assert house.history.mark_good() == "annealed-good/1"
    assert house.history.mark_good() == "annealed-good/1"
    house.land("kept", code={SEND: text.replace("B = 2", "B = 4")})
    house.by_loop(SEND, code(house).replace("return A", "return undefined"))  # broken before the culprit came
    house.land("a", code={SEND: code(house).replace("A = 1", "A = 3")})
    assert house.history.mark_good() == "annealed-good/2"
    outcome = house.undo("a", trial=lambda files: b"undefined" not in (files[SEND] or b""))
    assert outcome.way is Way.TAG
    assert "annealed-good/1" in outcome.alarm
    assert code(house) == text.replace("B = 2", "B = 4")
    assert house.history.find(outcome.commit).trailers["Alarm"] == outcome.alarm
    assert house.undo("a").alarm == outcome.alarm, "found again after a kill"


def test_without_a_good_one_it_stays_and_somebody_is_told(house: House) -> None:
    house.land("a", add("leads/new", "New."), code={SEND: code(house).replace("A = 1", "A = 3")})
    outcome = house.undo("a", trial=lambda _files: False)
    assert SEND in outcome.alarm
    assert (house.has("leads/new"), "A = 3" in code(house)) == (False, True)
