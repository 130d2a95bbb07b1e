"""One back-test of a year of one-minute bars: ours, vectorbt's, and the bare loop that no one can go below.

    python -m tests.benchmarks.backtest

Moving-average cross with ATR stop and target, long only, all in, filled at the signal's close, six figures. Everything
runs warm, turn by turn in one process; medians. vectorbt gets our signals for nothing in the first comparison and makes
its own in the second. A fresh process with cached kernels is timed from its start to the figures.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import psutil
import vectorbt as vbt

from tests.research.bar_runs import Scripted, an_instrument, some_bars
from tests.research.vectorbt_runs import assert_same_trades, vectorbt_portfolio, without_touched_entries
from workstation.kernels.arguments import Float64s
from workstation.kernels.compiled import compiled
from workstation.kernels.trend import ema_step
from workstation.kernels.volatility import atr_step, true_range_step
from workstation.model.market import Bars
from workstation.research.backtest import backtest
from workstation.research.results import BacktestResult
from workstation.strategies.base import BarStrategy, Signals
from workstation.strategies.ma_cross import MACross
from workstation.trading.paper import FillAt
from workstation.trading.sizing import SizingMode, SizingSettings

BARS, REPEATS, SEED = 525_600, 9, 7
FEE_RATE, BALANCE = 0.0005, 100_000.0
ALL_IN = SizingSettings(mode=SizingMode.EQUITY_FRACTION, value=1.0)
FINE = an_instrument(
    tick_size=Decimal("1e-8"),
    lot_size=Decimal("1e-8"),
    maker_fee_rate=Decimal("0.0005"),
    taker_fee_rate=Decimal("0.0005"),
)


def a_year(length: int = BARS) -> Bars:
    """One-minute bars of a random walk, 8 decimals."""
    rng = np.random.default_rng(SEED)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 5e-4, length)))
    open_ = np.r_[100.0, close[:-1]]
    high = np.maximum(open_, close) * (1 + rng.exponential(2e-4, length))
    low = np.minimum(open_, close) * (1 - rng.exponential(2e-4, length))
    return some_bars(*(np.round(prices, 8) for prices in (open_, high, low, close)))


def ours(strategy: BarStrategy, bars: Bars) -> BacktestResult:
    return backtest(strategy, bars, FINE, sizing=ALL_IN, initial_balance=BALANCE, fill_at=FillAt.THIS_CLOSE)


def vectorbt_figures(portfolio: Any) -> list[float]:
    trades = portfolio.trades
    return [
        float(figure)
        for figure in (
            portfolio.total_return(),
            portfolio.sharpe_ratio(),
            portfolio.max_drawdown(),
            trades.win_rate(),
            trades.profit_factor(),
            portfolio.orders.fees.sum(),
        )
    ]


def vectorbt_given(bars: Bars, signals: Signals) -> list[float]:
    """vectorbt with our signals."""
    return vectorbt_figures(vectorbt_portfolio(bars, signals, fee_rate=FEE_RATE, slippage_rate=0.0, balance=BALANCE))


def vectorbt_whole(bars: Bars, strategy: MACross) -> list[float]:
    """vectorbt with its own indicators (averages and ATR seeded otherwise: same work, other trades)."""
    fast = vbt.MA.run(bars.close, strategy.fast, ewm=True)
    slow = vbt.MA.run(bars.close, strategy.slow, ewm=True)
    distance = vbt.ATR.run(bars.high, bars.low, bars.close, strategy.atr_window).atr.to_numpy()
    signals = Signals(
        entries=fast.ma_crossed_above(slow).to_numpy().astype(np.int8),
        exit_long=fast.ma_crossed_below(slow).to_numpy(),
        exit_short=np.zeros(len(bars), bool),
        stop_distance=distance * strategy.atr_stop,
        target_distance=distance * strategy.atr_target,
    )
    return vectorbt_given(bars, signals)


@compiled
def bare_loop(
    open_: Float64s, high: Float64s, low: Float64s, close: Float64s, fast: int, slow: int, window: int, stop: float,
    target: float, fee: float, balance: float,
) -> tuple[float, float, float, int, int]:  # fmt: skip
    """Indicators, cross, fills and figures in one pass, without grid, checks, trade table or equity curve."""
    fast_count = slow_count = atr_count = trades = wins = 0
    fast_average = slow_average = average_range = 0.0
    before = was_fast = was_slow = lower = upper = np.nan
    cash, quantity, spent, peak, drawdown, total, squares, last = balance, 0.0, 0.0, balance, 0.0, 0.0, 0.0, balance
    for t in range(close.size):
        fast_count, fast_average, now_fast = ema_step(close[t], fast, fast_count, fast_average)
        slow_count, slow_average, now_slow = ema_step(close[t], slow, slow_count, slow_average)
        atr_count, average_range, distance = atr_step(
            true_range_step(high[t], low[t], before), window, atr_count, average_range
        )
        price = 0.0
        if quantity > 0.0:
            if open_[t] <= lower or open_[t] >= upper:
                price = open_[t]
            elif low[t] <= lower:
                price = lower
            elif high[t] >= upper:
                price = upper
            elif now_fast < now_slow and not was_fast < was_slow:
                price = close[t]
        if price > 0.0:
            cash += quantity * price * (1.0 - fee)
            trades, wins, quantity = trades + 1, wins + (cash > spent), 0.0
        if (
            quantity == 0.0
            and now_fast > now_slow
            and not was_fast > was_slow
            and was_slow == was_slow
            and distance > 0.0
        ):
            spent, quantity, cash = cash, cash / (close[t] * (1.0 + fee)), 0.0
            lower, upper = close[t] - stop * distance, close[t] + target * distance
        equity = cash + quantity * close[t]
        change = equity / last - 1.0
        total, squares, last = total + change, squares + change * change, equity
        peak = max(peak, equity)
        drawdown = min(drawdown, equity / peak - 1.0)
        before, was_fast, was_slow = close[t], now_fast, now_slow
    return last / balance - 1.0, drawdown, total / np.sqrt(squares), trades, wins


def medians(runs: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Median milliseconds of each, turn by turn after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(REPEATS + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if turn:
                times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(values) for name, values in times.items()}


def have_equal_trades(bars: Bars, strategy: MACross) -> str:
    """Compared without the entries that vectorbt ignores because a stop or target was hit in the same bar."""
    signals = strategy.signals(bars)
    while True:
        result = ours(Scripted(signals), bars)
        cleaned = without_touched_entries(signals, result)
        if np.array_equal(cleaned.entries, signals.entries):
            break
        signals = cleaned
    try:
        portfolio = vectorbt_portfolio(bars, signals, fee_rate=FEE_RATE, slippage_rate=0.0, balance=BALANCE)
        assert_same_trades(result, portfolio, rel=1e-5)
    except AssertionError as difference:
        return f"no: {difference}"
    return f"yes, {len(result.trade_rows)}"


def fresh_seconds() -> float:
    """From the start of a new interpreter to the figures of its first back-test; kernels and bytecode are cached."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        command = [sys.executable, "-m", "tests.benchmarks.fresh_backtest"]
        times = []
        for turn in range(4):
            start = time.perf_counter()
            subprocess.run(command, env=environment, check=True, capture_output=True)
            if turn:
                times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    bars, strategy = a_year(), MACross(side="long")
    signals = strategy.signals(bars)
    prices = (bars.open, bars.high, bars.low, bars.close)
    process, before = psutil.Process(), psutil.Process().memory_info().rss
    result = ours(strategy, bars)
    grown = process.memory_info().rss - before
    times = medians(
        {
            "ours": lambda: ours(strategy, bars),
            "vectorbt, signals given": lambda: vectorbt_given(bars, signals),
            "vectorbt, whole": lambda: vectorbt_whole(bars, strategy),
            "bare loop": lambda: bare_loop(*prices, 20, 50, 14, 2.0, 3.0, FEE_RATE, BALANCE),
        }
    )
    mine = times["ours"]
    print(f"{BARS:,} bars, {result.metrics['trades']} trades, total return {result.metrics['total_return']:.6f}")
    print(f"bare loop's total return {bare_loop(*prices, 20, 50, 14, 2.0, 3.0, FEE_RATE, BALANCE)[0]:.6f}")
    for name, median in times.items():
        print(f"{name:<24}{median:9.2f} ms   {median / mine:7.2f} x ours")
    print(f"trades equal to vectorbt's: {have_equal_trades(bars, strategy)}")
    print(f"resident memory: {process.memory_info().rss / 1e6:.0f} MB in all, our first run added {grown / 1e6:.0f} MB")
    print(f"first back-test of a fresh process, from its start: {fresh_seconds():.2f} s")


if __name__ == "__main__":
    main()
