"""Which cases a change is played against."""

from datetime import UTC, datetime
from typing import Any

from runtime.annealing.gate.case import Case
from runtime.annealing.gate.choosing import choose
from runtime.annealing.gate.verdict import CaseKind
from runtime.annealing.records import Improvement, Operation, Trigger

AT = datetime(2026, 11, 20, tzinfo=UTC)


def case(id: str, kind: str = "protected", **more: Any) -> Case:
    given = {"id": id, "about": "x", "kind": kind, "source": "blueprint", "expect": {"says": ["x"]}}
    return Case.model_validate(given | {"conversation": [{"role": "user", "text": "Hi"}]} | more)


def improvement(id: str = "imp-1") -> Improvement:
    triggers = [Trigger(signal="s", turn=f"t{number}", conversation="c", at=AT, text="x") for number in range(5)]
    operation = Operation(do="ADD", rule="showings/new", text="x")
    return Improvement(
        id=id,
        tenant="anden",
        family="showings",
        idea="i",
        intent="i",
        operations=(operation,),
        triggers=tuple(triggers),
        opened=AT,
    )


CASES = [
    *(case(f"canary-{number}", "canary") for number in range(8)),
    *(case(f"own-{number}", family="showings", hidden=number % 3 == 0) for number in range(20)),
    *(case(f"other-{number}", family="listing-alerts") for number in range(5)),
    *(case(f"any-{number}") for number in range(5)),
    *(case(f"turn-{number}", "trigger", family="showings", source=f"turn:t{number}") for number in range(5)),
    case("foreign", "trigger", source="turn:other"),
]


def test_a_full_gate_has_its_numbers_and_every_canary() -> None:
    kinds = choose(improvement(), CASES).kinds
    count = {kind: list(kinds.values()).count(kind) for kind in CaseKind}
    assert count == {CaseKind.TRIGGER: 3, CaseKind.FAMILY: 12, CaseKind.GLOBAL: 2, CaseKind.CANARY: 8}
    assert not [id for id in kinds if id.startswith(("other-", "foreign"))]
    assert any(choose(improvement(), CASES).find(id).hidden for id in kinds)
    assert choose(improvement(), CASES).few == ()


def test_the_same_change_meets_the_same_cases_and_another_one_others() -> None:
    assert choose(improvement(), CASES) == choose(improvement(), CASES[::-1])
    assert choose(improvement(), CASES).kinds.keys() != choose(improvement("imp-2"), CASES).kinds.keys()


def test_it_says_of_what_there_is_less() -> None:
    few = choose(improvement(), [one for one in CASES if one.kind == "canary" or one.id in ("own-1", "turn-1")]).few
    assert few == (
        "1 of 3 trigger cases are there",
        "1 of 12 family cases are there",
        "0 of 2 global cases are there",
    )
