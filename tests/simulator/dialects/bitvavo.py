"""Bitvavo."""

from types import MappingProxyType
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import ccxt

from tests.simulator.dialects.base import LOST, Changes, Dialect, changed, until_then

MARKET = {"market": "BTC-USDT"}
OPERATED = MARKET | {"operatorId": 1}
ORDER = {**OPERATED, "side": "buy", "orderType": "limit", "amount": "0.001", "price": "40000"}
UNKNOWN = "00000001-0000-4000-8000-000000000001"


class Bitvavo(Dialect):
    wire, venue, form = "bitvavo", "corvus", "{0}-{1}"
    socket = "/corvus/ws.bitvavo.com/v2"
    quotes = book = "book.{}"
    trades = "trades.{}"
    sockets = 1
    create = query = "/v2/order"
    orders = "user:{0}:{1}"
    fill_fault, part_fault = "user:fill:taker", "user:order:partiallyFilled"
    told_orders = (
        ("fast", "new"),
        ("fast", "filled"),
        ("slow", "new"),
        ("slow", "canceled"),
        ("slow", "partiallyFilled"),
    )
    taker_fee = "0.0025"
    duplicate = ccxt.ExchangeError
    errors = MappingProxyType({**LOST, "unknown_504": ccxt.ExchangeNotAvailable})
    skewed, corrects_time = ccxt.AuthenticationError, False
    has_cancel_state = has_fills_by_order = False
    bad_signature, unknown_key = '"errorCode":309,', '"errorCode":305,'
    refusals = (
        ({"price": "1000.05"}, '"errorCode":214,', ccxt.InvalidOrder),
        ({"amount": "0.0015"}, '"errorCode":205,', ccxt.InvalidOrder),
        ({"amount": "0.0005"}, '"errorCode":205,', ccxt.InvalidOrder),
        ({"price": "100"}, '"errorCode":217,', ccxt.InvalidOrder),
        ({"amount": "0.01"}, '"errorCode":216,', ccxt.InsufficientFunds),
        ({"market": "NONE-USDT"}, '"errorCode":205,', ccxt.BadRequest),
        ({"side": "up"}, '"errorCode":205,.*side', ccxt.BadRequest),
        ({"orderType": "iceberg"}, '"errorCode":205,.*orderType', ccxt.BadRequest),
        ({"timeInForce": "GTX"}, '"errorCode":205,.*timeInForce', ccxt.BadRequest),
        ({"orderType": "market"}, '"errorCode":202,.*price', ccxt.BadRequest),
        ({"orderType": "stopLossLimit"}, '"errorCode":203,.*triggerAmount', ccxt.BadSymbol),
        ({"triggerAmount": "39000"}, '"errorCode":205,.*triggerAmount', ccxt.BadRequest),
        ({"amount": "-1"}, '"errorCode":205,', ccxt.InvalidOrder),
        ({"price": ""}, '"errorCode":203,.*price', ccxt.BadSymbol),
        ({"amountQuote": "10"}, '"errorCode":202,.*amountQuote', ccxt.BadRequest),
        ({"operatorId": ""}, '"errorCode":203,.*operatorId', ccxt.BadSymbol),
        ({"clientOrderId": "mine"}, '"errorCode":205,.*clientOrderId', ccxt.BadRequest),
        ({"leverage": "2"}, '"errorCode":201,.*leverage', ccxt.BadRequest),
        ({"price": "60000", "postOnly": "true"}, '"errorCode":230,', ccxt.ExchangeError),
        ({"postOnly": "perhaps"}, '"errorCode":205,.*postOnly', ccxt.BadRequest),
    )
    wrong_questions = (
        ("publicGetMarketBook", {"market": "NONE"}, ccxt.BadRequest, '"errorCode":'),
        ("publicGetMarketBook", MARKET | {"depth": "x"}, ccxt.BadRequest, '"errorCode":'),
        ("publicGetMarketBook", MARKET | {"depth": "1001"}, ccxt.BadRequest, '"errorCode":'),
        ("publicGetMarketTrades", MARKET | {"limit": "1001"}, ccxt.BadRequest, '"errorCode":'),
        ("publicGetMarketTrades", MARKET | {"tradeIdFrom": "1"}, ccxt.BadRequest, '"errorCode":'),
        ("publicGetMarketCandles", MARKET, ccxt.BadSymbol, '"errorCode":'),
        ("publicGetMarketCandles", MARKET | {"interval": "7m"}, ccxt.BadRequest, '"errorCode":'),
        ("publicGetAssets", {"symbol": "NONE"}, ccxt.BadSymbol, '"errorCode":'),
        ("privateGetOrders", {}, ccxt.BadSymbol, '"errorCode":'),
        ("privateGetTrades", {}, ccxt.BadSymbol, '"errorCode":'),
        ("privateGetOrder", MARKET, ccxt.BadSymbol, '"errorCode":'),
        ("privateGetOrder", MARKET | {"orderId": UNKNOWN}, ccxt.OrderNotFound, '"errorCode":'),
        ("privateGetOrder", MARKET | {"clientOrderId": UNKNOWN}, ccxt.OrderNotFound, '"errorCode":'),
        ("privateDeleteOrder", MARKET | {"orderId": UNKNOWN}, ccxt.BadSymbol, '"errorCode":'),
        ("privateDeleteOrder", OPERATED | {"orderId": UNKNOWN}, ccxt.OrderNotFound, '"errorCode":'),
        ("privatePutOrder", OPERATED | {"orderId": UNKNOWN, "price": "1"}, ccxt.OrderNotFound, '"errorCode":'),
        ("privateGetSubaccounts", {}, ccxt.BadRequest, '"errorCode":'),
    )

    def named(self, name: str) -> str:
        return str(uuid5(NAMESPACE_URL, name))

    def client_id(self, order: Any) -> Any:
        return order["info"]["clientOrderId"]  # ccxt leaves it out

    async def quote(self, client: Any) -> Any:
        book = await client.watch_order_book("BTC/USDT")  # the ticker comes each second
        return {"bid": book["bids"][0][0], "ask": book["asks"][0][0]}

    async def send_order(self, client: Any, changes: Changes) -> Any:
        return await client.privatePostOrder(changed(ORDER, changes))

    def check_limit(self, client: Any, fault: str, seconds: int) -> None:
        headers = client.last_response_headers
        assert seconds - 2 < until_then(headers["Bitvavo-Ratelimit-ResetAt"], 0.001) <= seconds
        assert headers["Bitvavo-Ratelimit-Remaining"] == "0"

    def hear(self, client: Any, orders: list[Any], fills: list[Any]) -> None:
        handle, handle_fill = client.handle_order, client.handle_my_trade

        def heard(socket: Any, message: Any) -> None:
            orders.append((message["clientOrderId"], message["status"]))
            handle(socket, message)

        def heard_fill(socket: Any, message: Any) -> None:
            fills.append(message["fillId"])
            handle_fill(socket, message)

        client.handle_order, client.handle_my_trade = heard, heard_fill

    def subscription(self, stream: str) -> Any:
        channel, _, market = stream.partition(".")
        return {"action": "subscribe", "channels": [{"name": channel, "markets": [market]}]}

    def is_answer(self, data: Any) -> bool:
        return '"subscribed"' in data
