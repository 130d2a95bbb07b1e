"""Figures of a back-test: one pass over the equity at each bar close, one over the trades.

Sources: W. F. Sharpe, The Sharpe Ratio (1994); T. F. Chan and others, Updating Formulae (1979), for joining blocks.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workstation.kernels.bar_simulator import STILL_OPEN, Trades
from workstation.kernels.compiled import compiled

FloatArray = npt.NDArray[np.float64]

BLOCK = 512
"""Returns are summed in blocks that stay in the processor's nearest cache."""


class EquityFigures(NamedTuple):
    """Fractions; `mean_return` and `std_return` (ddof = 1) are per bar."""

    total_return: float
    max_drawdown: float
    mean_return: float
    std_return: float


class TradeFigures(NamedTuple):
    """Of closed trades, but for `fees` and `bars_held`; money in quote currency, `gross_loss` >= 0."""

    closed: int
    wins: int
    gross_profit: float
    gross_loss: float
    fees: float
    bars_held: int


@compiled
def max_drawdown(equity: FloatArray, initial_balance: float) -> float:
    """min(equity / highest equity so far - 1), a fraction <= 0; the initial balance counts as the first peak."""
    peak, trough, deepest = initial_balance, initial_balance, 0.0
    for value in equity:
        if value > peak:
            # the lowest point since a peak is its deepest: one division a peak
            deepest = min(deepest, trough / peak - 1.0)
            peak = trough = value
        elif value < trough:
            trough = value
    return min(deepest, trough / peak - 1.0)


@compiled
def return_moments(equity: FloatArray, initial_balance: float, returns: FloatArray) -> tuple[float, float]:
    """Mean and sample deviation (ddof = 1) of equity[i] / equity[i-1] - 1, the first from the initial balance.

    `returns` float64[BLOCK] is written over. NaN without returns, the deviation also for a single one; both if an
    equity is 0 or less: returns mean nothing then.
    """
    before = initial_balance
    count, mean, m2 = 0, 0.0, 0.0
    for start in range(0, equity.size, BLOCK):
        block = equity[start : start + BLOCK]
        size = block.size
        lost = 0
        for value in block:
            lost += not value > 0.0
        if lost:
            return math.nan, math.nan
        returns[0] = block[0] / before - 1.0
        for i in range(1, size):
            returns[i] = block[i] / block[i - 1] - 1.0
        before = block[size - 1]
        block_mean, block_m2 = _moments(returns[:size])
        offset = block_mean - mean
        total = count + size
        m2 += block_m2 + offset * offset * count * size / total
        mean += offset * size / total
        count = total
    return (mean if count else math.nan), (math.sqrt(m2 / (count - 1.0)) if count > 1 else math.nan)


@compiled
def _moments(values: FloatArray) -> tuple[float, float]:
    """Mean and sum of squared offsets from it; four sums each, as one would wait for its last addition (measured)."""
    base, size = values[0], values.size
    whole = size - size % 4
    a = b = c = d = 0.0
    for i in range(0, whole, 4):
        a += values[i] - base
        b += values[i + 1] - base
        c += values[i + 2] - base
        d += values[i + 3] - base
    for i in range(whole, size):
        a += values[i] - base
    mean = base + ((a + b) + (c + d)) / size
    a = b = c = d = 0.0
    for i in range(0, whole, 4):
        a += (values[i] - mean) ** 2
        b += (values[i + 1] - mean) ** 2
        c += (values[i + 2] - mean) ** 2
        d += (values[i + 3] - mean) ** 2
    for i in range(whole, size):
        a += (values[i] - mean) ** 2
    return mean, (a + b) + (c + d)


def equity_figures(equity: FloatArray, initial_balance: float) -> EquityFigures:
    """Figures of the equity at each bar close, float64[n] in quote currency. No bars: a return of 0."""
    final = equity[equity.size - 1] if equity.size else initial_balance
    mean, deviation = return_moments(equity, initial_balance, np.empty(BLOCK))
    return EquityFigures(final / initial_balance - 1.0, max_drawdown(equity, initial_balance), mean, deviation)


@compiled
def trade_figures(trades: Trades) -> TradeFigures:
    """Figures of TRADE_ROW[k]; a trade with pnl > 0, fees taken off, is a win, any other a loss.

    `bars_held` counts the bar closes at which a position was held.
    """
    closed, wins, profit, loss, fees, held = 0, 0, 0.0, 0.0, 0.0, 0
    for k in range(trades.size):
        row = trades[k]
        fees += row["fees"]
        held += row["exit_bar"] - row["entry_bar"]
        if row["exit_reason"] == STILL_OPEN:
            held += 1
            continue
        closed += 1
        if row["pnl"] > 0.0:
            wins += 1
            profit += row["pnl"]
        else:
            loss -= row["pnl"]
    return TradeFigures(closed, wins, profit, loss, fees, held)


def sharpe_ratio(figures: EquityFigures, bars_per_year: float) -> float:
    """mean(returns) / std(returns, ddof=1) * sqrt(bars_per_year); returns per bar, no risk-free rate.

    With a deviation of 0: ± infinity by the mean's sign, NaN if that is 0 too.
    """
    if figures.std_return > 0.0:
        return figures.mean_return / figures.std_return * math.sqrt(bars_per_year)
    if figures.std_return == 0.0 and figures.mean_return != 0.0:
        return math.copysign(math.inf, figures.mean_return)
    return math.nan


def profit_factor(figures: TradeFigures) -> float:
    """Gross profit / gross loss of closed trades; infinity without a loss, NaN with neither."""
    if figures.gross_loss > 0.0:
        return figures.gross_profit / figures.gross_loss
    return math.inf if figures.gross_profit > 0.0 else math.nan
