"""A series' rows as they are stored, each one, in the order of the time that they are stored by; what is damaged apart.

A replay's lanes leave out what would come twice; here whoever looks for faults gets it.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from workstation.history.blocks import BLOCK_ROWS
from workstation.history.durable import HistoryCorrupt
from workstation.history.layout import HistoryKind, Series
from workstation.history.market_rows import OnCorrupt, RowForm, Span, chunk_rows, fill_rows, partitions, row_groups
from workstation.history.merging import Merging, merge_cursors
from workstation.history.quality_kernel import HAS_RECEIPT
from workstation.history.segments import Segment, order_column
from workstation.kernels.merging import merge_rows
from workstation.model.market import MARKET_ROW, Rows

_FORM = RowForm(instrument=0)


def ordered_rows(root: Path, series: Series, segments: Sequence[Segment], on_corrupt: OnCorrupt) -> Iterator[Rows]:
    """MARKET_ROWs by ts_received (event time where there is none), of bars by opening, with HAS_RECEIPT in `flags`.

    Each chunk is valid until the next is asked for. In memory are a row group for each file of a partition whose files
    overlap; of overlapping bars, the partition. `on_corrupt` is told of each file that is passed over.
    """
    folder = root / series.folder
    for together in partitions(segments, Span()):
        if all(before.end_ns <= after.start_ns for before, after in pairwise(together)):
            buffer = np.zeros(chunk_rows(together), MARKET_ROW)
            for segment in together:
                yield from _filled(folder, series, segment, buffer, on_corrupt)
        elif series.kind is HistoryKind.BARS:
            yield _by_opening(folder, series, together, on_corrupt)
        else:
            yield from _merged(folder, series, together, on_corrupt)


def _filled(folder: Path, series: Series, segment: Segment, buffer: Rows, on_corrupt: OnCorrupt) -> Iterator[Rows]:
    """One file's rows, a row group at a time, as the start of `buffer`."""
    column = order_column(series.kind, has_receipt=segment.has_receipt)
    try:
        for table in row_groups(folder, segment, Span(), column):
            rows = fill_rows(buffer[: table.num_rows], series, segment, table, _FORM)
            rows["flags"] = (rows["flags"] & (0xFF ^ HAS_RECEIPT)) | (HAS_RECEIPT if segment.has_receipt else 0)
            yield rows
    except HistoryCorrupt as error:
        on_corrupt(error)


def _by_opening(folder: Path, series: Series, segments: Sequence[Segment], on_corrupt: OnCorrupt) -> Rows:
    """All bars of one partition in one array."""
    buffer = np.zeros(chunk_rows(segments), MARKET_ROW)
    parts = [chunk.copy() for one in segments for chunk in _filled(folder, series, one, buffer, on_corrupt)]
    rows: Rows = np.concatenate([buffer[:0], *parts])
    return rows[np.argsort(rows["ts_event"], kind="stable")]


def _merged(folder: Path, series: Series, segments: Sequence[Segment], on_corrupt: OnCorrupt) -> Iterator[Rows]:
    sizes = [chunk_rows([one]) for one in segments]
    ends = np.cumsum(sizes, dtype=np.int64)
    starts = ends - np.array(sizes, np.int64)
    pool = np.zeros(ends[-1], MARKET_ROW)
    cursors = [
        _filled(folder, series, one, pool[start:end], on_corrupt)
        for one, start, end in zip(segments, starts, ends, strict=True)
    ]
    return merge_cursors(Merging(cursors, pool, starts), np.zeros(BLOCK_ROWS, MARKET_ROW), merge_rows)
