"""What an earlier process left of collections: an engine goes on with its own, all others have ended."""

import asyncio
import logging
from collections.abc import Sequence

import msgspec

from workstation.engine.collecting import Collecting, Losses, Wanted, keys_of
from workstation.engine.collection_keeper import Collections
from workstation.errors import BadInput, WorkstationError
from workstation.history.collection import CollectedSeries, Collection, CollectionState, without_process
from workstation.history.collection_rows import recorded_rows
from workstation.history.durable import HistoryCorrupt
from workstation.model.ids import Venue
from workstation.ports.feed import FeedState

RETRY_S, MOST_RETRY_S = 2.0, 60.0
"""Between attempts to reach a venue for a collection that goes on, first and in the end."""

log = logging.getLogger(__name__)


async def recover(collections: Collections) -> list[Collecting]:
    """Takes over what the files say, before feeds start; those that go on still have to be joined. What is wrong with
    one record, or a disk that takes none, keeps nothing else back."""
    found, faults = await asyncio.to_thread(collections.shelf.load_all)
    for fault in faults:
        log.error("a collection is not listed: %s", fault)
    now_ns = collections.turns.clock.now_ns()
    running = []
    for record in found:
        collections.kept[record.name] = record
        if not record.is_open or collections.turns.recorder is None:
            continue
        try:
            live = await _taken_over(collections, record, now_ns)
        except BadInput as error:  # an interval that nobody knows
            log.error("collection %s: it does not go on: %s", record.name, error)
            continue
        running += [] if live is None else [live]
    await collections.save_changed()
    return running


async def join(collections: Collections, live: Collecting) -> None:
    """Asks its venues for its instruments again, each until it has told their rules."""
    venues = dict.fromkeys(key.venue for key in keys_of(live.record))
    await asyncio.gather(*(_join_at(collections, live, venue) for venue in venues))


async def _taken_over(collections: Collections, record: Collection, now_ns: int) -> Collecting | None:
    """None where it does not go on: then its end is to be saved. Raises BadInput where what it wants is nothing."""
    after = without_process(record, now_ns)
    if record.state is CollectionState.RUNNING:  # killed: the figures that it kept last are seconds old
        after = await _counted(collections, after, now_ns)
    if after.state is CollectionState.INTERRUPTED and collections.is_engine:
        return _resumed(collections, record, after, now_ns)
    collections.keep(after)
    log.warning("collection %s: %s: %s", after.name, after.state, after.reason)
    return None


def _resumed(collections: Collections, record: Collection, counted: Collection, now_ns: int) -> Collecting:
    recorder = collections.turns.recorder
    gap = None if recorder is None else recorder.recovered.gap
    was_killed = record.state is CollectionState.RUNNING
    from_ns = gap.from_ns if was_killed and gap is not None and gap.from_ns is not None else record.saved_ns
    why = "the engine ended without stopping" if was_killed else "the engine was stopped"
    # what lasted then ended with its process
    gaps = tuple(msgspec.structs.replace(one, to_ns=one.to_ns or from_ns) for one in record.gaps)
    after = msgspec.structs.replace(counted, state=CollectionState.RUNNING, reason="", gaps=gaps)
    live = Collecting(after, {}, Losses(), now_ns)
    for venue in dict.fromkeys(key.venue for key in keys_of(after)):
        live.joining.add(venue)
        live.fell_silent(venue, from_ns, why)
    del collections.kept[record.name]
    collections.live[record.name] = live
    log.info("collection %s: goes on", record.name)
    return live


async def _counted(collections: Collections, record: Collection, now_ns: int) -> Collection:
    """With the rows that the history has of it."""
    try:
        series = await asyncio.to_thread(recorded_rows, collections.store, Wanted(record).has, record.begun_ns, now_ns)
    except (HistoryCorrupt, OSError) as error:
        log.error("collection %s: its rows are not counted anew: %s", record.name, error)
        return record
    after = msgspec.structs.replace(record, series=_with_losses(record.series, series))
    ended_ns = None if record.ended_ns is None else max(record.begun_ns, after.last_ns or 0)
    return msgspec.structs.replace(after, ended_ns=ended_ns)


def _with_losses(before: Sequence[CollectedSeries], counted: Sequence[CollectedSeries]) -> tuple[CollectedSeries, ...]:
    """The rows of the history, and the losses that were kept."""
    found = {(one.kind, one.venue, one.symbol, one.interval): one for one in before}
    for one in counted:
        key = (one.kind, one.venue, one.symbol, one.interval)
        found[key] = msgspec.structs.replace(one, lost=found[key].lost if key in found else 0)
    return tuple(found[key] for key in sorted(found, key=str))


async def _join_at(collections: Collections, live: Collecting, venue: Venue) -> None:
    feeds, pause_s = collections.feeds, RETRY_S
    wanted = [key.symbol for key in keys_of(live.record) if key.venue == venue]
    if venue not in feeds.venues:
        live.problem = f"venue {venue} is not in the settings any more: nothing is recorded of it"
        return
    while True:
        found, why = await feeds.look_up(venue, wanted)
        if live.is_ending:
            return
        try:
            collections.want(live.record, found)
        except WorkstationError as error:
            why |= {one.symbol: str(error) for one in found}
        wanted = [symbol for symbol in wanted if symbol in why]
        live.problem = "; ".join(dict.fromkeys(why.values()))
        if not wanted:
            break
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, MOST_RETRY_S)
    live.joining.discard(venue)
    if any(feed.venue == venue and feed.state == FeedState.LIVE for feed in feeds.views()):
        live.talks_again(venue, collections.turns.clock.now_ns())
