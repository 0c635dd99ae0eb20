"""The Beta distribution: against closed forms, and against draws."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.annealing.verification.beta import Beta, chance_below

RATES = st.floats(0.001, 0.999)
PARTS = st.floats(0.5, 400)


@given(RATES)
def test_the_uniform_distribution(x: float) -> None:
    assert Beta(1, 1).cdf(x) == pytest.approx(x)


@given(RATES, st.floats(0.5, 50))
def test_powers(x: float, a: float) -> None:
    assert Beta(a, 1).cdf(x) == pytest.approx(x**a)
    assert Beta(1, a).cdf(x) == pytest.approx(1 - (1 - x) ** a)


@given(RATES)
def test_the_arcsine_distribution(x: float) -> None:
    assert Beta(0.5, 0.5).cdf(x) == pytest.approx(2 / math.pi * math.asin(math.sqrt(x)))


@given(st.integers(1, 30), st.integers(1, 30), RATES)
def test_whole_numbers_are_a_binomial_sum(a: int, b: int, x: float) -> None:
    n = a + b - 1
    wanted = math.fsum(math.comb(n, j) * x**j * (1 - x) ** (n - j) for j in range(a, n + 1))
    assert Beta(a, b).cdf(x) == pytest.approx(wanted, abs=1e-10)


@given(PARTS, PARTS, RATES)
def test_it_is_mirrored(a: float, b: float, x: float) -> None:
    assert Beta(a, b).cdf(x) == pytest.approx(1 - Beta(b, a).cdf(1 - x), abs=1e-9)


def test_outside_of_the_unit_interval() -> None:
    assert Beta(2, 3).cdf(-0.1) == 0
    assert Beta(2, 3).cdf(1.1) == 1


@given(PARTS, PARTS, st.floats(0.01, 0.99))
def test_a_quantile_is_where_the_distribution_has_that_value(a: float, b: float, p: float) -> None:
    assert Beta(a, b).cdf(Beta(a, b).quantile(p)) == pytest.approx(p, abs=1e-6)


@given(PARTS, PARTS)
def test_two_rates_of_the_same_kind_are_even(a: float, b: float) -> None:
    assert chance_below(Beta(a, b), Beta(a, b)) == pytest.approx(0.5)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_the_chance_against_its_exact_sum(a: int, b: int, c: int, d: int) -> None:
    """Cook, "Exact calculation of beta inequalities" (2005): P(X > Y) as a finite sum for a whole first parameter."""

    def log_beta(x: float, y: float) -> float:
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    above = math.fsum(
        math.exp(log_beta(c + i, b + d) - math.log(b + i) - log_beta(1 + i, b) - log_beta(c, d)) for i in range(a)
    )
    assert chance_below(Beta(c, d), Beta(a, b)) == pytest.approx(above, abs=1e-3)


@pytest.mark.parametrize(
    ("one", "other"),
    [(Beta(0.5, 20.5), Beta(6.3, 60.2)), (Beta(4.5, 16.5), Beta(20.1, 190.9)), (Beta(8, 8), Beta(2, 5))],
)
def test_the_chance_against_draws(one: Beta, other: Beta) -> None:
    ran, n = random.Random(1), 40_000
    hits = sum(ran.betavariate(one.a, one.b) < ran.betavariate(other.a, other.b) for _ in range(n))
    assert chance_below(one, other) == pytest.approx(hits / n, abs=4 * math.sqrt(0.25 / n))
