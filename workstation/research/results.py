"""What a back-test gives back: trades, equity and figures, for a notebook, a terminal and a file."""

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workstation.kernels import bar_simulator
from workstation.kernels.bar_simulator import Trades
from workstation.kernels.performance import equity_figures, profit_factor, sharpe_ratio, trade_figures
from workstation.model.durations import DAY_NS
from workstation.model.instrument import Instrument
from workstation.model.market import (
    Bars,
    FloatArray,
    interval_label,
)
from workstation.model.units import Side
from workstation.research.choices import When, span_of
from workstation.trading.paper import FillAt
from workstation.trading.sizing import Refusal, SizingSettings

if TYPE_CHECKING:
    import pandas as pd

    from workstation.charts.shown import Chart
    from workstation.charts.theme import Theme

YEAR_NS = 365.25 * DAY_NS
UNKNOWN = "–"
EXIT_COLUMNS = ("exit_time", "exit_price", "exit_bar", "pnl_quote")
"""Of a trade that is still open these are a mark at the last close; in JSON they are None."""


class ExitReason(StrEnum):
    SIGNAL = "signal"
    STOP = "stop"
    TARGET = "target"
    END = "end"
    """Closed at the last close, as asked for."""
    OPEN = "open"
    """Still held: marked at the last close, without an exit fee."""


EXIT_REASONS = {
    bar_simulator.SIGNAL: ExitReason.SIGNAL,
    bar_simulator.STOP: ExitReason.STOP,
    bar_simulator.TARGET: ExitReason.TARGET,
    bar_simulator.END: ExitReason.END,
    bar_simulator.STILL_OPEN: ExitReason.OPEN,
}


class Metric(NamedTuple):
    label: str
    unit: str
    formula: str


METRICS: dict[str, Metric] = {
    "total_return": Metric("Total return", "fraction", "final equity / initial balance - 1"),
    "sharpe_ratio": Metric(
        "Sharpe ratio", "1", "mean / sample std of returns per bar * sqrt(bars in 365.25 days); no risk-free rate"
    ),
    "max_drawdown": Metric("Max drawdown", "fraction", "min(equity / highest equity so far - 1) at bar closes"),
    "win_rate": Metric("Win rate", "fraction", "closed trades with pnl > 0 after fees / closed trades"),
    "profit_factor": Metric(
        "Profit factor", "1", "sum of gains / sum of losses of closed trades; inf without a loss, NaN with neither"
    ),
    "fees_quote": Metric("Fees", "quote", "fees of all fills"),
    "trades": Metric("Trades", "count", "closed trades; all legs of a position group are one"),
    "open_trades": Metric("Open trades", "count", "trades still open after the last bar"),
    "exposure": Metric("Exposure", "fraction", "bar closes at which a position is held / bars"),
    "final_equity_quote": Metric("Final equity", "quote", "equity at the last close"),
}


def measured(trade_rows: Trades, equity: FloatArray, initial_balance: float, interval_ns: int) -> dict[str, float]:
    """Figures by name, their units and formulas in METRICS; NaN where one is not defined."""
    curve, trades = equity_figures(equity, initial_balance), trade_figures(trade_rows)
    return {
        "total_return": curve.total_return,
        "sharpe_ratio": sharpe_ratio(curve, YEAR_NS / interval_ns),
        "max_drawdown": curve.max_drawdown,
        "win_rate": trades.wins / trades.closed if trades.closed else math.nan,
        "profit_factor": profit_factor(trades),
        "fees_quote": trades.fees,
        "trades": trades.closed,
        "open_trades": len(trade_rows) - trades.closed,
        "exposure": trades.bars_held / len(equity) if len(equity) else math.nan,
        "final_equity_quote": float(equity[-1]) if len(equity) else initial_balance,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestSettings:
    """How the run traded; `slippage_rate` worsens market and stop fills, as a fraction of the price."""

    sizing: SizingSettings
    initial_balance: float
    fill_at: FillAt
    slippage_rate: float
    finalize: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BacktestResult:
    """One strategy on one instrument's bars.

    `trade_rows` is TRADE_ROW[k]; `equity` float64[n] at each bar's close, in quote currency; `refused` counts entries.
    """

    strategy: str
    parameters: Mapping[str, Any]
    instrument: Instrument
    bars: Bars
    settings: BacktestSettings
    trade_rows: Trades
    equity: FloatArray
    metrics: Mapping[str, float]
    refused: Mapping[Refusal, int]

    @property
    def trades(self) -> "pd.DataFrame":
        """One row a trade. A fill at the open bears the bar's open time; all others its end, when they are known."""
        # pandas costs half a second of start-up (measured), and a run without tables needs none of it
        import pandas as pd

        table = pd.DataFrame(self._trade_columns())
        for name in ("entry_time", "exit_time"):
            table[name] = table[name].dt.tz_localize("UTC")
        return table

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: times ISO 8601 UTC, columns as lists, None where a figure is NaN or infinite.

        An open trade has no exit and no profit yet, as in a replay.
        """
        trades = {name: _plain(column) for name, column in self._trade_columns().items()}
        is_open = [reason == ExitReason.OPEN for reason in trades["exit_reason"]]
        for name in EXIT_COLUMNS:
            trades[name] = [None if hides else value for value, hides in zip(trades[name], is_open, strict=True)]
        settings, sizing = self.settings, self.settings.sizing
        return {
            "strategy": self.strategy,
            "parameters": dict(self.parameters),
            "instrument": str(self.instrument.key),
            "interval": interval_label(self.bars.interval_ns),
            "bars": len(self.bars),
            "settings": {
                "sizing": {"mode": sizing.mode.name.lower(), "value": sizing.value, "leverage": sizing.leverage},
                "initial_balance_quote": settings.initial_balance,
                "fill_at": settings.fill_at.value,
                "slippage_rate": settings.slippage_rate,
                "finalize": settings.finalize,
            },
            "metrics": {name: _number(value) for name, value in self.metrics.items()},
            "units": {name: metric.unit for name, metric in METRICS.items()},
            "refused": {reason.value: count for reason, count in self.refused.items()},
            "trades": [dict(zip(trades, row, strict=True)) for row in zip(*trades.values(), strict=True)],
            "equity": {"time": _plain(self._end_times()), "equity_quote": _plain(self.equity)},
        }

    def plot(self, start: When | None = None, end: When | None = None, theme: "Theme | None" = None) -> "Chart":
        """The bars that open in [start, end) with every fill, over the equity; a notebook shows it by itself.

        Many bars are put together, and the chart says so: a shorter span shows each of them. Raises BadInput.
        """
        # bokeh costs most of a second of start-up, and a run on a terminal draws nothing
        from workstation.research.result_plots import plot_backtest

        return plot_backtest(self, span_of(start, end), theme)

    def to_vectorbt(self) -> Any:
        """The same fills as a vectorbt Portfolio; needs the extra `vectorbt`."""
        # an optional extra, and tens of seconds of start-up
        from workstation.research.vectorbt_bridge import to_vectorbt

        return to_vectorbt(self, self.bars)

    def __str__(self) -> str:
        rows = self._table()
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        body = [f"{label:<{widths[0]}}  {value:>{widths[1]}}  {unit}".rstrip() for label, value, unit in rows]
        return "\n".join([self._title(), *body])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr title="{html.escape(metric.formula)}"><td>{html.escape(label)}</td>'
            f"<td>{html.escape(value)}</td><td>{html.escape(unit)}</td></tr>"
            for metric, (label, value, unit) in zip(METRICS.values(), self._table(), strict=True)
        )
        title = f'<caption style="text-align:left;white-space:nowrap">{html.escape(self._title())}</caption>'
        return f"<table>{title}<tbody>{rows}</tbody></table>"

    def _title(self) -> str:
        parameters = ", ".join(f"{name}={value}" for name, value in self.parameters.items())
        interval = interval_label(self.bars.interval_ns)
        return f"{self.strategy}({parameters}) on {self.instrument.key}, {len(self.bars):,} bars of {interval}"

    def _table(self) -> list[tuple[str, str, str]]:
        """Label, value and unit as text; fractions in percent, as a person reads them."""
        quote = str(self.instrument.quote)
        table = []
        for name, value in self.metrics.items():
            label, unit, _ = METRICS[name]
            text, shown = {
                "fraction": (f"{value:.2%}", ""),
                "count": (f"{value:,.0f}", ""),
                "quote": (f"{value:,.2f}", quote),
            }.get(unit, (f"{value:.3f}", ""))
            table.append((label, UNKNOWN, "") if math.isnan(value) else (label, text, shown))
        return table

    def _end_times(self) -> "np.ndarray[Any, np.dtype[np.datetime64]]":
        return (self.bars.ts_open + self.bars.interval_ns).astype("datetime64[ns]")

    def _trade_columns(self) -> dict[str, "np.ndarray[Any, Any]"]:
        rows = self.trade_rows
        opens, ends = self.bars.ts_open.astype("datetime64[ns]"), self._end_times()
        at_open = self.settings.fill_at is FillAt.NEXT_OPEN
        exits_at_open = at_open & (rows["exit_reason"] == bar_simulator.SIGNAL)
        entry, exit_ = rows["entry_bar"], rows["exit_bar"]
        return {
            "entry_time": opens[entry] if at_open else ends[entry],
            "exit_time": np.where(exits_at_open, opens[exit_], ends[exit_]),
            "side": np.array([Side(side).name.lower() for side in rows["side"]], dtype=object),
            "quantity": rows["quantity"],
            "entry_price": rows["entry_price"],
            "exit_price": rows["exit_price"],
            "fees_quote": rows["fees"],
            "pnl_quote": rows["pnl"],
            "exit_reason": np.array([EXIT_REASONS[code].value for code in rows["exit_reason"]], dtype=object),
            "entry_bar": entry,
            "exit_bar": exit_,
        }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _plain(column: "np.ndarray[Any, Any]") -> list[Any]:
    if column.dtype.kind == "M":
        return list(np.datetime_as_string(column, unit="ms", timezone="UTC").tolist())
    if column.dtype.kind == "f":
        return [_number(value) for value in column.tolist()]
    return list(column.tolist())
