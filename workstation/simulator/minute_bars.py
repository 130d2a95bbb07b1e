"""Bars: straight from the minutes of the common price (fast, for long spans), or from ticks."""

from collections.abc import Iterable

import numpy as np

from workstation.errors import BadInput
from workstation.model.durations import DAY_NS, MINUTE_NS
from workstation.model.instrument import Instrument
from workstation.model.market import (
    Bars,
    FloatArray,
    IntArray,
    RowKind,
    Rows,
)
from workstation.model.units import grid_of
from workstation.simulator.price_path import DAY_MINUTES, MinutePath, generator
from workstation.simulator.settings import SymbolSettings, VenueSettings


def path_bars(
    *,
    seed: int,
    instrument: Instrument,
    symbol: SymbolSettings,
    venue: VenueSettings,
    days: Iterable[MinutePath],
    start_ns: int,
    stop_ns: int,
    interval_ns: int,
) -> Bars:
    """Bars in [start, stop) of the common price on the venue's grid; volume in proportion to activity.

    Opens and closes are exact; highs and lows are drawn from the extremes of a Brownian bridge. Raises BadInput for a
    length that is not whole minutes dividing a day, and for a span off that grid.
    """
    if interval_ns <= 0 or interval_ns % MINUTE_NS or DAY_NS % interval_ns:
        raise BadInput(f"{instrument.key}: bars of {interval_ns} ns: expected whole minutes that divide a day")
    if start_ns % interval_ns or stop_ns % interval_ns:
        raise BadInput(f"{instrument.key}: bars from {start_ns} to {stop_ns}: expected multiples of {interval_ns} ns")
    parts, opens = [], []
    for day in days:
        draw = generator(seed, "bars", symbol.symbol, venue.venue, day.start_ns // DAY_NS)
        parts.append(_joined(_minute_values(draw, symbol, venue, instrument, day), interval_ns // MINUTE_NS))
        opens.append(np.arange(day.start_ns, day.start_ns + DAY_NS, interval_ns, dtype=np.int64))
    ts_open = np.concatenate(opens)
    inside = slice(*np.searchsorted(ts_open, (start_ns, stop_ns)))
    values = np.concatenate(parts, axis=1)[:, inside]
    return _bars(interval_ns, ts_open[inside], values, instrument)


def tick_bars(rows: Rows, instrument_number: int, interval_ns: int, kind: RowKind = RowKind.TRADE) -> Bars:
    """Bars by receipt time of one instrument's trades, or of its mids (volume 0); none where there was no tick."""
    chosen = rows[(rows["instrument"] == instrument_number) & (rows["kind"] == kind)]
    if kind is RowKind.TRADE:
        price, quantity = chosen["x0"].copy(), chosen["x1"].copy()
    else:
        price, quantity = (chosen["x0"] + chosen["x1"]) / 2, np.zeros(len(chosen))
    opens = chosen["ts_received"] - chosen["ts_received"] % interval_ns
    first = np.flatnonzero(np.diff(opens, prepend=-1))
    last = np.append(first[1:], len(opens))[: len(first)] - 1
    return Bars(
        interval_ns=interval_ns,
        ts_open=opens[first],
        open=price[first],
        high=np.maximum.reduceat(price, first) if len(first) else price,
        low=np.minimum.reduceat(price, first) if len(first) else price,
        close=price[last],
        volume=np.add.reduceat(quantity, first) if len(first) else quantity,
    )


def _minute_values(
    draw: np.random.Generator, symbol: SymbolSettings, venue: VenueSettings, instrument: Instrument, day: MinutePath
) -> FloatArray:
    """Shape (5, 1440): open, high, low, close in ticks, volume in lots."""
    opened, closed = day.log_price[:-1], day.log_price[1:]
    uniform = 1.0 - draw.random((2, DAY_MINUTES))
    # the maximum of a bridge from a to b: P(M > m) = exp(-2 (m - a)(m - b) / variance)
    reach = np.sqrt((closed - opened) ** 2 - 2 * day.deviation**2 * np.log(uniform))
    logs = np.stack([opened, (opened + closed + reach[0]) / 2, (opened + closed - reach[1]) / 2, closed])
    tick, lot = grid_of(instrument.tick_size), grid_of(instrument.lot_size)
    ticks = np.maximum(np.rint(np.exp(logs) * tick.scale / tick.numerator), 1.0)
    expected = 60 * venue.trades_per_second * symbol.trade_quantity * 2.0  # a log-normal's mean over its median
    traded = expected * day.activity * np.exp(0.4 * draw.standard_normal(DAY_MINUTES))
    lots = np.floor(traded * lot.scale / lot.numerator) + 1.0
    return np.concatenate([ticks, lots[None, :]])


def _joined(minutes: FloatArray, count: int) -> FloatArray:
    """Shape (5, 1440) to (5, 1440 / count)."""
    grouped = minutes.reshape(5, -1, count)
    return np.stack(
        [grouped[0, :, 0], grouped[1].max(axis=1), grouped[2].min(axis=1), grouped[3, :, -1], grouped[4].sum(axis=1)]
    )


def _bars(interval_ns: int, ts_open: IntArray, values: FloatArray, instrument: Instrument) -> Bars:
    tick, lot = grid_of(instrument.tick_size), grid_of(instrument.lot_size)
    prices = values[:4] * tick.numerator / tick.scale
    volume = values[4] * lot.numerator / lot.scale
    return Bars(
        interval_ns=interval_ns,
        ts_open=ts_open,
        open=prices[0],
        high=prices[1],
        low=prices[2],
        close=prices[3],
        volume=volume,
    )
