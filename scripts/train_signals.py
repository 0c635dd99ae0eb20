"""Learn what the features of the first stage weigh: scripts/train_signals.py [--check] [FILE.jsonl …].

Multinomial logistic regression with an L2 penalty over the labelled turns in tests/data/signals/train.jsonl, by full
gradient steps with momentum; no randomness but the folds' seed. Writes runtime/annealing/signals/weights.json with the
figures of the cross-validation. FILEs are only measured, never learned from.
"""

import argparse
import json
import math
import random
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from runtime.annealing.signals.features import features  # noqa: E402
from runtime.annealing.signals.first import LABELS, Weights, judge_with  # noqa: E402
from runtime.annealing.signals.reading import last_said, read  # noqa: E402
from runtime.annealing.signals.records import Judgement  # noqa: E402
from runtime.tenant.life.quoting import own_part  # noqa: E402
from scripts.benchmarks._signals import Turn, load, measured  # noqa: E402

TRAIN = ROOT / "tests/data/signals/train.jsonl"
WEIGHTS = ROOT / "runtime/annealing/signals/weights.json"
PENALTY, STEPS, RATE, RAREST, FOLDS = 0.4, 350, 0.5, 3, 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="measure only, write nothing")
    parser.add_argument("--errors", action="store_true", help="list the errors of the cross-validation")
    parser.add_argument("--penalty", type=float, default=PENALTY)
    parser.add_argument("files", nargs="*", type=Path)
    args = parser.parse_args()
    rows = load_rows(TRAIN)
    folded = cross_validate(rows, args.penalty)
    show("cross-validation", figures(folded))
    weights = learn(rows, args.penalty)
    for file in args.files:
        held = [(row, judged_with(weights, row)) for row in load_rows(file)]
        show(file.name, figures(held))
        if args.errors:
            list_errors(held)
    if args.errors and not args.files:
        list_errors(folded)
    if not args.check:
        write(weights, {"rows": len(rows), "folds": FOLDS, **figures(folded)})


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled turn and its features."""

    turn: Turn
    features: frozenset[str]


def load_rows(path: Path) -> list[Row]:
    return [Row(turn, features(last_said(turn.context), read(own_part(turn.text)))) for turn in load(path)]


def learn(rows: list[Row], penalty: float) -> Weights:
    counted = Counter(name for row in rows for name in row.features)
    names = sorted(name for name, count in counted.items() if count >= RAREST)
    place = {name: at for at, name in enumerate(names)}
    held = [([place[name] for name in row.features if name in place], LABELS.index(row.turn.label)) for row in rows]
    size = len(names) + 1  # the last is the bias
    weights = [[0.0] * size for _ in LABELS]
    speed = [[0.0] * size for _ in LABELS]
    for _ in range(STEPS):
        slope = [[penalty * one / len(rows) for one in line] for line in weights]
        for line in slope:
            line[-1] = 0.0
        for on, label in held:
            chances = softmax([line[-1] + sum(line[at] for at in on) for line in weights])
            for at, chance in enumerate(chances):
                error = (chance - (at == label)) / len(rows)
                row = slope[at]
                row[-1] += error
                for one in on:
                    row[one] += error
        for at, line in enumerate(weights):
            for one in range(size):
                speed[at][one] = 0.9 * speed[at][one] - RATE * slope[at][one]
                line[one] += speed[at][one]
    table = {name: tuple(round(line[place[name]], 2) for line in weights) for name in names}
    return Weights(bias=tuple(round(line[-1], 2) for line in weights), table=table)


def judged_with(weights: Weights, row: Row) -> Judgement:
    return judge_with(weights, row.turn.context, row.turn.text)


def softmax(scores: list[float]) -> list[float]:
    top = max(scores)
    powers = [math.exp(score - top) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def cross_validate(rows: list[Row], penalty: float) -> list[tuple[Row, Judgement]]:
    order = list(range(len(rows)))
    random.Random(20261120).shuffle(order)
    judged = []
    for fold in range(FOLDS):
        out = set(order[fold::FOLDS])
        weights = learn([row for at, row in enumerate(rows) if at not in out], penalty)
        judged += [(rows[at], judged_with(weights, rows[at])) for at in sorted(out)]
    return judged


def figures(judged: list[tuple[Row, Judgement]]) -> dict[str, float]:
    found = measured([row.turn for row, _ in judged], [judgement for _, judgement in judged])
    return {name: round(share.value, 3) for name, share in found.items()}


def show(name: str, found: dict[str, float]) -> None:
    print(f"{name:24}", ", ".join(f"{key} {value}" for key, value in found.items()))


def list_errors(judged: list[tuple[Row, Judgement]]) -> None:
    for row, found in judged:
        turn = row.turn
        if found.label is not turn.label:
            said = turn.context[-1].text if turn.context else ""
            print(f"  {turn.label:10} as {found.label:10} [{turn.subtype}] {said} => {turn.text}")


def write(weights: Weights, measured: dict[str, float]) -> None:
    lines = [f"    {json.dumps(name)}: {json.dumps(list(ones))}" for name, ones in weights.table.items()]
    head = [f'  "labels": {json.dumps([one.value for one in LABELS])}', f'  "measured": {json.dumps(measured)}']
    head.append(f'  "bias": {json.dumps(list(weights.bias))}')
    WEIGHTS.write_text("{\n" + ",\n".join(head) + ',\n  "weights": {\n' + ",\n".join(lines) + "\n  }\n}\n")


if __name__ == "__main__":
    main()
