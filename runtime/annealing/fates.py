"""How a self-change that has landed stands: what it was in play in, what follows from that, and who is to blame.

Owns gathering what verification/ decides on. Does not own bringing a fate about (probation.py). Blocks where it writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from runtime.annealing import outcomes
from runtime.annealing.loop import improvements
from runtime.annealing.outcomes import Went, in_play
from runtime.annealing.records import Exposed, Improvement, Kind, State, Watch
from runtime.annealing.verification import blame, proving
from runtime.annealing.verification.eprocess import Baseline, baseline, evidence
from runtime.annealing.verification.mechanical import Observed
from runtime.annealing.verification.proving import Fate, Probation
from runtime.errors import Fault, NotFound
from runtime.tenant.registry import Tenant
from runtime.tenant.rules import files as rules

BEFORE = timedelta(days=21)
"""How long before its landing a tenant's use is compared with."""


def start(one: Improvement, went: Sequence[Went], tenant: Tenant) -> Watch:
    """The watch of a change that has just landed. Its baseline is how turns with its directive went before, without the
    triggers and their burst."""
    zone = tenant.config.zone
    earlier = outcomes.as_outcomes(outcomes.with_directive(one.family, went), zone)
    named = {trigger.turn for trigger in one.triggers}
    triggers = outcomes.as_outcomes((turn for turn in went if turn.turn in named), zone)
    bursts = {(trigger.conversation, trigger.day) for trigger in triggers}
    usual = [turn for turn in went if (turn.conversation, turn.at.astimezone(zone).date()) not in bursts]
    base = baseline(earlier, triggers, rate=outcomes.rate(usual))
    return Watch(s0=base.s0, n0=base.n0)


def speaking(
    known: Sequence[Improvement], watched: Sequence[Improvement], went: Sequence[Went], resumed: datetime | None
) -> list[Went]:
    """The turns that say something of the changes on probation. Those do not in which one was in play that was taken
    back for the harm it did; and how those went that came before a freeze was over (``resumed``) is anybody's fault."""
    first = min(landed_at(one) for one in watched)
    guilty = [one for one in known if _did_harm(one) and (one.ended is None or one.ended > first)]
    apart = [turn for turn in went if not any(_was_there(other, turn) for other in guilty)]
    if resumed is None:
        return apart
    return [replace(turn, bad=None) if first < turn.at <= resumed else turn for turn in apart]


def _did_harm(one: Improvement) -> bool:
    """The empty landing does none, whatever its turns were like."""
    return one.state is State.ROLLED_BACK and bool(one.watch) and not one.superseded and one.kind is not Kind.EMPTY


def counted(tenant: Tenant, one: Improvement, went: Sequence[Went]) -> Improvement:
    """With the turns it was in play in, and the evidence they give; written down where that is new."""
    watch, landed = watch_of(one), landed_at(one)
    exposed = tuple(
        Exposed(turn=turn.turn, at=turn.at, bad=turn.bad, why=turn.why)
        for turn in went
        if turn.at > landed and in_play(one, turn)
    )
    if exposed == watch.exposed:
        return one
    watch = watch.model_copy(update={"exposed": exposed})
    watch = watch.model_copy(update={"e": evidence(base_of(watch), watch.ys)})
    return put(tenant, one, watch=watch)


def _was_there(other: Improvement, turn: Went) -> bool:
    over = other.ended is not None and turn.at > other.ended
    return landed_at(other) < turn.at and not over and in_play(other, turn)


def fate_of(tenant: Tenant, one: Improvement, went: Sequence[Went], now: datetime) -> Fate:
    watch, landed, zone = watch_of(one), landed_at(one), tenant.config.zone
    return proving.fate(
        Probation(
            base=base_of(watch),
            ys=watch.ys,
            landed=landed,
            gated=one.gate.ended or landed,
            owner_visible=one.owner_visible,
            before=outcomes.use(went, zone, since=landed - BEFORE, until=landed),
            after=outcomes.use(went, zone, since=landed, until=now),
        ),
        now,
    )


def are_pinned(tenant: Tenant, one: Improvement) -> bool:
    """Whether a person has made all rules of it their own meanwhile."""
    brought = [rules.path_of(op.to or op.rule) for op in one.operations if op.do != "DELETE"]
    return bool(brought) and all(_is_pinned(tenant, path) for path in brought)


def _is_pinned(tenant: Tenant, path: str) -> bool:
    try:
        return rules.parse(path, tenant.folder.read_text(path)).head.state == "pinned"
    except Fault:
        return False


def observed(tenant: Tenant, one: Improvement, went: Sequence[Went]) -> Observed:
    """What trips at once: a rule of it that cannot be read, and what the guard kept back where it was in play."""
    broken = {}
    for op in one.operations:
        path = rules.path_of(op.to or op.rule)
        try:
            if op.do != "DELETE":
                rules.parse(path, tenant.folder.read_text(path))
        except NotFound:
            continue  # somebody took it away: that is looked at with their commit
        except Fault as fault:
            broken[path] = fault.problem
    exposed = (turn for turn in went if turn.at > landed_at(one) and in_play(one, turn))
    violations = tuple(f"a credential was kept back from the reply of {turn.turn}" for turn in exposed if turn.withheld)
    return Observed(broken_rules=broken, violations=violations)


def blamed(
    tenant: Tenant, watched: Sequence[Improvement], went: Sequence[Went], replays: Mapping[str, float] | None = None
) -> blame.Finding:
    """Of the changes on probation; the empty one is none of them."""
    first = min(landed_at(other) for other in watched)
    known = {other.id: base_of(watch_of(other)) for other in watched}
    turns, elsewhere = [], []
    for turn in went:
        if turn.at <= first or turn.bad is None:
            continue
        exposed = frozenset(other.id for other in watched if turn.at > landed_at(other) and in_play(other, turn))
        if exposed:
            turns.append(blame.Turn(exposed, turn.bad))
        else:
            elsewhere.append(turn.bad)
    before = outcomes.as_outcomes([turn for turn in went if turn.at <= first], tenant.config.zone)
    usual = baseline(before, (), rate=outcomes.rate(went))
    return blame.blame(turns, known, elsewhere=elsewhere, usual=usual, replays=replays)


def watch_of(one: Improvement) -> Watch:
    assert one.watch is not None, one.id
    return one.watch


def landed_at(one: Improvement) -> datetime:
    assert one.landed is not None, one.id
    return one.landed


def base_of(watch: Watch) -> Baseline:
    return Baseline(watch.s0, watch.n0)


def put(tenant: Tenant, one: Improvement, **changes: object) -> Improvement:
    changed = one.model_copy(update=changes)
    improvements(tenant).put(changed)
    return changed
