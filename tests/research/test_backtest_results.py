"""What a back-test refuses, and what it gives back."""

import json
import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from tests.research.bar_runs import Scripted, an_instrument, random_bars, random_signals, some_bars, some_signals
from workstation.errors import BadInput, StrategyNonsense
from workstation.model.instrument import InstrumentKind
from workstation.model.market import Bars
from workstation.research.backtest import backtest
from workstation.research.results import METRICS, BacktestResult
from workstation.strategies.ma_cross import MACross
from workstation.trading.paper import FillAt
from workstation.trading.sizing import SizingMode, SizingSettings

ONE = SizingSettings(mode=SizingMode.FIXED_QUANTITY, value=1.0)


def a_run(fill_at: FillAt = FillAt.NEXT_OPEN) -> BacktestResult:
    """Long from bar 1 (0 at the close) until the stop in bar 3; then nothing."""
    bars = some_bars([100, 100, 101, 102, 103], low=[100, 100, 101, 94, 103])
    instrument = an_instrument(taker_fee_rate=Decimal("0.001"))
    return backtest(Scripted(some_signals(5, {0: 1}, stop=5.0)), bars, instrument, sizing=ONE, fill_at=fill_at)


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0, -1.0])
def test_impossible_price_names_bar_field_and_value(name: str, value: float) -> None:
    bars = random_bars(1, 20)
    getattr(bars, name)[13] = value
    with pytest.raises(BadInput, match=f"bar 13: {name} {value!r}: expected a finite number over 0"):
        backtest(MACross(), bars, an_instrument())


def test_high_below_low_names_the_bar_and_both() -> None:
    bars = random_bars(1, 20)
    bars.high[4], bars.low[4] = 9.5, 10.0
    with pytest.raises(BadInput, match=r"bar 4: high 9.5: expected at least low 10.0"):
        backtest(MACross(), bars, an_instrument())


def test_time_that_does_not_rise_names_the_bar_and_both_times() -> None:
    bars = random_bars(1, 20)
    bars.ts_open[7] = bars.ts_open[6]
    with pytest.raises(BadInput, match=f"bar 7: ts_open {bars.ts_open[6]}: expected more than {bars.ts_open[6]}"):
        backtest(MACross(), bars, an_instrument())


@pytest.mark.parametrize("change", [{"initial_balance": 0.0}, {"initial_balance": math.nan}, {"slippage_rate": 1.0}])
def test_setting_out_of_range_is_named_with_its_value(change: dict[str, float]) -> None:
    ((name, value),) = change.items()
    with pytest.raises(BadInput, match=f"{name} {value!r}: expected"):
        backtest(MACross(), random_bars(1, 20), an_instrument(), **change)  # type: ignore[arg-type]


def test_short_entry_on_spot_names_instrument_and_bar() -> None:
    spot = an_instrument(kind=InstrumentKind.SPOT)
    with pytest.raises(
        BadInput, match=r"bar 2 enters short.*use --param side=long .*import the symbol as ABC/USDT:USDT"
    ):
        backtest(Scripted(some_signals(5, {2: -1})), some_bars([100.0] * 5), spot)


def test_signals_of_a_wrong_length_are_nonsense() -> None:
    with pytest.raises(StrategyNonsense, match="scripted: entries is int8"):
        backtest(Scripted(some_signals(4, {})), some_bars([100.0] * 5), an_instrument())


def test_future_bars_change_no_past_trade() -> None:
    bars = random_bars(21, 600)
    whole, cut = (backtest(MACross(), bars.slice(0, end), an_instrument()) for end in (600, 400))
    closed = cut.trade_rows[cut.trade_rows["exit_bar"] < 399]
    assert len(closed) > 3
    assert whole.trade_rows[: len(closed)].tolist() == closed.tolist()
    assert whole.equity[:399].tolist() == cut.equity[:399].tolist()


def test_trade_table_bears_utc_times_sides_and_reasons() -> None:
    table = a_run().trades
    row = table.iloc[0]
    assert (row["side"], row["exit_reason"], row["entry_price"], row["exit_price"]) == ("buy", "stop", 100.0, 95.0)
    # filled at the open of bar 1; the stop within bar 3 is known at its end
    assert (row["entry_time"].value, row["exit_time"].value) == (1_700_000_100 * 10**9, 1_700_000_280 * 10**9)
    assert str(table["entry_time"].dt.tz) == "UTC"
    assert row["pnl_quote"] == pytest.approx(-5 - 0.195)


def test_fill_at_a_close_bears_the_end_of_its_bar() -> None:
    assert a_run(FillAt.THIS_CLOSE).trades["entry_time"].iloc[0].value == 1_700_000_100 * 10**9


def test_metrics_add_up_with_the_trades() -> None:
    bars, signals = random_bars(8, 3000), random_signals(9, 3000)
    fees = an_instrument(taker_fee_rate=Decimal("0.0005"), maker_fee_rate=Decimal("0.0001"))
    result = backtest(Scripted(signals), bars, fees, finalize=True)
    table, metrics = result.trades, result.metrics
    assert metrics["trades"] == len(table) > 100
    assert metrics["fees_quote"] == pytest.approx(table["fees_quote"].sum())
    assert metrics["win_rate"] == pytest.approx((table["pnl_quote"] > 0).mean())
    assert metrics["total_return"] == pytest.approx(table["pnl_quote"].sum() / 10_000, abs=1e-9)
    assert metrics["exposure"] == pytest.approx((table["exit_bar"] - table["entry_bar"]).sum() / 3000)
    assert set(metrics) == set(METRICS)


def test_dictionary_is_plain_json_with_null_for_what_is_not_defined() -> None:
    document = json.loads(json.dumps(a_run().to_dict(), allow_nan=False))
    assert document["trades"][0]["entry_time"] == "2023-11-14T22:15:00.000Z"
    assert document["metrics"]["profit_factor"] == 0.0
    assert len(document["equity"]["equity_quote"]) == len(document["equity"]["time"]) == 5
    empty = backtest(Scripted(some_signals(0, {})), some_bars([]), an_instrument()).to_dict()
    assert empty["metrics"]["sharpe_ratio"] is None
    assert json.loads(json.dumps(empty, allow_nan=False))["trades"] == []


def test_text_shows_every_metric_and_percent_where_it_says_so() -> None:
    text = str(a_run())
    assert all(metric.label in text for metric in METRICS.values())
    assert "scripted() on test:ABC/USDT:USDT, 5 bars of 1m" in text
    assert "-0.05%" in text


def test_what_is_not_defined_is_a_dash() -> None:
    text = str(backtest(Scripted(some_signals(5, {})), some_bars([100.0] * 5), an_instrument()))
    assert "nan" not in text
    assert [line.split()[-1] for line in text.splitlines() if line.startswith("Win rate")] == ["–"]


def test_open_trade_has_no_exit_in_json() -> None:
    result = backtest(Scripted(some_signals(5, {0: 1})), some_bars([100.0] * 5), an_instrument(), sizing=ONE)
    (trade,) = result.to_dict()["trades"]
    assert [trade[name] for name in ("exit_time", "exit_price", "exit_bar", "pnl_quote")] == [None] * 4
    assert (trade["exit_reason"], trade["entry_bar"]) == ("open", 1)


def test_html_escapes_what_others_named() -> None:
    result = a_run()
    hostile = replace(result, strategy="<script>alert(1)</script>")
    assert "<script>" not in hostile._repr_html_()
    assert "&lt;script&gt;" in hostile._repr_html_()


def test_slices_and_other_dtypes_trade_like_plain_arrays() -> None:
    bars = random_bars(30, 200)
    strided = Bars(
        interval_ns=bars.interval_ns,
        **{
            name: np.repeat(getattr(bars, name), 2)[::2]
            for name in ("ts_open", "open", "high", "low", "close", "volume")
        },
    )
    plain, other = (backtest(MACross(fast=3, slow=8), each, an_instrument()) for each in (bars, strided))
    assert plain.trade_rows.tolist() == other.trade_rows.tolist()
    assert len(plain.trade_rows) > 5
