"""Messages of MEXC's spot streams, in protobuf, by the definitions that come with ccxt."""

from collections.abc import Iterable
from itertools import cycle
from typing import Any

from ccxt.protobuf.mexc.PrivateAccountV3Api_pb2 import PrivateAccountV3Api
from ccxt.protobuf.mexc.PrivateDealsV3Api_pb2 import PrivateDealsV3Api
from ccxt.protobuf.mexc.PrivateOrdersV3Api_pb2 import PrivateOrdersV3Api
from ccxt.protobuf.mexc.PublicAggreBookTickerV3Api_pb2 import PublicAggreBookTickerV3Api
from ccxt.protobuf.mexc.PublicAggreDealsV3Api_pb2 import PublicAggreDealsV3Api
from ccxt.protobuf.mexc.PublicAggreDepthsV3Api_pb2 import PublicAggreDepthsV3Api
from ccxt.protobuf.mexc.PublicSpotKlineV3Api_pb2 import PublicSpotKlineV3Api
from ccxt.protobuf.mexc.PushDataV3ApiWrapper_pb2 import PushDataV3ApiWrapper

from workstation.model.units import MONEY, Side
from workstation.simulator.bar_history import Candle
from workstation.simulator.book_view import level_texts
from workstation.simulator.message_coding import NONSENSE
from workstation.simulator.mexc.format import milliseconds, order_name, quote_volume
from workstation.simulator.number_text import plain
from workstation.simulator.socket_hub import binary_frame
from workstation.simulator.venue_market import DepthChange, VenueMarket
from workstation.simulator.venue_orders import (
    OrderKind,
    Quoted,
    Reported,
    Status,
    TimeInForce,
    Traded,
    VenueFill,
    VenueOrder,
)

FIGURES = frozenset(
    {"price", "quantity", "bidPrice", "bidQuantity", "askPrice", "askQuantity", "volume", "amount", "openingPrice"}
    | {"closingPrice", "highestPrice", "lowestPrice", "cumulativeQuantity"}
)
"""Fields that hold prices or quantities."""
SIDES = {Side.BUY: 1, Side.SELL: 2}
UNKNOWN_FIELD = b"\x82\x7d"
"""The tag of a field of bytes, number 2000, that no message has: readers pass over it."""


class ProtobufCoding:
    """How faults break these messages."""

    framing = staticmethod(binary_frame)

    def __init__(self) -> None:
        self._nonsense = cycle(NONSENSE)

    def filled_up(self, payload: bytes, size: int) -> bytes:
        length = bytearray()
        rest = size
        while rest > 127:
            length.append(rest & 127 | 128)
            rest >>= 7
        return payload + UNKNOWN_FIELD + bytes(length) + bytes((rest,)) + bytes(size)

    def absurd(self, payload: bytes) -> bytes:
        message = PushDataV3ApiWrapper.FromString(payload)
        self._spoil(message)
        found: bytes = message.SerializeToString()
        return found

    def _spoil(self, message: Any) -> None:
        for described, value in message.ListFields():
            if described.name in FIGURES:
                setattr(message, described.name, next(self._nonsense) or "")
            elif described.message_type is not None:
                for part in value if described.label == described.LABEL_REPEATED else (value,):
                    self._spoil(part)


def wrapped(channel: str, symbol: str, now_ns: int, **body: Any) -> bytes:
    """What is pushed on a channel; the body is one of the messages below, by its name."""
    message = PushDataV3ApiWrapper(channel=channel, symbol=symbol, sendTime=milliseconds(now_ns), **body)
    found: bytes = message.SerializeToString()
    return found


def best_prices(market: VenueMarket, event: Quoted) -> Any:
    return PublicAggreBookTickerV3Api(
        bidPrice=market.price_text(event.bid),
        bidQuantity=market.quantity_text(event.bid_quantity),
        askPrice=market.price_text(event.ask),
        askQuantity=market.quantity_text(event.ask_quantity),
    )


def deals(market: VenueMarket, trades: Iterable[Traded], event_type: str) -> Any:
    """Trades of one push; they bear no id."""
    listed = [
        {
            "price": market.price_text(trade.price),
            "quantity": market.quantity_text(trade.quantity),
            "tradeType": SIDES[Side.SELL if trade.seller_takes else Side.BUY],
            "time": milliseconds(trade.ts_ns),
        }
        for trade in trades
    ]
    return PublicAggreDealsV3Api(deals=listed, eventType=event_type)


def depths(market: VenueMarket, change: DepthChange, event_type: str) -> Any:
    """What a book's levels became between two versions, both within."""
    bids, asks = (
        [{"price": price, "quantity": quantity} for price, quantity in level_texts(market, levels)]
        for levels in (change.bids, change.asks)
    )
    return PublicAggreDepthsV3Api(
        asks=asks,
        bids=bids,
        eventType=event_type,
        fromVersion=str(change.first_id),
        toVersion=str(change.last_id),
    )


def kline(market: VenueMarket, candle: Candle, length_ns: int, label: str) -> Any:
    start_s = milliseconds(candle.ts_open) // 1000
    return PublicSpotKlineV3Api(
        interval=label,
        windowStart=start_s,
        openingPrice=market.price_text(candle.open),
        closingPrice=market.price_text(candle.close),
        highestPrice=market.price_text(candle.high),
        lowestPrice=market.price_text(candle.low),
        volume=market.quantity_text(candle.volume),
        amount=quote_volume(candle),
        windowEnd=start_s + milliseconds(length_ns) // 1000,
    )


def status_number(status: Status, event: Reported) -> int:
    """New, filled, filled in part, cancelled, cancelled with a part filled."""
    if status in (Status.CANCELED, Status.EXPIRED):
        return 5 if event.filled else 4
    return {Status.NEW: 1, Status.FILLED: 2, Status.PARTIALLY_FILLED: 3}[status]


def own_order(event: Reported) -> Any:
    """An order with the figures of the moment."""
    order, request = event.order, event.order.request
    price, left = order.request.price, MONEY.subtract(order.quantity, event.filled)
    value = request.quote_quantity
    if value is None:
        value = event.filled_quote if price is None else MONEY.multiply(price, order.quantity)
    average = MONEY.divide(event.filled_quote, event.filled) if event.filled else None
    return PrivateOrdersV3Api(
        id=order_name(order),
        clientId=request.client_order_id or "",
        price=plain(price) if price is not None else "0",
        quantity=plain(order.quantity),
        amount=plain(value),
        avgPrice=plain(average) if average is not None else "0",
        orderType=_type_number(order),
        tradeType=SIDES[request.side],
        isMaker=event.fill is not None and event.fill.is_maker,
        remainAmount=plain(MONEY.subtract(value, event.filled_quote)),
        remainQuantity=plain(left),
        lastDealQuantity=plain(event.fill.quantity) if event.fill is not None else "0",
        cumulativeQuantity=plain(event.filled),
        cumulativeAmount=plain(event.filled_quote),
        status=status_number(event.status, event),
        createTime=milliseconds(order.created_ns),
    )


def own_deal(order: VenueOrder, fill: VenueFill) -> Any:
    return PrivateDealsV3Api(
        price=plain(fill.price),
        quantity=plain(fill.quantity),
        amount=plain(MONEY.multiply(fill.price, fill.quantity)),
        tradeType=SIDES[order.request.side],
        isMaker=fill.is_maker,
        tradeId=f"{fill.trade_id}X1",
        clientOrderId=order.request.client_order_id or "",
        orderId=order_name(order),
        feeAmount=plain(fill.fee),
        feeCurrency=fill.fee_currency,
        time=milliseconds(fill.ts_ns),
    )


def own_balance(name: str, free: Any, locked: Any, ts_ns: int) -> Any:
    """One currency; by how much it changed is not told."""
    return PrivateAccountV3Api(
        vcoinName=name,
        balanceAmount=plain(free),
        balanceAmountChange="0",
        frozenAmount=plain(locked),
        frozenAmountChange="0",
        type="ENTRUST",
        time=milliseconds(ts_ns),
    )


def _type_number(order: VenueOrder) -> int:
    """Limit, post-only, immediate or cancel, fill or kill, market."""
    if order.request.kind is OrderKind.LIMIT:
        return {TimeInForce.GTC: 1, TimeInForce.IOC: 3, TimeInForce.FOK: 4}[order.request.time_in_force]
    return 2 if order.request.kind is OrderKind.LIMIT_MAKER else 5
