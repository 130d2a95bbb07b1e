"""A spread's series as its chart draws it: one point a second, the last one alive; NaN is a gap.

As in the recording, a point is the last word of its second. What viewers have not been told of yet is counted here.
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from workstation.client.messages import SpreadView

STEP_MS = 1_000
DECIMALS = 3
"""Of bps: finer is not seen, and would be half of a message."""
NAN = math.nan


class Point(NamedTuple):
    """One row of the chart's source "spread": time in ms UTC, bps, z without unit."""

    t: int
    spread: float
    mean: float
    upper: float
    lower: float
    net_edge_ab: float
    net_edge_ba: float
    z: float

    @property
    def is_gap(self) -> bool:
        return math.isnan(self.spread)


def point_of(t_ms: int, view: SpreadView) -> Point:
    """In a gap the band has no height, as an area knows no hole."""
    if view.spread_bps is None:
        return gap_at(t_ms, view.mean_bps)
    told = (
        view.spread_bps, view.mean_bps, view.upper_bps, view.lower_bps, view.net_edge_ab_bps, view.net_edge_ba_bps,
        view.z,
    )  # fmt: skip
    return Point(t_ms, *(NAN if value is None else round(value, DECIMALS) for value in told))


def gap_at(t_ms: int, level_bps: float | None) -> Point:
    """Nothing is known; the band closes at a level."""
    level = NAN if level_bps is None else round(level_bps, DECIMALS)
    return Point(t_ms, NAN, NAN, level, level, NAN, NAN, NAN)


class SpreadPoints:
    """Of one pair: at most `kept_ms` of it, with a gap wherever nothing came for `gap_ms`."""

    def __init__(self, kept_ms: int, gap_ms: int) -> None:
        self._kept_ms, self._gap_ms = kept_ms, gap_ms
        self._points: list[Point] = []
        self._untouched = 0
        """So many of the oldest are as viewers know them."""

    @property
    def last(self) -> Point | None:
        return self._points[-1] if self._points else None

    def columns(self) -> Mapping[str, list[float]]:
        """As a chart's source has them; all told."""
        return dict(
            zip(
                Point._fields,
                ([*map(list, zip(*self._points, strict=True))] or [[] for _ in Point._fields]),
                strict=True,
            )
        )

    def put(self, point: Point) -> None:
        """The newest; one from before the last is of no use any more. No two points have one time."""
        last = self.last
        if last is None:
            self._add(point)
        elif point.t < last.t or (last.is_gap and point.is_gap):
            return
        elif point.t == last.t or (last.is_gap == point.is_gap and last.t // STEP_MS == point.t // STEP_MS):
            self._points[-1] = point
            self._untouched = min(self._untouched, len(self._points) - 1)
        else:
            if not last.is_gap and point.t - last.t > self._gap_ms:
                self._add(gap_at(last.t + self._gap_ms, last.mean))
            self._add(point)

    def begin(self, points: Iterable[Point]) -> None:
        """Anew, from what is recorded."""
        self._points = []
        for point in points:
            self._add(point)
        self._untouched = 0

    def changes(self) -> tuple[int | None, list[Point]]:
        """All since the last call: the time after which a viewer drops what it has (None: all), and what follows."""
        news = self._points[self._untouched :]
        after = self._points[self._untouched - 1].t if self._untouched else None
        self._untouched = len(self._points)
        return after, news

    def _add(self, point: Point) -> None:
        self._points.append(point)
        oldest_ms, out = point.t - self._kept_ms, 0
        while self._points[out].t < oldest_ms:
            out += 1
        if out:
            del self._points[:out]
            self._untouched = max(0, self._untouched - out)
