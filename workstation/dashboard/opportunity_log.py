"""Spans in which crossing would have paid, as they come: those that ended, and those that last.

The same spans as `charts.opportunities` finds in a table: an edge is one while it is over zero, and known.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

MOST = 200
Way = Literal["ab", "ba"]
WAYS: tuple[Way, Way] = ("ab", "ba")
"""Sell A and buy B; and the other way round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    """Times in ms UTC; `end_ms` is None while it lasts. `capacity` in base at the peak, None where no one told it."""

    way: Way
    start_ms: int
    end_ms: int | None = None
    peak_bps: float
    capacity: float | None = None


class OpportunityLog:
    """The last ones of a pair."""

    def __init__(self, most: int = MOST) -> None:
        self._ended: deque[Opportunity] = deque(maxlen=most)
        self._lasting: dict[Way, Opportunity] = {}
        self._news: list[Opportunity] = []

    @property
    def ended(self) -> list[Opportunity]:
        """By their end."""
        return list(self._ended)

    @property
    def lasting(self) -> list[Opportunity]:
        return [self._lasting[way] for way in WAYS if way in self._lasting]

    def put(
        self, t_ms: int, edges_bps: tuple[float | None, float | None], capacities: tuple[float | None, float | None]
    ) -> None:
        """Net edges as of a time, each with what could be traded on it; None or NaN where they are not known."""
        for way, edge, capacity in zip(WAYS, edges_bps, capacities, strict=True):
            lasts = self._lasting.get(way)
            if edge is None or not edge > 0:
                if lasts is not None:
                    self._end(replace(self._lasting.pop(way), end_ms=t_ms))
            elif lasts is None:
                self._lasting[way] = Opportunity(way=way, start_ms=t_ms, peak_bps=edge, capacity=capacity)
            elif edge > lasts.peak_bps:
                self._lasting[way] = replace(lasts, peak_bps=edge, capacity=capacity)

    def news(self) -> list[Opportunity]:
        """Those that ended since the last call."""
        news, self._news = self._news, []
        return news

    def _end(self, one: Opportunity) -> None:
        self._ended.append(one)
        self._news.append(one)
