"""A new order as Bitvavo takes it: kinds, amounts in base or quote currency, triggers, and who is the operator."""

from workstation.model.units import Side
from workstation.simulator.bitvavo.errors import BitvavoError, missing, wrong
from workstation.simulator.bitvavo.ids import is_uuid
from workstation.simulator.bitvavo.requests import decimal, is_true, required, whole
from workstation.simulator.exchange import Exchange
from workstation.simulator.request_fields import Fields
from workstation.simulator.venue_orders import MARKET_KINDS, STOP_KINDS, NewOrder, OrderKind, TimeInForce

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
KINDS = {
    "market": OrderKind.MARKET,
    "limit": OrderKind.LIMIT,
    "stopLoss": OrderKind.STOP_LOSS,
    "stopLossLimit": OrderKind.STOP_LOSS_LIMIT,
    "takeProfit": OrderKind.TAKE_PROFIT,
    "takeProfitLimit": OrderKind.TAKE_PROFIT_LIMIT,
}
KNOWN = frozenset(
    {
        "market",
        "side",
        "orderType",
        "operatorId",
        "clientOrderId",
        "amount",
        "amountQuote",
        "price",
        "triggerAmount",
        "triggerType",
        "triggerReference",
        "timeInForce",
        "postOnly",
        "selfTradePrevention",
        "disableMarketProtection",
        "responseRequired",
    }
)


def new_order(exchange: Exchange, fields: Fields) -> NewOrder:
    """The order that was asked for. Raises BitvavoError, and Refused for an unknown market."""
    for name in fields:
        if name not in KNOWN:
            raise BitvavoError(201, f"{name} body parameter is not supported.")
    market = exchange.market(required(fields, "market"))
    side, kind = SIDES.get(required(fields, "side")), KINDS.get(required(fields, "orderType"))
    if side is None:
        raise wrong("side")
    if kind is None:
        raise wrong("orderType")
    require_operator(fields)
    is_market = kind in MARKET_KINDS
    in_force = fields.get("timeInForce", "GTC")
    if in_force not in TimeInForce.__members__:
        raise wrong("timeInForce")
    if is_true(fields, "postOnly"):
        if kind is not OrderKind.LIMIT:
            raise BitvavoError(202, "postOnly order parameter is not supported.")
        kind = OrderKind.LIMIT_MAKER
    amount, amount_quote = decimal(fields, "amount"), decimal(fields, "amountQuote")
    price, trigger = decimal(fields, "price"), decimal(fields, "triggerAmount")
    if amount_quote is not None and (amount is not None or kind is not OrderKind.MARKET):
        raise BitvavoError(202, "amountQuote order parameter is not supported.")
    if amount is None and amount_quote is None:
        raise missing("amount")
    if (price is None) is not is_market:
        raise BitvavoError(202, "price order parameter is not supported.") if is_market else missing("price")
    if (trigger is not None) is not (kind in STOP_KINDS):
        raise missing("triggerAmount") if trigger is None else wrong("triggerAmount")
    if fields.get("triggerReference", "lastTrade") != "lastTrade":
        raise wrong("triggerReference")
    return NewOrder(
        market=market.name,
        side=side,
        kind=kind,
        client_order_id=_client_id(fields),
        quantity=amount,
        quote_quantity=amount_quote,
        price=price,
        stop_price=trigger,
        time_in_force=TimeInForce.GTC if is_market else TimeInForce(in_force),
    )


def require_operator(fields: Fields) -> None:
    """Whoever, or whichever program, is responsible for an order must be named by a number. Raises BitvavoError."""
    required(fields, "operatorId")
    whole(fields, "operatorId", 0)


def _client_id(fields: Fields) -> str | None:
    name = fields.get("clientOrderId")
    if name is not None and not is_uuid(name):
        raise wrong("clientOrderId")
    return name
