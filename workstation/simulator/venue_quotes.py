"""What one venue shows of the common price, and when we hear of it: quotes and trades of one cell."""

import math
from dataclasses import dataclass, replace

import numpy as np

from workstation.kernels.compiled import compiled
from workstation.model.durations import HOUR_NS, MINUTE_NS, MS_NS
from workstation.model.instrument import Instrument
from workstation.model.market import (
    Bars,
    FloatArray,
    IntArray,
    Rows,
    quote_rows,
    trade_rows,
)
from workstation.model.units import ceil_steps, floor_steps, grid_of, grid_value
from workstation.simulator.basis import basis_at
from workstation.simulator.price_path import CELL_NS, CELL_SECONDS, LEAD_STEPS, STEP_NS, MinutePath, generator
from workstation.simulator.settings import MAX_DELAY_NS, Climate, SymbolSettings, VenueSettings

MICROSECOND_NS = 1_000
NOISE_MEMORY_NS = 3e9
SPIKE_SHARE = 0.002
SPIKE_NS = 150e6
"""One message in 500 is held up by another 150 ms on average."""
JITTER = 1 / 16
"""How far dislocations that have a phase start from it, as a share of the time between two."""
RESIZE_SHARE = 0.6
"""How often a quote brings a new quantity on a given side."""
MINUTE_TIMES = 31
"""Where a minute's bar looks for the departures: every two seconds."""
SHAPE_TIMES = (0.0, 0.05, 0.12, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0)
SHAPE_SIZES = (0.0, 0.6, 0.9, 1.0, 0.95, 0.7, 0.35, 0.1, 0.0)
"""A dislocation leaves within an eighth of its life and returns more slowly than it left."""

_floor_steps = compiled(floor_steps)
_ceil_steps = compiled(ceil_steps)
_grid_value = compiled(grid_value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dislocation:
    """One venue's price away from the common one by up to `size_bps` (signed), from start to stop."""

    start_ns: int
    stop_ns: int
    size_bps: float

    def shape(self, after_ns: FloatArray) -> FloatArray:
        """How far away it is so long after its start, as a fraction of the price."""
        age = after_ns / (self.stop_ns - self.start_ns)
        return self.size_bps * 1e-4 * np.interp(age, SHAPE_TIMES, SHAPE_SIZES)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteStream:
    """One symbol at one venue; `number` is the instrument of its rows."""

    seed: int
    number: int
    instrument: Instrument
    climate: Climate
    symbol: SymbolSettings
    venue: VenueSettings

    def dislocations(self, cell: int) -> list[Dislocation]:
        """Those that start in the cell, in no order."""
        draw = self._generator("dislocations", cell)
        expected = self.venue.dislocations_per_hour * CELL_NS / HOUR_NS
        phase = self.venue.dislocation_phase
        count = int(draw.poisson(expected)) if phase is None else round(expected)
        low_bps, high_bps = self.climate.dislocation_bps
        short_ns, long_ns = self.climate.dislocation_ns
        found = []
        for number, (chance, size, length, sign) in enumerate(draw.random((count, 4)).tolist()):
            at = chance if phase is None else (number + self._share(phase, chance)) / count
            start_ns = cell * CELL_NS + int(at * CELL_NS)
            length_ns = int(short_ns * (long_ns / short_ns) ** length)
            size_bps = math.copysign(low_bps * (high_bps / low_bps) ** size, sign - 0.5)
            found.append(Dislocation(start_ns=start_ns, stop_ns=start_ns + length_ns, size_bps=size_bps))
        return found

    def with_basis(self, cell: int, log_price: FloatArray) -> FloatArray:
        """The common steps, from LEAD_STEPS before a cell, as those of this symbol."""
        if not self.symbol.basis_bps:
            return log_price
        times = cell * CELL_NS + (np.arange(len(log_price)) - LEAD_STEPS) * STEP_NS
        return log_price + basis_at(self.seed, self.symbol.symbol, self.symbol.basis_bps, times)

    def away_from(self, path: MinutePath) -> MinutePath:
        """The common minutes as those of this symbol."""
        if not self.symbol.basis_bps:
            return path
        times = path.start_ns + np.arange(len(path.log_price)) * MINUTE_NS
        basis = basis_at(self.seed, self.symbol.symbol, self.symbol.basis_bps, times)
        return replace(path, log_price=path.log_price + basis)

    def quotes(self, cell: int, log_price: FloatArray, activity: FloatArray) -> tuple[Rows, FloatArray]:
        """Quotes that leave the venue in one cell, by receipt, and the true offsets at which they left.

        log_price (LEAD_STEPS + CELL_STEPS + 1,): the common steps from LEAD_STEPS before the cell; activity (600,).
        """
        draw = self._generator("quotes", cell)
        offsets = arrivals(draw, self.venue.quotes_per_second, activity)
        count = len(offsets)
        tick, lot = grid_of(self.instrument.tick_size), grid_of(self.instrument.lot_size)
        bid, ask, bid_quantity, ask_quantity = (np.empty(count) for _ in range(4))
        fill_quotes(
            offsets,
            log_price,
            activity,
            self._away(cell, offsets),
            draw.standard_normal((count, 4)),
            draw.random((count, 2)),
            float(self.venue.lag_ns),
            self.venue.noise_bps * 1e-4,
            self.venue.quoted_spread_bps * 0.5e-4,
            self.symbol.touch_quantity,
            (tick.numerator, tick.scale),
            (lot.numerator, lot.scale),
            (bid, ask, bid_quantity, ask_quantity),
        )
        rows = quote_rows(
            instrument=self.number,
            ts_received=self._receipts(draw, cell, offsets),
            ts_event=self._stamps(cell, offsets),
            bid=bid,
            ask=ask,
            bid_quantity=bid_quantity,
            ask_quantity=ask_quantity,
        )
        return rows, offsets

    def trades(self, cell: int, activity: FloatArray, quotes: Rows, quote_offsets: FloatArray) -> Rows:
        """Public trades at the touch of the venue's latest quote; none before the cell's first quote."""
        draw = self._generator("trades", cell)
        offsets = arrivals(draw, self.venue.trades_per_second, activity)
        latest = np.searchsorted(quote_offsets, offsets, side="right") - 1
        offsets, latest = offsets[latest >= 0], latest[latest >= 0]
        seller_takes = draw.random(len(offsets)) < 0.5
        lot = grid_of(self.instrument.lot_size)
        wanted = self.symbol.trade_quantity * np.exp(1.2 * draw.standard_normal(len(offsets)))
        lots = np.floor(wanted * lot.scale / lot.numerator) + 1.0
        shown = np.where(seller_takes, quotes["x2"][latest], quotes["x3"][latest])
        return trade_rows(
            instrument=self.number,
            ts_received=self._receipts(draw, cell, offsets),
            ts_event=self._stamps(cell, offsets),
            price=np.where(seller_takes, quotes["x0"][latest], quotes["x1"][latest]),
            quantity=np.minimum(lots * lot.numerator / lot.scale, shown),
            seller_takes=seller_takes,
        )

    def minutes(self, bars: Bars) -> Bars:
        """Minutes of the common price as this venue shows them: away from it as its quotes are, with room for noise.

        Drawn from the minute's own extremes and not from its steps, so a trade may lie a few bps outside its bar.
        """
        away = np.zeros((len(bars), MINUTE_TIMES))
        for cell in range(int(bars.ts_open[0]) // CELL_NS - 1, int(bars.ts_open[-1]) // CELL_NS + 1):
            for event in self.dislocations(cell):
                first = int(np.searchsorted(bars.ts_open, event.start_ns - MINUTE_NS, side="right"))
                last = int(np.searchsorted(bars.ts_open, event.stop_ns))
                at = bars.ts_open[first:last, None] + np.linspace(0.0, MINUTE_NS, MINUTE_TIMES) - event.start_ns
                away[first:last] += event.shape(at)
        room = (self.venue.noise_bps + 0.5 * self.venue.quoted_spread_bps) * 1e-4
        shifts = np.stack([away[:, 0], away.max(axis=1) + room, away.min(axis=1) - room, away[:, -1]])
        tick = grid_of(self.instrument.tick_size)
        ticks = np.stack([bars.open, bars.high, bars.low, bars.close]) * np.exp(shifts) * tick.scale / tick.numerator
        opened, high, low, close = np.maximum(np.rint(ticks), 1.0) * tick.numerator / tick.scale
        return replace(bars, open=opened, high=high, low=low, close=close)

    def _share(self, phase: float, chance: float) -> float:
        """Of its part of the hour that is over when a dislocation starts."""
        shift = float(generator(self.seed, "phase", self.symbol.symbol).random())
        return (phase + shift) % 1.0 * (1.0 - JITTER) + JITTER * chance

    def _generator(self, purpose: str, cell: int) -> np.random.Generator:
        return generator(self.seed, purpose, self.symbol.symbol, self.venue.venue, cell)

    def _away(self, cell: int, offsets: FloatArray) -> FloatArray:
        away = np.zeros(len(offsets))
        # no dislocation outlives a cell, so those of two cells are all that can be under way
        for event in (*self.dislocations(cell - 1), *self.dislocations(cell)):
            first, last = np.searchsorted(offsets, (event.start_ns - cell * CELL_NS, event.stop_ns - cell * CELL_NS))
            away[first:last] += event.shape(offsets[first:last] - (event.start_ns - cell * CELL_NS))
        return away

    def _stamps(self, cell: int, offsets: FloatArray) -> IntArray:
        stamp = offsets.astype(np.int64) + (cell * CELL_NS + self.venue.clock_offset_ns)
        return stamp - stamp % MS_NS

    def _receipts(self, draw: np.random.Generator, cell: int, offsets: FloatArray) -> IntArray:
        received = np.empty(len(offsets), np.int64)
        normals, uniforms = draw.standard_normal(len(offsets)), draw.random(len(offsets))
        receive_in_order(offsets, normals, uniforms, float(self.venue.delay_ns), received)
        return received + cell * CELL_NS


def arrivals(draw: np.random.Generator, per_second: float, activity: FloatArray) -> FloatArray:
    """Ascending times, in ns from the cell's start, of a Poisson process of rate `per_second · activity` (600,)."""
    expected = np.concatenate([[0.0], np.cumsum(per_second * activity)])
    passed = np.cumsum(draw.standard_exponential(int(draw.poisson(expected[-1])) + 1))
    uniform = passed[:-1] / passed[-1]  # ordered uniforms without a sort
    at: FloatArray = np.interp(uniform * expected[-1], expected, np.arange(CELL_SECONDS + 1) * 1e9)
    return np.minimum(at, CELL_NS - 1.0)


@compiled
def fill_quotes(
    offsets: FloatArray,
    log_price: FloatArray,
    activity: FloatArray,
    away: FloatArray,
    normals: FloatArray,
    uniforms: FloatArray,
    lag_ns: float,
    noise: float,
    half_spread: float,
    touch_quantity: float,
    tick: tuple[float, float],
    lot: tuple[float, float],
    out: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
) -> None:
    """bid < ask on the tick grid around exp(common price at t - lag + noise + away); quantities on the lot grid.

    offsets, away (n,) in ns and log price; normals (n, 4): noise, spread, both quantities; uniforms (n, 2): whether
    a quantity changes; noise and half_spread are fractions of the price; tick and lot are (numerator, scale).
    """
    bid, ask, bid_quantity, ask_quantity = out
    level = 0.0
    before = -1e12
    for i in range(len(offsets)):
        memory = math.exp((before - offsets[i]) / NOISE_MEMORY_NS)
        level = memory * level + math.sqrt(1.0 - memory * memory) * normals[i, 0]
        before = offsets[i]
        place = (offsets[i] - lag_ns) / STEP_NS + LEAD_STEPS
        step = int(place)
        share = place - step
        common = log_price[step] + share * (log_price[step + 1] - log_price[step])
        mid = math.exp(common + noise * level + away[i])
        busy = min(activity[int(offsets[i] / 1e9)], 10.0)
        half = mid * half_spread * (0.7 + 0.3 * busy) * math.exp(0.2 * normals[i, 1])
        bid_steps = max(_floor_steps(mid - half, tick[0], tick[1]), 1)
        ask_steps = max(_ceil_steps(mid + half, tick[0], tick[1]), bid_steps + 1)
        bid[i] = _grid_value(float(bid_steps), tick[0], tick[1])
        ask[i] = _grid_value(float(ask_steps), tick[0], tick[1])
        for side in range(2):
            quantity = bid_quantity if side == 0 else ask_quantity
            if i == 0 or uniforms[i, side] < RESIZE_SHARE:
                wanted = touch_quantity * math.exp(0.8 * normals[i, 2 + side])
                quantity[i] = _grid_value(float(_floor_steps(wanted, lot[0], lot[1]) + 1), lot[0], lot[1])
            else:
                quantity[i] = quantity[i - 1]


@compiled
def receive_in_order(
    offsets: FloatArray, normals: FloatArray, uniforms: FloatArray, delay_ns: float, received: IntArray
) -> None:
    """Receipt offsets (n,) in ns on a µs grid: log-normal delay, rare spikes; a connection never overtakes itself."""
    latest = 0
    for i in range(len(offsets)):
        delay = delay_ns * math.exp(0.35 * normals[i])
        if uniforms[i] < SPIKE_SHARE:
            delay -= SPIKE_NS * math.log((uniforms[i] + 1e-12) / SPIKE_SHARE)
        at = int((offsets[i] + min(delay, float(MAX_DELAY_NS))) / MICROSECOND_NS) * MICROSECOND_NS
        latest = max(latest, at)
        received[i] = latest
