"""The feeds of the engine: one task per venue, what each is asked for, and how each fares."""

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from workstation import __version__
from workstation.client.messages import FeedView
from workstation.engine.clock import Clock
from workstation.engine.sieve import Sieve
from workstation.engine.wish import Wish
from workstation.errors import BadInput, UnknownInstrument, WorkstationError
from workstation.history.layout import HistoryKind, Series
from workstation.history.segments import Source
from workstation.history.store import HistoryStore
from workstation.model.durations import SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey, Registry
from workstation.model.market import (
    Rows,
)
from workstation.ports.feed import Feed, FeedState, FeedStatus, MarketSink, Subscription

RETRY_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Between attempts to reach a venue that does not even tell its instruments; afterwards the feed retries itself."""

STABLE_NS = 60 * SECOND_NS
"""What ran for so long is tried again after the shortest wait."""

BREAKS = frozenset({FeedState.STALE, FeedState.RECONNECTING, FeedState.BROKEN, FeedState.STOPPED})
"""While a feed is so, nobody watches the market through it."""

WRITER = f"workstation {__version__}"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Line:
    """One venue's feed and what is known of it."""

    feed: Feed
    exchange: str
    state: FeedState = FeedState.CONNECTING
    reason: str = ""
    since_ns: int = 0
    until_ns: int | None = None
    """When it is tried again, where that is known."""
    stale: set[InstrumentKey] = field(default_factory=set)
    wishes: dict[InstrumentKey, Wish] = field(default_factory=dict)
    """Of all who hold some, together."""
    held: dict[str, dict[InstrumentKey, Wish]] = field(default_factory=dict)
    """By who holds them, "" for the engine itself and its sessions, who give none back."""
    asked: dict[InstrumentKey, Wish] = field(default_factory=dict)
    """What the feed that runs was asked for, which is never less."""
    listed: dict[Symbol, Instrument] = field(default_factory=dict)
    watched_since_ns: int = 0
    broken_ns: dict[InstrumentKey, int] = field(default_factory=dict)
    """When the quotes of one instrument alone were last found to stand still."""
    is_wanted: asyncio.Event = field(default_factory=asyncio.Event)
    retries: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by hand: it waits no longer."""
    is_running: bool = False
    run: asyncio.Task[None] | None = None

    @property
    def has_excess(self) -> bool:
        """The feed may tell more than is wished, until it runs anew."""
        return self.is_running and self.asked != self.wishes


class Feeds:
    """All feeds of one engine."""

    def __init__(self, feeds: Mapping[Venue, tuple[Feed, str]], clock: Clock, sink: MarketSink) -> None:
        self._clock, self._sink = clock, sink
        now_ns = clock.now_ns()
        self._lines = {
            venue: _Line(feed, exchange, watched_since_ns=now_ns) for venue, (feed, exchange) in feeds.items()
        }
        self._tasks: list[asyncio.Task[None]] = []
        self._registry: Registry | None = None
        self._sieve: Sieve | None = None

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

    def rules(self, key: InstrumentKey) -> Instrument | None:
        """As its venue told them last; None where it was not asked."""
        line = self._lines.get(key.venue)
        return None if line is None else line.listed.get(key.symbol)

    async def look_up(
        self, venue: Venue, symbols: Sequence[Symbol] | None = None
    ) -> tuple[list[Instrument], dict[Symbol, str]]:
        """The rules in force now, of these symbols or of all that are known; and why the venue does not tell others."""
        line = self._lines[venue]
        symbols = list(line.listed) if symbols is None else symbols
        try:
            found = await line.feed.instruments(symbols) if symbols else []
        except (UnknownInstrument, BadInput) as error:  # what is wrong with one keeps no other back
            if len(symbols) == 1:
                line.listed.pop(symbols[0], None)  # whoever asks for it is told that it is gone
                return [], {symbols[0]: str(error)}
            halves = symbols[: len(symbols) // 2], symbols[len(symbols) // 2 :]
            (found, why), (more, why_more) = [await self.look_up(venue, half) for half in halves]
            return found + more, why | why_more
        except WorkstationError as error:
            return [], dict.fromkeys(symbols, str(error))
        line.listed |= {one.symbol: one for one in found}
        return found, {}

    async def backfill(self, store: HistoryStore, key: InstrumentKey, interval_ns: int, since_ns: int) -> int:
        """Fetches closed bars from the venue into history; returns how many are new. Raises what the feed raises."""
        bars = await self._lines[key.venue].feed.bars(key, interval_ns, since_ns)
        if not len(bars):
            return 0
        columns = {name: getattr(bars, name) for name in ("ts_open", "open", "high", "low", "close", "volume")}
        content = hashlib.sha256(b"".join(np.ascontiguousarray(column).tobytes() for column in columns.values()))
        table = pa.table(columns | {"ts_received": pa.nulls(len(bars), pa.int64())})
        source = Source(name=f"{key} by REST", content_hash=content.hexdigest(), written_by=WRITER)
        series = Series(kind=HistoryKind.BARS, key=key, interval_ns=interval_ns)
        return (await asyncio.to_thread(store.write, series, table, source)).rows_stored

    def want(self, wishes: Mapping[InstrumentKey, Wish], holder: str = "") -> None:
        """Adds to what is asked for; a feed that runs takes it up beside the rest. `holder` may `release` it.

        Raises UnknownInstrument or BadInput where its venue does not have it.
        """
        for venue in dict.fromkeys(key.venue for key in wishes):
            line, grown = self._lines[venue], dict[InstrumentKey, Wish]()
            for key, wish in wishes.items():
                before = line.wishes.get(key)
                after = wish if before is None else before | wish
                if key.venue == venue and after != before:
                    grown[key] = after
            if line.is_running:
                self._ask_more(line, grown)
            line.wishes |= grown
            held = line.held.setdefault(holder, {})
            for key, wish in wishes.items():
                if key.venue == venue:
                    held[key] = held[key] | wish if key in held else wish
            if grown:
                line.is_wanted.set()
        self._sift_anew()

    def _ask_more(self, line: _Line, wishes: Mapping[InstrumentKey, Wish]) -> None:
        asked = {key: wish if key not in line.asked else line.asked[key] | wish for key, wish in wishes.items()}
        more = {key: wish for key, wish in asked.items() if line.asked.get(key) != wish}
        if more:
            line.feed.add(self._subscriptions(more))
            line.asked |= more

    def release(self, holder: str) -> None:
        """What only `holder` wanted is wanted no more: its rows are let go from now on, and not asked for again."""
        for line in self._lines.values():
            if line.held.pop(holder, None) is None:
                continue
            line.wishes = _together(line.held.values())
            if not line.wishes:
                line.is_wanted.clear()
                self._end_run(line)
        self._sift_anew()

    def sift(self, rows: Rows) -> Rows:
        """The rows that somebody wants."""
        return rows if self._sieve is None else self._sieve.take(rows)

    def _sift_anew(self) -> None:
        self._sieve = None
        if self._registry is not None and any(line.has_excess for line in self._lines.values()):
            wishes = {
                one.key: self._lines[one.venue].wishes.get(one.key)
                for one in self._registry
                if one.venue in self._lines and self._lines[one.venue].has_excess
            }
            self._sieve = Sieve(self._registry, wishes)

    def _end_run(self, line: _Line) -> None:
        if line.run is not None:
            line.run.cancel()

    def start(self, registry: Registry) -> None:
        """Runs every feed from its first wish on, until `stop`."""
        self._registry = registry
        self._tasks = [
            asyncio.create_task(self._run(line), name=f"feed {venue}") for venue, line in self._lines.items()
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
        if status.state in BREAKS:
            self._break(line, status.key)
        if status.state is FeedState.RECONNECTING and line.has_excess:
            self._end_run(line)  # the next connection is for what is wanted now
        if status.key is not None:
            (line.stale.add if status.state is FeedState.STALE else line.stale.discard)(status.key)
            log.info("feed %s: %s %s %s", status.venue, status.key.symbol, status.state, status.reason)
            return True
        is_new = (line.state, line.reason, line.until_ns) != (status.state, status.reason, status.until_ns)
        if is_new:
            line.state, line.reason, line.since_ns = status.state, status.reason, self._clock.now_ns()
            line.until_ns = status.until_ns
            log.info("feed %s: %s %s", status.venue, status.state, status.reason)
        return is_new

    def watched_since(self, key: InstrumentKey) -> int:
        """Since when its quotes are watched without a break, ns: what was received before may be no price any more."""
        line = self._lines[key.venue]
        return max(line.watched_since_ns, line.broken_ns.get(key, 0))

    def _break(self, line: _Line, key: InstrumentKey | None) -> None:
        """What was received up to now is from before the break."""
        after_ns = self._clock.now_ns() + 1
        if key is None:
            line.watched_since_ns = after_ns
        else:
            line.broken_ns[key] = after_ns

    def retry_now(self, venue: str) -> None:
        """By hand: its circuit breaker is closed and no attempt is waited for. Raises BadInput: no such venue."""
        line = self._lines.get(Venue(venue))
        if line is None:
            raise BadInput(f"venue {venue!r}: expected one of the engine's: {', '.join(self._lines) or 'it has none'}")
        line.feed.retry_now()
        line.retries.set()

    def views(self) -> tuple[FeedView, ...]:
        return tuple(
            FeedView(
                venue=venue,
                exchange=line.exchange,
                state=line.state,
                reason=line.reason,
                since_ns=line.since_ns,
                until_ns=line.until_ns,
                symbols=len(line.wishes),
                stale=tuple(sorted(key.symbol for key in line.stale)),
                messages=counts.messages,
                reconnects=counts.reconnects,
                rejected=counts.refused,
            )
            for venue, line in self._lines.items()
            for counts in (line.feed.counts,)
        )

    def _subscriptions(self, wishes: Mapping[InstrumentKey, Wish]) -> list[Subscription]:
        assert self._registry is not None, "nothing runs before the start"
        return [
            Subscription(
                key=key,
                index=self._registry.index(key),
                quotes=wish.quotes,
                trades=wish.trades,
                intervals_ns=tuple(sorted(wish.intervals_ns)),
                funding=wish.funding,
                book_levels=wish.book_levels,
            )
            for key, wish in wishes.items()
        ]

    async def _run(self, line: _Line) -> None:
        """Keeps one feed running, again where it breaks."""
        attempt = 0
        while True:
            await line.is_wanted.wait()
            began_ns = self._clock.now_ns()
            try:
                await self._run_once(line)
            except Exception as error:  # what breaks one feed must not be its end, nor another's
                if not isinstance(error, WorkstationError):
                    log.exception("feed %s", line.feed.venue)
                if self._clock.now_ns() - began_ns > STABLE_NS:
                    attempt = 0
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
                line.retries.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):  # wait_for may lose a cancellation that comes with the event
                        await line.retries.wait()

    async def _run_once(self, line: _Line) -> None:
        """Until it breaks, or is ended because less is wanted. Raises what broke it."""
        line.run = asyncio.create_task(self._feed(line))
        try:
            await asyncio.wait([line.run])
        finally:
            line.run.cancel()
            await asyncio.wait([line.run])
        if not line.run.cancelled():
            line.run.result()
        elif not line.wishes:
            line.state, line.reason = FeedState.CONNECTING, "nothing is wanted of it"
            line.since_ns = self._clock.now_ns()

    async def _feed(self, line: _Line) -> None:
        """A run of the feed: it takes up more from its first step to its last; what is wanted before waits for it."""
        line.is_running, line.asked = True, dict(line.wishes)
        self._sift_anew()
        try:
            await line.feed.run(self._subscriptions(line.wishes), self._sink)
        finally:
            line.is_running = False


def _together(held: Iterable[Mapping[InstrumentKey, Wish]]) -> dict[InstrumentKey, Wish]:
    """What all holders want."""
    whole: dict[InstrumentKey, Wish] = {}
    for wishes in held:
        for key, wish in wishes.items():
            whole[key] = whole[key] | wish if key in whole else wish
    return whole
