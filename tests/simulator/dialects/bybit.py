"""Bybit spot."""

from typing import Any

import ccxt

from tests.simulator.client import wanted
from tests.simulator.dialects.base import BTC, Changes, Dialect, changed, until_then
from workstation.simulator.server import SimulatedExchanges

SPOT = {"category": "spot", "symbol": "BTCUSDT"}
ORDER = {**SPOT, "side": "Buy", "orderType": "Limit", "timeInForce": "GTC", "qty": "0.001", "price": "40000"}


class Bybit(Dialect):
    wire, venue, form = "bybit", "nova", "{0}{1}"
    socket = "/nova/stream.bybit.com/v5/public/spot"
    quotes, trades, book = "orderbook.1.{}", "publicTrade.{}", "orderbook.50.{}"
    create, query = "/v5/order/create", "/v5/order/*"
    orders = "user:{0}:order"
    fill_fault, part_fault = "user:execution:Trade", "user:order:PartiallyFilled"
    told_orders = (
        ("fast", "New"),
        ("fast", "Filled"),
        ("slow", "New"),
        ("slow", "PartiallyFilledCanceled"),
        ("slow", "PartiallyFilled"),
    )
    taker_fee = "0.001"
    has_cancel_state = False
    bad_signature, unknown_key = '"retCode":10004,', '"retCode":10003,'
    refusals = (
        ({"price": "1000.05"}, '"retCode":170134,', ccxt.InvalidOrder),
        ({"qty": "0.0015"}, '"retCode":170137,', ccxt.InvalidOrder),
        ({"qty": "0.0005"}, '"retCode":170136,', ccxt.InvalidOrder),
        ({"price": "100"}, '"retCode":170140,', ccxt.InvalidOrder),
        ({"qty": "0.01"}, '"retCode":170131,', ccxt.InsufficientFunds),
        ({"symbol": "NONEUSDT"}, '"retCode":170121,', ccxt.InvalidOrder),
        ({"side": "Up"}, '"retCode":170117,', ccxt.InvalidOrder),
        ({"orderType": "Iceberg"}, '"retCode":170116,', ccxt.InvalidOrder),
        ({"timeInForce": "GTX"}, '"retCode":170115,', ccxt.InvalidOrder),
        ({"orderFilter": "StopOrder"}, '"retCode":170203,', ccxt.InvalidOrder),
        ({"qty": "-1"}, '"retCode":10001,', ccxt.BadRequest),
        ({"price": ""}, '"retCode":10001,', ccxt.BadRequest),
        ({"orderLinkId": "x" * 37}, '"retCode":10001,', ccxt.BadRequest),
        ({"category": "linear"}, '"retCode":10001,', ccxt.BadSymbol),
        ({"price": "60000", "timeInForce": "PostOnly"}, '"retCode":170218,', ccxt.InvalidOrder),
    )
    wrong_questions = (
        ("publicGetV5MarketOrderbook", SPOT | {"symbol": "NONE"}, ccxt.BadSymbol, '"retCode":'),
        ("publicGetV5MarketOrderbook", {"symbol": "BTCUSDT"}, ccxt.BadRequest, '"retCode":'),
        ("publicGetV5MarketOrderbook", SPOT | {"limit": "x"}, ccxt.BadRequest, '"retCode":'),
        ("publicGetV5MarketTickers", SPOT | {"category": "linear"}, ccxt.BadSymbol, '"retCode":'),
        ("publicGetV5MarketKline", SPOT | {"interval": "7"}, ccxt.BadRequest, '"retCode":'),
        ("publicGetV5MarketKline", SPOT | {"interval": "M"}, ccxt.BadRequest, '"retCode":'),
        ("privatePostV5OrderCancel", SPOT, ccxt.BadRequest, '"retCode":'),
        ("privatePostV5OrderCancel", SPOT | {"orderId": "1"}, ccxt.OrderNotFound, '"retCode":'),
        ("privatePostV5OrderCancel", SPOT | {"orderId": "²"}, ccxt.OrderNotFound, '"retCode":'),
        ("privateGetV5AccountWalletBalance", {"accountType": "FUND"}, ccxt.BadRequest, '"retCode":'),
        ("privateGetV5PositionList", {"category": "spot"}, ccxt.BadRequest, '"retCode":'),
    )

    async def find(self, client: Any, name: str) -> Any:
        asked = {"category": "spot", "orderLinkId": name}
        listed = (await client.privateGetV5OrderRealtime(asked))["result"]["list"]
        return client.parse_order(listed[0]) if listed else None

    async def order(self, client: Any, order_id: str) -> Any:
        return await client.fetch_order(order_id, BTC, {"acknowledged": True})  # without it ccxt refuses to ask

    async def prepare(self, client: Any) -> None:
        await client.fetch_balance()  # ccxt has asked for the kind of account

    async def send_order(self, client: Any, changes: Changes) -> Any:
        return await client.privatePostV5OrderCreate(changed(ORDER, changes))

    def check_limit(self, client: Any, fault: str, seconds: int) -> None:
        if fault == "rate_429":  # a ban names no end
            reset_ms = client.last_response_headers["X-Bapi-Limit-Reset-Timestamp"]
            assert seconds - 2 < until_then(reset_ms, 0.001) <= seconds

    def hear(self, client: Any, orders: list[Any], fills: list[Any]) -> None:
        handle, handle_fill = client.handle_order, client.handle_my_trades

        def heard(socket: Any, message: Any) -> None:
            orders.extend((one["orderLinkId"], one["orderStatus"]) for one in message["data"])
            handle(socket, message)

        def heard_fill(socket: Any, message: Any) -> None:
            fills.extend(one["execId"] for one in message["data"])
            handle_fill(socket, message)

        client.handle_order, client.handle_my_trades = heard, heard_fill

    async def listening_to_fills(self, exchanges: SimulatedExchanges, name: str) -> None:
        await wanted(exchanges, self.venue, f"user:{name}-key:execution")

    def subscription(self, stream: str) -> Any:
        return {"op": "subscribe", "args": [stream]}

    def is_answer(self, data: Any) -> bool:
        return '"op"' in data
