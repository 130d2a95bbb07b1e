"""The compiled merge of sorted series into one order."""

from typing import Any

import numpy as np

from workstation.kernels.compiled import compiled
from workstation.model.market import IntArray, Rows

NEVER = np.iinfo(np.int64).max
"""The next time of a series that has ended."""


@compiled
def merge_rows(pool: Rows, heads: IntArray, ends: IntArray, next_ts: IntArray, out: Rows, filled: int) -> int:
    """Moves rows from `pool` to `out[filled:]` by (ts_received, series, place in series) and returns the new `filled`.

    Series s has the rows heads[s] … ends[s]-1 of `pool`; next_ts[s] is the time of the first, NEVER when it has ended.
    Stops when `out` is full, or when a series has run out: its next time is unknown until the caller brings more rows.
    """
    while filled < len(out):
        first = next_series(next_ts)
        if next_ts[first] == NEVER:
            return filled
        limit = last_time_of_run(next_ts, first)
        head = heads[first]
        while head < ends[first] and filled < len(out) and pool[head]["ts_received"] <= limit:
            out[filled] = pool[head]
            filled += 1
            head += 1
        heads[first] = head
        if head == ends[first]:
            return filled
        next_ts[first] = pool[head]["ts_received"]
    return filled


@compiled
def _comes_before(pool: Rows, heads: IntArray, next_ts: IntArray, one: int, other: int) -> Any:
    """Whether the next row of series `one` comes before that of `other`; `one` has not ended."""
    if next_ts[one] != next_ts[other]:
        return next_ts[one] < next_ts[other]
    return pool[heads[one]]["sequence"] < pool[heads[other]]["sequence"]


@compiled
def merge_numbered(pool: Rows, heads: IntArray, ends: IntArray, next_ts: IntArray, out: Rows, filled: int) -> int:
    """As merge_rows, by (ts_received, sequence): the one order that the rows had when they were recorded."""
    while filled < len(out):
        first = 0
        for series in range(1, len(heads)):
            if next_ts[series] != NEVER and _comes_before(pool, heads, next_ts, series, first):
                first = series
        if next_ts[first] == NEVER:
            return filled
        out[filled] = pool[heads[first]]
        filled += 1
        heads[first] += 1
        if heads[first] == ends[first]:
            return filled
        next_ts[first] = pool[heads[first]]["ts_received"]
    return filled


@compiled
def next_series(next_ts: IntArray) -> int:
    """Whose next row is the first of all; at equal times the lower rank goes first."""
    first, least = 0, next_ts[0]
    for series in range(1, len(next_ts)):
        ts = next_ts[series]
        first = series if ts < least else first
        least = min(ts, least)
    return first


@compiled
def last_time_of_run(next_ts: IntArray, first: int) -> Any:
    """Up to this time the rows of `first` come before all others: at equal times the lower rank goes first."""
    limit = NEVER
    for series in range(len(next_ts)):
        if series != first:
            limit = min(limit, next_ts[series] - 1 if series < first else next_ts[series])
    return limit
