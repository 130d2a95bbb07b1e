"""From stored columns to MARKET_ROW: one division for each price, no object for any row."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workstation.history.durable import HistoryCorrupt
from workstation.history.layout import HistoryKind, Series
from workstation.history.reading_ahead import read_ahead
from workstation.history.scaling import decode
from workstation.history.segments import (
    QUANTITIES,
    ROW_GROUP_ROWS,
    SEQUENCE,
    ParquetRows,
    Segment,
    Table,
    corrupt,
    open_segment,
    order_column,
    whole_numbers,
)
from workstation.model.durations import MS_NS
from workstation.model.market import (
    STEP_BITS,
    Bars,
    FloatArray,
    IntArray,
    RowFlag,
    RowKind,
    Rows,
    interval_code,
)
from workstation.windows.advance import LARGEST

OnCorrupt = Callable[[HistoryCorrupt], None]
"""Told of each file that is passed over; where there is none, the first corrupt file raises."""
ColumnsOf = Callable[[Segment, ParquetRows, int], list[str] | None]
"""Which columns of a row group are read; None is all."""

FIELDS = {
    HistoryKind.QUOTES: (("x0", "bid"), ("x1", "ask"), ("x2", "bid_quantity"), ("x3", "ask_quantity")),
    HistoryKind.TRADES: (("x0", "price"), ("x1", "quantity")),
    HistoryKind.BARS: (("x0", "open"), ("x1", "high"), ("x2", "low"), ("x3", "close"), ("x4", "volume")),
    HistoryKind.BOOKS: (("x0", "bid"), ("x1", "ask"), ("x2", "bid_quantity"), ("x3", "ask_quantity")),
    HistoryKind.MARKS: (("x0", "price"), ("x1", "index_price")),
    HistoryKind.FUNDING: (("x0", "rate"),),
}
"""Of each kind, which field of a row is which column."""
PRICED = FIELDS[HistoryKind.QUOTES][:2]
PRICES = np.dtype([("ts_received", np.int64), ("x0", np.float64), ("x1", np.float64)])
"""Of a quote what a spread is made of, with the names of MARKET_ROW."""
WHOLE_FIELDS = {
    HistoryKind.BOOKS: (("interval_code", "level", 1), ("x4", "levels", 1)),
    HistoryKind.FUNDING: (("x1", "ts_due", MS_NS),),
}
"""The same of whole numbers, with how many of the column's units the field's unit has; null is 0."""
ROW_KINDS = {
    HistoryKind.QUOTES: RowKind.QUOTE,
    HistoryKind.TRADES: RowKind.TRADE,
    HistoryKind.BARS: RowKind.BAR,
    HistoryKind.BOOKS: RowKind.BOOK,
    HistoryKind.MARKS: RowKind.MARK,
    HistoryKind.FUNDING: RowKind.FUNDING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Times in [start_ns, end_ns); None is no bound.

    Of the store's own methods they are data time: a bar lies where it opens, an assumed delay moves nothing. Of a
    replay they are times of receipt, see `lanes`.
    """

    start_ns: int | None = None
    end_ns: int | None = None

    def misses(self, first_ns: int, last_ns: int) -> bool:
        """Whether nothing from `first_ns` to `last_ns` (inclusive) lies in the span."""
        is_before = self.start_ns is not None and last_ns < self.start_ns
        return is_before or (self.end_ns is not None and first_ns >= self.end_ns)

    def contains(self, segment: Segment) -> bool:
        is_after_start = self.start_ns is None or segment.start_ns >= self.start_ns
        return is_after_start and (self.end_ns is None or segment.end_ns < self.end_ns)

    def moved(self, by_ns: int) -> "Span":
        """The span later by `by_ns`."""
        start_ns = None if self.start_ns is None else self.start_ns + by_ns
        return Span(start_ns=start_ns, end_ns=None if self.end_ns is None else self.end_ns + by_ns)

    def holds(self, times: IntArray) -> npt.NDArray[np.bool_]:
        """Mask of the times, in any order, that lie in the span."""
        inside = np.ones(len(times), np.bool_)
        if self.start_ns is not None:
            inside &= times >= self.start_ns
        if self.end_ns is not None:
            inside &= times < self.end_ns
        return inside

    def cut(self, series: Series, segment: Segment, table: Table) -> Table:
        """The part of a sorted table that lies in the span."""
        if self.contains(segment):
            return table
        times = whole_numbers(table[order_column(series.kind, has_receipt=segment.has_receipt)])
        start = 0 if self.start_ns is None else int(np.searchsorted(times, self.start_ns))
        stop = len(times) if self.end_ns is None else int(np.searchsorted(times, self.end_ns))
        return table.slice(start, max(stop - start, 0))


class Form(Protocol):
    """What becomes of a stored table of any kind."""

    def columns(self, segment: Segment, file: ParquetRows, group: int) -> list[str] | None:
        """Those that it needs of a row group; None for all."""

    def fill(self, out: Rows, series: Series, segment: Segment, table: Table) -> Rows:
        """Writes a table of these columns into `out`, which is as long, and returns it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowForm:
    """As MARKET_ROW, with what the file does not know: the registry's integer, the delay of rows without a receipt."""

    instrument: int
    assumed_delay_ns: int = 0
    as_recorded: bool = False
    """Whether rows bear the `sequence` that the gate gave them, and go by it; else it is 0, for the gate to give."""

    def columns(self, segment: Segment, file: ParquetRows, group: int) -> list[str] | None:
        return None

    def fill(self, out: Rows, series: Series, segment: Segment, table: Table) -> Rows:
        return fill_rows(out, series, segment, table, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceForm:
    """As PRICES, of quotes: their quantities are read where only they can say whether a quote can be true."""

    assumed_delay_ns: int = 0

    def columns(self, segment: Segment, file: ParquetRows, group: int) -> list[str] | None:
        times = order_column(HistoryKind.QUOTES, has_receipt=segment.has_receipt)
        # whole numbers that are not negative are quantities; others may be anything
        doubtful = [name for name in QUANTITIES if name not in segment.scales or not file.is_positive(group, name)]
        return [times, *(name for _, name in PRICED), *doubtful]

    def fill(self, out: Rows, series: Series, segment: Segment, table: Table) -> Rows:
        """A bid of a quote that cannot be true for its quantities' sake is NaN."""
        times = whole_numbers(table[order_column(series.kind, has_receipt=segment.has_receipt)])
        np.add(times, 0 if segment.has_receipt else self.assumed_delay_ns, out=out["ts_received"])
        for field, name in PRICED:
            _values(segment, table, name, out[field])
        for name in set(QUANTITIES) & set(table.column_names):
            quantity = np.empty(len(out))
            _values(segment, table, name, quantity)
            out["x0"][~((quantity >= 0) & (quantity < LARGEST))] = np.nan
        return out


def partitions(segments: Sequence[Segment], span: Span) -> list[list[Segment]]:
    """The segments that may have rows in `span`, by partition in order of time, each in the manifest's order."""
    wanted = sorted((one for one in segments if not span.misses(one.start_ns, one.end_ns)), key=_partition)
    return [list(group) for _, group in groupby(wanted, key=_partition)]


def row_chunks(
    folder: Path,
    series: Series,
    segments: Sequence[Segment],
    span: Span,
    form: Form,
    buffer: Rows,
    on_corrupt: OnCorrupt | None = None,
) -> Iterator[Rows]:
    """One partition's rows sorted by ts_received, as the start of `buffer`, which the next chunk overwrites.

    `buffer` began as zeros and has `chunk_rows(segments)` rows. Segments that follow one another are read row group by
    row group; those that overlap are loaded and sorted first. Equal times keep the manifest's order.
    """
    parts = (
        form.fill(buffer[: table.num_rows], series, segment, table)
        for segment, table in _stored_parts(folder, series, segments, span, on_corrupt, form.columns)
    )
    if _follow_one_another(series, segments):
        yield from parts
        return
    loaded = [part.copy() for part in parts]
    rows = np.concatenate(loaded) if loaded else buffer[:0].copy()
    rows = rows[order_of_receipt(rows)]
    for start in range(0, len(rows), len(buffer)):
        chunk = rows[start : start + len(buffer)]
        buffer[: len(chunk)] = chunk
        yield buffer[: len(chunk)]


def order_of_receipt(rows: Rows) -> IntArray:
    """Places by ts_received, then by the gate's number where rows bear one, then as they stand."""
    by = [rows[name] for name in ("sequence", "ts_received") if name in (rows.dtype.names or ())]
    order: IntArray = np.lexsort(by)
    return order


def chunk_rows(segments: Sequence[Segment]) -> int:
    """How many rows the buffer of these segments needs."""
    return min(max((segment.rows for segment in segments), default=0), ROW_GROUP_ROWS)


def fill_rows(out: Rows, series: Series, segment: Segment, table: Table, form: RowForm) -> Rows:
    """Writes a stored table into `out`, which is as long; fields that the kind does not use are left as they are."""
    out["instrument"] = form.instrument
    out["kind"] = ROW_KINDS[series.kind]
    if series.interval_ns is None:
        out["ts_event"] = whole_numbers(table["ts_event"])
    else:
        out["ts_event"] = whole_numbers(table["ts_open"]) + series.interval_ns
        out["interval_code"] = interval_code(series.interval_ns)
        out["flags"] = RowFlag.IS_CLOSED
    if segment.has_receipt:
        out["ts_received"] = whole_numbers(table["ts_received"])
    else:
        np.add(out["ts_event"], form.assumed_delay_ns, out=out["ts_received"])
    if form.as_recorded:
        out["sequence"] = whole_numbers(table[SEQUENCE]) << STEP_BITS
    for field, name in FIELDS[series.kind]:
        _values(segment, table, name, out[field])
    for field, name, units in WHOLE_FIELDS.get(series.kind, ()):
        out[field] = whole_numbers(table[name]) // units
    if series.kind is HistoryKind.TRADES:
        taken = table["seller_takes"].fill_null(False).to_numpy()
        out["flags"] = np.where(taken, int(RowFlag.SELLER_TAKES), 0)
    return out


def _values(segment: Segment, table: Table, name: str, out: FloatArray) -> None:
    """Writes a column of prices or quantities; of stored floats null is NaN, of whole numbers 0."""
    if name in segment.scales:
        decode(whole_numbers(table[name]), segment.scales[name], out=out)
    else:
        out[...] = table[name].to_numpy()


def _stored_parts(
    folder: Path,
    series: Series,
    segments: Sequence[Segment],
    span: Span,
    on_corrupt: OnCorrupt | None,
    columns: ColumnsOf | None = None,
) -> Iterator[tuple[Segment, Table]]:
    for segment in segments:
        try:
            column = order_column(series.kind, has_receipt=segment.has_receipt)
            for table in row_groups(folder, segment, span, column, columns):
                part = span.cut(series, segment, table)
                if part.num_rows:
                    yield segment, part
        except HistoryCorrupt as error:
            if on_corrupt is None:
                raise
            on_corrupt(error)


def stored_range(folder: Path, segment: Segment, column: str) -> tuple[int, int]:
    """The first and the last time in a column, from the file's footer. Raises HistoryCorrupt."""
    with open_segment(folder, segment) as file:
        ranges = [file.range_of(number, column) for number in range(file.groups)]
    return min(first for first, _ in ranges), max(last for _, last in ranges)


def row_groups(
    folder: Path, segment: Segment, span: Span, column: str, columns: ColumnsOf | None = None
) -> Iterator[Table]:
    """Whole row groups that may have times of `column` in the span. Raises HistoryCorrupt, naming the file."""

    def read(number: int) -> Table:
        try:
            return file.group(number, None if columns is None else columns(segment, file, number))
        except (OSError, pa.ArrowException) as error:
            raise corrupt(folder / segment.path, segment, f"row group {number}: {error}") from error

    with open_segment(folder, segment) as file:
        wanted = [number for number in range(file.groups) if not span.misses(*file.range_of(number, column))]
        yield from read_ahead(read, wanted)


def count_stored(folder: Path, series: Series, segments: Sequence[Segment], span: Span) -> int:
    """Rows in the span, from the manifest where whole files lie in it. Raises HistoryCorrupt."""
    total = 0
    for segment in segments:
        if span.contains(segment):
            total += segment.rows
        else:
            total += sum(part.num_rows for _, part in _stored_parts(folder, series, [segment], span, None))
    return total


def bars_of(rows: Rows, interval_ns: int) -> Bars:
    """Rows of bars, in order of receipt, as columns by their opening; of one that came again, the last."""
    ts_open = rows["ts_event"] - interval_ns
    order = np.argsort(ts_open, kind="stable")
    order = order[np.diff(ts_open[order], append=np.iinfo(np.int64).max) != 0]
    names = (("open", "x0"), ("high", "x1"), ("low", "x2"), ("close", "x3"), ("volume", "x4"))
    columns = {name: rows[field][order] for name, field in names}
    return Bars(interval_ns=interval_ns, ts_open=ts_open[order], **columns)


def _follow_one_another(series: Series, segments: Sequence[Segment]) -> bool:
    # a bar's receipt may fall although its opening rises, so recorded bars are sorted like overlapping files
    if series.kind is HistoryKind.BARS and any(segment.has_receipt for segment in segments):
        return False
    is_one_clock = len({segment.has_receipt for segment in segments}) <= 1
    return is_one_clock and all(before.end_ns <= after.start_ns for before, after in pairwise(segments))


def _partition(segment: Segment) -> str:
    return PurePosixPath(segment.path).parts[0]
