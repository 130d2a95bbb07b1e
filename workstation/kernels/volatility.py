"""True range and its average (ATR, Wilder).

NaN rule: a bar's true range needs its high and low and the close before it; where one of them is NaN or infinite the
true range is NaN, and the average restarts its warm-up. (TA-Lib's stays NaN for ever.)

State is owned by the caller: float64[ATR_STATE]; zeros at the start. A batch leaves it ready for the next block.

Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib 0.8 for the seeding.
"""

import math

import numpy as np

from workstation.kernels.arguments import Float64s, checked_series, checked_window, output_for
from workstation.kernels.compiled import compiled
from workstation.kernels.fma import fma

ATR_STATE = 4


@compiled
def true_range_step(high: float, low: float, close_before: float) -> float:
    """max(high, close before) - min(low, close before), in price units; NaN if one of the three is not finite."""
    if not abs(high) + abs(low) + abs(close_before) < math.inf:  # one test: 1.2 ns a value; three: 1.6
        return math.nan
    return max(high, close_before) - min(low, close_before)


@compiled
def true_range_batch(high: Float64s, low: Float64s, close: Float64s, close_before: float, out: Float64s) -> None:
    """`true_range_step` over a block of float64[n]; `close_before` is the last close before it, NaN if none."""
    for i in range(high.size):
        close_after = close[i]
        out[i] = true_range_step(high[i], low[i], close_before)
        close_before = close_after


def true_range(high: Float64s, low: Float64s, close: Float64s, out: Float64s | None = None) -> Float64s:
    """How far the price went in each bar, its gap included; float64[n] each, NaN for the first. Raises BadInput."""
    highs, lows, closes = checked_series("true_range", high=high, low=low, close=close)
    result = output_for("true_range", highs, out)
    true_range_batch(highs, lows, closes, math.nan, result)
    return result


@compiled
def atr_step(true_range_: float, window: int, count: int, average: float) -> tuple[int, float, float]:
    """atr = (1 - 1 / window) * atr + true range / window, begun with the mean of `window` true ranges; in price units.

    Returns (count, average, output); the output is NaN until `window` true ranges came in a row.
    """
    if not true_range_ < math.inf:
        return 0, 0.0, math.nan
    if count == window:
        # the share of the average multiplied first: one fma in the chain (1.2 ns a value against 2.0, measured)
        share = 1.0 / window
        average = fma(1.0 - share, average, share * true_range_)
        return count, average, average
    count += 1
    average += (true_range_ - average) / count
    return count, average, average if count == window else math.nan


@compiled
def atr_batch(high: Float64s, low: Float64s, close: Float64s, window: int, state: Float64s, out: Float64s) -> None:
    """`atr_step` over a block of float64[n]; state float64[ATR_STATE] = (has a close before, it, count, average)."""
    close_before = state[1] if state[0] else math.nan
    count, average = int(state[2]), state[3]
    for i in range(high.size):
        close_after = close[i]
        moved = true_range_step(high[i], low[i], close_before)
        count, average, out[i] = atr_step(moved, window, count, average)
        close_before = close_after
    state[0], state[1], state[2], state[3] = 1.0, close_before, count, average


def atr(high: Float64s, low: Float64s, close: Float64s, window: int, out: Float64s | None = None) -> Float64s:
    """The average true range, float64[n] each; the first number is at index `window`. Raises BadInput."""
    highs, lows, closes = checked_series("atr", high=high, low=low, close=close)
    points = checked_window("atr", window)
    result = output_for("atr", highs, out)
    if points >= highs.size:
        result.fill(math.nan)
    else:
        atr_batch(highs, lows, closes, points, np.zeros(ATR_STATE), result)
    return result
