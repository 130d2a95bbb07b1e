import math
from typing import Any

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tests.kernels.series import AWKWARD, WINDOWS, any_series, assert_close, assert_same_bits, blocks, cuts, prices
from workstation.errors import BadInput
from workstation.kernels import rolling
from workstation.kernels.arguments import Float64s

KERNELS = {
    "mean": (rolling.rolling_mean, rolling.mean_batch, rolling.MEAN_STATE),
    "std": (rolling.rolling_std, rolling.std_batch, rolling.MOMENTS_STATE),
    "zscore": (rolling.zscore, rolling.zscore_batch, rolling.MOMENTS_STATE),
}
some_prices = st.lists(prices, min_size=2, max_size=20)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("name", AWKWARD)
def test_mean_equals_the_naive_one(name: str, window: int) -> None:
    values = AWKWARD[name]
    assert_close(rolling.rolling_mean(values, window), naive.sma(values.tolist(), window), relative=1e-10)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("name", AWKWARD)
def test_std_equals_the_naive_one(name: str, window: int) -> None:
    values = AWKWARD[name]
    assert_close(rolling.rolling_std(values, window), naive.std(values.tolist(), window), relative=1e-9)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("name", AWKWARD)
def test_zscore_equals_the_naive_one(name: str, window: int) -> None:
    values = AWKWARD[name]
    assert_close(rolling.zscore(values, window), naive.zscore(values.tolist(), window), scale=1.0)


@settings(deadline=None)  # the first example compiles
@given(values=any_series, window=st.integers(min_value=1, max_value=12))
def test_kernels_equal_the_naive_ones_on_any_series(values: Float64s, window: int) -> None:
    assert_close(rolling.rolling_mean(values, window), naive.sma(values.tolist(), window), scale=1e9, relative=1e-12)
    assert_close(rolling.rolling_std(values, window), naive.std(values.tolist(), window), scale=1e-6)


@pytest.mark.parametrize("name", ["walk", "around zero", "constant", "ticks on a billion"])
@pytest.mark.parametrize("window", [2, 10, 40])
def test_mean_and_std_equal_talib(name: str, window: int) -> None:
    values = AWKWARD[name]
    assert_close(rolling.rolling_mean(values, window), talib.SMA(values, window), scale=1e-3)
    # TA-Lib takes the difference of two large sums: it is right to half its digits only
    level = float(np.abs(values).max())
    assert_close(rolling.rolling_std(values, window), talib.STDDEV(values, window), scale=level, relative=3e-7)


@pytest.mark.parametrize("kernel", KERNELS)
@settings(deadline=None)  # the first example compiles
@given(values=any_series, window=st.integers(min_value=1, max_value=12), cut_at=cuts)
def test_blocks_give_the_same_bits_as_the_whole(kernel: str, values: Float64s, window: int, cut_at: list[int]) -> None:
    whole, batch, state_size = KERNELS[kernel]
    out, ring, state = np.empty(len(values)), np.empty(window), np.zeros(state_size)
    for block in blocks(len(values), cut_at):
        batch(values[block], ring, state, out[block])
    assert_same_bits(out, whole(values, window))


def test_steps_give_the_same_bits_as_the_batch() -> None:
    values, ring, out = AWKWARD["a NaN"], np.empty(7), []
    state = rolling.load_moments(np.zeros(rolling.MOMENTS_STATE))
    for x in values:
        out.append(rolling.zscore_step(x, 7, state))
        state = rolling.moments_step(x, ring, state)
    assert_same_bits(np.array(out), rolling.zscore(values, 7))


def test_zscore_compares_a_value_with_the_window_before_it() -> None:
    z = rolling.zscore(np.array([1.0, 3.0, 5.0, 5.0]), 2)
    assert_close(z, [math.nan, math.nan, 3.0, 1.0])


def test_zscore_of_a_constant_window_is_nan() -> None:
    values = np.array([0.1, 0.7, 1e6, 0.3, 0.3, 0.3, 0.3, 0.9])
    assert np.isnan(rolling.zscore(values, 3)[6:]).all()


def test_a_constant_stretch_has_exactly_its_value_as_mean() -> None:
    values = np.concatenate([AWKWARD["walk"], np.full(5, 0.3)])
    assert rolling.rolling_mean(values, 5)[-1] == 0.3


def test_a_nan_stays_for_one_window() -> None:
    values = np.array([1.0, 2.0, math.nan, 3.0, 4.0, 5.0])
    assert_close(rolling.rolling_mean(values, 2), [math.nan, 1.5, math.nan, math.nan, 3.5, 4.5])


def test_rounding_is_forgotten_after_the_recompute() -> None:
    values = AWKWARD["walk"].repeat(3)[: 32 * 2 + 9]
    assert_close(rolling.rolling_std(values, 2), naive.std(values.tolist(), 2), scale=1e-6)


def test_a_result_may_overwrite_its_input() -> None:
    values = AWKWARD["walk"].copy()
    expected = rolling.rolling_mean(values, 5)
    assert rolling.rolling_mean(values, 5, out=values) is values
    assert_same_bits(values, expected)


def test_a_strided_input_is_accepted() -> None:
    values = AWKWARD["walk"]
    assert_same_bits(rolling.rolling_mean(values[::2], 3), rolling.rolling_mean(values[::2].copy(), 3))


@settings(deadline=None)  # the first example compiles
@given(values=some_prices)
def test_added_moments_equal_exact_ones(values: list[float]) -> None:
    count, mean, m2 = 0, 0.0, 0.0
    for x in values:
        count, mean, m2 = rolling.moments_add(count, mean, m2, x)
    exact = rolling.moments_exact(np.array(values))
    assert count == exact[0] == len(values)
    assert mean == pytest.approx(exact[1], rel=1e-9, abs=1e-6)
    assert math.sqrt(m2) == pytest.approx(math.sqrt(exact[2]), rel=1e-9, abs=1e-5)
    assert math.sqrt(exact[2] / count) == pytest.approx(naive.std(values, count)[-1], rel=1e-9)


@settings(deadline=None)  # the first example compiles
@given(values=some_prices, new=prices)
def test_replaced_and_removed_moments_equal_exact_ones(values: list[float], new: float) -> None:
    scale = max(map(abs, [*values, new]))
    before = rolling.moments_exact(np.array(values))
    for changed, expected in [
        (rolling.moments_replace(*before, values[0], new), rolling.moments_exact(np.array([new, *values[1:]]))),
        (rolling.moments_remove(*before, values[0]), rolling.moments_exact(np.array(values[1:]))),
    ]:
        assert changed[0] == expected[0]
        assert changed[1] == pytest.approx(expected[1], abs=1e-12 * scale, rel=1e-9)
        assert changed[2] == pytest.approx(expected[2], abs=max(1e-12 * scale**2, 1e-300), rel=1e-9)
        assert changed[2] >= 0.0


def test_removing_the_last_value_leaves_nothing() -> None:
    assert rolling.moments_remove(1, 5.0, 0.0, 5.0) == (0, 0.0, 0.0)
    assert rolling.moments_exact(np.empty(0)) == (0, 0.0, 0.0)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    ("values", "window", "out", "message"),
    [
        ([1.0, 2.0], 1, None, "list, expected a float64 array"),
        (np.arange(3), 1, None, r"int64 of shape \(3,\)"),
        (np.zeros((2, 3)), 1, None, r"shape \(2, 3\)"),
        (np.zeros(3), 0, None, "window 0 < 1"),
        (np.zeros(3), -4, None, "window -4 < 1"),
        (np.zeros(3), 2.5, None, "window 2.5 is not a whole number"),
        (np.zeros(3), 1, np.zeros(2), "out has 2 values, the input 3"),
        (np.zeros(3), 1, np.zeros(3, dtype=np.float32), "out is float32"),
        (np.zeros(3), 1, np.zeros(6)[::2], "out of 3 values is not contiguous"),
    ],
)
def test_bad_input_is_refused_with_its_numbers(kernel: str, values: Any, window: Any, out: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        KERNELS[kernel][0](values, window, out)
