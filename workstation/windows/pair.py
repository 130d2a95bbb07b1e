"""What is told of a pair when somebody asks: half-life, correlation and lead, on a grid of a second.

The grid is read from two windows of the sides' mids, one point a second, which all pairs of an instrument share. A mid
stands until the next one, for `stale_after_ns` at most; the second in the making is left out. So the figures depend on
the quotes of the span alone, and are the same live and over history.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from workstation.kernels.compiled import compiled
from workstation.kernels.pair_statistics import half_life_of, lead_of, return_correlation
from workstation.model.durations import SECOND_NS
from workstation.windows.specs import WindowKind, WindowSpec
from workstation.windows.tables import Tables

MOST_LAG_S = 10


class PairStatistics(NamedTuple):
    """NaN where there is too little to say; see kernels.pair_statistics."""

    half_life_s: float
    correlation: float
    lead_s: float
    """Above 0: side A moves first."""
    lead_correlation: float


def side_windows(spread: WindowSpec) -> tuple[WindowSpec, ...]:
    """The windows of the mids of A, B and the basis, if there is one, that a `PairReader` reads."""
    side = replace(
        spread, kind=WindowKind.QUOTE, instrument_b=None, basis=None, resolution_ns=SECOND_NS, max_points=None,
        quantiles=None, span_ns=-(-spread.span_ns // SECOND_NS) * SECOND_NS, band_deviations=0.0, min_points=2,
    )  # fmt: skip
    return tuple(replace(side, instrument_a=key) for key in spread.instruments)


@compiled
def fill_grid(slot: Any, points: Any, end: int, stale_steps: int, grid: Any) -> None:
    """Log mids of the steps before bucket `end` into grid float64[n]; NaN where none is known, or it is too old."""
    steps, offset, capacity = len(grid), slot["offset"], slot["capacity"]
    first = end - steps
    place, left = slot["head"], slot["count"]
    value, since = math.nan, first - 1
    for step in range(steps):
        bucket = first + step
        while left > 0 and points[offset + place]["bucket"] <= bucket:
            point = points[offset + place]
            if point["bucket"] >= first:
                value, since = math.log(point["value"]), point["bucket"]
            left -= 1
            place = place + 1 if place + 1 < capacity else 0
        if left == 0 and slot["has_pending"] and first <= slot["bucket"] <= bucket and slot["bucket"] >= since:
            value, since = math.log(slot["pending"]), slot["bucket"]
        grid[step] = value if bucket - since <= stale_steps else math.nan


@compiled
def read_pair(
    slots: Any, sides: Any, points: Any, end: int, stale_steps: int, most_lag: int, grid: Any, told: Any
) -> None:
    """PairStatistics of the slots at `sides` (of A, B and, it may be, the basis) into told float64[4]; grid is
    float64[sides, n]."""
    for place in range(len(sides)):
        fill_grid(slots[sides[place]], points, end, stale_steps, grid[place])
    if len(sides) > 2:
        for step in range(grid.shape[1]):
            grid[1, step] += grid[2, step]
    told[0] = half_life_of(grid[0], grid[1])
    _, told[1] = return_correlation(grid[0], grid[1], 0)
    told[2], told[3] = lead_of(grid[0], grid[1], most_lag)


class PairReader:
    """Reads pairs of one span. Its room is kept between calls."""

    def __init__(self, spread: WindowSpec) -> None:
        sides = side_windows(spread)
        self._grid = np.empty((len(sides), sides[0].span_ns // SECOND_NS))
        self._told = np.empty(len(PairStatistics._fields))
        self._stale_steps = spread.stale_after_ns // SECOND_NS

    def read(self, tables: Tables, slots: Sequence[int], now_ns: int) -> PairStatistics:
        """As of `now_ns`, from the slots of `side_windows`; it takes about 0.1 ms for 30 minutes."""
        read_pair(
            tables.slots, np.array(slots, np.int64), tables.points, now_ns // SECOND_NS, self._stale_steps, MOST_LAG_S,
            self._grid, self._told,
        )  # fmt: skip
        return PairStatistics(*self._told.tolist())
