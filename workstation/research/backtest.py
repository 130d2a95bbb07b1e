"""The fast back-test: a bar strategy's signals through the bar simulator in one compiled pass.

How a bar fills orders stands in `kernels/bar_simulator.py`; a session in bar mode follows the same rules.
"""

import math
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from workstation.errors import BadInput
from workstation.kernels.bar_checks import first_bad_bar
from workstation.kernels.bar_simulator import SETTINGS, TRADE_ROW, simulate_bars
from workstation.kernels.sizing import INSUFFICIENT_CASH
from workstation.model.instrument import Instrument, InstrumentKind, require_contract_of_one
from workstation.model.market import Bars, FloatArray
from workstation.model.units import grid_of, to_float
from workstation.research.results import BacktestResult, BacktestSettings, measured
from workstation.research.strategy_calls import signals_of
from workstation.strategies.base import BarStrategy, Signals
from workstation.trading.paper import FillAt
from workstation.trading.sizing import REFUSALS, SizingMode, SizingSettings

DEFAULT_SIZING = SizingSettings(mode=SizingMode.EQUITY_FRACTION, value=0.95)


def backtest(
    strategy: BarStrategy,
    bars: Bars,
    instrument: Instrument,
    *,
    sizing: SizingSettings = DEFAULT_SIZING,
    initial_balance: float = 10_000.0,
    fill_at: FillAt = FillAt.NEXT_OPEN,
    slippage_rate: float = 0.0,
    finalize: bool = False,
) -> BacktestResult:
    """Trades `strategy` on `bars`, whose prices lie on the instrument's tick grid.

    `finalize` closes at the last close what is still held. Raises BadInput for bars that cannot be (naming bar, field
    and value), for settings out of range, and for a short entry on a spot instrument; StrategyNonsense for bad signals,
    StrategyRaised for what its code raises.
    """
    settings = BacktestSettings(
        sizing=sizing,
        initial_balance=initial_balance,
        fill_at=fill_at,
        slippage_rate=slippage_rate,
        finalize=finalize,
    )
    record = settings_record(settings, instrument)
    check_bars(bars)
    signals = signals_of(strategy, bars)
    check_sides(signals, instrument)
    require_contract_of_one(instrument)
    equity = np.empty(len(bars))
    trades = np.empty(np.count_nonzero(signals.entries), TRADE_ROW)
    refused = np.zeros(INSUFFICIENT_CASH + 1, np.int64)
    count = simulate_bars(
        *_prices(bars),
        _frozen(signals.entries, np.int8),
        _frozen(signals.exit_long, np.bool_),
        _frozen(signals.exit_short, np.bool_),
        _frozen(signals.stop_distance, np.float64),
        _frozen(signals.target_distance, np.float64),
        record,
        equity,
        trades,
        refused,
    )
    rows = trades[:count].copy()
    return BacktestResult(
        strategy=strategy.name_in_cli,
        parameters=strategy.parameters(),
        instrument=instrument,
        bars=bars,
        settings=settings,
        trade_rows=rows,
        equity=equity,
        metrics=measured(rows, equity, initial_balance, bars.interval_ns),
        refused={reason: int(refused[code]) for code, reason in REFUSALS.items()},
    )


def settings_record(settings: BacktestSettings, instrument: Instrument) -> np.void:
    """The SETTINGS record of a run; raises BadInput for a balance that is not > 0 or a slippage outside [0, 1)."""
    if not (math.isfinite(settings.initial_balance) and settings.initial_balance > 0.0):
        raise BadInput(f"initial_balance {settings.initial_balance!r}: expected a finite number over 0")
    if not 0.0 <= settings.slippage_rate < 1.0:
        raise BadInput(f"slippage_rate {settings.slippage_rate!r}: expected a fraction from 0 to below 1")
    tick, lot, record = grid_of(instrument.tick_size), grid_of(instrument.lot_size), np.zeros((), SETTINGS)
    record["initial_balance"], record["slippage_rate"] = settings.initial_balance, settings.slippage_rate
    record["tick_numerator"], record["tick_scale"] = tick.numerator, tick.scale
    record["lot_numerator"], record["lot_scale"] = lot.numerator, lot.scale
    for name in ("min_quantity", "min_notional_quote", "maker_fee_rate", "taker_fee_rate"):
        record[name] = to_float(getattr(instrument, name))
    sizing = settings.sizing
    record["sizing_mode"], record["sizing_value"] = sizing.mode, sizing.value
    record["leverage"], record["sizing_slippage_rate"] = sizing.leverage, sizing.slippage_rate
    record["is_spot"] = instrument.kind is InstrumentKind.SPOT
    record["fills_at_close"] = FillAt(settings.fill_at) is FillAt.THIS_CLOSE
    record["closes_at_end"] = settings.finalize
    return cast("np.void", record[()])


def check_bars(bars: Bars) -> None:
    """BadInput for the first bar with a price not finite or not > 0, high < low, or a time that does not rise."""
    index = first_bad_bar(_frozen(bars.ts_open, np.int64), *_prices(bars))
    if index == len(bars):
        return
    for name in ("open", "high", "low", "close"):
        price = float(getattr(bars, name)[index])
        if not (math.isfinite(price) and price > 0.0):
            raise BadInput(f"bar {index}: {name} {price!r}: expected a finite number over 0")
    if bars.high[index] < bars.low[index]:
        raise BadInput(
            f"bar {index}: high {float(bars.high[index])!r}: expected at least low {float(bars.low[index])!r}"
        )
    before = int(bars.ts_open[index - 1])
    raise BadInput(f"bar {index}: ts_open {int(bars.ts_open[index])}: expected more than {before} of the bar before")


def check_sides(signals: Signals, instrument: Instrument) -> None:
    """Returns unless there is a short entry on a spot instrument. Raises BadInput with the ways out."""
    if instrument.kind is not InstrumentKind.SPOT or not len(signals.entries) or signals.entries.min() >= 0:
        return
    index = int(np.argmin(signals.entries))
    base, quote = instrument.base, instrument.quote
    raise BadInput(
        f"{instrument.key}: bar {index} enters short: a spot instrument can only be bought and sold again; "
        f"use --param side=long (in a notebook side='long'), or import the symbol as {base}/{quote}:{quote}"
    )


def _prices(bars: Bars) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    open_, high, low, close = (_frozen(series, np.float64) for series in (bars.open, bars.high, bars.low, bars.close))
    return open_, high, low, close


def _frozen(array: npt.NDArray[Any], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """A read-only contiguous view; numba compiles anew for each mix of read-only (from files) and writable inputs."""
    view = np.ascontiguousarray(array, dtype).view()
    view.flags.writeable = False
    return view
