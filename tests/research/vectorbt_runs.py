"""The same signals through vectorbt, with the options under which it follows our rules."""

from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt

from workstation.model.market import Bars
from workstation.research.results import BacktestResult
from workstation.strategies.base import Signals

TOUCHED = (2, 3)
"""Exit reasons STOP and TARGET."""


def vectorbt_portfolio(
    bars: Bars, signals: Signals, *, fee_rate: float, slippage_rate: float, balance: float, quantity: float = np.inf
) -> Any:
    """A Portfolio filled at the signal's close; `quantity` inf is all in.

    It has one slippage for stop and target, takes both as fractions of a price (here the paid one), and ignores what is
    signalled in a bar that hit one of them (see `without_touched_entries`).
    """
    index = pd.to_datetime(bars.ts_open + bars.interval_ns, unit="ns")
    paid = bars.close * (1 + signals.entries * slippage_rate)
    return vbt.Portfolio.from_signals(
        pd.Series(bars.close, index=index),
        entries=signals.entries > 0,
        exits=signals.exit_long,
        short_entries=signals.entries < 0,
        short_exits=signals.exit_short,
        open=bars.open,
        high=bars.high,
        low=bars.low,
        size=quantity,
        fees=fee_rate,
        slippage=slippage_rate,
        sl_stop=signals.stop_distance / paid,
        tp_stop=signals.target_distance / paid,
        stop_entry_price="FillPrice",
        stop_exit_price="StopMarket",
        upon_opposite_entry="Reverse",
        upon_dir_conflict="Opposite",
        upon_long_conflict="Entry",
        upon_short_conflict="Entry",
        init_cash=balance,
        freq=pd.Timedelta(bars.interval_ns, unit="ns"),
    )


def without_touched_entries(signals: Signals, result: BacktestResult) -> Signals:
    """The signals without entries in bars whose stop or target was hit."""
    rows = result.trade_rows
    entries = signals.entries.copy()
    entries[rows["exit_bar"][np.isin(rows["exit_reason"], TOUCHED)]] = 0
    return Signals(
        entries=entries,
        exit_long=signals.exit_long,
        exit_short=signals.exit_short,
        stop_distance=signals.stop_distance,
        target_distance=signals.target_distance,
    )


def assert_same_trades(result: BacktestResult, portfolio: Any, rel: float = 1e-7) -> None:
    """Trade by trade: bars, side, prices, quantity, fees and pnl; and the final equity."""
    ours, theirs = result.trade_rows, portfolio.trades.records
    assert ours["entry_bar"].tolist() == theirs["entry_idx"].tolist()
    assert ours["exit_bar"].tolist() == theirs["exit_idx"].tolist()
    assert ours["side"].tolist() == [1 if direction == 0 else -1 for direction in theirs["direction"]]
    for name, their_name in (("entry_price", "entry_price"), ("exit_price", "exit_price"), ("quantity", "size")):
        np.testing.assert_allclose(ours[name], theirs[their_name], rtol=rel)
    np.testing.assert_allclose(ours["fees"], theirs["entry_fees"] + theirs["exit_fees"], rtol=rel)
    np.testing.assert_allclose(ours["pnl"], theirs["pnl"], rtol=rel, atol=rel * 100)
    np.testing.assert_allclose(result.equity, portfolio.value().to_numpy(), rtol=rel)
