"""When a simulated order trades, and at what price: against quotes, against public trades, against bars.

Against quotes a market order pays the spread (plus `slippage_rate`), and takes no more than the displayed quantity of
each quote; a resting limit fills at its price when the other side's quote reaches it, or when a trade goes through it
(a trade at its very price may belong to those before us in the queue). Against bars the formulas of `kernels/fills.py`
hold: the same that the fast backtester compiles.
"""

import math
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from workstation.errors import BadInput
from workstation.kernels import fills
from workstation.model.instrument import Instrument
from workstation.model.order import OrderRequest, OrderType
from workstation.model.units import Side, decimal_steps, grid_of, quantity_from_float, to_float

ZERO = Decimal(0)


class Execution(NamedTuple):
    """A price on the tick grid and a quantity on the lot grid."""

    price: Decimal
    quantity: Decimal
    is_maker: bool


class Resting(Struct):
    """An order that the simulated venue holds."""

    request: OrderRequest
    instrument: Instrument
    index: int
    remaining: Decimal
    is_accepted: bool = False
    is_triggered: bool = False
    """Of a stop: it has become a market order."""
    fills: int = 0

    @property
    def is_market(self) -> bool:
        return self.request.type is OrderType.MARKET or self.is_triggered


class Touch(NamedTuple):
    """Best prices in quote currency and what is displayed there in base; NaN where there is no quote."""

    bid: float
    ask: float
    bid_quantity: float
    ask_quantity: float


NO_TOUCH = Touch(math.nan, math.nan, math.nan, math.nan)


def match_quote(order: Resting, touch: Touch, slippage_rate: float, *, on_arrival: bool) -> Execution | None:
    """What the order gets from one quote; sets `is_triggered` on a stop whose price is reached."""
    side = order.request.side
    price = touch.ask if side is Side.BUY else touch.bid
    displayed = touch.ask_quantity if side is Side.BUY else touch.bid_quantity
    if math.isnan(price):
        return None
    if order.request.stop_price is not None and not order.is_triggered:
        order.is_triggered = side * price >= side * to_float(order.request.stop_price)
        if not order.is_triggered:
            return None
    quantity = _at_most(order, displayed)
    if quantity <= ZERO:
        return None
    if order.is_market:
        return Execution(paid(price, order, slippage_rate), quantity, False)
    limit = order.request.limit_price
    if limit is None or side * price > side * to_float(limit):
        return None
    # on arrival it takes what is there at the venue's price; later it is the one that waits, at its own
    at = paid(price, order, 0.0) if on_arrival else limit
    return Execution(at, quantity, not on_arrival)


def match_trade(order: Resting, price: float, quantity: float) -> Execution | None:
    """A public trade fills a resting limit that it goes through."""
    limit = order.request.limit_price
    if limit is None or order.request.side * price >= order.request.side * to_float(limit):
        return None
    taken = _at_most(order, quantity)
    return Execution(limit, taken, True) if taken > ZERO else None


def match_open(order: Resting, open_price: float, slippage_rate: float) -> Execution | None:
    """A market order that waited for the next bar trades at its open, whole."""
    if not order.is_market:
        return None
    return Execution(paid(open_price, order, slippage_rate), order.remaining, False)


def match_bar_stop(order: Resting, bar: tuple[float, float, float], slippage_rate: float) -> Execution | None:
    """A stop within one bar's (open, high, low): at its price, or at the open beyond it, less slippage; whole."""
    if order.request.stop_price is None:
        return None
    grid = grid_of(order.instrument.tick_size)
    level = to_float(order.request.stop_price)
    price = fills.stop_fill(*bar, -order.request.side, level, slippage_rate, grid.numerator, grid.scale)
    return None if math.isnan(price) else Execution(_exact(price, order.instrument), order.remaining, False)


def match_bar_limit(order: Resting, bar: tuple[float, float, float]) -> Execution | None:
    """A resting limit within one bar's (open, high, low): at its price, or at the better open; whole."""
    if order.request.limit_price is None:
        return None
    price = fills.target_fill(*bar, -order.request.side, to_float(order.request.limit_price))
    return None if math.isnan(price) else Execution(_exact(price, order.instrument), order.remaining, True)


def paid(reference: float, order: Resting, slippage_rate: float) -> Decimal:
    """What a market order pays on the tick grid, rounded against it."""
    grid = grid_of(order.instrument.tick_size)
    price = fills.paid_price(reference, order.request.side, slippage_rate, grid.numerator, grid.scale)
    return _exact(price, order.instrument)


def _exact(price: float, instrument: Instrument) -> Decimal:
    """A price that lies on the tick grid, as Decimal."""
    try:
        return decimal_steps(price, instrument.tick_size, up=False, what="price")
    except BadInput as error:
        raise BadInput(f"{instrument.key}: {error}") from error


def _at_most(order: Resting, quantity: float) -> Decimal:
    """What the order can take of a foreign quantity, however large, in whole lots."""
    if quantity >= to_float(order.remaining):
        return order.remaining
    return quantity_from_float(quantity, order.instrument.lot_size)
