"""A self-change from the proposal to its verdict: what is written down of it.

Owns the shapes of an improvement, and their JSON. Does not own where they lie (store.py), what moves one from state to
state (the rooms below), nor the words of a rule (tenant/rules).
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from runtime.checked_yaml import Strict
from runtime.tenant.rules.files import LONGEST

MOST_OPERATIONS = 3

Line = Annotated[str, Field(max_length=1000)]
Ref = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}/[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")]
"""A rule's name within its tenant: ``<directive>/<id>``."""


class State(StrEnum):
    """``proposed → gated → probation → kept | rolled_back | unproven``, and the ends before landing."""

    PROPOSED = "proposed"
    GATED = "gated"
    PROBATION = "probation"
    KEPT = "kept"
    ROLLED_BACK = "rolled_back"
    UNPROVEN = "unproven"
    REJECTED = "rejected"
    CONFLICT = "conflict"


ENDED = frozenset({State.KEPT, State.ROLLED_BACK, State.UNPROVEN, State.REJECTED, State.CONFLICT})


class Kind(StrEnum):
    """Where an improvement comes from: signals, an owner's own words, or nowhere (the weekly empty landing)."""

    LEARNED = "learned"
    STATED = "stated"
    EMPTY = "empty"


class Operation(Strict):
    """One change of one rule. ``old_hash``: of the words it takes the place of (UPDATE, DELETE, MOVE). ``text`` and
    ``triggers``: the new ones (ADD, UPDATE). ``to``: the rule's new name (MOVE)."""

    do: Literal["ADD", "UPDATE", "DELETE", "MOVE"]
    rule: Ref
    old_hash: str = ""
    text: Annotated[str, Field(max_length=LONGEST)] = ""
    triggers: tuple[Line, ...] = ()
    to: Ref | Literal[""] = ""


class Prediction(Strict):
    """Which cases are to flip, and which must not: ids."""

    flips: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()


class Trigger(Strict):
    """The very message that is a reason. ``signal`` is its id in the signal log; ``turn`` the turn that went wrong."""

    signal: str
    turn: str
    conversation: str
    at: datetime
    text: Line
    expected: Line = ""


class Play(Strict):
    """One case, played once in one arm of the gate. ``why``: what of it failed."""

    case: str
    kind: Literal["trigger", "family", "global", "canary"]
    arm: Literal["parent", "candidate"]
    run: int
    passed: bool
    why: str = ""


class Gate(Strict):
    """What the gate saw, both arms. ``parent`` is the commit it was played on; ``accepted`` is None while it runs."""

    parent: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    plays: tuple[Play, ...] = ()
    mechanical: tuple[str, ...] = ()
    accepted: bool | None = None
    entombs: bool = False
    reasons: tuple[Line, ...] = ()

    @property
    def line(self) -> str:
        """``triggers 2 of 6 before, 6 of 6 with it; 20 protected cases, 0 of them failed in a play``."""
        protected = [play for play in self.plays if play.kind != "trigger"]
        failed = {play.case for play in protected if play.arm == "candidate" and not play.passed}
        return (
            f"triggers {self._passed('parent')} before, {self._passed('candidate')} with it; "
            f"{len({play.case for play in protected})} protected cases, {len(failed)} of them failed in a play"
        )

    def _passed(self, arm: str) -> str:
        ran = [play.passed for play in self.plays if play.kind == "trigger" and play.arm == arm]
        return f"{sum(ran)} of {len(ran)}"


class Exposed(Strict):
    """A turn in which the change was in play, and how it went: ``bad`` is None until that is known."""

    turn: str
    at: datetime
    bad: bool | None = None
    why: Line = ""


class Watch(Strict):
    """After landing. ``s0`` bad ones of ``n0`` exposed turns before; ``e`` is the evidence of harm over ``exposed``.
    ``before`` and ``after``: turns a day with the tenant, before and since."""

    s0: float
    n0: float
    e: float = 1.0
    exposed: tuple[Exposed, ...] = ()
    checked: datetime | None = None
    """When the mechanical checks of the first hours were done."""

    @property
    def ys(self) -> tuple[bool, ...]:
        """How the exposed turns went, oldest first, as far as it is known."""
        return tuple(one.bad for one in self.exposed if one.bad is not None)


class Ending(Strict):
    """That a change goes back, as it was decided: written down before anything is done about it, so that a kill on the
    way decides nothing anew. ``group``: suspects that go back together, and land again one at a time."""

    state: State
    reason: Line
    at: datetime
    group: tuple[str, ...] = ()


class Improvement(Strict):
    """``family`` is the directive it is about. ``commit`` is its landing, ``undone`` the commit that took it back.

    ``idea`` is the key that tells the same idea again (cool-down); ``intent`` says it in words; ``mechanism`` says why
    it should help. ``superseded``: it was taken back with an earlier one it stood on.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
    tenant: str
    kind: Kind = Kind.LEARNED
    family: str
    idea: str
    intent: Line
    mechanism: Line = ""
    operations: Annotated[tuple[Operation, ...], Field(max_length=MOST_OPERATIONS)]
    triggers: tuple[Trigger, ...] = ()
    prediction: Prediction = Prediction()
    state: State = State.PROPOSED
    opened: datetime
    gate: Gate = Gate()
    commit: str = ""
    landed: datetime | None = None
    watch: Watch | None = None
    owner_visible: bool = False
    ending: Ending | None = None
    """While it is being taken back, and as long as something is in the way of that."""
    undone: str = ""
    ended: datetime | None = None
    reason: Line = ""
    superseded: bool = False
    alone: tuple[str, ...] = ()
    """Suspects that were taken back together: it lands when none of these is on probation."""

    @property
    def rules(self) -> frozenset[str]:
        """The names of the rules it touches."""
        return frozenset(name for one in self.operations for name in (one.rule, one.to) if name)
