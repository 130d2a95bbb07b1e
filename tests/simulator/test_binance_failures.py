"""What a client of Binance's protocol alone sees when something goes wrong."""

import asyncio
import hashlib
import hmac
import http.client
import json
from typing import Any

import ccxt
import pytest

from tests.simulator.client import a_client, control, low_price, run
from workstation.simulator.accounts import Account, Credentials
from workstation.simulator.binance.auth import signed_account
from workstation.simulator.binance.errors import ApiError
from workstation.simulator.server import SimulatedExchanges

BTC = "BTC/USDT"


def test_a_cancel_whose_answer_is_lost_is_sent_again_by_the_http_client(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "grace") as client:
            order = await client.create_order(BTC, "limit", "buy", "0.001", await low_price(client, BTC))
            control(exchanges, "faults", kind="reset_after", method="DELETE", path="/api/v3/order", count=1)
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order(order["id"], BTC)
            assert (await client.fetch_order(order["id"], BTC))["status"] == "canceled"

    run(scene())


def test_what_is_asked_for_wrongly_has_binances_codes(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges) as client:
            for call, parameters, code in (
                (client.publicGetDepth, {"symbol": "NONE"}, "-1121"),
                (client.publicGetDepth, {}, "-1102"),
                (client.publicGetDepth, {"symbol": "BTCUSDT", "limit": "x"}, "-1100"),
                (client.publicGetKlines, {"symbol": "BTCUSDT", "interval": "7m"}, "-1120"),
                (client.privatePostOrder, {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "price": "1"}, "-1102"),
                (client.privatePostOrder, {"symbol": "BTCUSDT", "side": "BUY", "type": "ICEBERG"}, "-1116"),
                (client.privatePostOrder, {"symbol": "BTCUSDT", "side": "UP", "type": "LIMIT"}, "-1117"),
                (client.privateGetOrder, {"symbol": "BTCUSDT", "orderId": "1"}, "-2013"),
                (client.privateDeleteOrder, {"symbol": "BTCUSDT", "orderId": "1"}, "-2011"),
            ):
                with pytest.raises(ccxt.BaseError, match=f'"code":{code},'):
                    await call(parameters)

    run(scene())


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("trades?symbol=BTCUSDT&fromId=%C2%B2", None, -1100),
        ("trades?symbol=BTCUSDT&fromId=" + "9" * 5_000, None, -1100),
        ("account?timestamp=1&signature=%C3%A9", None, -1022),
        ("order", b"\xff\xfe", -1102),
    ],
)
def test_nonsense_has_binances_codes_too(
    exchanges: SimulatedExchanges, path: str, body: bytes | None, code: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", exchanges.port, timeout=5)
    method = "GET" if body is None else "POST"
    connection.request(method, f"/nova/api.binance.com/api/v3/{path}", body, {"X-MBX-APIKEY": "alice-key"})
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["code"]) == (400, code)
    connection.close()


def test_a_signed_time_without_end_is_refused() -> None:
    account = Account(Credentials(api_key="key", secret="secret"), {})
    for name in ("timestamp", "recvWindow"):
        sent = {"timestamp": "1", name: "9" * 5_000}
        signed = "&".join(f"{field}={value}" for field, value in sent.items())
        signature = hmac.new(b"secret", signed.encode(), hashlib.sha256).hexdigest()
        with pytest.raises(ApiError, match=f"-1100 .*'{name}'"):
            signed_account({"key": account}, "key", signed, sent | {"signature": signature}, 1)


def test_a_burst_brings_as_many_trades_as_were_asked_for(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges) as client:
            await client.watch_trades(BTC)
            market = exchanges.venues["nova"].exchange.markets["BTCUSDT"]
            before = market.trades[-1].trade_id
            control(exchanges, "faults", kind="burst", venue="nova", market="BTCUSDT", size=500)
            assert market.trades[-1].trade_id >= before + 500
            async with asyncio.timeout(10):
                while int(client.trades[BTC][-1]["id"]) < before + 500:
                    await client.watch_trades(BTC)

    run(scene())


def a_book(bids: Any) -> bytes:
    return json.dumps({"venue": "nova", "market": "BTCUSDT", "bids": bids}).encode()


def test_control_says_what_is_wrong(exchanges: SimulatedExchanges) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", exchanges.port, timeout=5)
    for what, body, said in (
        ("faults", b'{"kind": "nonsense"}', b"kind 'nonsense'"),
        ("fill", b'{"venue": "nova", "orderId": 1}', b"no open order"),
        ("book", b'{"venue": "nowhere"}', b"expected one of nova, orion"),
        ("kick", b'{"venue": "nowhere"}', b"expected one of nova, orion"),
        ("kick", b"[]", b"expected a JSON object"),
        ("kick", b"{nope", b"expected a JSON object"),
        ("faults", b"\xff", b"expected a JSON object"),
        ("faults", b'{"a":' * 30_000, b"expected a JSON object"),
        ("book", a_book(5), b"bids 5: expected a list of [price, quantity]"),
        ("book", a_book([1]), b"bids [1]: expected a list of [price, quantity]"),
        ("book", a_book([["a", 1]]), b"bids price 'a': expected a number"),
        ("book", a_book([["sNaN", 1]]), b"BTCUSDT sNaN: expected a multiple of"),
        ("book", a_book([["1e9999", 1]]), b"BTCUSDT 1E+9999: expected a multiple of"),
        ("book", a_book([["1e999999999", 1]]), b"expected a multiple of"),
    ):
        connection.request("POST", f"/_control/{what}", body)
        answer = connection.getresponse()
        assert (answer.status, said in answer.read()) == (400, True)
    connection.close()
