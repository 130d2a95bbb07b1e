"""A capture played to the feed frame by frame, and what its sink was told beside what is true."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.exchanges.captured import CapturedVenue, Frame
from tests.exchanges.sinks import QUICK, ToldSink, feed_of
from workstation.exchanges.ccxt_feed import CcxtFeed
from workstation.exchanges.ccxt_parse import Refusal
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.model.ids import InstrumentIndex, Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.ports.feed import Subscription

LOOKING = replace(QUICK, look_s=0.001)
Book = tuple[list[tuple[float, float]], list[tuple[float, float]]]


class Unhurried(RestLimiter):
    """Makes nobody wait."""

    async def turn(self, spacing_s: float) -> None:
        await super().turn(0.0)


def subscribed(symbols: Sequence[str], **wanted: Any) -> list[Subscription]:
    keys = [InstrumentKey(Venue("nova"), Symbol(symbol)) for symbol in symbols]
    return [Subscription(key=key, index=InstrumentIndex(index), **wanted) for index, key in enumerate(keys)]


def a_feed(venue: CapturedVenue, exchange: str, **changes: Any) -> CcxtFeed:
    parts = {"limiter": Unhurried(), "pace": LOOKING, "stale_after_s": 60.0}
    return feed_of(venue, now_ns=venue.now_ns, exchange=exchange, **(parts | changes))


def serve(venue: CapturedVenue, scenario: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await venue.start()
        try:
            await scenario()
        finally:
            await venue.stop()

    asyncio.run(run())


def tick(texts: Sequence[str]) -> str:
    """The finest step that these texts show."""
    return str(Decimal(1).scaleb(min(int(Decimal(text).as_tuple().exponent) for text in texts)))


def told_books(sink: ToldSink, index: int) -> list[Book]:
    return [(row[2], row[3]) for row in sink.books if row[0] == index]


class Followed:
    """Plays frames one by one; of each that changes a book's best levels it waits until just that was told."""

    def __init__(self, venue: CapturedVenue, sink: ToldSink, names: Sequence[str], levels: int) -> None:
        self.venue, self.sink, self.names, self.levels = venue, sink, names, levels
        self.states: dict[str, list[Book]] = {name: [] for name in names}

    async def look(self, name: str) -> None:
        best = self.venue.book(name).best(self.levels)
        states = self.states[name]
        if best != ([], []) and (not states or states[-1] != best):
            states.append(best)
            index = self.names.index(name)
            await self.sink.until(lambda: told_books(self.sink, index)[-1:] == [best])

    async def play(self, frames: Sequence[Frame], name_of: Callable[[Frame], str]) -> None:
        for frame in frames:
            await self.venue.play(frame)
            await self.look(name_of(frame))

    def assert_told_each_once(self) -> None:
        for index, name in enumerate(self.names):
            assert len(self.states[name]) > 10
            assert told_books(self.sink, index) == self.states[name]


def is_in_order(told: Sequence[Book], states: Sequence[Book]) -> bool:
    """Whether each of `told` is one of the states, none of them before the one that was told last."""
    left = iter(states)
    return all(any(book == state for state in left) for book in told)


async def until_refused(feed: CcxtFeed, reason: Refusal) -> None:
    async with asyncio.timeout(20):
        while not feed.refusals.counts[reason]:
            await asyncio.sleep(0.001)
