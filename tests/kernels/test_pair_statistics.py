"""Half-life, correlation and lead against their definitions, numpy, and values of others."""

import json
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.kernels.pair_statistics import LEAST_STEPS, half_life_of, lead_of, return_correlation

Floats = npt.NDArray[np.float64]


def two_walks(seed: int, count: int = 400, lag: int = 0, noise: float = 0.3) -> tuple[Floats, Floats]:
    """B makes what A made `lag` steps before, and something of its own."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 1e-3, count + abs(lag))
    a, b = (common[lag:], common[:count]) if lag > 0 else (common[:count], common[-lag:])
    return np.cumsum(a[:count]), np.cumsum(b + noise * rng.normal(0, 1e-3, count))


@given(seed=st.integers(0, 2**32 - 1), lag=st.integers(-5, 5))
def test_correlation_is_numpys(seed: int, lag: int) -> None:
    a, b = two_walks(seed, 120)
    returns_a, returns_b = np.diff(a), np.diff(b)
    x = returns_a[max(0, -lag) : len(returns_a) - max(0, lag)]
    y = returns_b[max(0, lag) : len(returns_b) - max(0, -lag)]
    assert return_correlation(a, b, lag) == (len(x), pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-9))


@given(seed=st.integers(0, 2**32 - 1))
def test_half_life_is_the_slope_of_least_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    spread = np.zeros(200)
    for i in range(1, 200):
        spread[i] = 0.8 * spread[i - 1] + rng.normal()
    base = np.cumsum(rng.normal(0, 1e-3, 200))
    slope, _ = np.polyfit(spread[:-1], np.diff(spread), 1)
    assert half_life_of(base + spread, base) == pytest.approx(-math.log(2) / slope, rel=1e-9)


@pytest.mark.parametrize("lag", [-4, -1, 0, 2, 5])
def test_who_moves_first_leads_by_as_many_steps(lag: int) -> None:
    a, b = two_walks(7, lag=lag)
    lead, correlation = lead_of(a, b, 10)
    assert lead == lag and correlation > 0.8
    assert lead_of(b, a, 10)[0] == -lag


def test_walks_that_know_nothing_of_each_other_mostly_have_no_leader() -> None:
    leads = [lead_of(two_walks(seed)[0], two_walks(seed + 1_000)[0], 0)[0] for seed in range(200)]
    assert np.isnan(leads).mean() > 0.9


@given(seed=st.integers(0, 2**32 - 1))
def test_a_step_without_a_price_is_left_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = two_walks(seed, 150)
    a[rng.integers(0, 150, 5)] = np.nan
    b[rng.integers(0, 150, 5)] = np.nan
    x, y = np.diff(a), np.diff(b)
    known = ~np.isnan(x) & ~np.isnan(y)
    assert return_correlation(a, b, 0)[1] == pytest.approx(np.corrcoef(x[known], y[known])[0, 1], rel=1e-9)
    spread = a - b
    steps = ~np.isnan(np.diff(spread))
    slope, _ = np.polyfit(spread[:-1][steps], np.diff(spread)[steps], 1)
    expected = -math.log(2) / slope if slope < 0 else math.inf
    assert half_life_of(a, b) == pytest.approx(expected, rel=1e-6)


def test_too_little_or_nothing_that_moves_says_nothing() -> None:
    short = np.linspace(0, 1, LEAST_STEPS)
    flat = np.zeros(100)
    assert math.isnan(half_life_of(short, flat[: len(short)]))
    assert math.isnan(half_life_of(flat, flat)) and math.isnan(return_correlation(flat, flat, 0)[1])
    assert all(math.isnan(one) for one in lead_of(flat, flat, 3))
    assert all(math.isnan(one) for one in lead_of(np.full(50, np.nan), np.full(50, np.nan), 3))
    assert math.isnan(half_life_of(np.empty(0), np.empty(0)))


def test_a_spread_that_runs_away_never_reverts() -> None:
    assert half_life_of(np.exp(np.linspace(0, 3, 100)), np.zeros(100)) == math.inf


@pytest.mark.shared
def test_the_half_life_that_others_found(shared_dir: Path) -> None:
    found = json.loads((shared_dir / "cases" / "pairs_half_life.json").read_text())["cases"]
    case = next(one for one in found if one["id"].startswith("synthetic: RandomState(42)"))
    random = np.random.RandomState(42)
    x = np.cumsum(random.normal(0, 1, 101)) + 50
    y = 5 * x + random.normal(0, 1, 101)
    slope, intercept = np.polyfit(x, y, 1)
    residual = y - slope * x - intercept
    assert half_life_of(residual, np.zeros(101)) == pytest.approx(case["half_life"], abs=case["tol"])
