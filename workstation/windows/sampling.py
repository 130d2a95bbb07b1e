"""A window's fields over time: the loop, stopped at the end of each step of a grid to read what the window says there.

So a series of the past is what the same window told live, and costs little more than the walk itself.
"""

import math
from typing import Any

from workstation.kernels.compiled import compiled
from workstation.windows.advance import advance_rows
from workstation.windows.specs import Field
from workstation.windows.spread_window import (
    EDGE_AB,
    EDGE_BA,
    LOWER_BAND,
    LOWER_QUANTILE,
    MEAN,
    NET_EDGE_AB,
    NET_EDGE_BA,
    SPREAD,
    UPPER_BAND,
    UPPER_QUANTILE,
    VALUE,
    Z,
    field_value,
    stale_from,
)  # fmt: skip
from workstation.windows.tables import NEVER

SAMPLED = (
    Field.VALUE, Field.MEAN, Field.UPPER_BAND, Field.LOWER_BAND, Field.Z,
    Field.EDGE_AB, Field.EDGE_BA, Field.NET_EDGE_AB, Field.NET_EDGE_BA, Field.LOWER_QUANTILE, Field.UPPER_QUANTILE,
)  # fmt: skip
"""The columns of a sample, in this order."""
OF_POINTS = (Field.MEAN, Field.UPPER_BAND, Field.LOWER_BAND, Field.LOWER_QUANTILE, Field.UPPER_QUANTILE)
"""Statistics: known also while a side is stale."""
UNKNOWN_IN_GAP = tuple(column for column, field in enumerate(SAMPLED) if field not in OF_POINTS)
NO_GAP = -1


@compiled
def gap_begins(slot: Any, instruments: Any, next_ts: int) -> int:
    """When a side gets too old, if that is before the next row at `next_ts` (ns); NO_GAP if it does not."""
    if slot["kind"] != SPREAD or slot["current"] != slot["current"]:
        return NO_GAP
    begins = stale_from(slot, instruments)
    return begins if begins < next_ts else NO_GAP


@compiled
def write_sample(slot: Any, instruments: Any, is_gap: bool, values: Any, place: int) -> None:
    """Writes SAMPLED to values[place]; in a gap what is not a statistic of the points is NaN.

    All are read before the first is written, each by a field that the compiler knows: what several need is computed
    once.
    """
    sample = (
        field_value(slot, instruments, VALUE),
        field_value(slot, instruments, MEAN),
        field_value(slot, instruments, UPPER_BAND),
        field_value(slot, instruments, LOWER_BAND),
        field_value(slot, instruments, Z),
        field_value(slot, instruments, EDGE_AB),
        field_value(slot, instruments, EDGE_BA),
        field_value(slot, instruments, NET_EDGE_AB),
        field_value(slot, instruments, NET_EDGE_BA),
        field_value(slot, instruments, LOWER_QUANTILE),
        field_value(slot, instruments, UPPER_QUANTILE),
    )
    for column in range(len(sample)):
        values[place, column] = sample[column]
    if is_gap:
        for column in UNKNOWN_IN_GAP:
            values[place, column] = math.nan


@compiled
def sample_rows(
    rows: Any,
    every_ns: int,
    slot_index: int,
    times: Any,
    values: Any,
    is_gap: Any,
    written: int,
    *tables: Any,
) -> tuple[int, int]:
    """Takes all rows of a block; writes one sample per step of `every_ns` that has rows, after the last of them, and
    one where a gap begins.

    `times` int64[n] (receipt of the row, ns), `values` float64[n, len(SAMPLED)] and `is_gap` have room for two samples
    a row; `written` are there already, and the last of them is replaced where its step goes on, so that blocks may be
    cut anywhere. `tables` are those of `Tables.arrays()`. Returns (position, written); a position before the end is
    that of a row out of order.
    """
    instruments, slot = tables[1], tables[2][slot_index]
    start, count = 0, len(rows)
    while start < count:
        step = rows[start]["ts_received"] // every_ns
        step_end, stop = (step + 1) * every_ns, start + 1
        while stop < count and rows[stop]["ts_received"] < step_end:
            stop += 1
        goes_on = written > 0 and not is_gap[written - 1] and times[written - 1] // every_ns == step
        begins = gap_begins(slot, instruments, rows[start]["ts_received"])
        if written > 0 and not goes_on and begins != NO_GAP:
            times[written], is_gap[written] = begins, True
            write_sample(slot, instruments, True, values, written)
            written += 1
        position, reasons = advance_rows(rows, start, stop, NEVER, NEVER, *tables)
        if reasons:
            return position, written
        if goes_on:
            written -= 1
        times[written], is_gap[written] = rows[stop - 1]["ts_received"], False
        write_sample(slot, instruments, False, values, written)
        written += 1
        start = stop
    return start, written
