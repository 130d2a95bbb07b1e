"""The collections of the one process that records: begun, looked after, ended, and kept in the history's own files.

An engine goes on with those that it was asked for when it starts again; another process ends with its own.
"""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence

import msgspec

from workstation.client.collection import CollectionDetail, CollectionRequest, CollectionView
from workstation.client.messages import Topic
from workstation.config.settings import Engine as EngineSettings
from workstation.engine.bus import Bus
from workstation.engine.collecting import BREAKS, Collecting, losses_of, wish_of
from workstation.engine.collection_views import collection_detail, collection_view
from workstation.engine.feeds import Feeds
from workstation.engine.turns import Turns
from workstation.errors import (
    BadInput,
    CollectionExists,
    CollectionNotFound,
    ConfigError,
    OperatorError,
    UnknownInstrument,
    WorkstationError,
)
from workstation.history.collection import Collection, CollectionShelf, CollectionState, free_collection_name
from workstation.history.recorder import Recorder
from workstation.history.store import HistoryStore
from workstation.model.durations import SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import Instrument, split_symbol
from workstation.ports.feed import FeedStatus

LOOK_S = 0.5
SAVE_EVERY_S = 5.0
MARK_S = 10.0
"""For the recorder's writer to come as far as a collection's last row."""

log = logging.getLogger(__name__)


class Collections:
    """`run` looks after them until cancelled, then `close`; `told` hears how the feeds fare."""

    def __init__(
        self, turns: Turns, feeds: Feeds, store: HistoryStore, bus: Bus, settings: EngineSettings, *, is_engine: bool
    ) -> None:
        self.turns, self.feeds, self.store, self.is_engine = turns, feeds, store, is_engine
        self._bus, self._settings = bus, settings
        self.shelf = CollectionShelf(store.root)
        self.kept: dict[str, Collection] = {}
        """Those that do not run here, by name."""
        self.live: dict[str, Collecting] = {}
        self._starting: set[str] = set()
        self._unsaved: set[str] = set()
        """Of those that ended, whose end is not on the disk."""
        self._saving = asyncio.Lock()
        self._save_after_s = 0.0
        self.fault = ""
        """Why collections are not kept on the disk now."""

    # -- what is asked

    def all(self) -> Sequence[CollectionView]:
        """By their beginning."""
        self._look()
        found = [*self.kept.values(), *(live.record for live in self.live.values())]
        return [collection_view(one) for one in sorted(found, key=lambda one: (one.begun_ns, one.name))]

    def of(self, name: str) -> CollectionDetail:
        """Raises CollectionNotFound."""
        self._look()
        return collection_detail(self._record(name))

    async def start(self, request: CollectionRequest, by: str) -> CollectionView:
        """A new one, recording when this returns. Raises BadInput, CollectionExists, UnknownInstrument,
        VenueUnavailable; ConfigError in an engine that does not record, OperatorError where the disk refuses."""
        recorder = self._recorder()
        name = self._free_name(request.name)
        self._starting.add(name.casefold())
        try:
            instruments = await listed(self.feeds, self._venues(request), request.symbols)
            live = self._begin(self._declared(name, request, instruments, by), instruments, recorder)
            try:
                await self._save(name)
            except OSError as error:
                if not live.is_ending:  # else its end is kept, as soon as the disk takes it
                    del self.live[name]
                    self.feeds.release(holder_of(name))
                    raise OperatorError(f"collection {name}: cannot be kept: {error.strerror or error}") from error
        finally:
            self._starting.discard(name.casefold())
        log.info("collection %s: started by %s", name, by)
        return self._tell(live.record)

    async def stop(self, name: str, by: str) -> CollectionView:
        """Ends one before its time is over. Raises CollectionNotFound; BadInput for one that has ended."""
        record, live = self._record(name), self.live.get(name)
        if live is not None and not live.is_ending:
            return await self._end(live, CollectionState.STOPPED, f"by {by}")
        if live is None and record.is_open:
            return await self._keep_ended(
                msgspec.structs.replace(
                    record, state=CollectionState.STOPPED, reason=f"by {by}", ended_ns=record.saved_ns
                )
            )
        raise BadInput(f"collection {name}: it has ended: {record.state} {record.reason}")

    def problems(self) -> Iterator[str]:
        """A sentence for each thing that is not well."""
        if self.fault:
            yield f"collections: {self.fault}"
        yield from (f"collection {live.name}: {live.problem}" for live in self.live.values() if live.problem)

    # -- their life

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._pause_s())
            self._look()
            for live in [one for one in self.live.values() if self._left_s(one) <= 0]:
                if not live.is_ending:  # nor stopped while another was ended
                    await self._end(live, CollectionState.ENDED, "")
            try:
                await self._heed_requests()
            except OSError as error:
                log.error("collections: %s", error)
            if time.monotonic() >= self._save_after_s:
                self._save_after_s = time.monotonic() + SAVE_EVERY_S
                await self.save_changed()

    async def close(self) -> None:
        """Keeps what there is, before the recorder is closed: an engine's collections go on with the next one."""
        for live in list(self.live.values()):
            if self.is_engine:
                await self._count_to_the_end(live)
                live.changed(state=CollectionState.INTERRUPTED, reason="the engine ended; it goes on with the next one")
            else:
                await self._end(live, CollectionState.STOPPED, "its process was told to end")
        await self.save_changed()

    def told(self, status: FeedStatus) -> None:
        """A feed says how it fares."""
        for live in self.live.values():
            live.told(status, self._now_ns)

    # -- the beginning

    def _declared(
        self, name: str, request: CollectionRequest, instruments: Sequence[Instrument], by: str
    ) -> Collection:
        settings, intervals = self._settings, request.intervals
        return Collection(
            name=name,
            by=by,
            is_of_engine=self.is_engine,
            instruments=tuple((one.venue, one.symbol) for one in instruments),
            trades=settings.with_trades if request.trades is None else request.trades,
            intervals=tuple(dict.fromkeys(settings.bar_intervals if intervals is None else intervals)),
            funding=settings.with_funding if request.funding is None else request.funding,
            book_levels=settings.book_levels if request.book_levels is None else request.book_levels,
            begun_ns=0,
            planned_end_ns=None if request.seconds is None else round(request.seconds * SECOND_NS),
            saved_ns=0,
        )

    def _begin(self, declared: Collection, instruments: Sequence[Instrument], recorder: Recorder) -> Collecting:
        """In one step of the loop, so that rows count from its beginning on, and no others do."""
        try:
            self.want(declared, instruments)
        except WorkstationError:
            self.feeds.release(holder_of(declared.name))
            raise
        self.turns.turn()
        now_ns, length_ns = self._now_ns, declared.planned_end_ns
        record = msgspec.structs.replace(
            declared,
            begun_ns=now_ns,
            saved_ns=now_ns,
            planned_end_ns=None if length_ns is None else now_ns + length_ns,
        )
        losses = losses_of(self.turns.channel, self.turns.market.registry)
        live = self.live[record.name] = Collecting(record, recorder.mark(), losses, now_ns)
        for feed in self.feeds.views():
            if feed.state in BREAKS and any(venue == feed.venue for venue, _ in record.instruments):
                live.fell_silent(feed.venue, now_ns, f"{feed.state}: {feed.reason}")
        return live

    def want(self, record: Collection, instruments: Sequence[Instrument]) -> None:
        """Asks the feeds for these. Raises UnknownInstrument, BadInput: then nothing is asked of that venue."""
        for instrument in instruments:
            self.turns.market.list_instrument(instrument)
        self.feeds.want({one.key: wish_of(record) for one in instruments}, holder_of(record.name))

    def _venues(self, request: CollectionRequest) -> list[Venue]:
        """Raises BadInput for one that is not in the settings, or a symbol that is none."""
        for symbol in request.symbols:
            split_symbol(symbol)
        known = list(self.feeds.venues)
        for venue in request.venues:
            if venue not in known:
                raise BadInput(f"venue {venue!r}: not in the settings (there: {', '.join(known) or 'none'})")
        return [Venue(venue) for venue in dict.fromkeys(request.venues)] or known

    def _free_name(self, wanted: str | None) -> str:
        """Raises CollectionExists. Names that differ in capitals alone are one file on some disks."""
        names = [*self.kept, *self.live, *self._starting, *self.shelf.names()]
        if wanted is None:
            return free_collection_name(names)
        if wanted.casefold() in {name.casefold() for name in names}:
            raise CollectionExists(f"collection {wanted}: there is one of that name; expected another name")
        return wanted

    def _recorder(self) -> Recorder:
        recorder = self.turns.recorder
        if recorder is None:
            raise ConfigError("collections: this engine does not record; expected engine.record = true")
        return recorder

    # -- the end

    async def _end(self, live: Collecting, state: CollectionState, reason: str) -> CollectionView:
        ended_ns = await self._count_to_the_end(live)
        live.changed(state=state, reason=reason, ended_ns=ended_ns)
        self.live.pop(live.name, None)
        return await self._keep_ended(live.record)

    async def _count_to_the_end(self, live: Collecting) -> int:
        """Its last figures, with its rows on the disk; when it ended, ns."""
        live.is_ending = True
        recorder = self._recorder()
        self.turns.turn()
        now_ns, losses = self._now_ns, losses_of(self.turns.channel, self.turns.market.registry)
        mark = recorder.mark()
        self.feeds.release(holder_of(live.name))
        try:
            async with asyncio.timeout(MARK_S):
                counts = await asyncio.wrap_future(mark)
            await asyncio.to_thread(recorder.sync)
        except (TimeoutError, BadInput):  # the writer hangs, or has ended
            counts = recorder.counts()
        live.look(counts, losses, now_ns, recorder.state.writer.failure)
        live.ended(now_ns)
        return now_ns

    async def _keep_ended(self, record: Collection) -> CollectionView:
        log.info("collection %s: %s %s", record.name, record.state, record.reason)
        self.keep(record)
        await self.save_changed()
        return self._tell(record)

    def keep(self, record: Collection) -> None:
        """One that does not run here, as it is to be saved."""
        self.kept[record.name] = record
        self._unsaved.add(record.name)

    # -- again and again

    def _look(self) -> None:
        recorder = self.turns.recorder
        running = [live for live in self.live.values() if not live.is_ending]
        if recorder is None or not running:
            return
        counts, failure = recorder.counts(), recorder.state.writer.failure
        losses = losses_of(self.turns.channel, self.turns.market.registry)
        for live in running:
            live.look(counts, losses, self._now_ns, failure)

    async def _heed_requests(self) -> None:
        """What other processes ask, by a file."""
        for name, by in self.shelf.asked_to_stop().items():
            try:
                await self.stop(name, by)
            except (CollectionNotFound, BadInput) as error:
                log.warning("asked to stop a collection: %s", error)
            self.shelf.forget_request(name)

    async def save_changed(self) -> None:
        """Every record that is not on the disk as it is; what the disk refuses is a `fault`, and tried again."""
        changed = [name for name, live in self.live.items() if not live.is_saved]
        names, fault = [*(name for name in changed if name.casefold() not in self._starting), *self._unsaved], ""
        for name in names:
            try:
                await self._save(name)
            except OSError as error:
                fault = f"{self.shelf.root}: cannot be written: {error.strerror or error}"
        if fault:
            log.error("collections: %s", fault)
        self.fault = fault if names else self.fault

    async def _save(self, name: str) -> None:
        """Raises OSError. Whoever is cancelled here leaves a write behind that ends before the next one begins."""
        await asyncio.shield(asyncio.ensure_future(self._save_in_turn(name)))

    async def _save_in_turn(self, name: str) -> None:
        """One record at a time, and as it is at its turn, so that no older one comes to lie over a newer one."""
        async with self._saving:
            live = self.live.get(name)
            self._unsaved.discard(name)
            record = self.kept[name] if live is None else live.was_saved(self._now_ns)
            try:
                await asyncio.to_thread(self.shelf.save, record)
            except OSError:
                if name in self.live:
                    self.live[name].is_saved = False
                else:
                    self._unsaved.add(name)
                raise

    def _pause_s(self) -> float:
        return min([LOOK_S, *(max(self._left_s(live), 0.0) for live in self.live.values() if not live.is_ending)])

    def _left_s(self, live: Collecting) -> float:
        until_ns = live.record.planned_end_ns
        return LOOK_S if until_ns is None else (until_ns - self._now_ns) / SECOND_NS

    def _record(self, name: str) -> Collection:
        if name in self.live:
            return self.live[name].record
        if name in self.kept:
            return self.kept[name]
        known = ", ".join([*self.kept, *self.live][-3:])
        raise CollectionNotFound(f"collection {name}: there is none; " + (f"the last are {known}" if known else "none"))

    def _tell(self, record: Collection) -> CollectionView:
        view = collection_view(record)
        self._bus.publish(Topic.COLLECTION_UPDATED, view, time_ns=self._now_ns)
        return view

    @property
    def _now_ns(self) -> int:
        return self.turns.clock.now_ns()


def holder_of(name: str) -> str:
    """Who holds a collection's wishes."""
    return f"collection {name}"


async def listed(feeds: Feeds, venues: Sequence[Venue], symbols: Sequence[str]) -> list[Instrument]:
    """Each symbol at each venue that lists it. Raises UnknownInstrument for one that none does, VenueUnavailable."""
    wanted = [Symbol(symbol) for symbol in dict.fromkeys(symbols)]
    at_venues = await asyncio.gather(*(_listed_at(feeds, venue, wanted) for venue in venues))
    found = {one.symbol for instruments, _ in at_venues for one in instruments}
    for symbol in wanted:
        if symbol not in found:
            why = "; ".join(refusals[symbol] for _, refusals in at_venues)
            raise UnknownInstrument(f"{symbol}: at none of these venues ({why})")
    return [one for instruments, _ in at_venues for one in instruments]


async def _listed_at(
    feeds: Feeds, venue: Venue, symbols: Sequence[Symbol]
) -> tuple[list[Instrument], dict[Symbol, str]]:
    """What a venue lists of them, and why it does not the others."""
    try:
        return await feeds.instruments(venue, symbols), {}
    except UnknownInstrument as error:
        if len(symbols) == 1:
            return [], {symbols[0]: str(error)}
    found, refusals = list[Instrument](), dict[Symbol, str]()
    for symbol in symbols:
        instruments, why = await _listed_at(feeds, venue, [symbol])
        found += instruments
        refusals |= why
    return found, refusals
