"""Times of foreign files as int64 ns UTC. The unit is recognised or the file is refused; nothing is guessed."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workstation.errors import ImportRefused
from workstation.model.market import BoolArray, IntArray

UNITS = (("s", 10**9), ("ms", 10**6), ("us", 10**3), ("ns", 1))
_EDGES = np.array([1e8, 1e10, 1e11, 1e13, 1e14, 1e16, 1e17, 9.2e18])
"""Pairs of bounds for s, ms, us and ns since 1970: each is 1973 to 2262 at least, and no two overlap."""
_OUTSIDE = r"^(0\d{3}|1[0-5]\d\d|16[0-6]\d|167[0-7]|226[2-9]|22[7-9]\d|2[3-9]\d\d|[3-9]\d{3})-"
"""Years before 1678 and after 2261, which int64 nanoseconds do not hold: Arrow would wrap them without a word."""
ABSENT = np.iinfo(np.int64).min
"""A cell that holds no readable time."""


def times_of(column: Any, name: str, lines: IntArray, time_format: str | None = None) -> tuple[IntArray, str]:
    """A column as ns UTC (ABSENT where it has none) and a sentence on how it was read. Raises ImportRefused.

    Text without a zone is UTC. `time_format` is a strptime form for text that is not ISO 8601; `lines` name rows.
    """
    if column.null_count == len(column):
        return np.full(len(column), ABSENT, np.int64), "empty"
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        zone = getattr(column.type, "tz", None)
        try:
            nanoseconds = pc.cast(column, pa.timestamp("ns", tz=zone)).cast(pa.int64())
        except pa.ArrowInvalid as error:
            raise ImportRefused(f"column {name!r}: a time outside 1677 to 2262: {error}") from error
        return _filled(nanoseconds), f"{column.type}, {'' if zone else 'taken as '}UTC"
    if pa.types.is_integer(column.type):
        if pa.types.is_uint64(column.type):
            is_over = pc.greater(column, pa.scalar(np.iinfo(np.int64).max, pa.uint64()))
            column = pc.if_else(is_over, pa.scalar(None, pa.uint64()), column)
        values = _filled(column.cast(pa.int64()))
        unit, factor = _unit(values.astype(np.float64), name, lines)
        return _scaled(values, factor), f"whole {unit} since 1970"
    if pa.types.is_floating(column.type):
        seconds = column.cast(pa.float64()).fill_null(np.nan).to_numpy()
        unit, factor = _unit(seconds, name, lines)
        with np.errstate(invalid="ignore"):
            micros = np.rint(seconds * (factor / 1_000))
        return _scaled(np.where(np.isfinite(micros), micros, ABSENT).astype(np.int64), 1_000), f"{unit} since 1970"
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return _text_times(column, name, lines, time_format)
    raise ImportRefused(f"column {name!r}: type {column.type}: expected times, whole numbers or text")


def _cast_text(column: Any, target: Any) -> IntArray | None:
    """All cells at once; None for mixed zones or a bad cell: then they are read one by one, about five times slower."""
    try:
        return _filled(pc.cast(column, target).cast(pa.int64()))
    except pa.ArrowInvalid:
        return None


def _text_times(column: Any, name: str, lines: IntArray, time_format: str | None) -> tuple[IntArray, str]:
    if time_format is not None:
        try:
            parsed = pd.to_datetime(column.to_pandas(), format=time_format, utc=True, errors="coerce")
        except (ValueError, re.error) as error:
            raise ImportRefused(f"--time-format {time_format!r}: {error}") from error
        return _nanoseconds(parsed, column, name, lines, f"form {time_format!r}"), f"text as {time_format!r}, UTC"
    digits = pc.match_substring_regex(column, r"^(\d{1,18}|[1-8]\d{18})$").fill_null(False)  # what fits into int64
    if 2 * pc.sum(digits).as_py() > len(column):
        numbers = pc.if_else(digits, column, pa.scalar(None, column.type))
        return times_of(numbers.cast(pa.int64()), name, lines)
    is_outside = pc.match_substring_regex(column, _OUTSIDE).fill_null(False)
    column = pc.if_else(is_outside, pa.scalar(None, column.type), column)
    if column.null_count == len(column):
        raise ImportRefused(f"column {name!r}: every time is outside 1677 to 2262")
    for target in (pa.timestamp("ns"), pa.timestamp("ns", tz="UTC")):
        times = _cast_text(column, target)
        if times is not None:
            return times, "ISO 8601 text, UTC"
    text = pc.if_else(digits, pa.scalar(None, column.type), column)  # a bare number among texts has no unit
    parsed = pd.to_datetime(text.to_pandas(), format="ISO8601", utc=True, errors="coerce")
    return _nanoseconds(parsed, column, name, lines, "ISO 8601"), "ISO 8601 text, UTC"


def _nanoseconds(parsed: Any, column: Any, name: str, lines: IntArray, form: str) -> IntArray:
    if len(parsed) and parsed.isna().all():
        raise ImportRefused(
            f"column {name!r}: no value is a time in {form} (line {lines[0]}: {column[0].as_py()!r}). "
            "Name the form, such as: --time-format '%Y-%m-%d %I-%p'"
        )
    parsed = parsed.where(parsed.dt.year.between(1678, 2261))
    nanoseconds: IntArray = np.asarray(parsed.dt.tz_localize(None), "datetime64[ns]").astype(np.int64)
    return nanoseconds  # NaT is ABSENT, the least int64


def _unit(values: npt.NDArray[np.float64], name: str, lines: IntArray) -> tuple[str, int]:
    place = np.digitize(values, _EDGES)
    is_time = (place % 2 == 1) & np.isfinite(values)
    found = np.unique(place[is_time]) // 2
    if len(found) == 0:
        raise ImportRefused(
            f"column {name!r}: no value is a time in s, ms, us or ns since 1970 (line {lines[0]}: {values[0]:g})"
        )
    if len(found) > 1:
        rows = [int(np.flatnonzero(is_time & (place // 2 == one))[0]) for one in found[:2]]
        first, second = (f"line {lines[row]} has {values[row]:.0f} ({UNITS[place[row] // 2][0]})" for row in rows)
        raise ImportRefused(f"column {name!r}: two units in one column: {first}, {second}")
    unit, factor = UNITS[found[0]]
    stated = name.lower().rpartition("_")[2]
    if stated in dict(UNITS) and "_" in name and stated != unit:
        raise ImportRefused(f"column {name!r}: its name says {stated}, line {lines[0]} with {values[0]:.0f} is {unit}")
    return unit, factor


def _scaled(values: IntArray, factor: int) -> IntArray:
    # what is in no unit's range (0, -1, ABSENT) is no time; the range also keeps the product within int64
    low, high = 10**17 // factor, 9_200_000_000_000_000_000 // factor
    inside: BoolArray = (values >= low) & (values < high)
    return np.where(inside, np.where(inside, values, 0) * factor, ABSENT)


def _filled(column: Any) -> IntArray:
    values: IntArray = column.fill_null(ABSENT).to_numpy()
    return values
