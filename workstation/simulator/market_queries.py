"""What every venue is asked about a market, before it is put into a venue's words: candles and the last 24 hours."""

from typing import NamedTuple

from workstation.model.durations import MINUTE_NS
from workstation.simulator.bar_history import BarHistory, Candle
from workstation.simulator.venue_market import VenueMarket


class Day(NamedTuple):
    """The last 24 hours; `last` is the last traded price, volumes are in base and quote."""

    open: float
    high: float
    low: float
    last: float
    volume: float
    quote_volume: float


def day_of(history: BarHistory, market: VenueMarket, now_ns: int) -> Day:
    """Open, high, low, last and volumes."""
    last, day = last_price(market), history.last_day(now_ns, market.mid())
    if day is None:
        return Day(last, last, last, last, 0.0, 0.0)
    quote_volume = day.volume * (day.open + last) / 2
    return Day(day.open, max(day.high, last), min(day.low, last), last, day.volume, quote_volume)


def last_price(market: VenueMarket) -> float:
    """The last traded price; before the first trade the middle of the book."""
    return market.mid() or 0.0 if market.last_price is None else market.float_price(market.last_price)


def candles_between(
    history: BarHistory,
    market: VenueMarket,
    now_ns: int,
    *,
    length_ns: int,
    start_ns: int | None,
    stop_ns: int,
    limit: int,
) -> list[Candle]:
    """Candles that open in [start, stop), oldest first: the first `limit` of them, without a start the last."""
    stop_ns = min(stop_ns, now_ns)
    if start_ns is None:
        first_ns = earliest_ns = stop_ns - limit * length_ns
    else:
        earliest_ns = start_ns
        # the first candle is the first that opens at or after the start
        first_ns = -(-start_ns // length_ns) * length_ns
        stop_ns = min(stop_ns, first_ns + limit * length_ns)
    if earliest_ns >= stop_ns:
        return []
    # whole minutes up to the end; the running minute only when the end is now
    is_live = stop_ns >= now_ns
    end_ns = now_ns if is_live else stop_ns + MINUTE_NS - 1
    found = history.candles(length_ns, max(first_ns, 0), end_ns, market.mid() if is_live else None)
    chosen = [one for one in found if earliest_ns <= one.ts_open < stop_ns]
    return chosen[-limit:] if start_ns is None else chosen[:limit]
