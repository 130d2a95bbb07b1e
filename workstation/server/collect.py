"""Mode collect: feeds and recorder alone, nobody decides. A composition root."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from workstation.client.messages import FeedView
from workstation.config.settings import Settings
from workstation.engine.clock import Clock
from workstation.engine.feeds import Feeds, Wish
from workstation.engine.last_place import last_place
from workstation.engine.turns import Turns
from workstation.errors import UnknownInstrument
from workstation.exchanges.registry import open_feed
from workstation.exchanges.rest_limiter import RestLimiters
from workstation.exchanges.settings import VenueSettings
from workstation.history.recorder import Recorder
from workstation.history.store import HistoryStore
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import Instrument
from workstation.model.market import STEP_BITS
from workstation.ports.feed import FeedStatus
from workstation.session.market import Market

MS_NS = 1_000_000
LOOK_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """How far the collecting has come. `dropped` rows were lost to a full channel or a slow disk."""

    rows: int
    rows_per_second: float
    dropped: int
    lag_ms: float
    """Age of the oldest row that is not on the disk."""
    failure: str | None
    feeds: tuple[FeedView, ...]


async def collect(
    settings: Settings,
    venues: Sequence[VenueSettings],
    symbols: Sequence[Symbol],
    wish: Wish,
    *,
    seconds: float | None,
    on_progress: Callable[[Collected], None],
) -> Collected:
    """Records what the venues list of the symbols, for so many seconds or until cancelled; ends cleanly, and tells.

    Raises UnknownInstrument where no venue lists a symbol, VenueUnavailable, RecorderRunning.
    """
    store = HistoryStore(settings.paths.history)
    clock = Clock(at_least_ns=last_place(settings.paths.ledger, store).time_ns)
    market, lines = Market(), list[Feeds]()

    def told(status: FeedStatus) -> None:
        for one in lines:
            one.told(status)

    turns = Turns(clock, market, None, told, max_lag_ns=settings.engine.max_lag_ms * MS_NS)
    limiters = RestLimiters()
    opened = {Venue(one.venue): (open_feed(one, clock.now_ns, limiters), one.exchange) for one in venues}
    feeds = Feeds(opened, clock, turns.channel)
    lines.append(feeds)
    try:
        for instrument in await listed(feeds, symbols):
            market.list_instrument(instrument)
            feeds.want({instrument.key: wish})
        turns.recorder = await asyncio.to_thread(Recorder.open, store, now_ns=clock.now_ns())
        market.gate.start_after(last_place(settings.paths.ledger, store).row << STEP_BITS, clock.now_ns())
        feeds.start(market.registry)
        running = asyncio.create_task(turns.run())
        try:
            with suppress(asyncio.CancelledError):  # an end like the other
                await _until(seconds, lambda: on_progress(_seen(turns, feeds)), running)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
    finally:
        await feeds.stop()
        if turns.recorder is not None:
            turns.turn()
            await asyncio.to_thread(turns.recorder.close)
    return _seen(turns, feeds)


async def listed(feeds: Feeds, symbols: Iterable[Symbol]) -> list[Instrument]:
    """Each symbol at each venue that lists it. Raises UnknownInstrument for one that none does."""
    found: list[Instrument] = []
    for symbol in symbols:
        refusals: list[str] = []
        before = len(found)
        for venue in feeds.venues:
            try:
                found += await feeds.instruments(venue, [symbol])
            except UnknownInstrument as error:
                refusals.append(str(error))
        if len(found) == before:
            raise UnknownInstrument(f"{symbol}: at none of these venues ({refusals[-1]})")
    return found


async def _until(seconds: float | None, look: Callable[[], None], running: asyncio.Task[None]) -> None:
    """Looks again and again until the time is over; what ends the turns ends it too."""
    began = time.monotonic()
    while seconds is None or time.monotonic() - began < seconds:
        left_s = LOOK_S if seconds is None else min(LOOK_S, max(seconds - (time.monotonic() - began), 0.0))
        await asyncio.wait([running], timeout=left_s)
        if running.done():
            await running
        look()


def _seen(turns: Turns, feeds: Feeds) -> Collected:
    recorder = turns.recorder
    assert recorder is not None
    writer = recorder.state.writer
    return Collected(
        rows=int(turns.market.tables.clock[0]["rows"]),
        rows_per_second=turns.latency.rows_per_second(turns.clock.now_ns()),
        dropped=turns.channel.dropped + writer.rows_missed,
        lag_ms=writer.lag_s * 1e3,
        failure=writer.failure or recorder.state.roll_failure,
        feeds=feeds.views(),
    )
