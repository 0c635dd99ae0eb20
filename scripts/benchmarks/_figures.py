"""A figure of a benchmark: what was counted, how sure it is, and what it should be."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

Z = 1.96


@dataclass(frozen=True, kw_only=True)
class Figure:
    """``value`` with its 95 % interval from ``low`` to ``high``, over ``n`` cases. ``at_least``, ``at_most``: the aim,
    where there is one. ``sure``: the whole interval must reach it, not only the value."""

    point: str
    what: str
    value: float
    n: int
    low: float
    high: float
    at_least: float | None = None
    at_most: float | None = None
    sure: bool = False
    percent: bool = True

    @property
    def met(self) -> bool | None:
        """None where there is no aim."""
        if self.at_least is not None:
            return (self.low if self.sure else self.value) >= self.at_least
        if self.at_most is not None:
            return (self.high if self.sure else self.value) <= self.at_most
        return None

    @property
    def aim(self) -> str:
        if self.at_least is not None:
            return f"≥ {self._shown(self.at_least)}"
        return f"≤ {self._shown(self.at_most)}" if self.at_most is not None else ""

    def cells(self) -> tuple[str, ...]:
        """Point, figure, value, n, interval, aim, met."""
        met = {True: "yes", False: "NO", None: ""}[self.met]
        interval = f"{self._shown(self.low)} to {self._shown(self.high)}"
        return (self.point, self.what, self._shown(self.value), f"{self.n:,}", interval, self.aim, met)

    def as_json(self) -> dict[str, object]:
        """A figure without cases has null for its value."""
        known = {name: None if value != value else value for name, value in asdict(self).items()}
        return {**known, "met": self.met}

    def _shown(self, value: float) -> str:
        return f"{100 * value:.1f} %" if self.percent else f"{value:.4g}"


COLUMNS = ("point", "figure", "value", "n", "95 % interval", "aim", "met")


def share(
    point: str, what: str, hits: int, n: int, *, at_least: float | None = None, at_most: float | None = None
) -> Figure:
    """A share of cases, with Wilson's interval."""
    if not n:
        return Figure(
            point=point, what=what, value=math.nan, n=0, low=math.nan, high=math.nan, at_least=at_least, at_most=at_most
        )
    p = hits / n
    middle, half = p + Z * Z / (2 * n), Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    low, high = max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
    return Figure(
        point=point, what=what, value=p, n=n, low=min(low, p), high=max(high, p), at_least=at_least, at_most=at_most
    )


def mean(point: str, what: str, values: Sequence[float], *, sure: bool = False, at_most: float | None = None) -> Figure:
    """A mean, with the normal interval."""
    value = statistics.fmean(values)
    half = Z * statistics.stdev(values) / math.sqrt(len(values))
    return Figure(
        point=point,
        what=what,
        value=value,
        n=len(values),
        low=value - half,
        high=value + half,
        percent=False,
        sure=sure,
        at_most=at_most,
    )


def median(point: str, what: str, values: Sequence[float], *, at_most: float | None = None) -> Figure:
    """A median, with the interval of the order statistics."""
    ranked, n = sorted(values), len(values)
    half = Z * math.sqrt(n) / 2
    low, high = max(0, math.floor(n / 2 - half)), min(n - 1, math.ceil(n / 2 + half))
    return Figure(
        point=point,
        what=what,
        value=statistics.median(ranked),
        n=n,
        low=ranked[low],
        high=ranked[high],
        percent=False,
        at_most=at_most,
    )


def table(figures: Sequence[Figure]) -> list[str]:
    """Lines of a markdown table that can be read as it is."""
    rows = [COLUMNS, *(one.cells() for one in figures)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]
