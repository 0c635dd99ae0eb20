"""The first stage: what a message says of the turn before it, told without any model.

Owns the decision. The features are in features.py, what each weighs in weights.json (scripts/train_signals.py).
Deterministic, well below a millisecond a message.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from runtime.annealing.signals.features import OTHERS, features
from runtime.annealing.signals.reading import last_said, read
from runtime.annealing.signals.records import FRICTION, About, Judgement, Label, Source, Spoken
from runtime.annealing.signals.whose import source_of
from runtime.tenant.life.quoting import own_part
from runtime.words import How

LABELS = (Label.CORRECTION, Label.COMPLAINT, Label.REMEMBER, Label.NEUTRAL)

LONGEST = 2_000
"""Characters of a message that are looked at: strangers' letters come here too, and no pattern is to be kept busy."""

FRICTION_FROM, REMEMBER_FROM = 0.45, 0.4
"""The least probability with which a message is called so; below both it is neutral."""

FRICTION_BESIDE_OTHERS = 0.95
"""And of friction in a message that holds words of others too."""

NEVER = 1.1
"""After news of others friction is not called at all, unless the person speaks to the assistant: they scold others."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What each feature adds to the score of each of LABELS, in their order; ``bias`` is added always."""

    bias: tuple[float, ...]
    table: Mapping[str, tuple[float, ...]]


def first(context: Sequence[Spoken], text: str, how: How = How.TYPED) -> Judgement:
    """What ``text`` says of what the assistant did before it; ``context`` is what was said until then, oldest first.
    Words that are not the sender's own say nothing, whatever they claim."""
    return judge_with(weights(), context, text, how)


def judge_with(table: Weights, context: Sequence[Spoken], text: str, how: How = How.TYPED) -> Judgement:
    shown = text[:LONGEST]
    source = source_of(shown, how)
    if source is not Source.OWNER:
        return Judgement(label=Label.NEUTRAL, p=1.0, about=About.THIRD_PARTY, source=source)
    own = own_part(shown)
    seen = features(last_said(context), read(own))
    label, p = decide(chances(table, seen), _bar(seen, beside_others=own != shown.strip()))
    if label is Label.NEUTRAL:
        return Judgement(label=label, p=p, about=_about(seen))
    about = About.ASSISTANT if label in FRICTION else About.WORLD
    return Judgement(label=label, p=p, about=about, span=own, expected=_expected(own, label))


def _bar(seen: frozenset[str], *, beside_others: bool) -> float:
    if OTHERS in seen:
        return NEVER
    return FRICTION_BESIDE_OTHERS if beside_others else FRICTION_FROM


def decide(found: Sequence[float], friction_from: float = FRICTION_FROM) -> tuple[Label, float]:
    """The label and its probability, from the probabilities of LABELS."""
    correction, complaint, remember, neutral = found
    if remember >= max(REMEMBER_FROM, correction + complaint):
        return Label.REMEMBER, remember
    if correction + complaint >= friction_from:
        return (Label.CORRECTION if correction >= complaint else Label.COMPLAINT), correction + complaint
    return Label.NEUTRAL, neutral


def chances(table: Weights, seen: frozenset[str]) -> list[float]:
    """The probability of each of LABELS."""
    scores = list(table.bias)
    for name in sorted(seen):
        for at, weight in enumerate(table.table.get(name, ())):
            scores[at] += weight
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


@cache
def weights() -> Weights:
    raw = json.loads((Path(__file__).parent / "weights.json").read_text(encoding="utf-8"))
    return Weights(tuple(raw["bias"]), {name: tuple(ones) for name, ones in raw["weights"].items()})


def _about(seen: frozenset[str]) -> About:
    """Whom a message that is no signal is about, by the first of these that holds."""
    for name, about in (
        ("self_blame", About.SELF),
        ("about_self", About.SELF),
        ("third", About.THIRD_PARTY),
        ("reports", About.THIRD_PARTY),
        ("a:news", About.THIRD_PARTY),
    ):
        if name in seen:
            return about
    return About.WORLD


_INSTEAD = re.compile(r"\b(?:not|instead of)\b|^(?:no+|nope|wrong)\b", re.IGNORECASE)


def _expected(own: str, label: Label) -> str:
    """What should have been, as the person said it: only a short correction says it in so many words."""
    return own if label is Label.CORRECTION and len(own) <= 200 else ""
