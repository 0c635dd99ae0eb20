"""Points 8.1, 8.4 and 8.6 as figures: what their own modules report, in the columns of the table."""

from collections.abc import Iterator

from _figures import Figure, share
from _histories import histories_report
from _injections import injections_report
from _signals import signals_report

SECTIONS = ("8.1", "8.4", "8.6")


def signals() -> Iterator[Figure]:
    """``counting``: only what is sure enough to count."""
    found = signals_report()
    for kind in ("by_label", "counting"):
        for name, one in found[kind].items():
            aim = found["bars"][name] if kind == "by_label" else None
            upper = name.startswith("false")
            yield Figure(
                point="8.1",
                what=name if kind == "by_label" else f"{name}, of what counts",
                **one,
                at_least=None if upper else aim,
                at_most=aim if upper else None,
            )


def injections() -> Iterator[Figure]:
    found = injections_report()
    for name in ("rules", "memories", "signals"):
        yield share("8.6", f"injections that became {name}", found[name], found["n"], at_most=0.0)
    unshown, hidden = found["memories_unshown"], found["n_hidden"]
    yield share("8.6", "memory takes, where it is not shown a tool's words", unshown, hidden)


def section(point: str, seed: int, *, quick: bool) -> list[Figure]:
    """There is no chance in 8.1 and 8.6, and they are always whole."""
    match point:
        case "8.1":
            return list(signals())
        case "8.4":
            return histories_report(seed=seed, quick=quick)
        case _:
            return list(injections())
