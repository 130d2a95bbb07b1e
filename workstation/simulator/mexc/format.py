"""A simulated venue's rules, orders, fills and balances in MEXC's JSON of spot. Figures are strings, times in ms."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from workstation.model.durations import MS_NS
from workstation.model.instrument import Instrument, InstrumentKind
from workstation.model.units import MONEY, Side
from workstation.simulator.accounts import Account
from workstation.simulator.bar_history import Candle
from workstation.simulator.number_text import plain
from workstation.simulator.venue_market import VenueMarket, decimals_of
from workstation.simulator.venue_orders import OrderKind, Status, TimeInForce, Traded, VenueFill, VenueOrder

Json = dict[str, Any]
PREFIX = "C02__"
"""What each number of an order begins with."""
STATUSES = {Status.NEW: "NEW", Status.PARTIALLY_FILLED: "PARTIALLY_FILLED", Status.FILLED: "FILLED"}
ORDER_TYPES = ["LIMIT", "MARKET", "LIMIT_MAKER", "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL"]
IN_FORCE = {TimeInForce.IOC: "IMMEDIATE_OR_CANCEL", TimeInForce.FOK: "FILL_OR_KILL"}


def market_name(instrument: Instrument) -> str:
    """BTCUSDT; a perpetual is BTC_USDT."""
    between = "_" if instrument.kind is InstrumentKind.LINEAR else ""
    return f"{instrument.base}{between}{instrument.quote}"


def is_perpetual(market: VenueMarket) -> bool:
    return market.instrument.kind is InstrumentKind.LINEAR


def milliseconds(ts_ns: int) -> int:
    return ts_ns // MS_NS


def order_name(order: VenueOrder) -> str:
    return f"{PREFIX}{order.order_id}"


def symbol_rules(market: VenueMarket) -> Json:
    """One entry of exchangeInfo. Steps are told as numbers of decimals: a tick of 0.5 as 1."""
    instrument = market.instrument
    decimals = decimals_of(instrument.tick_size)
    return {
        "symbol": market.name,
        "status": "1",
        "baseAsset": instrument.base,
        "baseAssetPrecision": decimals_of(instrument.lot_size),
        "quoteAsset": instrument.quote,
        "quotePrecision": decimals,
        "quoteAssetPrecision": decimals,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ORDER_TYPES,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "quoteAmountPrecision": plain(instrument.min_notional_quote),
        "baseSizePrecision": plain(instrument.min_quantity),
        "permissions": ["SPOT"],
        "filters": [],
        "maxQuoteAmount": "9000000000",
        "makerCommission": plain(instrument.maker_fee_rate),
        "takerCommission": plain(instrument.taker_fee_rate),
        "quoteAmountPrecisionMarket": plain(instrument.min_notional_quote),
        "maxQuoteAmountMarket": "9000000000",
        "fullName": instrument.base,
        "tradeSideType": 1,
    }


def type_word(order: VenueOrder) -> str:
    if order.request.kind is OrderKind.LIMIT:
        return IN_FORCE.get(order.request.time_in_force, "LIMIT")
    return order.request.kind.value


def status_word(status: Status, filled: Decimal) -> str:
    """What ends with a part filled has a word of its own."""
    return STATUSES.get(status, "PARTIALLY_CANCELED" if filled else "CANCELED")


def placed_order(order: VenueOrder) -> Json:
    """The answer to a new order: what became of it is told by a query, or by the stream."""
    return {
        "symbol": order.request.market,
        "orderId": order_name(order),
        "orderListId": -1,
        "price": plain(order.request.price or Decimal(0)),
        "origQty": plain(order.quantity),
        "type": type_word(order),
        "side": order.request.side.name,
        "transactTime": milliseconds(order.created_ns),
    }


def order_now(order: VenueOrder) -> Json:
    """An order as it stands."""
    value = order.request.quote_quantity or MONEY.multiply(order.request.price or Decimal(0), order.quantity)
    return {
        "symbol": order.request.market,
        "orderId": order_name(order),
        "orderListId": -1,
        "clientOrderId": order.request.client_order_id,
        "price": plain(order.request.price or Decimal(0)),
        "origQty": plain(order.quantity),
        "executedQty": plain(order.filled),
        "cummulativeQuoteQty": plain(order.filled_quote),
        "status": status_word(order.status, order.filled),
        "timeInForce": None,
        "type": type_word(order),
        "side": order.request.side.name,
        "stopPrice": None,
        "icebergQty": None,
        "time": milliseconds(order.created_ns),
        "updateTime": milliseconds(order.updated_ns),
        "isWorking": True,
        "origQuoteOrderQty": plain(value),
    }


def own_trade(order: VenueOrder, fill: VenueFill) -> Json:
    """One fill, as myTrades tells it."""
    return {
        "symbol": order.request.market,
        "id": f"{fill.trade_id}X1",
        "orderId": order_name(order),
        "orderListId": -1,
        "price": plain(fill.price),
        "qty": plain(fill.quantity),
        "quoteQty": plain(MONEY.multiply(fill.price, fill.quantity)),
        "commission": plain(fill.fee),
        "commissionAsset": fill.fee_currency,
        "time": milliseconds(fill.ts_ns),
        "isBuyer": order.request.side is Side.BUY,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
        "isSelfTrade": False,
        "clientOrderId": order.request.client_order_id,
    }


def public_trade(market: VenueMarket, trade: Traded) -> Json:
    """One entry of trades: MEXC gives no id."""
    return {
        "id": None,
        "price": market.price_text(trade.price),
        "qty": market.quantity_text(trade.quantity),
        "quoteQty": f"{trade.price * trade.quantity:.8f}",
        "time": milliseconds(trade.ts_ns),
        "isBuyerMaker": trade.seller_takes,
        "isBestMatch": True,
        "tradeType": "ASK" if trade.seller_takes else "BID",
    }


def aggregate_trade(market: VenueMarket, first: Traded, quantity: float) -> Json:
    """One entry of aggTrades."""
    return {
        "a": None,
        "f": None,
        "l": None,
        "p": market.price_text(first.price),
        "q": market.quantity_text(quantity),
        "T": milliseconds(first.ts_ns),
        "m": first.seller_takes,
        "M": True,
    }


def candle_row(market: VenueMarket, candle: Candle, length_ns: int) -> list[Any]:
    """Time, open, high, low, close, volume in base, end, volume in quote."""
    prices = [market.price_text(value) for value in (candle.open, candle.high, candle.low, candle.close)]
    volumes = market.quantity_text(candle.volume), quote_volume(candle)
    start_ms = milliseconds(candle.ts_open)
    return [start_ms, *prices, volumes[0], start_ms + milliseconds(length_ns), volumes[1]]


def quote_volume(candle: Candle) -> str:
    return f"{candle.volume * (candle.open + candle.close) / 2:.2f}"


def account_state(account: Account) -> Json:
    """The balances of a spot account."""
    return {
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": False,
        "updateTime": None,
        "accountType": "SPOT",
        "balances": [
            {"asset": name, "free": plain(account.free(name)), "locked": plain(account.locked(name))}
            for name in account.currencies()
        ],
        "permissions": ["SPOT"],
    }


def of_each(markets: dict[str, VenueMarket], wanted: str | None, one: Callable[[VenueMarket], Json]) -> Any:
    """Of the spot market that is named, or a list of all."""
    if wanted is not None:
        return one(markets[wanted])
    return [one(market) for market in markets.values()]
