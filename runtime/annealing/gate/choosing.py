"""Which cases a change is played against. Pure.

Owns how many of each kind and which ones when there are more. The same change is played against the same cases, also
after a kill; another one against others, so that nothing is learned by heart.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtime.annealing.gate.case import GLOBAL, Case
from runtime.annealing.gate.verdict import CANARIES, FAMILY, TRIGGERS, CaseKind
from runtime.annealing.gate.verdict import GLOBAL as GLOBALS
from runtime.annealing.records import Improvement

WANTED = {
    CaseKind.TRIGGER: TRIGGERS,
    CaseKind.CANARY: CANARIES,
    CaseKind.FAMILY: FAMILY,
    CaseKind.GLOBAL: GLOBALS,
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Cases by what they are in this gate, in the order in which they are played."""

    cases: tuple[tuple[CaseKind, Case], ...]

    @property
    def kinds(self) -> dict[str, CaseKind]:
        return {case.id: kind for kind, case in self.cases}

    def find(self, id: str) -> Case:
        return next(case for _, case in self.cases if case.id == id)

    @property
    def few(self) -> tuple[str, ...]:
        """What there is less of than a full gate has."""
        kinds = list(self.kinds.values())
        return tuple(
            f"{kinds.count(kind)} of {wanted} {kind} cases are there"
            for kind, wanted in WANTED.items()
            if kinds.count(kind) < wanted
        )


def choose(improvement: Improvement, cases: Sequence[Case]) -> Chosen:
    turns = {f"turn:{one.turn}" for one in improvement.triggers}
    protected = [one for one in cases if one.kind == "protected"]
    of_kind = {
        CaseKind.TRIGGER: [one for one in cases if one.kind == "trigger" and one.source in turns],
        CaseKind.CANARY: [one for one in cases if one.kind == "canary"],
        CaseKind.FAMILY: [one for one in protected if one.family == improvement.family],
        CaseKind.GLOBAL: [one for one in protected if one.family == GLOBAL],
    }
    if improvement.family == GLOBAL:
        of_kind[CaseKind.GLOBAL] = []
    return Chosen(
        tuple(
            (kind, case)
            for kind, found in of_kind.items()
            for case in _some(found, improvement.id, most=None if kind is CaseKind.CANARY else WANTED[kind])
        )
    )


def _some(cases: Iterable[Case], salt: str, *, most: int | None) -> list[Case]:
    """No canary is ever left out."""
    return sorted(cases, key=lambda case: hashlib.sha256(f"{salt}/{case.id}".encode()).digest())[:most]
