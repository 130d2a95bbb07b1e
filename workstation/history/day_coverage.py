"""Coverage by UTC day: which share of the day, as far as the series spans it, lies in no gap."""

from dataclasses import dataclass

import numpy as np

from workstation.model.market import DAY_NS, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCoverage:
    """One day, "2024-08-08": its rows, and which fraction of it lies between the series' ends and in no gap."""

    day: str
    rows: int
    coverage: float


def day_coverage(start_ns: int, end_ns: int, gaps: IntArray, rows: IntArray) -> tuple[DayCoverage, ...]:
    """`rows` counts each day from that of `start_ns` on; gaps, shape (n, 2), from and to, lie within start and end."""
    first_day = start_ns // DAY_NS
    opens = (first_day + np.arange(len(rows), dtype=np.int64)) * DAY_NS
    spans = np.minimum(opens + DAY_NS, end_ns) - np.maximum(opens, start_ns)
    missing = np.zeros(len(rows), np.int64)
    first, last = gaps[:, 0] // DAY_NS - first_day, (gaps[:, 1] - 1) // DAY_NS - first_day
    is_short = first == last
    np.add.at(missing, first[is_short], gaps[is_short, 1] - gaps[is_short, 0])
    for gap_start, gap_end, one, other in zip(*gaps[~is_short].T, first[~is_short], last[~is_short], strict=True):
        part = slice(one, other + 1)
        missing[part] += np.minimum(opens[part] + DAY_NS, gap_end) - np.maximum(opens[part], gap_start)
    labels = np.datetime_as_string(opens.astype("datetime64[ns]").astype("datetime64[D]"))
    shares = 1.0 - missing / np.maximum(spans, 1)
    return tuple(
        DayCoverage(day=str(label), rows=int(count), coverage=float(share))
        for label, count, share in zip(labels, rows, shares, strict=True)
    )
