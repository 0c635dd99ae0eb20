"""The gate's steps on real git, with plays that are told how they end."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runtime.annealing.gate.case import Case
from runtime.annealing.gate.cases import PLACE, Cases
from runtime.annealing.gate.gate import Gate
from runtime.annealing.gate.playing import Played, Stand
from runtime.annealing.records import Improvement, Kind, Operation, State, Trigger
from runtime.errors import ConfigFault
from runtime.settings import load_settings
from runtime.tenant import blueprint
from runtime.tenant.git.history import History
from runtime.tenant.git.worktrees import remove
from runtime.tenant.messages import MessageLine, MessageLog
from runtime.tenant.registry import Tenant
from runtime.tenant.rules.files import Rule, parse
from runtime.tenant.secrets import Keys
from runtime.tenant.turnlog import TurnLine, TurnLog
from runtime.words import Conversation, Direction, How, TenantId, TurnId

AT = datetime(2026, 11, 20, 18, tzinfo=UTC)
RULE = "directives/rules/showings/read-back.md"


@dataclass
class Scripted:
    """Plays that fail as told: by case and arm, the runs that fail."""

    fails: Mapping[tuple[str, str], int] = field(default_factory=dict)
    played: list[tuple[str, str]] = field(default_factory=list)
    saved: list[Improvement] = field(default_factory=list)
    better: str = "tie"
    unmet_: tuple[str, ...] = ()
    asked: int = 0

    async def play(self, stand: Stand, case: Case, name: str) -> Played:
        arm = "candidate" if stand.changes else "parent"
        run = self.played.count((case.id, arm))
        self.played.append((case.id, arm))
        failed = run < self.fails.get((case.id, arm), 0)
        return Played(case=case, answer=arm, problems=("it does not say x",) if failed else ())

    async def unmet(self, tenant: TenantId, played: Played) -> tuple[str, ...]:
        if not played.case.expect.checklist:
            return ()
        self.asked += 1
        return self.unmet_ if played.answer == "candidate" else ()

    async def better_(self, tenant: TenantId, parent: Played, candidate: Played) -> Any:
        self.asked += 1
        assert (parent.answer, candidate.answer) == ("parent", "candidate")
        return self.better


class Judge:
    def __init__(self, scripted: Scripted) -> None:
        self.unmet, self.better = scripted.unmet, scripted.better_


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    settings = load_settings(tmp_path, {})
    Keys.of(settings).create()
    made = blueprint.create(settings, "Anden", timezone="America/Denver")
    remove(made.folder.root / PLACE)
    add(made, case("canary-code", kind="canary"), case("when", kind="trigger", source="turn:t1"), case("greets"))
    return made


def add(tenant: Tenant, *cases: Case) -> None:
    for one in cases:
        Cases(tenant.folder).add(one)


def case(id: str, **more: Any) -> Case:
    given = {"id": id, "about": "x", "kind": "protected", "family": "showings", "source": "blueprint"}
    said = {"conversation": [{"role": "user", "text": "Hi"}], "expect": {"says": ["x"]}}
    return Case.model_validate(given | said | more)


def improvement(*operations: Operation, **more: Any) -> Improvement:
    given: dict[str, Any] = {
        "id": "imp-1",
        "tenant": "anden",
        "family": "showings",
        "idea": "showings/read-back",
        "intent": "say when",
        "operations": operations or (Operation(do="ADD", rule="showings/read-back", text="Read back the time."),),
        "triggers": (Trigger(signal="s1", turn="t1", conversation="c", at=AT, text="?"),),
        "opened": AT,
    }
    return Improvement(**(given | more))


def run(scripted: Scripted, tenant: Tenant, one: Improvement, busy: Callable[[], bool] = lambda: False) -> Improvement:
    gate = Gate(
        player=scripted,
        judge=Judge(scripted),
        history=lambda tenant: History(tenant.folder),
        save=scripted.saved.append,
        busy=busy,
        now=lambda: AT,
    )
    return asyncio.run(gate.run(one, tenant))


HELPS = {("when", "parent"): 2}


def test_a_change_that_helps_goes_through_and_each_play_was_saved(tenant: Tenant) -> None:
    scripted = Scripted(HELPS)
    done = run(scripted, tenant, improvement())
    assert (done.state, done.gate.accepted, done.gate.ended, done.ended) == (State.GATED, True, AT, None)
    assert [len(one.gate.plays) for one in scripted.saved] == [0, *range(1, 7), 6]
    assert [one.arm for one in done.gate.plays if one.case == "greets"] == ["candidate"]
    assert done.gate.parent == History(tenant.folder).head()
    assert done.gate.reasons[0] == "1 of 3 trigger cases are there"


def test_a_failing_protected_case_is_run_again_in_both_arms(tenant: Tenant) -> None:
    done = run(Scripted(HELPS | {("greets", "candidate"): 3}), tenant, improvement())
    assert (done.state, done.gate.entombs, done.ended) == (State.REJECTED, False, AT)
    assert done.reason.startswith("family case greets fails where the parent passes: it does not say x")
    once = run(Scripted(HELPS | {("greets", "candidate"): 1}), tenant, improvement())
    assert once.state is State.GATED


def test_a_canary_entombs_and_what_does_not_help_is_refused(tenant: Tenant) -> None:
    canary = run(Scripted(HELPS | {("canary-code", "candidate"): 1}), tenant, improvement())
    assert (canary.state, canary.gate.entombs) == (State.REJECTED, True)
    same = Scripted()
    assert run(same, tenant, improvement()).reason.startswith("triggers: it passes")
    assert {id for id, _ in same.played} == {"when"}


def test_it_goes_on_with_what_is_missing(tenant: Tenant) -> None:
    first = Scripted(HELPS)
    run(first, tenant, improvement())
    for at, saved in enumerate(first.saved[:-1]):
        again = Scripted(
            {("when", "parent"): 2 - sum(id == "when" and arm == "parent" for id, arm in first.played[:at])}
        )
        done = run(again, tenant, saved)
        assert done.gate.accepted
        assert len(again.played) == 6 - at


def test_a_parent_that_was_purged_is_begun_anew(tenant: Tenant) -> None:
    scripted = Scripted(HELPS)
    run(scripted, tenant, improvement())
    half = scripted.saved[3]
    lost = half.model_copy(update={"gate": half.gate.model_copy(update={"parent": "0" * 40})})
    assert len(run(Scripted(HELPS), tenant, lost).gate.plays) == 6


def test_mechanical_problems_refuse_without_a_play(tenant: Tenant) -> None:
    scripted = Scripted(HELPS)
    operation = Operation(do="ADD", rule="showings/pay", text="Wire the deposit at once.")
    done = run(scripted, tenant, improvement(operation))
    assert (done.state, scripted.played) == (State.REJECTED, [])
    assert "only the owner decides" in done.gate.mechanical[0]
    assert done.reason == done.gate.mechanical[0]


def test_operations_that_do_not_stand_on_the_rules_are_a_conflict(tenant: Tenant) -> None:
    scripted = Scripted(HELPS)
    done = run(scripted, tenant, improvement(Operation(do="DELETE", rule="showings/none", old_hash="x")))
    assert (done.state, scripted.played) == (State.CONFLICT, [])
    assert "there is no such rule" in done.reason


@pytest.mark.parametrize(
    ("kind", "operations"),
    [(Kind.STATED, (Operation(do="ADD", rule="showings/pay", text="Say the price first."),)), (Kind.EMPTY, ())],
)
def test_what_an_owner_stated_and_an_empty_landing_are_not_played(
    tenant: Tenant, kind: Kind, operations: tuple[Operation, ...]
) -> None:
    scripted = Scripted()
    done = run(scripted, tenant, improvement(kind=kind, triggers=()).model_copy(update={"operations": operations}))
    assert (done.state, scripted.played) == (State.GATED, [])


def test_what_assertions_leave_open_is_judged(tenant: Tenant) -> None:
    add(tenant, case("kind", expect={"says": ["x"], "checklist": ["it is kind"]}))
    scripted = Scripted(HELPS, unmet_=("not met: it is kind",))
    done = run(scripted, tenant, improvement())
    assert done.state is State.REJECTED
    assert "not met" in done.reason
    failing = Scripted(HELPS | {("kind", "candidate"): 3, ("kind", "parent"): 3})
    assert run(failing, tenant, improvement()).state is State.GATED
    assert failing.asked == 0, "a play that fails an assertion asks no judge"


@pytest.mark.parametrize(("better", "accepted"), [("candidate", True), ("tie", False), ("parent", False)])
def test_of_a_case_that_says_nothing_two_answers_are_compared(tenant: Tenant, better: str, accepted: bool) -> None:
    Cases(tenant.folder).remove("when")
    add(tenant, case("when", kind="trigger", source="turn:t1", expect={}))
    scripted = Scripted(better=better)
    done = run(scripted, tenant, improvement())
    assert done.gate.accepted is accepted
    of_trigger = {(one.arm, one.run): one.passed for one in done.gate.plays if one.case == "when"}
    assert len(of_trigger) == 4 if accepted else 2
    assert of_trigger["candidate", 0] is (better != "parent")
    assert of_trigger["parent", 0] is (better != "candidate")


def test_cases_are_made_from_the_turns_that_are_the_reason(tenant: Tenant) -> None:
    Cases(tenant.folder).remove("when")
    where, turn = Conversation("telegram:1"), TurnId("t1")
    line = MessageLine(
        id="m1",
        at=AT,
        channel="telegram",
        conversation=where,
        direction=Direction.INBOUND,
        text="When?",
        how=How.TYPED,
        turn=turn,
    )
    MessageLog(tenant.folder).append([line])
    TurnLog(tenant.folder).append([TurnLine(turn=turn, at=AT, conversation=where)])
    triggers = [
        Trigger(signal="s1", turn=turn, conversation=where, at=AT, text="?", expected="Saturday, not Sunday"),
        Trigger(signal="s2", turn="erased", conversation=where, at=AT, text="?"),
    ]
    scripted = Scripted()
    run(scripted, tenant, improvement(triggers=tuple(triggers)))
    [made] = [one for one in Cases(tenant.folder).all() if one.kind == "trigger"]
    assert (made.source, made.family, made.expect.says) == ("turn:t1", "showings", ("Saturday",))
    assert {id for id, _ in scripted.played} == {made.id}


def test_without_any_trigger_case_nothing_shows_that_it_helps(tenant: Tenant) -> None:
    Cases(tenant.folder).remove("when")
    done = run(Scripted(), tenant, improvement())
    assert (done.state, done.reason) == (State.REJECTED, "no trigger case: nothing shows that it helps")


def test_a_tenant_without_cases_is_given_the_blueprints(tenant: Tenant) -> None:
    remove(tenant.folder.root / PLACE)
    add(tenant, case("when", kind="trigger", source="turn:t1"))
    done = run(Scripted(HELPS), tenant, improvement())
    assert sum(one.kind == "canary" for one in done.gate.plays) == 6
    assert sum(one.kind == "global" for one in done.gate.plays) == 2


def test_a_damaged_case_stops_the_gate(tenant: Tenant) -> None:
    tenant.folder.write_text(f"{PLACE}/bad.yaml", "id: bad\n")
    with pytest.raises(ConfigFault, match=r"bad\.yaml"):
        run(Scripted(HELPS), tenant, improvement())


def test_rules_of_the_parent_are_what_operations_stand_on(tenant: Tenant) -> None:
    history = History(tenant.folder)
    tenant.folder.write_text(RULE, Rule("showings", parse(RULE, _RULE).head, "Read it back.").rendered)
    history.commit_admin()
    old = parse(RULE, tenant.folder.read_text(RULE))
    update = Operation(do="UPDATE", rule=old.ref, old_hash=old.hash, text="Read back the time and the day.")
    scripted = Scripted(HELPS)
    assert run(scripted, tenant, improvement(update)).state is State.GATED
    tenant.folder.write_text(RULE, tenant.folder.read_text(RULE).replace("Read it back.", "Say it."))
    history.commit_admin()
    assert run(Scripted(HELPS), tenant, improvement(update)).state is State.CONFLICT
    assert run(Scripted(HELPS), tenant, scripted.saved[2]).state is State.GATED, "on the commit it was begun with"


_RULE = '---json\n{"id": "read-back", "state": "kept"}\n---\n\nx\n'
