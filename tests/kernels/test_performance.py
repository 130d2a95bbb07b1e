"""Figures of equity and trades: against empyrical, published values, and by hand."""

import json
import math
from pathlib import Path

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.kernels.bar_simulator import SIGNAL, STILL_OPEN, TRADE_ROW, Trades
from workstation.kernels.performance import (
    BLOCK,
    EquityFigures,
    TradeFigures,
    equity_figures,
    profit_factor,
    sharpe_ratio,
    trade_figures,
)

BALANCE = 10_000.0


def figures(returns: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> EquityFigures:
    return equity_figures(BALANCE * np.cumprod(1 + returns), BALANCE)


@given(seed=st.integers(0, 10**9), length=st.sampled_from([2, 3, 100, BLOCK, BLOCK + 1, 3 * BLOCK + 7]))
def test_figures_equal_empyrical(seed: int, length: int) -> None:
    returns = np.random.default_rng(seed).normal(1e-4, 0.01, length)
    mine = figures(returns)
    assert mine.total_return == pytest.approx(empyrical.cum_returns_final(returns), rel=1e-9, abs=1e-12)
    assert mine.max_drawdown == pytest.approx(empyrical.max_drawdown(returns), rel=1e-9, abs=1e-12)
    expected = empyrical.sharpe_ratio(returns, annualization=525_960)
    assert sharpe_ratio(mine, 525_960) == pytest.approx(expected, rel=1e-8, abs=1e-8)


@pytest.mark.shared
def test_figures_equal_the_published_ones(shared_dir: Path) -> None:
    case = json.loads((shared_dir / "cases" / "empyrical.json").read_text())
    checked = 0
    for one in case["expected"]:
        returns = case["series"].get(one["s"]) if isinstance(one["s"], str) else one["s"]
        if one["f"] not in ("sharpe", "max_drawdown") or returns is None or "rf" in one:
            continue
        mine = figures(np.array([value for value in returns if value is not None]))
        figure = sharpe_ratio(mine, 252) if one["f"] == "sharpe" else mine.max_drawdown
        assert figure == pytest.approx(float(one["v"]), abs=10 ** -case["decimals"]), one
        checked += 1
    assert checked >= 6


def test_equity_that_never_moves_has_no_sharpe_ratio() -> None:
    assert math.isnan(sharpe_ratio(figures(np.zeros(3000)), 365.25))


def test_equity_that_doubles_at_every_bar_has_an_infinite_one() -> None:
    assert sharpe_ratio(equity_figures(2.0 ** np.arange(1, 9), 1.0), 365.25) == math.inf
    assert sharpe_ratio(equity_figures(2.0 ** -np.arange(1.0, 9), 1.0), 365.25) == -math.inf


def test_no_bar_and_one_bar_have_no_sharpe_ratio() -> None:
    assert equity_figures(np.empty(0), BALANCE)[:2] == (0.0, 0.0)
    for equity in (np.empty(0), np.array([11_000.0])):
        assert math.isnan(sharpe_ratio(equity_figures(equity, BALANCE), 365.25))


def test_equity_of_nothing_has_a_drawdown_but_no_sharpe_ratio() -> None:
    mine = equity_figures(np.array([12_000.0, -3_000.0, 5_000.0]), BALANCE)
    assert mine.max_drawdown == -1.25
    assert math.isnan(sharpe_ratio(mine, 365.25))


def test_the_initial_balance_is_the_first_peak() -> None:
    assert equity_figures(np.array([9_000.0, 9_500.0]), BALANCE).max_drawdown == pytest.approx(-0.1)


def test_deviation_of_a_tiny_chatter_on_a_large_mean_keeps_its_digits() -> None:
    returns = 0.1 + 1e-9 * np.tile([1.0, -1.0], 300)
    expected = np.std(np.diff(np.cumprod(np.r_[1.0, 1 + returns])) / np.cumprod(np.r_[1.0, 1 + returns])[:-1], ddof=1)
    assert equity_figures(np.cumprod(1 + returns), 1.0).std_return == pytest.approx(expected, rel=1e-9)


def some_trades(*trades: tuple[int, int, float, float, int]) -> Trades:
    rows = np.zeros(len(trades), TRADE_ROW)
    for row, trade in zip(rows, trades, strict=True):
        row["entry_bar"], row["exit_bar"], row["pnl"], row["fees"], row["exit_reason"] = trade
    return rows


def test_open_trade_counts_its_fees_and_bars_only() -> None:
    rows = some_trades(
        (0, 2, 5.0, 1.0, SIGNAL), (3, 4, -2.0, 1.0, SIGNAL), (4, 4, 0.0, 1.0, SIGNAL), (5, 9, 99.0, 0.5, STILL_OPEN)
    )
    assert trade_figures(rows) == TradeFigures(3, 1, 5.0, 2.0, 3.5, 8)


def test_profit_factor_without_a_loss_is_infinite_and_without_a_trade_unknown() -> None:
    assert profit_factor(trade_figures(some_trades((0, 1, 5.0, 0.0, SIGNAL)))) == math.inf
    assert math.isnan(profit_factor(trade_figures(some_trades())))
    assert profit_factor(trade_figures(some_trades((0, 1, 6.0, 0.0, SIGNAL), (0, 1, -4.0, 0.0, SIGNAL)))) == 1.5
