"""A new order as Bybit takes it: sides, kinds, units of a market order, and which way a trigger is."""

from decimal import Decimal

from workstation.model.units import Side
from workstation.simulator.bybit.errors import (
    INVALID_FILTER,
    INVALID_SIDE,
    INVALID_TIME_IN_FORCE,
    INVALID_TYPE,
    NO_TRIGGER_PRICE,
    QUANTITY_TOO_SMALL,
    BybitError,
    wrong,
)
from workstation.simulator.bybit.requests import decimal
from workstation.simulator.exchange import Exchange
from workstation.simulator.request_fields import Fields
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import NewOrder, OrderKind, TimeInForce

SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
LONGEST_CLIENT_ID = 36
FILTERS = frozenset({"Order", "StopOrder", "tpslOrder"})


def new_order(exchange: Exchange, fields: Fields) -> NewOrder:
    """The order that was asked for. Raises BybitError for what it needs and has not, Refused for an unknown symbol."""
    market = exchange.market(fields.get("symbol", ""))
    side = SIDES.get(fields.get("side", ""))
    if side is None:
        raise BybitError(*INVALID_SIDE)
    is_market = fields.get("orderType") == "Market"
    if not is_market and fields.get("orderType") != "Limit":
        raise BybitError(*INVALID_TYPE)
    quantity, price, trigger = decimal(fields, "qty"), decimal(fields, "price"), decimal(fields, "triggerPrice")
    if quantity is None:
        raise wrong("qty")
    if price is None and not is_market:
        raise wrong("price")
    order_filter = fields.get("orderFilter", "Order")
    if order_filter not in FILTERS:
        raise BybitError(*INVALID_FILTER)
    if order_filter != "Order" and trigger is None:
        raise BybitError(*NO_TRIGGER_PRICE)
    in_force = fields.get("timeInForce", "GTC")
    if in_force not in ("GTC", "IOC", "FOK", "PostOnly"):
        raise BybitError(*INVALID_TIME_IN_FORCE)
    by_value = is_market and fields.get("marketUnit", "quoteCoin" if side is Side.BUY else "baseCoin") == "quoteCoin"
    if not by_value and 0 < quantity < market.instrument.min_quantity:
        raise BybitError(*QUANTITY_TOO_SMALL)
    kind = _kind(market, side, trigger, is_market=is_market, is_post_only=in_force == "PostOnly")
    is_limit = kind not in (OrderKind.MARKET, OrderKind.STOP_LOSS, OrderKind.TAKE_PROFIT)
    return NewOrder(
        market=market.name,
        side=side,
        kind=kind,
        client_order_id=_client_id(fields),
        quantity=None if by_value else quantity,
        quote_quantity=quantity if by_value else None,
        price=price if is_limit else None,
        stop_price=trigger,
        time_in_force=TimeInForce(in_force) if is_limit and in_force in TimeInForce.__members__ else TimeInForce.GTC,
    )


def _kind(
    market: VenueMarket, side: Side, trigger: Decimal | None, *, is_market: bool, is_post_only: bool
) -> OrderKind:
    """A trigger above the last price waits for a rise, one below for a fall; the side says which of them protects."""
    if trigger is None:
        return OrderKind.MARKET if is_market else OrderKind.LIMIT_MAKER if is_post_only else OrderKind.LIMIT
    last = market.instrument.tick_size if market.last_price is None else market.price(market.last_price)
    is_stop = (trigger > last) is (side is Side.BUY)
    if is_market:
        return OrderKind.STOP_LOSS if is_stop else OrderKind.TAKE_PROFIT
    return OrderKind.STOP_LOSS_LIMIT if is_stop else OrderKind.TAKE_PROFIT_LIMIT


def _client_id(fields: Fields) -> str | None:
    name = fields.get("orderLinkId")
    if name is None:
        return None
    if len(name) > LONGEST_CLIENT_ID or not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise wrong("orderLinkId")
    return name
