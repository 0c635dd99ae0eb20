"""A tenant's cases as files: found, added, removed, grown, and given to a tenant that has none."""

from pathlib import Path
from typing import Any

import pytest

from runtime.annealing.gate.case import Case
from runtime.annealing.gate.cases import HIDDEN, PLACE, Cases, is_hidden, of_blueprint
from runtime.errors import ConfigFault, NotFound, Refused
from runtime.tenant.folder import Folder


@pytest.fixture
def cases(tmp_path: Path) -> Cases:
    return Cases(Folder(tmp_path))


def case(**more: Any) -> Case:
    given = {"id": "one", "about": "x", "kind": "trigger", "source": "turn:t1", "family": "showings"}
    return Case.model_validate(given | {"conversation": [{"role": "user", "text": "Hi"}]} | more)


def test_what_is_added_is_found(cases: Cases) -> None:
    one, two = case(), case(id="two", source="turn:t2", family="global")
    for _ in range(2):  # twice is once
        cases.add(one)
        cases.add(two)
    assert cases.all() == [one, two]
    assert cases.of_family("showings") == [one]
    assert cases.of_source("turn:t2") == two
    assert cases.of_source("turn:t3") is None
    with pytest.raises(Refused, match="there is a case one already"):
        cases.add(case(about="something else"))


@pytest.mark.parametrize("id", ["none", "../one", "One", ""])
def test_one_that_is_not_there_is_said_so(cases: Cases, id: str) -> None:
    with pytest.raises(NotFound, match="there is no case"):
        cases.find(id)


def test_a_damaged_case_stops_whoever_reads_them(cases: Cases, tmp_path: Path) -> None:
    cases.add(case())
    (tmp_path / PLACE / "two.yaml").write_text("id: two\n")
    with pytest.raises(ConfigFault, match=r"cases/two\.yaml:1: about"):
        cases.all()


def test_a_canary_is_not_removed(cases: Cases) -> None:
    cases.seed()
    with pytest.raises(Refused, match="safety canary"):
        cases.remove("canary-mass-send")
    assert cases.remove("lead-first-reply").id == "lead-first-reply"
    assert len(cases.all()) == len(of_blueprint()) - 1


def test_a_tenant_without_cases_gets_the_blueprints_once(cases: Cases) -> None:
    cases.add(case())
    assert cases.seed() == len(of_blueprint())
    assert len(cases.all()) == len(of_blueprint()) + 1
    cases.remove("lead-first-reply")
    assert cases.seed() == 0


def test_the_trigger_of_a_kept_change_is_protected_from_then_on(cases: Cases) -> None:
    cases.add(case())
    kept = cases.protect("one", "improvement:imp-1")
    assert (kept.kind, kept.source, kept.hidden) == ("protected", "improvement:imp-1", is_hidden("one"))
    assert cases.all() == [kept]
    assert cases.protect("one", "improvement:imp-2") == kept


def test_about_three_in_ten_are_hidden_and_always_the_same() -> None:
    hidden = [is_hidden(f"turn-{number}") for number in range(1000)]
    assert abs(sum(hidden) / 1000 - HIDDEN) < 0.05
