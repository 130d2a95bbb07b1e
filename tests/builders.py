"""Nouns for all tests: each has sensible values, and keywords change what the test is about."""

from decimal import Decimal
from typing import Any

import numpy as np

from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.ids import ClientOrderId, Currency, GroupId, SignalId, SnapshotId, Symbol, TradeId, Venue
from workstation.model.instrument import Instrument, InstrumentKey, InstrumentKind
from workstation.model.market import (
    MARKET_ROW,
    RowFlag,
    RowKind,
    Rows,
    interval_code,
)
from workstation.model.order import Fill, Order, OrderPurpose, OrderRequest, OrderType
from workstation.model.units import Side

KEY = InstrumentKey(Venue("nova"), Symbol("BTC/USDT:USDT"))
NOW_NS = 1_700_000_100 * SECOND_NS
"""A moment that is a whole number of minutes and of five minutes."""


def a_row(**fields: Any) -> Rows:
    """One MARKET_ROW, as an array of shape (1,)."""
    row = np.zeros(1, MARKET_ROW)
    row["ts_received"] = NOW_NS
    for name, value in fields.items():
        row[name] = value
    return row


def a_quote(
    *,
    bid: float = 99.0,
    ask: float = 101.0,
    bid_quantity: float = 1.0,
    ask_quantity: float = 1.0,
    instrument: int = 0,
    ts_received: int = NOW_NS,
) -> Rows:
    """Best bid and ask, as one row."""
    return a_row(
        kind=RowKind.QUOTE,
        instrument=instrument,
        ts_received=ts_received,
        x0=bid,
        x1=ask,
        x2=bid_quantity,
        x3=ask_quantity,
    )


def a_trade(*, price: float = 100.0, quantity: float = 1.0, instrument: int = 0, ts_received: int = NOW_NS) -> Rows:
    """A public trade, as one row."""
    return a_row(kind=RowKind.TRADE, instrument=instrument, ts_received=ts_received, x0=price, x1=quantity)


def a_bar(
    *,
    open: float = 100.0,
    high: float = 102.0,
    low: float = 98.0,
    close: float = 101.0,
    volume: float = 5.0,
    interval_ns: int = MINUTE_NS,
    is_closed: bool = True,
    instrument: int = 0,
    ts_received: int = NOW_NS,
) -> Rows:
    """A bar that ends when it is received, as one row."""
    return a_row(
        kind=RowKind.BAR,
        instrument=instrument,
        ts_received=ts_received,
        ts_event=ts_received,
        interval_code=interval_code(interval_ns),
        flags=RowFlag.IS_CLOSED if is_closed else 0,
        x0=open,
        x1=high,
        x2=low,
        x3=close,
        x4=volume,
    )


def rows(*parts: Rows) -> Rows:
    """Rows one behind the other."""
    return np.concatenate(parts) if parts else np.zeros(0, MARKET_ROW)


def an_instrument(key: InstrumentKey = KEY, **changes: Any) -> Instrument:
    """A linear perpetual with a tick of 0.01 and a lot of 0.001."""
    fields: dict[str, Any] = {
        "venue": key.venue,
        "symbol": key.symbol,
        "kind": InstrumentKind.LINEAR,
        "base": Currency("BTC"),
        "quote": Currency("USDT"),
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal("0.001"),
        "min_quantity": Decimal("0.001"),
        "min_notional_quote": Decimal(5),
        "maker_fee_rate": Decimal("0.0002"),
        "taker_fee_rate": Decimal("0.0005"),
    }
    return Instrument(**(fields | changes))


def an_order_request(**changes: Any) -> OrderRequest:
    """A market order to buy 1; `limit_price` or `stop_price` alone makes a limit or a stop of it."""
    fields: dict[str, Any] = {
        "client_order_id": ClientOrderId("order-1"),
        "group_id": GroupId("g0"),
        "signal_id": SignalId("0"),
        "leg": 0,
        "purpose": OrderPurpose.ENTRY,
        "instrument": KEY,
        "snapshot_id": SnapshotId("nova:BTC/USDT:USDT@0"),
        "side": Side.BUY,
        "type": OrderType.MARKET,
        "quantity": Decimal(1),
        "decision_price": 100.0,
        "decided_ns": NOW_NS,
    }
    for price, kind in (("limit_price", OrderType.LIMIT), ("stop_price", OrderType.STOP)):
        if changes.get(price) is not None:
            fields["type"] = kind
    return OrderRequest(**(fields | changes))


def a_fill(**changes: Any) -> Fill:
    """A taker's fill of `order-1`: 1 bought at 100, fee 0.05."""
    fields: dict[str, Any] = {
        "client_order_id": ClientOrderId("order-1"),
        "trade_id": TradeId("t1"),
        "instrument": KEY,
        "side": Side.BUY,
        "price": Decimal(100),
        "quantity": Decimal(1),
        "fee": Decimal("0.05"),
        "fee_currency": Currency("USDT"),
        "is_maker": False,
    }
    return Fill(**(fields | changes))


def an_order(request: OrderRequest | None = None, **changes: Any) -> Order:
    """An order as tracked; without changes, just created."""
    return Order(request=an_order_request() if request is None else request, **changes)
