"""How many rows the history has of a collection: for one whose process is gone, whose own figures end too early."""

from collections.abc import Callable

import msgspec
import numpy as np

from workstation.errors import HistoryMissing
from workstation.history.collection import CollectedSeries
from workstation.history.layout import HistoryKind, Series
from workstation.history.market_rows import Span, count_stored
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS
from workstation.model.market import (
    interval_label,
)


def recorded_rows(
    store: HistoryStore, wants: Callable[[Series], bool], from_ns: int, to_ns: int
) -> list[CollectedSeries]:
    """The series that are wanted, with the rows that were received in [from_ns, to_ns). Raises HistoryCorrupt."""
    found = [_recorded(store, series, from_ns, to_ns) for series in store.series() if wants(series)]
    return [one for one in found if one.rows]


def _recorded(store: HistoryStore, series: Series, from_ns: int, to_ns: int) -> CollectedSeries:
    named = CollectedSeries(
        kind=series.kind,
        venue=series.key.venue,
        symbol=series.key.symbol,
        interval=None if series.interval_ns is None else interval_label(series.interval_ns),
    )
    try:
        if series.kind is HistoryKind.BARS:
            return _of_bars(store, series, named, from_ns, to_ns)
        span = Span(start_ns=from_ns, end_ns=to_ns)
        segments = store.segments(series, span, as_recorded=True)
    except HistoryMissing:
        return named
    rows = count_stored(store.root / series.folder, series, segments, span)
    last_ns = min(max(one.end_ns for one in segments), to_ns - 1)
    return msgspec.structs.replace(named, rows=rows, last_ns=last_ns)


def _of_bars(store: HistoryStore, series: Series, named: CollectedSeries, from_ns: int, to_ns: int) -> CollectedSeries:
    """Bars lie by their opening, and one may come long after it."""
    assert series.interval_ns is not None
    first_ns = from_ns - series.interval_ns - DAY_NS
    rows = store.rows(series.key, series.kind, 0, first_ns, interval_ns=series.interval_ns, as_recorded=True)
    received = rows["ts_received"]
    received = received[(received >= from_ns) & (received < to_ns)]
    if not len(received):
        return named
    return msgspec.structs.replace(named, rows=len(received), last_ns=int(np.max(received)))
