"""One symbol at a simulated venue: its book, its recent trades, its counters, and its grid."""

from collections import deque
from decimal import ROUND_FLOOR, Decimal

from workstation.model.instrument import Instrument
from workstation.model.market import RowFlag, RowKind
from workstation.model.units import MONEY, Side, grid_of
from workstation.simulator.market_source import Listing
from workstation.simulator.order_book import Offer, OrderBook, Touch
from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.venue_orders import Quoted, Traded

TRADES_KEPT = 1000
LARGEST_EXPONENT = 40
"""Of a price or quantity: as many digits as an order may have."""
NANOSECONDS_PER_ID = 1_000
"""Counters begin at the start in µs, so that a venue that is started again never gives an id twice."""

RowTuple = tuple[int, int, int, int, int, int, int, float, float, float, float, float]
"""A MARKET_ROW as `.tolist()` gives it."""


def joined_name(instrument: Instrument) -> str:
    """The currencies without anything between: BTCUSDT."""
    return f"{instrument.base}{instrument.quote}"


class DepthChange:
    """What a book's levels became: price to quantity as ticks and lots, 0 = gone; ids first … last, no gap before."""

    __slots__ = ("asks", "bids", "first_id", "last_id")

    def __init__(self, first_id: int, last_id: int, bids: dict[int, int], asks: dict[int, int]) -> None:
        self.first_id = first_id
        self.last_id = last_id
        self.bids = bids
        self.asks = asks


class VenueMarket:
    """Rows in, public events out; clients' orders meet it through `book`."""

    def __init__(self, listing: Listing, name: str, start_ns: int) -> None:
        self.instrument: Instrument = listing.instrument
        self.name = name
        self.book = OrderBook(listing.level_lots)
        self.trades: deque[Traded] = deque(maxlen=TRADES_KEPT)
        self.last_price: int | None = None
        self.update_id = start_ns // NANOSECONDS_PER_ID
        self._trade_id = start_ns // NANOSECONDS_PER_ID
        self._published: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._published_id = self.update_id
        tick, lot = grid_of(self.instrument.tick_size), grid_of(self.instrument.lot_size)
        self._ticks_per_quote = tick.scale / tick.numerator
        self._tick = (tick.numerator, tick.scale)
        self._lots_per_base = lot.scale / lot.numerator
        self._lot = (lot.numerator, lot.scale)
        self._price_decimals = decimals_of(self.instrument.tick_size)
        self._quantity_decimals = decimals_of(self.instrument.lot_size)

    def price_text(self, price: float) -> str:
        """With as many decimals as the tick has."""
        return f"{price:.{self._price_decimals}f}"

    def quantity_text(self, quantity: float) -> str:
        """With as many decimals as the lot has."""
        return f"{quantity:.{self._quantity_decimals}f}"

    def price(self, ticks: int) -> Decimal:
        return MONEY.multiply(Decimal(ticks), self.instrument.tick_size)

    def quantity(self, lots: int) -> Decimal:
        return MONEY.multiply(Decimal(lots), self.instrument.lot_size)

    def float_price(self, ticks: int) -> float:
        return ticks * self._tick[0] / self._tick[1]

    def float_quantity(self, lots: int) -> float:
        return lots * self._lot[0] / self._lot[1]

    def mid(self) -> float | None:
        """The middle of the best prices; None without both."""
        touch = self.book.touch()
        return None if touch is None else self.float_price(touch.bid + touch.ask) / 2

    def ticks(self, price: Decimal, reason: Reason) -> int:
        """Whole ticks of a price; off the grid, zero or less raises Refused."""
        return self._steps(price, self.instrument.tick_size, reason)

    def lots(self, quantity: Decimal, reason: Reason) -> int:
        """Whole lots of a quantity; off the grid or under the least raises Refused."""
        lots = self._steps(quantity, self.instrument.lot_size, reason)
        if quantity < self.instrument.min_quantity:
            raise Refused(reason, f"{self.name} {quantity}: least {self.instrument.min_quantity}")
        return lots

    def lots_for(self, side: Side, quote_quantity: Decimal) -> int:
        """The lots that an amount of quote currency takes from the book."""
        lots, left = 0, quote_quantity
        for offer in self.book.offers(side):
            worth = MONEY.multiply(self.price(offer.price), self.instrument.lot_size)
            wanted = min(int(MONEY.divide(left, worth).to_integral_value(ROUND_FLOOR)), offer.lots)
            lots += wanted
            left = MONEY.subtract(left, MONEY.multiply(worth, Decimal(wanted)))
            if wanted < offer.lots:
                break
        return lots

    def apply(self, row: RowTuple) -> tuple[list[Offer], Quoted | Traded | None, int]:
        """One quote or trade; the clients' orders that it fills, the public event, and the lots of a trade left."""
        kind, ts_event = row[4], row[2] or row[1]
        if kind == RowKind.QUOTE:
            quote = Touch(
                round(row[7] * self._ticks_per_quote),
                round(row[9] * self._lots_per_base),
                round(row[8] * self._ticks_per_quote),
                round(row[10] * self._lots_per_base),
            )
            return self.book.quote(quote), self.quoted(), 0
        price, lots = round(row[7] * self._ticks_per_quote), round(row[8] * self._lots_per_base)
        seller_takes = bool(row[5] & RowFlag.SELLER_TAKES)
        matches, left = self.book.trade(price, lots, Side.SELL if seller_takes else Side.BUY)
        traded = self.traded(price, left, seller_takes, ts_event) if left else None
        return matches, traded, left

    def quoted(self) -> Quoted | None:
        """The best prices now, as a change; None while a side of the book is empty."""
        self.update_id += 1
        touch = self.book.touch()
        if touch is None:
            return None
        return Quoted(
            self.name,
            self.update_id,
            self.float_price(touch.bid),
            self.float_quantity(touch.bid_lots),
            self.float_price(touch.ask),
            self.float_quantity(touch.ask_lots),
        )

    def traded(self, price: int, lots: int, seller_takes: bool, ts_ns: int) -> Traded:
        """A public trade, with the next id."""
        self._trade_id += 1
        self.last_price = price
        traded = Traded(
            self.name, self._trade_id, ts_ns, self.float_price(price), self.float_quantity(lots), seller_takes
        )
        self.trades.append(traded)
        return traded

    def depth_change(self) -> DepthChange | None:
        """What changed since the last one; None if nothing did. Taken before each snapshot: one counter."""
        now = (self.book.levels(Side.BUY), self.book.levels(Side.SELL))
        bids, asks = (
            {
                price: after.get(price, 0)
                for price in before.keys() | after.keys()
                if before.get(price) != after.get(price)
            }
            for before, after in zip(self._published, now, strict=True)
        )
        if not bids and not asks:
            return None
        self.update_id += 1
        first_id, self._published_id, self._published = self._published_id + 1, self.update_id, now
        return DepthChange(first_id, self.update_id, bids, asks)

    def depth(self) -> tuple[int, dict[int, int], dict[int, int]]:
        """The levels as of the last `depth_change`, best first, and its id."""
        return self._published_id, *self._published

    def _steps(self, value: Decimal, step: Decimal, reason: Reason) -> int:
        if not value.is_finite() or value <= 0 or value.adjusted() > LARGEST_EXPONENT:
            raise Refused(reason, f"{self.name} {value}: expected a multiple of {step} above 0")
        steps = MONEY.divide(value, step)
        if steps != steps.to_integral_value():
            raise Refused(reason, f"{self.name} {value}: expected a multiple of {step} above 0")
        return int(steps)


def decimals_of(step: Decimal) -> int:
    """How many decimals a multiple of the step may have."""
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(-exponent, 0)
