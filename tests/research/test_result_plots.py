"""Results as pictures: every fill of the span within its bar, over the equity that came of it."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from bokeh.models import ColumnDataSource

import workstation as ws
from tests.cli.histories import BTC, START_NS, store_bars, store_quotes
from workstation.charts.shown import Chart
from workstation.charts.theme import DARK
from workstation.errors import BadInput
from workstation.history.store import HistoryStore
from workstation.model.durations import HOUR_NS
from workstation.trading.limits import NO_LIMITS

WORDS: dict[str, Any] = {"venue": "nova", "symbol": BTC, "interval": "1h", "fast": 3, "slow": 8}


@pytest.fixture
def history(home: Any) -> HistoryStore:
    store = HistoryStore(home / "history")
    store_bars(store)
    store_quotes(store)
    return store


def held(chart: Chart, name: str) -> pd.DataFrame:
    source = chart.layout.select_one({"type": ColumnDataSource, "name": name})
    return pd.DataFrame({column: np.asarray(values) for column, values in source.data.items()})


@pytest.mark.usefixtures("history")
def test_every_fill_stands_in_the_bar_that_it_was_made_in() -> None:
    result = ws.backtest("ma-cross", **WORDS, sizing="equity-fraction=0.95")
    fills, trades = held(result.plot(), "fills"), result.trades
    closed = trades[trades["exit_reason"] != "open"]
    assert len(fills) == len(trades) + len(closed) > 20
    bars = result.bars
    places = sorted([*trades["entry_bar"], *closed["exit_bar"]])
    assert sorted(((fills["time"] * 1e6 - START_NS) // HOUR_NS).astype(int)) == places
    for place, price in zip(((fills["time"] * 1e6 - START_NS) // HOUR_NS).astype(int), fills["price"], strict=True):
        assert bars.low[place] <= price <= bars.high[place]


@pytest.mark.usefixtures("history")
def test_an_entry_and_its_exit_are_on_opposite_sides() -> None:
    result = ws.backtest("ma-cross", **WORDS)
    fills = held(result.plot(), "fills")
    entries = fills[fills["label"] == "entry"]
    assert (entries["side"] == "buy").sum() == (result.trades["side"] == "buy").sum()
    first = result.trades.iloc[0]
    told = f"{first['exit_reason']}, {first['pnl_quote']:+,.2f}"
    assert set(fills[fills["label"] == told]["side"]) == {"sell" if first["side"] == "buy" else "buy"}


@pytest.mark.usefixtures("history")
def test_a_span_shows_its_own_bars_and_fills_and_the_equity_of_all() -> None:
    result = ws.backtest("ma-cross", **WORDS)
    whole, part = result.plot(), result.plot(start="2024-05-03", end="2024-05-05", theme=DARK)
    assert len(held(part, "candles")) == 48
    inside = held(part, "fills")["time"]
    assert inside.between(START_NS / 1e6 + 2 * 86_400_000, START_NS / 1e6 + 4 * 86_400_000).all()
    curve, all_of_it = held(part, "equity"), held(whole, "equity")
    assert len(curve) < len(all_of_it)
    same = all_of_it.set_index("t").loc[curve["t"]]
    assert np.allclose(same["drawdown_percent"], curve["drawdown_percent"])


@pytest.mark.usefixtures("history")
def test_the_curve_ends_with_the_figures() -> None:
    result = ws.backtest("ma-cross", **WORDS)
    curve = held(result.plot(), "equity")
    assert curve["equity"].iloc[-1] == pytest.approx(result.metrics["final_equity_quote"])
    assert curve["return_percent"].iloc[-1] == pytest.approx(100 * result.metrics["total_return"])
    assert curve["drawdown_percent"].min() == pytest.approx(100 * result.metrics["max_drawdown"])


@pytest.mark.usefixtures("history")
def test_a_replay_is_drawn_as_the_back_test_is() -> None:
    words = WORDS | {"sizing": "equity-fraction=0.95"}
    fast, walk = ws.backtest("ma-cross", **words), ws.replay("ma-cross", limits=NO_LIMITS, **words)
    one, other = held(fast.plot(), "fills"), held(walk.plot(), "fills")
    hours = [sorted(((fills["time"] * 1e6 - START_NS) // HOUR_NS).astype(int)) for fills in (one, other)]
    assert hours[0] == hours[1]
    assert np.allclose(sorted(one["price"]), sorted(other["price"]))


@pytest.mark.usefixtures("history")
def test_a_session_on_quotes_has_its_equity_drawn() -> None:
    result = ws.replay(
        "spread-reversion", venue=["nova", "orion"], symbol=BTC, min_points=50, window_minutes=5.0, entry_z=4.0
    )
    curve = held(result.plot(), "equity")
    times, values = result.equity()
    assert curve["equity"].tolist() == pytest.approx(values.tolist())
    assert curve["t"].tolist() == (times / 1e6).tolist()


@pytest.mark.usefixtures("history")
def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(BadInput, match="expected a start before the end"):
        ws.backtest("ma-cross", **WORDS).plot(start="2024-05-03", end="2024-05-01")


@pytest.mark.usefixtures("history")
def test_a_span_without_bars_is_an_empty_chart() -> None:
    assert len(held(ws.backtest("ma-cross", **WORDS).plot(start="2030-01-01"), "candles")) == 0
