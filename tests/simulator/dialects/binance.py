"""Binance spot."""

from types import MappingProxyType
from typing import Any

import ccxt

from tests.simulator.dialects.base import BTC, LOST, Changes, Dialect, changed

ORDER = {
    "symbol": "BTCUSDT",
    "type": "LIMIT",
    "side": "BUY",
    "timeInForce": "GTC",
    "quantity": "0.001",
    "price": "40000",
}


class Binance(Dialect):
    wire, venue, form = "binance", "draco", "{0}{1}"
    socket = "/draco/stream.binance.com:9443/ws"
    quotes, trades, book = "{}@bookTicker", "{}@trade", "{}@depth@100ms"
    gap_is_noticed = True
    create = query = "/api/v3/order"
    orders = "user:{0}"
    fill_fault = part_fault = "user:executionReport:TRADE"
    told_orders = (
        ("fast", "NEW"),
        ("fast", "TRADE"),
        ("fast", "TRADE"),
        ("slow", "NEW"),
        ("slow", "CANCELED"),
        ("slow", "TRADE"),
    )
    taker_fee = "0.001"
    errors = MappingProxyType(
        {
            **LOST,
            "busy_503": ccxt.OperationFailed,
            "rate_429": ccxt.DDoSProtection,
            "ban_418": ccxt.DDoSProtection,
        }
    )
    bad_signature, unknown_key = "-1022", "-2015"
    refusals = (
        ({"price": "1000.05"}, '"code":-1013,.*PRICE_FILTER', ccxt.InvalidOrder),
        ({"quantity": "0.0015"}, '"code":-1013,.*LOT_SIZE', ccxt.InvalidOrder),
        ({"price": "100"}, '"code":-1013,.*NOTIONAL', ccxt.BadRequest),
        ({"quantity": "0.01"}, "insufficient balance", ccxt.InsufficientFunds),
        ({"quantity": None}, '"code":-1102,', ccxt.BadRequest),
        ({"type": "ICEBERG"}, '"code":-1116,', ccxt.BadRequest),
        ({"side": "UP"}, '"code":-1117,', ccxt.BadRequest),
    )
    wrong_questions = (
        ("publicGetDepth", {"symbol": "NONE"}, ccxt.BadSymbol, '"code":-1121,'),
        ("publicGetDepth", {}, ccxt.BadRequest, '"code":-1102,'),
        ("publicGetDepth", {"symbol": "BTCUSDT", "limit": "x"}, ccxt.BadRequest, '"code":-1100,'),
        ("publicGetKlines", {"symbol": "BTCUSDT", "interval": "7m"}, ccxt.BadRequest, '"code":-1120,'),
        ("privateGetOrder", {"symbol": "BTCUSDT", "orderId": "1"}, ccxt.OrderNotFound, '"code":-2013,'),
        ("privateDeleteOrder", {"symbol": "BTCUSDT", "orderId": "1"}, ccxt.OrderNotFound, '"code":-2011,'),
    )

    def stream(self, name: str, symbol: str = BTC) -> str:
        return str(getattr(self, name)).format(self.market(symbol).lower())

    async def send_order(self, client: Any, changes: Changes) -> Any:
        return await client.privatePostOrder(changed(ORDER, changes))

    def check_limit(self, client: Any, fault: str, seconds: int) -> None:
        assert client.last_response_headers["Retry-After"] == str(seconds)

    def hear(self, client: Any, orders: list[Any], fills: list[Any]) -> None:
        handle = client.handle_order_update

        def heard(socket: Any, message: Any) -> Any:
            orders.append((message["C"] or message["c"], message["x"]))
            if message["x"] == "TRADE":
                fills.append(message["t"])
            return handle(socket, message)

        client.handle_order_update = heard

    def subscription(self, stream: str) -> Any:
        return {"method": "SUBSCRIBE", "params": [stream], "id": 1}

    def is_answer(self, data: Any) -> bool:
        return '"result"' in data
