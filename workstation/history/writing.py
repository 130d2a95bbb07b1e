"""Adding rows to series: what is stored already is left out, and a series has all of the new rows at once, or none.

Segments first, then the manifests that name them. What waits for the disk does so for all series together.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workstation.errors import BadInput, ImportRefused, RowsOutOfOrder
from workstation.history.durable import one_writer, remove_leftovers
from workstation.history.known_rows import known_rows
from workstation.history.layout import HistoryKind, Series, partition_slices
from workstation.history.manifest import Manifest, load_manifest, save_manifests
from workstation.history.market_rows import Span
from workstation.history.segment_writing import SegmentBatch
from workstation.history.segments import (
    SEQUENCE,
    Segment,
    Source,
    Table,
    has_receipt,
    order_column,
    read_segment,
    schema_of,
    whole_numbers,
)
from workstation.history.tail import Tail, read_tails, tail_segments
from workstation.model.durations import HOUR_NS, MS_NS
from workstation.model.market import IntArray

CLOCK_MARGIN_NS = HOUR_NS
"""How far a trade's receipt may lie from its own time, where the two are in two partitions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a write did. `rows_known` were stored before and are not doubled; `rows_differing` of them changed since."""

    rows_stored: int = 0
    rows_known: int = 0
    rows_differing: int = 0
    segments: tuple[Segment, ...] = ()
    is_repeat: bool = False
    """The very same source was taken in before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The rows of one partition."""

    label: str
    table: Table
    last_row: int
    """Of the whole table, after the last one."""


def write_series(
    root: Path,
    tables: Iterable[tuple[Series, Table]],
    source: Source,
    segment_rows: int,
    on_rows: Callable[[int], None] | None = None,
) -> dict[Series, Written]:
    """Adds the tables, as `HistoryStore.write_all` says; `on_rows` is told of each partition's last row."""
    begun: dict[Series, _Writing] = {}
    with ExitStack() as locks, SegmentBatch() as batch:
        for series, table in tables:
            parts = list(_parts(series, table))
            if series not in begun:
                batch.make_folder(root / series.folder)
                locks.enter_context(one_writer(root / series.folder))
                begun[series] = _Writing(
                    root / series.folder, series, source, segment_rows, _tails_under(root, series, table)
                )
            for part in parts:
                begun[series].add(part, batch)
                if on_rows is not None:
                    on_rows(part.last_row)
        batch.publish()
        save_manifests({root / series.folder: one.manifest for series, one in begun.items() if not one.is_repeat})
    return {series: one.written for series, one in begun.items()}


class _Writing:
    """One series while it is written; its lock is held."""

    def __init__(self, folder: Path, series: Series, source: Source, segment_rows: int, tails: Sequence[Tail]) -> None:
        remove_leftovers(folder)
        self._folder, self._series, self._source = folder, series, source
        self._before, self._segment_rows = load_manifest(folder), segment_rows
        self._segments: list[Segment] = []
        before = self._before
        self._there = (*before.segments, *tail_segments(series, tails, before))
        self._taken = {one.path for one in before.segments} | {one.path for one in before.retired}
        self._numbers: dict[str, Iterator[int]] = defaultdict(count)
        self._known = self._differing = 0
        taken = self._before.source(source.content_hash)
        self.is_repeat = taken is not None
        if taken is not None:
            _refuse_other_options(series, taken, source)

    def add(self, part: _Part, batch: SegmentBatch) -> None:
        if self.is_repeat:
            self._known += part.table.num_rows
            return
        table = self._fresh(part)
        for first in range(0, table.num_rows, self._segment_rows):
            rows = table.slice(first, self._segment_rows)
            path = self._new_path(part.label)
            self._segments.append(batch.add(self._folder, path, self._series, rows, self._source))

    def _new_path(self, label: str) -> str:
        """A name that the manifest does not have: of a source that lost a file, others still bear its hash."""
        stem = f"date={label}/{self._source.content_hash[:16]}"
        paths = (f"{stem}-{number}.parquet" for number in self._numbers[label])
        return next(path for path in paths if path not in self._taken)

    def _fresh(self, part: _Part) -> Table:
        """The rows without those that are stored; of recorded ones each counts."""
        table = part.table
        if SEQUENCE in table.column_names:
            return table
        tables = [self._read(one) for one in self._there if one.path.startswith(f"date={part.label}/")]
        if self._series.kind is HistoryKind.TRADES:
            tables += self._over_the_edge(part)
        if not tables:
            return table
        is_known, is_differing = known_rows(self._series.kind, pa.concat_tables(tables), table)
        self._known += int(is_known.sum())
        self._differing += int(is_differing.sum())
        return table.filter(pa.array(~is_known))

    def _read(self, segment: Segment) -> Table:
        return read_segment(self._folder, self._series.kind, segment)

    def _over_the_edge(self, part: _Part) -> Iterator[Table]:
        """Trades of the part's moments in other partitions: recorded ones lie where they were received."""
        with_receipt = has_receipt(part.table)
        times = whole_numbers(part.table[order_column(self._series.kind, has_receipt=with_receipt)])
        near = Span(start_ns=int(times[0]) - CLOCK_MARGIN_NS, end_ns=int(times[-1]) + CLOCK_MARGIN_NS)
        events = pc.min_max(part.table["ts_event"]).as_py()
        if events["min"] is None:
            return
        for one in self._there:
            is_elsewhere = not one.path.startswith(f"date={part.label}/") and (one.has_receipt or with_receipt)
            if is_elsewhere and not near.misses(one.start_ns, one.end_ns):
                rows = self._read(one)
                is_before = pc.less(rows["ts_event"], events["min"] - MS_NS)
                is_behind = pc.greater(rows["ts_event"], events["max"] + MS_NS)
                yield rows.filter(pc.invert(pc.or_(is_before, is_behind)))

    @property
    def manifest(self) -> Manifest:
        segments = (*self._before.segments, *self._segments)
        return msgspec.structs.replace(self._before, segments=segments, sources=(*self._before.sources, self._source))

    @property
    def written(self) -> Written:
        return Written(
            rows_stored=sum(segment.rows for segment in self._segments),
            rows_known=self._known,
            rows_differing=self._differing,
            segments=tuple(self._segments),
            is_repeat=self.is_repeat,
        )


def _tails_under(root: Path, series: Series, table: Table) -> list[Tail]:
    """The logs, which may have trades of a gap that is filled; to be read before the manifest, as every reader does."""
    is_over = series.kind is HistoryKind.TRADES and SEQUENCE not in table.column_names
    return read_tails(root) if is_over else []


def _parts(series: Series, table: Table) -> Iterable[_Part]:
    schema = schema_of(series.kind, has_sequence=SEQUENCE in table.column_names)
    table = table.select(schema.names).cast(schema).combine_chunks()
    for label, start, stop in partition_slices(_order_times(series, table), series.period):
        yield _Part(label=label, table=table.slice(start, stop - start), last_row=stop)


def _refuse_other_options(series: Series, taken: Source, source: Source) -> None:
    if taken.options is None or source.options is None or taken.options == source.options:
        return
    before, now = json.loads(taken.options), json.loads(source.options)
    changes = "; ".join(f"{name} {before.get(name)}, now {now[name]}" for name in now if before.get(name) != now[name])
    raise ImportRefused(
        f"{source.name}: this file was imported before into {series}, read otherwise ({changes}). "
        f"Remove what it gave first: workstation data remove {series.as_options}"
    )


def _order_times(series: Series, table: Table) -> IntArray:
    column = order_column(series.kind, has_receipt=has_receipt(table))
    if table[column].null_count:
        raise BadInput(f"{series}: {table[column].null_count} rows without {column}, and none has a receipt time")
    times = whole_numbers(table[column])
    falls = np.flatnonzero(times[1:] < times[:-1])
    if len(falls):
        row = int(falls[0]) + 1
        raise RowsOutOfOrder(
            f"{series}: {column} of row {row} is {times[row]}, before {times[row - 1]} of the row above"
        )
    return times
