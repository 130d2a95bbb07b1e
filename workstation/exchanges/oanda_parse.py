"""OANDA's JSON as plain numbers: lines of the pricing stream, candles, times. Nothing here raises for what it may send.

Prices are text, times RFC 3339 with nanoseconds; what is no number of a market is refused as ccxt's is.
"""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from workstation.exchanges.ccxt_parse import FUTURE_NS, BarNumbers, QuoteNumbers, Refusal, bar_numbers, quote_of
from workstation.model.durations import MS_NS, SECOND_NS

TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")
PRICE, HEARTBEAT = "PRICE", "HEARTBEAT"
TRADEABLE = "tradeable"


class Level(msgspec.Struct):
    """Of one side of a price; `liquidity` is the number of units that are to be had at it."""

    price: Any = None
    liquidity: Any = None


class Line(msgspec.Struct):
    """One line of the pricing stream, or one price by REST."""

    type: str = ""
    instrument: str = ""
    time: Any = None
    bids: list[Level] = []
    asks: list[Level] = []
    status: str = TRADEABLE
    tradeable: bool = True

    @property
    def is_tradeable(self) -> bool:
        """False while the market is closed, or halted."""
        return self.tradeable and self.status == TRADEABLE


class Prices(msgspec.Struct):
    """The answer to a question for prices; `time` is the venue's, now."""

    prices: list[Line]
    time: Any = None


class CandlePrices(msgspec.Struct):
    o: Any = None
    h: Any = None
    l: Any = None  # noqa: E741 (OANDA's name)
    c: Any = None


class Candle(msgspec.Struct):
    """`volume` counts the prices of the time; one that is not complete may still change."""

    time: Any = None
    complete: bool = False
    mid: CandlePrices | None = None
    volume: Any = None


class Candles(msgspec.Struct):
    candles: list[Candle]


def time_ns(text: object) -> int | None:
    """ns UTC of "2016-10-05T05:28:16.729643492Z"; None for what is no such time."""
    match = TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    try:
        seconds = int(datetime.fromisoformat(match[1] + "+00:00").timestamp())
    except ValueError:  # the 31st of February
        return None
    return seconds * SECOND_NS + int((match[2] or "0").ljust(9, "0"))


def time_text(ts_ns: int) -> str:
    """The same the other way."""
    seconds, rest = divmod(ts_ns, SECOND_NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def price_quote(line: Line, now_ns: int) -> QuoteNumbers | Refusal:
    """The best prices of a line, with what is to be had at them."""
    if not line.bids or not line.asks:
        return Refusal.NOT_A_NUMBER
    bid, ask = line.bids[0], line.asks[0]
    quote = quote_of(
        None, _number(bid.price), _number(ask.price), _number(bid.liquidity), _number(ask.liquidity), now_ns, None
    )
    if isinstance(quote, Refusal):
        return quote
    ts_event = time_ns(line.time)
    if ts_event is None:
        return Refusal.NOT_A_NUMBER
    return Refusal.FUTURE if ts_event > now_ns + FUTURE_NS else quote._replace(ts_event=ts_event)


def candle_bar(candle: Candle, now_ns: int) -> BarNumbers | Refusal:
    """The bar of mid prices."""
    ts_open = time_ns(candle.time)
    if ts_open is None or candle.mid is None:
        return Refusal.NOT_A_NUMBER
    mid = candle.mid
    prices = [_number(price) for price in (mid.o, mid.h, mid.l, mid.c)]
    return bar_numbers([ts_open // MS_NS, *prices, _number(candle.volume)], now_ns, None)


def _number(value: object) -> object:
    """Text that is a number as one; anything else as it came, to be refused."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value
