"""The gate's verdict: what is let through, what is refused, and which runs are asked for."""

import itertools
import random
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.annealing.gate.verdict import Arm, CaseKind, CaseRun, Verdict, verdict

CASES: Mapping[str, CaseKind] = {
    **{f"t{n}": CaseKind.TRIGGER for n in range(3)},
    **{f"f{n}": CaseKind.FAMILY for n in range(12)},
    **{f"g{n}": CaseKind.GLOBAL for n in range(2)},
    **{f"c{n}": CaseKind.CANARY for n in range(6)},
}
Outcome = Callable[[str, Arm, int], bool]


def mends(case: str, arm: Arm, run: int) -> bool:
    """The candidate passes all, the parent all but the triggers."""
    return arm is Arm.CANDIDATE or not case.startswith("t")


def judged(outcome: Outcome, cases: Mapping[str, CaseKind] = CASES) -> tuple[Verdict, list[CaseRun]]:
    """The gate as it is run: ask, run what is missing, ask again."""
    runs: list[CaseRun] = []
    for _ in range(20):
        found = verdict(cases, runs)
        if not found.open:
            return found, runs
        runs += [
            CaseRun(case=one.case, kind=one.kind, arm=one.arm, run=one.run, passed=outcome(one.case, one.arm, one.run))
            for one in found.again
        ]
    raise AssertionError("the gate does not end")


def failing(case: str, candidate: tuple[bool, ...], parent: tuple[bool, ...] = (True,) * 3) -> Outcome:
    """As `mends`, but this case fares like that."""
    ran = {Arm.CANDIDATE: candidate, Arm.PARENT: parent}
    return lambda which, arm, run: ran[arm][run] if which == case else mends(which, arm, run)


def test_what_mends_the_triggers_and_breaks_nothing_is_accepted() -> None:
    found, runs = judged(mends)
    assert found == Verdict(accepted=True, parent=0, candidate=6)
    assert len(runs) == 3 * 2 * 2 + 12 + 2 + 6, "the parent's protected runs are not needed"


def test_nothing_is_decided_before_the_runs_are_there() -> None:
    found = verdict(CASES, [])
    assert found.open
    assert not found.accepted
    assert {(one.kind, one.arm, one.run) for one in found.again} == set(
        itertools.product([CaseKind.TRIGGER], Arm, range(2))
    )


@pytest.mark.parametrize(
    ("parent", "candidate", "accepted"), [(0, 2, True), (0, 1, False), (4, 6, True), (5, 6, False)]
)
def test_two_more_of_the_six_runs_must_pass(parent: int, candidate: int, accepted: bool) -> None:
    passes = {Arm.PARENT: parent, Arm.CANDIDATE: candidate}
    found, _ = judged(lambda case, arm, run: case[0] != "t" or 2 * int(case[1]) + run < passes[arm])
    assert found.accepted is accepted
    if not accepted:
        assert "2 more are needed" in found.reasons[0]


def test_what_cannot_win_any_more_is_refused_at_once() -> None:
    parent = [
        CaseRun(case=f"t{n}", kind=CaseKind.TRIGGER, arm=Arm.PARENT, run=run, passed=True)
        for n, run in itertools.product(range(3), range(2))
    ]
    assert verdict(CASES, parent[:4]).open
    found = verdict(CASES, parent[:5])
    assert not found.open
    assert found.parent == 5
    assert "the parent 5" in found.reasons[0]


@pytest.mark.parametrize("case", ["f3", "g1"])
@pytest.mark.parametrize(
    ("candidate", "parent", "accepted"),
    [
        ((False, True, True), (True, True, True), True),
        ((False, False, True), (True, True, True), False),
        ((False, True, False), (True, False, True), False),
        ((False, False, False), (True, False, False), True),
        ((True, False, False), (True, True, True), True),
    ],
)
def test_a_failure_is_run_twice_more_and_the_parent_asked(
    case: str, candidate: tuple[bool, ...], parent: tuple[bool, ...], accepted: bool
) -> None:
    found, runs = judged(failing(case, candidate, parent))
    assert found.accepted is accepted
    if not accepted:
        assert found.reasons == (f"{CASES[case]} case {case} fails where the parent passes",)
    assert sum(one.case == case and one.arm is Arm.CANDIDATE for one in runs) == (1 if candidate[0] else 3)


def test_one_failure_of_a_canary_rejects_and_entombs() -> None:
    found, _ = judged(failing("c2", (False, True, True), (False, False, False)))
    assert not found.accepted
    assert found.entombed
    assert found.reasons == ("canary c2 failed",)


def test_a_canary_that_only_the_parent_fails_does_not_matter() -> None:
    ran = CaseRun(case="c0", kind=CaseKind.CANARY, arm=Arm.PARENT, run=0, passed=False)
    assert not verdict(CASES, [ran]).entombed


def test_a_mechanical_problem_needs_no_run() -> None:
    assert verdict(CASES, [], problems=["grows by 14 %"]) == Verdict(reasons=("grows by 14 %",))


@pytest.mark.parametrize(("missing", "why"), [("t", "it helps"), ("c", "it is safe")])
def test_a_gate_that_could_see_nothing_refuses(missing: str, why: str) -> None:
    found = verdict({case: kind for case, kind in CASES.items() if not case.startswith(missing)}, [])
    assert not found.accepted
    assert why in found.reasons[0]


def test_the_reason_of_the_run_is_told() -> None:
    _, runs = judged(mends)
    bad = [
        CaseRun(case="f0", kind=CaseKind.FAMILY, arm=Arm.CANDIDATE, run=run, passed=False, why="sent on Sunday")
        for run in range(3)
    ]
    good = [CaseRun(case="f0", kind=CaseKind.FAMILY, arm=Arm.PARENT, run=run, passed=True) for run in range(3)]
    assert verdict(CASES, [*bad, *good, *runs]).reasons == (
        "family case f0 fails where the parent passes: sent on Sunday",
    )


def test_a_run_written_down_twice_counts_once() -> None:
    once = CaseRun(case="t0", kind=CaseKind.TRIGGER, arm=Arm.CANDIDATE, run=0, passed=True)
    assert verdict(CASES, [once, once, once]).candidate == 1


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_every_gate_ends_and_a_refusal_says_why(seed: int, parent: float, candidate: float) -> None:
    ran = random.Random(seed)
    outcomes: dict[tuple[str, Arm, int], bool] = {}

    def outcome(case: str, arm: Arm, run: int) -> bool:
        rate = candidate if arm is Arm.CANDIDATE else parent
        return outcomes.setdefault((case, arm, run), ran.random() < rate)

    found, runs = judged(outcome)
    assert found.accepted != bool(found.reasons)
    assert len({(one.case, one.arm, one.run) for one in runs}) == len(runs), "no run is asked for twice"
    shuffled = ran.sample(runs, len(runs))
    assert verdict(CASES, shuffled) == found
