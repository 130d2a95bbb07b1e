"""What a client of the simulated exchange sees when something goes wrong, and whether the order is there."""

import asyncio
import hashlib
import hmac
import http.client
import json
from collections.abc import Coroutine
from typing import Any

import ccxt
import pytest

from tests.simulator.client import a_client, clear_faults, control
from workstation.simulator.accounts import Account, Credentials
from workstation.simulator.binance.auth import signed_account
from workstation.simulator.binance.errors import ApiError
from workstation.simulator.server import SimulatedExchanges

BTC = "BTC/USDT"
SHORT_S = 1.5


def run(scene: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(scene, 60)

    asyncio.run(bounded())


async def price_under(client: Any) -> str:
    found: str = client.price_to_precision(BTC, float((await client.fetch_ticker(BTC))["last"]) * 0.9)
    return found


@pytest.mark.parametrize(
    ("fault", "error", "is_there"),
    [
        ("timeout_before", ccxt.RequestTimeout, False),
        ("timeout_after", ccxt.RequestTimeout, True),
        ("reset_before", ccxt.ExchangeNotAvailable, False),
        ("reset_after", ccxt.ExchangeNotAvailable, True),
        ("html_502", ccxt.ExchangeNotAvailable, True),
        ("unknown_504", ccxt.RequestTimeout, True),
        ("busy_503", ccxt.OperationFailed, False),
        ("rate_429", ccxt.DDoSProtection, False),
        ("ban_418", ccxt.DDoSProtection, False),
    ],
)
def test_a_new_order_fails_as_it_does_at_the_real_venue(
    exchanges: SimulatedExchanges, fault: str, error: type[Exception], is_there: bool
) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "grace", timeout_s=SHORT_S) as client:
            price = await price_under(client)
            name = f"mine-{fault}"
            control(exchanges, "faults", kind=fault, method="POST", path="/api/v3/order", count=1, seconds=7)
            with pytest.raises(error) as failure:
                await client.create_order(BTC, "limit", "buy", "0.001", price, {"clientOrderId": name})
            assert type(failure.value) is error
            if fault in ("rate_429", "ban_418"):
                assert client.last_response_headers["Retry-After"] == "7"
            clear_faults(exchanges)
            if is_there:
                assert (await client.fetch_order(None, BTC, {"clientOrderId": name}))["status"] == "open"
            else:
                with pytest.raises(ccxt.OrderNotFound):
                    await client.fetch_order(None, BTC, {"clientOrderId": name})

    run(scene())


@pytest.mark.parametrize("fault", ["truncated", "malformed"])
def test_an_answer_that_is_no_json_is_an_order_without_an_id(exchanges: SimulatedExchanges, fault: str) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "grace") as client:
            fields = {"clientOrderId": f"mine-{fault}"}
            control(exchanges, "faults", kind=fault, method="POST", path="/api/v3/order", count=1)
            order = await client.create_order(BTC, "limit", "buy", "0.001", await price_under(client), fields)
            assert order["id"] is None and order["status"] is None  # the client library raises nothing
            assert (await client.fetch_order(None, BTC, fields))["status"] == "open"

    run(scene())


def test_an_order_may_be_accepted_after_the_client_gave_up(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "grace", timeout_s=SHORT_S) as client:
            price = await price_under(client)
            control(exchanges, "faults", kind="late_accept", method="POST", path="/api/v3/order", count=1, seconds=2.5)
            with pytest.raises(ccxt.RequestTimeout):
                await client.create_order(BTC, "limit", "buy", "0.001", price, {"clientOrderId": "late"})
            with pytest.raises(ccxt.OrderNotFound):
                await client.fetch_order(None, BTC, {"clientOrderId": "late"})
            async with asyncio.timeout(20):
                while not await _is_there(client, "late"):
                    await asyncio.sleep(0.05)

    run(scene())


async def _is_there(client: Any, name: str) -> bool:
    try:
        await client.fetch_order(None, BTC, {"clientOrderId": name})
    except ccxt.OrderNotFound:
        return False
    return True


def test_a_cancel_whose_answer_is_lost_is_sent_again_by_the_http_client(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "grace") as client:
            order = await client.create_order(BTC, "limit", "buy", "0.001", await price_under(client))
            control(exchanges, "faults", kind="reset_after", method="DELETE", path="/api/v3/order", count=1)
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order(order["id"], BTC)
            assert (await client.fetch_order(order["id"], BTC))["status"] == "canceled"

    run(scene())


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (("limit", "buy", "0.001", "1000.05"), ccxt.InvalidOrder),
        (("limit", "buy", "0.0015", "40000"), ccxt.InvalidOrder),
        (("limit", "buy", "0.001", "100"), ccxt.BadRequest),
        (("limit", "buy", "0.01", "40000"), ccxt.InsufficientFunds),
    ],
    ids=["PRICE_FILTER", "LOT_SIZE", "NOTIONAL", "balance"],
)
def test_a_refused_order_has_the_error_of_the_real_venue(
    exchanges: SimulatedExchanges, order: tuple[str, str, str, str], error: type[Exception]
) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "poor") as client:
            kind, side, quantity, price = order
            raw = {"symbol": "BTCUSDT", "type": kind.upper(), "side": side.upper(), "timeInForce": "GTC"}
            with pytest.raises(error) as failure:
                await client.privatePostOrder(raw | {"quantity": quantity, "price": price})
            assert type(failure.value) is error

    run(scene())


def test_a_client_id_is_refused_while_it_is_open_and_taken_again_after(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "heidi") as client:
            fields = {"clientOrderId": "twice"}
            first = await client.create_order(BTC, "limit", "buy", "0.001", await price_under(client), fields)
            with pytest.raises(ccxt.InvalidOrder):
                await client.create_order(BTC, "market", "buy", "0.001", None, fields)
            control(exchanges, "fill", venue="nova", clientOrderId="twice")
            second = await client.create_order(BTC, "market", "buy", "0.001", None, fields)
            assert second["id"] != first["id"]

    run(scene())


def test_a_skewed_clock_is_refused_until_the_difference_is_loaded(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges) as client:
            control(exchanges, "faults", kind="skew", seconds=60)
            with pytest.raises(ccxt.InvalidNonce):
                await client.fetch_balance()
            await client.load_time_difference()
            assert (await client.fetch_balance())["USDT"]["total"] is not None

    run(scene())


def test_a_wrong_secret_and_an_unknown_key_are_refused(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges) as client:
            client.secret = "wrong"
            with pytest.raises(ccxt.AuthenticationError, match="-1022"):
                await client.fetch_balance()
            client.apiKey = "nobody"
            with pytest.raises(ccxt.AuthenticationError, match="-2015"):
                await client.fetch_balance()

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


def test_the_first_queries_of_an_order_may_find_nothing(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "heidi") as client:
            order = await client.create_order(BTC, "limit", "buy", "0.001", await price_under(client))
            control(exchanges, "faults", kind="not_found", method="GET", path="/api/v3/order", count=2)
            for _ in range(2):
                with pytest.raises(ccxt.OrderNotFound):
                    await client.fetch_order(order["id"], BTC)
            assert (await client.fetch_order(order["id"], BTC))["status"] == "open"

    run(scene())


async def user_stream(client: Any, exchanges: SimulatedExchanges, name: str) -> list[dict[str, Any]]:
    """Every report of an order that reaches the client from now on, as it came."""
    told: list[dict[str, Any]] = []
    handle = client.handle_order_update

    def heard(socket: Any, message: dict[str, Any]) -> Any:
        told.append(message)
        return handle(socket, message)

    client.handle_order_update = heard
    client.first_report = asyncio.ensure_future(client.watch_orders(BTC))
    async with asyncio.timeout(20):
        while not exchanges.venues["nova"].hub.is_wanted(f"user:{name}-key"):
            await asyncio.sleep(0.005)
    return told


async def reported(told: list[dict[str, Any]], count: int) -> list[str]:
    async with asyncio.timeout(20):
        while len(told) < count:
            await asyncio.sleep(0.01)
    return [message["x"] for message in told]


def test_a_fill_may_be_told_twice(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "dave") as client:
            told = await user_stream(client, exchanges, "dave")
            control(exchanges, "faults", kind="duplicate", stream="user:executionReport:TRADE", count=1)
            await client.create_order(BTC, "market", "buy", "0.001")
            assert await reported(told, 3) == ["NEW", "TRADE", "TRADE"]
            assert told[1] == told[2]

    run(scene())


def test_a_fill_may_be_told_after_the_cancel(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "erin") as client:
            told = await user_stream(client, exchanges, "erin")
            price = await price_under(client)
            order = await client.create_order(BTC, "limit", "buy", "0.002", price, {"clientOrderId": "slow"})
            control(exchanges, "faults", kind="late", stream="user:executionReport:TRADE", count=1, seconds=1.0)
            control(exchanges, "fill", venue="nova", clientOrderId="slow", quantity="0.001")
            await client.cancel_order(order["id"], BTC)
            assert await reported(told, 3) == ["NEW", "CANCELED", "TRADE"]
            assert told[1]["C"] == "slow" and told[1]["z"] == "0.00100000"

    run(scene())


def test_a_dropped_socket_is_an_error_and_a_silent_one_is_silent(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges) as client:
            await client.watch_trades(BTC)
            control(exchanges, "faults", kind="drop_socket", stream="btcusdt@trade", count=1)
            with pytest.raises(ccxt.NetworkError):
                while True:
                    await client.watch_trades(BTC)
            await client.watch_bids_asks([BTC])
            control(exchanges, "faults", kind="silent_socket", stream="btcusdt@bookTicker", count=1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(3.0):
                    while True:
                        await client.watch_bids_asks([BTC])

    run(scene())


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
