"""The seeded market: several venues that quote the same symbols around one common price.

A venue shows the common price late (`lag_ns`), with noise, on its own tick, and now and then away from it for seconds
to minutes (dislocations); its messages reach us after a delay and bear its own clock's time. The same settings give the
same bytes, whatever the span is cut into and whichever streams are asked for.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from workstation.errors import BadInput, UnknownInstrument
from workstation.model.durations import DAY_NS, MINUTE_NS
from workstation.model.ids import Symbol
from workstation.model.instrument import Instrument, InstrumentKey, split_symbol
from workstation.model.market import (
    MARKET_ROW,
    Bars,
    FloatArray,
    RowKind,
    Rows,
)
from workstation.simulator.minute_bars import path_bars
from workstation.simulator.price_path import CELL_NS, CELL_STEPS, LEAD_STEPS, FinePath, MinutePath, PricePath
from workstation.simulator.settings import BTC, ETH, NOVA, ORION, SOL, VEGA, Climate, SymbolSettings, VenueSettings
from workstation.simulator.venue_quotes import Dislocation, QuoteStream

ORIGIN_NS = 19_723 * DAY_NS
"""2024-01-01, where paths start by default."""
ROW_WORDS = MARKET_ROW.itemsize // 8
TICKS = (RowKind.QUOTE, RowKind.TRADE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketModel:
    """All settings of one simulated market. Spans are [start, stop) in ns UTC of receipt, from `origin_ns` on.

    A row's `instrument` is the position in `instruments()`; `sequence` is left to the gate.
    """

    seed: int
    venues: tuple[VenueSettings, ...] = (NOVA, ORION, VEGA)
    symbols: tuple[SymbolSettings, ...] = (BTC, ETH, SOL)
    climate: Climate = Climate()  # noqa: RUF009 (frozen)
    origin_ns: int = ORIGIN_NS
    _paths: dict[Symbol, PricePath] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Each symbol's path, which remembers the days that it has walked."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise BadInput(f"seed {self.seed}: expected 0 or more")
        if self.origin_ns < DAY_NS or self.origin_ns % DAY_NS:
            raise BadInput(f"origin_ns {self.origin_ns}: expected a midnight UTC after 1970-01-01")
        for what, names in (("venues", [v.venue for v in self.venues]), ("symbols", [s.symbol for s in self.symbols])):
            if not names or len(set(names)) != len(names):
                raise BadInput(f"{what} {names}: expected at least one, each once")

    def instruments(self) -> list[Instrument]:
        """Each venue's rules for each symbol, venue by venue."""
        return [stream.instrument for stream in self._streams(None)]

    def quotes(self, start_ns: int, stop_ns: int, keys: Collection[InstrumentKey] | None = None) -> Rows:
        """Quotes of `keys` (default all) received in the span, in receipt order."""
        return _end_to_end(self.blocks(start_ns, stop_ns, keys=keys, kinds=(RowKind.QUOTE,)))

    def trades(self, start_ns: int, stop_ns: int, keys: Collection[InstrumentKey] | None = None) -> Rows:
        """Public trades of `keys` received in the span, in receipt order."""
        return _end_to_end(self.blocks(start_ns, stop_ns, keys=keys, kinds=(RowKind.TRADE,)))

    def rows(self, start_ns: int, stop_ns: int, keys: Collection[InstrumentKey] | None = None) -> Rows:
        """Quotes and trades received in the span, in receipt order; 72 bytes a row, so use `blocks` for long spans."""
        return _end_to_end(self.blocks(start_ns, stop_ns, keys=keys))

    def blocks(
        self,
        start_ns: int,
        stop_ns: int,
        *,
        keys: Collection[InstrumentKey] | None = None,
        kinds: Collection[RowKind] = TICKS,
        block_ns: int = CELL_NS,
    ) -> Iterator[Rows]:
        """The span's rows in blocks of `block_ns` of receipt time; memory is bounded by a block and ten minutes."""
        if block_ns <= 0 or not self.origin_ns <= start_ns < stop_ns:
            raise BadInput(
                f"{start_ns} to {stop_ns} by {block_ns} ns: expected {self.origin_ns} <= start < stop, block > 0"
            )
        streams = self._streams(keys)
        held: list[Rows] = []
        block_stop = start_ns + block_ns
        for cell, rows in self._cells(streams, start_ns, stop_ns, kinds):
            inside = rows[slice(*np.searchsorted(rows["ts_received"], (start_ns, stop_ns)))]
            while block_stop <= min((cell + 1) * CELL_NS, stop_ns):
                cut = int(np.searchsorted(inside["ts_received"], block_stop))
                yield _end_to_end([*held, inside[:cut]])
                held, inside, block_stop = [], inside[cut:], block_stop + block_ns
            held.append(inside)
        if block_stop - block_ns < stop_ns:
            yield _end_to_end(held)

    def bars(self, key: InstrumentKey, start_ns: int, stop_ns: int, interval_ns: int = MINUTE_NS) -> Bars:
        """Bars of one instrument straight from the common price: a year of minutes in a fraction of a second.

        Their closes are the common price at the minute: the mids of `quotes` but for lag, noise and dislocations.
        """
        stream = self._stream(key)
        return path_bars(
            seed=self.seed,
            instrument=stream.instrument,
            symbol=stream.symbol,
            venue=stream.venue,
            days=(stream.away_from(day) for day in self._path(stream.symbol).days(start_ns, stop_ns)),
            start_ns=start_ns,
            stop_ns=stop_ns,
            interval_ns=interval_ns,
        )

    def venue_minutes(self, key: InstrumentKey, start_ns: int, stop_ns: int) -> Bars:
        """One-minute bars as the venue itself shows them: `bars` with its dislocations."""
        bars = self.bars(key, start_ns, stop_ns)
        return self._stream(key).minutes(bars)

    def dislocations(self, key: InstrumentKey, start_ns: int, stop_ns: int) -> list[Dislocation]:
        """What truly happened: the dislocations that start in the span, in time order."""
        stream = self._stream(key)
        cells = range(start_ns // CELL_NS, -(-stop_ns // CELL_NS))
        found = [event for cell in cells for event in stream.dislocations(cell) if start_ns <= event.start_ns < stop_ns]
        return sorted(found, key=lambda event: event.start_ns)

    def _cells(
        self, streams: list[QuoteStream], start_ns: int, stop_ns: int, kinds: Collection[RowKind]
    ) -> Iterator[tuple[int, Rows]]:
        """Every cell's rows by receipt; what left the venue in a cell but arrives later waits for the next one."""
        first = max(start_ns // CELL_NS - 1, self.origin_ns // CELL_NS)
        paths = {stream.symbol.base: self._path(stream.symbol) for stream in streams}
        from_ns = max((first - 1) * CELL_NS, self.origin_ns)
        minutes = {base: path.minutes(from_ns, stop_ns) for base, path in paths.items()}
        lead = {base: self._lead(path, first, minutes[base]) for base, path in paths.items()}
        latest: dict[tuple[int, RowKind], int] = {}
        late = np.empty(0, MARKET_ROW)
        for cell in range(first, -(-stop_ns // CELL_NS)):
            fine = {base: path.fine(cell, minutes[base]) for base, path in paths.items()}
            parts = [late]
            for stream in streams:
                base = stream.symbol.base
                log_price = stream.with_basis(cell, np.concatenate([lead[base], fine[base].log_price]))
                for kind, rows in _stream_rows(stream, cell, log_price, fine[base], kinds):
                    # one connection never overtakes itself, across cells as within them
                    np.maximum(rows["ts_received"], latest.get((stream.number, kind), 0), out=rows["ts_received"])
                    if len(rows):
                        latest[stream.number, kind] = int(rows["ts_received"][-1])
                    parts.append(rows)
            joined = _by_receipt(parts)
            cut = int(np.searchsorted(joined["ts_received"], (cell + 1) * CELL_NS))
            yield cell, joined[:cut]
            late = joined[cut:].copy()
            lead = {base: path.log_price[-LEAD_STEPS - 1 : -1] for base, path in fine.items()}

    def _lead(self, path: PricePath, cell: int, minutes: MinutePath) -> FloatArray:
        """The last common steps before a cell; at the origin the price stood still."""
        if cell * CELL_NS == self.origin_ns:
            return np.full(LEAD_STEPS, minutes.log_price[0])
        return path.fine(cell - 1, minutes).log_price[-LEAD_STEPS - 1 : -1]

    def _path(self, symbol: SymbolSettings) -> PricePath:
        fresh = PricePath(seed=self.seed, origin_ns=self.origin_ns, climate=self.climate, symbol=symbol)
        return self._paths.setdefault(symbol.symbol, fresh)

    def _stream(self, key: InstrumentKey) -> QuoteStream:
        return self._streams([key])[0]

    def _streams(self, keys: Collection[InstrumentKey] | None) -> list[QuoteStream]:
        pairs = [(venue, symbol) for venue in self.venues for symbol in self.symbols]
        known = [InstrumentKey(venue.venue, symbol.symbol) for venue, symbol in pairs]
        for key in keys or ():
            if key not in known:
                raise UnknownInstrument(f"instrument {key}: the market has {', '.join(map(str, known))}")
        return [
            QuoteStream(
                seed=self.seed,
                number=number,
                instrument=_instrument(venue, symbol),
                climate=self.climate,
                symbol=symbol,
                venue=venue,
            )
            for number, (venue, symbol) in enumerate(pairs)
            if keys is None or known[number] in keys
        ]


def _stream_rows(
    stream: QuoteStream, cell: int, log_price: FloatArray, fine: FinePath, kinds: Collection[RowKind]
) -> Iterator[tuple[RowKind, Rows]]:
    assert len(log_price) == LEAD_STEPS + CELL_STEPS + 1
    quotes, offsets = stream.quotes(cell, log_price, fine.activity)
    if RowKind.TRADE in kinds:
        yield RowKind.TRADE, stream.trades(cell, fine.activity, quotes, offsets)
    if RowKind.QUOTE in kinds:
        yield RowKind.QUOTE, quotes


def _end_to_end(blocks: Iterable[Rows]) -> Rows:
    """One array; as words, because numpy copies structured rows field by field, ten times as slowly (measured)."""
    words = [rows.view(np.int64).reshape(-1, ROW_WORDS) for rows in blocks]
    joined = words[0] if len(words) == 1 else np.concatenate(words)
    return joined.reshape(-1).view(MARKET_ROW)


def _by_receipt(parts: list[Rows]) -> Rows:
    """All rows in receipt order; ties keep the order of the parts."""
    order = np.argsort(np.concatenate([rows["ts_received"] for rows in parts]), kind="stable")
    words = _end_to_end(parts).view(np.int64).reshape(-1, ROW_WORDS)
    return words.take(order, axis=0).reshape(-1).view(MARKET_ROW)


def _instrument(venue: VenueSettings, symbol: SymbolSettings) -> Instrument:
    base, quote, kind = split_symbol(symbol.symbol)
    return Instrument(
        venue=venue.venue,
        symbol=symbol.symbol,
        kind=kind,
        base=base,
        quote=quote,
        tick_size=symbol.tick_size * venue.tick_multiple,
        lot_size=symbol.lot_size,
        min_quantity=symbol.lot_size,
        min_notional_quote=symbol.min_notional_quote,
        maker_fee_rate=venue.maker_fee_rate,
        taker_fee_rate=venue.taker_fee_rate,
    )
