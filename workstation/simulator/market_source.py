"""Where a simulated exchange's prices come from: the seeded market, or recorded history shifted to now."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from workstation.errors import BadInput, HistoryMissing
from workstation.history.layout import HistoryKind, Series
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, MINUTE_NS, SECOND_NS
from workstation.model.instrument import Instrument, InstrumentKey
from workstation.model.market import (
    MARKET_ROW,
    Bars,
    RowKind,
    Rows,
)
from workstation.model.units import grid_of
from workstation.simulator.markets import MarketModel
from workstation.simulator.minute_bars import tick_bars

SPAN_NS = 30 * DAY_NS
"""A model's rows are asked for a month at a time: the path's minutes for it are held."""
DEPARTURES_NS = 200 * DAY_NS
"""Up to here minutes hold the venue's departures from the common price: a thousand candles of four hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """An instrument at a simulated venue; `level_lots` is the typical size of a level of its book."""

    instrument: Instrument
    level_lots: int


class MarketSource(Protocol):
    def listings(self) -> list[Listing]:
        """Every instrument; a row's `instrument` is its place here."""
        ...

    def blocks(self, start_ns: int) -> Iterator[Rows]:
        """Quotes and trades received from `start_ns` on, without end, a second in each block, in receipt order."""
        ...

    def minutes(self, key: InstrumentKey, start_ns: int, stop_ns: int) -> Bars:
        """One-minute bars in [start, stop), as far as there are any; both whole minutes."""
        ...


class ModelSource:
    """The seeded market: the same seed and time give the same prices in every process.

    With `quotes_per_second`, of all instruments together, each quote is repeated with other quantities as often as it
    takes for so many in every second, at any hour of the week: the load of a busy market, at the price path of a calm
    one.
    """

    def __init__(self, model: MarketModel, quotes_per_second: float | None = None) -> None:
        self.model = model
        self._quotes_per_second = quotes_per_second
        sizes = [symbol.touch_quantity for symbol in model.symbols]
        grids = [grid_of(instrument.lot_size) for instrument in model.instruments()]
        self._lots = np.array([grid.numerator / grid.scale for grid in grids])
        self._listings = [
            Listing(instrument=instrument, level_lots=round(sizes[place % len(sizes)] * grid.scale / grid.numerator))
            for place, (instrument, grid) in enumerate(zip(model.instruments(), grids, strict=True))
        ]

    def listings(self) -> list[Listing]:
        return self._listings

    def blocks(self, start_ns: int) -> Iterator[Rows]:
        if start_ns < self.model.origin_ns:
            raise BadInput(f"market from {start_ns} ns: expected {self.model.origin_ns}, its origin, or later")
        load, last = self._quotes_per_second, np.empty(0, MARKET_ROW)
        while True:
            for rows in self.model.blocks(start_ns, start_ns + SPAN_NS, block_ns=SECOND_NS):
                if load is not None:
                    quotes = rows[rows["kind"] == RowKind.QUOTE]
                    if not len(quotes):
                        rows = np.concatenate([_later(last, start_ns), rows])
                    last = quotes[-1:] if len(quotes) else last
                    rows = self._thickened(rows, load, start_ns + SECOND_NS)
                yield rows
                start_ns += SECOND_NS

    def minutes(self, key: InstrumentKey, start_ns: int, stop_ns: int) -> Bars:
        start_ns = max(start_ns, self.model.origin_ns)
        if start_ns >= stop_ns:
            return no_bars()
        # to find a year's departures takes seconds, and they last seconds: candles of days do without them
        is_long = stop_ns - start_ns > DEPARTURES_NS
        return (self.model.bars if is_long else self.model.venue_minutes)(key, start_ns, stop_ns)

    def _thickened(self, rows: Rows, quotes: float, stop_ns: int) -> Rows:
        """A second's rows, each quote repeated until the next, with half its quantities, in turn of bid and of ask."""
        is_quote = rows["kind"] == RowKind.QUOTE
        copies = math.ceil(quotes / max(is_quote.sum(), 1))
        place = np.repeat(np.arange(len(rows)), np.where(is_quote, copies, 1))
        number = np.arange(len(place)) - np.searchsorted(place, place)
        many = rows[place]
        later = number * (np.diff(rows["ts_received"], append=stop_ns) // copies)[place]
        many["ts_received"] += later
        many["ts_event"] += np.where(many["ts_event"] > 0, later, 0)
        lots = self._lots[many["instrument"]]
        for field, parity in (("x2", 1), ("x3", 0)):
            is_other = (number > 0) & (number % 2 == parity)
            many[field][is_other] = np.maximum(np.floor(many[field] / lots / 2), 1.0)[is_other] * lots[is_other]
        return many


def _later(quotes: Rows, ts_received: int) -> Rows:
    """The same, told again."""
    again = quotes.copy()
    again["ts_event"] += np.where(again["ts_event"] > 0, ts_received - again["ts_received"], 0)
    again["ts_received"] = ts_received
    return again


class HistorySource:
    """Recorded quotes and trades of some instruments, shifted so that they begin at `start_ns`, again and again.

    Reads the recording once, whole; bars are built from what was recorded, so there are none from before `start_ns`.
    """

    def __init__(self, store: HistoryStore, keys: Sequence[InstrumentKey], start_ns: int) -> None:
        self._keys = list(keys)
        held = {Series(kind=kind, key=key) for kind in (HistoryKind.QUOTES, HistoryKind.TRADES) for key in keys}
        stored = held & set(store.series())
        missing = [str(key) for key in keys if Series(kind=HistoryKind.QUOTES, key=key) not in stored]
        if missing:
            raise HistoryMissing(f"quotes of {', '.join(missing)}: not in {store.root}: record or import them first")
        parts = [store.rows(one.key, one.kind, self._keys.index(one.key)) for one in sorted(stored, key=str)]
        joined = np.concatenate(parts)
        self._rows = joined[np.argsort(joined["ts_received"], kind="stable")]
        self._first_ns = int(self._rows["ts_received"][0])
        self._length_ns = int(self._rows["ts_received"][-1]) + SECOND_NS - self._first_ns
        self._start_ns = start_ns
        self._listings = []
        for place, key in enumerate(keys):
            instrument = store.instrument(key)
            lot = grid_of(instrument.lot_size)
            shown = self._rows[(self._rows["instrument"] == place) & (self._rows["kind"] == RowKind.QUOTE)]["x2"]
            lots = round(float(np.median(shown)) * lot.scale / lot.numerator)
            self._listings.append(Listing(instrument=instrument, level_lots=max(lots, 1)))

    def listings(self) -> list[Listing]:
        return self._listings

    def blocks(self, start_ns: int) -> Iterator[Rows]:
        while True:
            yield self._shifted(start_ns, start_ns + SECOND_NS)
            start_ns += SECOND_NS

    def minutes(self, key: InstrumentKey, start_ns: int, stop_ns: int) -> Bars:
        start_ns = max(start_ns, self._start_ns - self._start_ns % MINUTE_NS)
        if start_ns >= stop_ns:
            return no_bars()
        return tick_bars(self._shifted(start_ns, stop_ns), self._keys.index(key), MINUTE_NS, RowKind.QUOTE)

    def _shifted(self, start_ns: int, stop_ns: int) -> Rows:
        """The recording's rows in [start, stop) of simulated time, from as many rounds of it as that takes."""
        parts = [np.empty(0, MARKET_ROW)]
        first_round = max(start_ns - self._start_ns, 0) // self._length_ns
        for number in range(first_round, max(stop_ns - 1 - self._start_ns, -1) // self._length_ns + 1):
            shift_ns = self._start_ns - self._first_ns + number * self._length_ns
            span = slice(*np.searchsorted(self._rows["ts_received"], (start_ns - shift_ns, stop_ns - shift_ns)))
            rows = self._rows[span].copy()
            rows["ts_received"] += shift_ns
            rows["ts_event"] += np.where(rows["ts_event"] > 0, shift_ns, 0)
            parts.append(rows)
        return np.concatenate(parts)


def no_bars() -> Bars:
    """No minute at all."""
    empty, times = np.empty(0), np.empty(0, np.int64)
    return Bars(interval_ns=MINUTE_NS, ts_open=times, open=empty, high=empty, low=empty, close=empty, volume=empty)
