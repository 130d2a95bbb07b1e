"""Results as pictures: the bars with what was filled, over the equity that came of it."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workstation.charts.candles import CandleChart, candles
from workstation.charts.equity import equity
from workstation.charts.shown import Chart, stacked
from workstation.charts.tables import nanoseconds
from workstation.charts.theme import LIGHT, Theme
from workstation.history.market_rows import Span
from workstation.model.durations import MS_NS
from workstation.model.market import (
    Bars,
    FloatArray,
    IntArray,
)
from workstation.model.units import to_float
from workstation.research.results import ExitReason

if TYPE_CHECKING:
    from workstation.research.replay_result import ReplayResult
    from workstation.research.results import BacktestResult

CANDLES_HEIGHT, EQUITY_HEIGHT = 420, 300


def plot_backtest(result: "BacktestResult", span: Span, theme: Theme | None = None) -> Chart:
    """All trades of the span on its bars, over the equity at each bar's close."""
    above = _candles(result.bars, _trade_fills(result), span, theme)
    ends = result.bars.ts_open + result.bars.interval_ns
    words: dict[str, Any] = {"initial": result.settings.initial_balance, "currency": str(result.instrument.quote)}
    words |= {"theme": theme or LIGHT, "height": EQUITY_HEIGHT}
    return stacked(above, equity(_curve(ends, result.equity), x_range=above.x_range, **words))


def plot_replay(result: "ReplayResult", span: Span, theme: Theme | None = None) -> Chart:
    """As of a back-test; of a session on quotes the equity alone, after each fill."""
    times, values = result.equity()
    words: dict[str, Any] = {"initial": result.initial_balance, "currency": str(result.manifest.session.currency)}
    words |= {"theme": theme or LIGHT, "height": EQUITY_HEIGHT}
    if result.bars is None:
        return equity(_curve(times, values)[span.holds(times)], **words)
    above = _candles(result.bars.bars(), _log_fills(result), span, theme)
    return stacked(above, equity(_curve(times, values), x_range=above.x_range, **words))


def _candles(bars: Bars, fills: pd.DataFrame, span: Span, theme: Theme | None) -> CandleChart:
    places = np.flatnonzero(span.holds(bars.ts_open))
    shown = bars.slice(places[0], places[-1] + 1) if len(places) else bars.slice(0, 0)
    is_shown = span.holds(nanoseconds(pd.DatetimeIndex(fills["time"])))
    return candles(shown, fills=fills[is_shown], shown=None, theme=theme or LIGHT, height=CANDLES_HEIGHT)


def _curve(times: IntArray, values: FloatArray) -> pd.DataFrame:
    """All of it, also where a part is shown: the highest equity so far may lie before."""
    return pd.DataFrame({"equity_quote": values}, index=_times(times))


def _trade_fills(result: "BacktestResult") -> pd.DataFrame:
    """An entry and, where it is closed, an exit of each trade."""
    trades = result.trades
    is_long, is_closed = (trades["side"] == "buy").to_numpy(), (trades["exit_reason"] != ExitReason.OPEN).to_numpy()
    endings = zip(trades["exit_reason"], trades["pnl_quote"], strict=True)
    entries = {"label": "entry", "side": np.where(is_long, "buy", "sell")}
    exits = {"label": [f"{why}, {pnl:+,.2f}" for why, pnl in endings], "side": np.where(is_long, "sell", "buy")}
    parts = []
    for name, told in (("entry", entries), ("exit", exits)):
        # at its bar's end a fill would stand in the next bar
        ends = result.bars.ts_open[trades[f"{name}_bar"]] + result.bars.interval_ns
        times = np.minimum(nanoseconds(pd.DatetimeIndex(trades[f"{name}_time"])), ends - MS_NS)
        part = {"time": _times(times), "price": trades[f"{name}_price"], "quantity": trades["quantity"], **told}
        parts.append(pd.DataFrame(part))
    return pd.concat([parts[0], parts[1][is_closed]]).sort_values("time", kind="stable", ignore_index=True)


def _log_fills(result: "ReplayResult") -> pd.DataFrame:
    """Each fill, within the bar that it was found in."""
    fills = result.log.fills
    told_at = np.array([fill.ts_received for fill in fills], np.int64)
    signed = np.array([to_float(fill.signed_quantity) for fill in fills])
    columns = {
        "time": _times(told_at - result.manifest.assumed_delay_ns - MS_NS),
        "price": np.array([to_float(fill.price) for fill in fills]),
        "quantity": np.abs(signed),
        "side": np.where(signed > 0, "buy", "sell"),
    }
    return pd.DataFrame(columns)


def _times(times_ns: IntArray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(times_ns.astype("datetime64[ns]")).tz_localize("UTC")
