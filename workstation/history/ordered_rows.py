"""A series' rows as they are stored, each one, in the order of the time that they are stored by; what is damaged apart.

A replay's lanes leave out what would come twice; here whoever looks for faults gets it.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from workstation.history.blocks import BLOCK_ROWS, merge_cursors
from workstation.history.durable import HistoryCorrupt
from workstation.history.layout import HistoryKind, Series
from workstation.history.market_rows import OnCorrupt, RowForm, Span, chunk_rows, fill_rows, partitions, row_groups
from workstation.history.merging import merge_rows
from workstation.history.quality_kernel import HAS_RECEIPT
from workstation.history.segments import Segment, order_column
from workstation.model.market import MARKET_ROW, Rows

_FORM = RowForm(instrument=0)


def ordered_rows(root: Path, series: Series, segments: Sequence[Segment], on_corrupt: OnCorrupt) -> Iterator[Rows]:
    """MARKET_ROWs by ts_received (event time where there is none), of bars by opening, with HAS_RECEIPT in `flags`.

    Each chunk is valid until the next is asked for. In memory are a row group for each file of a partition whose files
    overlap; of overlapping bars, the partition. `on_corrupt` is told of each file that is passed over.
    """
    folder = root / series.folder
    for together in partitions(segments, Span()):
        cursors = _cursors(folder, series, together, on_corrupt)
        if all(before.end_ns <= after.start_ns for before, after in pairwise(together)):
            for cursor in cursors:
                yield from cursor
        elif series.kind is HistoryKind.BARS:
            rows = np.concatenate([chunk.copy() for cursor in cursors for chunk in cursor])
            yield rows[np.argsort(rows["ts_event"], kind="stable")]
        else:
            yield from _merged(cursors, together)


def _cursors(folder: Path, series: Series, segments: Sequence[Segment], on_corrupt: OnCorrupt) -> list[Iterator[Rows]]:
    return [_filled(folder, series, one, np.zeros(chunk_rows([one]), MARKET_ROW), on_corrupt) for one in segments]


def _filled(folder: Path, series: Series, segment: Segment, buffer: Rows, on_corrupt: OnCorrupt) -> Iterator[Rows]:
    column = order_column(series.kind, has_receipt=segment.has_receipt)
    try:
        for table in row_groups(folder, segment, Span(), column):
            rows = fill_rows(buffer[: table.num_rows], series, segment, table, _FORM)
            if segment.has_receipt:
                rows["flags"] |= HAS_RECEIPT
            yield rows
    except HistoryCorrupt as error:
        on_corrupt(error)


def _merged(cursors: Sequence[Iterator[Rows]], segments: Sequence[Segment]) -> Iterator[Rows]:
    sizes = [chunk_rows([one]) for one in segments]
    starts = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
    pool = np.zeros(starts[-1], MARKET_ROW)
    placed = [_placed(cursor, pool[start:]) for cursor, start in zip(cursors, starts, strict=False)]
    return merge_cursors(placed, pool, starts[:-1], np.zeros(BLOCK_ROWS, MARKET_ROW), merge_rows)


def _placed(cursor: Iterator[Rows], place: Rows) -> Iterator[Rows]:
    """The chunks, each copied to the beginning of `place`."""
    for rows in cursor:
        place[: len(rows)] = rows
        yield place[: len(rows)]
