"""Slow, obvious versions of the kernels: each output is computed afresh, in exact fractions where rounding matters.

A window that holds a NaN or an infinity gives NaN. Recursive averages are begun again after one.
"""

import math
from collections.abc import Sequence
from fractions import Fraction


def sma(values: Sequence[float], window: int) -> list[float]:
    """sum(last window values) / window."""
    return [_mean(part) for part in _windows(values, window)]


def wma(values: Sequence[float], window: int) -> list[float]:
    """sum(k * value) / sum(k), k = 1 for the oldest."""
    weights = range(1, window + 1)
    return [_weighted(part, weights) for part in _windows(values, window)]


def ema(values: Sequence[float], window: int) -> list[float]:
    """alpha * x + (1 - alpha) * ema with alpha = 2 / (window + 1), begun with the mean of `window` values."""
    return _smoothed(values, window, Fraction(2, window + 1))


def std(values: Sequence[float], window: int) -> list[float]:
    """The root of the mean squared deviation from the window's mean."""
    return [_deviation(part) for part in _windows(values, window)]


def zscore(values: Sequence[float], window: int) -> list[float]:
    """(x - mean) / std of the `window` values before x."""
    before = [None, *_windows(values, window)[:-1]]
    return [_distance(x, part) for x, part in zip(values, before, strict=False)]


def true_range(high: Sequence[float], low: Sequence[float], close: Sequence[float]) -> list[float]:
    """The largest of high - low, |high - close before|, |low - close before|."""
    ranges = []
    for top, bottom, before in zip(high, low, [math.nan, *close], strict=False):
        usable = all(map(math.isfinite, (top, bottom, before)))
        ranges.append(max(top - bottom, abs(top - before), abs(bottom - before)) if usable else math.nan)
    return ranges


def atr(high: Sequence[float], low: Sequence[float], close: Sequence[float], window: int) -> list[float]:
    """The true range smoothed with alpha = 1 / window, begun with the mean of `window` true ranges."""
    return _smoothed(true_range(high, low, close), window, Fraction(1, window))


def _windows(values: Sequence[float], window: int) -> list[list[Fraction] | None]:
    parts: list[list[Fraction] | None] = []
    for end in range(1, len(values) + 1):
        part = values[max(end - window, 0) : end]
        usable = len(part) == window and all(map(math.isfinite, part))
        parts.append([Fraction(x) for x in part] if usable else None)
    return parts


def _mean(part: list[Fraction] | None) -> float:
    return math.nan if part is None else float(sum(part) / len(part))


def _weighted(part: list[Fraction] | None, weights: range) -> float:
    if part is None:
        return math.nan
    return float(sum(k * x for k, x in zip(weights, part, strict=True)) / sum(weights))


def _deviation(part: list[Fraction] | None) -> float:
    if part is None:
        return math.nan
    mean = sum(part) / len(part)
    return math.sqrt(sum((x - mean) ** 2 for x in part) / len(part))


def _distance(x: float, part: list[Fraction] | None) -> float:
    deviation = _deviation(part)
    if part is None or not math.isfinite(x) or deviation == 0:
        return math.nan
    return float(Fraction(x) - sum(part) / len(part)) / deviation


def _smoothed(values: Sequence[float], window: int, alpha: Fraction) -> list[float]:
    outputs: list[float] = []
    seen: list[float] = []
    average = math.nan
    for x in values:
        seen = [*seen, x] if math.isfinite(x) else []
        if len(seen) < window:
            average = math.nan
        elif len(seen) == window:
            average = math.fsum(seen) / window
        else:
            average = float(alpha * Fraction(x) + (1 - alpha) * Fraction(average))
        outputs.append(average)
    return outputs
