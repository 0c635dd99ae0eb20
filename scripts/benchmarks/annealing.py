"""What self-annealing must show: figures with seeds, numbers of cases and 95 % intervals.

    scripts/bench annealing [--points 8.2 8.5] [--quick] [--seed 1] [--json] [--report FILE]

The changes are judged by the product's own modules; only the tenant is played (_played.py says with which rates).
Signals, injections and edit histories are sections of their own. Exits 1 when an aim is missed. A section that is not
there yet is said to be missing.
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from _figures import Figure, table
from _verification import QUICK, Sizes, verification_report

PLAYED = ("8.2", "8.3", "8.5")
"""Points that are measured on played tenants, all together."""

SECTIONS = {"8.1": "_signals", "8.6": "_injections", "8.4": "_histories"}
"""Points that others measure: module ``_x`` has ``x_report(seed, quick) -> Iterable[Figure]``."""


ASSUMED = """
Assumed of the played tenants of 8.2, 8.3 and 8.5: the detector finds 80 % of bad turns and takes 2 % of the others for
bad; a file is in play in 25 % of the turns. 8.2: 14 % of the turns are bad before the change, 60 days of them are
known, the last three bad ones are the triggers. 8.3: 18 % are bad, 10 points of which a good change mends; 60 days are
known before the first change, then 120 are counted; harm is 10, 20 or 35 points, each as often; of the other changes a
quarter does nothing. Drifting: something new goes wrong with each file every 60 days."""


def measure(seed: int, points: Collection[str], *, quick: bool) -> tuple[list[Figure], list[str]]:
    """The figures of these points, and what is not there."""
    played = set(PLAYED) & set(points)
    figures = list(verification_report(seed, QUICK if quick else Sizes())) if played else []
    figures, missing = [one for one in figures if one.point in played], []
    for point, module in SECTIONS.items():
        if point not in points:
            continue
        found = _section(module, seed, quick=quick)
        if found is None:
            missing.append(f"{point}: {module.removeprefix('_')} are not there yet")
        else:
            figures += found
    return sorted(figures, key=lambda one: one.point), missing


def _section(module: str, seed: int, *, quick: bool) -> Iterable[Figure] | None:
    if not (Path(__file__).parent / f"{module}.py").exists():
        return None
    report = getattr(importlib.import_module(module), f"{module.removeprefix('_')}_report")
    return list(report(seed=seed, quick=quick))


def printed(figures: list[Figure], missing: list[str], seed: int) -> Iterator[str]:
    yield from table(figures)
    yield ""
    yield f"Seed {seed}. Intervals are 95 %: Wilson's for shares, normal for means, order statistics for medians."
    yield ASSUMED
    yield from missing


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench annealing", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="few cases, in seconds: shows that it runs, and exits 0 whatever it shows"
    )
    every = sorted([*PLAYED, *SECTIONS])
    parser.add_argument("--points", nargs="+", choices=every, default=every, help="of the specification's section 8")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--report", type=Path, help="write the table to this file as markdown")
    given = parser.parse_args()
    began = time.perf_counter()
    figures, missing = measure(given.seed, given.points, quick=given.quick)
    lines = list(printed(figures, missing, given.seed))
    if given.report:
        given.report.write_text("\n".join(["## Figures", "", *lines, ""]), encoding="utf-8")
    if given.json:
        print(json.dumps({"seed": given.seed, "missing": missing, "figures": [one.as_json() for one in figures]}))
    else:
        print("\n".join(lines))
        print(f"{time.perf_counter() - began:.0f} s")
    missed = any(one.met is False for one in figures)
    sys.exit(1 if missed and not given.quick else 0)


if __name__ == "__main__":
    main()
