"""A series by receipt: its rows in lanes, one for each clock that they are stored by, each sorted by ts_received.

Quotes and trades with receipt times are stored by them, and what has none is received a fixed lag behind the time that
it is stored by: there a span of receipt is a span of stored time, moved by the lag. A bar with a receipt time is stored
by its opening and may have come late, so its file is asked from when to when its rows were received.

A bar that was imported and recorded too comes once: as it was recorded, with the time at which a run was told of it,
whatever the other one's values are, and whether or not the recorded one lies in the span. One that was recorded twice
comes twice: an amended bar is a new event.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workstation.errors import HistoryMissing
from workstation.history.durable import HistoryCorrupt
from workstation.history.layout import HistoryKind, Series
from workstation.history.market_rows import (
    Form,
    OnCorrupt,
    RowForm,
    Span,
    chunk_rows,
    count_stored,
    order_of_receipt,
    partitions,
    row_chunks,
    row_groups,
    stored_range,
)
from workstation.history.segments import Segment, read_stored, whole_numbers
from workstation.history.store import HistoryStore, shown_time
from workstation.model.market import MARKET_ROW, IntArray, Rows

RECEIPT = "ts_received"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLane:
    """Segments whose rows are received in the order in which they are stored; `span` is of that order."""

    folder: Path
    series: Series
    segments: tuple[Segment, ...]
    span: Span
    recorded: IntArray
    """Openings of bars that were recorded too."""

    @property
    def buffer_rows(self) -> int:
        return chunk_rows(self.segments)

    def count(self) -> int:
        if not len(self.recorded):
            return count_stored(self.folder, self.series, self.segments, self.span)
        return sum(map(len, self.chunks(RowForm(instrument=0), np.zeros(self.buffer_rows, MARKET_ROW), None)))

    def chunks(self, form: Form, buffer: Rows, on_corrupt: OnCorrupt | None) -> Iterator[Rows]:
        """The rows by receipt, in their form, as the start of `buffer`, which the next chunk overwrites."""
        for segments in partitions(self.segments, self.span):
            for rows in row_chunks(self.folder, self.series, segments, self.span, form, buffer, on_corrupt):
                kept = _without(rows, self.recorded, self.series)
                if kept is not rows:
                    buffer[: len(kept)] = kept
                if len(kept):
                    yield buffer[: len(kept)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedBars:
    """Segments of bars that bear receipt times; `span` is of these.

    Segments of one group overlap in receipt and are loaded and sorted together; groups follow one another.
    """

    folder: Path
    series: Series
    groups: tuple[tuple[Segment, ...], ...]
    span: Span
    recorded: IntArray
    """As in StoredLane."""

    @property
    def buffer_rows(self) -> int:
        return max(chunk_rows(group) for group in self.groups)

    def count(self) -> int:
        form = RowForm(instrument=0)
        return sum(len(rows) for group in self.groups for rows in self._received(group, form, None))

    def chunks(self, form: Form, buffer: Rows, on_corrupt: OnCorrupt | None) -> Iterator[Rows]:
        """As StoredLane.chunks."""
        for group in self.groups:
            rows = np.concatenate([buffer[:0], *self._received(group, form, on_corrupt)])
            rows = rows[order_of_receipt(rows)]
            for start in range(0, len(rows), len(buffer)):
                chunk = rows[start : start + len(buffer)]
                buffer[: len(chunk)] = chunk
                yield buffer[: len(chunk)]

    def _received(self, group: Sequence[Segment], form: Form, on_corrupt: OnCorrupt | None) -> Iterator[Rows]:
        for segment in group:
            try:
                for table in row_groups(self.folder, segment, self.span, RECEIPT):
                    rows = form.fill(np.zeros(table.num_rows, MARKET_ROW), self.series, segment, table)
                    rows = rows[self.span.holds(whole_numbers(table[RECEIPT]))]
                    yield rows if segment.has_sequence else _without(rows, self.recorded, self.series)
            except HistoryCorrupt as error:
                _tell(error, on_corrupt)


Lane = StoredLane | RecordedBars


def lanes_of(
    store: HistoryStore,
    series: Series,
    received: Span,
    assumed_delay_ns: int,
    on_corrupt: OnCorrupt | None = None,
    *,
    as_recorded: bool = False,
    stored: tuple[Segment, ...] | None = None,
) -> list[Lane]:
    """The lanes with files that may have rows received in the span; those without receipt times come first.

    `as_recorded` leaves out what no recorder took; `stored` as for `HistoryStore.segments`. Raises HistoryMissing where
    there is no such file.
    """
    folder = store.root / series.folder
    stored = store.segments(series, Span(), as_recorded=as_recorded, stored=stored)
    recorded = _recorded_openings(folder, series, stored, on_corrupt)
    lagging = received.moved(-(assumed_delay_ns + (series.interval_ns or 0)))
    lanes: list[Lane] = []
    for has_receipt, span in ((False, lagging), (True, received)):
        clock = [one for one in stored if one.has_receipt is has_receipt]
        if has_receipt and series.kind is HistoryKind.BARS:
            groups = _groups(folder, clock, span, on_corrupt)
            if groups:
                lanes.append(RecordedBars(folder=folder, series=series, groups=groups, span=span, recorded=recorded))
        else:
            kept = tuple(one for one in clock if not span.misses(one.start_ns, one.end_ns))
            if kept:
                lanes.append(StoredLane(folder=folder, series=series, segments=kept, span=span, recorded=recorded))
    if not lanes:
        first, last = min(one.start_ns for one in stored), max(one.end_ns for one in stored)
        raise HistoryMissing(
            f"{series}: nothing received in [{shown_time(received.start_ns)}, {shown_time(received.end_ns)}); "
            f"stored are {shown_time(first)} to {shown_time(last)}"
        )
    return lanes


def _groups(
    folder: Path, segments: Sequence[Segment], span: Span, on_corrupt: OnCorrupt | None
) -> tuple[tuple[Segment, ...], ...]:
    """Segments that may have rows in the span, as RecordedBars has them; each group in the manifest's order."""
    ranges = []
    for place, segment in enumerate(segments):
        try:
            first, last = stored_range(folder, segment, RECEIPT)
        except HistoryCorrupt as error:
            _tell(error, on_corrupt)
            continue
        if not span.misses(first, last):
            ranges.append((first, last, place))
    groups: list[list[int]] = []
    until_ns = 0
    for first, last, place in sorted(ranges):
        if not groups or first > until_ns:  # equal times stay in one group, whatever else the span takes in
            groups.append([])
            until_ns = last
        groups[-1].append(place)
        until_ns = max(until_ns, last)
    return tuple(tuple(segments[place] for place in sorted(group)) for group in groups)


def _recorded_openings(
    folder: Path, series: Series, segments: Sequence[Segment], on_corrupt: OnCorrupt | None
) -> IntArray:
    """Of the recorded bars that lie between imported ones; a file that cannot be read is told of by its lane."""
    imported = [one for one in segments if not one.has_sequence]
    found = [np.zeros(0, np.int64)]
    if series.kind is not HistoryKind.BARS or not imported:
        return found[0]
    first_ns, last_ns = min(one.start_ns for one in imported), max(one.end_ns for one in imported)
    for segment in segments:
        if not segment.has_sequence or segment.start_ns > last_ns or segment.end_ns < first_ns:
            continue
        try:
            found.append(whole_numbers(read_stored(folder, segment, ["ts_open"])["ts_open"]))
        except HistoryCorrupt:
            if on_corrupt is None:
                raise
    return np.unique(np.concatenate(found))


def _without(rows: Rows, openings: IntArray, series: Series) -> Rows:
    """The bars that open at other times."""
    if not len(openings) or series.interval_ns is None:
        return rows
    kept: Rows = rows[~np.isin(rows["ts_event"] - series.interval_ns, openings)]
    return kept


def _tell(error: HistoryCorrupt, on_corrupt: OnCorrupt | None) -> None:
    if on_corrupt is None:
        raise error
    on_corrupt(error)
