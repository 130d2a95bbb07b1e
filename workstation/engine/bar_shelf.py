"""Bars for charts: closed ones of any length, and the one in the making, whoever asks and however often."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from workstation.client.messages import BarsView, BarView
from workstation.engine.bar_series import MOST_BARS, BarSeries
from workstation.engine.clock import Clock
from workstation.engine.feeds import Feeds
from workstation.engine.quote_monitor import QuoteMonitor
from workstation.errors import BadInput, VenueRefused
from workstation.history.longer_bars import COLUMNS, joined_bars, longer_bars, opening_of
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS
from workstation.model.instrument import InstrumentKey, Registry
from workstation.model.market import (
    INTERVALS_NS,
    Bars,
    RowFlag,
    RowKind,
    Rows,
    interval_label,
)
from workstation.windows.advance import bar_fault

MOST_SERIES = 64
"""Kept in memory, at most 240 kB each; the one that nobody has asked for longest goes, unless it is being filled."""
STEPS = ((4 * HOUR_NS, MINUTE_NS), (DAY_NS, HOUR_NS), (7 * DAY_NS, DAY_NS))
"""Out of which bars a longer one is made, up to each length: some hundred at most."""
PATIENCE_S = 2.0
"""For so long whoever looks waits for the venue; then he sees what is known, and it goes on being asked."""

NOT_THERE = (BadInput, VenueRefused)
"""What a venue raises that has no bars of a length."""


class BarShelf:
    """Series that were asked for; each is asked of history and venue once, and goes on by what the feeds tell."""

    def __init__(
        self, registry: Registry, quotes: QuoteMonitor, feeds: Feeds, store: HistoryStore, clock: Clock
    ) -> None:
        self._registry, self._quotes, self._feeds, self._store = registry, quotes, feeds, store
        self._clock = clock
        self._series: OrderedDict[tuple[InstrumentKey, int], BarSeries] = OrderedDict()

    async def close(self) -> None:
        """Nothing is asked or stored any more."""
        await asyncio.gather(*(one.close() for one in self._series.values()))

    def take(self, rows: Rows) -> None:
        """A block with closed bars in it, whose memory is used again."""
        is_bar = (rows["kind"] == RowKind.BAR) & (rows["flags"] & RowFlag.IS_CLOSED > 0)
        is_bar &= (rows["instrument"] >= 0) & (rows["instrument"] < len(self._registry))
        for place in np.flatnonzero(is_bar).tolist():
            row = rows[place]
            if not bar_fault(row):
                key, length = self._registry.key(int(row["instrument"])), INTERVALS_NS[row["interval_code"]]
                series = self._series.get((key, length))
                if series is not None:
                    series.take(rows[place : place + 1].copy())

    async def view(self, key: InstrumentKey, interval_ns: int, limit: int) -> BarsView:
        """Raises UnknownInstrument; and what the venue raised, where neither it nor history has any bar."""
        self._registry.index(key)
        now_ns, until_s = self._clock.now_ns(), asyncio.get_running_loop().time() + PATIENCE_S
        lengths = [interval_ns, *_steps_of(interval_ns)]
        wanted = [limit] + [(now_ns - opening_of(now_ns, longer)) // step + 1 for longer, step in pairwise(lengths)]
        filled = [self._refresh(key, *one, until_s) for one in zip(lengths, wanted, strict=True)]
        await asyncio.gather(*filled)  # one after the other they would be waited for several times
        bars, forming = await self._bars(key, interval_ns, limit, until_s)
        own, *of_shorter = (self._of(key, length).problem for length in lengths)
        if len(bars) and isinstance(own, NOT_THERE):
            own = None  # made of shorter ones
        problem = next((one for one in (own, *of_shorter) if one is not None), None)
        if not len(bars) and forming is None and own is not None:
            raise own
        bars = bars.slice(max(len(bars) - limit, 0), len(bars))
        return BarsView(
            venue=key.venue,
            symbol=key.symbol,
            interval=interval_label(interval_ns),
            forming=forming,
            problem="" if problem is None else str(problem),
            **{name: getattr(bars, name).tolist() for name in COLUMNS},
        )

    def _of(self, key: InstrumentKey, interval_ns: int) -> BarSeries:
        series = self._series.setdefault((key, interval_ns), BarSeries(key, interval_ns))
        self._series.move_to_end((key, interval_ns))
        if len(self._series) > MOST_SERIES:
            oldest = next(
                (name for name, one in self._series.items() if one is not series and not one.is_filling), None
            )
            if oldest is not None:
                del self._series[oldest]
        return series

    async def _refresh(self, key: InstrumentKey, interval_ns: int, limit: int, until_s: float) -> BarSeries:
        series = self._of(key, interval_ns)
        await series.refresh(self._feeds, self._store, limit, self._clock.now_ns(), until_s)
        return series

    async def _bars(
        self, key: InstrumentKey, interval_ns: int, limit: int, until_s: float
    ) -> tuple[Bars, BarView | None]:
        series = await self._refresh(key, interval_ns, limit, until_s)
        if interval_ns > MINUTE_NS:
            return await self._continued(series, limit, until_s)
        if interval_ns < MINUTE_NS:
            return series.bars, None
        forming = self._quotes.bar_in_the_making(self._registry.index(key))
        is_closed = forming is not None and len(series.bars) and forming.ts_open <= series.bars.ts_open[-1]
        return series.bars, None if is_closed else forming

    async def _continued(self, series: BarSeries, limit: int, until_s: float) -> tuple[Bars, BarView | None]:
        """The venue's own bars, and what shorter ones make of the time since; all of it where the venue has none."""
        length, now_ns = series.interval_ns, self._clock.now_ns()
        if len(series.bars):
            since_ns = int(series.bars.ts_open[-1]) + length
        elif isinstance(series.problem, NOT_THERE):
            since_ns = opening_of(now_ns, length) - limit * length
        else:
            since_ns = opening_of(now_ns, length)
        step = next(_steps_of(length))
        wanted = min(max(now_ns - since_ns, 0) // step + 1, MOST_BARS)
        shorter, running = await self._bars(series.key, step, wanted, until_s)
        shorter = shorter.slice(int(np.searchsorted(shorter.ts_open, since_ns)), len(shorter))
        if running is not None and running.ts_open >= since_ns:
            shorter = joined_bars(shorter, _one_bar(running, step))
        made = longer_bars(shorter, length, since_ns)
        if len(made) > 1 and not len(series.bars) and shorter.ts_open[0] != made.ts_open[0]:
            made = made.slice(1, len(made))  # history begins within it
        return _split(joined_bars(series.bars, made), running, now_ns)


def _steps_of(interval_ns: int) -> Iterator[int]:
    """The shorter bars that bars of a length are continued by, those that these are, and so on."""
    while interval_ns > MINUTE_NS:
        interval_ns = next(step for longest, step in STEPS if interval_ns <= longest)
        yield interval_ns


def _split(bars: Bars, running: BarView | None, now_ns: int) -> tuple[Bars, BarView | None]:
    """The last bar is in the making while its end has not come, or what it is made of still is."""
    if not len(bars):
        return bars, None
    end_ns = int(bars.ts_open[-1]) + bars.interval_ns
    if end_ns <= now_ns and (running is None or running.ts_open >= end_ns):
        return bars, None
    last: dict[str, Any] = {name: getattr(bars, name)[-1].item() for name in COLUMNS}
    return bars.slice(0, len(bars) - 1), BarView.model_validate(last)


def _one_bar(bar: BarView, interval_ns: int) -> Bars:
    return Bars(interval_ns=interval_ns, **{name: np.array([getattr(bar, name)]) for name in COLUMNS})
