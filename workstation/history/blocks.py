"""Many series as one ordered stream of rows, in blocks that a replay walks through."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workstation.history.layout import HistoryKind, Series
from workstation.history.market_rows import (
    OnCorrupt,
    RowForm,
    Span,
    chunk_rows,
    partitions,
    row_chunks,
)
from workstation.history.merging import NEVER, merge_rows
from workstation.history.store import HistoryStore
from workstation.model.instrument import InstrumentKey, Registry
from workstation.model.market import MARKET_ROW, IntArray, Rows

BLOCK_ROWS = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One series of a stream; its place among the selections is its feed rank."""

    key: InstrumentKey
    kind: HistoryKind
    interval_ns: int | None = None

    @property
    def series(self) -> Series:
        return Series(kind=self.kind, key=self.key, interval_ns=self.interval_ns)


def count_rows(
    store: HistoryStore, selections: Sequence[Selection], *, start_ns: int | None = None, end_ns: int | None = None
) -> int:
    """How many rows `merged_blocks` will give, from the manifests; only the partitions at the ends are opened.

    Raises HistoryMissing for a series without rows in the span.
    """
    span = Span(start_ns=start_ns, end_ns=end_ns)
    return sum(store.count(selection.series, span) for selection in selections)


def merged_blocks(
    store: HistoryStore,
    selections: Sequence[Selection],
    registry: Registry,
    *,
    start_ns: int | None = None,
    end_ns: int | None = None,
    assumed_delay_ns: int = 0,
    block_rows: int = BLOCK_ROWS,
    on_corrupt: OnCorrupt | None = None,
) -> Iterator[Rows]:
    """The rows of all selections by (ts_received, rank, file order), at most `block_rows` at a time.

    Each block is the same memory: it is valid until the next one is asked for. What is selected is data time, see
    `Span`; rows without a receipt time are received at ts_event + assumed_delay_ns. In memory are one block and, for
    each series, one row group (or one partition where stored files overlap). Raises UnknownInstrument, HistoryMissing,
    HistoryCorrupt.
    """
    span = Span(start_ns=start_ns, end_ns=end_ns)
    sizes = [chunk_rows(store.segments(selection.series, span)) for selection in selections]
    starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    pool = np.zeros(starts[-1], MARKET_ROW)
    cursors = []
    for selection, start, size in zip(selections, starts, sizes, strict=False):
        form = RowForm(instrument=registry.index(selection.key), assumed_delay_ns=assumed_delay_ns)
        cursors.append(_chunks(store, selection.series, span, form, pool[start : start + size], on_corrupt))
    return _merged(cursors, pool, starts[:-1], np.zeros(block_rows, MARKET_ROW))


def _chunks(
    store: HistoryStore, series: Series, span: Span, form: RowForm, buffer: Rows, on_corrupt: OnCorrupt | None
) -> Iterator[Rows]:
    """A series' rows by time, as the start of `buffer`; a receipt time that falls is lifted, as the gate does."""
    last = np.iinfo(np.int64).min
    folder = store.root / series.folder
    for segments in partitions(store.segments(series, span), span):
        for rows in row_chunks(folder, series, segments, span, form, buffer, on_corrupt):
            received = rows["ts_received"]
            if received[0] < last:
                np.maximum(received, last, out=received)
            last = received[-1]
            yield rows


def _merged(cursors: list[Iterator[Rows]], pool: Rows, starts: IntArray, out: Rows) -> Iterator[Rows]:

    heads, ends = starts.copy(), starts.copy()
    next_ts = np.full(len(cursors), 0, np.int64)
    filled = 0
    while True:
        for rank, cursor in enumerate(cursors):
            if heads[rank] == ends[rank] and next_ts[rank] != NEVER:
                rows = next(cursor, None)
                heads[rank] = starts[rank]
                ends[rank] = starts[rank] + (0 if rows is None else len(rows))
                next_ts[rank] = NEVER if rows is None else rows["ts_received"][0]
        filled = merge_rows(pool, heads, ends, next_ts, out, filled) if cursors else 0
        has_ended = bool((next_ts == NEVER).all())
        if filled == len(out) or (has_ended and filled):
            yield out[:filled]
            filled = 0
        if has_ended:
            return
