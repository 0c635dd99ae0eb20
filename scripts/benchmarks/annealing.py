"""What self-annealing must show: figures with seeds, numbers of cases and 95 % intervals.

    scripts/bench annealing [--points 8.2 8.5] [--quick] [--seed 1] [--json] [--report FILE]

The changes are judged by the product's own modules; only the tenant is played (_played.py says with which rates).
Signals, injections and edit histories are measured by modules of their own (_sections.py). Exits 1 when an aim is
missed.
"""

import argparse
import json
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from _figures import Figure, table
from _sections import SECTIONS, section
from _verification import QUICK, Sizes, verification_report

PLAYED = ("8.2", "8.3", "8.5")
"""Points that are measured on played tenants, all together."""

ASSUMED = """
Assumed of the played tenants of 8.2, 8.3 and 8.5: the detector finds 80 % of bad turns and takes 2 % of the others for
bad; a file is in play in 25 % of the turns. 8.2: 14 % of the turns are bad before the change, 60 days of them are
known, the last three bad ones are the triggers. 8.3: 18 % are bad, 10 points of which a good change mends; 60 days are
known before the first change, then 120 are counted; harm is 10, 20 or 35 points, each as often; of the other changes a
quarter does nothing. Drifting: something new goes wrong with each file every 60 days."""


def measure(seed: int, points: Collection[str], *, quick: bool) -> list[Figure]:
    """The figures of these points, in their order."""
    played = set(PLAYED) & set(points)
    figures = list(verification_report(seed, QUICK if quick else Sizes())) if played else []
    figures = [one for one in figures if one.point in played]
    for point in set(SECTIONS) & set(points):
        figures += section(point, seed, quick=quick)
    return sorted(figures, key=lambda one: one.point)


def printed(figures: list[Figure], seed: int) -> Iterator[str]:
    yield from table(figures)
    yield ""
    yield f"Seed {seed}. Intervals are 95 %: Wilson's for shares, normal for means, order statistics for medians."
    if any(one.point in PLAYED for one in figures):
        yield ASSUMED


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
    figures = measure(given.seed, given.points, quick=given.quick)
    lines = list(printed(figures, given.seed))
    if given.report:
        given.report.write_text("\n".join(["## Figures", "", *lines, ""]), encoding="utf-8")
    if given.json:
        print(json.dumps({"seed": given.seed, "figures": [one.as_json() for one in figures]}))
    else:
        print("\n".join(lines))
        print(f"{time.perf_counter() - began:.0f} s")
    missed = any(one.met is False for one in figures)
    sys.exit(1 if missed and not given.quick else 0)


if __name__ == "__main__":
    main()
