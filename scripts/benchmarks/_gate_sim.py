"""A gate whose cases are only played: they go well at assumed rates, and the product's own verdict judges.

The rates were chosen so that the gate passes about what the specification says: 69 % of good changes, and 20, 7 and 1 %
of those that do harm by 10, 20 and 35 points.
"""

import random

from runtime.annealing.gate.verdict import CANARIES, FAMILY, GLOBAL, TRIGGERS, Arm, CaseKind, CaseRun, verdict

TRIGGER_PASSES = {"parent": 0.30, "good": 0.82, "neutral": 0.30, "harmful": 0.52}
FAMILY_FAILS, CANARY_FAILS = 0.08, 0.001


def gated(ran: random.Random, kind: str, harm: float, *, landed: bool = False) -> tuple[bool, bool]:
    """Whether the real verdict lets a change through whose cases go at the assumed rates, and whether it entombs."""
    cases = {
        **{f"t{n}": CaseKind.TRIGGER for n in range(TRIGGERS)},
        **{f"f{n}": CaseKind.FAMILY for n in range(FAMILY)},
        **{f"g{n}": CaseKind.GLOBAL for n in range(GLOBAL)},
        **{f"c{n}": CaseKind.CANARY for n in range(CANARIES)},
    }
    runs: list[CaseRun] = []
    while (found := verdict(cases, runs, landed=landed)).open:
        for one in found.again:
            worse = harm if one.arm is Arm.CANDIDATE and one.kind is CaseKind.FAMILY else 0.0
            passes = {
                CaseKind.TRIGGER: TRIGGER_PASSES[kind if one.arm is Arm.CANDIDATE else "parent"],
                CaseKind.CANARY: 1 - CANARY_FAILS,
            }.get(one.kind, 1 - FAMILY_FAILS - worse)
            runs.append(CaseRun(case=one.case, kind=one.kind, arm=one.arm, run=one.run, passed=ran.random() < passes))
    return found.accepted, found.entombed
