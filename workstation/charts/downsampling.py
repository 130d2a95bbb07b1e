"""A million points as the few thousand that a screen has room for, without losing what a trader looks for.

Bars are aggregated exactly, to whole multiples of their interval, aligned to UTC (weeks to Monday). Lines keep the
lowest and the highest point of each stretch, so that no spike is lost, and their gaps.
"""

import numpy as np
import numpy.typing as npt

from workstation.errors import BadInput
from workstation.history.longer_bars import COLUMNS, longer_bars, opening_of
from workstation.model.market import INTERVALS_NS, Bars, FloatArray, IntArray

KEPT_OF_A_STRETCH = 3
"""Lowest, highest, and the first that is unknown."""
Places = npt.NDArray[np.intp]


def downsample_bars(bars: Bars, most: int, start: int | None = None, end: int | None = None) -> Bars:
    """At most `most` bars of those that open in [start, end), ns UTC; `interval_ns` says how long each is.

    Where bars are put together, the first and the last are whole too, so that a part of the chart shows the same bars
    as all of it: the span grows to their ends. A bar with a price that is not known is left out.
    """
    _require(most, 1)
    first, last = _places(bars.ts_open, start, end)
    if last - first <= most:
        return _known(bars.slice(first, last))
    length_ns = _length_ns(bars.interval_ns, int(bars.ts_open[first]), int(bars.ts_open[last - 1]), most)
    first_ns, last_ns = (opening_of(int(bars.ts_open[place]), length_ns) for place in (first, last - 1))
    whole = bars.slice(*_places(bars.ts_open, first_ns, last_ns + length_ns))
    return longer_bars(_known(whole), length_ns)


def downsample_line(
    times: IntArray, values: FloatArray, most: int, start: int | None = None, end: int | None = None
) -> tuple[IntArray, FloatArray]:
    """At most `most` points of those in [start, end), ns UTC: of each stretch the lowest, the highest and a gap."""
    places = places_to_draw(times, (values,), most, start, end)
    return times[places], values[places]


def places_to_draw(
    times: IntArray, columns: tuple[FloatArray, ...], most: int, start: int | None = None, end: int | None = None
) -> Places:
    """Where the points lie that columns of one time need so that each keeps its spikes and gaps; ascending."""
    _require(most, KEPT_OF_A_STRETCH * len(columns) + 2)
    first, last = _places(times, start, end)
    if last - first <= most:
        return np.arange(first, last)
    stretches = (most - 2) // (KEPT_OF_A_STRETCH * len(columns))
    begin_ns, length_ns = int(times[first]), int(times[last - 1]) - int(times[first]) + 1
    edges = begin_ns + np.arange(stretches, dtype=np.int64) * -(-length_ns // stretches)
    starts = np.unique(np.searchsorted(times[first:last], edges))
    starts = starts[starts < last - first]
    found = [_extremes(column[first:last], starts) for column in columns]
    return first + np.unique(np.concatenate(found))


def _require(most: int, least: int) -> None:
    if most < least:
        raise BadInput(f"most {most}: expected room for {least} points or more")


def _places(times: IntArray, start: int | None, end: int | None) -> tuple[int, int]:
    first = 0 if start is None else int(np.searchsorted(times, start))
    last = len(times) if end is None else int(np.searchsorted(times, end))
    return first, max(first, last)


def _known(bars: Bars) -> Bars:
    is_known = np.isfinite(bars.open) & np.isfinite(bars.high) & np.isfinite(bars.low) & np.isfinite(bars.close)
    if is_known.all():
        return bars
    return Bars(interval_ns=bars.interval_ns, **{name: getattr(bars, name)[is_known] for name in COLUMNS})


def _length_ns(interval_ns: int, first_ns: int, last_ns: int, most: int) -> int:
    """The shortest usual interval, then the fewest weeks (or, of an odd interval, bars), that `most` are enough of."""
    lengths = [length for length in INTERVALS_NS if length > interval_ns and length % interval_ns == 0]
    for length_ns in lengths:
        if _buckets(length_ns, first_ns, last_ns) <= most:
            return length_ns
    step = lengths[-1] if lengths else interval_ns
    length_ns = max(1, -(-(last_ns - first_ns) // (step * most))) * step
    while _buckets(length_ns, first_ns, last_ns) > most:  # what lies across an edge needs one more
        length_ns += step
    return length_ns


def _buckets(length_ns: int, first_ns: int, last_ns: int) -> int:
    return (opening_of(last_ns, length_ns) - opening_of(first_ns, length_ns)) // length_ns + 1


def _extremes(values: FloatArray, starts: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Of each stretch the first lowest, the first highest and the first unknown place; first and last of all."""
    is_unknown = np.isnan(values)
    counts = np.diff(np.append(starts, len(values)))
    wanted = [np.array([0, len(values) - 1])]
    for extreme in (np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)):
        wanted.append(_first_of_each(values == np.repeat(extreme, counts), starts))
    wanted.append(_first_of_each(is_unknown, starts))
    return np.concatenate(wanted)


def _first_of_each(is_wanted: npt.NDArray[np.bool_], starts: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The first wanted place of each stretch that has one."""
    places = np.flatnonzero(is_wanted)
    stretch = np.searchsorted(starts, places, side="right")
    _, first = np.unique(stretch, return_index=True)
    result: npt.NDArray[np.intp] = places[first]
    return result
