"""From the rows of a live log to stored columns: who received what, then by series, then as a table of its kind."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pyarrow as pa

from workstation.history.layout import HistoryKind, Series
from workstation.history.live_log import RAW_ROW
from workstation.history.market_rows import FIELDS, ROW_KINDS, WHOLE_FIELDS
from workstation.history.segments import Table, order_column, schema_of
from workstation.model.instrument import Instrument
from workstation.model.market import INTERVALS_NS, MARKET_ROW, STEP_BITS, IntArray, RowFlag, RowKind, Rows

KINDS = {int(row_kind): kind for kind, row_kind in ROW_KINDS.items()}
"""What is recorded; rows of another kind stay in no table. A new kind needs its place in SCHEMAS, FIELDS, ROW_KINDS."""


def split_rows(rows: Rows, instruments: Mapping[int, Instrument]) -> dict[Series, Rows]:
    """Each series' rows in the order in which they came. Rows of unknown kinds and instruments are left out."""
    codes = series_codes(rows)
    order = np.argsort(codes, kind="stable")
    ordered, sorted_rows = codes[order], rows.view(RAW_ROW)[order].view(MARKET_ROW)
    bounds = [*np.flatnonzero(np.diff(ordered, prepend=-1)), len(rows)]
    found: dict[Series, Rows] = {}
    for start, stop in pairwise(bounds):
        series = series_of(int(ordered[start]), instruments)
        if series is not None:
            found[series] = sorted_rows[start:stop]
    return found


def rows_of(series: Series, rows: Rows, instruments: Mapping[int, Instrument]) -> Rows:
    """One series' rows in the order in which they came."""
    numbers = [number for number, instrument in instruments.items() if instrument.key == series.key]
    is_wanted = np.isin(rows["instrument"], numbers) & (rows["kind"] == ROW_KINDS[series.kind])
    if series.interval_ns is not None:
        is_wanted &= rows["interval_code"] == INTERVALS_NS.index(series.interval_ns)
    wanted: Rows = rows.view(RAW_ROW)[is_wanted].view(MARKET_ROW)
    return wanted


def recorded_table(series: Series, rows: Rows) -> Table:
    """The columns of the kind, and `sequence`, the gate's number of each row; sorted by the order column.

    A venue's time of 0 is none, hence null. A trade's id is not recorded.
    """
    columns = {"ts_received": rows["ts_received"], "sequence": rows["sequence"] >> STEP_BITS}
    columns |= {name: rows[field] for field, name in FIELDS[series.kind]}
    for field, name, units in WHOLE_FIELDS.get(series.kind, ()):
        columns[name] = rows[field].astype(np.int64) * units
    if series.interval_ns is None:
        columns["ts_event"] = pa.array(rows["ts_event"], mask=rows["ts_event"] == 0)
    else:
        columns["ts_open"] = rows["ts_event"] - series.interval_ns
    if series.kind is HistoryKind.TRADES:
        columns["seller_takes"] = (rows["flags"] & RowFlag.SELLER_TAKES) != 0
    schema = schema_of(series.kind, has_sequence=True)
    arrays = [
        pa.array(columns[field.name]) if field.name in columns else pa.nulls(len(rows), field.type) for field in schema
    ]
    table = pa.table(arrays, schema=schema)
    times = table[order_column(series.kind, has_receipt=True)].to_numpy()
    if (np.diff(times) < 0).any():
        table = table.take(pa.array(np.argsort(times, kind="stable")))
    return table


def series_codes(rows: Rows) -> IntArray:
    """One integer for each row, the same for all rows of a series."""
    codes: IntArray = rows["instrument"].astype(np.int64) << 24
    codes |= rows["kind"].astype(np.int64) << 16
    codes |= np.where(rows["kind"] == RowKind.BAR, rows["interval_code"], 0)
    return codes


def series_of(code: int, instruments: Mapping[int, Instrument]) -> Series | None:
    """The series of a code; None for a kind or an instrument that is unknown."""
    instrument, kind = instruments.get(code >> 24), KINDS.get(code >> 16 & 0xFF)
    if instrument is None or kind is None:
        return None
    interval_ns = INTERVALS_NS[code & 0xFFFF] if kind is HistoryKind.BARS else None
    return Series(kind=kind, key=instrument.key, interval_ns=interval_ns)
