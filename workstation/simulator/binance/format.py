"""A simulated venue's orders, trades and candles in the JSON of Binance spot. Amounts are strings with 8 decimals."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from workstation.model.durations import MS_NS
from workstation.model.units import MONEY, Side
from workstation.simulator.accounts import Account
from workstation.simulator.bar_history import Candle
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import (
    BalanceChanged,
    Execution,
    Reported,
    Traded,
    VenueFill,
    VenueOrder,
)

ZERO = Decimal(0)
Json = dict[str, Any]


def amount(value: Decimal | None) -> str:
    """At least 8 decimals, never rounded; None is written as zero, as Binance does."""
    exponent = ZERO.as_tuple().exponent if value is None else value.as_tuple().exponent
    is_longer = isinstance(exponent, int) and exponent < -8
    return f"{value or ZERO:f}" if is_longer else f"{value or ZERO:.8f}"


def milliseconds(ts_ns: int) -> int:
    return ts_ns // MS_NS


def symbol_rules(market: VenueMarket) -> Json:
    """One entry of exchangeInfo."""
    instrument = market.instrument
    lot = {
        "minQty": amount(instrument.min_quantity),
        "maxQty": amount(MONEY.multiply(instrument.lot_size, Decimal(10**9))),
        "stepSize": amount(instrument.lot_size),
    }
    return {
        "symbol": market.name,
        "status": "TRADING",
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": [
            "LIMIT",
            "LIMIT_MAKER",
            "MARKET",
            "STOP_LOSS",
            "STOP_LOSS_LIMIT",
            "TAKE_PROFIT",
            "TAKE_PROFIT_LIMIT",
        ],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": amount(instrument.tick_size),
                "maxPrice": amount(MONEY.multiply(instrument.tick_size, Decimal(10**9))),
                "tickSize": amount(instrument.tick_size),
            },
            {"filterType": "LOT_SIZE", **lot},
            {"filterType": "MARKET_LOT_SIZE", **lot},
            {
                "filterType": "NOTIONAL",
                "minNotional": amount(instrument.min_notional_quote),
                "applyMinToMarket": True,
                "maxNotional": "9000000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def order_state(market: VenueMarket, order: VenueOrder) -> Json:
    """An order as a query answers it."""
    request = order.request
    return {
        "symbol": market.name,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": request.client_order_id,
        "price": amount(request.price),
        "origQty": amount(order.quantity),
        "executedQty": amount(order.filled),
        "origQuoteOrderQty": amount(request.quote_quantity),
        "cummulativeQuoteQty": amount(order.filled_quote),
        "status": order.status.value,
        "timeInForce": request.time_in_force.value,
        "type": request.kind.value,
        "side": request.side.name,
        "stopPrice": amount(request.stop_price),
        "icebergQty": amount(None),
        "time": milliseconds(order.created_ns),
        "updateTime": milliseconds(order.updated_ns),
        "isWorking": not order.is_waiting,
        "workingTime": -1 if order.is_waiting else milliseconds(order.created_ns),
        "selfTradePreventionMode": "NONE",
    }


def order_answer(market: VenueMarket, order: VenueOrder, detail: str) -> Json:
    """The answer to a new order: ACK, RESULT or FULL."""
    state = order_state(market, order)
    answer = {name: state[name] for name in ("symbol", "orderId", "orderListId", "clientOrderId")}
    answer["transactTime"] = milliseconds(order.updated_ns)
    if detail == "ACK":
        return answer
    names = ("price", "origQty", "executedQty", "origQuoteOrderQty", "cummulativeQuoteQty", "status", "timeInForce")
    answer |= {name: state[name] for name in (*names, "type", "side", "workingTime", "selfTradePreventionMode")}
    if order.request.stop_price is not None:
        answer["stopPrice"] = state["stopPrice"]
    if detail == "FULL":
        answer["fills"] = [
            {
                "price": amount(fill.price),
                "qty": amount(fill.quantity),
                "commission": amount(fill.fee),
                "commissionAsset": fill.fee_currency,
                "tradeId": fill.trade_id,
            }
            for fill in order.fills
        ]
    return answer


def cancel_answer(market: VenueMarket, order: VenueOrder, cancel_id: str) -> Json:
    """The answer to a cancel: the order under its own client id as the original one."""
    state = order_state(market, order)
    for name in ("time", "updateTime", "isWorking", "workingTime", "icebergQty", "stopPrice"):
        state.pop(name)
    state["origClientOrderId"], state["clientOrderId"] = state["clientOrderId"], cancel_id
    state["transactTime"] = milliseconds(order.updated_ns)
    return state


def own_trade(market: VenueMarket, order: VenueOrder, fill: VenueFill) -> Json:
    """One entry of myTrades."""
    return {
        "symbol": market.name,
        "id": fill.trade_id,
        "orderId": order.order_id,
        "orderListId": -1,
        "price": amount(fill.price),
        "qty": amount(fill.quantity),
        "quoteQty": amount(MONEY.multiply(fill.price, fill.quantity)),
        "commission": amount(fill.fee),
        "commissionAsset": fill.fee_currency,
        "time": milliseconds(fill.ts_ns),
        "isBuyer": order.request.side is Side.BUY,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def public_trade(trade: Traded) -> Json:
    """One entry of trades."""
    return {
        "id": trade.trade_id,
        "price": f"{trade.price:.8f}",
        "qty": f"{trade.quantity:.8f}",
        "quoteQty": f"{trade.price * trade.quantity:.8f}",
        "time": milliseconds(trade.ts_ns),
        "isBuyerMaker": trade.seller_takes,
        "isBestMatch": True,
    }


def aggregate_trade(trade: Traded) -> Json:
    """One entry of aggTrades; here every trade is an aggregate of its own."""
    return {
        "a": trade.trade_id,
        "p": f"{trade.price:.8f}",
        "q": f"{trade.quantity:.8f}",
        "f": trade.trade_id,
        "l": trade.trade_id,
        "T": milliseconds(trade.ts_ns),
        "m": trade.seller_takes,
        "M": True,
    }


def kline(candle: Candle, interval_ns: int) -> list[Any]:
    """One entry of klines; the number of trades is not known and 0."""
    prices = [f"{value:.8f}" for value in candle[1:6]]
    quote_volume = f"{candle.volume * (candle.open + candle.close) / 2:.8f}"
    half = [f"{candle.volume / 2:.8f}", f"{candle.volume * (candle.open + candle.close) / 4:.8f}"]
    close_ms = milliseconds(candle.ts_open + interval_ns) - 1
    return [milliseconds(candle.ts_open), *prices, close_ms, quote_volume, 0, *half, "0"]


def levels(market: VenueMarket, side: dict[int, int], limit: int | None = None) -> list[list[str]]:
    """Book levels as [price, quantity]."""
    pairs = list(side.items())[:limit]
    return [[f"{market.float_price(price):.8f}", f"{market.float_quantity(lots):.8f}"] for price, lots in pairs]


def account_state(account: Account, markets: Iterable[VenueMarket], now_ns: int) -> Json:
    """The answer to `account`."""
    first = next(iter(markets)).instrument
    rates = {"maker": amount(first.maker_fee_rate), "taker": amount(first.taker_fee_rate)}
    nothing = amount(None)
    return {
        "makerCommission": round(first.maker_fee_rate * 10_000),
        "takerCommission": round(first.taker_fee_rate * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {**rates, "buyer": nothing, "seller": nothing},
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": False,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": milliseconds(now_ns),
        "accountType": "SPOT",
        "balances": [
            {"asset": name, "free": amount(account.free(name)), "locked": amount(account.locked(name))}
            for name in account.currencies()
        ],
        "permissions": ["SPOT"],
    }


def execution_report(event: Reported) -> Json:
    """The user stream's report of an order. `C` names the order's own id on cancels only; `c` is then the cancel's."""
    order, fill = event.order, event.fill
    request = order.request
    is_cancel = event.execution is Execution.CANCELED
    last_quote = None if fill is None else MONEY.multiply(fill.price, fill.quantity)
    return {
        "e": "executionReport",
        "E": milliseconds(event.ts_ns),
        "s": request.market,
        "c": (event.cancel_id or request.client_order_id) if is_cancel else request.client_order_id,
        "S": request.side.name,
        "o": request.kind.value,
        "f": request.time_in_force.value,
        "q": amount(order.quantity),
        "p": amount(request.price),
        "P": amount(request.stop_price),
        "F": amount(None),
        "g": -1,
        "C": request.client_order_id if is_cancel else "",
        "x": event.execution.value,
        "X": event.status.value,
        "r": "NONE",
        "i": order.order_id,
        "l": amount(None if fill is None else fill.quantity),
        "z": amount(event.filled),
        "L": amount(None if fill is None else fill.price),
        "n": "0" if fill is None else amount(fill.fee),
        "N": None if fill is None else fill.fee_currency,
        "T": milliseconds(event.ts_ns),
        "t": -1 if fill is None else fill.trade_id,
        "w": event.status.value in ("NEW", "PARTIALLY_FILLED") and not order.is_waiting,
        "m": fill is not None and fill.is_maker,
        "M": False,
        "O": milliseconds(order.created_ns),
        "Z": amount(event.filled_quote),
        "Y": amount(last_quote),
        "Q": amount(request.quote_quantity),
        "V": "NONE",
    }


def account_position(event: BalanceChanged) -> Json:
    """The user stream's balances after a change."""
    return {
        "e": "outboundAccountPosition",
        "E": milliseconds(event.ts_ns),
        "u": milliseconds(event.ts_ns),
        "B": [{"a": name, "f": amount(free), "l": amount(locked)} for name, (free, locked) in event.balances.items()],
    }
