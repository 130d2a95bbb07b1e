"""A back-test's fills as a vectorbt Portfolio; the only module that knows vectorbt."""

from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt

from workstation.errors import BadInput
from workstation.kernels.bar_simulator import STILL_OPEN
from workstation.model.market import Bars
from workstation.research.results import BacktestResult


def to_vectorbt(result: BacktestResult, bars: Bars) -> Any:
    """The fills of `result` on its `bars` as a vectorbt.Portfolio with the same trades and final equity.

    Times are UTC without a time zone: vectorbt turns aware ones into objects, one by one, at every figure.
    vectorbt takes one order a row: a bar with more fills has a row for each, all with the bar's end as their time.
    Raises BadInput for leverage over 1, which vectorbt does not have.
    """
    leverage = result.settings.sizing.leverage
    if leverage > 1.0:
        raise BadInput(f"{result.instrument.key}: leverage {leverage:g}: vectorbt trades with at most 1")
    fills = _fills(result)
    per_bar = np.bincount(fills["bar"], minlength=len(bars))
    rows = np.repeat(np.arange(len(bars)), np.maximum(per_bar, 1))
    first = np.cumsum(np.maximum(per_bar, 1)) - np.maximum(per_bar, 1)
    bar = fills["bar"].to_numpy()
    place = first[bar] + fills.groupby("bar").cumcount().to_numpy()
    columns = {
        name: np.full(len(rows), missing) for name, missing in (("size", np.nan), ("price", np.nan), ("fee", 0.0))
    }
    for name, values in columns.items():
        values[place] = fills[name]
    index = pd.to_datetime(bars.ts_open[rows] + bars.interval_ns, unit="ns")
    return vbt.Portfolio.from_orders(
        pd.Series(bars.close[rows], index=index, name=str(result.instrument.symbol)),
        size=columns["size"],
        price=columns["price"],
        fixed_fees=columns["fee"],
        init_cash=result.settings.initial_balance,
        freq=pd.Timedelta(bars.interval_ns, unit="ns"),
    )


def _fills(result: BacktestResult) -> pd.DataFrame:
    """Entries and exits in the order of execution: bar, signed size, price and fee in quote currency."""
    trades = result.trade_rows
    is_closed = trades["exit_reason"] != STILL_OPEN
    signed = trades["quantity"] * trades["side"]
    rate = float(result.instrument.taker_fee_rate)
    entry_fee = trades["quantity"] * trades["entry_price"] * rate
    entries = pd.DataFrame(
        {"bar": trades["entry_bar"], "size": signed, "price": trades["entry_price"], "fee": entry_fee}
    )
    exits = pd.DataFrame(
        {"bar": trades["exit_bar"], "size": -signed, "price": trades["exit_price"], "fee": trades["fees"] - entry_fee}
    )
    # trade by trade, each entry before its exit: the order in which they were filled
    order = np.arange(2 * len(trades)).reshape(2, -1).T.ravel()
    is_fill = np.column_stack([np.ones(len(trades), bool), is_closed]).ravel()
    fills: pd.DataFrame = pd.concat([entries, exits]).iloc[order[is_fill]].reset_index(drop=True)
    return fills
