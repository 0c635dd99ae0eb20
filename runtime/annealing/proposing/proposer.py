"""One proposal for one directive: a model is asked, and what it says is checked like anything a stranger says.

Owns what an answer must hold to become an improvement. Does not own the question's words (prompts.py), whether the idea
may be tried now (verification/cooldown), nor whether it works (gate/).
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from runtime.agent.events import ModelRefused
from runtime.agent.questions import ANSWER, Question
from runtime.annealing.proposing import prompts
from runtime.annealing.proposing.evidence import README, Evidence, signs
from runtime.annealing.records import Improvement, Operation, Prediction, Trigger
from runtime.annealing.verification.cooldown import too_little
from runtime.tenant.git.commits import one_line
from runtime.tenant.rules.files import Rule

Ask = Callable[[Question], Awaitable[Mapping[str, Any]]]

_STOP = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is no proposal, and why."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a proposal for ``family`` is made from."""

    tenant: str
    family: str
    directive: str
    rules: tuple[Rule, ...]
    found: tuple[Evidence, ...]
    taken: frozenset[str] = frozenset()
    """Names that rules have or had: a new one gets another."""
    cases: tuple[tuple[str, str], ...] = ()
    refused: tuple[str, ...] = ()


async def propose(
    shown: Shown, ask: Ask, *, idea: Callable[[str, str], str], zone: ZoneInfo, now: datetime
) -> Improvement | Nothing:
    """Ask once; an answer of no use is no proposal. ``idea`` gives the key of a family and an intent. Raises
    ModelRefused."""
    found = shown.found[-prompts.MOST_SHOWN :]
    question = Question(
        purpose="proposal",
        system=prompts.SYSTEM,
        prompt=prompts.compose(
            shown.family, shown.directive, shown.rules, found, cases=shown.cases, refused=shown.refused
        ),
        name=prompts.NAME,
        schema=prompts.schema(shown.family, [one.signal for one in found]),
    )
    try:
        answer = await ask(question)
    except ModelRefused as fault:
        if fault.detail != ANSWER:
            raise
        return Nothing(fault.problem)
    return checked(answer, shown, idea=idea, zone=zone, now=now)


def checked(
    answer: Mapping[str, Any], shown: Shown, *, idea: Callable[[str, str], str], zone: ZoneInfo, now: datetime
) -> Improvement | Nothing:
    """The improvement that ``answer`` proposes, or why it is none."""
    reason = one_line(str(answer.get("reason", "")), 600)
    if not answer.get("propose"):
        return Nothing(reason or "the proposer saw no common cause")
    named = [one for one in shown.found if one.signal in set(answer.get("signals", ()))]
    if few := too_little(signs(named, zone)):
        return Nothing(f"its signals are too few: {few}")
    try:
        operations = renamed([Operation.model_validate(one) for one in answer.get("operations", ())], shown)
    except ValidationError as fault:
        return Nothing(f"an operation makes no sense: {fault.errors()[0]['msg']}")
    if problem := _problem(operations, shown, named):
        return Nothing(problem)
    intent = one_line(str(answer.get("intent", "")), 60) or one_line(operations[0].text, 60)
    key = idea(shown.family, intent)
    return Improvement(
        id=_id(shown.family, key, now),
        tenant=shown.tenant,
        family=shown.family,
        idea=key,
        intent=intent,
        mechanism=reason,
        operations=operations,
        triggers=tuple(_trigger(one) for one in named),
        prediction=Prediction(
            flips=tuple(map(str, answer.get("flips", ()))), stays=tuple(map(str, answer.get("stays", ())))
        ),
        opened=now,
        owner_visible=shown.family == README,  # in play in every turn: the owner sees it each time
    )


def renamed(operations: Sequence[Operation], shown: Shown) -> tuple[Operation, ...]:
    """With names of their own for new and moved rules, whatever the model called them."""
    taken = {*shown.taken, *(rule.ref for rule in shown.rules)}
    found = []
    for one in operations:
        if one.do == "ADD":
            one = one.model_copy(update={"rule": free_name(one.rule, taken)})
            taken.add(one.rule)
        elif one.do == "MOVE" and one.to:
            one = one.model_copy(update={"to": free_name(one.to, taken)})
            taken.add(one.to)
        found.append(one)
    return tuple(found)


def free_name(wanted: str, taken: Collection[str]) -> str:
    """``wanted``, or with the first number behind it that makes it new."""
    directive, _, id = wanted.partition("/")
    names = (wanted if number == 1 else f"{directive}/{id[:70]}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _problem(operations: Sequence[Operation], shown: Shown, named: Sequence[Evidence]) -> str:
    if not operations:
        return "it proposes no operation"
    if strange := [one.rule for one in operations if one.rule.partition("/")[0] != shown.family]:
        return f"it touches rules of another directive: {', '.join(strange)}"
    known = {rule.ref: rule for rule in shown.rules}
    for one in operations:
        if one.do in ("ADD", "UPDATE") and not one.text.strip():
            return f"{one.do} of {one.rule} has no words"
        broken = sum(known[one.rule].path in turn.exposures for turn in named) if one.rule in known else 0
        same_trigger = one.rule in known and set(one.triggers) == set(known[one.rule].head.triggers)
        if one.do == "UPDATE" and 2 * broken > len(named) and same_trigger:
            return f"{one.rule} was in play and was broken: other words are not the answer, a better trigger may be"
    return ""


def _trigger(one: Evidence) -> Trigger:
    return Trigger(
        signal=one.signal,
        turn=one.turn,
        conversation=one.conversation,
        at=one.at,
        text=one_line(one.text, 500),
        expected=one_line(one.expected, 200),
    )


def _id(family: str, idea: str, now: datetime) -> str:
    """Readable, and its own: the directive, the day, and four digits of the idea and the moment."""
    digits = hashlib.sha256(f"{family}\0{idea}\0{now.isoformat()}".encode()).hexdigest()[:4]
    name = _STOP.sub("-", family.lower()).strip("-")[:60] or "rule"
    return f"{name}-{now:%m%d}-{digits}"
