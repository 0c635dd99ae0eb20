"""Random histories of a tenant's rules on real git, and one improvement taken back at the end of each.

    .venv/bin/python scripts/benchmarks/_histories.py [--quick] [--histories 1000] [--seed 1]

Improvements land and are kept, people edit rules, promote, pin and delete them, edit other files, and take
improvements back with plain `git revert`; the loop counts; some improvements are taken back on the way. Then one that
is in force is taken back. A history is *right* when every file passes its check, the folder is what HEAD says, exactly
one commit was made (or none, when nothing was left), those that stand on it went too and no others, and every file is
byte for byte what ``_edits.py`` says it has to be; that knows neither git nor the code under test.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from _edited import Mistake, Tenant
from _figures import Figure, share

from runtime.annealing.undoing.plan import Way
from runtime.errors import Fault

AIM = 1.0

QUICK = 16


def one_history(place: Path, template: Path, seed: str, *, reuse: bool) -> tuple[Way, Counter[str]]:
    """The way in which the last improvement was taken back, and what happened before it. ``reuse``: people give the
    names of rules that are gone to new ones."""
    rng = random.Random(seed)
    tenant = Tenant(place, template, rng, reuse=reuse)
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


def histories_report(*, seed: int = 1, quick: bool = False, n: int = 1000) -> list[Figure]:
    """How many of ``n`` (QUICK when ``quick``) are right, and the ways in which the last one was taken back."""
    found = counted(seed, QUICK if quick else n)
    again = counted(seed, (QUICK if quick else n) // 4, reuse=True)
    what = "edit histories that end in a valid tree with exactly the culprit's effect gone, none by hand"
    figures = [share("8.4", what, found.n - len(found.mistakes), found.n, at_least=AIM)]
    what = "the same, where people give the names of rules that are gone to new ones"
    figures.append(share("8.4", what, again.n - len(again.mistakes), again.n))
    return figures + [share("8.4", f"of these: {_WAYS[way]}", hits, found.n) for way, hits in found.ways.items()]


@dataclass(frozen=True, slots=True)
class Counted:
    n: int
    ways: Mapping[Way, int]
    happened: Mapping[str, int]
    mistakes: Sequence[str]


def counted(seed: int, n: int, *, reuse: bool = False) -> Counted:
    ways: Counter[Way] = Counter()
    happened: Counter[str] = Counter()
    mistakes: list[str] = []
    memory = Path("/dev/shm")  # git waits for the disk at every commit; what is measured does not
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as top:
        template, place = Path(top) / "template", Path(top) / "tenant"
        subprocess.run(["git", "init", "-q", "--template=", "-b", "main", str(template)], check=True)
        for number in range(n):
            place.mkdir()
            try:
                way, done = one_history(place, template / ".git", f"{seed}/{number}", reuse=reuse)
                ways[way] += 1
                happened += done
            except (Mistake, Fault) as fault:
                mistakes.append(f"history {seed}/{number}: {fault}")
            shutil.rmtree(place)
    return Counted(n, {way: ways[way] for way in Way if ways[way]}, happened, mistakes)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--histories", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--quick", action="store_true", help=f"{QUICK} histories")
    given = options.parse_args()
    found = counted(given.seed, QUICK if given.quick else given.histories)
    print(f"{found.n - len(found.mistakes)} of {found.n} right, seed {given.seed}")
    print(*(f"{hits:6} {way.value}: {_WAYS[way]}" for way, hits in found.ways.items()), sep="\n")
    print("before it:", ", ".join(f"{count} {name}" for name, count in sorted(found.happened.items())))
    print(*found.mistakes[:20], sep="\n")
    return 1 if found.mistakes else 0


_WAYS = {
    Way.COMMIT: "as git reverts it",
    Way.RULE: "by the names of its rules",
    Way.CASCADE: "with later improvements of the same rules",
    Way.CHAIN: "a tool without what stands on it",
    Way.TAG: "from the last good tag",
    Way.RECORD: "nothing left that may be changed",
    Way.ALREADY: "taken back before",
}


if __name__ == "__main__":
    sys.exit(main())
