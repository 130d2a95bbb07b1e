"""Opportunities of one pair as its page lists them: what the recording has, and what the engine tells."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from workstation.client.messages import OpportunityView
from workstation.model.durations import MS_NS
from workstation.model.sides import Sides

MOST = 200
Way = Literal["ab", "ba"]
WAYS: tuple[Way, Way] = ("ab", "ba")
"""At their numbers in windows.opportunities."""


class Opportunity(NamedTuple):
    """Times in ns UTC; `closed_ns` is None while it lasts. `quantity` in base, at the peak."""

    way: Way
    """Sell A and buy B; or the other way round."""
    opened_ns: int
    closed_ns: int | None
    peak_bps: float
    quantity: float
    left_bps: float | None

    @property
    def row(self) -> tuple[str, int, int | None, float, float, float | None]:
        """As a page reads it, times in ms."""
        closed_ms = None if self.closed_ns is None else self.closed_ns // MS_NS
        left = None if self.left_bps is None else round(self.left_bps, 2)
        return self.way, self.opened_ns // MS_NS, closed_ms, round(self.peak_bps, 2), self.quantity, left


class OpportunityLog:
    """The last ones of a pair. One that is told twice, by the recording and by the engine, is one."""

    def __init__(self, sides: Sides, most: int = MOST) -> None:
        self._basis, self._most = None if sides.basis is None else str(sides.basis), most
        a, b = (tuple(map(str, key)) for key in sides[:2])
        self._ways: dict[tuple[tuple[str, ...], tuple[str, ...]], Way] = {(a, b): "ab", (b, a): "ba"}
        self._ended: dict[tuple[Way, int], Opportunity] = {}
        self._lasting: dict[Way, Opportunity] = {}
        self._news: list[Opportunity] = []

    @property
    def ended(self) -> list[Opportunity]:
        """By their end."""
        return list(self._ended.values())

    @property
    def lasting(self) -> list[Opportunity]:
        return list(self._lasting.values())

    def begin(self, recorded: Iterable[Opportunity], told: Iterable[OpportunityView]) -> None:
        """Anew; nothing of it is news."""
        self._ended, self._lasting = {(one.way, one.opened_ns): one for one in recorded}, {}
        for view in told:
            self.put(view)
        ended = sorted(self.ended, key=lambda one: one.closed_ns or 0)
        self._ended = {(one.way, one.opened_ns): one for one in ended[-self._most :]}
        self._news = []

    def put(self, view: OpportunityView) -> None:
        """One that has come to count, or that has closed; of another pair it is passed over."""
        way = self._ways.get(((view.sell_at, view.symbol), (view.buy_at, view.buy_symbol)))
        if way is None or view.basis != self._basis:
            return
        one = Opportunity(way, view.opened_ns, view.closed_ns, view.peak_bps, view.quantity, view.left_bps)
        if one.closed_ns is None:
            self._lasting[way] = one
            return
        self._lasting.pop(way, None)
        self._ended[way, one.opened_ns] = one
        self._news.append(one)
        while len(self._ended) > self._most:
            del self._ended[next(iter(self._ended))]

    def silence(self) -> None:
        """A side is stale: nothing lasts any more. When it closed is told with the next quote."""
        self._lasting.clear()

    def news(self) -> list[Opportunity]:
        """Those that ended since the last call."""
        news, self._news = self._news, []
        return news
