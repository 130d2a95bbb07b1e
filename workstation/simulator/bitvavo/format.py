"""A simulated venue's rules, orders, fills and balances in Bitvavo's JSON. Figures are strings, times in ms."""

from decimal import Decimal
from typing import Any

from workstation.model.durations import MS_NS
from workstation.model.instrument import Instrument
from workstation.model.units import MONEY, Side
from workstation.simulator.accounts import Account
from workstation.simulator.bar_history import Candle
from workstation.simulator.bitvavo.ids import ORDER, TRADE, uuid_of
from workstation.simulator.number_text import plain
from workstation.simulator.venue_market import VenueMarket, decimals_of
from workstation.simulator.venue_orders import OrderKind, Status, TimeInForce, Traded, VenueFill, VenueOrder

ZERO = Decimal(0)
Json = dict[str, Any]
KINDS = {
    OrderKind.MARKET: "market",
    OrderKind.LIMIT: "limit",
    OrderKind.LIMIT_MAKER: "limit",
    OrderKind.STOP_LOSS: "stopLoss",
    OrderKind.STOP_LOSS_LIMIT: "stopLossLimit",
    OrderKind.TAKE_PROFIT: "takeProfit",
    OrderKind.TAKE_PROFIT_LIMIT: "takeProfitLimit",
}
STATUSES = {
    Status.NEW: "new",
    Status.PARTIALLY_FILLED: "partiallyFilled",
    Status.FILLED: "filled",
    Status.CANCELED: "canceled",
}
EXPIRED = {TimeInForce.GTC: "canceled", TimeInForce.IOC: "canceledIOC", TimeInForce.FOK: "canceledFOK"}
"""How an order ends for which nothing more was there to take."""


def market_name(instrument: Instrument) -> str:
    """BTC-EUR."""
    return f"{instrument.base}-{instrument.quote}"


def milliseconds(ts_ns: int) -> int:
    return ts_ns // MS_NS


def market_rules(market: VenueMarket) -> Json:
    """One entry of markets. The step of quantities is told as a number of decimals: a lot of 0.5 as 1."""
    instrument = market.instrument
    return {
        "market": market.name,
        "status": "trading",
        "base": instrument.base,
        "quote": instrument.quote,
        "pricePrecision": "0",
        "tickSize": plain(instrument.tick_size),
        "quantityDecimals": str(decimals_of(instrument.lot_size)),
        "notionalDecimals": "2",
        "minOrderInBaseAsset": plain(instrument.min_quantity),
        "minOrderInQuoteAsset": plain(instrument.min_notional_quote),
        "maxOrderInBaseAsset": "1000000000",
        "maxOrderInQuoteAsset": "1000000000",
        "maxOpenOrders": "100",
        "feeCategory": "A",
        "orderTypes": ["market", "limit", "stopLoss", "stopLossLimit", "takeProfit", "takeProfitLimit"],
    }


def status_word(order: VenueOrder, status: Status) -> str:
    if order.is_waiting:
        return "awaitingTrigger"
    return STATUSES[status] if status in STATUSES else EXPIRED[order.request.time_in_force]


def order_state(order: VenueOrder, status: Status, filled: Decimal, filled_quote: Decimal, updated_ns: int) -> Json:
    """An order with the figures of a moment, as queries and the account's channel tell it."""
    request, currencies = order.request, [fill.fee_currency for fill in order.fills]
    fills = fills_up_to(order, filled)
    found: Json = {
        "orderId": uuid_of(ORDER, order.order_id),
        "market": request.market,
        "created": milliseconds(order.created_ns),
        "updated": milliseconds(updated_ns),
        "status": status_word(order, status),
        "side": request.side.name.lower(),
        "orderType": KINDS[request.kind],
        "onHold": plain(order.held),
        "onHoldCurrency": order.held_currency,
        "filledAmount": plain(filled),
        "filledAmountQuote": plain(filled_quote),
        "feePaid": plain(sum((fill.fee for fill in fills), ZERO)),
        "feeCurrency": currencies[0] if currencies else receives(order),
        "fills": [fill_entry(fill) for fill in fills],
        "selfTradePrevention": "decrementAndCancel",
        "visible": request.price is not None,
        "disableMarketProtection": False,
        "timeInForce": request.time_in_force.value,
        "postOnly": request.kind is OrderKind.LIMIT_MAKER,
    }
    if request.client_order_id is not None:
        found["clientOrderId"] = request.client_order_id
    if request.quote_quantity is not None:
        found["amountQuote"] = plain(request.quote_quantity)
        found["amountQuoteRemaining"] = plain(MONEY.subtract(request.quote_quantity, filled_quote))
    else:
        found["amount"] = plain(order.quantity)
        found["amountRemaining"] = plain(MONEY.subtract(order.quantity, filled))
    if request.price is not None:
        found["price"] = plain(request.price)
    if request.stop_price is not None:
        trigger = plain(request.stop_price)
        found |= {"triggerPrice": trigger, "triggerAmount": trigger}
        found |= {"triggerType": "price", "triggerReference": "lastTrade"}
    return found


def order_now(order: VenueOrder) -> Json:
    """An order as it stands."""
    return order_state(order, order.status, order.filled, order.filled_quote, order.updated_ns)


def fills_up_to(order: VenueOrder, filled: Decimal) -> list[VenueFill]:
    """The first fills up to the quantity `filled`: later ones may have been booked since."""
    found = []
    for fill in order.fills:
        if filled <= 0:
            break
        filled = MONEY.subtract(filled, fill.quantity)
        found.append(fill)
    return found


def receives(order: VenueOrder) -> str:
    """The currency that the order brings, in which its fee is taken."""
    base, _, quote = order.request.market.partition("-")
    return base if order.request.side is Side.BUY else quote


def fill_entry(fill: VenueFill) -> Json:
    """One entry of an order's fills."""
    return {
        "id": uuid_of(TRADE, fill.trade_id),
        "timestamp": milliseconds(fill.ts_ns),
        "amount": plain(fill.quantity),
        "price": plain(fill.price),
        "taker": not fill.is_maker,
        "fee": plain(fill.fee),
        "feeCurrency": fill.fee_currency,
        "settled": True,
    }


def own_trade(order: VenueOrder, fill: VenueFill) -> Json:
    """One fill among the account's."""
    named = {
        "orderId": uuid_of(ORDER, order.order_id),
        "market": order.request.market,
        "side": order.request.side.name.lower(),
    }
    if order.request.client_order_id is not None:
        named["clientOrderId"] = order.request.client_order_id
    return fill_entry(fill) | named


def public_trade(market: VenueMarket, trade: Traded) -> Json:
    return {
        "id": uuid_of(TRADE, trade.trade_id),
        "timestamp": milliseconds(trade.ts_ns),
        "amount": market.quantity_text(trade.quantity),
        "price": market.price_text(trade.price),
        "side": "sell" if trade.seller_takes else "buy",
    }


def candle_row(market: VenueMarket, candle: Candle) -> list[Any]:
    """Time, open, high, low, close, volume in base."""
    prices = [market.price_text(value) for value in (candle.open, candle.high, candle.low, candle.close)]
    return [milliseconds(candle.ts_open), *prices, market.quantity_text(candle.volume)]


def balances(account: Account) -> list[Json]:
    return [
        {"symbol": name, "available": plain(account.free(name)), "inOrder": plain(account.locked(name))}
        for name in account.currencies()
    ]
