"""The history: rows of quotes, trades and bars in Parquet, written by one process at a time, read by any."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workstation.errors import BadInput, HistoryMissing
from workstation.history.durable import HistoryCorrupt
from workstation.history.instruments import instrument_at, put_instrument, snapshots
from workstation.history.layout import PAIR_KINDS, HistoryKind, Series, require_market_rows, series_of_folder
from workstation.history.manifest import MANIFEST_NAME, load_manifest
from workstation.history.market_rows import (
    OnCorrupt,
    RowForm,
    Span,
    bars_of,
    chunk_rows,
    count_stored,
    partitions,
    row_chunks,
)
from workstation.history.pair_tables import read_tables
from workstation.history.query import query_history
from workstation.history.recording import Recording, load_recording, with_logs
from workstation.history.segments import Segment, Source, Table
from workstation.history.tail import Tail, declared_rules, newest_rolled, read_tails, tail_segments
from workstation.history.writing import Written, write_series
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey
from workstation.model.market import MARKET_ROW, Bars, Rows, interval_label

SEGMENT_ROWS = 1_000_000

FILL_IT = "record (workstation data record --symbols …) or take a file in (workstation data import FILE --kind …)"
"""What to do about a history without rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One stored series in figures; times are the first and the last row's, in data time."""

    kind: HistoryKind
    venue: Venue
    symbol: Symbol
    interval: str | None
    start_ns: int
    end_ns: int
    rows: int
    bytes: int
    segments: int


class HistoryStore:
    """A data folder. Every method reads the manifests anew, so that several processes may use it at the same time."""

    def __init__(self, root: Path, *, segment_rows: int = SEGMENT_ROWS) -> None:
        if segment_rows < 1:
            raise BadInput(f"history {root}: segments of {segment_rows} rows: expected 1 or more")
        if root.exists() and not root.is_dir():
            raise BadInput(f"history {root}: is a file: expected a folder")
        self.root = root
        self.segment_rows = segment_rows

    # -- instruments

    def put_instrument(self, instrument: Instrument) -> None:
        """Stores the rules of an instrument from `valid_from_ns` on."""
        put_instrument(self.root, instrument)

    def instrument(self, key: InstrumentKey, at_ns: int | None = None) -> Instrument:
        """The rules in force at `at_ns`, the newest by default; of a first recording, as its log says, until that is
        rolled. Raises HistoryMissing."""
        known = snapshots(self.root, key) or declared_rules(read_tails(self.root), key)
        return instrument_at(self.root, key, known or snapshots(self.root, key), at_ns)  # rolled between the two looks

    # -- writing

    def write(
        self, series: Series, table: Table, source: Source, on_rows: Callable[[int], None] | None = None
    ) -> Written:
        """Adds rows (the columns of SCHEMAS, sorted by their order column); all of them become visible in one step.

        A source that was taken in before is skipped, and so are rows that are stored already: a bar with the same
        ts_open, a trade as `known_trades` says, else a row equal in every column. Recorded rows, which have the
        column `sequence`, are what a run was told: each one is kept. `on_rows` is told how many rows are done. Raises
        BadInput, RowsOutOfOrder, HistoryCorrupt.
        """
        return write_series(self.root, [(series, table)], source, self.segment_rows, on_rows)[series]

    def write_all(self, tables: Iterable[tuple[Series, Table]], source: Source) -> dict[Series, Written]:
        """As `write`, of many series in a fraction of the time. A series may come in several pieces, one behind the
        other; tables are asked for one at a time. All locks are held to the end: mind how many files may be open.
        """
        return write_series(self.root, tables, source, self.segment_rows)

    # -- reading

    def datasets(self) -> list[Dataset]:
        """Every series with at least one row, by kind, venue, symbol and interval; what is recorded now included."""
        found = [_dataset(series, segments) for series, segments in self.stored().items()]
        return sorted((one for one in found if one is not None), key=lambda one: (one.kind, one.venue, one.symbol))

    def series(self) -> list[Series]:
        """Every series that has a manifest or rows in a live log."""
        return self._series(read_tails(self.root))

    def holds(self, series: Series) -> bool:
        """Whether `series()` names it, at the price of a look at it alone."""
        manifest = self.root / series.folder / MANIFEST_NAME
        is_there = manifest.exists() or any(series in tail.series() for tail in read_tails(self.root))
        return is_there or manifest.exists()  # its first roll may have ended between the two looks

    def _series(self, tails: Sequence[Tail]) -> list[Series]:
        manifests = sorted(self.root.glob(f"kind=*/venue=*/symbol=*/**/{MANIFEST_NAME}"))
        stored = [series_of_folder(path.parent.relative_to(self.root)) for path in manifests]
        return list(dict.fromkeys([*stored, *(one for tail in tails for one in tail.series())]))

    def files(self) -> dict[Series, tuple[Segment, ...]]:
        """Every series that has files, with these; the logs are not looked at."""
        found = {series: load_manifest(self.root / series.folder).segments for series in self._series(())}
        return {series: segments for series, segments in found.items() if segments}

    def stored(self, wanted: Collection[Series] | None = None) -> dict[Series, tuple[Segment, ...]]:
        """The wanted series, or all, with files and tails, all as of one moment; one without rows has none."""
        rolled_before = None
        while True:
            tails = read_tails(self.root)
            series = self._series(tails) if wanted is None else wanted
            manifests = {one: load_manifest(self.root / one.folder) for one in series}
            rolled, newest = newest_rolled(manifests.values()), tails[-1].log.path.name if tails else ""
            if not rolled or rolled < newest or rolled == rolled_before:
                return {one: (*now.segments, *tail_segments(one, tails, now)) for one, now in manifests.items()}
            rolled_before = rolled  # perhaps between the looks at two series

    def segments(
        self, series: Series, span: Span, *, as_recorded: bool = False, stored: tuple[Segment, ...] | None = None
    ) -> tuple[Segment, ...]:
        """The files and tails that may have rows in `span`, all or recorded ones.

        `stored` is what a look at several series has found of this one. Raises HistoryMissing with what is there and
        what to run.
        """
        folder = self.root / series.folder
        stored = self.stored((series,))[series] if stored is None else stored
        if not stored and _has_unnamed_rows(folder):
            stored = self.stored((series,))[series]  # a first roll may have begun between the two looks
        if not stored and _has_unnamed_rows(folder):
            raise HistoryCorrupt(
                f"{folder / MANIFEST_NAME}: missing or empty, with rows beside it: restore it from a copy, "
                "or import the file again"
            )
        if as_recorded:
            stored = tuple(one for one in stored if one.has_sequence)
        segments = tuple(one for one in stored if not span.misses(one.start_ns, one.end_ns))
        if not segments:
            raise HistoryMissing(self._missing(series, span, stored))
        return segments

    def count(self, series: Series, span: Span) -> int:
        """Rows in `span`, from the manifest where whole files lie in it."""
        return count_stored(self.root / series.folder, series, self.segments(series, span), span)

    def bars(
        self, key: InstrumentKey, interval_ns: int, start_ns: int | None = None, end_ns: int | None = None
    ) -> Bars:
        """Bars that open in [start_ns, end_ns). Raises HistoryMissing, HistoryCorrupt."""
        return bars_of(self.rows(key, HistoryKind.BARS, 0, start_ns, end_ns, interval_ns=interval_ns), interval_ns)

    def rows(
        self,
        key: InstrumentKey,
        kind: HistoryKind,
        instrument_index: int,
        start_ns: int | None = None,
        end_ns: int | None = None,
        *,
        interval_ns: int | None = None,
        assumed_delay_ns: int = 0,
        as_recorded: bool = False,
        on_corrupt: OnCorrupt | None = None,
    ) -> Rows:
        """MARKET_ROWs whose data time (see `Span`) is in [start_ns, end_ns), by ts_received, in one array.

        Rows without a receipt time are received at ts_event + assumed_delay_ns, a bar's ts_event being its end.
        `as_recorded`: only rows that a recorder took, with the gate's `sequence` and in its order; else it is 0. Raises
        HistoryMissing; HistoryCorrupt unless `on_corrupt` is given, which is told of each file that is passed over.
        """
        require_market_rows(kind)
        series = Series(kind=kind, key=key, interval_ns=interval_ns)
        span = Span(start_ns=start_ns, end_ns=end_ns)
        form = RowForm(instrument=instrument_index, assumed_delay_ns=assumed_delay_ns, as_recorded=as_recorded)
        segments = self.segments(series, span, as_recorded=as_recorded)
        buffer = np.zeros(chunk_rows(segments), MARKET_ROW)
        result = np.zeros(sum(segment.rows for segment in segments), MARKET_ROW)
        filled = 0
        for partition in partitions(segments, span):
            for chunk in row_chunks(self.root / series.folder, series, partition, span, form, buffer, on_corrupt):
                result[filled : filled + len(chunk)] = chunk
                filled += len(chunk)
        return result[:filled]

    def table(self, series: Series, start_ns: int | None = None, end_ns: int | None = None) -> Table:
        """The stored columns of a series of a pair, in [start_ns, end_ns) of its order column, in its order.

        Raises HistoryMissing, HistoryCorrupt.
        """
        span = Span(start_ns=start_ns, end_ns=end_ns)
        segments = self.segments(series, span)
        return read_tables(self.root / series.folder, series, segments, span)

    def query(self, sql: str) -> Table:
        """The answer as an Arrow table (`.to_pandas()`) from the views that `query_history` names."""
        return query_history(self.root, self.stored(), sql)

    def recording(self) -> Recording:
        """What was recorded live, and what was missed, up to now. Raises HistoryCorrupt."""
        tails = read_tails(self.root)
        return with_logs(load_recording(self.root), [one.log for one in tails])

    def _missing(self, series: Series, span: Span, stored: Sequence[Segment]) -> str:
        if stored:
            first, last = min(one.start_ns for one in stored), max(one.end_ns for one in stored)
            wanted = f"[{shown_time(span.start_ns)}, {shown_time(span.end_ns)})"
            return f"{series}: nothing in {wanted}; stored are {shown_time(first)} to {shown_time(last)}"
        others = ", ".join(str(one) for one in self.series()[:5]) or "nothing"
        how = f"import FILE {series.as_options}"
        if series.kind in PAIR_KINDS:
            (venue_a, symbol), (venue_b, _) = series.sides
            how = f"{series.kind} {venue_a} {venue_b} {symbol}"
        return f"{series}: not stored (stored are: {others}). Run: workstation data {how}"


def _has_unnamed_rows(folder: Path) -> bool:
    """Whether there are files of rows beside those that a joined one, set aside since, has replaced."""
    retired = {folder / one.path for one in load_manifest(folder).retired}
    return any(path not in retired for path in folder.glob("date=*/*.parquet"))


def _dataset(series: Series, segments: Sequence[Segment]) -> Dataset | None:
    if not segments:
        return None
    return Dataset(
        kind=series.kind,
        venue=series.key.venue,
        symbol=series.key.symbol,
        interval=None if series.interval_ns is None else interval_label(series.interval_ns),
        start_ns=min(segment.start_ns for segment in segments),
        end_ns=max(segment.end_ns for segment in segments),
        rows=sum(segment.rows for segment in segments),
        bytes=sum(segment.bytes for segment in segments),
        segments=len(segments),
    )


def shown_time(ts_ns: int | None) -> str:
    """A moment in UTC to the second; an open end as "…"."""
    return "…" if ts_ns is None else str(np.datetime64(ts_ns, "ns").astype("datetime64[s]")) + "Z"
