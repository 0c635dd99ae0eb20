"""What the owner is told: one line, once, of what they did not do themselves."""

import pytest

from runtime.annealing import telling
from runtime.annealing.records import Kind, State
from runtime.tenant.config import edit_config
from tests.annealing_house import House, add


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"state": State.KEPT}, "I learned something and it works: Read it back"),
        ({"state": State.KEPT, "kind": Kind.STATED}, "Written down as a rule: Read it back"),
        ({"state": State.KEPT, "reason": telling.PINNED}, ""),
        ({"state": State.ROLLED_BACK}, "I took back something I had tried, because it made things worse: Read it back"),
        ({"state": State.ROLLED_BACK, "reason": "the owner took it back: x"}, ""),
        ({"state": State.ROLLED_BACK, "superseded": True}, ""),
        ({"state": State.UNPROVEN}, "I took back something I had tried, because it changed nothing: Read it back"),
        ({"state": State.ROLLED_BACK, "kind": Kind.EMPTY}, ""),
        *[({"state": state}, "") for state in (State.PROPOSED, State.GATED, State.PROBATION, State.REJECTED)],
        ({"state": State.CONFLICT}, ""),
    ],
)
def test_the_line_says_what_became_of_it(house: House, more: dict[str, object], said: str) -> None:
    one = house.improvement("a", add("showings/a", "Read it back.")).model_copy(update=more)
    found = telling.line(one)
    assert found.startswith(said)
    assert bool(found) is bool(said)


def test_it_is_read_on_a_phone(house: House) -> None:
    one = house.improvement("a", add("showings/a", "Read it back. " * 28)).model_copy(update={"state": State.KEPT})
    assert len(telling.line(one)) <= telling.WORDS


def test_each_ending_is_told_once_and_an_owner_without_a_channel_nothing(house: House) -> None:
    one = house.improvement().model_copy(update={"state": State.KEPT})
    for over in (one, one, one.model_copy(update={"state": State.ROLLED_BACK})):
        house.loop.database.write_now(lambda tx, over=over: telling.tell(tx, house.tenant, over, 1.0))
    assert len(house.told()) == 2

    def change(tree: dict[str, object]) -> None:
        tree["people"] = [{"name": "Anden", "role": "owner"}]

    edit_config(house.tenant.folder, change)
    other = house.improvement("b").model_copy(update={"state": State.KEPT})
    house.loop.database.write_now(lambda tx: telling.tell(tx, house.tenant, other, 1.0))
    assert len(house.told()) == 2
