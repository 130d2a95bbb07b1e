"""`ws.asof`: what of one table was known at each row of another, in plain words.

quotes = ws.history("nova", "BTC/USDT", "quotes")
ws.asof(quotes, ws.history("nova", "BTC/USDT:USDT", "funding"), max_age_seconds=8 * 3600)
"""

import numpy as np
import pandas as pd

from workstation.config.words import duration_of
from workstation.errors import BadInput
from workstation.kernels.asof import NONE, asof_places
from workstation.model.durations import SECOND_NS
from workstation.model.market import IntArray

__all__ = ["asof"]
OPENING = "ts_open"
"""The index of bars: of what is only known at their end."""
BY_END = 'index them by their end, such as bars.set_axis((bars.index + pd.Timedelta("1m")).rename("ts_end"))'
LONGEST_NS = 9 * 10**18
"""Nanoseconds of it are still an int64."""


def asof(
    frame: pd.DataFrame, other: pd.DataFrame, *, max_age_seconds: float | None = None, suffix: str = "_other"
) -> pd.DataFrame:
    """`frame` with the columns of `other` as they were last known at each of its rows, the equal moment included.

    Both are indexed by times that rise or stay, as `ws.history` gives them; a column of both gets `suffix` in what is
    joined. Where nothing was known yet, or only something older than `max_age_seconds`, it is missing (NaN, NaT, None).
    Bars are refused as `other` while they stand by their opening, since their figures are known at their end alone:
    bars.set_axis((bars.index + pd.Timedelta("1m")).rename("ts_end")) indexes minutes by it. Raises BadInput.
    """
    if other.index.name == OPENING:
        raise BadInput(f"other: bars by their opening were not known then: {BY_END}")
    max_age_ns = None if max_age_seconds is None else _nanoseconds(max_age_seconds)
    places = asof_places(_times("frame", frame), _times("other", other), max_age_ns)
    is_known, joined = places != NONE, frame.copy()
    for name in other:
        label = f"{name}{suffix}" if name in frame else name
        if label in joined:
            raise BadInput(f"{label}: frame has it already: expected another suffix than {suffix!r}")
        known = other[name].take(np.where(is_known, places, 0)) if len(other) else other[name].reindex(frame.index)
        column = known if is_known.all() else known.where(is_known)
        joined[label] = column.array
    return joined


def _times(what: str, frame: pd.DataFrame) -> IntArray:
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None or index.hasnans:
        raise BadInput(f"{what}: expected an index of times in UTC, without gaps, as ws.history gives it")
    times = index.as_unit("ns").asi8
    falls = np.flatnonzero(times[1:] < times[:-1])
    if len(falls):
        raise BadInput(f"{what}: row {falls[0] + 1} is before the one in front of it: sort_index() it")
    return times


def _nanoseconds(max_age_seconds: float) -> int:
    return duration_of("max_age_seconds", max_age_seconds, SECOND_NS, LONGEST_NS)
