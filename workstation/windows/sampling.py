"""A window's fields over time, read at the end of each step of a grid: what the same window told live, bit for bit."""

import math
from typing import Any

from workstation.kernels.compiled import compiled, compiled_aside
from workstation.kernels.merging import NEVER, next_series
from workstation.windows.advance import log_mid, price_fault, spread_bps
from workstation.windows.specs import Field
from workstation.windows.spread_window import (
    EDGE_AB,
    EDGE_BA,
    LOWER_BAND,
    LOWER_QUANTILE,
    MAX,
    MEAN,
    MIN,
    NET_EDGE_AB,
    NET_EDGE_BA,
    SPREAD,
    UPPER_BAND,
    UPPER_QUANTILE,
    VALUE,
    Z,
    enter_bucket,
    field_value,
    hold_value,
    stale_from,
)  # fmt: skip
from workstation.windows.tables import NO_BASIS, UNTOUCHED

SAMPLED = (
    Field.VALUE, Field.MEAN, Field.UPPER_BAND, Field.LOWER_BAND, Field.Z,
    Field.EDGE_AB, Field.EDGE_BA, Field.NET_EDGE_AB, Field.NET_EDGE_BA, Field.LOWER_QUANTILE, Field.UPPER_QUANTILE,
    Field.MIN, Field.MAX,
)  # fmt: skip
"""The columns of a sample, in this order."""
OF_POINTS = (
    Field.MEAN, Field.UPPER_BAND, Field.LOWER_BAND, Field.LOWER_QUANTILE, Field.UPPER_QUANTILE, Field.MIN, Field.MAX,
)  # fmt: skip
"""Statistics: known also while a side is stale."""
UNKNOWN_IN_GAP = tuple(column for column, field in enumerate(SAMPLED) if field not in OF_POINTS)
NO_GAP, NOTHING = -1, -1


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
        field_value(slot, instruments, MIN),
        field_value(slot, instruments, MAX),
    )
    for column in range(len(sample)):
        values[place, column] = sample[column]
    if is_gap:
        for column in UNKNOWN_IN_GAP:
            values[place, column] = math.nan


@compiled
def put_sample(
    slot: Any, instruments: Any, begins_gap: bool, ts: int, times: Any, values: Any, is_gap: Any, place: int
) -> int:
    """Writes what the window says at `ts`; returns the next place."""
    times[place], is_gap[place] = ts, begins_gap
    write_sample(slot, instruments, begins_gap, values, place)
    return place + 1


@compiled
def begin_step(
    slot: Any, instruments: Any, ts: int, every_ns: int, times: Any, values: Any, is_gap: Any, written: int
) -> int:
    """The place of the sample of the step of `ts`: that of the last one where its step goes on, else behind it, and
    behind the gap that begins between the two."""
    if written == 0:
        return 0
    if not is_gap[written - 1] and times[written - 1] // every_ns == ts // every_ns:
        return written - 1
    begins = gap_begins(slot, instruments, ts)
    return written if begins == NO_GAP else put_sample(slot, instruments, True, begins, times, values, is_gap, written)


@compiled
def tell_window(slot: Any, instruments: Any, taken: int) -> int:
    """The window takes the spread of the last quotes, of which the newest was received at `taken`; NOTHING is left."""
    if taken == NOTHING:
        return NOTHING
    for side in (slot["instrument_a"], slot["instrument_b"], slot["basis"]):
        if side != NO_BASIS and instruments[side]["log_mid"] != instruments[side]["log_mid"]:
            instruments[side]["log_mid"] = log_mid(instruments[side]["bid"], instruments[side]["ask"])
    hold_value(slot, spread_bps(slot, instruments, taken))
    return NOTHING


@compiled_aside
def sample_prices(
    pool: Any, heads: Any, ends: Any, next_ts: Any, sides: Any,
    every_ns: int, slot_index: int, times: Any, values: Any, is_gap: Any, written: int,
    clocks: Any, instruments: Any, slots: Any, points: Any, bins: Any,
) -> tuple[int, int]:  # fmt: skip
    """Takes quotes until one of their series has no more here, in the order and to the effect of `advance_rows`; writes
    one sample per step of `every_ns` that has rows, after the last of them, and one where a gap begins.

    Series s has the rows heads[s] … ends[s]-1 of `pool`, of the instrument sides[s]; next_ts as of `merge_rows`.
    `times` int64[n] (receipt of the row, ns), `values` float64[n, len(SAMPLED)] and `is_gap` have room for two samples
    a step; `written` are there already, and the last of them is replaced where its step goes on, so that the series may
    be cut anywhere. Returns (written, 0), or when the first row was received that came out of order.

    Of the quotes in one bucket the window keeps the last value, so that it is told of the last quote alone: also of one
    before a gap may begin, since a gap leaves the value before it standing.
    """
    clock, slot = clocks[0], slots[slot_index]
    last, taken, step_end, until = clock["ts_received"], NOTHING, UNTOUCHED, UNTOUCHED
    while True:
        first = next_series(next_ts)
        ts, head = next_ts[first], heads[first]
        if ts == NEVER:
            break
        if ts < last:
            return written, ts
        is_true = price_fault(pool[head]["x0"], pool[head]["x1"]) == 0
        if ts >= until:
            taken = tell_window(slot, instruments, taken)
            if ts >= step_end:
                if step_end != UNTOUCHED:
                    written = put_sample(slot, instruments, False, last, times, values, is_gap, written)
                written = begin_step(slot, instruments, ts, every_ns, times, values, is_gap, written)
                step_end = (ts // every_ns + 1) * every_ns
            if is_true and ts >= slot["bucket_end"]:
                enter_bucket(slot, points, bins, ts)
            until = min(step_end, slot["bucket_end"], stale_from(slot, instruments))
        last = ts
        if is_true:
            instrument = instruments[sides[first]]
            instrument["ts_received"], instrument["bid"], instrument["ask"] = ts, pool[head]["x0"], pool[head]["x1"]
            instrument["log_mid"], taken = math.nan, ts
        heads[first] = head + 1
        if head + 1 == ends[first]:
            break
        next_ts[first] = pool[head + 1]["ts_received"]
    tell_window(slot, instruments, taken)
    clock["ts_received"] = last
    if step_end != UNTOUCHED:
        written = put_sample(slot, instruments, False, last, times, values, is_gap, written)
    return written, 0
