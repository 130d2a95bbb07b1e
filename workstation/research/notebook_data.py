"""`ws.datasets`, `ws.quality`, `ws.quality_map` and `ws.make_bars`: what is on the disk, and whether it can be trusted.

    ws.datasets()
    ws.quality("quotes", venue="nova")
    ws.quality_map("bars")
    ws.make_bars("nova", "BTC/USDT:USDT", "5m", source="trades")

The words are those of `workstation data list`, `data quality` and `data bars`.
"""

import time
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pandas as pd

from workstation.charts.quality import CoverageChart, coverage
from workstation.config.words import duration_of, text_of
from workstation.errors import BadInput, HistoryMissing
from workstation.history.bar_building import built_bars
from workstation.history.bar_recipe import BarRecipe, EmptyBars, QuotePrice
from workstation.history.bar_storing import store_bars, usual_venue
from workstation.history.calendars import Calendar
from workstation.history.chosen import ChosenSeries, bar_source
from workstation.history.layout import HistoryKind, Series
from workstation.history.quality import SeriesQuality, history_quality
from workstation.history.quality_tables import coverage_frame, moments, quality_frame
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, SECOND_NS
from workstation.model.market import (
    interval_ns,
)
from workstation.research.choices import When, require_stored, span_of
from workstation.research.notebook import Source, open_history
from workstation.research.notebook_frames import bar_frame

__all__ = ["datasets", "make_bars", "quality", "quality_map"]
LONGEST_NS = 366 * DAY_NS
"""Without a row, that a person may call no gap."""
DATASET = ["kind", "venue", "symbol", "interval", "start", "end", "rows", "bytes", "segments"]

Word = TypeVar("Word", HistoryKind, Calendar, EmptyBars, QuotePrice)


def datasets(
    kind: HistoryKind | str | None = None,
    *,
    venue: str | None = None,
    symbol: str | None = None,
    interval: str | None = None,
    history: Source = None,
) -> pd.DataFrame:
    """What is on the disk: one row for each series, of what is recorded now all to its last write.

    `start` and `end` are the first and the last row's times in UTC, `bytes` those of its files.
    """
    store, chosen = open_history(history), _chosen(kind, venue, symbol, interval)
    named = {(one.kind, one.key.venue, one.key.symbol, one.interval_ns) for one in store.series() if chosen.has(one)}
    rows = [
        (*(str(one.kind), str(one.venue), str(one.symbol), one.interval, one.start_ns, one.end_ns),
         *(one.rows, one.bytes, one.segments))
        for one in store.datasets()
        if (one.kind, one.venue, one.symbol, _length_ns(one.interval)) in named
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=DATASET)
    return frame.assign(**{name: moments(frame[name]) for name in ("start", "end")})


def quality(
    kind: HistoryKind | str | None = None,
    *,
    venue: str | None = None,
    symbol: str | None = None,
    interval: str | None = None,
    gap_seconds: float | None = None,
    calendar: Calendar | str = Calendar.UTC,
    history: Source = None,
) -> pd.DataFrame:
    """What each series has and lacks: the figures of `workstation data quality`, one row for each series.

    `coverage` is from 0 to 1, `longest_gap`, `clock_offset` and `age` are lengths of time: a clock_offset below zero
    says that the receiver's clock was behind. `faults` counts rows that cannot be right. What is not known of a series
    is missing. A silence of quotes and trades over `gap_seconds` is a gap; by default the series itself says what is
    long. Raises BadInput, and HistoryMissing where nothing of that name is stored.
    """
    return quality_frame(_found(kind, venue, symbol, interval, gap_seconds, calendar, history))


def quality_map(
    kind: HistoryKind | str | None = None,
    *,
    venue: str | None = None,
    symbol: str | None = None,
    interval: str | None = None,
    gap_seconds: float | None = None,
    calendar: Calendar | str = Calendar.UTC,
    history: Source = None,
) -> CoverageChart:
    """Coverage by day as a map, a line for each series; of more than 31 days a cell is a week, a month or longer."""
    return coverage(coverage_frame(_found(kind, venue, symbol, interval, gap_seconds, calendar, history)))


def make_bars(
    venue: str,
    symbol: str,
    interval: str,
    *,
    source: str = "trades",
    price: QuotePrice | str = QuotePrice.MID,
    empty: EmptyBars | str = EmptyBars.FLAT,
    calendar: Calendar | str = Calendar.UTC,
    start: When | None = None,
    end: When | None = None,
    keep: bool = False,
    into: str | None = None,
    history: Source = None,
) -> pd.DataFrame:
    """Bars of stored trades, quotes or shorter bars (`source`: "trades", "quotes", or a length such as "1m").

    A row for each bar, by its opening in UTC, and whether it `is_empty` (flat at the last close) and `has_ended` for
    sure. Nothing is stored unless `keep`: then the ended ones are, beside their source, under the venue's own name or
    the name `into`; bars that are there already stay. Raises BadInput, HistoryMissing.
    """
    series = bar_source(text_of("source", source), text_of("venue", venue), text_of("symbol", symbol))
    store = open_history(history)
    span = span_of(start, end)
    recipe = BarRecipe(
        interval_ns=interval_ns(text_of("interval", interval)),
        calendar=_word("calendar", Calendar, calendar),
        empty=_word("empty", EmptyBars, empty),
        price=_word("price", QuotePrice, price),
        start_ns=span.start_ns,
        end_ns=span.end_ns,
    )
    if into is not None and not keep:
        raise BadInput(f"into {into!r}: expected it with keep=True; nothing is stored otherwise")
    require_stored(store, series, span)
    built = built_bars(store, series, recipe)
    if keep:
        store_bars(store, series, recipe, built, usual_venue(series, recipe) if into is None else into)
    has_ended = np.arange(len(built.bars)) < built.whole
    return bar_frame(built.bars).assign(is_empty=built.is_empty, has_ended=has_ended)


def _found(
    kind: HistoryKind | str | None,
    venue: str | None,
    symbol: str | None,
    interval: str | None,
    gap_seconds: float | None,
    calendar: Calendar | str,
    history: Source,
) -> Sequence[SeriesQuality]:
    store, chosen = open_history(history), _chosen(kind, venue, symbol, interval)
    gap_ns = None if gap_seconds is None else duration_of("gap_seconds", gap_seconds, SECOND_NS, LONGEST_NS)
    return history_quality(
        store,
        now_ns=time.time_ns(),
        series=_meant(store, chosen),
        gap_ns=gap_ns,
        calendar=_word("calendar", Calendar, calendar),
    )


def _meant(store: HistoryStore, chosen: ChosenSeries) -> list[Series]:
    """Those that have rows. Raises HistoryMissing where none is meant, with what there is."""
    stored = sorted((one for one, segments in store.stored().items() if segments), key=str)
    meant = [one for one in stored if chosen.has(one)]
    if stored and not meant:
        raise HistoryMissing(f"{chosen.words}: not stored in {store.root}; ws.datasets() lists what is")
    return meant


def _chosen(
    kind: HistoryKind | str | None, venue: str | None, symbol: str | None, interval: str | None
) -> ChosenSeries:
    return ChosenSeries(
        kind=None if kind is None else _word("kind", HistoryKind, kind),
        venue=None if venue is None else text_of("venue", venue),
        symbol=None if symbol is None else text_of("symbol", symbol),
        interval=None if interval is None else text_of("interval", interval),
    )


def _word(name: str, words: type[Word], given: str) -> Word:
    try:
        return words(given)
    except ValueError:
        raise BadInput(f"{name} {given!r}: expected {', '.join(words)}") from None


def _length_ns(interval: str | None) -> int | None:
    return None if interval is None else interval_ns(interval)
