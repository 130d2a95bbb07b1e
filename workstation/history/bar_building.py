"""Bars out of what is stored: of trades, of quotes, or of shorter bars, by UTC or by a trading calendar.

A bar covers [open, close) and bears its opening as its time. Ticks go by the venue's time where they have one, as the
venue's own bars do. An empty bar is flat at the last close with volume 0, and flagged, or left out: the choice is the
caller's. The first bar begins with the first tick, and the last ends with the last: neither may be whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workstation.errors import BadInput, HistoryMissing
from workstation.history.bar_recipe import LATEST_NS, BarRecipe, EmptyBars, QuotePrice
from workstation.history.calendars import Sessions, require_fitting, sessions_of
from workstation.history.layout import HistoryKind, Series
from workstation.history.longer_bars import COLUMNS, empty_bars, joined_bars, longer_bars
from workstation.history.market_rows import Span, partitions
from workstation.history.scaling import decode
from workstation.history.segments import Segment, read_stored, whole_numbers
from workstation.history.store import HistoryStore, shown_time
from workstation.history.tick_bars import BAR, COUNT, NEWEST, OUTSIDE, UNUSABLE, take_ticks
from workstation.model.durations import HOUR_NS
from workstation.model.market import (
    Bars,
    BoolArray,
    FloatArray,
    IntArray,
    Rows,
    interval_label,
)

CLOCK_MARGIN_NS = HOUR_NS
"""By which receipt and the venue's time may differ: so much around the span is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltBars:
    """Bars, and of each whether nothing happened in it; what was left out; until when the source is known."""

    bars: Bars
    is_empty: BoolArray
    outside: int
    """Ticks or shorter bars out of the calendar's sessions."""
    unusable: int
    """Ticks with a price that is none."""
    known_until_ns: int
    """The newest tick's time, or the newest shorter bar's end."""

    @property
    def whole(self) -> int:
        """How many of the bars have ended for sure: all, or all but the last."""
        is_open = len(self.bars) > 0 and self.known_until_ns < int(self.bars.ts_open[-1]) + self.bars.interval_ns
        return len(self.bars) - is_open


def built_bars(store: HistoryStore, source: Series, recipe: BarRecipe) -> BuiltBars:
    """Bars of one stored series of trades, quotes or shorter bars.

    In memory are the bars and one segment of the source. Raises BadInput for a length that cannot be, HistoryMissing
    where nothing lies in the span, HistoryCorrupt.
    """
    if source.kind is HistoryKind.BARS:
        return _resampled(store, source, recipe)
    start_ns, end_ns = recipe.bounds
    wide = Span(
        start_ns=None if recipe.start_ns is None else start_ns - CLOCK_MARGIN_NS,
        end_ns=None if recipe.end_ns is None else end_ns + CLOCK_MARGIN_NS,
    )
    segments = store.segments(source, wide)
    first_ns = min(one.start_ns for one in segments) - CLOCK_MARGIN_NS
    last_ns = max(one.end_ns for one in segments) + CLOCK_MARGIN_NS
    sessions = sessions_of(recipe.calendar, recipe.interval_ns, first_ns, last_ns)
    bars, state = np.zeros(0, BAR), np.array([0, 0, 0, 0, -LATEST_NS], np.int64)
    for times, prices, quantities in _ticks(store.root / source.folder, source, segments, recipe.price):
        bars = _with_room(bars, int(state[COUNT]), len(times))
        if len(sessions.opens):
            limits = (sessions.opens, sessions.ends, recipe.interval_ns, start_ns, end_ns)
            take_ticks(times, prices, quantities, *limits, bars, state)
    if not state[COUNT]:
        raise HistoryMissing(
            f"{source}: no usable tick from {shown_time(recipe.start_ns)} to {shown_time(recipe.end_ns)} in the hours "
            f"of the calendar {recipe.calendar}"
        )
    made = bars[: state[COUNT]]
    columns = {name: made[name].copy() for name in COLUMNS}
    known = {"outside": int(state[OUTSIDE]), "unusable": int(state[UNUSABLE]), "known_until_ns": int(state[NEWEST])}
    return _finished(Bars(interval_ns=recipe.interval_ns, **columns), sessions, recipe, **known)


def _resampled(store: HistoryStore, source: Series, recipe: BarRecipe) -> BuiltBars:
    length_ns = source.interval_ns or 0
    if recipe.interval_ns % length_ns or recipe.interval_ns == length_ns:
        raise BadInput(
            f"bars of {interval_label(recipe.interval_ns)} out of {source}: expected a multiple of "
            f"{interval_label(length_ns)}"
        )
    bars = store.bars(source.key, length_ns, recipe.start_ns, recipe.end_ns)
    if not len(bars):
        raise HistoryMissing(f"{source}: nothing from {shown_time(recipe.start_ns)} to {shown_time(recipe.end_ns)}")
    first_ns, until_ns = int(bars.ts_open[0]), int(bars.ts_open[-1]) + length_ns
    sessions = sessions_of(recipe.calendar, recipe.interval_ns, first_ns, until_ns)
    require_fitting(recipe.calendar, length_ns, bars.ts_open, sessions)
    parts, taken = [empty_bars(recipe.interval_ns)], 0
    for opens, end in zip(sessions.opens.tolist(), sessions.ends.tolist(), strict=True):
        part = bars.slice(*np.searchsorted(bars.ts_open, (opens, end)).tolist())
        taken += len(part)
        parts.append(longer_bars(part, recipe.interval_ns, opens))
    if not taken:
        raise HistoryMissing(f"{source}: nothing in the hours of the calendar {recipe.calendar}")
    outside = len(bars) - taken
    return _finished(joined_bars(*parts), sessions, recipe, outside=outside, unusable=0, known_until_ns=until_ns)


def _finished(bars: Bars, sessions: Sessions, recipe: BarRecipe, **known: int) -> BuiltBars:
    if recipe.empty is EmptyBars.LEFT_OUT:
        return BuiltBars(bars=bars, is_empty=np.zeros(len(bars), np.bool_), **known)
    every = sessions.openings(recipe.interval_ns, int(bars.ts_open[0]), int(bars.ts_open[-1]))
    place = np.searchsorted(bars.ts_open, every, side="right") - 1
    is_empty: BoolArray = bars.ts_open[place] != every
    prices = {name: np.where(is_empty, bars.close[place], getattr(bars, name)[place]) for name in COLUMNS[1:5]}
    volume = np.where(is_empty, 0.0, bars.volume[place])
    filled = Bars(interval_ns=bars.interval_ns, ts_open=every, volume=volume, **prices)
    return BuiltBars(bars=filled, is_empty=is_empty, **known)


def _with_room(bars: Rows, count: int, more: int) -> Rows:
    """The same bars in an array that has room for `more` behind the first `count`."""
    if count + more <= len(bars):
        return bars
    larger = np.zeros(max(2 * len(bars), count + more), BAR)
    larger[:count] = bars[:count]
    return larger


def _ticks(
    folder: Path, source: Series, segments: Sequence[Segment], price: QuotePrice
) -> Iterator[tuple[IntArray, FloatArray, FloatArray]]:
    """Times, prices and quantities (none for quotes) of one segment after the other."""
    is_trades = source.kind is HistoryKind.TRADES
    names = ["price"] if is_trades else ["bid", "ask"] if price is QuotePrice.MID else [str(price)]
    for segment in (one for together in partitions(segments, Span()) for one in together):
        wanted = ["ts_event", *(["ts_received"] if segment.has_receipt else []), *names]
        table = read_stored(folder, segment, [*wanted, "quantity"] if is_trades else wanted)
        values = [_decoded(table, name, segment) for name in names]
        quantities = _decoded(table, "quantity", segment) if is_trades else np.zeros(0)
        yield _times(table), values[0] if len(values) == 1 else _mids(*values), quantities


def _mids(bid: FloatArray, ask: FloatArray) -> FloatArray:
    """NaN where a side has no price."""
    mid: FloatArray = (bid + ask) / 2
    mid[(bid <= 0) | (ask <= 0)] = np.nan
    return mid


def _times(table: Any) -> IntArray:
    """The venue's time; where there is none, of receipt."""
    events = whole_numbers(table["ts_event"])
    if not table["ts_event"].null_count:
        return events
    received = whole_numbers(table["ts_received"])
    return np.where(events == 0, received, events)


def _decoded(table: Any, name: str, segment: Segment) -> FloatArray:
    exponent = segment.scales.get(name)
    if exponent is not None:
        return decode(whole_numbers(table[name]), exponent)
    values: FloatArray = table[name].to_numpy()
    return values
