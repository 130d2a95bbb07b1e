import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tests.kernels.series import AWKWARD, WINDOWS, any_series, assert_close, assert_same_bits, blocks, cuts
from workstation.errors import BadInput
from workstation.kernels import volatility
from workstation.kernels.arguments import Float64s

Bars = tuple[Float64s, Float64s, Float64s]


def bars_around(values: Float64s) -> Bars:
    """High, low and close of bars with a spread that varies, seeded by their number."""
    up, down = np.random.default_rng(len(values)).random((2, len(values)))
    return values + up, values - down, values


def read_bars(path: Path) -> Bars:
    table = parquet.read_table(path, columns=["high", "low", "close"])
    return table["high"].to_numpy(), table["low"].to_numpy(), table["close"].to_numpy()


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("name", AWKWARD)
def test_atr_equals_the_naive_one(name: str, window: int) -> None:
    high, low, close = bars_around(AWKWARD[name])
    expected = naive.atr(high.tolist(), low.tolist(), close.tolist(), window)
    assert_close(volatility.atr(high, low, close, window), expected)


@pytest.mark.parametrize("name", AWKWARD)
def test_true_range_equals_the_naive_one(name: str) -> None:
    high, low, close = bars_around(AWKWARD[name])
    expected = naive.true_range(high.tolist(), low.tolist(), close.tolist())
    assert_close(volatility.true_range(high, low, close), expected)


@pytest.mark.parametrize("window", [1, 2, 14, 40])
@pytest.mark.parametrize("name", ["walk", "around zero", "constant", "ticks on a billion", "falling by magnitudes"])
def test_atr_and_true_range_equal_talib(name: str, window: int) -> None:
    high, low, close = bars_around(AWKWARD[name])
    assert_close(volatility.atr(high, low, close, window), talib.ATR(high, low, close, window))
    assert_close(volatility.true_range(high, low, close), talib.TRANGE(high, low, close))


@settings(deadline=None)  # the first example compiles
@given(values=any_series, window=st.integers(min_value=1, max_value=12), cut_at=cuts)
def test_blocks_give_the_same_bits_as_the_whole(values: Float64s, window: int, cut_at: list[int]) -> None:
    high, low, close = bars_around(values)
    out, state = np.empty(len(values)), np.zeros(volatility.ATR_STATE)
    for block in blocks(len(values), cut_at):
        volatility.atr_batch(high[block], low[block], close[block], window, state, out[block])
    assert_same_bits(out, volatility.atr(high, low, close, window))


def test_steps_give_the_same_bits_as_the_batch() -> None:
    high, low, close = bars_around(AWKWARD["a NaN"])
    out, count, average, before = [], 0, 0.0, math.nan
    for top, bottom, end in zip(high, low, close, strict=True):
        moved = volatility.true_range_step(top, bottom, before)
        count, average, output = volatility.atr_step(moved, 5, count, average)
        out.append(output)
        before = end
    assert_same_bits(np.array(out), volatility.atr(high, low, close, 5))


def test_a_gap_counts_as_movement() -> None:
    high, low, close = np.array([2.0, 9.0]), np.array([1.0, 8.0]), np.array([1.5, 8.5])
    assert_close(volatility.true_range(high, low, close), [math.nan, 7.5])


def test_a_missing_close_hides_the_true_range_of_the_next_bar_only() -> None:
    high, low, close = np.full(5, 2.0), np.full(5, 1.0), np.array([1.5, math.nan, 1.5, 1.5, 1.5])
    assert_close(volatility.true_range(high, low, close), [math.nan, 1.0, math.nan, 1.0, 1.0])


def test_a_missing_high_restarts_the_warm_up_of_atr() -> None:
    high, low, close = np.full(8, 2.0), np.full(8, 1.0), np.full(8, 1.5)
    high[4] = math.nan
    nan = math.nan
    assert_close(volatility.atr(high, low, close, 2), [nan, nan, 1.0, 1.0, nan, nan, 1.0, 1.0])


def test_series_of_different_lengths_are_refused_with_their_lengths() -> None:
    with pytest.raises(BadInput, match="'high': 3, 'low': 2, 'close': 3"):
        volatility.atr(np.zeros(3), np.zeros(2), np.zeros(3), 2)
    with pytest.raises(BadInput, match="'high': 3, 'low': 3, 'close': 4"):
        volatility.true_range(np.zeros(3), np.zeros(3), np.zeros(4))


@pytest.mark.shared
@pytest.mark.parametrize("window", [1, 14, 100])
@pytest.mark.parametrize("name", ["binance_BTC_USDT_1h", "coinbase_BTC_USD_1h"])
def test_atr_equals_talib_on_real_bars(shared_dir: Path, name: str, window: int) -> None:
    high, low, close = read_bars(shared_dir / "data" / "bars" / f"{name}.parquet")
    assert_close(volatility.atr(high, low, close, window), talib.ATR(high, low, close, window))


@pytest.mark.shared
def test_atr_equals_the_published_one(shared_dir: Path) -> None:
    high, low, close = read_bars(shared_dir / "data" / "reference" / "skender_default.parquet")
    case = json.loads((shared_dir / "cases" / "indicators_skender.json").read_text())
    (published,) = [row for row in case["values"] if row["i"] == "ATR(14) Wilder"]
    out = volatility.atr(high, low, close, 14)
    assert np.isfinite(out).sum() == published["non_null"]
    for index, value in published["at"].items():
        assert out[int(index)] == pytest.approx(value, rel=0, abs=case["abs_tol"])
