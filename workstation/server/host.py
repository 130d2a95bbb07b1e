"""The engine's process: its parts put together, served, and ended cleanly. A composition root."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import numpy as np

from workstation.config.loading import Configuration
from workstation.config.settings import Settings
from workstation.config.words import opportunities_of
from workstation.engine.bus import Bus
from workstation.engine.clock import Clock
from workstation.engine.collection_keeper import Collections
from workstation.engine.engine import Engine
from workstation.engine.feeds import Feeds
from workstation.engine.jobs import Jobs
from workstation.engine.last_place import last_place
from workstation.engine.sessions import Sessions
from workstation.engine.turns import Turns
from workstation.engine.wish import Wish
from workstation.errors import ConfigError
from workstation.exchanges.registry import open_feed
from workstation.exchanges.rest_limiter import RestLimiters
from workstation.exchanges.settings import venue_settings
from workstation.history.recorder import Recorder
from workstation.history.store import HistoryStore
from workstation.ledger.journal import Ledger
from workstation.model.durations import MS_NS
from workstation.model.ids import Venue
from workstation.model.market import (
    MARKET_ROW,
    STEP_BITS,
    interval_ns,
)
from workstation.ports.feed import FeedStatus
from workstation.research.jobs import check_job
from workstation.server.app import create_app
from workstation.server.auth import api_token, check_bind
from workstation.server.serve import serve
from workstation.session.market import Market


def run_engine(
    configuration: Configuration,
    *,
    host: str | None = None,
    port: int | None = None,
    on_ready: Callable[[int], None] = lambda port: None,
) -> None:
    """Blocks until SIGINT or SIGTERM. `on_ready` gets the port once it answers there.

    Raises ConfigError (no venues, a taken port), LedgerInUse, RecorderRunning, JournalCorrupt.
    """
    settings = configuration.settings
    if not settings.venues:
        raise ConfigError(
            f'{configuration.file}: no venues; add a table such as [venues.binance] with exchange = "binance", '
            "or try `workstation demo`"
        )
    host, port = host or settings.api.host, settings.api.port if port is None else port
    check_bind(host)
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger.open(settings.paths.ledger))
        runner = stack.enter_context(asyncio.Runner(loop_factory=fast_loop))
        runner.run(_serve(settings, ledger, host, port, on_ready))


def fast_loop() -> asyncio.AbstractEventLoop:
    """libuv's event loop where there is one: reading a socket costs it half."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


async def _serve(settings: Settings, ledger: Ledger, host: str, port: int, on_ready: Callable[[int], None]) -> None:
    store = HistoryStore(settings.paths.history)
    clock = Clock(at_least_ns=last_place(ledger.path, store).time_ns)
    recorder = Recorder.open(store, now_ns=clock.now_ns()) if settings.engine.record else None
    bus, engines = Bus(), list[Engine]()

    def told(status: FeedStatus) -> None:
        for engine in engines:
            engine.told(status)

    _compile()
    market = Market()
    market.gate.start_after(last_place(ledger.path, store).row << STEP_BITS, clock.now_ns())
    turns = Turns(clock, market, recorder, told, max_lag_ns=settings.engine.max_lag_ms * MS_NS)
    limiters = RestLimiters()
    venues = [venue_settings(settings, name) for name in settings.venues]
    feeds = Feeds(
        {Venue(one.venue): (open_feed(one, clock.now_ns, limiters), one.exchange) for one in venues},
        clock,
        turns.channel,
    )
    turns.sift = feeds.sift
    engine = Engine(
        clock=clock,
        turns=turns,
        sessions=Sessions(turns, ledger, store, feeds, bus, settings),
        feeds=feeds,
        jobs=Jobs(settings, bus, clock, check_job),
        collections=Collections(turns, feeds, store, bus, settings.engine, is_engine=True),
        ledger=ledger,
        bus=bus,
        store=store,
        watched=settings.engine.symbols,
        wish=Wish(
            trades=settings.engine.with_trades,
            funding=settings.engine.with_funding,
            book_levels=settings.engine.book_levels,
            intervals_ns=frozenset(map(interval_ns, settings.engine.bar_intervals)),
        ),
        opportunities=opportunities_of(settings),
        pairs=[pair.sides for pair in settings.engine.pairs],
    )
    engines.append(engine)
    app = create_app(engine, bus, api_token(settings.paths.home))
    try:
        await _until_signalled(engine, partial(serve, app, host, port, on_ready=on_ready))
    finally:
        await engine.close()


async def _until_signalled(engine: Engine, serving: Callable[[], Coroutine[None, None, None]]) -> None:
    """Engine and server until one of them fails or a signal comes."""
    stop = asyncio.Event()
    with _signals(stop):
        tasks = [asyncio.ensure_future(one) for one in (engine.run(), serving(), stop.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stop.set)
    try:
        yield
    finally:
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(one)


def _compile() -> None:
    """The loop over rows is compiled, or read from its cache, before anybody waits for it."""
    for _ in Market().advance(np.zeros(1, MARKET_ROW)):
        raise AssertionError("nobody subscribed")
