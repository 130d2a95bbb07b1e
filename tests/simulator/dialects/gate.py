"""Gate spot."""

from decimal import Decimal
from typing import Any

import ccxt

from tests.simulator.client import wanted
from tests.simulator.dialects.base import Changes, Dialect, changed, until_then
from workstation.simulator.server import SimulatedExchanges

PAIR = {"currency_pair": "BTC_USDT"}
ORDER = {**PAIR, "side": "buy", "type": "limit", "amount": "0.001", "price": "40000"}
CANDLES = PAIR | {"interval": "1m"}


class Gate(Dialect):
    wire, venue, form = "gate", "orion", "{0}_{1}"
    socket = "/orion/api.gateio.ws/ws/v4/"
    quotes, trades, book = "spot.book_ticker.{}", "spot.trades.{}", "spot.obu.ob.{}.50"
    sockets = 1
    create, query = "/api/v4/spot/orders", "/api/v4/spot/orders/*"
    orders = "user:{0}:spot.orders:{1}"
    fill_fault, part_fault = "user:spot.usertrades:taker", "user:spot.orders:update"
    told_orders = (("fast", "put"), ("fast", "finish"), ("slow", "put"), ("slow", "finish"), ("slow", "update"))
    cancelled_twice = ccxt.InvalidOrder
    skewed, skew_s = ccxt.AuthenticationError, 90
    bad_signature, unknown_key = "INVALID_SIGNATURE", "INVALID_KEY"
    refusals = (
        ({"price": "1000.05"}, '"label":"INVALID_PRECISION"', ccxt.InvalidOrder),
        ({"amount": "0.0015"}, '"label":"INVALID_PRECISION"', ccxt.InvalidOrder),
        ({"amount": "0.0005"}, '"label":"INVALID_PARAM_VALUE"', ccxt.BadRequest),
        ({"price": "100"}, '"label":"INVALID_PARAM_VALUE"', ccxt.BadRequest),
        ({"amount": "0.01"}, '"label":"BALANCE_NOT_ENOUGH"', ccxt.InsufficientFunds),
        ({"currency_pair": "NONE_USDT"}, '"label":"INVALID_CURRENCY_PAIR"', ccxt.BadSymbol),
        ({"side": "up"}, '"label":"INVALID_PARAM_VALUE"', ccxt.BadRequest),
        ({"type": "iceberg"}, '"label":"INVALID_PARAM_VALUE"', ccxt.BadRequest),
        ({"time_in_force": "gtx"}, '"label":"INVALID_PARAM_VALUE"', ccxt.BadRequest),
        ({"type": "market"}, '"label":"INVALID_PARAM_VALUE"', ccxt.BadRequest),
        ({"account": "margin"}, '"label":"INVALID_PARAM_VALUE"', ccxt.BadRequest),
        ({"amount": "-1"}, '"label":"INVALID_PARAM_VALUE"', ccxt.BadRequest),
        ({"price": ""}, '"label":"MISSING_REQUIRED_PARAM"', ccxt.ArgumentsRequired),
        ({"text": "mine"}, '"label":"INVALID_PARAM_VALUE"', ccxt.BadRequest),
        ({"text": "t-" + "x" * 29}, '"label":"INVALID_PARAM_VALUE"', ccxt.BadRequest),
        ({"price": "60000", "time_in_force": "poc"}, '"label":"POC_FILL_IMMEDIATELY"', ccxt.OrderImmediatelyFillable),
    )
    wrong_questions = (
        ("publicSpotGetOrderBook", {"currency_pair": "NONE"}, ccxt.BadSymbol, '"label":'),
        ("publicSpotGetOrderBook", {}, ccxt.ArgumentsRequired, '"label":'),
        ("publicSpotGetOrderBook", PAIR | {"limit": "x"}, ccxt.BadRequest, '"label":'),
        ("publicSpotGetTrades", PAIR | {"limit": "1001"}, ccxt.BadRequest, '"label":'),
        ("publicSpotGetCandlesticks", PAIR | {"interval": "7m"}, ccxt.BadRequest, '"label":'),
        ("publicSpotGetCandlesticks", CANDLES | {"from": 1, "limit": 5}, ccxt.BadRequest, '"label":'),
        ("publicSpotGetCandlesticks", CANDLES | {"from": 1}, ccxt.BadRequest, '"label":'),
        ("publicSpotGetCandlesticks", CANDLES | {"from": 2, "to": 1}, ccxt.BadRequest, '"label":'),
        ("privateSpotGetOrders", PAIR, ccxt.ArgumentsRequired, '"label":'),
        ("privateSpotGetOrders", PAIR | {"status": "odd"}, ccxt.BadRequest, '"label":'),
        ("privateSpotDeleteOrdersOrderId", PAIR | {"order_id": "1"}, ccxt.OrderNotFound, '"label":'),
        ("privateSpotDeleteOrdersOrderId", PAIR | {"order_id": "t-none"}, ccxt.OrderNotFound, '"label":'),
        ("privateSpotGetPriceOrders", {"status": "open"}, ccxt.ExchangeError, '"label":'),
    )

    def told_name(self, name: str) -> str:
        return f"t-{name}"

    def cost(self, order: Any) -> Decimal:
        return Decimal(order["info"]["filled_total"])  # ccxt tells what was to be spent

    async def send_order(self, client: Any, changes: Changes) -> Any:
        return await client.privateSpotPostOrders(changed(ORDER, changes))

    def check_limit(self, client: Any, fault: str, seconds: int) -> None:
        reset_s = client.last_response_headers["X-Gate-RateLimit-Reset-Timestamp"]
        assert seconds - 2 < until_then(reset_s) <= seconds + 1

    def hear(self, client: Any, orders: list[Any], fills: list[Any]) -> None:
        handle, handle_fill = client.handle_order, client.handle_my_trades

        def heard(socket: Any, message: Any) -> None:
            orders.extend((one["text"], one["event"]) for one in message["result"])
            handle(socket, message)

        def heard_fill(socket: Any, message: Any) -> None:
            fills.extend(one["id"] for one in message["result"])
            handle_fill(socket, message)

        client.handle_order, client.handle_my_trades = heard, heard_fill

    async def listening_to_fills(self, exchanges: SimulatedExchanges, name: str) -> None:
        await wanted(exchanges, self.venue, f"user:{name}-key:spot.usertrades:{self.market()}")

    def subscription(self, stream: str) -> Any:
        channel, _, market = stream.rpartition(".")
        return {"channel": channel, "event": "subscribe", "payload": [market]}

    def is_answer(self, data: Any) -> bool:
        return '"subscribe"' in data
