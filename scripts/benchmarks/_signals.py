"""How well the first stage of signals judges a labelled set: the figures of the bars, with n and 95 % intervals.

A line of a set: ``{"id", "label", "subtype", "context": [{"role", "text"}], "text"}``; ``explicit-remember`` is our
``remember``. The first stage is run through its real modules.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from typing import Any

from runtime.annealing.signals.first import first
from runtime.annealing.signals.records import FRICTION, Judgement, Label, Spoken

HELD_OUT = Path(__file__).resolve().parents[2] / "tests/data/signals/held_out.jsonl"

BARS = {
    "friction recall": 0.60,
    "friction precision": 0.80,
    "remember recall": 0.85,
    "remember precision": 0.85,
    "false positives on others' words": 0.05,
}
"""The last is an upper bound, all others are lower ones."""

_NAMES = {"explicit-remember": "remember"}
OTHERS_WORDS = frozenset({"third_party", "third_party_instruction", "quoted", "quoted_complaint", "forwarded"})
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Turn:
    """One labelled turn."""

    label: Label
    subtype: str
    context: tuple[Spoken, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Share:
    """A part of something, with the Wilson interval (Wilson 1927) at 95 %."""

    count: int
    of: int

    @property
    def value(self) -> float:
        return self.count / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        if not self.of:
            return 0.0, 1.0
        middle = (self.value + _Z**2 / (2 * self.of)) / (1 + _Z**2 / self.of)
        spread = self.value * (1 - self.value) / self.of + _Z**2 / (4 * self.of**2)
        half = _Z * sqrt(spread) / (1 + _Z**2 / self.of)
        return max(0.0, middle - half), min(1.0, middle + half)

    def plain(self) -> dict[str, Any]:
        low, high = self.interval
        return {"value": round(self.value, 3), "n": self.of, "low": round(low, 3), "high": round(high, 3)}


def load(path: Path) -> list[Turn]:
    return [_turn(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _turn(raw: Mapping[str, Any]) -> Turn:
    context = tuple(Spoken(one["role"], one["text"]) for one in raw.get("context", ()))
    label = Label(_NAMES.get(raw["label"], raw["label"]))
    return Turn(label, raw.get("subtype", ""), context, raw["text"])


def measured(turns: Sequence[Turn], judged: Sequence[Judgement]) -> dict[str, Share]:
    """The figures of the bars, by the label that was given."""
    pairs = [(turn.label, found.label) for turn, found in zip(turns, judged, strict=True)]
    friction = sum(1 for truth, label in pairs if truth in FRICTION and label in FRICTION)
    kept = sum(1 for truth, label in pairs if truth is label is Label.REMEMBER)
    others = [label for turn, (_, label) in zip(turns, pairs, strict=True) if turn.subtype in OTHERS_WORDS]
    return {
        "friction recall": Share(friction, sum(1 for truth, _ in pairs if truth in FRICTION)),
        "friction precision": Share(friction, sum(1 for _, label in pairs if label in FRICTION)),
        "remember recall": Share(kept, sum(1 for truth, _ in pairs if truth is Label.REMEMBER)),
        "remember precision": Share(kept, sum(1 for _, label in pairs if label is Label.REMEMBER)),
        "false positives on others' words": Share(sum(1 for one in others if one is not Label.NEUTRAL), len(others)),
    }


def counting(judged: Sequence[Judgement]) -> list[Judgement]:
    """The judgements, with every one that does not count taken as neutral."""
    return [one if one.counts else replace(one, label=Label.NEUTRAL) for one in judged]


def signals_report(path: Path = HELD_OUT) -> dict[str, Any]:
    """The figures over one labelled file: by label, and when only what counts (p ≥ .7) is taken."""
    turns = load(path)
    first((), "warm")  # the tables are read at the first use
    start = time.perf_counter()
    judged = [first(turn.context, turn.text) for turn in turns]
    spent = time.perf_counter() - start
    return {
        "set": path.name,
        "n": len(turns),
        "ms_a_turn": round(spent * 1000 / max(1, len(turns)), 3),
        "by_label": {name: share.plain() for name, share in measured(turns, judged).items()},
        "counting": {name: share.plain() for name, share in measured(turns, counting(judged)).items()},
        "bars": BARS,
    }


if __name__ == "__main__":
    for name in sys.argv[1:] or [str(HELD_OUT)]:
        print(json.dumps(signals_report(Path(name)), indent=2))
