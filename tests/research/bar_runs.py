"""Bars, instruments and scripted strategies for tests of the back-test."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from workstation.model.durations import MINUTE_NS
from workstation.model.ids import Currency, Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKind
from workstation.model.market import (
    Bars,
)
from workstation.strategies.base import BarStrategy, Signals

START_NS = 1_700_000_040 * 10**9


def an_instrument(**changes: Any) -> Instrument:
    """A linear perpetual with a tick of 0.01, a lot of 0.001, no minima and no fees."""
    values: dict[str, Any] = {
        "venue": Venue("test"),
        "symbol": Symbol("ABC/USDT:USDT"),
        "kind": InstrumentKind.LINEAR,
        "base": Currency("ABC"),
        "quote": Currency("USDT"),
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal("0.001"),
        "min_quantity": Decimal(0),
        "min_notional_quote": Decimal(0),
        "maker_fee_rate": Decimal(0),
        "taker_fee_rate": Decimal(0),
    }
    return Instrument(**(values | changes))


def some_bars(
    open_: Sequence[float],
    high: Sequence[float] | None = None,
    low: Sequence[float] | None = None,
    close: Sequence[float] | None = None,
    interval_ns: int = MINUTE_NS,
) -> Bars:
    """Bars in a row; without a close they close where they open, without high and low they go no further."""
    opens = np.array(open_, float)
    closes = opens.copy() if close is None else np.array(close, float)
    return Bars(
        interval_ns=interval_ns,
        ts_open=START_NS + interval_ns * np.arange(len(opens)),
        open=opens,
        high=np.maximum(opens, closes) if high is None else np.array(high, float),
        low=np.minimum(opens, closes) if low is None else np.array(low, float),
        close=closes,
        volume=np.ones(len(opens)),
    )


def random_bars(seed: int, length: int, *, tick: float = 0.01, start: float = 100.0, steps: int = 40) -> Bars:
    """A walk of a few ticks a bar with gaps, so that levels are often touched exactly."""
    rng = np.random.default_rng(seed)
    scale = round(1 / tick)
    base = round(start * scale)
    close = np.maximum(base + np.cumsum(rng.integers(-steps, steps + 1, length)), 3 * steps)
    open_ = np.maximum(np.r_[base, close[:-1]][:length] + rng.integers(-steps // 2, steps // 2 + 1, length), 1)
    high = np.maximum(open_, close) + rng.integers(0, steps, length)
    low = np.maximum(np.minimum(open_, close) - rng.integers(0, steps, length), 1)
    return some_bars(open_ / scale, high / scale, low / scale, close / scale)


def some_signals(
    length: int,
    entries: Mapping[int, int],
    *,
    exit_long: Sequence[int] = (),
    exit_short: Sequence[int] = (),
    stop: float = np.nan,
    target: float = np.nan,
) -> Signals:
    """Entries by bar, exits at bars, the same stop and target distance everywhere."""
    sides = np.zeros(length, np.int8)
    for bar, side in entries.items():
        sides[bar] = side
    return Signals(
        entries=sides,
        exit_long=_flags(length, exit_long),
        exit_short=_flags(length, exit_short),
        stop_distance=np.full(length, stop),
        target_distance=np.full(length, target),
    )


def random_signals(seed: int, length: int, *, tick: float = 0.01, share: float = 0.3, shorts: bool = True) -> Signals:
    """Entries at a share of the bars; distances of some ticks, off the grid, a few of them missing."""
    rng = np.random.default_rng(seed)
    sides = rng.choice([-1, 1] if shorts else [1], length)
    distances = tick * rng.uniform(1, 120, (2, length))
    distances[rng.random((2, length)) < 0.2] = np.nan
    return Signals(
        entries=np.where(rng.random(length) < share, sides, 0).astype(np.int8),
        exit_long=rng.random(length) < share / 2,
        exit_short=rng.random(length) < share / 2,
        stop_distance=distances[0],
        target_distance=distances[1],
    )


class Scripted(BarStrategy):
    """Decides what it was told to decide."""

    name_in_cli: ClassVar[str] = "scripted"

    def __init__(self, signals: Signals) -> None:
        super().__init__()
        self.script = signals

    def signals(self, bars: Bars) -> Signals:
        return self.script


def _flags(length: int, bars: Sequence[int]) -> npt.NDArray[np.bool_]:
    flags = np.zeros(length, bool)
    flags[list(bars)] = True
    return flags
