"""Data quality as tables for charts and notebooks, and as plain values for JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from workstation.history.quality import SeriesQuality

COUNTS = (
    "rows", "gaps", "duplicates", "out_of_order", "crossed", "zero_prices", "outliers", "frozen", "faults"
)  # fmt: skip
LENGTHS = ("longest_gap", "clock_offset", "age")
FIGURES = [
    *("kind", "venue", "symbol", "interval", "rows", "coverage", "gaps", "longest_gap", "duplicates", "out_of_order"),
    *("crossed", "zero_prices", "outliers", "frozen", "clock_offset", "age", "start", "end", "faults"),
]
"""Of a table of quality, in the order of its columns."""


def coverage_frame(found: Sequence[SeriesQuality]) -> pd.DataFrame:
    """One row for each series and UTC day between its ends: dataset, day (a date at midnight UTC), rows, coverage."""
    rows = [(one.name, day.day, day.rows, day.coverage) for one in found for day in one.days]
    frame = pd.DataFrame(rows, columns=["dataset", "day", "rows", "coverage"])
    return frame.assign(day=pd.to_datetime(frame["day"], utc=True))


def quality_frame(found: Sequence[SeriesQuality]) -> pd.DataFrame:
    """One row for each series: what it is, its figures by their names, times in UTC and lengths as timedeltas.

    What is not known of a series (ids of trades, the venue's clock) is missing there, never 0.
    """
    rows = [_figures(one) for one in found]
    frame = pd.DataFrame(rows, columns=FIGURES)
    for name in LENGTHS:
        frame[name] = _lengths(frame[name])
    for name in ("start", "end"):
        frame[name] = moments(frame[name])
    return frame.astype(dict.fromkeys(COUNTS, "Int64"))


def _lengths(lengths_ns: Any) -> pd.TimedeltaIndex:
    """To the nanosecond; NaT where it is not known."""
    known = ["NaT" if pd.isna(one) else int(one) for one in lengths_ns]
    return pd.TimedeltaIndex(np.array([np.timedelta64(one, "ns") for one in known], "m8[ns]"))


def moments(times_ns: Any) -> pd.DatetimeIndex:
    """Nanoseconds since 1970 as times in UTC; of no rows too."""
    return pd.DatetimeIndex(np.asarray(times_ns, np.int64).astype("datetime64[ns]")).tz_localize("UTC")


def _figures(one: SeriesQuality) -> tuple[Any, ...]:
    longest = one.longest_gaps[0].length_ns if one.longest_gaps else None
    return (
        *(str(one.series.kind), str(one.series.key.venue), str(one.series.key.symbol), one.interval),
        *(one.rows, one.coverage, one.gaps, longest, one.duplicates, one.out_of_order, one.crossed, one.zero_prices),
        *(one.outliers, one.frozen, one.clock_offset_ns, one.age_ns, one.start_ns, one.end_ns, one.faults),
    )


def plain_values(one: SeriesQuality) -> dict[str, Any]:
    """Every figure by its name, in types that JSON has."""
    values = asdict(one)
    del values["series"]
    names = {"kind": str(one.series.kind), "venue": one.series.key.venue, "symbol": one.series.key.symbol}
    return names | {"interval": one.interval} | values | {"missing_bars": one.missing_bars, "faults": one.faults}
