"""What a client of Bybit's protocol alone sees when something goes wrong."""

import hashlib
import hmac
import http.client
import json
import time

import ccxt
import pytest
from aiohttp import ClientSession, WSMsgType

from tests.simulator.client import a_client, control, low_price, run
from workstation.simulator.server import SimulatedExchanges

BTC = "BTC/USDT"
CREATE = "/v5/order/create"
SHORT_S = 1.5
KNOWN = {"acknowledged": True}
PUBLIC = "/nova/stream.bybit.com/v5/public/spot"


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


def test_what_is_not_there_yet_is_an_empty_list_and_no_order_to_cancel(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired, "heidi") as client:
            order = await client.create_order(BTC, "limit", "buy", "0.001", await low_price(client, BTC))
            control(wired, "faults", kind="not_found", path="/v5/order/*", count=2)
            assert await client.fetch_open_orders(BTC) == []
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order(order["id"], BTC)
            assert (await client.fetch_open_order(order["id"], BTC))["status"] == "open"

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
