import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.model.durations import MINUTE_NS
from workstation.model.market import (
    Bars,
)
from workstation.strategies.base import Signals
from workstation.strategies.ma_cross import MACross

ARRAYS = ("entries", "exit_long", "exit_short", "stop_distance", "target_distance")


def bars_of(close: np.ndarray) -> Bars:
    values = np.asarray(close, np.float64)
    return Bars(
        interval_ns=MINUTE_NS,
        ts_open=np.arange(len(values), dtype=np.int64) * MINUTE_NS,
        open=values,
        high=values + 1,
        low=values - 1,
        close=values,
        volume=np.ones(len(values)),
    )


def random_bars(seed: int, length: int) -> Bars:
    return bars_of(100 + np.cumsum(np.random.default_rng(seed).normal(0, 1, length)))


def assert_prefix(part: Signals, whole: Signals, length: int) -> None:
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[:length], err_msg=name)


@given(
    seed=st.integers(0, 999),
    cut=st.integers(0, 150),
    average=st.sampled_from(["sma", "ema", "wma"]),
    side=st.sampled_from(["long", "short", "both"]),
    fast=st.integers(1, 5),
    stop=st.sampled_from([None, 2.0]),
)
@settings(max_examples=60)
def test_no_decision_depends_on_a_later_bar(
    seed: int, cut: int, average: str, side: str, fast: int, stop: float | None
) -> None:
    bars = random_bars(seed, 150)
    strategy = MACross(average=average, side=side, fast=fast, slow=8, atr_window=3, atr_stop=stop, atr_target=None)
    assert_prefix(strategy.signals(bars.slice(0, cut)).checked(cut, "ma-cross"), strategy.signals(bars), cut)


@pytest.mark.parametrize("average", ["sma", "ema", "wma"])
def test_a_cross_up_goes_long_and_leaves_a_short(average: str) -> None:
    close = np.concatenate([np.linspace(120, 100, 20), np.linspace(100, 120, 20), np.linspace(120, 100, 20)])
    signals = MACross(average=average, fast=2, slow=5, atr_window=3).signals(bars_of(close))
    (up,), (down,) = np.flatnonzero(signals.entries == 1), np.flatnonzero(signals.entries == -1)
    assert 20 <= up < 26 and 40 <= down < 46
    assert np.flatnonzero(signals.exit_short).tolist() == [up] and np.flatnonzero(signals.exit_long).tolist() == [down]


def test_the_three_averages_are_different_ones() -> None:
    bars = random_bars(1, 300)
    entries = [MACross(average=name, fast=3, slow=9).signals(bars).entries.tobytes() for name in ("sma", "ema", "wma")]
    assert len(set(entries)) == 3


def test_stop_and_target_stand_in_atrs_of_the_bar() -> None:
    signals = MACross(fast=2, slow=5, atr_window=3, atr_stop=2.0, atr_target=3.0).signals(random_bars(2, 200))
    entered = signals.entries != 0
    assert entered.sum() > 10
    np.testing.assert_allclose(signals.target_distance[entered] / signals.stop_distance[entered], 1.5)


def test_one_side_enters_there_alone_and_still_leaves() -> None:
    bars = random_bars(3, 300)
    both, long, short = (MACross(fast=2, slow=6, side=side).signals(bars) for side in ("both", "long", "short"))
    np.testing.assert_array_equal(long.entries, np.maximum(both.entries, 0))
    np.testing.assert_array_equal(short.entries, np.minimum(both.entries, 0))
    np.testing.assert_array_equal(long.exit_long, both.exit_long)


def test_without_an_atr_there_is_no_entry_but_an_exit() -> None:
    bars = random_bars(4, 120)
    late = MACross(fast=2, slow=5, atr_window=100).signals(bars)
    bare = MACross(fast=2, slow=5, atr_window=100, atr_stop=None, atr_target=None).signals(bars)
    assert np.flatnonzero(bare.entries).min() < 100 <= np.flatnonzero(late.entries).min()
    np.testing.assert_array_equal(late.exit_long, bare.exit_long)
    assert np.isnan(bare.stop_distance).all() and np.isnan(bare.target_distance).all()


@pytest.mark.parametrize("length", [0, 1, 2])
def test_a_short_history_gives_nothing(length: int) -> None:
    signals = MACross().signals(random_bars(5, length)).checked(length, "ma-cross")
    assert not signals.entries.any() and not signals.exit_long.any()
