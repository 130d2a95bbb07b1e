"""What a simulated venue checks before it takes an order, and what it locks for it."""

from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from workstation.model.ids import Currency
from workstation.model.units import MONEY, Side
from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import MARKET_KINDS, STOP_KINDS, NewOrder, OrderKind, VenueOrder

TAKE_PROFITS = frozenset({OrderKind.TAKE_PROFIT, OrderKind.TAKE_PROFIT_LIMIT})


def checked_order(market: VenueMarket, request: NewOrder) -> tuple[int, int | None, int | None]:
    """Lots, limit and stop in ticks. Raises Refused: grids, least value, post-only that takes, stop reached already."""
    price = None if request.price is None else market.ticks(request.price, Reason.PRICE_FILTER)
    stop = None if request.stop_price is None else market.ticks(request.stop_price, Reason.PRICE_FILTER)
    lots = _checked_lots(market, request)
    reference = price or stop or _touch(market, request.side)
    value = MONEY.multiply(market.price(reference), market.quantity(lots))
    if value < market.instrument.min_notional_quote:
        raise Refused(Reason.NOTIONAL, f"{market.name} {value}: least {market.instrument.min_notional_quote}")
    if request.kind is OrderKind.LIMIT_MAKER and price is not None:
        first = next(market.book.offers(request.side), None)
        if first is not None and int(request.side) * (price - first.price) >= 0:
            raise Refused(Reason.WOULD_TAKE, f"{market.name} {request.price} against {market.price(first.price)}")
    if request.kind in STOP_KINDS and is_reached(request, stop, market.last_price):
        raise Refused(Reason.WOULD_TRIGGER, f"{market.name} stop {request.stop_price}")
    return lots, price, stop


def held_amount(
    market: VenueMarket, request: NewOrder, lots: int, price: int | None, stop: int | None
) -> tuple[Currency, Decimal | None]:
    """What is locked, and in which currency; None for a market order, which pays at once."""
    instrument = market.instrument
    currency = instrument.quote if request.side is Side.BUY else instrument.base
    if request.kind is OrderKind.MARKET:
        return currency, None
    if request.side is Side.SELL:
        return currency, market.quantity(lots)
    worst = price if price is not None else stop
    assert worst is not None
    return currency, MONEY.multiply(market.price(worst), market.quantity(lots))


class Terms(NamedTuple):
    """What an order asks for: with lots, limit and stop in ticks, and what is locked for what is left of it."""

    request: NewOrder
    lots: int
    price: int | None
    stop: int | None
    held: Decimal


def amended_terms(
    market: VenueMarket, order: VenueOrder, quantity: Decimal | None, price: Decimal | None, stop_price: Decimal | None
) -> Terms:
    """An open order's with these in place of its own. Raises Refused, also for no more than is filled already."""
    before = order.request
    request = replace(
        before,
        quantity=order.quantity if quantity is None else quantity,
        price=before.price if price is None else price,
        stop_price=before.stop_price if stop_price is None else stop_price,
    )
    lots, ticks, stop = checked_order(market, request)
    if lots <= order.filled_lots:
        raise Refused(Reason.LOT_SIZE, f"order {order.order_id}: {order.filled} of {request.quantity} is filled")
    _, held = held_amount(market, request, lots - order.filled_lots, ticks, stop)
    assert held is not None, "an order with a limit holds what it may pay"
    return Terms(request, lots, ticks, stop, held)


def is_reached(request: NewOrder, stop: int | None, last_price: int | None) -> bool:
    """Whether the last traded price is at a stop: a stop-loss buys at or above it, a take-profit at or below."""
    if stop is None or last_price is None:
        return False
    direction = -int(request.side) if request.kind in TAKE_PROFITS else int(request.side)
    return direction * (last_price - stop) >= 0


def _checked_lots(market: VenueMarket, request: NewOrder) -> int:
    is_market = request.kind in MARKET_KINDS
    reason = Reason.MARKET_LOT_SIZE if is_market else Reason.LOT_SIZE
    if request.quantity is not None:
        return market.lots(request.quantity, reason)
    assert request.quote_quantity is not None
    if request.quote_quantity < market.instrument.min_notional_quote:
        raise Refused(Reason.NOTIONAL, f"{market.name} {request.quote_quantity}: too little")
    lots = market.lots_for(request.side, request.quote_quantity)
    return market.lots(market.quantity(lots), reason)


def _touch(market: VenueMarket, side: Side) -> int:
    """The price that a market order of `side` meets first. Raises Refused where nobody offers."""
    first = next(market.book.offers(side), None)
    if first is None:
        raise Refused(Reason.NO_PRICE_YET, f"{market.name}: nothing is offered")
    return first.price
