"""How many rows of each series a recorder has written and let go; counted behind the caller, a frame at a time."""

import threading
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from workstation.history.layout import Series
from workstation.history.live_rows import series_codes, series_of
from workstation.model.instrument import Instrument
from workstation.model.market import Rows

INSTRUMENT_BITS = 24
"""A series' code (`live_rows.series_codes`) has its instrument above them."""


class SeriesCount(NamedTuple):
    """Of one series since the recorder was opened; `last_ns` is when its last row was received, 0 before one was."""

    rows: int = 0
    lost: int = 0
    last_ns: int = 0


def rows_by_code(rows: Rows) -> dict[int, int]:
    """How many rows bear each series' code, by the numbers that they have."""
    codes, counts = np.unique(series_codes(rows), return_counts=True)
    return dict(zip(codes.tolist(), counts.tolist(), strict=True))


class SeriesCounts:
    """Written by the writer's thread, read by any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[int, SeriesCount] = {}
        self._series: dict[int, Series | None] = {}

    def written(self, rows: Rows) -> None:
        """At least one row, by the log's numbers."""
        codes, last, counts = np.unique(series_codes(rows)[::-1], return_index=True, return_counts=True)
        times = rows["ts_received"][::-1][last]
        with self._lock:
            for code, count, last_ns in zip(codes.tolist(), counts.tolist(), times.tolist(), strict=True):
                rows_before, lost, _ = self._counts.get(code, NONE)
                self._counts[code] = SeriesCount(rows_before + count, lost, last_ns)

    def lost(self, rows_of: Mapping[int, int]) -> None:
        with self._lock:
            for code, count in rows_of.items():
                rows, lost_before, last_ns = self._counts.get(code, NONE)
                self._counts[code] = SeriesCount(rows, lost_before + count, last_ns)

    def by_series(self, instruments: Mapping[int, Instrument]) -> dict[Series, SeriesCount]:
        """As of now; rows of unknown kinds and instruments are left out."""
        with self._lock:
            counts = dict(self._counts)
            for code in counts.keys() - self._series.keys():
                self._series[code] = series_of(code, instruments)
            return {series: count for code, count in counts.items() if (series := self._series[code]) is not None}


NONE = SeriesCount()
