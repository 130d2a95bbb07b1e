"""How two prices of one thing move together: half-life of their spread, correlation of their returns, who leads.

All are of log prices on a grid of equal steps; NaN in a grid is a step at which the price is not known, and what would
need it is left out. Nothing is kept between calls: the same grid always says the same.

half_life: -ln 2 / slope of the least squares of the spread's changes on its value before, with intercept, in steps;
    infinite where the spread does not revert (slope >= 0). So Chan, Algorithmic Trading (2013), chapter 2.
correlation: Pearson's, of the returns of the same step.
lead: the lag, in steps, at which the returns of A correlate best with the later ones of B (negative: B leads), and that
    correlation; NaN where it is not above 2 / √n, and so may be chance. Of equal ones the shortest lag.
"""

import math
from typing import Any

from workstation.kernels.compiled import compiled

LEAST_STEPS = 30
"""Fewer tell nothing."""
NOISE = 2.0


@compiled
def half_life_of(log_a: Any, log_b: Any) -> float:
    """Of log_a - log_b, float64[n] each, in steps; NaN of fewer than LEAST_STEPS changes or of a constant."""
    count, mean_x, mean_y = 0, 0.0, 0.0
    for i in range(1, len(log_a)):
        x = log_a[i - 1] - log_b[i - 1]
        y = (log_a[i] - log_b[i]) - x
        if y == y:
            count += 1
            mean_x += (x - mean_x) / count
            mean_y += (y - mean_y) / count
    if count < LEAST_STEPS:
        return math.nan
    squares, products = 0.0, 0.0
    for i in range(1, len(log_a)):
        x = log_a[i - 1] - log_b[i - 1]
        y = (log_a[i] - log_b[i]) - x
        if y == y:
            squares += (x - mean_x) * (x - mean_x)
            products += (x - mean_x) * (y - mean_y)
    if squares <= 0.0:
        return math.nan
    slope = products / squares
    return -math.log(2.0) / slope if slope < 0.0 else math.inf


@compiled
def return_correlation(log_a: Any, log_b: Any, lag: int) -> tuple[int, float]:
    """(n, correlation) of the returns of A with those of B `lag` steps later; NaN of fewer than LEAST_STEPS."""
    first, last = max(1, 1 - lag), min(len(log_a), len(log_a) - lag)
    count, mean_x, mean_y = 0, 0.0, 0.0
    for i in range(first, last):
        x = log_a[i] - log_a[i - 1]
        y = log_b[i + lag] - log_b[i + lag - 1]
        if x == x and y == y:
            count += 1
            mean_x += (x - mean_x) / count
            mean_y += (y - mean_y) / count
    if count < LEAST_STEPS:
        return count, math.nan
    xx, yy, xy = 0.0, 0.0, 0.0
    for i in range(first, last):
        x = log_a[i] - log_a[i - 1]
        y = log_b[i + lag] - log_b[i + lag - 1]
        if x == x and y == y:
            x -= mean_x
            y -= mean_y
            xx += x * x
            yy += y * y
            xy += x * y
    if xx <= 0.0 or yy <= 0.0:
        return count, math.nan
    return count, xy / math.sqrt(xx * yy)


@compiled
def lead_of(log_a: Any, log_b: Any, most_lag: int) -> tuple[float, float]:
    """(lag in steps, its correlation); lags up to `most_lag` either way."""
    lead, best = math.nan, math.nan
    for distance in range(most_lag + 1):
        for sign in (1, -1):
            lag = sign * distance
            if lag == 0 and sign < 0:
                continue
            count, correlation = return_correlation(log_a, log_b, lag)
            if correlation > NOISE / math.sqrt(max(count, 1)) and not correlation <= best:
                lead, best = float(lag), correlation
    return lead, best
