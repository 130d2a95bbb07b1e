"""A simulated venue's rules, orders, fills and balances in the JSON of Bybit. Figures are strings, times are in ms."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from workstation.model.durations import MS_NS
from workstation.model.units import MONEY, Side
from workstation.simulator.accounts import Account
from workstation.simulator.bar_history import Candle
from workstation.simulator.number_text import plain
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import (
    MARKET_KINDS,
    STOP_KINDS,
    OrderKind,
    Status,
    Traded,
    VenueFill,
    VenueOrder,
)

ZERO = Decimal(0)
Json = dict[str, Any]
OPEN_STATUSES = {Status.NEW: "New", Status.PARTIALLY_FILLED: "PartiallyFilled", Status.FILLED: "Filled"}
SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}


def milliseconds(ts_ns: int) -> int:
    return ts_ns // MS_NS


def symbol_rules(market: VenueMarket) -> Json:
    """One entry of instruments-info."""
    instrument = market.instrument
    most = plain(MONEY.multiply(instrument.lot_size, Decimal(10**9)))
    return {
        "symbol": market.name,
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "none",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": plain(instrument.lot_size),
            "quotePrecision": "0.00000001",
            "minOrderQty": plain(instrument.min_quantity),
            "maxOrderQty": most,
            "minOrderAmt": plain(instrument.min_notional_quote),
            "maxOrderAmt": "9000000000",
        },
        "priceFilter": {"tickSize": plain(instrument.tick_size)},
    }


def status_word(order: VenueOrder, status: Status, filled: Decimal) -> str:
    """Bybit's word for a state: what ends with a part filled has one of its own."""
    if order.is_waiting:
        return "Untriggered"
    if status in OPEN_STATUSES:
        return OPEN_STATUSES[status]
    return "PartiallyFilledCanceled" if filled else "Cancelled"


def order_state(order: VenueOrder, status: Status, filled: Decimal, filled_quote: Decimal, updated_ns: int) -> Json:
    """An order as queries and the private stream tell it, with the figures of a moment."""
    request = order.request
    is_market, by_value = request.kind in MARKET_KINDS, request.quote_quantity is not None
    left = MONEY.subtract(order.quantity, filled) if status in (Status.NEW, Status.PARTIALLY_FILLED) else ZERO
    fees = _fees(order, filled)
    is_stop = request.kind in STOP_KINDS
    return {
        "orderId": str(order.order_id),
        "orderLinkId": request.client_order_id or "",
        "blockTradeId": "",
        "category": "spot",
        "symbol": request.market,
        "price": plain(request.price or ZERO),
        "qty": plain(request.quote_quantity if request.quote_quantity is not None else order.quantity),
        "side": SIDES[request.side],
        "isLeverage": "0",
        "positionIdx": 0,
        "orderStatus": status_word(order, status, filled),
        "createType": "CreateByUser",
        "cancelType": "CancelByUser" if status is Status.CANCELED else "UNKNOWN",
        "rejectReason": "EC_NoError",
        "avgPrice": plain(MONEY.divide(filled_quote, filled)) if filled else "",
        "leavesQty": plain(left),
        "leavesValue": plain(MONEY.multiply(left, request.price or ZERO)),
        "cumExecQty": plain(filled),
        "cumExecValue": plain(filled_quote),
        "cumExecFee": plain(sum(fees.values(), ZERO)),
        "cumFeeDetail": {currency: plain(fee) for currency, fee in fees.items()},
        "timeInForce": time_in_force(order),
        "orderType": "Market" if is_market else "Limit",
        "stopOrderType": "Stop" if is_stop else "",
        "marketUnit": ("quoteCoin" if by_value else "baseCoin") if is_market else "",
        "triggerPrice": plain(request.stop_price or ZERO),
        "triggerDirection": 0,
        "triggerBy": "",
        "takeProfit": "",
        "stopLoss": "",
        "reduceOnly": False,
        "closeOnTrigger": False,
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "createdTime": str(milliseconds(order.created_ns)),
        "updatedTime": str(milliseconds(updated_ns)),
    }


def order_now(order: VenueOrder) -> Json:
    """An order as it stands."""
    return order_state(order, order.status, order.filled, order.filled_quote, order.updated_ns)


def time_in_force(order: VenueOrder) -> str:
    if order.request.kind is OrderKind.LIMIT_MAKER:
        return "PostOnly"
    return "IOC" if order.request.kind is OrderKind.MARKET else order.request.time_in_force.value


def _fees(order: VenueOrder, filled: Decimal) -> dict[str, Decimal]:
    """By currency, of the first fills up to the quantity `filled`: later ones may have been booked since."""
    fees: dict[str, Decimal] = {}
    for fill in order.fills:
        if filled <= 0:
            break
        filled = MONEY.subtract(filled, fill.quantity)
        fees[fill.fee_currency] = MONEY.add(fees.get(fill.fee_currency, ZERO), fill.fee)
    return fees


def execution(order: VenueOrder, fill: VenueFill) -> Json:
    """One fill, as queries and the private stream tell it."""
    request = order.request
    value = MONEY.multiply(fill.price, fill.quantity)
    gross = fill.quantity if request.side is Side.BUY else value
    return {
        "category": "spot",
        "symbol": request.market,
        "orderId": str(order.order_id),
        "orderLinkId": request.client_order_id or "",
        "side": SIDES[request.side],
        "orderPrice": plain(request.price or ZERO),
        "orderQty": plain(order.quantity),
        "leavesQty": plain(MONEY.subtract(order.quantity, _filled_with(order, fill))),
        "orderType": "Market" if request.kind in MARKET_KINDS else "Limit",
        "stopOrderType": "Stop" if request.kind in STOP_KINDS else "UNKNOWN",
        "execId": str(fill.trade_id),
        "execPrice": plain(fill.price),
        "execQty": plain(fill.quantity),
        "execValue": plain(value),
        "execType": "Trade",
        "execFee": plain(fill.fee),
        "feeCurrency": fill.fee_currency,
        "feeCoin": fill.fee_currency,
        "feeRate": plain(MONEY.divide(fill.fee, gross).quantize(Decimal("0.000001"))),
        "execTime": str(milliseconds(fill.ts_ns)),
        "isMaker": fill.is_maker,
        "isLeverage": "0",
        "blockTradeId": "",
        "closedSize": "",
        "seq": fill.trade_id,
    }


def _filled_with(order: VenueOrder, fill: VenueFill) -> Decimal:
    """The quantity that was filled up to this fill, and with it."""
    return sum((one.quantity for one in order.fills if one.trade_id <= fill.trade_id), ZERO)


def public_trade(market: VenueMarket, trade: Traded) -> Json:
    """One entry of recent-trade."""
    return {
        "execId": str(trade.trade_id),
        "symbol": market.name,
        "price": market.price_text(trade.price),
        "size": market.quantity_text(trade.quantity),
        "side": "Sell" if trade.seller_takes else "Buy",
        "time": str(milliseconds(trade.ts_ns)),
        "isBlockTrade": False,
        "isRPITrade": False,
        "seq": str(trade.trade_id),
    }


def streamed_trade(market: VenueMarket, trade: Traded) -> Json:
    """One entry of publicTrade."""
    return {
        "i": str(trade.trade_id),
        "T": milliseconds(trade.ts_ns),
        "p": market.price_text(trade.price),
        "v": market.quantity_text(trade.quantity),
        "S": "Sell" if trade.seller_takes else "Buy",
        "seq": trade.trade_id,
        "s": market.name,
        "BT": False,
        "RPI": False,
    }


def candle_figures(market: VenueMarket, candle: Candle) -> dict[str, str]:
    """Open, high, low, close, volume in base and turnover in quote."""
    prices = {name: market.price_text(getattr(candle, name)) for name in ("open", "high", "low", "close")}
    turnover = candle.volume * (candle.open + candle.close) / 2
    return prices | {"volume": market.quantity_text(candle.volume), "turnover": f"{turnover:.8f}"}


def wallet(account: Account, currencies: Iterable[str]) -> Json:
    """The balances of a unified account: without loans and positions."""
    coins = []
    for name in account.currencies():
        if name in currencies:
            locked = account.locked(name)
            total = plain(MONEY.add(account.free(name), locked))
            coins.append(coin_balance(name, total, plain(locked)))
    return {"accountType": "UNIFIED", "accountLTV": "", "totalEquity": "", "totalWalletBalance": "", "coin": coins}


def coin_balance(name: str, total: str, locked: str) -> Json:
    """One currency of a wallet."""
    nothing = {name: "0" for name in ("borrowAmount", "accruedInterest", "totalOrderIM", "totalPositionIM")}
    return {
        "coin": name,
        "equity": total,
        "walletBalance": total,
        "locked": locked,
        "usdValue": "",
        "availableToWithdraw": "",
        "availableToBorrow": "",
        "unrealisedPnl": "0",
        "cumRealisedPnl": "0",
        **nothing,
    }
