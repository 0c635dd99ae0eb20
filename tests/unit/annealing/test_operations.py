"""Operations on rules: the files they make, and what they do not stand on."""

from datetime import date
from typing import Any

import pytest

from runtime.annealing.operations import Stamped, apply, result
from runtime.annealing.records import Operation
from runtime.errors import Refused
from runtime.tenant.heads import Rule as Head
from runtime.tenant.rules.files import Rule, parse

STAMPED = Stamped(improvement="imp-1", idea="showings/read-back", since=date(2026, 11, 20))


def rule(ref: str = "showings/late", text: str = "Text when late.", **head: Any) -> Rule:
    directive, _, id = ref.partition("/")
    return Rule(directive, Head(**({"id": id, "state": "kept", "helpful": 3} | head)), text)


def there(*rules: Rule) -> dict[str, Rule]:
    return {one.ref: one for one in rules}


def operation(do: str, ref: str = "showings/late", **more: Any) -> Operation:
    return Operation.model_validate({"do": do, "rule": ref} | more)


def test_a_rule_is_added_in_probation() -> None:
    one = operation("ADD", "showings/read-back", text=" Read it back. ", triggers=["showing"])
    [(path, text)] = apply([one], there(rule()), STAMPED)
    assert path == "directives/rules/showings/read-back.md"
    assert text is not None
    made = parse(path, text)
    assert made.text == "Read it back."
    assert made.head.model_dump() == {
        "id": "read-back",
        "idea": "showings/read-back",
        "state": "probation",
        "triggers": ("showing",),
        "helpful": 0,
        "harmful": 0,
        "since": date(2026, 11, 20),
        "improvement": "imp-1",
    }


def test_new_words_start_anew() -> None:
    old = rule(harmful=1)
    after = result([operation("UPDATE", old_hash=old.hash, text="Call when late.")], there(old), STAMPED)
    assert (after[old.ref].text, after[old.ref].head.helpful, after[old.ref].head.harmful) == ("Call when late.", 0, 0)


def test_a_rule_is_deleted_or_moved_with_its_words() -> None:
    old = rule()
    assert apply([operation("DELETE", old_hash=old.hash)], there(old), STAMPED) == ((old.path, None),)
    move = operation("MOVE", old_hash=old.hash, to="lead-follow-up/on-time")
    made, gone = apply([move], there(old), STAMPED)
    assert gone == (old.path, None)
    assert made[0] == "directives/rules/lead-follow-up/on-time.md"
    moved = parse(made[0], made[1] or "")
    assert (moved.text, moved.head.id, moved.head.helpful, moved.head.state) == (old.text, "on-time", 3, "probation")


def test_operations_stand_on_those_before_them() -> None:
    old = rule()
    move = operation("MOVE", old_hash=old.hash, to="showings/on-time")
    update = operation("UPDATE", "showings/on-time", old_hash=old.hash, text="Call.")
    assert list(result([move, update], there(old), STAMPED)) == ["showings/on-time"]


def test_an_owners_words_are_pinned() -> None:
    stated = Stamped(improvement="imp-1", idea="x", since=date(2026, 11, 20), state="pinned")
    assert result([operation("ADD", text="Mornings only.")], {}, stated)["showings/late"].head.state == "pinned"


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (operation("ADD", text="x"), "is there already"),
        (operation("ADD", "showings/new", text="  "), "has 1 to 400 characters"),
        (operation("ADD", "showings/new", text="x" * 400).model_copy(update={"text": "x" * 401}), "this one 401"),
        (operation("UPDATE", text="x", old_hash="0" * 12), "not those that were seen"),
        (operation("UPDATE", text="x"), "not those that were seen"),
        (operation("DELETE", old_hash="0" * 12), "not those that were seen"),
        (operation("DELETE", "showings/none", old_hash="0" * 12), "no such rule"),
        (operation("UPDATE", "showings/mine", old_hash=rule().hash, text="x"), "it is pinned"),
        (operation("DELETE", "showings/mine", old_hash=rule().hash), "it is pinned"),
        (operation("MOVE", old_hash=rule().hash), "where to"),
        (operation("MOVE", old_hash=rule().hash, to="showings/mine"), "is there already"),
    ],
)
def test_what_does_not_stand_on_the_rules_there_are_is_refused(one: Operation, why: str) -> None:
    with pytest.raises(Refused, match=why):
        apply([one], there(rule(), rule("showings/mine", state="pinned")), STAMPED)
