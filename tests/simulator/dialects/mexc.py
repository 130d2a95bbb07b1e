"""MEXC spot."""

from types import MappingProxyType
from typing import Any

import ccxt
from ccxt.protobuf.mexc.PushDataV3ApiWrapper_pb2 import PushDataV3ApiWrapper
from google.protobuf.message import DecodeError

from tests.simulator.client import wanted
from tests.simulator.dialects.base import BTC, LOST, Changes, Dialect, changed
from workstation.simulator.mexc.messages import FIGURES
from workstation.simulator.server import SimulatedExchanges

SYMBOL = {"symbol": "BTCUSDT"}
ORDER = {**SYMBOL, "type": "LIMIT", "side": "BUY", "quantity": "0.001", "price": "40000"}
CANDLES = SYMBOL | {"interval": "1m"}
ORDERS, DEALS = (f"spot@private.{name}.v3.api.pb" for name in ("orders", "deals"))


class Mexc(Dialect):
    wire, venue, form = "mexc", "lyra", "{0}{1}"
    socket = "/lyra/wbs-api.mexc.com/ws"
    quotes, trades, book = (
        f"spot@public.aggre.{name}.v3.api.pb@100ms@{{}}" for name in ("bookTicker", "deals", "depth")
    )
    streams_statistics = False
    create = query = "/api/v3/order"
    orders = f"user:{{0}}:{ORDERS}"
    fill_fault, part_fault = "user:deals:taker", "user:orders:PARTIALLY_FILLED"
    told_orders = (("fast", "1"), ("fast", "2"), ("slow", "1"), ("slow", "5"), ("slow", "3"))
    errors = MappingProxyType({**LOST, "unknown_504": ccxt.RequestTimeout})
    duplicate = ccxt.ExchangeError
    cancelled_twice = ccxt.BadRequest
    missing = ccxt.ExchangeError
    bad_signature = '"code":700002,'
    unknown, unknown_key = ccxt.BadRequest, '"code":10072,'
    has_order_calls = has_roles = names_new_orders = False
    refusals = (
        ({"price": "1000.05"}, '"code":400,.*price scale', ccxt.BadRequest),
        ({"quantity": "0.0015"}, '"code":400,.*quantity scale', ccxt.BadRequest),
        ({"quantity": "0.0005"}, '"code":400,.*quantity scale', ccxt.BadRequest),
        ({"price": "100"}, '"code":30002,', ccxt.InvalidOrder),
        ({"quantity": "0.01"}, '"code":30004,', ccxt.InsufficientFunds),
        ({"symbol": "NONEUSDT"}, '"code":-1121,', ccxt.BadSymbol),
        ({"symbol": "BTC_USDT"}, '"code":-1121,', ccxt.BadSymbol),
        ({"side": "UP"}, '"code":700008,.*side', ccxt.BadRequest),
        ({"type": "STOP_LOSS"}, '"code":30041,', ccxt.InvalidOrder),
        ({"quantity": "-1"}, '"code":700008,.*quantity', ccxt.BadRequest),
        ({"quantity": None}, '"code":-1128,.*quantity', ccxt.BadRequest),
        ({"price": None}, '"code":-1128,.*price', ccxt.BadRequest),
        ({"type": "MARKET", "quoteOrderQty": "10"}, '"code":-1128,.*either', ccxt.BadRequest),
        ({"newClientOrderId": "x" * 33}, '"code":700008,.*newClientOrderId', ccxt.BadRequest),
        ({"price": "60000", "type": "LIMIT_MAKER"}, '"code":-2010,', ccxt.ExchangeError),
    )
    wrong_questions = (
        ("spotPublicGetDepth", {"symbol": "NONE"}, ccxt.BadSymbol, '"code":-1121,'),
        ("spotPublicGetDepth", {}, ccxt.BadRequest, '"code":-1128,'),
        ("spotPublicGetDepth", SYMBOL | {"limit": "x"}, ccxt.BadRequest, '"code":700008,'),
        ("spotPublicGetExchangeInfo", {"symbol": "NONE"}, ccxt.BadSymbol, '"code":-1121,'),
        ("spotPublicGetKlines", SYMBOL | {"interval": "7m"}, ccxt.ExchangeError, '"code":-1120,'),
        ("spotPublicGetAggTrades", SYMBOL | {"startTime": 1}, ccxt.BadRequest, '"code":-1128,'),
        ("spotPrivateGetOrder", SYMBOL, ccxt.BadRequest, '"code":700004,'),
        ("spotPrivateGetOrder", SYMBOL | {"orderId": "C02__1"}, ccxt.ExchangeError, '"code":-2013,'),
        ("spotPrivateDeleteOrder", SYMBOL | {"orderId": "²"}, ccxt.BadRequest, '"code":-2011,'),
        ("spotPrivateGetOpenOrders", {}, ccxt.BadRequest, '"code":-1128,'),
        ("spotPrivatePutUserDataStream", {"listenKey": "none"}, ccxt.BadRequest, '"code":730002,'),
        ("spotPrivateGetKycStatus", {}, ccxt.ExchangeError, '"code":404,'),
        ("contractPublicGetDepthSymbol", {"symbol": "NONE_USDT"}, ccxt.BadSymbol, '"code":1001,'),
        ("contractPublicGetKlineSymbol", {"symbol": "BTC_USDT", "interval": "Min7"}, ccxt.BadRequest, '"code":600,'),
        ("contractPublicGetRiskReverse", {}, ccxt.ExchangeError, '"code":404,'),
    )

    async def quote(self, client: Any) -> Any:
        return await client.watch_ticker(BTC)  # watch_bids_asks never answers

    async def whole_book(self, client: Any) -> Any:
        client.number = float  # a snapshot of texts is more than ccxt can put into its book
        return await client.watch_order_book(BTC)

    async def send_order(self, client: Any, changes: Changes) -> Any:
        return await client.spotPrivatePostOrder(changed(ORDER, changes))

    def check_limit(self, client: Any, fault: str, seconds: int) -> None:
        assert client.last_response_headers["Retry-After"] == str(seconds)

    def hear(self, client: Any, orders: list[Any], fills: list[Any]) -> None:
        handle, handle_fill = client.handle_order, client.handle_my_trade

        def heard(socket: Any, message: Any) -> None:
            orders.append((message["privateOrders"]["clientId"], str(message["privateOrders"]["status"])))
            handle(socket, message)

        def heard_fill(socket: Any, message: Any) -> None:
            fills.append(message["privateDeals"]["tradeId"])
            handle_fill(socket, message)

        client.handle_order, client.handle_my_trade = heard, heard_fill

    async def listening_to_fills(self, exchanges: SimulatedExchanges, name: str) -> None:
        await wanted(exchanges, self.venue, f"user:{name}-key:{DEALS}")

    def subscription(self, stream: str) -> Any:
        return {"method": "SUBSCRIPTION", "params": [stream]}

    def is_answer(self, data: Any) -> bool:
        return isinstance(data, str)

    def is_whole(self, data: Any) -> bool:
        try:
            PushDataV3ApiWrapper.FromString(data)
        except DecodeError:
            return False
        return True

    def is_odd(self, data: Any) -> bool:
        if not self.is_whole(data):
            return False
        body = PushDataV3ApiWrapper.FromString(data).publicAggreBookTicker
        told = {field.name: value for field, value in body.ListFields() if field.name in FIGURES}
        return len(told) < 4 or not all(value.replace(".", "", 1).isdigit() for value in told.values())
