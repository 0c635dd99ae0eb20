"""Random histories of a tenant's rules on real git, and one improvement taken back at the end of each.

    .venv/bin/python scripts/benchmarks/_histories.py [--quick] [--histories 1000] [--seed 1]

Improvements land and are kept, people edit rules, promote, pin and delete them, edit other files, and take
improvements back with plain `git revert`; the loop counts; some improvements are taken back on the way. Then one that
is in force is taken back. A history is *right* when every file passes its check, the folder is what HEAD says, exactly
one commit was made (or none, when nothing was left), those that stand on it went too and no others, and every file is
byte for byte what ``_edits.py`` says it has to be; that knows neither git nor the code under test.
"""

import argparse
import json
import math
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _edited import Mistake, Tenant

from runtime.annealing.undoing.plan import Way
from runtime.errors import Fault

AIM = 1.0


def one_history(place: Path, template: Path, seed: str) -> tuple[Way, Counter[str]]:
    """The way in which the last improvement was taken back, and what happened before it."""
    rng = random.Random(seed)
    tenant = Tenant(place, template, rng)
    happens: list[tuple[Callable[[], object], int]] = [
        (tenant.land, 30),
        (tenant.keep, 22),
        (tenant.edit_rule, 18),
        (tenant.count, 10),
        (tenant.edit_other, 8),
        (tenant.write_rule, 3),
        (tenant.promote, 4),
        (tenant.git_revert, 2),
        (tenant.take_back, 3),
    ]
    tenant.land()
    done: Counter[str] = Counter()
    for step in rng.choices([step for step, _ in happens], [weight for _, weight in happens], k=rng.randint(3, 25)):
        step()
        done[getattr(step, "__name__", "")] += 1
    while not tenant.standing():
        tenant.land()
    way = tenant.take_back()
    assert way is not None
    return way, done


def histories_report(n: int = 1000, seed: int = 1, *, quick: bool = False) -> dict[str, Any]:
    """``n`` histories (40 when ``quick``): how many are right, with the Wilson interval; ways; mistakes."""
    n = 40 if quick else n
    ways: Counter[str] = Counter()
    happened: Counter[str] = Counter()
    mistakes: list[str] = []
    memory = Path("/dev/shm")  # git waits for the disk at every commit; what is measured does not
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as top:
        template = Path(top) / "template"
        subprocess.run(["git", "init", "-q", "--template=", "-b", "main", str(template)], check=True)
        for number in range(n):
            place = Path(top) / "tenant"
            place.mkdir()
            try:
                way, done = one_history(place, template / ".git", f"{seed}/{number}")
                ways[way.value] += 1
                happened += done
            except (Mistake, Fault) as fault:
                mistakes.append(f"history {number}: {fault}")
            shutil.rmtree(place)
    right = n - len(mistakes)
    return {
        "figure": "edit histories that end in a valid tree with exactly the culprit's effect gone, none by hand",
        "value": right / n,
        "n": n,
        "interval": wilson(right, n),
        "aim": AIM,
        "met": right / n >= AIM,
        "seed": seed,
        "ways": dict(sorted(ways.items())),
        "happened": dict(sorted(happened.items())),
        "mistakes": mistakes[:20],
    }


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927), 95 % by default."""
    share, spread = hits / n, z * z / n
    middle = share + spread / 2
    half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--histories", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--quick", action="store_true", help="40 histories")
    given = options.parse_args()
    report = histories_report(given.histories, given.seed, quick=given.quick)
    print(json.dumps(report, indent=1))
    return 0 if report["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
