"""A simulated venue's rules, orders, fills and balances in the JSON of Gate. Figures are strings, ids are numbers."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from workstation.model.durations import MS_NS, SECOND_NS
from workstation.model.ids import Currency
from workstation.model.instrument import Instrument
from workstation.model.units import MONEY, Side
from workstation.simulator.accounts import Account
from workstation.simulator.number_text import plain
from workstation.simulator.venue_market import VenueMarket, decimals_of
from workstation.simulator.venue_orders import (
    OPEN_STATUSES,
    Execution,
    OrderKind,
    Status,
    TimeInForce,
    Traded,
    VenueFill,
    VenueOrder,
)

ZERO = Decimal(0)
USER_ID = 10_001
NO_TEXT = "apiv4"
"""What stands in place of a client id that was not given."""
Json = dict[str, Any]
STATUSES = {Status.FILLED: "closed", Status.NEW: "open", Status.PARTIALLY_FILLED: "open"}
EVENTS = {Execution.NEW: "put", Execution.TRADE: "update"}


def pair_name(instrument: Instrument) -> str:
    """BTC_USDT."""
    return f"{instrument.base}_{instrument.quote}"


def milliseconds(ts_ns: int) -> int:
    return ts_ns // MS_NS


def pair_rules(market: VenueMarket) -> Json:
    """One entry of currency_pairs. Steps are told as numbers of decimals: a tick of 0.5 as 1."""
    instrument = market.instrument
    return {
        "id": market.name,
        "base": instrument.base,
        "base_name": instrument.base,
        "quote": instrument.quote,
        "quote_name": instrument.quote,
        "fee": plain(MONEY.multiply(instrument.taker_fee_rate, Decimal(100))),
        "min_base_amount": plain(instrument.min_quantity),
        "min_quote_amount": plain(instrument.min_notional_quote),
        "max_quote_amount": "9000000000",
        "amount_precision": decimals_of(instrument.lot_size),
        "precision": decimals_of(instrument.tick_size),
        "trade_status": "tradable",
        "sell_start": 0,
        "buy_start": 0,
        "type": "normal",
    }


def times(created_ns: int, updated_ns: int, *, as_texts: bool) -> Json:
    """Creation and last change in s and ms; queries tell milliseconds as numbers, streams as texts."""
    created_ms, updated_ms = milliseconds(created_ns), milliseconds(updated_ns)
    return {
        "create_time": str(created_ns // SECOND_NS),
        "update_time": str(updated_ns // SECOND_NS),
        "create_time_ms": str(created_ms) if as_texts else created_ms,
        "update_time_ms": str(updated_ms) if as_texts else updated_ms,
    }


def order_state(order: VenueOrder, status: Status, filled: Decimal, filled_quote: Decimal) -> Json:
    """An order with the figures of a moment, but for its times."""
    request = order.request
    by_value = request.quote_quantity is not None
    amount = request.quote_quantity if request.quote_quantity is not None else order.quantity
    currencies = [fill.fee_currency for fill in order.fills]
    return {
        "id": str(order.order_id),
        "text": request.client_order_id or NO_TEXT,
        "amend_text": "-",
        "status": STATUSES.get(status, "cancelled"),
        "currency_pair": request.market,
        "type": "market" if request.kind is OrderKind.MARKET else "limit",
        "account": "spot",
        "side": request.side.name.lower(),
        "amount": plain(amount),
        "price": plain(request.price or ZERO),
        "time_in_force": time_in_force(order),
        "iceberg": "0",
        "left": plain(MONEY.subtract(amount, filled_quote if by_value else filled)),
        "filled_amount": plain(filled),
        "fill_price": plain(filled_quote),
        "filled_total": plain(filled_quote),
        "avg_deal_price": plain(MONEY.divide(filled_quote, filled)) if filled else "0",
        "fee": plain(_fees(order, filled)),
        "fee_currency": currencies[0] if currencies else _receives(order),
        "point_fee": "0",
        "gt_fee": "0",
        "gt_discount": False,
        "rebated_fee": "0",
        "rebated_fee_currency": _receives(order),
        "finish_as": finish_word(order, status),
        "stp_id": 0,
        "stp_act": "-",
    }


def order_now(order: VenueOrder) -> Json:
    """An order as it stands, as queries tell it."""
    state = order_state(order, order.status, order.filled, order.filled_quote)
    return state | times(order.created_ns, order.updated_ns, as_texts=False)


def finish_word(order: VenueOrder, status: Status) -> str:
    """How it ended; what was not there to take ends as the order's time in force."""
    if status in OPEN_STATUSES:
        return "open"
    if status is Status.EXPIRED:
        return "ioc" if order.request.kind is OrderKind.MARKET else order.request.time_in_force.value.lower()
    return "filled" if status is Status.FILLED else "cancelled"


def event_word(execution: Execution, status: Status) -> str:
    """Why an order is told: put, update, finish."""
    return EVENTS.get(execution, "finish") if status in OPEN_STATUSES else "finish"


def time_in_force(order: VenueOrder) -> str:
    kind, in_force = order.request.kind, order.request.time_in_force
    if kind is OrderKind.LIMIT_MAKER:
        return "poc"
    return "ioc" if kind is OrderKind.MARKET and in_force is TimeInForce.GTC else in_force.value.lower()


def _receives(order: VenueOrder) -> str:
    base, _, quote = order.request.market.partition("_")
    return base if order.request.side is Side.BUY else quote


def _fees(order: VenueOrder, filled: Decimal) -> Decimal:
    """Of the first fills up to the quantity `filled`: later ones may have been booked since."""
    fees = ZERO
    for fill in order.fills:
        if filled <= 0:
            break
        filled, fees = MONEY.subtract(filled, fill.quantity), MONEY.add(fees, fill.fee)
    return fees


def own_trade(order: VenueOrder, fill: VenueFill, *, id_as_text: bool) -> Json:
    """One fill, as my_trades and the stream tell it; their ids are texts and numbers."""
    return {
        "id": str(fill.trade_id) if id_as_text else fill.trade_id,
        "user_id": USER_ID,
        "create_time": str(fill.ts_ns // SECOND_NS),
        "create_time_ms": f"{milliseconds(fill.ts_ns)}.000",
        "currency_pair": order.request.market,
        "side": order.request.side.name.lower(),
        "role": "maker" if fill.is_maker else "taker",
        "amount": plain(fill.quantity),
        "price": plain(fill.price),
        "order_id": str(order.order_id),
        "fee": plain(fill.fee),
        "fee_currency": fill.fee_currency,
        "point_fee": "0",
        "gt_fee": "0",
        "amend_text": "-",
        "sequence_id": str(fill.trade_id),
        "text": order.request.client_order_id or NO_TEXT,
    }


def public_trade(market: VenueMarket, trade: Traded, *, is_streamed: bool) -> Json:
    """A trade, as queries and the stream tell it."""
    seconds, number = trade.ts_ns // SECOND_NS, trade.trade_id
    names = {"id_market": number} if is_streamed else {"sequence_id": str(number)}
    return {
        "id": number if is_streamed else str(number),
        "create_time": seconds if is_streamed else str(seconds),
        "create_time_ms": f"{milliseconds(trade.ts_ns)}.000",
        "currency_pair": market.name,
        "side": "sell" if trade.seller_takes else "buy",
        "amount": market.quantity_text(trade.quantity),
        "price": market.price_text(trade.price),
        **names,
    }


def balances(account: Account) -> list[Json]:
    """The answer to accounts."""
    return [
        {
            "currency": name,
            "available": plain(account.free(name)),
            "locked": plain(account.locked(name)),
            "update_id": 1,
        }
        for name in account.currencies()
    ]


def balance_changes(changed: Mapping[Currency, tuple[Decimal, Decimal]], ts_ns: int) -> list[Json]:
    """What the channel of balances tells; by how much they changed is not."""
    return [
        {
            "timestamp": str(ts_ns // SECOND_NS),
            "timestamp_ms": str(milliseconds(ts_ns)),
            "user": str(USER_ID),
            "currency": name,
            "change": "0",
            "total": plain(MONEY.add(free, locked)),
            "available": plain(free),
            "freeze": plain(locked),
            "freeze_change": "0",
            "change_type": "order",
        }
        for name, (free, locked) in changed.items()
    ]
