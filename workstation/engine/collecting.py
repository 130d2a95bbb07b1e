"""One collection while it runs: its rows and losses since it began, by series, and the times without any."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

import msgspec

from workstation.engine.channel import Channel
from workstation.engine.wish import Wish
from workstation.history.collection import KEPT_GAPS, CollectedSeries, Collection, CollectionGap
from workstation.history.layout import HistoryKind, Series
from workstation.history.live_rows import series_of
from workstation.history.series_counts import NONE, SeriesCount
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey, Registry
from workstation.model.market import interval_label, interval_ns
from workstation.ports.feed import FeedState, FeedStatus

BREAKS = frozenset({FeedState.STALE, FeedState.RECONNECTING, FeedState.BROKEN, FeedState.STOPPED})
"""While a whole feed is so, its venue tells nothing."""
LATE = "more rows came than were taken in, or brought to the disk"

Counts = Mapping[Series, SeriesCount]


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What did not come through the channel: rows that a full one dropped, and those that gave way to newer ones."""

    dropped: Mapping[Series, int] = field(default_factory=dict)
    conflated: Mapping[Series, int] = field(default_factory=dict)


def losses_of(channel: Channel, registry: Registry) -> Losses:
    """Since the process began."""
    if not channel.dropped and not channel.conflated:  # nearly always
        return Losses()
    instruments = dict(enumerate(registry))

    def by_series(codes: Mapping[int, int]) -> dict[Series, int]:
        found = {series_of(code, instruments): rows for code, rows in codes.items()}
        return {series: rows for series, rows in found.items() if series is not None}

    return Losses(dropped=by_series(channel.dropped_of), conflated=by_series(channel.conflated_of))


def wish_of(collection: Collection) -> Wish:
    """What it wants of each of its instruments."""
    return Wish(
        trades=collection.trades,
        funding=collection.funding,
        book_levels=collection.book_levels,
        intervals_ns=frozenset(map(interval_ns, collection.intervals)),
    )


def keys_of(collection: Collection) -> list[InstrumentKey]:
    return [InstrumentKey(Venue(venue), Symbol(symbol)) for venue, symbol in collection.instruments]


class Wanted:
    """Which series belong to a collection."""

    def __init__(self, collection: Collection) -> None:
        wish = wish_of(collection)
        self._keys, self._intervals = frozenset(keys_of(collection)), wish.intervals_ns
        wanted = {
            HistoryKind.QUOTES: wish.quotes,
            HistoryKind.TRADES: wish.trades,
            HistoryKind.BOOKS: wish.book_levels > 0,
            HistoryKind.MARKS: wish.funding,
            HistoryKind.FUNDING: wish.funding,
        }
        self._kinds = frozenset(kind for kind, is_wanted in wanted.items() if is_wanted)

    def has(self, series: Series) -> bool:
        is_wanted = series.kind in self._kinds if series.interval_ns is None else series.interval_ns in self._intervals
        return is_wanted and series.key in self._keys


class Collecting:
    """`record` is the collection as `look` saw it last."""

    def __init__(
        self,
        record: Collection,
        start: Counts | Future[dict[Series, SeriesCount]],
        losses: Losses,
        now_ns: int,
    ) -> None:
        """Rows count from `start` on: counts of the recorder, or its mark that is yet to be told; `losses` are as of
        then."""
        self._record = record
        self._seen: tuple[Counts, Counts, Losses] | None = None
        """What is not in the record yet: counts now, counts then, and losses of the channel."""
        self.wanted = Wanted(record)
        self.problem = ""
        """Why rows are missing that it could have."""
        self.joining: set[str] = set()
        """Venues that are not asked for all its instruments yet: what they tell then is of others."""
        self.is_ending = False
        self.is_saved = False
        self._start, self._losses = start, losses
        self._before = {_key(one): one for one in record.series}
        self._lost = self._lost_before = record.lost
        self._conflated_before = record.conflated
        self._looked_ns = now_ns
        self._gaps: list[CollectionGap] = [gap for gap in record.gaps if gap.to_ns is not None]
        self._gap_count = record.gap_count
        self._loss: CollectionGap | None = None
        self._silent: dict[str, CollectionGap] = {}

    @property
    def name(self) -> str:
        return self._record.name

    @property
    def record(self) -> Collection:
        if self._seen is not None:
            counts, start, losses = self._seen
            self._seen = None
            self._record = msgspec.structs.replace(
                self._record,
                series=self._series(counts, start, losses.dropped),
                conflated=self._conflated_before + self._own(losses.conflated, self._losses.conflated),
            )
        return self._record

    def look(self, counts: Counts, losses: Losses, now_ns: int, failure: str | None) -> None:
        """Takes in the counts of the recorder and of the channel. A rise of what was lost is a gap, as long as it
        rises; `failure` says why the recorder does not write."""
        start = self._started()
        if start is None:
            return
        rise = self._own(losses.dropped, self._losses.dropped)
        rise += sum(
            one.lost - start.get(series, NONE).lost for series, one in counts.items() if self.wanted.has(series)
        )
        lost = self._lost_before + rise
        if lost > self._lost:
            self._lose(lost - self._lost, now_ns, failure or LATE)
        elif self._loss is not None:
            self._end_gap(self._loss)
            self._loss = None
        self._lost, self._looked_ns = lost, now_ns
        self._seen, self.is_saved = (counts, start, losses), False
        self._tell_gaps()

    def told(self, status: FeedStatus, now_ns: int) -> None:
        """A feed says how it fares: while its connection is broken its venue tells nothing."""
        is_ours = any(venue == status.venue for venue, _ in self._record.instruments)
        if is_ours and status.key is None and not self.is_ending:
            if status.state in BREAKS:
                self.fell_silent(status.venue, now_ns, f"{status.state}: {status.reason}")
            elif status.state is FeedState.LIVE and status.venue not in self.joining:
                self.talks_again(status.venue, now_ns)

    def fell_silent(self, venue: str, now_ns: int, why: str) -> None:
        """From now on the venue tells nothing; the first reason stands."""
        if venue not in self._silent:
            self._silent[venue] = CollectionGap(from_ns=now_ns, to_ns=None, why=why, venue=venue)
            self._gap_count += 1
            self._tell_gaps()

    def talks_again(self, venue: str, now_ns: int) -> None:
        gap = self._silent.pop(venue, None)
        if gap is not None:
            self._end_gap(msgspec.structs.replace(gap, to_ns=now_ns))
            self._tell_gaps()

    def ended(self, now_ns: int) -> None:
        """All its gaps end with it."""
        for venue in list(self._silent):
            self.talks_again(venue, now_ns)
        if self._loss is not None:
            self._end_gap(self._loss)
            self._loss = None
        self._tell_gaps()

    def changed(self, **fields: object) -> None:
        """Other fields of the record; it is to be saved."""
        self._record = msgspec.structs.replace(self.record, **fields)
        self.is_saved = False

    def was_saved(self, now_ns: int) -> Collection:
        """The record as it is to be saved."""
        self._record = msgspec.structs.replace(self.record, saved_ns=now_ns)
        self.is_saved = True
        return self._record

    def _started(self) -> Counts | None:
        if isinstance(self._start, Future):
            if not self._start.done() or self._start.exception() is not None:
                return None
            self._start = self._start.result()
        return self._start

    def _series(self, counts: Counts, start: Counts, dropped: Mapping[Series, int]) -> tuple[CollectedSeries, ...]:
        found = dict(self._before)
        for series in filter(self.wanted.has, {**counts, **dropped}):
            count, since = counts.get(series, NONE), start.get(series, NONE)
            rows, lost = count.rows - since.rows, count.lost - since.lost
            lost += dropped.get(series, 0) - self._losses.dropped.get(series, 0)
            if rows or lost:
                named = _named(series)
                before = found.get(_key(named), named)
                found[_key(named)] = msgspec.structs.replace(
                    before,
                    rows=before.rows + rows,
                    lost=before.lost + lost,
                    last_ns=count.last_ns if rows else before.last_ns,
                )
        return tuple(found[key] for key in sorted(found))

    def _lose(self, rows: int, now_ns: int, why: str) -> None:
        if self._loss is None:
            self._loss = CollectionGap(from_ns=self._looked_ns, to_ns=now_ns, why=why, rows=rows)
            self._gap_count += 1
        else:
            self._loss = msgspec.structs.replace(self._loss, to_ns=now_ns, rows=(self._loss.rows or 0) + rows)

    def _end_gap(self, gap: CollectionGap) -> None:
        self._gaps = [*self._gaps, gap][-KEPT_GAPS:]

    def _own(self, rows_of: Mapping[Series, int], before: Mapping[Series, int]) -> int:
        return sum(rows - before.get(one, 0) for one, rows in rows_of.items() if self.wanted.has(one))

    def _tell_gaps(self) -> None:
        lasting = [*self._silent.values(), *([] if self._loss is None else [self._loss])]
        gaps = tuple([*self._gaps, *lasting][-KEPT_GAPS:])
        if (gaps, self._gap_count) != (self._record.gaps, self._record.gap_count):
            self._record = msgspec.structs.replace(self._record, gaps=gaps, gap_count=self._gap_count)
            self.is_saved = False


def _key(one: CollectedSeries) -> tuple[str, str, str, str]:
    return one.kind, one.venue, one.symbol, one.interval or ""


def _named(series: Series) -> CollectedSeries:
    return CollectedSeries(
        kind=str(series.kind),
        venue=str(series.key.venue),
        symbol=str(series.key.symbol),
        interval=None if series.interval_ns is None else interval_label(series.interval_ns),
    )
