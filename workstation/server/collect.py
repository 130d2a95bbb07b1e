"""Mode collect: feeds and recorder alone, nobody decides; one collection, until it ends. A composition root."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from workstation.client.collection import CollectionDetail, CollectionRequest
from workstation.client.messages import FeedView
from workstation.config.settings import Settings
from workstation.engine.bus import Bus
from workstation.engine.clock import Clock
from workstation.engine.collection_keeper import Collections
from workstation.engine.collection_recovery import recover
from workstation.engine.feeds import Feeds
from workstation.engine.last_place import last_place
from workstation.engine.turns import Turns
from workstation.exchanges.registry import open_feed
from workstation.exchanges.rest_limiter import RestLimiters
from workstation.exchanges.settings import VenueSettings
from workstation.history.collection import CollectionState
from workstation.history.recorder import Recorder
from workstation.history.store import HistoryStore
from workstation.model.durations import MS_NS
from workstation.model.ids import Venue
from workstation.model.market import (
    STEP_BITS,
)
from workstation.ports.feed import FeedStatus
from workstation.session.market import Market

LOOK_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """How far the collecting has come."""

    view: CollectionDetail
    rows_per_second: float
    lag_ms: float
    """Age of the oldest row that is not on the disk."""
    failure: str | None
    feeds: tuple[FeedView, ...]


async def collect(
    settings: Settings,
    venues: Sequence[VenueSettings],
    request: CollectionRequest,
    *,
    by: str,
    stop: asyncio.Event,
    on_begun: Callable[[str], None],
    on_progress: Callable[[Collected], None],
) -> CollectionDetail:
    """Records what the venues list of the symbols until the time is over or somebody stops it, `stop` among them.

    `on_begun` is told its name.
    Raises UnknownInstrument where no venue lists a symbol, VenueUnavailable, RecorderRunning, CollectionExists.
    """
    store = HistoryStore(settings.paths.history)
    clock = Clock(at_least_ns=last_place(settings.paths.ledger, store).time_ns)
    market, listeners = Market(), list[Callable[[FeedStatus], object]]()

    def told(status: FeedStatus) -> None:
        for listener in listeners:
            listener(status)

    turns = Turns(clock, market, None, told, max_lag_ns=settings.engine.max_lag_ms * MS_NS)
    limiters = RestLimiters()
    opened = {Venue(one.venue): (open_feed(one, clock.now_ns, limiters), one.exchange) for one in venues}
    feeds = Feeds(opened, clock, turns.channel)
    turns.sift = feeds.sift
    collections = Collections(turns, feeds, store, Bus(), settings.engine, is_engine=False)
    listeners += [feeds.told, collections.told]
    try:
        turns.recorder = await asyncio.to_thread(Recorder.open, store, now_ns=clock.now_ns())
        market.gate.start_after(last_place(settings.paths.ledger, store).row << STEP_BITS, clock.now_ns())
        await recover(collections)
        name = (await collections.start(request, by)).name
        feeds.start(market.registry)
        on_begun(name)
        await _until_over(collections, name, stop, lambda: on_progress(_seen(collections, name)))
    finally:
        await collections.close()
        await feeds.stop()
        if turns.recorder is not None:
            turns.turn()
            await asyncio.to_thread(turns.recorder.close)
    return collections.of(name)


async def _until_over(collections: Collections, name: str, stop: asyncio.Event, look: Callable[[], None]) -> None:
    """Turn after turn, and a look from time to time; what ends the turns ends it too."""
    stopping = asyncio.create_task(stop.wait())
    working = {asyncio.create_task(collections.turns.run()), asyncio.create_task(collections.run())}
    try:
        while collections.of(name).state is CollectionState.RUNNING and not stop.is_set():
            done, _ = await asyncio.wait({*working, stopping}, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            for task in done & working:
                await task
            look()
    finally:
        for task in (*working, stopping):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _seen(collections: Collections, name: str) -> Collected:
    turns = collections.turns
    assert turns.recorder is not None
    state = turns.recorder.state
    return Collected(
        view=collections.of(name),
        rows_per_second=turns.latency.rows_per_second(turns.clock.now_ns()),
        lag_ms=state.writer.lag_s * 1e3,
        failure=state.writer.failure or state.roll_failure,
        feeds=collections.feeds.views(),
    )
