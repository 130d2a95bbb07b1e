"""The back-test against published figures of other back-testers."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow.parquet as parquet
import pytest

from tests.research.bar_runs import Scripted, an_instrument, some_bars, some_signals
from workstation.kernels.trend import sma
from workstation.model.durations import DAY_NS
from workstation.model.market import (
    Bars,
)
from workstation.research.backtest import backtest
from workstation.research.results import BacktestResult
from workstation.strategies.base import BarStrategy, Signals
from workstation.trading.paper import FillAt
from workstation.trading.sizing import SizingMode, SizingSettings

ALL_IN = SizingSettings(mode=SizingMode.EQUITY_FRACTION, value=1.0)
ONE = SizingSettings(mode=SizingMode.FIXED_QUANTITY, value=1.0)


class AverageCross(BarStrategy):
    """Long from each cross up, short from each cross down."""

    name_in_cli: ClassVar[str] = "average-cross"

    def signals(self, bars: Bars) -> Signals:
        fast, slow = sma(bars.close, 10), sma(bars.close, 30)
        above, below = fast > slow, fast < slow
        signals = some_signals(len(bars), {})
        signals.entries[1:][above[1:] & ~above[:-1] & ~np.isnan(slow[:-1])] = 1
        signals.entries[1:][below[1:] & ~below[:-1] & ~np.isnan(slow[:-1])] = -1
        return signals


def google(shared_dir: Path) -> Bars:
    table = parquet.read_table(shared_dir / "data" / "reference" / "backtestingpy_GOOG.parquet").to_pydict()
    columns = {name: np.array(table[name], float) for name in ("open", "high", "low", "close", "volume")}
    times = np.array([int(ts.timestamp()) for ts in table["ts"]], np.int64) * 10**9
    return Bars(interval_ns=DAY_NS, ts_open=times, **columns)


def case(shared_dir: Path, name: str) -> Any:
    return json.loads((shared_dir / "cases" / f"{name}.json").read_text())


def google_run(bars: Bars, taker_fee_rate: str) -> BacktestResult:
    instrument = an_instrument(tick_size=Decimal("0.0001"), lot_size=Decimal(1), taker_fee_rate=Decimal(taker_fee_rate))
    return backtest(AverageCross(), bars, instrument, sizing=ALL_IN, finalize=True)


def google_closed_at_the_last_open(bars: Bars) -> Bars:
    """The published run sells what it still holds at the last bar's open, which the case calls its close."""
    close = bars.close.copy()
    close[-1] = bars.open[-1]
    return Bars(
        interval_ns=bars.interval_ns,
        ts_open=bars.ts_open,
        open=bars.open,
        high=bars.high,
        low=bars.low,
        close=close,
        volume=bars.volume,
    )


@pytest.mark.shared
def test_average_cross_on_google_gives_the_published_trades(shared_dir: Path) -> None:
    expected, result = (
        case(shared_dir, "backtestingpy"),
        google_run(google_closed_at_the_last_open(google(shared_dir)), "0"),
    )
    figures, rows = expected["expected"], result.trade_rows
    assert len(rows) == figures["trades"]
    for row, trade in zip(rows, expected["first_trades"], strict=False):
        assert row["side"] * row["quantity"] == trade["size"]
        assert (row["entry_bar"], row["exit_bar"]) == (trade["entry_bar"], trade["exit_bar"])
        assert (row["entry_price"], row["exit_price"]) == (trade["entry"], trade["exit"])
        assert row["pnl"] == pytest.approx(trade["pnl"])
    assert result.equity[-1] == pytest.approx(figures["equity_final"], rel=expected["rtol"])
    assert result.equity.max() == pytest.approx(figures["equity_peak"], rel=expected["rtol"])
    metrics = result.metrics
    assert metrics["total_return"] * 100 == pytest.approx(figures["return_pct"], rel=expected["rtol"])
    assert metrics["max_drawdown"] * 100 == pytest.approx(figures["max_drawdown_pct"], rel=expected["rtol"])
    assert metrics["win_rate"] * 100 == pytest.approx(figures["win_rate_pct"], rel=expected["rtol"])


@pytest.mark.shared
def test_average_cross_with_fees_on_google_ends_with_the_published_equity(shared_dir: Path) -> None:
    expected = case(shared_dir, "backtestingpy")["oracle_run_here"]["commission 0.002 each side"]
    result = google_run(google_closed_at_the_last_open(google(shared_dir)), "0.002")
    assert len(result.trade_rows) == expected["trades"]
    assert result.equity[-1] == pytest.approx(expected["equity_final"], rel=1e-8)
    assert result.metrics["max_drawdown"] * 100 == pytest.approx(expected["max_drawdown_pct"], rel=1e-8)


@pytest.mark.shared
@pytest.mark.parametrize("fill_at", list(FillAt))
def test_stop_gapped_through_at_a_price_path_exits_as_published(shared_dir: Path, fill_at: FillAt) -> None:
    micro = case(shared_dir, "backtestingpy")["micro_cases"][2]
    bars = some_bars(micro["open"], [102.0] * 5, [40.0] * 5, micro["close"])
    signals = some_signals(5, {1: 1}, stop=35.0)
    bars.low[1:3] = bars.open[1:3]
    row = backtest(Scripted(signals), bars, an_instrument(), sizing=ONE, fill_at=fill_at).trade_rows[0]
    if fill_at is FillAt.THIS_CLOSE:
        expected = micro["on_close"]
        assert (row["entry_bar"], row["entry_price"]) == (expected["entry_bar"], expected["entry"])
        assert (row["exit_bar"], row["exit_price"]) == (expected["sl_exit_bar"], expected["sl_exit"])
    else:
        expected = micro["next_open"]
        assert (row["entry_bar"], row["entry_price"]) == (expected["entry_bar"], expected["entry"])
        assert (row["exit_bar"], row["exit_price"]) == (expected["exit_bar"], expected["exit"])


@pytest.mark.shared
def test_gap_through_a_stop_exits_at_the_price_behind_the_gap(shared_dir: Path) -> None:
    micro = case(shared_dir, "backtestingpy")["micro_cases"][0]
    signals = some_signals(5, {0: 1}, stop=10.0)
    result = backtest(
        Scripted(signals), some_bars(micro["close"]), an_instrument(), sizing=ONE, fill_at=FillAt.THIS_CLOSE
    )
    assert result.trade_rows["exit_price"].tolist() == [micro["exit_price"]]


def stop_cases(shared_dir: Path) -> list[tuple[dict[str, Any], str, dict[str, Any]]]:
    cases = case(shared_dir, "vectorbt_stops")["cases"]
    return [(one, label, expected) for one in cases for label, expected in one["expect"].items()]


@pytest.mark.shared
def test_stops_and_targets_exit_where_vectorbt_published(shared_dir: Path) -> None:
    checked = 0
    for one, label, expected in stop_cases(shared_dir):
        if label.startswith("stoplimit"):
            continue  # our stop is a market order
        is_market = label.startswith("stopmarket")
        close = list(one["close"])
        distance = float(label.split()[-1]) * close[0]
        if is_market:
            # it was entered at 1.1 times the close, and its stop measured from the close
            distance += one["entry"]["price"] - close[0]
            close[0] = one["entry"]["price"] / 1.1
        offset = (
            {"open": 0.25, "high": 0.5, "low": -0.5} if "open" in one else dict.fromkeys(("open", "high", "low"), 0.0)
        )
        bars = some_bars(*([price + offset[name] for price in close] for name in ("open", "high", "low")), close)
        protection = {"target" if one["id"].startswith("tp") else "stop": distance}
        side = 1 if one["entry"]["size"] > 0 else -1
        fine = an_instrument(tick_size=Decimal("0.0001"), lot_size=Decimal("0.000001"))
        sizing = SizingSettings(mode=SizingMode.EQUITY_FRACTION, value=1.0, slippage_rate=0.1 if is_market else 0.0)
        row = backtest(
            Scripted(some_signals(5, {0: side}, **protection)),
            bars,
            fine,
            sizing=sizing,
            initial_balance=100.0,
            fill_at=FillAt.THIS_CLOSE,
            slippage_rate=0.1 if is_market else 0.0,
        ).trade_rows[0]
        subject = f"{one['id']} {label}"
        assert row["entry_price"] == one["entry"]["price"], subject
        assert side * row["quantity"] == pytest.approx(one["entry"]["size"], abs=1e-6), subject
        assert (row["exit_bar"], row["exit_price"]) == (expected["bar"], expected["price"]), subject
        checked += 1
    assert checked == 12
