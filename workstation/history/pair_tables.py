"""Stored columns of a pair as one table, whatever files and tails they lie in."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from workstation.history.layout import Series
from workstation.history.market_rows import Span
from workstation.history.segments import SCHEMAS, Segment, Table, TailSegment, order_column, read_segment, whole_numbers


def read_tables(folder: Path, series: Series, segments: Sequence[Segment], span: Span) -> Table:
    """The rows in the span, in the order of their time. Raises HistoryCorrupt, naming the file."""
    schema, column = SCHEMAS[series.kind], order_column(series.kind, has_receipt=True)
    parts = [
        one.table.select(schema.names) if isinstance(one, TailSegment) else read_segment(folder, series.kind, one)
        for one in segments
    ]
    table = pa.concat_tables([schema.empty_table(), *(part.cast(schema) for part in parts)]).combine_chunks()
    times = whole_numbers(table[column])
    inside = np.flatnonzero(span.holds(times))
    return table.take(pa.array(inside[np.argsort(times[inside], kind="stable")]))
