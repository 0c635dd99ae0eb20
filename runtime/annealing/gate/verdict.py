"""What the gate says of a candidate, from the runs of its cases. Pure.

Owns when a candidate is let through, when it is refused, and which runs are still missing for an answer. Does not own
which cases there are, how one is run nor how a run is judged: it is told what passed.

A run that is missing is asked for, so a gate that was killed goes on by asking again with the runs it has written down.
Parts are asked for in the order of what they cost: C needs no run, B is not begun for a candidate that A refuses.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

TRIGGERS, FAMILY, GLOBAL, CANARIES = 3, 12, 2, 6
"""Cases of each kind in a full gate. A tenant that has fewer is judged by those it has."""

TRIGGER_RUNS = 2
"""Runs of a trigger case in each arm: a conversation that failed once often passes when it is run again."""

MORE_PASSES = 2
"""Runs of trigger cases that the candidate must pass beyond those the parent passes. A tie is refused."""

CONFIRMING_RUNS = 3
"""Runs of a protected case that failed once, the first one included; most of them decide."""


class CaseKind(StrEnum):
    """Why a case is in the gate: it is to be mended, or it must not break."""

    TRIGGER = "trigger"
    FAMILY = "family"
    GLOBAL = "global"
    CANARY = "canary"


PROTECTED = (CaseKind.CANARY, CaseKind.FAMILY, CaseKind.GLOBAL)
"""Part B, in the order in which it is run."""


class Arm(StrEnum):
    PARENT = "parent"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A run the verdict cannot do without. ``run`` counts from 0 within a case and an arm."""

    case: str
    kind: CaseKind
    arm: Arm
    run: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRun:
    """A run that took place. ``why``: what the first assertion that failed says."""

    case: str
    kind: CaseKind
    arm: Arm
    run: int
    passed: bool
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``again``: runs without which nothing is decided; as long as there are some, ``accepted`` is False and
    ``reasons`` is empty. ``entombed``: a canary failed, and only the owner may bring the idea back.
    ``parent`` and ``candidate``: passed runs of trigger cases."""

    accepted: bool = False
    reasons: tuple[str, ...] = ()
    again: tuple[Wanted, ...] = ()
    entombed: bool = False
    parent: int = 0
    candidate: int = 0

    @property
    def open(self) -> bool:
        return bool(self.again)


_Done = dict[tuple[str, Arm], list[CaseRun]]


def verdict(cases: Mapping[str, CaseKind], runs: Sequence[CaseRun], *, problems: Sequence[str] = ()) -> Verdict:
    """``cases``: all cases of this gate, by id. ``problems``: what part C found (size, paths, secrets, tests ...); one
    is enough. A run that was written down twice counts once, as it was the first time. It may be asked after each run:
    what is refused early needs no more of them."""
    done = _done(runs)
    passes = {arm: _passes(cases, done, arm) for arm in Arm}
    if why := (*problems, *_unfit(cases)):
        return _refused(passes, why)
    if broken := _canaries(done):
        return _refused(passes, broken, entombed=True)
    if why := _triggers(cases, done, passes):
        return _refused(passes, why)
    if missing := tuple(_missing(cases, done, CaseKind.TRIGGER, TRIGGER_RUNS)):
        return Verdict(again=missing, parent=passes[Arm.PARENT], candidate=passes[Arm.CANDIDATE])
    if why := tuple(_regressions(cases, done)):
        return _refused(passes, why)
    missing = tuple(one for kind in PROTECTED for one in _protected(cases, done, kind))
    return Verdict(accepted=not missing, again=missing, parent=passes[Arm.PARENT], candidate=passes[Arm.CANDIDATE])


def _refused(passes: Mapping[Arm, int], why: Iterable[str], *, entombed: bool = False) -> Verdict:
    parent, candidate = passes[Arm.PARENT], passes[Arm.CANDIDATE]
    return Verdict(reasons=tuple(why), entombed=entombed, parent=parent, candidate=candidate)


def _done(runs: Iterable[CaseRun]) -> _Done:
    """Runs of each case and arm in the order of their numbers."""
    first: dict[tuple[str, Arm, int], CaseRun] = {}
    for one in runs:
        first.setdefault((one.case, one.arm, one.run), one)
    done: _Done = {}
    for (case, arm, _), one in sorted(first.items()):
        done.setdefault((case, arm), []).append(one)
    return done


def _passes(cases: Mapping[str, CaseKind], done: _Done, arm: Arm) -> int:
    triggers = (case for case, kind in cases.items() if kind is CaseKind.TRIGGER)
    return sum(one.passed for case in triggers for one in done.get((case, arm), [])[:TRIGGER_RUNS])


def _unfit(cases: Mapping[str, CaseKind]) -> tuple[str, ...]:
    """A gate without these would let through what it never saw."""
    needed = {CaseKind.TRIGGER: "nothing shows that it helps", CaseKind.CANARY: "nothing shows that it is safe"}
    return tuple(f"no {kind} case: {why}" for kind, why in needed.items() if kind not in cases.values())


def _canaries(done: _Done) -> tuple[str, ...]:
    return tuple(
        f"canary {case} failed: {one.why}" if one.why else f"canary {case} failed"
        for (case, arm), ran in done.items()
        for one in ran
        if arm is Arm.CANDIDATE and one.kind is CaseKind.CANARY and not one.passed
    )


def _triggers(cases: Mapping[str, CaseKind], done: _Done, passes: Mapping[Arm, int]) -> tuple[str, ...]:
    """Refused as soon as no run that is missing could still turn it."""
    parent, candidate = passes[Arm.PARENT], passes[Arm.CANDIDATE]
    missing = _missing(cases, done, CaseKind.TRIGGER, TRIGGER_RUNS)
    possible = candidate + sum(one.arm is Arm.CANDIDATE for one in missing)
    if possible - parent >= MORE_PASSES:
        return ()
    of = TRIGGER_RUNS * sum(kind is CaseKind.TRIGGER for kind in cases.values())
    return (f"triggers: it passes {candidate} of {of} runs, the parent {parent}; {MORE_PASSES} more are needed",)


def _regressions(cases: Mapping[str, CaseKind], done: _Done) -> Iterable[str]:
    """Protected cases that most runs of the candidate fail and most of the parent pass."""
    for case, kind in cases.items():
        if kind in (CaseKind.FAMILY, CaseKind.GLOBAL):
            candidate, parent = done.get((case, Arm.CANDIDATE), []), done.get((case, Arm.PARENT), [])
            if _most(candidate, passed=False) and _most(parent, passed=True):
                why = next(one.why for one in candidate if not one.passed)
                yield f"{kind} case {case} fails where the parent passes" + (f": {why}" if why else "")


def _most(ran: Sequence[CaseRun], *, passed: bool) -> bool:
    return 2 * sum(one.passed is passed for one in ran[:CONFIRMING_RUNS]) > CONFIRMING_RUNS


def _protected(cases: Mapping[str, CaseKind], done: _Done, kind: CaseKind) -> Iterable[Wanted]:
    """Each once by the candidate; what failed until most runs say so; then by the parent, until most runs say so."""
    for case in (case for case, of in cases.items() if of is kind):
        candidate, parent = done.get((case, Arm.CANDIDATE), []), done.get((case, Arm.PARENT), [])
        if not candidate:
            yield from _until(case, kind, Arm.CANDIDATE, candidate, 1)
        elif not candidate[0].passed and not _decided(candidate):
            yield from _until(case, kind, Arm.CANDIDATE, candidate, CONFIRMING_RUNS)
        elif _most(candidate, passed=False) and not _decided(parent):
            yield from _until(case, kind, Arm.PARENT, parent, CONFIRMING_RUNS)


def _decided(ran: Sequence[CaseRun]) -> bool:
    return _most(ran, passed=True) or _most(ran, passed=False)


def _missing(cases: Mapping[str, CaseKind], done: _Done, kind: CaseKind, runs: int) -> list[Wanted]:
    return [
        one
        for case, of in cases.items()
        if of is kind
        for arm in Arm
        for one in _until(case, kind, arm, done.get((case, arm), []), runs)
    ]


def _until(case: str, kind: CaseKind, arm: Arm, ran: Sequence[CaseRun], runs: int) -> Iterable[Wanted]:
    have = {one.run for one in ran}
    return [Wanted(case=case, kind=kind, arm=arm, run=run) for run in range(runs) if run not in have]
