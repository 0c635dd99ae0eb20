"""Random histories on real git, as `scripts/bench annealing` counts them, and that the count tells right from wrong."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[4] / "scripts/benchmarks"))

from _edits import FIRST, Edit, Effect, replay, without
from _histories import counted, histories_report

from runtime.annealing.undoing import plan
from runtime.annealing.undoing.landings import Landed
from runtime.annealing.undoing.plan import Case


def test_random_histories_end_right() -> None:
    right, again, *ways = histories_report(n=25, seed=20)
    assert (right.n, right.met) == (25, True)
    assert again.n == 6
    assert sum(way.value for way in ways) == pytest.approx(1)
    assert len(ways) >= 3, "ways of several kinds are met"


def test_a_cascade_left_out_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    def alone(case: Case, *_: object) -> tuple[Landed, ...]:
        return (case.culprit,)

    monkeypatch.setattr(plan, "_going", alone)
    assert counted(20, 25).mistakes


def lines(*words: str, first: int = 1) -> tuple[tuple[int, str], ...]:
    return tuple(enumerate(words, start=first))


BASE = Edit("person", (Effect(uid=1, do="create", ref="leads/a", lines=lines("one", "two")),))
TOLD = Edit("improvement", (Effect(uid=1, do="replace", line=2, old="two", new="2"),), "i", frozenset({"leads/a"}))
NEXT = Edit("improvement", (Effect(uid=1, do="insert", line=3, new="3", left=2),), "j", frozenset({"leads/a"}))


def text(*edits: Edit) -> str:
    done = without([BASE, *edits], set(), "i", [edit.id for edit in edits if edit.by == "improvement"])
    return done.world[1].text


def test_what_was_meant_says_what_has_to_be_left() -> None:
    elsewhere = Edit("person", (Effect(uid=1, do="replace", line=1, old="one", new="1"),))
    same = Edit("person", (Effect(uid=1, do="replace", line=2, old="2", new="II"),))
    before = Edit("person", (Effect(uid=1, do="insert", line=9, new="zero", left=FIRST, right=1),))
    assert text(TOLD) == "one\ntwo"
    assert text(TOLD, elsewhere, before) == "zero\n1\ntwo"
    assert text(TOLD, NEXT) == "one\ntwo", "what stands on it goes too"
    assert text(TOLD, same) == "one\nII", "a person's line stays"
    assert text(TOLD, same, NEXT) == "one\nII\n3", "with what later improvements did to it"
    assert replay([BASE, TOLD], set()).world[1].text == "one\n2"
