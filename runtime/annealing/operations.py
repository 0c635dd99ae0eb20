"""Operations on rules, as the files they make. Pure.

Owns what an operation may stand on and what becomes of a rule's head. Does not own whether it is a good idea
(gate/mechanical.py) nor writing the files.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from runtime.annealing.records import Operation
from runtime.errors import Refused
from runtime.tenant.heads import Rule as Head
from runtime.tenant.rules.files import LONGEST, Rule, path_of

Changed = tuple[str, str | None]
"""A file's path, and what is in it then; None when it is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """What every rule says of the change it comes from. ``state``: ``pinned`` for what an owner stated."""

    improvement: str
    idea: str
    since: date
    state: Literal["probation", "pinned"] = "probation"


def apply(operations: Iterable[Operation], rules: Mapping[str, Rule], stamped: Stamped) -> tuple[Changed, ...]:
    """The files that change, by path. ``rules``: those there are, by ``<directive>/<id>``.

    Raises Refused when an operation does not stand on the rules as they are: what it saw is not there any more, or is
    not the runtime's to change.
    """
    after = result(operations, rules, stamped)
    changed = {ref for ref in rules.keys() | after.keys() if rules.get(ref) != after.get(ref)}
    return tuple((path_of(ref), after[ref].rendered if ref in after else None) for ref in sorted(changed))


def result(operations: Iterable[Operation], rules: Mapping[str, Rule], stamped: Stamped) -> dict[str, Rule]:
    """All rules afterwards. Raises Refused, as ``apply``."""
    after = dict(rules)
    for one in operations:
        _one(one, after, stamped)
    return after


def _one(operation: Operation, rules: dict[str, Rule], stamped: Stamped) -> None:
    ref = operation.rule
    match operation.do:
        case "ADD":
            _free(ref, rules)
            rules[ref] = _made(ref, operation, stamped)
        case "UPDATE":
            _seen(operation, rules)
            rules[ref] = _made(ref, operation, stamped)
        case "DELETE":
            _seen(operation, rules)
            del rules[ref]
        case "MOVE":
            old = _seen(operation, rules)
            _free(operation.to, rules)
            del rules[ref]
            directive, _, id = operation.to.partition("/")
            head = _stamp(old.head.model_copy(update={"id": id}), stamped)
            rules[operation.to] = Rule(directive, head, old.text)


def _made(ref: str, operation: Operation, stamped: Stamped) -> Rule:
    """A rule with new words: how often the old ones helped says nothing of them."""
    text = operation.text.strip()
    if not text or len(text) > LONGEST:
        raise _refused(f"{operation.do} {ref}: a rule has 1 to {LONGEST} characters, this one {len(text)}")
    directive, _, id = ref.partition("/")
    return Rule(directive, _stamp(Head(id=id, triggers=operation.triggers), stamped), text)


def _stamp(head: Head, stamped: Stamped) -> Head:
    update = {
        "state": stamped.state,
        "idea": stamped.idea,
        "since": stamped.since,
        "improvement": stamped.improvement,
    }
    return head.model_copy(update=update)


def _seen(operation: Operation, rules: Mapping[str, Rule]) -> Rule:
    """The rule an operation is about, which has to be as it was when that was written."""
    found = rules.get(operation.rule)
    if found is None:
        raise _refused(f"{operation.do} {operation.rule}: there is no such rule")
    if found.head.state == "pinned":
        raise _refused(f"{operation.do} {operation.rule}: it is pinned, only a person changes it")
    if found.hash != operation.old_hash:
        raise _refused(f"{operation.do} {operation.rule}: its words are not those that were seen any more")
    return found


def _free(ref: str, rules: Mapping[str, Rule]) -> None:
    if not ref:
        raise _refused("MOVE: it does not say where to")
    if ref in rules:
        raise _refused(f"{ref} is there already")


def _refused(problem: str) -> Refused:
    return Refused(problem, hint="propose it again on the rules as they are now")
