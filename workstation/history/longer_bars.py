"""Longer bars out of shorter ones, exactly: first open, highest high, lowest low, last close, sum of volumes."""

from dataclasses import fields

import numpy as np

from workstation.errors import BadInput
from workstation.model.durations import DAY_NS
from workstation.model.market import (
    Bars,
    IntArray,
)

MONDAY_NS = 4 * DAY_NS
"""The first Monday after 1970 began: weeks open on Mondays."""
WEEK_NS = 7 * DAY_NS
COLUMNS = tuple(field.name for field in fields(Bars) if field.name != "interval_ns")


def opening_of(ts_ns: int, interval_ns: int) -> int:
    """When the bar that `ts_ns` lies in opens."""
    anchor_ns = _anchor(interval_ns)
    return (ts_ns - anchor_ns) // interval_ns * interval_ns + anchor_ns


def longer_bars(bars: Bars, interval_ns: int, anchor_ns: int | None = None) -> Bars:
    """Bars of `interval_ns` out of shorter ones in order; the first and the last may not be whole.

    They open at `anchor_ns` and whole intervals from it; without it at midnight UTC, weeks on Mondays.
    """
    if interval_ns % bars.interval_ns:
        raise BadInput(f"bars of {interval_ns} ns out of those of {bars.interval_ns} ns: expected a multiple")
    if not len(bars):
        return empty_bars(interval_ns)
    if anchor_ns is None:
        anchor_ns = _anchor(interval_ns)
    number: IntArray = (bars.ts_open - anchor_ns) // interval_ns
    first = np.append(0, np.flatnonzero(number[1:] != number[:-1]) + 1)
    last = np.append(first[1:], len(bars)) - 1
    return Bars(
        interval_ns=interval_ns,
        ts_open=number[first] * interval_ns + anchor_ns,
        open=bars.open[first],
        high=np.maximum.reduceat(bars.high, first),
        low=np.minimum.reduceat(bars.low, first),
        close=bars.close[last],
        volume=np.add.reduceat(bars.volume, first),
    )


def joined_bars(*parts: Bars) -> Bars:
    """All parts of one series by opening; of a bar that is in several, the last part's."""
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
    order = np.argsort(columns["ts_open"], kind="stable")
    order = order[np.diff(columns["ts_open"][order], append=np.iinfo(np.int64).max) != 0]
    return Bars(interval_ns=parts[0].interval_ns, **{name: column[order] for name, column in columns.items()})


def empty_bars(interval_ns: int) -> Bars:
    none = np.empty(0)
    return Bars(
        interval_ns=interval_ns,
        ts_open=np.empty(0, np.int64),
        open=none,
        high=none,
        low=none,
        close=none,
        volume=none,
    )


def _anchor(interval_ns: int) -> int:
    return MONDAY_NS if interval_ns % WEEK_NS == 0 else 0
