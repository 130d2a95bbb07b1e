"""Where venue dicts end: a quote, trade or candle as plain numbers, or the reason why it is none.

Nothing here raises for what a venue may send. Prices and quantities must be finite, over 0 and below what any market
has; text that looks like a number is refused, as ccxt gives numbers. Quantities come out in base currency: who reads
them here says what they count, a `Contract` where that is not one of the base.
"""

import math
import reprlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from workstation.exchanges.contract_sizes import Contract
from workstation.model.durations import DAY_NS, MS_NS

MOST_PRICE = 1e12
MOST_QUANTITY = 1e18
MOST_CROSSED = 0.05
"""A bid above the ask by more than this fraction is a fault, not a moment between two updates."""
FUTURE_NS = 60_000_000_000
"""A venue's clock may run ahead of ours by this much."""


LONGEST_FUNDING_NS = 8 * DAY_NS
"""No rate is due later than so."""


class Refusal(StrEnum):
    """Why a row was not taken."""

    NOT_A_NUMBER = "not a number"
    NOT_POSITIVE = "not over 0"
    ABSURD = "absurdly large"
    CROSSED = "bid far above ask"
    FUTURE = "from the future"
    NO_SIDE = "trade without side"
    NOT_A_BAR = "high or low does not hold the bar's prices"
    STALE = "stands still, and the venue answers otherwise"
    UNKNOWN_SYMBOL = "symbol not subscribed"
    BROKEN_FRAME = "frame that could not be read"
    BROKEN_BOOK = "order book with a gap or a wrong checksum"
    NO_ANSWER = "question that the venue did not answer"


class QuoteNumbers(NamedTuple):
    ts_event: int
    bid: float
    ask: float
    bid_quantity: float
    ask_quantity: float


class TradeNumbers(NamedTuple):
    ts_event: int
    price: float
    quantity: float
    seller_takes: bool
    trade_id: str | None


class BarNumbers(NamedTuple):
    ts_open: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class MarkNumbers(NamedTuple):
    ts_event: int
    price: float
    index_price: float


class FundingNumbers(NamedTuple):
    ts_event: int
    rate: float
    ts_due: int


class BookNumbers(NamedTuple):
    ts_event: int
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


def _fault(value: object, most: float) -> Refusal | None:
    if type(value) is not float and type(value) is not int:
        return Refusal.NOT_A_NUMBER
    if 0.0 < value <= most:
        return None
    if value != value:
        return Refusal.NOT_A_NUMBER
    return Refusal.ABSURD if value > 0 else Refusal.NOT_POSITIVE


def _in_base(quantity: Any, counted: Contract | None) -> float | Refusal:
    fault = _fault(quantity, MOST_QUANTITY)
    if fault is not None:
        return fault
    if counted is None:
        return float(quantity)
    base = counted.in_base(quantity)
    return _fault(base, MOST_QUANTITY) or base


def _time_ns(milliseconds: object, latest_ns: int) -> int | Refusal:
    """ns UTC of ccxt's milliseconds; 0 for none."""
    if milliseconds is None:
        return 0
    if type(milliseconds) is not int and type(milliseconds) is not float:
        return Refusal.NOT_A_NUMBER
    if not milliseconds >= 0:
        return Refusal.NOT_POSITIVE
    return Refusal.FUTURE if milliseconds * MS_NS > latest_ns else int(milliseconds * MS_NS)


def quote_numbers(ticker: Mapping[str, Any], now_ns: int, counted: Contract | None) -> QuoteNumbers | Refusal:
    """Of ccxt's ticker structure."""
    return quote_of(
        ticker.get("timestamp"),
        ticker.get("bid"),
        ticker.get("ask"),
        ticker.get("bidVolume"),
        ticker.get("askVolume"),
        now_ns,
        counted,
    )


def quote_of(
    milliseconds: Any,
    bid: Any,
    ask: Any,
    bid_quantity: Any,
    ask_quantity: Any,
    now_ns: int,
    counted: Contract | None,
) -> QuoteNumbers | Refusal:
    """Of the best prices as they came."""
    fault = _fault(bid, MOST_PRICE) or _fault(ask, MOST_PRICE)
    if fault is not None:
        return fault
    bid_base, ask_base = _in_base(bid_quantity, counted), _in_base(ask_quantity, counted)
    if isinstance(bid_base, Refusal):
        return bid_base
    if isinstance(ask_base, Refusal):
        return ask_base
    if bid > ask * (1 + MOST_CROSSED):
        return Refusal.CROSSED
    ts_event = _time_ns(milliseconds, now_ns + FUTURE_NS)
    if isinstance(ts_event, Refusal):
        return ts_event
    return QuoteNumbers(ts_event, float(bid), float(ask), bid_base, ask_base)


def trade_numbers(trade: Mapping[str, Any], now_ns: int, counted: Contract | None) -> TradeNumbers | Refusal:
    """Of ccxt's trade structure."""
    price, side = trade.get("price"), trade.get("side")
    fault = _fault(price, MOST_PRICE)
    if fault is not None or price is None:
        return fault or Refusal.NOT_A_NUMBER
    quantity = _in_base(trade.get("amount"), counted)
    if isinstance(quantity, Refusal):
        return quantity
    if side != "buy" and side != "sell":
        return Refusal.NO_SIDE
    ts_event = _time_ns(trade.get("timestamp"), now_ns + FUTURE_NS)
    if isinstance(ts_event, Refusal):
        return ts_event
    trade_id = trade.get("id")
    is_named = trade_id is not None and trade_id != ""
    return TradeNumbers(ts_event, float(price), quantity, side == "sell", str(trade_id) if is_named else None)


def bar_numbers(candle: Sequence[Any], now_ns: int, counted: Contract | None) -> BarNumbers | Refusal:
    """Of ccxt's [milliseconds, open, high, low, close, volume]; a volume of 0 or none is that of a silent bar."""
    if len(candle) < 6 or candle[0] is None:
        return Refusal.NOT_A_NUMBER
    open_, high, low, close = candle[1:5]
    told = 0.0 if candle[5] is None else candle[5]
    for price in (open_, high, low, close):
        if fault := _fault(price, MOST_PRICE):
            return fault
    volume = 0.0 if told == 0 else _in_base(told, counted)
    if isinstance(volume, Refusal):
        return volume
    if not low <= min(open_, close) <= max(open_, close) <= high:
        return Refusal.NOT_A_BAR
    ts_open = _time_ns(candle[0], now_ns + FUTURE_NS)
    if isinstance(ts_open, Refusal):
        return ts_open
    return BarNumbers(ts_open, float(open_), float(high), float(low), float(close), volume)


def mark_numbers(told: Mapping[str, Any], names: tuple[str, str] | None, now_ns: int) -> MarkNumbers | Refusal:
    """Of ccxt's ticker or funding rate structure, or of the venue's own fields in it, where they have `names`."""
    if names is None:
        price, index = told.get("markPrice"), told.get("indexPrice")
    else:
        price, index = ((told.get("info") or {}).get(name) for name in names)
    mark, other = _number(price), 0.0 if index is None else _number(index)
    fault = _fault(mark, MOST_PRICE) or (None if index is None else _fault(other, MOST_PRICE))
    if fault is not None:
        return fault
    ts_event = _time_ns(told.get("timestamp"), now_ns + FUTURE_NS)
    return ts_event if isinstance(ts_event, Refusal) else MarkNumbers(ts_event, mark, other)


def funding_numbers(told: Mapping[str, Any], names: tuple[str, str, str], now_ns: int) -> FundingNumbers | Refusal:
    """`names` of the time, the rate, and the time at which it is due."""
    time, rate, due = (told.get(name) for name in names)
    number = _number(rate)
    if not -1.0 < number < 1.0:
        return Refusal.NOT_A_NUMBER if number != number else Refusal.ABSURD
    ts_event = _time_ns(time, now_ns + FUTURE_NS)
    ts_due = _time_ns(due, now_ns + LONGEST_FUNDING_NS)
    for told_at in (ts_event, ts_due):
        if isinstance(told_at, Refusal):
            return told_at
    return FundingNumbers(int(ts_event), number, int(ts_due))


def book_numbers(book: Mapping[str, Any], levels: int, now_ns: int, counted: Contract | None) -> BookNumbers | Refusal:
    """The best `levels` of each side of ccxt's order book."""
    bids, asks = list[tuple[float, float]](), list[tuple[float, float]]()
    for name, side in (("bids", bids), ("asks", asks)):
        for level in book[name][:levels]:
            if fault := _fault(level[0], MOST_PRICE):
                return fault
            quantity = _in_base(level[1], counted)
            if isinstance(quantity, Refusal):
                return quantity
            side.append((level[0], quantity))
    if bids and asks and bids[0][0] > asks[0][0]:
        return Refusal.CROSSED
    ts_event = _time_ns(book.get("timestamp"), now_ns + FUTURE_NS)
    return ts_event if isinstance(ts_event, Refusal) else BookNumbers(ts_event, bids, asks)


def _number(value: object) -> float:
    """A number, or the text of one as venues' own fields have it; NaN for what is none."""
    try:
        return float(value) if isinstance(value, str | int | float) else math.nan
    except ValueError:
        return math.nan


@dataclass(slots=True)
class Refusals:
    """What was not taken, counted by reason, with the last one kept to be shown."""

    counts: Counter[Refusal] = field(default_factory=Counter)
    last: str | None = None

    def add(self, reason: Refusal, subject: str, example: object) -> None:
        self.counts[reason] += 1
        self.last = f"{subject}: {reason}: {_SHORT.repr(example)}"

    @property
    def total(self) -> int:
        return self.counts.total()


_SHORT = reprlib.Repr()
_SHORT.maxdict, _SHORT.maxlist, _SHORT.maxstring, _SHORT.maxother = 12, 12, 200, 200
