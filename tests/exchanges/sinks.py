"""A sink that remembers, and lets a test wait for what it is to be told."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from tests.exchanges.venue import Venue
from workstation.exchanges.ccxt_feed import CcxtFeed
from workstation.exchanges.pace import Pace
from workstation.exchanges.settings import VenueSettings
from workstation.model.durations import SECOND_NS
from workstation.model.ids import InstrumentIndex, Symbol
from workstation.model.ids import Venue as VenueName
from workstation.model.instrument import InstrumentKey
from workstation.ports.feed import FeedState, FeedStatus, Subscription

NOW_NS = 1_700_000_100 * SECOND_NS
"""A whole number of minutes."""
QUICK = Pace(
    first_backoff_s=0.01,
    most_backoff_s=0.05,
    repair_after_s=0.2,
    bar_grace_s=2.0,
    bar_check_s=0.01,
    retry_s=0.01,
    recall_s=0.05,
)


class ToldSink:
    """Each list holds what was told, in order, without the index of quotes and trades being lost."""

    def __init__(self) -> None:
        self.quotes: list[tuple[Any, ...]] = []
        self.trades: list[tuple[Any, ...]] = []
        self.bars: list[tuple[Any, ...]] = []
        self.marks: list[tuple[Any, ...]] = []
        self.rates: list[tuple[Any, ...]] = []
        self.books: list[tuple[Any, ...]] = []
        self.statuses: list[FeedStatus] = []
        self._told = asyncio.Event()

    def quote(self, *row: Any) -> None:
        self.quotes.append(row)
        self._told.set()

    def trade(self, *row: Any) -> None:
        self.trades.append(row)
        self._told.set()

    def bar(self, *row: Any) -> None:
        self.bars.append(row)
        self._told.set()

    def mark(self, *row: Any) -> None:
        self.marks.append(row)
        self._told.set()

    def funding(self, *row: Any) -> None:
        self.rates.append(row)
        self._told.set()

    def book(self, *row: Any) -> None:
        self.books.append(row)
        self._told.set()

    def status(self, status: FeedStatus) -> None:
        self.statuses.append(status)
        self._told.set()

    @property
    def states(self) -> list[FeedState]:
        return [status.state for status in self.statuses]

    async def until(self, holds: Callable[[], bool], timeout_s: float = 60) -> None:
        """Returns when it holds, looked at after each thing told."""
        async with asyncio.timeout(timeout_s):
            while not holds():
                self._told.clear()
                if not holds():
                    await self._told.wait()


def subscriptions(**wanted: Any) -> list[Subscription]:
    """Of both symbols: BTC/USDT is instrument 0, ETH/USDT 1."""
    return [
        Subscription(key=InstrumentKey(VenueName("nova"), Symbol(symbol)), index=InstrumentIndex(index), **wanted)
        for index, symbol in enumerate(("BTC/USDT", "ETH/USDT"))
    ]


def settings_of(venue: Venue, **changes: Any) -> VenueSettings:
    fields: dict[str, Any] = {"venue": VenueName("nova"), "exchange": "binance", "url": venue.url, "timeout_s": 2.0}
    return VenueSettings(**(fields | changes))


def feed_of(venue: Venue, *, now_ns: Callable[[], int] = lambda: NOW_NS, **changes: Any) -> CcxtFeed:
    parts = {"pace": QUICK} | {name: changes.pop(name) for name in ("limiter", "breaker", "pace") if name in changes}
    return CcxtFeed(settings_of(venue, **changes), now_ns, rng=random.Random(7), **parts)


@contextlib.asynccontextmanager
async def running(feed: CcxtFeed, wanted: Sequence[Subscription]) -> AsyncIterator[ToldSink]:
    """The feed at work; it is cancelled at the end, and what it raised of itself is raised here."""
    sink = ToldSink()
    task = asyncio.create_task(feed.run(wanted, sink))
    task.add_done_callback(lambda _: sink._told.set())
    try:
        yield sink
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def a_venue() -> AsyncIterator[Venue]:
    venue = Venue()
    await venue.start()
    try:
        yield venue
    finally:
        await venue.stop()
