"""A venue's candles: the source's minutes joined to any length, and the running one as far as it may be known."""

from typing import NamedTuple

import numpy as np

from workstation.model.durations import DAY_NS, MINUTE_NS
from workstation.model.instrument import InstrumentKey
from workstation.model.market import (
    Bars,
)
from workstation.simulator.market_source import MarketSource

MONDAY_NS = 4 * DAY_NS
"""1970-01-05: weeks begin on Mondays."""
WEEK_NS = 7 * DAY_NS


class Candle(NamedTuple):
    """`ts_open` in ns UTC, prices in quote, volume in base."""

    ts_open: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class BarHistory:
    """One symbol at one venue. A day's minutes are kept: the stream asks for the running one every second.

    A minute's open, high, low and close are the source's, known beforehand; the running minute shows the live price
    within them, so that it never contradicts the bar which it becomes, and no more volume than its time's share.
    """

    def __init__(self, source: MarketSource, key: InstrumentKey) -> None:
        self._source = source
        self._key = key
        self._kept: tuple[int, Bars] | None = None  # replaced as one: long histories are read in a thread
        self._running = (-1, 0.0, 0.0)

    def candles(self, interval_ns: int, start_ns: int, now_ns: int, price: float | None) -> list[Candle]:
        """From the interval that holds `start_ns` to the running one, oldest first; `price`: the live one."""
        first = interval_start(start_ns, interval_ns)
        this_minute = now_ns - now_ns % MINUTE_NS
        minutes = self._minutes(first, this_minute)
        joined = join_minutes(minutes, interval_ns)
        running = self._running_minute(this_minute, now_ns, price)
        if running is not None:
            opened = interval_start(this_minute, interval_ns)
            if joined and joined[-1].ts_open == opened:
                joined[-1] = _joined(joined[-1], running)
            else:
                joined.append(running._replace(ts_open=opened))
        return joined

    def candle(self, interval_ns: int, at_ns: int) -> Candle | None:
        """The whole interval that ends at or before the minute of `at_ns`; None where the source has none."""
        stop_ns = interval_start(at_ns, interval_ns)
        found = join_minutes(self._minutes(interval_start(stop_ns - 1, interval_ns), stop_ns), interval_ns)
        return found[-1] if found else None

    def last_day(self, now_ns: int, price: float | None) -> Candle | None:
        """Open, high, low, close and volume of the last 24 hours."""
        this_minute = now_ns - now_ns % MINUTE_NS
        minutes = self._minutes(this_minute - DAY_NS, this_minute)
        running = self._running_minute(this_minute, now_ns, price)
        if len(minutes) == 0:
            return running
        whole = _candle(minutes, slice(0, len(minutes)), this_minute - DAY_NS)
        return whole if running is None else _joined(whole, running)

    def _running_minute(self, minute_ns: int, now_ns: int, price: float | None) -> Candle | None:
        bars = self._minutes(minute_ns, minute_ns + MINUTE_NS)
        if len(bars) == 0 or price is None:
            return None
        opened, last = float(bars.open[0]), min(max(price, float(bars.low[0])), float(bars.high[0]))
        at, low, high = self._running
        if at != minute_ns:
            low, high = opened, opened
        low, high = min(low, last), max(high, last)
        self._running = (minute_ns, low, high)
        volume = float(bars.volume[0]) * (now_ns - minute_ns) / MINUTE_NS
        return Candle(minute_ns, opened, high, low, last, volume)

    def _minutes(self, start_ns: int, stop_ns: int) -> Bars:
        """The source's minutes; those of yesterday and today from memory."""
        yesterday = interval_start(stop_ns - 1, DAY_NS) - DAY_NS
        if start_ns < yesterday:
            return self._source.minutes(self._key, start_ns, stop_ns)
        kept = self._kept
        if kept is None or kept[0] != yesterday:
            kept = (yesterday, self._source.minutes(self._key, yesterday, yesterday + 2 * DAY_NS))
            self._kept = kept
        bars = kept[1]
        return bars.slice(*np.searchsorted(bars.ts_open, (start_ns, stop_ns)).tolist())


def interval_start(at_ns: int, interval_ns: int) -> int:
    """Where the interval that holds a moment begins."""
    origin = MONDAY_NS if interval_ns == WEEK_NS else 0
    return at_ns - (at_ns - origin) % interval_ns


def join_minutes(minutes: Bars, interval_ns: int) -> list[Candle]:
    """Longer candles of one-minute bars; the last may be a part of its interval."""
    if len(minutes) == 0:
        return []
    origin = MONDAY_NS if interval_ns == WEEK_NS else 0
    opens = minutes.ts_open - (minutes.ts_open - origin) % interval_ns
    first = np.flatnonzero(np.diff(opens, prepend=-1))
    last = np.append(first[1:], len(opens)) - 1
    columns = (
        opens[first],
        minutes.open[first],
        np.maximum.reduceat(minutes.high, first),
        np.minimum.reduceat(minutes.low, first),
        minutes.close[last],
        np.add.reduceat(minutes.volume, first),
    )
    return [Candle(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]


def _candle(minutes: Bars, span: slice, ts_open: int) -> Candle:
    return Candle(
        ts_open,
        float(minutes.open[span.start]),
        float(minutes.high[span].max()),
        float(minutes.low[span].min()),
        float(minutes.close[span.stop - 1]),
        float(minutes.volume[span].sum()),
    )


def _joined(first: Candle, second: Candle) -> Candle:
    return Candle(
        first.ts_open,
        first.open,
        max(first.high, second.high),
        min(first.low, second.low),
        second.close,
        first.volume + second.volume,
    )
