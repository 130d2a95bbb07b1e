"""Mean, deviation and z-score over the last `window` points.

Each update moves the mean and m2 (the sum of squared deviations from the mean); two large sums are never subtracted.
What rounding leaves behind is removed by an exact recompute from the ring: every 31 windows, and at once
when most of what the window held has left it (after an outlier, the rest drowns in the outlier's rounding).

NaN rule, all kernels here: a NaN or infinity restarts the warm-up, so the output is NaN while it is in the window.

State is owned by the caller: `ring` float64[window]; `state` float64[MEAN_STATE] or float64[MOMENTS_STATE], zeros
at the start. A batch leaves both ready for the next block; a series cut into blocks in any way gives the same bits.

Source: Welford (1962) and Chan, Golub, LeVeque (1983) for the updates of mean and m2.
"""

import math
from typing import NamedTuple

import numpy as np

from workstation.kernels.arguments import Float64s, checked_series, checked_window, output_for
from workstation.kernels.compiled import compiled

REFRESH_WINDOWS = 32
CANCELLED = 2.0**-13

MEAN_STATE = 6
MOMENTS_STATE = 8


class Mean(NamedTuple):
    """A rolling mean between two steps; its fields are the caller's `state` in this order.

    seen: finite values since the last break, set back to `window` by a recompute; position: where the ring takes the
    next value (the oldest one, once warm); run: how many equal values came last, so that a window of one value is
    told apart from one with a rest of rounding; last: the newest (carried, as a load of what was just stored is slow:
    6.2 ns a value against 2.1, measured); mean: NaN until warm; peak: the largest |mean| since the recompute.
    """

    seen: int
    position: int
    run: int
    last: float
    mean: float
    peak: float


class Moments(NamedTuple):
    """Mean and m2 of the window, as `Mean`; offset = mean - base keeps the digits of small noise on a high level."""

    seen: int
    position: int
    run: int
    last: float
    base: float
    offset: float
    m2: float
    peak: float


@compiled
def moments_add(count: int, mean: float, m2: float, x: float) -> tuple[int, float, float]:
    """(count, mean, m2) with `x` added."""
    after = count + 1
    delta = x - mean
    mean += delta / after
    return after, mean, m2 + delta * (x - mean)


@compiled
def moments_remove(count: int, mean: float, m2: float, x: float) -> tuple[int, float, float]:
    """(count, mean, m2) with `x`, one of the values, taken out; of the last one remains (0, 0.0, 0.0)."""
    after = count - 1
    if after < 1:
        return 0, 0.0, 0.0
    delta = x - mean
    mean -= delta / after
    return after, mean, max(m2 - delta * (x - mean), 0.0)


@compiled
def mean_replace(count: int, mean: float, old: float, new: float) -> float:
    """The mean of `count` values after `old` became `new`."""
    return mean + (new - old) * (1.0 / count)  # the quotient leaves the loop


@compiled
def moments_replace(count: int, mean: float, m2: float, old: float, new: float) -> tuple[int, float, float]:
    """(count, mean, m2) after `old`, one of the values, became `new`."""
    moved = mean_replace(count, mean, old, new)
    return count, moved, max(m2 + (new - old) * ((new - moved) + (old - mean)), 0.0)


@compiled
def mean_offset(values: Float64s, base: float) -> float:
    """mean - base of float64[n >= 1]; 0.0 exactly where all values equal the base."""
    total = 0.0
    for i in range(values.size):
        total += values[i] - base
    return total / values.size


@compiled
def squares_around(values: Float64s, base: float, offset: float) -> float:
    """m2 of float64[n >= 1] whose mean is base + offset; the second pass takes out what rounding left in the mean."""
    squares = 0.0
    rest = 0.0
    for i in range(values.size):
        deviation = (values[i] - base) - offset
        squares += deviation * deviation
        rest += deviation
    return max(squares - rest * rest / values.size, 0.0)


@compiled
def moments_exact(values: Float64s) -> tuple[int, float, float]:
    """(count, mean, m2) of finite float64[n], in two passes; (0, 0.0, 0.0) of an empty one."""
    if values.size == 0:
        return 0, 0.0, 0.0
    base = values[0]
    offset = mean_offset(values, base)
    return values.size, base + offset, squares_around(values, base, offset)


@compiled
def is_recompute_due(count: int, window: int, value: float, peak: float) -> bool:
    """Whether the window just filled, has drifted long enough, or has lost most of what it held."""
    return count == window or count >= REFRESH_WINDOWS * window or value < CANCELLED * peak


@compiled
def mean_step(x: float, ring: Float64s, state: Mean) -> Mean:
    """mean += (x - oldest) / window, in the units of x; NaN until `window` finite values came."""
    if not abs(x) < math.inf:
        return Mean(0, 0, 0, math.nan, math.nan, 0.0)
    window = ring.size
    run = state.run + 1 if x == state.last else 1
    oldest = ring[state.position]
    ring[state.position] = x
    position = state.position + 1 if state.position + 1 < window else 0
    count = state.seen + 1
    if count < window:
        return Mean(count, position, run, x, math.nan, 0.0)
    if run >= window:
        return Mean(window, position, run, x, x, abs(x))
    mean = mean_replace(window, state.mean, oldest, x)
    peak = max(state.peak, abs(mean))
    if is_recompute_due(count, window, abs(mean), peak):
        mean = ring[0] + mean_offset(ring, ring[0])
        return Mean(window, position, run, x, mean, abs(mean))
    return Mean(count, position, run, x, mean, peak)


@compiled
def moments_step(x: float, ring: Float64s, state: Moments) -> Moments:
    """offset and m2 by `moments_replace`, in the units of x and their square; NaN until `window` finite values came."""
    if not abs(x) < math.inf:
        return Moments(0, 0, 0, math.nan, 0.0, math.nan, math.nan, 0.0)
    window = ring.size
    run = state.run + 1 if x == state.last else 1
    oldest = ring[state.position]
    ring[state.position] = x
    position = state.position + 1 if state.position + 1 < window else 0
    count = state.seen + 1
    if count < window:
        return Moments(count, position, run, x, 0.0, math.nan, math.nan, 0.0)
    if run >= window:
        return Moments(window, position, run, x, x, 0.0, 0.0, 0.0)
    base = state.base
    _, offset, m2 = moments_replace(window, state.offset, state.m2, oldest - base, x - base)
    peak = max(state.peak, m2)
    if is_recompute_due(count, window, m2, peak):
        base = ring[0]
        offset = mean_offset(ring, base)
        m2 = squares_around(ring, base, offset)
        return Moments(window, position, run, x, base, offset, m2, m2)
    return Moments(count, position, run, x, base, offset, m2, peak)


@compiled
def zscore_step(x: float, window: int, state: Moments) -> float:
    """z = (x - mean) / std of the `window` values before x; unitless; NaN until full, for std == 0 or NaN x."""
    if not (state.m2 > 0.0 and math.isfinite(x)):
        return math.nan
    return ((x - state.base) - state.offset) / math.sqrt(state.m2 / window)


@compiled
def load_mean(state: Float64s) -> Mean:
    """The caller's float64[MEAN_STATE] as scalars, which stay in registers (EMA: 1.9 ns a value, in an array 5.1)."""
    return Mean(int(state[0]), int(state[1]), int(state[2]), state[3], state[4], state[5])


@compiled
def load_moments(state: Float64s) -> Moments:
    """The caller's float64[MOMENTS_STATE] as scalars."""
    count, position, run = int(state[0]), int(state[1]), int(state[2])
    return Moments(count, position, run, state[3], state[4], state[5], state[6], state[7])


@compiled
def store_moments(now: Moments, state: Float64s) -> None:
    """Writes the scalars back to the caller's float64[MOMENTS_STATE]."""
    state[0], state[1], state[2], state[3] = now.seen, now.position, now.run, now.last
    state[4], state[5], state[6], state[7] = now.base, now.offset, now.m2, now.peak


@compiled
def store_mean(now: Mean, state: Float64s) -> None:
    """Writes the scalars back to the caller's float64[MEAN_STATE]."""
    state[0], state[1], state[2] = now.seen, now.position, now.run
    state[3], state[4], state[5] = now.last, now.mean, now.peak


@compiled
def mean_batch(values: Float64s, ring: Float64s, state: Float64s, out: Float64s) -> None:
    """`mean_step` over a block: values and out float64[n], ring float64[window], state float64[MEAN_STATE]."""
    now = load_mean(state)
    for i in range(values.size):
        now = mean_step(values[i], ring, now)
        out[i] = now.mean
    store_mean(now, state)


@compiled
def std_batch(values: Float64s, ring: Float64s, state: Float64s, out: Float64s) -> None:
    """std = sqrt(m2 / window) over a block: values and out float64[n], state float64[MOMENTS_STATE]."""
    now = load_moments(state)
    for i in range(values.size):
        now = moments_step(values[i], ring, now)
        out[i] = math.sqrt(now.m2 / ring.size)
    store_moments(now, state)


@compiled
def zscore_batch(values: Float64s, ring: Float64s, state: Float64s, out: Float64s) -> None:
    """`zscore_step` over a block: values and out float64[n], state float64[MOMENTS_STATE]."""
    now = load_moments(state)
    for i in range(values.size):
        x = values[i]
        z = zscore_step(x, ring.size, now)
        now = moments_step(x, ring, now)
        out[i] = z
    store_moments(now, state)


def rolling_mean(values: Float64s, window: int, out: Float64s | None = None) -> Float64s:
    """The mean of the last `window` values, float64[n] to float64[n]; `out` may be `values`. Raises BadInput."""
    (series,), points = checked_series("rolling_mean", values=values), checked_window("rolling_mean", window)
    result = output_for("rolling_mean", series, out)
    if points > series.size:
        result.fill(math.nan)
    else:
        mean_batch(series, np.empty(points), np.zeros(MEAN_STATE), result)
    return result


def rolling_std(values: Float64s, window: int, out: Float64s | None = None) -> Float64s:
    """The population deviation (ddof = 0) of the last `window` values, float64[n] to float64[n]. Raises BadInput."""
    (series,), points = checked_series("rolling_std", values=values), checked_window("rolling_std", window)
    result = output_for("rolling_std", series, out)
    if points > series.size:
        result.fill(math.nan)
    else:
        std_batch(series, np.empty(points), np.zeros(MOMENTS_STATE), result)
    return result


def zscore(values: Float64s, window: int, out: Float64s | None = None) -> Float64s:
    """How many deviations each value stands from the mean of the `window` values before it (it is not among them).

    float64[n] to float64[n], unitless; the first number is at index `window`. Raises BadInput.
    """
    (series,), points = checked_series("zscore", values=values), checked_window("zscore", window)
    result = output_for("zscore", series, out)
    if points > series.size:
        result.fill(math.nan)
    else:
        zscore_batch(series, np.empty(points), np.zeros(MOMENTS_STATE), result)
    return result
