"""Points 2, 3 and 5 of what annealing must show, on played tenants: one change, the whole loop, blame, cool-down."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from _figures import Figure, mean, median, share
from _gate_sim import gated
from _played import BEGIN, CONVERSATIONS, FALSE_POSITIVES, MEMORY, RECALL, Life, detected
from _tenant_sim import Tenant

from runtime.annealing.verification import blame
from runtime.annealing.verification.eprocess import Baseline, Outcome, alpha, baseline, course, crossed
from runtime.annealing.verification.proving import LAST_LOOK, Keep, Probation, RollBack, Unproven, fate

PER_DAY, EXPOSED = 15, 0.25
RATE = 0.14
"""Bad turns before the change; with the detector's rates pU is then about .13, the example of the specification."""

KINDS = {"+35": 0.35, "+20": 0.20, "neutral": 0.0, "good (-10)": -0.10}


@dataclass(frozen=True)
class Sizes:
    """``changes``: of each kind. ``tenants``: of each cell of the whole loop, at 5, 15 and 40 turns a day."""

    changes: int = 2_000
    histories: int = 500
    tenants: tuple[tuple[int, int], ...] = ((5, 100), (15, 60), (40, 30))
    drifting: int = 30
    days: int = 120
    overlaps: int = 1_000


QUICK = Sizes(changes=60, histories=20, tenants=((15, 2),), drifting=2, days=30, overlaps=25)


def verification_report(seed: int, sizes: Sizes) -> Iterator[Figure]:
    yield from one_change(seed, sizes)
    yield from overlaps(seed, sizes.overlaps)
    yield from gates(seed, sizes.changes)
    yield from whole_loop(seed, sizes)


def one_change(seed: int, sizes: Sizes) -> Iterator[Figure]:
    """Point 2. E alone, so that what would be taken back as unproven does not count; then what becomes of it."""
    aims: dict[str, dict[str, float]] = {
        "+35": {"at_least": 0.95},
        "+20": {"at_least": 0.70},
        "neutral": {"at_most": 0.12},
        "good (-10)": {"at_most": 0.02},
    }
    for kind, shift in KINDS.items():
        ran = random.Random(f"one {seed} {kind}")
        probations = [_probation(ran, shift, MEMORY.days) for _ in range(sizes.changes)]
        backs = [back for one in probations if (back := _crossing(one))]
        yield share("8.2", f"{kind}: E rolls back by turn {LAST_LOOK}", len(backs), len(probations), **aims[kind])
        if kind == "+35":
            yield median("8.2", f"{kind}: bad turns until then", [bad for _, bad in backs], at_most=3)
            yield median("8.2", f"{kind}: exposed turns until then", [n for n, _ in backs])
        ends = [fate(one, BEGIN + timedelta(days=11)) for one in probations]
        for end in (RollBack, Unproven, Keep):
            count = sum(isinstance(one, end) for one in ends)
            yield share("8.2", f"{kind}: ends as {end.__name__}", count, len(ends))
    for days in (14, 30):
        for kind in ("neutral", "good (-10)"):
            ran = random.Random(f"short {seed} {kind} {days}")
            short = [_crossing(_probation(ran, KINDS[kind], days)) for _ in range(sizes.histories)]
            what = f"{kind}: E rolls back, with {days} days before it"
            yield share("8.2", what, sum(one is not None for one in short), len(short))


def _probation(ran: random.Random, shift: float, days: int) -> Probation:
    """A file's turns of some days, of which the last three bad ones are the triggers; then the change."""
    hits: list[bool] = []
    earlier: list[Outcome] = []
    for day in range(days):
        for n in range(PER_DAY):
            bad = detected(ran, bad=ran.random() < RATE)
            hits.append(bad)
            if ran.random() < EXPOSED:
                where = f"c{ran.choices(range(len(CONVERSATIONS)), CONVERSATIONS)[0]}"
                at = (BEGIN - timedelta(days=days - day)).date()
                earlier.append(Outcome(turn=f"{day}.{n}", conversation=where, day=at, bad=bad))
    triggers = [one for one in earlier if one.bad][-3:]
    base = baseline(earlier, triggers, rate=sum(hits) / len(hits))
    ys = [detected(ran, bad=ran.random() < RATE + shift) for _ in range(LAST_LOOK)]
    return Probation(base=base, ys=ys, landed=BEGIN, gated=BEGIN)


def _crossing(one: Probation) -> tuple[int, int] | None:
    """Turns until E crosses, and bad ones of them."""
    level = alpha(owner_visible=False)
    return next(
        ((n, sum(one.ys[:n])) for n, e in enumerate(course(one.base, one.ys), start=1) if crossed(e, level)), None
    )


def gates(seed: int, n: int) -> Iterator[Figure]:
    """No aim: that the assumed rates of the cases give what the specification says of the gate (69, 20, 7, 1 %)."""
    for kind, harm in (("good", 0.0), ("neutral", 0.0), ("harmful", 0.10), ("harmful", 0.20), ("harmful", 0.35)):
        ran = random.Random(f"gate {seed} {kind} {harm}")
        passed = sum(gated(ran, kind, harm)[0] for _ in range(n))
        yield share("8.3", f"the gate passes {kind}" + (f" +{harm * 100:.0f}" if harm else ""), passed, n)


def whole_loop(seed: int, sizes: Sizes) -> Iterator[Figure]:
    """Point 3, each tenant beside itself without any improvement; and that nothing comes back within its cool-down.

    Last, with no aim: a tenant in whose files something new goes wrong every 60 days, also while a change is judged."""
    everything: list[Life] = []
    for per_day, tenants in sizes.tenants:
        for harmful in (0.10, 0.25, 0.50):
            never, lives = _lives(f"{seed} {per_day} {harmful}", per_day, harmful, tenants, sizes.days)
            everything += lives
            yield from _friction(f"{per_day} turns a day, {harmful:.0%} harmful", never, lives)
    yield from _states("all of these", everything, at_least=0.90)
    again = sum(life.again for life in everything)
    yield share("8.5", "proposed again in its cool-down", again, sum(life.proposed for life in everything), at_most=0.0)
    yield share("8.5", "held back by a cool-down, of all thought of", *_held(everything))
    never, lives = _lives(f"{seed} drift", PER_DAY, 0.25, sizes.drifting, sizes.days, drift=1 / 60)
    yield from _friction(f"drifting, {PER_DAY} turns a day, 25% harmful", never, lives, aim=False)
    yield from _states("drifting", lives)


def _lives(
    seed: str, per_day: int, harmful: float, tenants: int, days: int, *, drift: float = 0.0
) -> tuple[list[Life], list[Life]]:
    """Without improving, and improving."""
    names = [f"{seed} {n}" for n in range(tenants)]
    never, lives = (
        [Tenant(one, per_day=per_day, harmful=harmful, improves=does, drift=drift).live(days) for one in names]
        for does in (False, True)
    )
    return never, lives


def _friction(cell: str, never: Sequence[Life], lives: Sequence[Life], *, aim: bool = True) -> Iterator[Figure]:
    less = [mine.friction - base.friction for mine, base in zip(lives, never, strict=True)]
    yield mean("8.3", f"{cell}: friction, against never", less, sure=True, at_most=0.0 if aim else None)
    yield mean("8.3", f"{cell}: friction", [one.friction for one in lives])


def _states(which: str, lives: Sequence[Life], at_least: float | None = None) -> Iterator[Figure]:
    """What became of the changes that were decided on."""
    for kind in ("good", "neutral", "harmful"):
        states = [state for life in lives for of, state in life.ends if of == kind and state != "probation"]
        for state in ("kept", "rolled_back", "unproven"):
            aim = at_least if (kind, state) == ("good", "kept") else None
            yield share("8.3", f"{which}: {kind}: {state}", states.count(state), len(states), at_least=aim)


def _held(lives: Sequence[Life]) -> tuple[int, int]:
    held = sum(life.refused for life in lives)
    return held, held + sum(life.proposed for life in lives)


def overlaps(seed: int, n: int) -> Iterator[Figure]:
    """Point 5: three changes on three files, one of them harmful by 35 or 20 points, blame as soon as E of any crosses.

    Right: what is harmful is out and E has nothing against the others; after a finding too close to name one, when the
    suspects have landed again one at a time. ``together``: in half of the turns all three are in play, or none."""
    for label, together in (("apart", 0.0), ("half together", 0.5)):
        for harm in (0.35, 0.20):
            ran = random.Random(f"blame {seed} {label} {harm}")
            found = [one for _ in range(n) if (one := _overlap(ran, harm, together)) is not None]
            what = f"+{harm * 100:.0f}, exposures {label}"
            named = [right for right, alone in found if alone]
            yield share(
                "8.5", f"{what}: blame right in the end", sum(right for right, _ in found), len(found), at_least=0.85
            )
            yield share("8.5", f"{what}: one is named", len(named), len(found))
            yield share("8.5", f"{what}: right when one is named", sum(named), len(named))


def _overlap(ran: random.Random, harm: float, together: float) -> tuple[bool, bool] | None:
    """(right, one was named); None when no E crosses within 120 turns."""
    ids = ["a", "b", "c"]
    culprit = ran.choice(ids)
    base = dict.fromkeys(ids, Baseline(_usual() * 150, 150))
    turns: list[blame.Turn] = []
    for _ in range(160):
        exposed = _exposed(ran, ids, together)
        bad = detected(ran, bad=ran.random() < RATE + (harm if culprit in exposed else 0))
        if exposed:
            turns.append(blame.Turn(exposed, bad))
        if any(_e_crosses(base[one], [turn.bad for turn in turns if one in turn.exposed]) for one in exposed):
            return _judged(ran, turns, base, culprit, harm)
    return None


def _exposed(ran: random.Random, ids: Sequence[str], together: float) -> frozenset[str]:
    """Each with EXPOSED; in a share of the turns all of them or none."""
    if ran.random() < together:
        return frozenset(ids if ran.random() < EXPOSED else ())
    return frozenset(one for one in ids if ran.random() < EXPOSED)


def _judged(
    ran: random.Random, turns: Sequence[blame.Turn], base: dict[str, Baseline], culprit: str, harm: float
) -> tuple[bool, bool]:
    replays = {one: blame.log_score(_replayed(ran, turns, one, culprit, harm)) for one in base}
    match blame.blame(turns, base, replays=replays):
        case blame.Blamed(change):
            return change == culprit, True
        case blame.Suspected(changes):
            out = {one for one in changes if _taken_back_alone(ran, base[one], harm if one == culprit else 0.0)}
            return out == {culprit}, False
        case _:
            raise AssertionError("nothing is looked at elsewhere")


def _replayed(ran: random.Random, turns: Sequence[blame.Turn], one: str, culprit: str, harm: float) -> list[bool]:
    """Up to four bad turns again without ``one``: what the harmful change caused goes well then, anything else as often
    as any failing conversation does when it is run again."""
    bad = [turn for turn in turns if turn.bad and one in turn.exposed][-blame.REPLAYS :]
    caused = harm / (harm + RATE)
    return [ran.random() < (0.9 if one == culprit and ran.random() < caused else 0.3) for _ in bad]


def _taken_back_alone(ran: random.Random, base: Baseline, harm: float) -> bool:
    ys = [detected(ran, bad=ran.random() < RATE + harm) for _ in range(LAST_LOOK)]
    if harm:
        return isinstance(fate(Probation(base=base, ys=ys, landed=BEGIN, gated=BEGIN), BEGIN), RollBack | Unproven)
    return _e_crosses(base, ys)


def _e_crosses(base: Baseline, ys: Sequence[bool]) -> bool:
    return any(crossed(e, alpha(owner_visible=False)) for e in course(base, ys))


def _usual() -> float:
    """What the detector sees of the rate."""
    return RECALL * RATE + FALSE_POSITIVES * (1 - RATE)
