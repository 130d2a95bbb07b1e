"""One Parquet file of one partition: its columns, and how it is read; `segment_writing` brings it to the disk.

A table has the columns of its kind, times in int64 ns UTC and prices and quantities in float64. In the file the latter
are whole numbers of 10^-k where the values allow (see `scaling`). The file's metadata names the schema version, k of
each column, the series, the source and the version that wrote it. Recorded rows also have `sequence`, the gate's number
of each market row (`rows_taken` of its place in the one order).
"""

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workstation.errors import BadInput
from workstation.history.durable import HistoryCorrupt
from workstation.history.layout import HistoryKind
from workstation.history.scaling import decode
from workstation.model.market import IntArray

SCHEMA_VERSION = 2
"""Version 2 adds the column `sequence` to recorded rows. What has no such column is written as version 1, and read."""
METADATA_KEY = b"workstation"
MAGIC = b"PAR1"
ROW_GROUP_ROWS = 65_536

Table = Any
"""A pyarrow Table; pyarrow has no types of its own."""

SPREAD_COLUMNS = (
    *("spread_bps", "mean_bps", "upper_bps", "lower_bps", "z"),
    *("edge_ab_bps", "edge_ba_bps", "net_edge_ab_bps", "net_edge_ba_bps", "lower_quantile_bps", "upper_quantile_bps"),
    *("min_bps", "max_bps"),
)
_TIMES = [("ts_received", pa.int64()), ("ts_event", pa.int64())]
SCHEMAS: dict[HistoryKind, Any] = {
    HistoryKind.QUOTES: pa.schema(
        [*_TIMES, *((name, pa.float64()) for name in ("bid", "ask", "bid_quantity", "ask_quantity"))]
    ),
    HistoryKind.TRADES: pa.schema(
        [
            *_TIMES,
            ("price", pa.float64()),
            ("quantity", pa.float64()),
            ("seller_takes", pa.bool_()),
            ("trade_id", pa.string()),
        ]
    ),
    HistoryKind.BARS: pa.schema(
        [
            ("ts_open", pa.int64()),
            *((name, pa.float64()) for name in ("open", "high", "low", "close", "volume")),
            ("ts_received", pa.int64()),
        ]
    ),
    HistoryKind.BOOKS: pa.schema(
        [
            *_TIMES,
            ("level", pa.int64()),
            ("levels", pa.int64()),
            *((name, pa.float64()) for name in ("bid", "ask", "bid_quantity", "ask_quantity")),
        ]
    ),
    HistoryKind.MARKS: pa.schema([*_TIMES, ("price", pa.float64()), ("index_price", pa.float64())]),
    HistoryKind.FUNDING: pa.schema([*_TIMES, ("rate", pa.float64()), ("ts_due", pa.int64())]),
    HistoryKind.SPREADS: pa.schema(
        [
            ("ts_received", pa.int64()),
            *((name, pa.float64()) for name in SPREAD_COLUMNS),
            *((name, pa.int64()) for name in ("window_ns", "every_ns", "stale_after_ns", "min_points")),
            *((name, pa.float64()) for name in ("band_deviations", "lower_quantile", "upper_quantile")),
            ("basis", pa.string()),
        ]
    ),
    HistoryKind.OPPORTUNITIES: pa.schema(
        [
            *((name, pa.int64()) for name in ("ts_closed", "ts_opened", "ts_peak")),
            *((name, pa.string()) for name in ("sell_at", "buy_at")),
            *((name, pa.float64()) for name in ("peak_bps", "quantity", "left_bps", "least_bps", "least_value")),
            *((name, pa.int64()) for name in ("least_ns", "latency_ns")),
            ("basis", pa.string()),
        ]
    ),
}
"""Of a kind each; what the values mean, and 0 among them, says MARKET_ROW, of a pair's what has found them. A pair's
rows bear what they were found by in their last columns: how long the window, what counts as an opportunity."""

SEQUENCE = "sequence"
QUANTITIES = ("bid_quantity", "ask_quantity")
"""Of quotes, and of books."""


def schema_of(kind: HistoryKind, *, has_sequence: bool) -> Any:
    """The columns of a kind, with the gate's number of each row where it was recorded."""
    return SCHEMAS[kind].append(pa.field(SEQUENCE, pa.int64())) if has_sequence else SCHEMAS[kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where rows came from: a file's name or a feed, the SHA-256 of its content, and the version of this package."""

    name: str
    content_hash: str
    written_by: str
    options: str | None = None
    """How an imported file was read: its columns, skipped lines and form of times, as JSON; None where unrecorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stored file as the manifest knows it; `path` is relative to the series' folder, times are of `order_column`."""

    path: str
    start_ns: int
    end_ns: int
    """The last row's time, inclusive."""
    rows: int
    bytes: int
    has_receipt: bool
    scales: dict[str, int]
    """Column to k; a float column that is not here is stored as it is."""
    source: Source
    has_sequence: bool = False
    footer_crc32: int | None = None
    """Parquet has checksums of its pages alone; None in segments that were written before this one was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TailSegment(Segment):
    """Rows of a live log that are in no file yet; `path` only says in which partition they will be."""

    table: Table


class ParquetRows:
    """A segment's file, open, in row groups."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def groups(self) -> int:
        groups: int = self._file.num_row_groups
        return groups

    def range_of(self, group: int, column: str) -> tuple[int, int]:
        """The first and the last time in one group's column."""
        place = self._file.schema_arrow.get_field_index(column)
        times = self._file.metadata.row_group(group).column(place).statistics
        return times.min, times.max

    def is_positive(self, group: int, column: str) -> bool:
        """Whether one group's column of whole numbers is known to have none below 0."""
        place = self._file.schema_arrow.get_field_index(column)
        found = self._file.metadata.row_group(group).column(place).statistics
        return bool(found is not None and found.has_min_max and found.min >= 0)

    def group(self, number: int, columns: list[str] | None = None) -> Table:
        return self._file.read_row_group(number, columns=columns)

    def table(self, columns: list[str] | None = None) -> Table:
        return self._file.read(columns=columns)


class TailRows(ParquetRows):
    """As ParquetRows, of a table in memory."""

    def __exit__(self, *_: object) -> None:
        """There is no file to close."""

    @property
    def groups(self) -> int:
        return -(-len(self._file) // ROW_GROUP_ROWS)

    def range_of(self, group: int, column: str) -> tuple[int, int]:
        times = self.group(group)[column].to_numpy()
        return int(times.min()), int(times.max())

    def is_positive(self, group: int, column: str) -> bool:
        """Nobody has looked."""
        return False

    def group(self, number: int, columns: list[str] | None = None) -> Table:
        return self.table(columns).slice(number * ROW_GROUP_ROWS, ROW_GROUP_ROWS)

    def table(self, columns: list[str] | None = None) -> Table:
        return self._file if columns is None else self._file.select(columns)


def float_columns(kind: HistoryKind) -> tuple[str, ...]:
    return tuple(field.name for field in SCHEMAS[kind] if field.type == pa.float64())


_OWN_ORDER = {HistoryKind.BARS: "ts_open", HistoryKind.OPPORTUNITIES: "ts_closed"}


def order_column(kind: HistoryKind, *, has_receipt: bool) -> str:
    """The time by which rows are sorted and partitioned: receipt where it was recorded, else the venue's time."""
    if kind in _OWN_ORDER:
        return _OWN_ORDER[kind]
    return "ts_received" if has_receipt else "ts_event"


def has_receipt(table: Table) -> bool:
    """Whether the rows bear receipt times: all of them or none. Raises BadInput for a mixture."""
    if "ts_received" not in table.column_names:
        return False
    missing: int = table["ts_received"].null_count
    if 0 < missing < table.num_rows:
        raise BadInput(f"ts_received: {missing} of {table.num_rows} rows have none: expected all of them or none")
    return missing == 0


def whole_numbers(column: Any) -> IntArray:
    """An int64 column as an array, null as 0."""
    if column.null_count == len(column):
        return np.zeros(len(column), np.int64)
    values: IntArray = (column.fill_null(0) if column.null_count else column).to_numpy()
    return values


def open_segment(folder: Path, segment: Segment) -> ParquetRows:
    """The open Parquet file, its footer checked against the manifest. Raises HistoryCorrupt, naming the file."""
    if isinstance(segment, TailSegment):
        return TailRows(segment.table)
    path = folder / segment.path
    try:
        # before anything reads it: some faults of a footer end the process
        if segment.footer_crc32 is not None and footer_crc32(path) != segment.footer_crc32:
            raise corrupt(path, segment, "its footer is not the one that was written")
        file = pq.ParquetFile(path, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise corrupt(path, segment, error) from error
    if file.metadata.num_rows != segment.rows:
        raise corrupt(path, segment, f"{file.metadata.num_rows} rows, the manifest says {segment.rows}")
    return ParquetRows(file)


def footer_crc32(path: Path) -> int | None:
    """Of a Parquet file's footer and what follows it; None for a file that has none."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(MAGIC) - 4))
        end = file.read()
        length = int.from_bytes(end[:4], "little") + len(end)
        if not end.endswith(MAGIC) or length > size:
            return None
        file.seek(size - length)
        return zlib.crc32(file.read())


class SegmentMissing(HistoryCorrupt):
    """There is no such file; it may be on a disk that is not there now."""


class SegmentUnreadable(HistoryCorrupt):
    """The operating system did not give the file out, for want of rights or of open files: its rows may be whole."""


def corrupt(path: Path, segment: Segment, fault: object) -> HistoryCorrupt:
    """The error for a file that is missing, damaged or not to be read now, with what to do."""
    again = f"the rest is read on, and what it had of {segment.source.name} can be downloaded or imported again"
    if isinstance(fault, FileNotFoundError):
        return SegmentMissing(
            f"{path}: missing. See that its disk is there, or restore it from a copy; if it is gone for good, run "
            f"workstation data check --forget-missing: {again}"
        )
    if isinstance(fault, OSError) and fault.errno is not None:  # what Parquet finds wrong in the bytes has no number
        return SegmentUnreadable(f"{path}: cannot be read now: {fault}. It may be whole: mend that, and try again")
    return HistoryCorrupt(
        f"{path}: {fault}. Restore it from a copy, or run workstation data check --set-aside: {again}"
    )


def read_stored(folder: Path, segment: Segment, columns: list[str] | None = None) -> Table:
    """The columns (all by default) as they lie in the file, numbers undecoded. Raises HistoryCorrupt, naming it."""
    try:
        with open_segment(folder, segment) as file:
            return file.table(columns)
    except (OSError, pa.ArrowException) as error:
        raise corrupt(folder / segment.path, segment, error) from error


def read_segment(folder: Path, kind: HistoryKind, segment: Segment, *, has_sequence: bool = False) -> Table:
    """The rows with prices and quantities in float64, in the columns of `schema_of`."""
    table = read_stored(folder, segment).select(schema_of(kind, has_sequence=has_sequence).names)
    for name, exponent in segment.scales.items():
        values = decode(whole_numbers(table[name]), exponent)
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    return table.replace_schema_metadata(None)
