"""What a replay gives back: trades, equity, figures; for eyes, for JSON, for a notebook."""

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workstation.kernels.performance import TradeFigures, equity_figures, profit_factor, sharpe_ratio
from workstation.model.durations import DAY_NS
from workstation.model.market import (
    FloatArray,
    IntArray,
)
from workstation.model.units import to_float
from workstation.research.choices import When, span_of
from workstation.research.results import METRICS, UNKNOWN
from workstation.research.trade_log import LegTrade, Trade, TradeLog
from workstation.session.bar_signals import BarSignals
from workstation.session.manifest import RunManifest
from workstation.session.state import SessionState

if TYPE_CHECKING:
    from workstation.charts.shown import Chart
    from workstation.charts.theme import Theme

YEAR_NS = 365.25 * DAY_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """One replayed run. `state` is the fold of its journal, `rows` the market rows it took."""

    manifest: RunManifest
    state: SessionState
    log: TradeLog
    rows: int
    bars: BarSignals | None = None

    @property
    def trades(self) -> list[Trade]:
        """Position groups that were entered; the last ones may be open."""
        return self.log.trades

    @property
    def legs(self) -> list[LegTrade]:
        """The legs of all trades; a strategy on one instrument has one in each."""
        return self.log.entered_legs

    @property
    def initial_balance(self) -> float:
        """All opening balances of the session's currency."""
        wanted = self.manifest.session.currency
        return sum(to_float(b.amount) for b in self.manifest.balances if b.currency == wanted)

    def equity(self) -> tuple[IntArray, FloatArray]:
        """Times (ns UTC) and equity in the session's currency: at each bar's end, or for ticks after each fill."""
        times = np.array([fill.ts_received for fill in self.log.fills], np.int64)
        signed = np.array([to_float(fill.signed_quantity) for fill in self.log.fills])
        price = np.array([to_float(fill.price) for fill in self.log.fills])
        fees = np.array([to_float(fill.fee) for fill in self.log.fills])
        if self.bars is None:
            return times, self.initial_balance + self._realized(times)
        bars = self.bars.bars()
        ends = bars.ts_open + bars.interval_ns
        at = np.searchsorted(ends, times - self.manifest.assumed_delay_ns)  # received that long after the bar's end
        kept = at < len(ends)
        cash, quantity = np.zeros(len(ends)), np.zeros(len(ends))
        np.add.at(cash, at[kept], (-signed * price - fees)[kept])
        np.add.at(quantity, at[kept], signed[kept])
        return ends, self.initial_balance + np.cumsum(cash) + np.cumsum(quantity) * bars.close

    def _realized(self, times: IntArray) -> FloatArray:
        """Profit of closed legs, fees taken off, up to each time."""
        closed = [(leg.exit_ns, to_float(leg.pnl_quote)) for leg in self.legs if leg.exit_ns and not leg.is_open]
        closed.sort()
        sums = np.concatenate([[0.0], np.cumsum([pnl for _, pnl in closed])])
        result: FloatArray = sums[np.searchsorted([at for at, _ in closed], times, side="right")]
        return result

    @property
    def metrics(self) -> dict[str, float]:
        """Figures by name; METRICS has the unit and formula of each. NaN where one is not defined."""
        _, curve = self.equity()
        initial = self.initial_balance
        curve_figures, trades = equity_figures(curve, initial), self._trade_figures()
        per_year = (
            math.nan if self.manifest.session.interval_ns is None else YEAR_NS / self.manifest.session.interval_ns
        )
        return {
            "total_return": curve_figures.total_return,
            "sharpe_ratio": math.nan if self.bars is None else sharpe_ratio(curve_figures, per_year),
            "max_drawdown": curve_figures.max_drawdown,
            "win_rate": trades.wins / trades.closed if trades.closed else math.nan,
            "profit_factor": profit_factor(trades),
            "fees_quote": trades.fees,
            "trades": trades.closed,
            "open_trades": len(self.trades) - trades.closed,
            "final_equity_quote": float(curve[-1]) if len(curve) else initial,
        }

    def _trade_figures(self) -> TradeFigures:
        closed = [to_float(trade.pnl_quote) for trade in self.trades if not trade.is_open]
        fees = sum(to_float(leg.fees_quote) for leg in self.legs)
        gains, losses = [pnl for pnl in closed if pnl > 0], [pnl for pnl in closed if pnl <= 0]
        return TradeFigures(len(closed), len(gains), sum(gains), -sum(losses), fees, 0)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: times ISO 8601 UTC, money as text in full, None where a figure is not defined.

        "trades" has a row for each leg; those of one "group" are one trade, as the figures count them.
        """
        times, curve = self.equity()
        session = self.manifest.session
        return {
            "run": self.manifest.run_id,
            "strategy": session.strategy,
            "parameters": dict(session.parameters),
            "instruments": [str(key) for key in session.instruments],
            "rows": self.rows,
            "metrics": {name: value if math.isfinite(value) else None for name, value in self.metrics.items()},
            "units": {name: METRICS[name].unit for name in self.metrics},
            "refused": self.state.refusals,
            "refused_by_limit": {limit: entries.number for limit, entries in self.log.refused.items()},
            "halted": self.state.halted,
            "trades": [_leg(leg) for leg in self.legs],
            "equity": {"time": _iso(times), "equity_quote": curve.tolist()},
        }

    def plot(self, start: When | None = None, end: When | None = None, theme: "Theme | None" = None) -> "Chart":
        """The bars of [start, end) with every fill, over the equity; of a session on quotes the equity alone.

        A notebook shows it by itself. Raises BadInput.
        """
        # bokeh costs most of a second of start-up, and a run on a terminal draws nothing
        from workstation.research.result_plots import plot_replay

        return plot_replay(self, span_of(start, end), theme)

    def __str__(self) -> str:
        rows = self._table()
        width = max(len(label) for label, _ in rows)
        return "\n".join([self._title(), *(f"{label:<{width}}  {value:>14}" for label, value in rows)])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{html.escape(a)}</td><td>{html.escape(b)}</td></tr>" for a, b in self._table())
        title = f'<caption style="text-align:left;white-space:nowrap">{html.escape(self._title())}</caption>'
        return f"<table>{title}<tbody>{rows}</tbody></table>"

    def _title(self) -> str:
        session = self.manifest.session
        names = ", ".join(map(str, session.instruments))
        return f"{session.strategy} on {names}: {self.rows:,} rows, run {self.manifest.run_id}"

    def _table(self) -> list[tuple[str, str]]:
        quote = self.manifest.session.currency
        table = []
        for name, value in self.metrics.items():
            label, unit, _ = METRICS[name]
            shown = {"fraction": f"{value:.2%}", "count": f"{value:,.0f}", "quote": f"{value:,.2f} {quote}"}
            table.append((label, UNKNOWN if math.isnan(value) else shown.get(unit, f"{value:.3f}")))
        table.append(("Entries refused", f"{self.state.refusals:,}"))
        if self.state.halted is not None:
            table.append(("Halted", self.state.halted))
        return table


def _leg(leg: LegTrade) -> dict[str, Any]:
    return {
        "group": leg.group_id,
        "instrument": str(leg.instrument),
        "side": leg.side.name.lower(),
        "entry_time": _iso([leg.entry_ns])[0],
        "exit_time": None if leg.is_open else _iso([leg.exit_ns])[0],
        "quantity": str(leg.entry_quantity),
        "entry_price": str(leg.entry_price),
        "exit_price": None if leg.exit_price is None else str(leg.exit_price),
        "fees_quote": str(leg.fees_quote),
        "pnl_quote": None if leg.is_open else str(leg.pnl_quote),
        "exit_reason": "open" if leg.is_open else leg.exit_reason,
    }


def _iso(times: Any) -> list[str]:
    stamps = np.asarray(times, np.int64).astype("datetime64[ns]")
    return list(np.datetime_as_string(stamps, unit="ms", timezone="UTC").tolist())
