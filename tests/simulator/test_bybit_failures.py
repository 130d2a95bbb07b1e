"""What a client of a simulated venue with Bybit's protocol sees when something goes wrong."""

import asyncio
import hashlib
import hmac
import http.client
import json
import time
from typing import Any

import ccxt
import pytest
from aiohttp import ClientSession, WSMsgType

from tests.simulator.client import a_client, clear_faults, control, low_price, run, wanted
from workstation.simulator.server import SimulatedExchanges

BTC = "BTC/USDT"
CREATE = "/v5/order/create"
SHORT_S = 1.5
KNOWN = {"acknowledged": True}
PUBLIC = "/nova/stream.bybit.com/v5/public/spot"


async def is_there(client: Any, name: str) -> bool:
    """Whether the venue has the order, open or not."""
    asked = {"category": "spot", "orderLinkId": name}
    return bool((await client.privateGetV5OrderRealtime(asked))["result"]["list"])


@pytest.mark.parametrize(
    ("fault", "error", "is_placed"),
    [
        ("timeout_before", ccxt.RequestTimeout, False),
        ("timeout_after", ccxt.RequestTimeout, True),
        ("reset_before", ccxt.ExchangeNotAvailable, False),
        ("reset_after", ccxt.ExchangeNotAvailable, True),
        ("html_502", ccxt.ExchangeNotAvailable, True),
        ("unknown_504", ccxt.RequestTimeout, True),
        ("busy_503", ccxt.ExchangeNotAvailable, False),
        ("rate_429", ccxt.RateLimitExceeded, False),
        ("ban_418", ccxt.RateLimitExceeded, False),
    ],
)
def test_a_new_order_fails_as_it_does_at_the_real_venue(
    wired: SimulatedExchanges, fault: str, error: type[Exception], is_placed: bool
) -> None:
    async def scene() -> None:
        async with a_client(wired, "grace", timeout_s=SHORT_S) as client:
            price, name = await low_price(client, BTC), f"mine-{fault}"
            await client.fetch_balance()  # ccxt has asked for the kind of account
            control(wired, "faults", kind=fault, method="POST", path=CREATE, count=1, seconds=7)
            with pytest.raises(error) as failure:
                await client.create_order(BTC, "limit", "buy", "0.001", price, {"clientOrderId": name})
            assert type(failure.value) is error
            if fault == "rate_429":
                reset_ms = int(client.last_response_headers["X-Bapi-Limit-Reset-Timestamp"])
                assert 5_000 < reset_ms - time.time() * 1000 <= 7_000
            clear_faults(wired)
            assert await is_there(client, name) is is_placed

    run(scene())


@pytest.mark.parametrize("fault", ["truncated", "malformed"])
def test_an_answer_that_is_no_json_is_an_order_without_an_id(wired: SimulatedExchanges, fault: str) -> None:
    async def scene() -> None:
        async with a_client(wired, "grace") as client:
            price, fields = await low_price(client, BTC), {"clientOrderId": f"mine-{fault}"}
            await client.fetch_balance()
            control(wired, "faults", kind=fault, method="POST", path=CREATE, count=1)
            order = await client.create_order(BTC, "limit", "buy", "0.001", price, fields)
            assert order["id"] is None and order["status"] is None  # the client library raises nothing
            assert await is_there(client, f"mine-{fault}")

    run(scene())


def test_an_order_may_be_accepted_after_the_client_gave_up(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired, "grace", timeout_s=SHORT_S) as client:
            price = await low_price(client, BTC)
            await client.fetch_balance()
            control(wired, "faults", kind="late_accept", method="POST", path=CREATE, count=1, seconds=2.5)
            with pytest.raises(ccxt.RequestTimeout):
                await client.create_order(BTC, "limit", "buy", "0.001", price, {"clientOrderId": "late"})
            assert not await is_there(client, "late")
            async with asyncio.timeout(20):
                while not await is_there(client, "late"):
                    await asyncio.sleep(0.05)

    run(scene())


@pytest.mark.parametrize(
    ("changes", "code", "error"),
    [
        ({"price": "1000.05"}, 170134, ccxt.InvalidOrder),
        ({"qty": "0.0015"}, 170137, ccxt.InvalidOrder),
        ({"qty": "0.0005"}, 170136, ccxt.InvalidOrder),
        ({"price": "100"}, 170140, ccxt.InvalidOrder),
        ({"qty": "0.01"}, 170131, ccxt.InsufficientFunds),
        ({"symbol": "NONEUSDT"}, 170121, ccxt.InvalidOrder),
        ({"side": "Up"}, 170117, ccxt.InvalidOrder),
        ({"orderType": "Iceberg"}, 170116, ccxt.InvalidOrder),
        ({"timeInForce": "GTX"}, 170115, ccxt.InvalidOrder),
        ({"orderFilter": "StopOrder"}, 170203, ccxt.InvalidOrder),
        ({"qty": "-1"}, 10001, ccxt.BadRequest),
        ({"price": ""}, 10001, ccxt.BadRequest),
        ({"orderLinkId": "x" * 37}, 10001, ccxt.BadRequest),
        ({"category": "linear"}, 10001, ccxt.BadSymbol),
        ({"price": "60000", "timeInForce": "PostOnly"}, 170218, ccxt.InvalidOrder),
    ],
)
def test_a_refused_order_has_the_code_and_the_error_of_the_real_venue(
    wired: SimulatedExchanges, changes: dict[str, str], code: int, error: type[Exception]
) -> None:
    async def scene() -> None:
        async with a_client(wired, "poor") as client:
            usual = {"category": "spot", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "timeInForce": "GTC"}
            with pytest.raises(error, match=f'"retCode":{code},') as failure:
                await client.privatePostV5OrderCreate(usual | {"qty": "0.001", "price": "40000"} | changes)
            assert type(failure.value) is error

    run(scene())


def test_a_client_id_is_refused_while_it_is_open_and_after(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired, "heidi") as client:
            fields = {"clientOrderId": "twice"}
            await client.create_order(BTC, "limit", "buy", "0.001", await low_price(client, BTC), fields)
            for _ in range(2):
                with pytest.raises(ccxt.InvalidOrder, match='"retCode":170141,'):
                    await client.create_order(BTC, "market", "buy", "0.001", None, fields)
                if (await client.fetch_open_orders(BTC)) != []:
                    control(wired, "fill", venue="nova", clientOrderId="twice")
            assert (await client.fetch_open_orders(BTC, None, None, {"orderLinkId": "twice"}))[0]["status"] == "closed"

    run(scene())


def test_a_skewed_clock_is_refused_until_the_difference_is_loaded(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired) as client:
            control(wired, "faults", kind="skew", seconds=60)
            with pytest.raises(ccxt.InvalidNonce, match='"retCode":10002,'):
                await client.fetch_balance()
            await client.load_time_difference()
            assert (await client.fetch_balance())["USDT"]["total"] is not None

    run(scene())


def test_a_wrong_secret_and_an_unknown_key_are_refused_by_rest_and_on_sockets(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired) as client:
            await client.fetch_balance()
            client.secret = "wrong"
            with pytest.raises(ccxt.AuthenticationError, match='"retCode":10004,'):
                await client.fetch_balance()
            with pytest.raises(ccxt.AuthenticationError, match='"retCode":10004,'):
                await client.create_order_ws(BTC, "limit", "buy", "0.001", "40000")
            with pytest.raises(ccxt.ExchangeError, match="error sign"):
                await client.watch_orders(BTC)
            client.apiKey = "nobody"
            with pytest.raises(ccxt.AuthenticationError, match='"retCode":10003,'):
                await client.fetch_balance()

    run(scene())


def test_what_is_asked_for_wrongly_has_bybits_codes(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired) as client:
            spot = {"category": "spot", "symbol": "BTCUSDT"}
            for call, fields, error in (
                (client.publicGetV5MarketOrderbook, spot | {"symbol": "NONE"}, ccxt.BadSymbol),
                (client.publicGetV5MarketOrderbook, {"symbol": "BTCUSDT"}, ccxt.BadRequest),
                (client.publicGetV5MarketOrderbook, spot | {"limit": "x"}, ccxt.BadRequest),
                (client.publicGetV5MarketTickers, spot | {"category": "linear"}, ccxt.BadSymbol),
                (client.publicGetV5MarketKline, spot | {"interval": "7"}, ccxt.BadRequest),
                (client.publicGetV5MarketKline, spot | {"interval": "M"}, ccxt.BadRequest),
                (client.privatePostV5OrderCancel, spot, ccxt.BadRequest),
                (client.privatePostV5OrderCancel, spot | {"orderId": "1"}, ccxt.OrderNotFound),
                (client.privatePostV5OrderCancel, spot | {"orderId": "²"}, ccxt.OrderNotFound),
                (client.privateGetV5AccountWalletBalance, {"accountType": "FUND"}, ccxt.BadRequest),
                (client.privateGetV5PositionList, {"category": "spot"}, ccxt.BadRequest),
            ):
                with pytest.raises(error) as failure:
                    await call(fields)
                assert type(failure.value) is error

    run(scene())


def test_lists_come_in_pages(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired, "frank") as client:
            price = await low_price(client, "ETH/USDT")
            names = [f"page-{number}" for number in range(5)]
            for name in names:
                await client.create_order("ETH/USDT", "limit", "buy", "0.01", price, {"clientOrderId": name})
            cursor, told = "", list[str]()
            for _ in range(3):
                asked = {"category": "spot", "symbol": "ETHUSDT", "limit": 2} | ({"cursor": cursor} if cursor else {})
                page = (await client.privateGetV5OrderRealtime(asked))["result"]
                told += [one["orderLinkId"] for one in page["list"]]
                cursor = page["nextPageCursor"]
            assert (told, cursor) == (names[::-1], "")
            assert len((await client.privatePostV5OrderCancelAll({"category": "spot"}))["result"]["list"]) >= 5

    run(scene())


@pytest.mark.parametrize(
    ("body", "changes", "code"),
    [
        (b"{nope", {}, 10001),
        (b"[1]", {}, 10001),
        (b"\xff\xfe", {}, 10004),  # what is signed is the text as it was understood
        (b"{}", {"X-BAPI-TIMESTAMP": "9" * 5000}, 10001),
        (b"{}", {"X-BAPI-SIGN": "\xe9"}, 10004),
        (b"{}", {"X-BAPI-SIGN": ""}, 10001),
        (b"{}", {"X-BAPI-API-KEY": ""}, 10001),
    ],
)
def test_nonsense_has_bybits_codes_too(
    wired: SimulatedExchanges, body: bytes, changes: dict[str, str], code: int
) -> None:
    stamp = str(time.time_ns() // 10**6)
    signature = hmac.new(b"alice-secret", f"{stamp}alice-key5000".encode() + body, hashlib.sha256).hexdigest()
    headers = {"X-BAPI-API-KEY": "alice-key", "X-BAPI-TIMESTAMP": stamp, "X-BAPI-SIGN": signature} | changes
    connection = http.client.HTTPConnection("127.0.0.1", wired.port, timeout=5)
    connection.request("POST", f"/nova/api.bybit.com{CREATE}", body, headers)
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["retCode"]) == (200, code)
    connection.close()


def test_the_first_queries_of_an_order_may_find_nothing(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired, "heidi") as client:
            order = await client.create_order(BTC, "limit", "buy", "0.001", await low_price(client, BTC))
            control(wired, "faults", kind="not_found", path="/v5/order/*", count=2)
            assert await client.fetch_open_orders(BTC) == []
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order(order["id"], BTC)
            assert (await client.fetch_open_order(order["id"], BTC))["status"] == "open"

    run(scene())


def test_a_fill_may_be_told_twice_and_after_the_cancel(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired, "dave") as client:
            told, handle = list[tuple[str, str]](), client.handle_order
            fills, handle_fill = list[str](), client.handle_my_trades

            def heard(socket: Any, message: Any) -> None:
                told.extend((one["orderLinkId"], one["orderStatus"]) for one in message["data"])
                handle(socket, message)

            def heard_fill(socket: Any, message: Any) -> None:
                fills.extend(one["execId"] for one in message["data"])
                handle_fill(socket, message)

            client.handle_order, client.handle_my_trades = heard, heard_fill
            watching = [
                asyncio.ensure_future(client.watch_orders(BTC)),
                asyncio.ensure_future(client.watch_my_trades()),
            ]
            await wanted(wired, "nova", "user:dave-key:order")
            await wanted(wired, "nova", "user:dave-key:execution")
            control(wired, "faults", kind="duplicate", stream="user:execution:Trade", count=1)
            await client.create_order(BTC, "market", "buy", "0.001", None, {"clientOrderId": "fast"})
            price = await low_price(client, BTC)
            order = await client.create_order(BTC, "limit", "buy", "0.002", price, {"clientOrderId": "slow"})
            control(wired, "faults", kind="late", stream="user:order:PartiallyFilled", count=1, seconds=1.0)
            control(wired, "fill", venue="nova", clientOrderId="slow", quantity="0.001")
            await client.cancel_order(order["id"], BTC)
            async with asyncio.timeout(20):
                while len(told) < 5:
                    await asyncio.sleep(0.01)
            assert told == [
                ("fast", "New"),
                ("fast", "Filled"),
                ("slow", "New"),
                ("slow", "PartiallyFilledCanceled"),
                ("slow", "PartiallyFilled"),
            ]
            assert len(fills) == 3 and fills[0] == fills[1] != fills[2]
            await asyncio.gather(*watching)

    run(scene())


def test_a_dropped_socket_is_an_error_and_a_silent_one_is_silent(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired) as client:
            watching = asyncio.ensure_future(client.watch_trades(BTC))
            await wanted(wired, "nova", "publicTrade.BTCUSDT")
            control(wired, "faults", kind="drop_socket", stream="publicTrade.BTCUSDT", count=1)
            control(wired, "faults", kind="burst", venue="nova", market="BTCUSDT", size=1)
            with pytest.raises(ccxt.NetworkError):
                await watching
            await client.watch_bids_asks([BTC])
            control(wired, "faults", kind="silent_socket", stream="orderbook.1.BTCUSDT", count=1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(4.0):
                    while True:
                        await client.watch_bids_asks([BTC])

    run(scene())


def test_a_gap_in_the_book_shows_in_its_ids_which_ccxt_does_not_look_at(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        topic = "orderbook.50.BTCUSDT"
        async with ClientSession() as session, session.ws_connect(wired.url + PUBLIC) as stream:
            await stream.send_json({"op": "subscribe", "args": [topic]})
            assert (await stream.receive_json(timeout=20))["success"] is True
            frames = [await stream.receive_json(timeout=20) for _ in range(4)]
            assert [frame["type"] for frame in frames] == ["snapshot", "delta", "delta", "delta"]
            assert len(frames[0]["data"]["b"]) >= 20 and len(frames[0]["data"]["a"]) >= 20
            ids = [frame["data"]["u"] for frame in frames]
            assert ids == list(range(ids[0], ids[0] + 4))
            control(wired, "faults", kind="sequence_gap", stream=topic, count=1)
            after = [(await stream.receive_json(timeout=20))["data"]["u"] for _ in range(6)]
            assert after[-1] - ids[-1] == 7
        async with a_client(wired) as client:
            await client.watch_order_book(BTC)
            control(wired, "faults", kind="sequence_gap", stream=topic, count=1)
            for _ in range(6):
                await client.watch_order_book(BTC)

    run(scene())


def test_sockets_answer_pings_and_say_what_is_wrong(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        url = wired.url + PUBLIC
        async with ClientSession() as session, session.ws_connect(url, autoping=False) as stream:
            await stream.ping(b"x")
            assert (await stream.receive(timeout=20)).type is WSMsgType.PONG
            await stream.send_json({"op": "ping", "req_id": "7"})
            pong = await stream.receive_json(timeout=20)
            assert (pong["ret_msg"], pong["req_id"], pong["success"]) == ("pong", "7", True)
            once = {"op": "subscribe", "args": ["kline.1.BTCUSDT"]}
            for said, told in (
                (once, "subscribe"),
                (once, "already subscribed"),
                ({"op": "subscribe", "args": ["orderbook.7.BTCUSDT"]}, "handler not found"),
                ({"op": "subscribe", "args": ["publicTrade.NONE"]}, "handler not found"),
                ({"op": "subscribe", "args": [f"kline.{size}.BTCUSDT" for size in range(11)]}, "args size >10"),
                ({"op": "subscribe", "args": 5}, "empty args"),
                ({"op": "order.create"}, "invalid op"),
                ([1], "invalid op"),
            ):
                await stream.send_json(said)
                answer = await stream.receive_json(timeout=20)
                while "topic" in answer:  # the candle that was asked for above
                    answer = await stream.receive_json(timeout=20)
                assert told in answer["ret_msg"] and answer["success"] is (told == "subscribe")
        private = f"{wired.url}/nova/stream.bybit.com/v5/private"
        async with ClientSession() as session, session.ws_connect(private) as stream:
            for said, told in (
                ({"op": "subscribe", "args": ["order"]}, "not authorized"),
                ({"op": "auth", "args": ["alice-key", 1, "x"]}, "recv_window"),
                ({"op": "auth", "args": ["alice-key"]}, "sign params error"),
                ({"op": "auth", "args": ["alice-key", str(10**15), "é"]}, "error sign"),
            ):
                await stream.send_json(said)
                answer = await stream.receive_json(timeout=20)
                assert answer["success"] is False and told in answer["ret_msg"]

    run(scene())


@pytest.mark.parametrize("kind", ["garbled", "absurd", "huge"])
def test_broken_frames_reach_the_client_as_they_are(wired: SimulatedExchanges, kind: str) -> None:
    async def scene() -> None:
        topic = "orderbook.1.BTCUSDT"
        url = wired.url + PUBLIC
        async with ClientSession() as session, session.ws_connect(url, max_msg_size=2**24) as stream:
            await stream.send_json({"op": "subscribe", "args": [topic]})
            whole = [await stream.receive_str(timeout=20) for _ in range(2)][-1]
            control(wired, "faults", kind=kind, stream=topic, count=1, size=3_000)
            texts = [await stream.receive_str(timeout=20) for _ in range(12)]
            if kind == "garbled":
                assert any(text.startswith('{"topic"') and not text.endswith("}") for text in texts)
            elif kind == "huge":
                (huge,) = [text for text in texts if len(text) > 2_000_000]
                assert json.loads(huge)["topic"] == json.loads(whole)["topic"]
            else:
                odd = [json.loads(text)["data"] for text in texts if "NaN" in text or "1e308" in text or "null" in text]
                assert len(odd) == 1 and odd[0]["s"] == "BTCUSDT"

    run(scene())
