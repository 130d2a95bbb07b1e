"""The channel between feeds and market: bounded, in order of receipt, stamped on the way in.

Feeds put, the engine takes; both in one thread. Backlog never looks fresh: what waited too long is conflated to the
last quote of each instrument, before anybody numbers or records it. Trades and bars are kept.
"""

import asyncio
import struct
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import zip_longest

import numpy as np

from workstation.errors import BadInput
from workstation.history.series_counts import rows_by_code
from workstation.model.durations import MS_NS
from workstation.model.ids import InstrumentIndex
from workstation.model.market import (
    MARKET_ROW,
    IntArray,
    RowFlag,
    RowKind,
    Rows,
)
from workstation.ports.feed import FeedStatus, Levels

CAPACITY = 100_000
MAX_LAG_NS = 1_000_000_000
BLOCK = 64
"""Rows that are taken as soon as they are there: a feed that reads on and on makes none of them wait for its end."""

_ROW = struct.Struct("=qqqiBBH5d")  # packing into bytes costs a third of assigning a tuple to a structured row
assert _ROW.size == MARKET_ROW.itemsize
_NO_LEVEL = (0.0, 0.0)


class Channel:
    """The engine's MarketSink. Full, it drops the oldest half of what waits, and counts.

    `on_block` is called from within a feed, at every row from the BLOCKth on that waits: it may take them, and raises
    nothing.
    """

    def __init__(
        self,
        now_ns: Callable[[], int],
        on_status: Callable[[FeedStatus], None],
        *,
        on_block: Callable[[], None] = lambda: None,
        capacity: int = CAPACITY,
        max_lag_ns: int = MAX_LAG_NS,
    ) -> None:
        if capacity < 2:
            raise BadInput(f"channel capacity {capacity}: expected 2 rows or more")
        self._now_ns, self._on_status, self._max_lag_ns = now_ns, on_status, max_lag_ns
        self._on_block = on_block
        self._capacity = capacity
        self._filling, self._taken = np.zeros(capacity, MARKET_ROW), np.zeros(capacity, MARKET_ROW)
        self._bytes = memoryview(self._filling.view(np.uint8))  # type: ignore[arg-type]
        self._count = 0
        self._arrived = asyncio.Event()
        self.received = 0
        self.dropped = 0
        """Rows that a full channel lost."""
        self.dropped_of: Counter[int] = Counter()
        """The same by the code of their series (`history.live_rows.series_codes`)."""
        self.conflated = 0
        """Quotes and levels of books that gave way to a newer one of their instrument."""
        self.conflated_of: Counter[int] = Counter()
        self.is_lagging = False
        """The last block had waited longer than allowed."""

    def quote(
        self, index: InstrumentIndex, ts_event: int, bid: float, ask: float, bid_quantity: float, ask_quantity: float
    ) -> None:
        self._put(ts_event, index, RowKind.QUOTE, 0, 0, bid, ask, bid_quantity, ask_quantity, 0.0)

    def trade(self, index: InstrumentIndex, ts_event: int, price: float, quantity: float, seller_takes: bool) -> None:
        flags = RowFlag.SELLER_TAKES if seller_takes else 0
        self._put(ts_event, index, RowKind.TRADE, flags, 0, price, quantity, 0.0, 0.0, 0.0)

    def bar(
        self,
        index: InstrumentIndex,
        interval_code: int,
        ts_end: int,
        open: float,
        high: float,
        low: float,
        close: float,
        volume: float,
    ) -> None:
        self._put(ts_end, index, RowKind.BAR, RowFlag.IS_CLOSED, interval_code, open, high, low, close, volume)

    def mark(self, index: InstrumentIndex, ts_event: int, price: float, index_price: float) -> None:
        self._put(ts_event, index, RowKind.MARK, 0, 0, price, index_price, 0.0, 0.0, 0.0)

    def funding(self, index: InstrumentIndex, ts_event: int, rate: float, ts_due: int) -> None:
        self._put(ts_event, index, RowKind.FUNDING, 0, 0, rate, ts_due // MS_NS, 0.0, 0.0, 0.0)

    def book(self, index: InstrumentIndex, ts_event: int, bids: Levels, asks: Levels) -> None:
        """All its rows bear one time and stand together."""
        levels, count = max(len(bids), len(asks)), self._count
        if levels > self._capacity // 2:
            raise BadInput(f"a book of {levels} levels: expected {self._capacity // 2} or fewer in this channel")
        if count + levels > self._capacity:
            count = self._make_room()
        now_ns = self._now_ns()
        for level, ((bid, bid_quantity), (ask, ask_quantity)) in enumerate(
            zip_longest(bids, asks, fillvalue=_NO_LEVEL)
        ):
            _ROW.pack_into(
                self._bytes,
                (count + level) * _ROW.size,
                0, now_ns, ts_event, index, RowKind.BOOK, 0, level, bid, ask, bid_quantity, ask_quantity, levels,
            )  # fmt: skip
        self._added(count, levels)

    def status(self, status: FeedStatus) -> None:
        self._on_status(status)

    async def wait(self, timeout_s: float | None) -> None:
        """Returns when rows wait, or after `timeout_s`."""
        if not self._count:
            # not wait_for, which loses a cancellation that comes in the same moment as a row (Python 3.11)
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._arrived.wait()

    @property
    def waiting(self) -> int:
        """Rows that nobody has taken yet."""
        return self._count

    def wake(self) -> None:
        """Ends a `wait` without rows: something else is to be done."""
        self._arrived.set()

    def take(self) -> Rows:
        """All rows that wait, oldest first, valid until the next `take`; `sequence` is left to the gate."""
        rows = self._filling[: self._count]
        self._filling, self._taken = self._taken, self._filling
        self._bytes = memoryview(self._filling.view(np.uint8))  # type: ignore[arg-type]
        self._count = 0
        self._arrived.clear()
        self.is_lagging = bool(len(rows)) and self._now_ns() - int(rows["ts_received"][0]) > self._max_lag_ns
        return self._newest(rows) if self.is_lagging else rows

    def _put(
        self,
        ts_event: int,
        index: int,
        kind: int,
        flags: int,
        code: int,
        x0: float,
        x1: float,
        x2: float,
        x3: float,
        x4: float,
    ) -> None:
        count = self._count
        if count == self._capacity:
            count = self._make_room()
        _ROW.pack_into(
            self._bytes,
            count * _ROW.size,
            0, self._now_ns(), ts_event, index, kind, flags, code, x0, x1, x2, x3, x4,
        )  # fmt: skip
        self._added(count, 1)

    def _added(self, before: int, rows: int) -> None:
        self._count = before + rows
        self.received += rows
        if not before:
            self._arrived.set()
        elif self._count >= BLOCK:
            self._on_block()

    def _make_room(self) -> int:
        """Drops the oldest half: one row at a time would move all others for each new one."""
        kept = self._capacity // 2
        self.dropped += self._count - kept
        self.dropped_of.update(rows_by_code(self._filling[: self._count - kept]))
        self._filling[:kept] = self._filling[self._count - kept : self._count].copy()
        self._count = kept
        return kept

    def _newest(self, rows: Rows) -> Rows:
        """Without the quotes, and the levels of books, that a newer one of the same instrument follows."""
        is_quote, is_level = rows["kind"] == RowKind.QUOTE, rows["kind"] == RowKind.BOOK
        is_kept = ~(is_quote | is_level)
        is_kept[_last_of_each(rows, np.flatnonzero(is_quote))[1]] = True
        levels = np.flatnonzero(is_level)
        if len(levels):
            # a book is what follows its best level; one that lost that to a full channel is none
            known, begins = _last_of_each(rows, np.flatnonzero(is_level & (rows["interval_code"] == 0)))
            of = np.searchsorted(known, rows["instrument"][levels])
            begins_at = np.append(begins, len(rows))[np.where(np.isin(rows["instrument"][levels], known), of, -1)]
            is_kept[levels] = levels >= begins_at
        kept: Rows = rows[is_kept]
        self.conflated += len(rows) - len(kept)
        self.conflated_of.update(rows_by_code(rows[~is_kept]))
        return kept


def _last_of_each(rows: Rows, places: IntArray) -> tuple[IntArray, IntArray]:
    """The instruments of the rows at `places`, ascending, and the last place of each."""
    instruments, from_behind = np.unique(rows["instrument"][places][::-1], return_index=True)
    return instruments, places[len(places) - 1 - from_behind]
