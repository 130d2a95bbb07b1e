"""From a foreign table to our columns, and what is wrong with each row, column by column."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workstation.errors import ImportRefused
from workstation.history.columns import Role
from workstation.history.layout import HistoryKind
from workstation.history.segments import SCHEMAS, Table, order_column
from workstation.history.source_files import SourceTable
from workstation.history.timestamps import ABSENT, times_of
from workstation.model.market import BoolArray, FloatArray, IntArray

Columns = dict[str, Any]
"""Our name to a numpy array; trade_id to an Arrow array."""
SWAPPED_FACTOR = 2.0
"""Quote volume divided by base volume must be within this factor of the bar's range."""
_WORDS = {"buy": False, "b": False, "sell": True, "s": True}
_TRUTHS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}


@dataclass(slots=True)
class Verdict:
    """The first thing wrong with each row: `codes` has 0 for a good row, else the place of its reason from 1."""

    codes: Any
    reasons: list[str] = field(default_factory=list)

    def reject(self, mask: BoolArray, reason: str) -> None:
        fresh = mask & (self.codes == 0)
        if fresh.any():
            self.reasons.append(reason)
            self.codes[fresh] = len(self.reasons)

    @property
    def is_good(self) -> BoolArray:
        good: BoolArray = self.codes == 0
        return good


def converted(source: SourceTable, time_format: str | None) -> tuple[Columns, list[str]]:
    """Our columns as arrays, and sentences on how times were read. Raises ImportRefused where two columns disagree."""
    columns: Columns = {}
    notes: list[str] = []
    for ours, names in source.columns.sources.items():
        values = []
        for name in names:
            role, column = source.columns.roles[name], source.table[name].combine_chunks()
            if role is Role.TIME:
                times, note = times_of(column, name, source.lines, time_format)
                notes.append(f"{ours} from {name!r}: {note}")
                values.append(times)
            else:
                values.append(_converted(column, role, name))
        columns[ours] = values[0] if len(values) == 1 else _agreeing(source, ours, names, values)
    return columns, notes


def check_rows(kind: HistoryKind, columns: Columns, verdict: Verdict) -> None:
    """Values that cannot be: unreadable, not finite, not positive, crossed, high below low, swapped volumes."""
    has_receipt = "ts_received" in columns
    time_name = order_column(kind, has_receipt=has_receipt)
    verdict.reject(columns[time_name] == ABSENT, f"{time_name} is missing or no time within 1677 to 2262")
    for name in SCHEMAS[kind].names:
        if SCHEMAS[kind].field(name).type == pa.float64():
            values = columns[name]
            verdict.reject(~np.isfinite(values), f"{name} is missing or no finite number")
            if name == "rate":
                verdict.reject(np.abs(values) >= 1, "rate is no fraction below 1: in percent?")
                continue
            may_be_zero = name in ("volume", "bid_quantity", "ask_quantity", "index_price")
            verdict.reject(
                values < 0 if may_be_zero else values <= 0, f"{name} is {'' if may_be_zero else '0 or '}negative"
            )
    if kind is HistoryKind.QUOTES:
        verdict.reject(columns["bid"] > columns["ask"], "crossed: bid above ask")
    if kind is HistoryKind.BARS:
        _check_bars(columns, verdict)


def _check_bars(columns: Columns, verdict: Verdict) -> None:
    low, high = columns["low"], columns["high"]
    verdict.reject(high < low, "high below low")
    for name in ("open", "close"):
        verdict.reject((columns[name] < low) | (columns[name] > high), f"{name} outside low to high")
    if "volume_quote" in columns:
        quoted, volume = columns["volume_quote"], columns["volume"]
        with np.errstate(divide="ignore", invalid="ignore"):
            paid = quoted / volume
        is_off = (paid < low / SWAPPED_FACTOR) | (paid > high * SWAPPED_FACTOR)
        is_large_enough = (quoted >= 1) & (volume > 0)  # below, the file's own rounding decides
        verdict.reject(is_off & is_large_enough, "quote volume / volume is far off the price: columns swapped?")


def check_order(times: IntArray, verdict: Verdict, *, sort: bool) -> tuple[IntArray, str | None]:
    """The order in which to store the good rows (their places), and a sentence where it is not the file's.

    A file from newest to oldest is reversed; else a row before one above it is rejected, or with `sort` moved.
    """
    places = np.flatnonzero(verdict.is_good)
    steps = np.diff(times[places])
    if not (steps < 0).any():
        return places, None
    if (steps <= 0).all():
        return places[::-1], "the file runs from newest to oldest: reversed"
    if sort:
        return places[np.argsort(times[places], kind="stable")], "rows were out of order: sorted by time"
    is_late = np.zeros(len(times), np.bool_)
    is_late[places] = times[places] < np.maximum.accumulate(times[places])
    verdict.reject(is_late, "out of order: before a row above it (--sort takes it in)")
    return np.flatnonzero(verdict.is_good), None


def check_duplicates(kind: HistoryKind, columns: Columns, places: IntArray, verdict: Verdict) -> IntArray:
    """`places` (by time) without bars of one ts_open, trades of one id, and quotes that repeat the one above."""
    repeats = np.zeros(len(places), np.bool_)
    times = columns[order_column(kind, has_receipt="ts_received" in columns)][places]
    if kind is HistoryKind.BARS:
        repeats[1:] = np.diff(times) == 0
        reason = "duplicate ts_open"
    elif kind is HistoryKind.TRADES:
        if "trade_id" not in columns:
            return places  # equal fills in one millisecond are genuine
        repeats = _repeated_ids(columns["trade_id"], places)
        reason = "duplicate trade_id"
    else:
        names = [name for name in SCHEMAS[kind].names if name in columns]
        pairs = np.flatnonzero(np.diff(times) == 0)  # few rows share their time, so only these are compared
        first, second = places[pairs], places[pairs + 1]
        repeats[pairs + 1] = np.logical_and.reduce([columns[name][first] == columns[name][second] for name in names])
        reason = "duplicate: equal to the row above, time included"
    is_duplicate = np.zeros(len(verdict.codes), np.bool_)
    is_duplicate[places[repeats]] = True
    verdict.reject(is_duplicate, reason)
    return places[~repeats]


def stored_table(kind: HistoryKind, columns: Columns, places: IntArray) -> Table:
    """The rows at `places` with the columns of their kind; what the file lacks is null."""
    arrays = []
    is_whole = len(places) == 0 or bool((np.diff(places) == 1).all())
    chosen = slice(int(places[0]), int(places[-1]) + 1) if len(places) and is_whole else places
    for schema_field in SCHEMAS[kind]:
        values = columns.get(schema_field.name)
        if values is None:
            arrays.append(pa.nulls(len(places), schema_field.type))
        elif isinstance(values, pa.Array):
            arrays.append(values.take(pa.array(places)).cast(schema_field.type))
        elif schema_field.type == pa.int64():
            part = values[chosen]
            arrays.append(pa.array(part, mask=part == ABSENT))
        else:
            arrays.append(pa.array(values[chosen]))
    return pa.table(arrays, schema=SCHEMAS[kind])


def _repeated_ids(ids: Any, places: IntArray) -> BoolArray:
    if pa.types.is_integer(ids.type) and ids.null_count == 0:
        numbers = ids.to_numpy()[places]
        if (np.diff(numbers) > 0).all():
            return np.zeros(len(places), np.bool_)
        codes = pd.Series(numbers)
    else:
        codes = pd.Series(ids.dictionary_encode().indices.fill_null(-1).to_numpy()[places])
    return np.asarray(codes.duplicated() & (codes != -1 if ids.null_count else True), np.bool_)


def _converted(column: Any, role: Role, name: str) -> Any:
    if role is Role.NUMBER:
        try:
            values: FloatArray = column.cast(pa.float64()).fill_null(np.nan).to_numpy()
        except pa.ArrowException as error:
            raise ImportRefused(f"column {name!r}: type {column.type}: expected numbers: {error}") from error
        return values
    if role is Role.TEXT:
        return column
    words = _WORDS if role is Role.SIDE else _TRUTHS
    text = pc.utf8_lower(column.cast(pa.string())).dictionary_encode()
    unknown = [word for word in text.dictionary.to_pylist() if word not in words]
    if unknown or column.null_count:
        what = repr(unknown[0]) if unknown else "an empty cell"
        raise ImportRefused(f"column {name!r}: {what}: expected one of {', '.join(words)}")
    truths = np.array([words[word] for word in text.dictionary.to_pylist()], np.bool_)
    return truths[text.indices.to_numpy()]


def _agreeing(source: SourceTable, ours: str, names: tuple[str, ...], values: list[Any]) -> Any:
    """The finest of several columns that claim to be `ours`. Raises ImportRefused where they differ."""
    if source.columns.roles[names[0]] is Role.TIME:
        steps = [_resolution(times) for times in values]
        coarsest = max(steps)
        compared = [times // coarsest for times in values]
        finest = values[steps.index(min(steps))]
    else:
        compared, finest = values, values[0]
    for name, other in zip(names[1:], compared[1:], strict=True):
        differing = np.flatnonzero(np.asarray(compared[0] != other))
        if len(differing):
            row = int(differing[0])
            raise ImportRefused(
                f"{source.path.name}: two columns could be {ours}: {names[0]!r} and {name!r} differ at line "
                f"{source.lines[row]} ({values[0][row]} and {values[names.index(name)][row]}). "
                f"Name one: --column {ours}={names[0]}"
            )
    return finest


def _resolution(times: IntArray) -> int:
    present = times[times != ABSENT]
    return next(step for step in (10**9, 10**6, 10**3, 1) if not (present % step).any())
