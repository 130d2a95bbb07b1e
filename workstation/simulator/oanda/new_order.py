"""A request for an order as the core understands it, and as transactions and queries show it."""

from decimal import Decimal
from typing import NamedTuple

from workstation.model.units import MONEY, Side
from workstation.simulator.exchange import Exchange
from workstation.simulator.number_text import plain
from workstation.simulator.oanda.errors import Rejected, not_simulated, wrong
from workstation.simulator.oanda.format import MOST_UNITS, Json
from workstation.simulator.oanda.requests import decimal_of
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import NewOrder, OrderKind, TimeInForce

TYPES = ("MARKET", "LIMIT", "STOP")
KINDS = {"MARKET": OrderKind.MARKET, "LIMIT": OrderKind.LIMIT, "STOP": OrderKind.STOP_LOSS}
IN_FORCE = {"MARKET": ("FOK", "IOC"), "LIMIT": ("GTC", "IOC", "FOK"), "STOP": ("GTC",)}
"""By type, the usual one first."""
NOT_SIMULATED = (
    "takeProfitOnFill",
    "stopLossOnFill",
    "trailingStopLossOnFill",
    "guaranteedStopLossOnFill",
    "tradeClientExtensions",
    "gtdTime",
)
POSITION_FILLS = ("DEFAULT", "REDUCE_FIRST")
LONGEST_ID = 128


class Asked(NamedTuple):
    """`fields` are those of its transactions and of the order itself."""

    fields: Json
    new: NewOrder


def asked_order(exchange: Exchange, body: Json) -> Asked:
    """Raises Rejected for what OANDA has a reason, OandaError for what no order can be made of."""
    kind = body.get("type", "MARKET")
    if kind not in TYPES:
        raise not_simulated(f"order.type {kind!r:.40}")
    for name in NOT_SIMULATED:
        if body.get(name) is not None:
            raise not_simulated(f"order.{name}")
    market = _market(exchange, body)
    units = _units(market, body)
    in_force = body.get("timeInForce", IN_FORCE[kind][0])
    if in_force not in IN_FORCE[kind]:
        if in_force in ("GTC", "GTD", "GFD", "FOK", "IOC") and kind == "MARKET":
            raise Rejected("TIME_IN_FORCE_INVALID")
        raise not_simulated(f"order.timeInForce {in_force!r:.40} of type {kind}")
    if body.get("positionFill", "DEFAULT") not in POSITION_FILLS:
        raise not_simulated(f"order.positionFill {body['positionFill']!r:.40}")
    price = None if kind == "MARKET" else _price(market, body, "price")
    bound = _price(market, body, "priceBound") if body.get("priceBound") is not None else None
    if bound is not None and kind == "STOP":
        raise not_simulated("order.priceBound of type STOP")
    extensions = _extensions(body)
    fields: Json = {
        "instrument": market.name,
        "units": plain(units),
        "timeInForce": in_force,
        "positionFill": "DEFAULT",
    }
    if kind != "MARKET":
        fields |= {"partialFill": "DEFAULT", "triggerCondition": "DEFAULT"}
    for name, value in (("price", price), ("priceBound", bound)):
        if value is not None:
            fields[name] = market.price_text(float(value))
    if extensions:
        fields["clientExtensions"] = extensions
    new = NewOrder(
        market=market.name,
        side=Side.BUY if units > 0 else Side.SELL,
        # a market order with a bound takes what a limit at the bound would
        kind=OrderKind.LIMIT if kind == "MARKET" and bound is not None else KINDS[kind],
        client_order_id=extensions.get("id"),
        quantity=abs(units),
        price=bound if kind == "MARKET" else price if kind == "LIMIT" else None,
        stop_price=price if kind == "STOP" else None,
        time_in_force=TimeInForce(in_force),
    )
    return Asked({"type": kind} | fields, new)


def market_order(market: VenueMarket, units: Decimal, position_fill: str) -> Asked:
    """The order by which a trade or a position is closed."""
    fields = {
        "type": "MARKET",
        "instrument": market.name,
        "units": plain(units),
        "timeInForce": "FOK",
        "positionFill": position_fill,
    }
    new = NewOrder(
        market=market.name,
        side=Side.BUY if units > 0 else Side.SELL,
        kind=OrderKind.MARKET,
        client_order_id=None,
        quantity=abs(units),
        time_in_force=TimeInForce.FOK,
    )
    return Asked(fields, new)


def checked_units(market: VenueMarket, units: Decimal) -> Decimal:
    """Signed units on the grid. Raises Rejected."""
    instrument = market.instrument
    if abs(units) > MOST_UNITS:
        raise Rejected("UNITS_LIMIT_EXCEEDED")
    if MONEY.remainder(abs(units), instrument.lot_size) != 0:
        raise Rejected("UNITS_PRECISION_EXCEEDED")
    if abs(units) < instrument.min_quantity:
        raise Rejected("UNITS_MINIMUM_NOT_MET")
    return units


def _market(exchange: Exchange, body: Json) -> VenueMarket:
    name = body.get("instrument")
    if not name:
        raise Rejected("INSTRUMENT_MISSING")
    market = exchange.markets.get(str(name))
    if market is None:
        raise Rejected("INSTRUMENT_UNKNOWN")
    return market


def _units(market: VenueMarket, body: Json) -> Decimal:
    if body.get("units") is None:
        raise Rejected("UNITS_MISSING")
    units = decimal_of(body["units"])
    if units is None or units == 0:
        raise Rejected("UNITS_INVALID")
    return checked_units(market, units)


def _price(market: VenueMarket, body: Json, name: str) -> Decimal:
    if body.get(name) is None:
        raise Rejected("PRICE_MISSING")
    price = decimal_of(body[name])
    if price is None or price <= 0:
        raise Rejected("PRICE_INVALID")
    if MONEY.remainder(price, market.instrument.tick_size) != 0:
        raise Rejected("PRICE_PRECISION_EXCEEDED")
    return price


def _extensions(body: Json) -> dict[str, str]:
    """The client's own id, tag and comment."""
    given = body.get("clientExtensions")
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise wrong("order.clientExtensions")
    found = {name: given[name] for name in ("id", "tag", "comment") if given.get(name) is not None}
    name = found.get("id", "x")
    if not all(isinstance(value, str) for value in found.values()) or not 0 < len(name) <= LONGEST_ID:
        raise Rejected("CLIENT_ORDER_ID_INVALID")
    return found
