"""Data quality as tables for charts and notebooks, and as plain values for JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from workstation.history.quality import SeriesQuality


def coverage_frame(found: Sequence[SeriesQuality]) -> pd.DataFrame:
    """One row for each series and UTC day between its ends: dataset, day (a date at midnight UTC), rows, coverage."""
    rows = [(one.name, day.day, day.rows, day.coverage) for one in found for day in one.days]
    frame = pd.DataFrame(rows, columns=["dataset", "day", "rows", "coverage"])
    return frame.assign(day=pd.to_datetime(frame["day"], utc=True))


def plain_values(one: SeriesQuality) -> dict[str, Any]:
    """Every figure by its name, in types that JSON has."""
    values = asdict(one)
    del values["series"]
    names = {"kind": str(one.series.kind), "venue": one.series.key.venue, "symbol": one.series.key.symbol}
    return names | {"interval": one.interval} | values | {"missing_bars": one.missing_bars, "faults": one.faults}
