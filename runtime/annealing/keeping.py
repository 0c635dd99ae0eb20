"""What stays of a change that has proved itself: its rules say so, and its triggers are cases that protect it.

Owns both. Called again after a kill, each is there once.
"""

from runtime.annealing import landing
from runtime.annealing.gate.cases import Cases
from runtime.annealing.records import Improvement
from runtime.errors import Fault
from runtime.tenant.folder import Folder
from runtime.tenant.git.commits import Commit
from runtime.tenant.git.history import History
from runtime.tenant.registry import Tenant
from runtime.tenant.rules import files as rules
from runtime.tenant.rules.files import Rule


def confirm(history: History, tenant: Tenant, one: Improvement) -> Commit | None:
    """Say in the heads of the rules that ``one`` is kept, with how often they helped; None when there is none left to
    say it in. Raises Conflict."""
    return landing.confirm(history, one, {rule.path: _kept(rule, one).rendered for rule in _own(tenant.folder, one)})


def protect(tenant: Tenant, one: Improvement) -> None:
    """Its trigger cases become protected ones of its directive."""
    place = Cases(tenant.folder)
    turns = {f"turn:{trigger.turn}" for trigger in one.triggers}
    for case in place.all():
        if case.source in turns:
            place.protect(case.id, f"improvement:{one.id}")


def _own(folder: Folder, one: Improvement) -> list[Rule]:
    """The rules as ``one`` brought them. One that a person pinned or changed meanwhile is theirs."""
    found = []
    for op in one.operations:
        path = rules.path_of(op.to or op.rule)
        try:
            rule = rules.parse(path, folder.read_text(path))
        except Fault:
            continue
        if rule.head.improvement == one.id and rule.head.state == "probation":
            found.append(rule)
    return found


def _kept(rule: Rule, one: Improvement) -> Rule:
    ys = one.watch.ys if one.watch else ()
    counted = {"helpful": len(ys) - sum(ys), "harmful": sum(ys)}
    return Rule(rule.directive, rule.head.model_copy(update={"state": "kept", **counted}), rule.text)
