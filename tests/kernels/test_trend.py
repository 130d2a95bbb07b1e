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
from workstation.kernels import trend
from workstation.kernels.arguments import Float64s
from workstation.kernels.rolling import MEAN_STATE

AVERAGES = {"sma": trend.sma, "ema": trend.ema, "wma": trend.wma}
NAIVE = {"sma": naive.sma, "ema": naive.ema, "wma": naive.wma}
TALIB = {"sma": talib.SMA, "ema": talib.EMA, "wma": talib.WMA}
REAL_BARS = ("binance_BTC_USDT_1h", "coinbase_BTC_USD_1h")


def in_blocks(average: str, values: Float64s, window: int, cut_at: list[int]) -> Float64s:
    out, ring = np.empty(len(values)), np.empty(window)
    state = np.zeros({"sma": MEAN_STATE, "ema": trend.EMA_STATE, "wma": trend.WMA_STATE}[average])
    for block in blocks(len(values), cut_at):
        if average == "ema":
            trend.ema_batch(values[block], window, state, out[block])
        elif average == "wma":
            trend.wma_batch(values[block], ring, state, out[block])
        else:
            trend.sma_batch(values[block], ring, state, out[block])
    return out


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("name", AWKWARD)
def test_averages_equal_the_naive_ones(average: str, name: str, window: int) -> None:
    values = AWKWARD[name]
    assert_close(AVERAGES[average](values, window), NAIVE[average](values.tolist(), window), scale=1e-6)


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("window", [2, 3, 10, 40, len(AWKWARD["walk"])])
@pytest.mark.parametrize("name", ["walk", "around zero", "constant", "zeros", "ticks on a billion"])
def test_averages_equal_talib(average: str, name: str, window: int) -> None:
    values = AWKWARD[name]
    assert_close(AVERAGES[average](values, window), TALIB[average](values, window), scale=1e-3)


@pytest.mark.parametrize("average", AVERAGES)
@settings(deadline=None)  # the first example compiles
@given(values=any_series, window=st.integers(min_value=1, max_value=12), cut_at=cuts)
def test_blocks_give_the_same_bits_as_the_whole(average: str, values: Float64s, window: int, cut_at: list[int]) -> None:
    assert_same_bits(in_blocks(average, values, window, cut_at), AVERAGES[average](values, window))


@pytest.mark.parametrize("average", AVERAGES)
@settings(deadline=None)  # the first example compiles
@given(values=any_series, window=st.integers(min_value=1, max_value=12))
def test_averages_equal_the_naive_ones_on_any_series(average: str, values: Float64s, window: int) -> None:
    expected = NAIVE[average](values.tolist(), window)
    assert_close(AVERAGES[average](values, window), expected, scale=1e9, relative=1e-12)


def test_ema_steps_give_the_same_bits_as_the_batch() -> None:
    values, out, count, average = AWKWARD["a NaN"], [], 0, 0.0
    for x in values:
        count, average, output = trend.ema_step(x, 7, count, average)
        out.append(output)
    assert_same_bits(np.array(out), trend.ema(values, 7))


def test_ema_begins_with_the_simple_average() -> None:
    assert_close(trend.ema(np.array([1.0, 2.0, 6.0, 5.0]), 3), [math.nan, math.nan, 3.0, 4.0])


def test_wma_weighs_the_newest_value_most() -> None:
    assert_close(trend.wma(np.array([1.0, 2.0, 6.0, 5.0]), 3), [math.nan, math.nan, 23 / 6, 29 / 6])


@pytest.mark.parametrize("average", AVERAGES)
def test_a_nan_restarts_the_warm_up(average: str) -> None:
    values = np.array([9.0, 8.0, math.nan, 1.0, 2.0, 4.0])
    out = AVERAGES[average](values, 2)
    assert np.isnan(out).tolist() == [True, False, True, True, False, False]
    assert_same_bits(out[3:], AVERAGES[average](values[3:], 2))


@pytest.mark.parametrize("average", AVERAGES)
def test_a_constant_series_has_exactly_its_value_as_average(average: str) -> None:
    out = AVERAGES[average](AWKWARD["constant"], 10)
    assert (out[9:] == 0.1).all()


@pytest.mark.parametrize("average", AVERAGES)
def test_a_window_of_no_points_is_refused(average: str) -> None:
    with pytest.raises(BadInput, match="window 0 < 1"):
        AVERAGES[average](AWKWARD["walk"], 0)


@pytest.mark.shared
@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("window", [2, 20, 100])
@pytest.mark.parametrize("bars", REAL_BARS)
def test_averages_equal_talib_on_real_bars(shared_dir: Path, average: str, bars: str, window: int) -> None:
    table = parquet.read_table(shared_dir / "data" / "bars" / f"{bars}.parquet", columns=["close"])
    close = table["close"].to_numpy()
    assert_close(AVERAGES[average](close, window), TALIB[average](close, window))


@pytest.mark.shared
@pytest.mark.parametrize("average", ["sma", "ema"])
def test_averages_equal_the_published_ones(shared_dir: Path, average: str) -> None:
    table = parquet.read_table(shared_dir / "data" / "reference" / "skender_default.parquet", columns=["close"])
    case = json.loads((shared_dir / "cases" / "indicators_skender.json").read_text())
    (published,) = [row["at"] for row in case["values"] if row["i"] == f"{average.upper()}(20)"]
    out = AVERAGES[average](table["close"].to_numpy(), 20)
    for index, value in published.items():
        assert out[int(index)] == pytest.approx(value, rel=0, abs=case["abs_tol"])
