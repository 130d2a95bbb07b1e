"""One series of closed bars in memory: stored, asked of the venue where bars are missing, and told since."""

import asyncio
import logging

import numpy as np

from workstation.engine.feeds import Feeds
from workstation.errors import HistoryMissing, VenueUnavailable, WorkstationError
from workstation.history.longer_bars import empty_bars, joined_bars, opening_of
from workstation.history.market_rows import bars_of
from workstation.history.store import HistoryStore
from workstation.model.durations import SECOND_NS
from workstation.model.instrument import InstrumentKey
from workstation.model.market import (
    Bars,
    Rows,
)

MOST_BARS = 5_000
MOST_TOLD = 256
"""Blocks of told bars that wait to be joined: seldom more than one bar each."""
ASK_EVERY_NS = 10 * SECOND_NS
"""A venue is asked no more often, however many look; nor sooner after a bar's end, which its feed tells by itself."""

log = logging.getLogger(__name__)


class BarSeries:
    """Let it `take` what is told, `refresh` it, and read `bars`: at most MOST_BARS, by opening, none twice."""

    def __init__(self, key: InstrumentKey, interval_ns: int) -> None:
        self.key, self.interval_ns = key, interval_ns
        self._failure: WorkstationError | None = None
        """What the venue said when it was last asked, if it did not answer with bars."""
        self._bars, self._told = empty_bars(interval_ns), list[Rows]()
        self._reach, self._asked_ns = 0, 0
        self._filling: asyncio.Task[None] | None = None
        self._is_asked = False
        """The venue, now."""

    @property
    def is_filling(self) -> bool:
        return self._filling is not None and not self._filling.done()

    @property
    def problem(self) -> WorkstationError | None:
        """Why bars may be missing; None: none is."""
        if not self.is_filling:
            return self._failure
        what = "has not answered yet" if self._is_asked else "is still being read"
        return VenueUnavailable(f"{self.key.venue} {what}: bars of {self.key.symbol} may be missing")

    @property
    def bars(self) -> Bars:
        """All closed bars that are known."""
        if self._told:
            self._join_told()
        return self._bars

    def take(self, rows: Rows) -> None:
        """Closed bars of this series, as the feed tells them."""
        self._told.append(rows)
        if len(self._told) >= MOST_TOLD:
            self._join_told()

    async def refresh(self, feeds: Feeds, store: HistoryStore, limit: int, now_ns: int, until_s: float) -> None:
        """Makes sure of the last `limit` bars before `now_ns`; several that ask at once wait for one answer.

        Waits until `until_s` of the loop's clock; what takes longer goes on, and is a `problem` meanwhile.
        """
        while True:
            if not self.is_filling:
                if limit <= self._reach and not self._is_due(now_ns):
                    return
                self._filling = asyncio.create_task(self._fill(feeds, store, limit, now_ns))
                self._filling.add_done_callback(_tell_fault)
            assert self._filling is not None
            left_s = until_s - asyncio.get_running_loop().time()
            filled, _ = await asyncio.wait([self._filling], timeout=max(left_s, 0.0))
            if not filled:
                return
            self._filling.result()

    async def close(self) -> None:
        """Asks and reads no more."""
        if self._filling is not None:
            self._filling.cancel()
            await asyncio.wait([self._filling])

    async def _fill(self, feeds: Feeds, store: HistoryStore, limit: int, now_ns: int) -> None:
        since_ns = self._opening_before(now_ns, max(limit, self._reach))
        if limit > self._reach:
            await self._read(store, since_ns, now_ns)
            self._reach = limit
            missing_ns = self._missing_from(since_ns, now_ns)
        elif self._failure is not None or not len(self.bars):
            missing_ns = self._missing_from(since_ns, now_ns)
        else:
            missing_ns = self._next_open  # a hole that is left is one of the venue's own
        await self._ask(feeds, store, missing_ns, now_ns)

    @property
    def _next_open(self) -> int:
        return int(self.bars.ts_open[-1]) + self.interval_ns

    def _is_due(self, now_ns: int) -> bool:
        is_late = not len(self.bars) or self._next_open + self.interval_ns + ASK_EVERY_NS <= now_ns
        return (is_late or self._failure is not None) and now_ns - self._asked_ns >= ASK_EVERY_NS

    def _opening_before(self, now_ns: int, bars: int) -> int:
        return max(opening_of(now_ns, self.interval_ns) - bars * self.interval_ns, 0)

    def _missing_from(self, since_ns: int, now_ns: int) -> int | None:
        """Where the first bar that has closed is missing; None: none is."""
        ts_open, length = self.bars.ts_open, self.interval_ns
        ts_open = ts_open[ts_open >= since_ns]
        if not len(ts_open) or ts_open[0] - since_ns >= length:
            return since_ns
        breaks = np.flatnonzero(np.diff(ts_open) != length)
        if breaks.size:
            return int(ts_open[breaks[0]]) + length
        return self._next_open if self._next_open + length <= now_ns else None

    async def _ask(self, feeds: Feeds, store: HistoryStore, since_ns: int | None, now_ns: int) -> None:
        """What the venue tells is stored, and then read."""
        self._failure = None
        if since_ns is None:
            return
        self._asked_ns, self._is_asked = now_ns, True
        try:
            await feeds.backfill(store, self.key, self.interval_ns, since_ns)
        except WorkstationError as error:
            log.warning("bars of %s: the venue tells none (%s)", self.key, error)
            self._failure = error
        else:
            await self._read(store, since_ns, now_ns)
        finally:
            self._is_asked = False

    async def _read(self, store: HistoryStore, since_ns: int, now_ns: int) -> None:
        try:
            stored = await asyncio.to_thread(
                store.bars, self.key, self.interval_ns, since_ns, now_ns - self.interval_ns + 1
            )
        except HistoryMissing:
            return
        self._bars = self._joined(stored)

    def _join_told(self) -> None:
        self._bars = self._joined(bars_of(np.concatenate(self._told), self.interval_ns))
        self._told = []

    def _joined(self, more: Bars) -> Bars:
        bars = joined_bars(self._bars, more)
        return bars.slice(max(len(bars) - MOST_BARS, 0), len(bars))


def _tell_fault(filling: asyncio.Task[None]) -> None:
    """Of a series that perhaps nobody waits for any more."""
    if not filling.cancelled() and (error := filling.exception()) is not None:
        log.error("bars: %s", error, exc_info=error)
