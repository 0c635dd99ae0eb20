"""What a walk weighs before it acts: what speaks for a change, whether an idea may be tried, whether anything may land.

Owns the gathering from a tenant's files; the bars and waits are verification/'s. Blocks.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from runtime.annealing import fates, outcomes
from runtime.annealing.graves import idea_of
from runtime.annealing.loop import Loop, cases, graves, improvements
from runtime.annealing.proposing import evidence
from runtime.annealing.proposing.evidence import Evidence
from runtime.annealing.proposing.proposer import Shown
from runtime.annealing.records import Improvement, Kind, State
from runtime.annealing.signals.records import Hard, Label, Signal
from runtime.annealing.verification import cooldown, proving
from runtime.annealing.verification.cooldown import Landing
from runtime.annealing.verification.ideas import idea
from runtime.errors import NotFound
from runtime.tenant.git.commits import one_line
from runtime.tenant.messages import MessageLine
from runtime.tenant.registry import Tenant
from runtime.tenant.rules.shelf import Shelf
from runtime.words import Direction, TurnId

PATIENCE = 5.0
"""Seconds until a walk that made way for a person looks again."""

TRACE = 6
"""Messages that are shown of the talk around a signal."""

SPEAKS = frozenset({Label.CORRECTION, Label.COMPLAINT, Hard.ASKED_AGAIN, Hard.UNDONE})
"""Signals that a rule may be the answer to. A tool that fails, a provider that is down are told, and not learned."""

HIDDEN_STATES = frozenset({State.ROLLED_BACK, State.UNPROVEN, State.REJECTED})


def key(family: str, intent: str) -> str:
    return idea(family, "", intent).key


def shown(loop: Loop, tenant: Tenant, pending: Collection[TurnId]) -> list[Shown]:
    """What proposals may be made from now, the directive with the most signals first."""
    past = improvements(tenant).all()
    used = {trigger.signal for one in past if one.state is not State.CONFLICT for trigger in one.triggers}
    under_way = [one for one in past if one.state in (State.PROPOSED, State.GATED, State.PROBATION)]
    busy = {one.family for one in under_way if one.kind is not Kind.EMPTY}  # that one takes nobody's place
    went = {one.turn: one.exposures for one in loop.went(tenant, pending)}
    since = loop.now() - evidence.LOOKED_AT
    harmed = {turn.turn for one in past if one.state is State.ROLLED_BACK and one.watch for turn in one.watch.exposed}
    found = [
        _evidence(one, went.get(TurnId(one.turn), frozenset()))
        for one in loop.signals(tenant)
        if one.bad and one.kind in SPEAKS and one.at >= since and one.turn not in harmed
    ]
    grouped = evidence.families(found, used=used.__contains__)
    zone = tenant.config.zone
    ready = {
        family: ones
        for family, ones in grouped.items()
        if family not in busy and not cooldown.too_little(evidence.signs(ones, zone))
    }
    talk = _talk(loop, tenant, since) if ready else {}
    refused = [one for one in past if one.state in HIDDEN_STATES]
    return [
        _shown(tenant, family, [_traced(one, talk) for one in ready[family]], refused)
        for family in sorted(ready, key=lambda name: (-len(ready[name]), name))
    ]


def why_not(tenant: Tenant, one: Improvement) -> str | None:
    """Why this idea may not be proposed now."""
    signs = evidence.signs(one.triggers, tenant.config.zone)
    return cooldown.may_propose(idea_of(one), one.mechanism, signs, graves(tenant).tombstones(), one.opened)


def why_wait(tenant: Tenant, one: Improvement, now: datetime) -> str | None:
    """Why ``one`` may not land now."""
    if tenant.config.improvements.paused:
        return "paused"
    past = improvements(tenant).all()
    together = [other.id for other in past if other.id in one.alone and other.id != one.id and _on_probation(other)]
    if together:
        return f"{', '.join(together)} is watched alone first"
    return cooldown.may_land(outcomes.directive_of(one), [_landing(other) for other in past if other.landed], now)


def gate_is_due(one: Improvement, now: datetime) -> bool:
    """Whether a change that has been in play too rarely for a verdict is to be played again."""
    if one.watch is None or one.landed is None or len(one.watch.ys) >= proving.LOOKS[0]:
        return False
    return now - one.landed >= proving.PATIENCE and now - (one.gate.ended or one.landed) >= proving.GATE_EVERY


def empty(loop: Loop, tenant: Tenant, pending: Collection[TurnId]) -> Improvement | None:
    """A landing of nothing, for the directive that is in play most; None while one is watched, or without any turn."""
    if any(one.kind is Kind.EMPTY and _on_probation(one) for one in improvements(tenant).all()):
        return None
    went = loop.went(tenant, pending)
    counted = [outcomes_family for one in went for outcomes_family in _families(one.exposures)]
    if not counted:
        return None
    now = loop.now()
    family = max(sorted(set(counted)), key=counted.count)
    one = Improvement(
        id=f"empty-{now:%Y%m%d}",
        tenant=tenant.id,
        kind=Kind.EMPTY,
        family=family,
        idea=key(family, "nothing"),
        intent="nothing: how often is a change taken back that changes nothing",
        operations=(),
        state=State.PROBATION,
        opened=now,
        landed=now,
    )
    return one.model_copy(update={"watch": fates.start(one, went, tenant)})


def _families(exposures: Iterable[str]) -> list[str]:
    names = [path.removeprefix("directives/").removesuffix(".md") for path in exposures if path.count("/") == 1]
    return [name for name in names if name != evidence.README] or [evidence.README]


def _on_probation(one: Improvement) -> bool:
    return one.state is State.PROBATION


def _landing(one: Improvement) -> Landing:
    assert one.landed is not None, one.id
    return Landing(
        file=outcomes.directive_of(one),
        at=one.landed,
        over=one.ended,
        rolled_back=one.ended if one.state is State.ROLLED_BACK and not one.superseded else None,
        empty=one.kind is not Kind.LEARNED,
    )


def _shown(tenant: Tenant, family: str, found: list[Evidence], refused: Iterable[Improvement]) -> Shown:
    try:
        directive = tenant.folder.read_text(f"directives/{family}.md")
    except NotFound:
        directive = ""
    return Shown(
        tenant=tenant.id,
        family=family,
        directive=directive,
        rules=tuple(one for one in Shelf(tenant.folder).rules() if one.directive == family),
        found=tuple(found),
        taken=improvements(tenant).names(),
        cases=tuple((one.id, one.about) for one in cases(tenant).all() if not one.hidden),
        refused=tuple(f"{one.intent}: {one.reason}" for one in refused if one.family == family),
    )


def _evidence(one: Signal, exposures: Collection[str]) -> Evidence:
    return Evidence(
        signal=one.id,
        label=one.kind.value,
        turn=one.turn,
        conversation=one.conversation,
        at=one.at,
        text=one.span,
        expected=one.expected,
        exposures=tuple(sorted(exposures)),
    )


def _talk(loop: Loop, tenant: Tenant, since: datetime) -> Mapping[str, list[MessageLine]]:
    """What was said, by conversation, oldest first."""
    talk: dict[str, list[MessageLine]] = {}
    for line in loop.records.book(tenant).messages.read(since=since):
        if line.text:
            talk.setdefault(line.conversation, []).append(line)
    return talk


def _traced(one: Evidence, talk: Mapping[str, list[MessageLine]]) -> Evidence:
    """With the talk up to the words that were the signal, and these as they were written."""
    lines = [line for line in talk.get(one.conversation, ()) if line.at <= one.at][-TRACE:]
    said = [f"{_who(line)}: {one_line(line.text, 400)}" for line in lines]
    return replace(one, trace="\n".join(said), text=lines[-1].text if lines else one.text)


def _who(line: MessageLine) -> str:
    return "assistant" if line.direction is Direction.OUTBOUND else line.person or "they"
