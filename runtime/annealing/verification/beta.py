"""The Beta distribution: what is known of a rate after some good and some bad turns. Pure.

Owns its distribution function, its quantile, and how likely one rate is below another. A library that has these (SciPy)
would be by far the heaviest part of the product.
"""

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate

_TERMS = 500
_CLOSE = 1e-14
_TINY = 1e-300
_STEPS = 500
"""Of the integral below."""


@dataclass(frozen=True, slots=True)
class Beta:
    """``a`` and ``b`` > 0."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)

    def cdf(self, x: float) -> float:
        """The chance that the rate is at most ``x``: the regularised incomplete beta function, by the continued
        fraction of DLMF 8.17.22, evaluated by Lentz's method as in Numerical Recipes, 6.4."""
        if x <= 0:
            return 0.0
        if x >= 1:
            return 1.0
        log = math.lgamma(self.a + self.b) - math.lgamma(self.a) - math.lgamma(self.b)
        front = math.exp(log + self.a * math.log(x) + self.b * math.log1p(-x))
        if x < (self.a + 1) / (self.a + self.b + 2):
            return front * _fraction(self.a, self.b, x) / self.a
        return 1 - front * _fraction(self.b, self.a, 1 - x) / self.b

    def quantile(self, p: float) -> float:
        """The rate below which it is with the chance ``p``: by bisection, to about 1e-12."""
        return _quantile(self, p)


@lru_cache(maxsize=1024)
def _quantile(beta: Beta, p: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if beta.cdf(middle) < p else (low, middle)
    return (low + high) / 2


@lru_cache(maxsize=1024)
def chance_below(one: Beta, other: Beta) -> float:
    """P(one < other), of two independent rates. For ``a`` and ``b`` of at least ½ each.

    The integral of the density of ``other`` times the distribution of ``one`` over θ, with rate = sin²θ: in θ the
    densities are finite, or nearly so, at both ends, where the midpoint rule does not look. Good to 1e-3 for rates of
    which up to 1,000 turns are known.
    """
    density, weights = _grid(one), _grid(other)
    below = (area - at / 2 for area, at in zip(accumulate(density), density, strict=True))
    return sum(weight * area for weight, area in zip(weights, below, strict=True)) / (sum(density) * sum(weights))


def _grid(beta: Beta) -> list[float]:
    """The density over θ in the middle of each step, up to a factor that keeps the highest point at 1."""
    logs = [(2 * beta.a - 1) * sine + (2 * beta.b - 1) * cosine for sine, cosine in _angles()]
    highest = max(logs)
    return [math.exp(log - highest) for log in logs]


@cache
def _angles() -> tuple[tuple[float, float], ...]:
    """log sin θ and log cos θ of each step."""
    angles = [(math.pi / 2) * (step + 0.5) / _STEPS for step in range(_STEPS)]
    return tuple((math.log(math.sin(one)), math.log(math.cos(one))) for one in angles)


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return value


def _not_zero(x: float) -> float:
    return x if abs(x) > _TINY else _TINY
