"""Coverage by UTC day: which share of the time in which the market was open lies in no gap."""

from dataclasses import dataclass

import numpy as np

from workstation.model.durations import DAY_NS
from workstation.model.market import (
    IntArray,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCoverage:
    """One day, "2024-08-08": its rows, and which fraction of it, while the market was open, lies in no gap."""

    day: str
    rows: int
    coverage: float


def day_coverage(first_day: int, rows: IntArray, opened: IntArray, gaps: IntArray) -> tuple[DayCoverage, ...]:
    """`rows` counts each day from `first_day` (days since 1970) on; `opened` and `gaps`, shape (n, 2), lie within.

    A day without rows on which the market was closed is left out.
    """
    spans, missing = time_by_day(opened, first_day, len(rows)), time_by_day(gaps, first_day, len(rows))
    shown = np.flatnonzero((spans > 0) | (rows > 0))
    labels = np.datetime_as_string((first_day + shown).astype("datetime64[D]"))
    shares = 1.0 - missing[shown] / np.maximum(spans[shown], 1)
    return tuple(
        DayCoverage(day=str(label), rows=int(count), coverage=float(share))
        for label, count, share in zip(labels, rows[shown], shares, strict=True)
    )


def time_by_day(pairs: IntArray, first_day: int, days: int) -> IntArray:
    """How much of each day lies in the spans, shape (n, 2), which are within these days."""
    opens = (first_day + np.arange(days, dtype=np.int64)) * DAY_NS
    time = np.zeros(days, np.int64)
    first, last = pairs[:, 0] // DAY_NS - first_day, (pairs[:, 1] - 1) // DAY_NS - first_day
    is_short = first == last
    np.add.at(time, first[is_short], pairs[is_short, 1] - pairs[is_short, 0])
    for start_ns, end_ns, one, other in zip(*pairs[~is_short].T, first[~is_short], last[~is_short], strict=True):
        part = slice(max(one, 0), other + 1)
        time[part] += np.maximum(np.minimum(opens[part] + DAY_NS, end_ns) - np.maximum(opens[part], start_ns), 0)
    return time


def within(pairs: IntArray, sessions: IntArray) -> IntArray:
    """The parts of spans that lie in sessions; both of shape (n, 2), ascending and apart."""
    parts = [np.zeros((0, 2), np.int64)]
    first = np.searchsorted(sessions[:, 1], pairs[:, 0], side="right")
    last = np.searchsorted(sessions[:, 0], pairs[:, 1], side="left")
    for (start_ns, end_ns), low, high in zip(pairs, first, last, strict=True):
        touched = sessions[low:high]
        parts.append(np.stack([np.maximum(touched[:, 0], start_ns), np.minimum(touched[:, 1], end_ns)], axis=1))
    return np.concatenate(parts)
