"""A longer bar from its minutes, as they come: the chart's last candle."""

from collections.abc import Iterable
from typing import NamedTuple

from workstation.client.messages import BarView, QuoteView


class Candle(NamedTuple):
    """One bar as it is drawn: its opening in ns UTC."""

    ts_open: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Minutes:
    """The minutes of the bar in the making and of the one before. A minute that the venue closed replaces our own."""

    def __init__(self, interval_ns: int, known: Iterable[BarView] = ()) -> None:
        self.interval_ns = interval_ns
        self._minutes: dict[int, Candle] = {}
        self._closed: dict[int, Candle] = {}
        for one in known:
            self._closed[one.ts_open] = candle_of(one)
        self._forget()

    def take(self, quote: QuoteView) -> list[Candle]:
        """The bars that changed, oldest first: none, the one in the making, or the one before it too."""
        changed: set[int] = set()
        for one, kept in ((quote.closed, self._closed), (quote.forming, self._minutes)):
            if one is not None and kept.get(one.ts_open) != (candle := candle_of(one)):
                kept[one.ts_open] = candle
                changed.add(self._start(one.ts_open))
        if changed:
            self._forget()
        newest = self._newest()
        return [self._bar(start) for start in sorted(changed) if start >= newest - self.interval_ns]

    def _bar(self, start: int) -> Candle:
        minutes = {**self._minutes, **self._closed}
        those = [minutes[ts] for ts in sorted(minutes) if self._start(ts) == start]
        return Candle(
            start,
            those[0].open,
            max(one.high for one in those),
            min(one.low for one in those),
            those[-1].close,
            sum(one.volume for one in those),
        )

    def _newest(self) -> int:
        return max((self._start(ts) for ts in (*self._minutes, *self._closed)), default=0)

    def _forget(self) -> None:
        oldest = self._newest() - self.interval_ns
        for kept in (self._minutes, self._closed):
            for ts in [ts for ts in kept if ts < oldest]:
                del kept[ts]

    def _start(self, ts: int) -> int:
        return ts - ts % self.interval_ns


def candle_of(bar: BarView) -> Candle:
    return Candle(bar.ts_open, bar.open, bar.high, bar.low, bar.close, bar.volume)
