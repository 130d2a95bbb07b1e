"""The feeds of the engine: one task per venue, what each is asked for, and how each fares."""

import asyncio
import hashlib
import logging
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from workstation import __version__
from workstation.client.messages import FeedView
from workstation.engine.clock import Clock
from workstation.errors import WorkstationError
from workstation.history.layout import HistoryKind, Series
from workstation.history.segments import Source
from workstation.history.store import HistoryStore
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey, Registry
from workstation.ports.feed import Feed, FeedState, FeedStatus, MarketSink, Subscription

RETRY_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Between attempts to reach a venue that does not even tell its instruments; afterwards the feed retries itself."""

WRITER = f"workstation {__version__}"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted of one instrument; wishes add up."""

    quotes: bool = True
    trades: bool = False
    intervals_ns: frozenset[int] = frozenset()

    def __or__(self, other: "Wish") -> "Wish":
        return Wish(
            quotes=self.quotes or other.quotes,
            trades=self.trades or other.trades,
            intervals_ns=self.intervals_ns | other.intervals_ns,
        )


@dataclass(slots=True)
class _Line:
    """One venue's feed and what is known of it."""

    feed: Feed
    exchange: str
    state: FeedState = FeedState.CONNECTING
    reason: str = ""
    since_ns: int = 0
    stale: set[InstrumentKey] = field(default_factory=set)
    wishes: dict[InstrumentKey, Wish] = field(default_factory=dict)
    listed: dict[Symbol, Instrument] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Feeds:
    """All feeds of one engine."""

    def __init__(self, feeds: Mapping[Venue, tuple[Feed, str]], clock: Clock, sink: MarketSink) -> None:
        self._clock, self._sink = clock, sink
        self._lines = {venue: _Line(feed, exchange) for venue, (feed, exchange) in feeds.items()}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def venues(self) -> Iterable[Venue]:
        return self._lines.keys()

    async def instruments(self, venue: Venue, symbols: Iterable[Symbol]) -> list[Instrument]:
        """The venue's rules in force now. Raises UnknownInstrument, VenueUnavailable."""
        line = self._lines[venue]
        missing = [symbol for symbol in symbols if symbol not in line.listed]
        for instrument in await line.feed.instruments(missing) if missing else ():
            line.listed[instrument.symbol] = instrument
        return [line.listed[symbol] for symbol in symbols]

    async def backfill(self, store: HistoryStore, key: InstrumentKey, interval_ns: int, since_ns: int) -> int:
        """Fetches closed bars from the venue into history; returns how many are new. Raises what the feed raises."""
        bars = await self._lines[key.venue].feed.bars(key, interval_ns, since_ns)
        if not len(bars):
            return 0
        columns = {name: getattr(bars, name) for name in ("ts_open", "open", "high", "low", "close", "volume")}
        content = hashlib.sha256(b"".join(np.ascontiguousarray(column).tobytes() for column in columns.values()))
        table = pa.table(columns | {"ts_received": pa.nulls(len(bars), pa.int64())})
        source = Source(
            name=f"{key} by REST", content_hash=content.hexdigest(), written_by=f"workstation {__version__}"
        )
        series = Series(kind=HistoryKind.BARS, key=key, interval_ns=interval_ns)
        return (await asyncio.to_thread(store.write, series, table, source)).rows_stored

    def want(self, wishes: Mapping[InstrumentKey, Wish]) -> None:
        """Adds to what is asked for; a venue whose wishes grew is asked anew, its gap repaired."""
        for key, wish in wishes.items():
            line = self._lines[key.venue]
            before = line.wishes.get(key)
            after = wish if before is None else before | wish
            if after != before:
                line.wishes[key] = after
                line.changed.set()

    def start(self, registry: Registry) -> None:
        """Runs every feed that has wishes, from now until `stop`."""
        self._tasks = [
            asyncio.create_task(self._run(line, registry), name=f"feed {venue}") for venue, line in self._lines.items()
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for line in self._lines.values():
            await line.feed.close()

    def told(self, status: FeedStatus) -> bool:
        """Takes a feed's word about itself; whether it changed what a person sees."""
        line = self._lines[status.venue]
        if status.key is not None:
            (line.stale.add if status.state is FeedState.STALE else line.stale.discard)(status.key)
            return True
        is_new = (line.state, line.reason) != (status.state, status.reason)
        if is_new:
            line.state, line.reason, line.since_ns = status.state, status.reason, self._clock.now_ns()
            log.info("feed %s: %s %s", status.venue, status.state, status.reason)
        return is_new

    def views(self) -> tuple[FeedView, ...]:
        return tuple(
            FeedView(
                venue=venue,
                exchange=line.exchange,
                state=line.state,
                reason=line.reason,
                since_ns=line.since_ns,
                symbols=len(line.wishes),
                stale=tuple(sorted(key.symbol for key in line.stale)),
                messages=counts.messages,
                reconnects=counts.reconnects,
                rejected=counts.refused,
            )
            for venue, line in self._lines.items()
            for counts in (line.feed.counts,)
        )

    async def _run(self, line: _Line, registry: Registry) -> None:
        """Keeps one feed running with its present wishes."""
        attempt = 0
        while True:
            line.changed.clear()
            subscriptions = [
                Subscription(
                    key=key,
                    index=registry.index(key),
                    quotes=wish.quotes,
                    trades=wish.trades,
                    intervals_ns=tuple(sorted(wish.intervals_ns)),
                )
                for key, wish in line.wishes.items()
            ]
            if not subscriptions:
                await line.changed.wait()
                continue
            try:
                await _until(line.feed.run(subscriptions, self._sink), line.changed)
                attempt = 0
            except Exception as error:  # what breaks one feed must not be its end, nor another's
                if not isinstance(error, WorkstationError):
                    log.exception("feed %s", line.feed.venue)
                wait_s = RETRY_S[min(attempt, len(RETRY_S) - 1)]
                attempt += 1
                self._sink.status(
                    FeedStatus(
                        venue=line.feed.venue,
                        state=FeedState.BROKEN,
                        reason=f"{error}; trying again in {wait_s:.0f} s",
                        counts=line.feed.counts,
                    )
                )
                await asyncio.sleep(wait_s)


async def _until(running: Coroutine[None, None, None], changed: asyncio.Event) -> None:
    """Runs until it ends or the event is set; then it is cancelled, and awaited."""
    task, watch = asyncio.ensure_future(running), asyncio.ensure_future(changed.wait())
    try:
        await asyncio.wait((task, watch), return_when=asyncio.FIRST_COMPLETED)
    finally:
        watch.cancel()
        task.cancel()
        await asyncio.wait((task, watch))
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
