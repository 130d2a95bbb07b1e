"""Moving averages: simple, exponential, weighted.

NaN rule: a NaN or infinity restarts the warm-up; the output is NaN until `window` finite values came again. (TA-Lib's
averages stay NaN for ever.)

State is owned by the caller: `ring` float64[window], `state` float64[EMA_STATE], float64[WMA_STATE] or, for the simple
average, float64[MEAN_STATE]; zeros at the start. A batch leaves both ready for the next block of the series.

Source: TA-Lib 0.8 for definition and seeding.
"""

import math

import numpy as np
import numpy.typing as npt

from workstation.kernels.arguments import Float64s, checked_series, checked_window, output_for
from workstation.kernels.compiled import compiled
from workstation.kernels.fma import fma
from workstation.kernels.rolling import MEAN_STATE, Mean, load_mean, mean_batch, mean_step, rolling_mean, store_mean

Flags = npt.NDArray[np.bool_]

EMA_STATE = 2
WMA_STATE = MEAN_STATE + 1

sma_step = mean_step
sma_batch = mean_batch


def sma(values: Float64s, window: int, out: Float64s | None = None) -> Float64s:
    """The simple average of the last `window` values: `rolling_mean` by its name among traders. Raises BadInput."""
    return rolling_mean(values, window, out)


@compiled
def ema_step(x: float, window: int, count: int, average: float) -> tuple[int, float, float]:
    """average += 2 / (window + 1) * (x - average), begun with the simple average; in the units of x.

    Moving by the difference keeps the average of a constant series at exactly that constant.
    Returns (count, average, output); the output is NaN until `window` finite values came.
    """
    if not abs(x) < math.inf:
        return 0, 0.0, math.nan
    if count == window:
        average = fma(2.0 / (window + 1.0), x - average, average) if window > 1 else x  # x - average would round x
        return count, average, average
    count += 1
    average += (x - average) / count
    return count, average, average if count == window else math.nan


@compiled
def ema_batch(values: Float64s, window: int, state: Float64s, out: Float64s) -> None:
    """`ema_step` over a block: values and out float64[n], state float64[EMA_STATE] = (count, average)."""
    count, average = int(state[0]), state[1]
    for i in range(values.size):
        count, average, out[i] = ema_step(values[i], window, count, average)
    state[0], state[1] = count, average


def ema(values: Float64s, window: int, out: Float64s | None = None) -> Float64s:
    """The exponential average, float64[n] to float64[n]; `out` may be `values`. Raises BadInput."""
    (series,), points = checked_series("ema", values=values), checked_window("ema", window)
    result = output_for("ema", series, out)
    if points > series.size:
        result.fill(math.nan)
    else:
        ema_batch(series, points, np.zeros(EMA_STATE), result)
    return result


@compiled
def wma_exact(ring: Float64s, position: int) -> float:
    """sum(k * x) / sum(k) with k = 1 for the oldest value, ring[position], to k = window for the newest."""
    window = ring.size
    base = ring[position]
    total = 0.0
    for age in range(window):
        place = position + age
        total += (age + 1.0) * (ring[place if place < window else place - window] - base)
    return float(base + total / (0.5 * window * (window + 1.0)))


@compiled
def wma_step(x: float, ring: Float64s, before: Mean, average: float) -> tuple[Mean, float]:
    """average += 2 / (window + 1) * (x - mean of the window before x); in the units of x; NaN until warm.

    Returns the simple mean's state and the weighted average; both are recomputed exactly at the same steps.
    """
    window = ring.size
    now = mean_step(x, ring, before)
    if now.seen > window:
        return now, average + (x - before.mean) * (2.0 / (window + 1.0))
    if now.seen < window:
        return now, math.nan
    return now, x if now.run >= window else wma_exact(ring, now.position)


@compiled
def wma_batch(values: Float64s, ring: Float64s, state: Float64s, out: Float64s) -> None:
    """`wma_step` over a block: values and out float64[n], state float64[WMA_STATE] = (simple mean's state, average)."""
    mean, average = load_mean(state), state[MEAN_STATE]
    for i in range(values.size):
        mean, average = wma_step(values[i], ring, mean, average)
        out[i] = average
    store_mean(mean, state)
    state[MEAN_STATE] = average


def wma(values: Float64s, window: int, out: Float64s | None = None) -> Float64s:
    """The linearly weighted average, float64[n] to float64[n]; `out` may be `values`. Raises BadInput."""
    (series,), points = checked_series("wma", values=values), checked_window("wma", window)
    result = output_for("wma", series, out)
    if points > series.size:
        result.fill(math.nan)
    else:
        wma_batch(series, np.empty(points), np.zeros(WMA_STATE), result)
    return result


@compiled
def crossing_step(fast_before: float, slow_before: float, fast: float, slow: float) -> int:
    """+1 where `fast` came above `slow` since the step before, -1 where below, else 0; 0 while any of them is NaN."""
    if fast > slow:
        return 1 if fast_before <= slow_before else 0
    if fast < slow:
        return -1 if fast_before >= slow_before else 0
    return 0


@compiled
def crossing_batch(fast: Float64s, slow: Float64s, up: Flags, down: Flags) -> None:
    """Flags of float64[n] against float64[n]; the caller's `up` and `down` are bool[n]."""
    for i in range(1, fast.size):
        crossed = crossing_step(fast[i - 1], slow[i - 1], fast[i], slow[i])
        up[i] = crossed > 0
        down[i] = crossed < 0


def crossings(fast: Float64s, slow: Float64s) -> tuple[Flags, Flags]:
    """Where `fast` crosses above and below `slow`: two bool[n]. Raises BadInput for lengths that differ."""
    fast, slow = checked_series("crossings", fast=fast, slow=slow)
    up, down = np.zeros(fast.size, np.bool_), np.zeros(fast.size, np.bool_)
    crossing_batch(fast, slow, up, down)
    return up, down


@compiled
def ema_crossing_batch(values: Float64s, fast: int, slow: int, up: Flags, down: Flags) -> None:
    """`crossing_step` between two `ema_step` over a whole float64[n]; the caller's `up` and `down` are bool[n].

    Each average waits for its own last value: two side by side take the time of one, and neither is stored (measured).
    """
    fast_count = slow_count = 0
    fast_average = slow_average = 0.0
    fast_before = slow_before = math.nan
    for i in range(values.size):
        fast_count, fast_average, fast_now = ema_step(values[i], fast, fast_count, fast_average)
        slow_count, slow_average, slow_now = ema_step(values[i], slow, slow_count, slow_average)
        crossed = crossing_step(fast_before, slow_before, fast_now, slow_now)
        up[i], down[i] = crossed > 0, crossed < 0
        fast_before, slow_before = fast_now, slow_now


def ema_crossings(values: Float64s, fast: int, slow: int) -> tuple[Flags, Flags]:
    """`crossings` of the exponential averages of `fast` and `slow` points, in one pass. Raises BadInput."""
    (series,) = checked_series("ema_crossings", values=values)
    points = checked_window("ema_crossings", fast), checked_window("ema_crossings", slow)
    up, down = np.empty(series.size, np.bool_), np.empty(series.size, np.bool_)
    ema_crossing_batch(series, *points, up, down)
    return up, down
