"""What Bitvavo's wire has beside what all wires do: updates, actions over the socket, ids, weights."""

import asyncio
import hashlib
import hmac
import http.client
import json
import time
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import ccxt
import pytest
from aiohttp import ClientSession, WSMsgType
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.client import control, low_price, run
from tests.simulator.dialects import BTC, DIALECTS
from workstation.simulator.bitvavo.ids import ORDER, TRADE, is_uuid, number_of, uuid_of
from workstation.simulator.bitvavo.weights import Weights
from workstation.simulator.server import SimulatedExchanges
from workstation.simulator.wire import WireRequest

BITVAVO = DIALECTS["bitvavo"]
MARKET = "BTC-USDT"
REST = "/corvus/api.bitvavo.com"
ASKED = {"market": MARKET}


@given(st.integers(0, 2**60 - 1))
def test_a_number_is_read_back_from_its_uuid_and_only_as_what_it_names(number: int) -> None:
    text = uuid_of(ORDER, number)
    assert UUID(text).version == 4 and is_uuid(text)
    assert (number_of(ORDER, text), number_of(ORDER, text.upper())) == (number, number)
    assert number_of(TRADE, text) is None
    assert number_of(ORDER, str(uuid4())) is None and number_of(ORDER, "1") is None


def test_an_update_changes_amount_and_price_and_locks_what_it_may_pay(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with BITVAVO.client(wired, "judy") as client:
            price = await low_price(client, BTC)
            order = await client.create_order(BTC, "limit", "buy", "0.01", price)
            control(wired, "fill", venue="corvus", orderId=number_of(ORDER, order["id"]), quantity="0.004")
            changed = await client.edit_order(order["id"], BTC, "limit", "buy", "0.02", price)
            assert (changed["id"], changed["amount"], changed["remaining"]) == (order["id"], "0.02", "0.016")
            assert changed["status"] == "open"
            assert Decimal((await client.fetch_balance())["USDT"]["used"]) == Decimal(price) * Decimal("0.016")
            left = await client.privatePutOrder(
                ASKED | {"operatorId": 1, "orderId": order["id"], "amountRemaining": "0.005"}
            )
            assert (left["amount"], left["amountRemaining"]) == ("0.009", "0.005")
            for changes, code in (
                ({}, 232),
                ({"amount": "1", "amountRemaining": "1"}, 236),
                ({"amount": "0.004"}, 205),  # no more than is filled
                ({"amount": "1000"}, 216),
                ({"price": "1000.05"}, 214),
            ):
                asked = ASKED | {"operatorId": 1, "orderId": order["id"]} | changes
                with pytest.raises(ccxt.BaseError, match=f'"errorCode":{code},'):
                    await client.privatePutOrder(asked)
            assert (await client.fetch_order(order["id"], BTC))["amount"] == "0.009"
            assert Decimal((await client.fetch_balance())["USDT"]["used"]) == Decimal(price) * Decimal("0.005")
            # a price that crosses the book is taken at once
            ask = float((await client.fetch_ticker(BTC))["ask"])
            crossing = client.price_to_precision(BTC, ask * 1.001)
            taken = await client.edit_order_ws(order["id"], BTC, "limit", "buy", None, crossing)
            assert (taken["status"], taken["filled"]) == ("closed", "0.009")
            assert Decimal((await client.fetch_balance())["USDT"]["used"]) == 0
            with pytest.raises(ccxt.OrderNotFound, match='"errorCode":233,'):
                await client.edit_order(order["id"], BTC, "limit", "buy", "0.02", price)

    run(scene())


def test_a_trigger_waits_is_moved_and_is_reached_and_that_of_a_market_order_cannot_be_moved(
    wired: SimulatedExchanges,
) -> None:
    async def scene() -> None:
        async with BITVAVO.client(wired, "judy") as client:
            low = float(await low_price(client, "ETH/USDT"))
            trigger, under = (client.price_to_precision("ETH/USDT", low * part) for part in (1, 0.99))
            fields = {"stopLossPrice": trigger}
            placed = await client.create_order("ETH/USDT", "limit", "sell", "1", under, fields)
            waiting = await client.fetch_order(placed["id"], "ETH/USDT")
            assert (waiting["status"], waiting["info"]["status"]) == ("open", "awaitingTrigger")
            moved = client.price_to_precision("ETH/USDT", low * 0.995)
            edited = await client.edit_order(
                placed["id"], "ETH/USDT", "limit", "sell", None, None, {"triggerPrice": moved}
            )
            assert edited["info"]["triggerPrice"] == f"{float(moved):.2f}".rstrip("0").rstrip(".")
            stop = await client.create_order("ETH/USDT", "market", "sell", "1", None, {"stopLossPrice": moved})
            with pytest.raises(ccxt.InvalidOrder, match='"errorCode":234,'):
                await client.edit_order(stop["id"], "ETH/USDT", "market", "sell", "2")
            BITVAVO.place_levels(wired, "ETH/USDT", bids=[[under, 9]])
            await client.create_order("ETH/USDT", "limit", "sell", "1", under)
            for one in (placed, stop):
                assert (await client.fetch_order(one["id"], "ETH/USDT"))["status"] == "closed"

    try:
        run(scene())
    finally:
        BITVAVO.place_levels(wired, "ETH/USDT")


def test_everything_that_rest_answers_is_an_action_too(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with BITVAVO.client(wired, "kim") as client:
            assert {one["symbol"] for one in await client.fetch_markets_ws()} == {BTC, "ETH/USDT"}
            assert len(await client.fetch_balance_ws()) > 3
            assert (await client.fetch_trading_fees_ws())[BTC]["taker"] == "0.0005"
            price = await low_price(client, BTC)
            order = await client.create_order_ws(BTC, "limit", "buy", "0.01", price)
            assert (await client.fetch_order_ws(order["id"], BTC))["status"] == "open"
            assert [one["id"] for one in await client.fetch_open_orders_ws(BTC)] == [order["id"]]
            assert [one["id"] for one in await client.cancel_all_orders_ws(BTC)] == [order["id"]]
            assert [one["id"] for one in await client.fetch_orders_ws(BTC)] == [order["id"]]
            assert await client.fetch_my_trades_ws(BTC) == []

    run(scene())


def test_lists_go_from_one_id_to_another(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with BITVAVO.client(wired, "frank") as client:
            price = await low_price(client, "ETH/USDT")
            ids = [(await client.create_order("ETH/USDT", "limit", "buy", "0.01", price))["id"] for _ in range(5)]
            asked = {"market": "ETH-USDT", "orderIdFrom": ids[1], "orderIdTo": ids[3]}
            assert [one["orderId"] for one in await client.privateGetOrders(asked)] == ids[3:0:-1]
            assert len(await client.privateGetOrders({"market": "ETH-USDT", "limit": 2})) == 2
            assert await client.privateGetOrders(asked | {"orderIdTo": str(uuid4())}) == []
            BITVAVO.burst(wired, 50)
            trades = await client.publicGetMarketTrades(ASKED | {"limit": 20})
            named = [one["id"] for one in trades]
            some = await client.publicGetMarketTrades(ASKED | {"tradeIdFrom": named[9], "tradeIdTo": named[5]})
            assert [one["id"] for one in some] == named[5:10]
            assert len(await client.cancel_all_orders("ETH/USDT")) == 5

    run(scene())


def test_prices_and_best_prices_come_for_one_market_or_all(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with BITVAVO.client(wired) as client:
            assert len(await client.publicGetTickerPrice()) == 2
            best = await client.publicGetTickerBook(ASKED)
            assert float(best["bid"]) < float(best["ask"]) and float(best["askSize"]) > 0
            assert {one["symbol"] for one in await client.publicGetAssets()} == {"BTC", "ETH", "USDT"}
            assert (await client.publicGetMarkets(ASKED))["tickSize"] == "0.1"
            assert (await client.fetch_trading_fee(BTC))["taker"] == "0.0005"
            assert abs(await client.fetch_time() - time.time() * 1000) < 5_000

    run(scene())


def test_each_answer_tells_the_weight_that_is_left_of_the_minute() -> None:
    def asked(path: str, at_s: int, query: str = "", key: str = "") -> str:
        headers = {"bitvavo-access-key": key}
        return weights.headers(WireRequest("GET", path, query, "", headers, at_s * 10**9))[
            "Bitvavo-Ratelimit-Remaining"
        ]

    weights = Weights()
    assert [asked("/v2/time", 60), asked("/v2/BTC-EUR/trades", 61), asked("/v2/ticker/24h", 62)] == [
        "999",
        "994",
        "969",
    ]
    assert asked("/v2/ticker/24h", 63, "market=BTC-EUR") == "968"
    assert asked("/v2/trades", 64, key="alice-key") == "995"
    told = weights.headers(WireRequest("GET", "/v2/time", "", "", {}, 119 * 10**9))
    assert told["Bitvavo-Ratelimit-ResetAt"] == "120000" and told["Bitvavo-Ratelimit-Limit"] == "1000"
    assert asked("/v2/time", 120) == "999"


@pytest.mark.parametrize(
    ("body", "changes", "status", "code"),
    [
        (b"{nope", {}, 400, 102),
        (b"[1]", {}, 400, 102),
        (b"{}", {}, 400, 203),
        (b"\xff\xfe", {}, 403, 309),  # what is signed is the text as it was understood
        (b"{}", {"Bitvavo-Access-Timestamp": "9" * 5000}, 403, 302),
        (b"{}", {"Bitvavo-Access-Timestamp": "1"}, 403, 304),
        (b"{}", {"Bitvavo-Access-Window": "60001"}, 403, 303),
        (b"{}", {"Bitvavo-Access-Signature": "\xe9" * 64}, 403, 309),
        (b"{}", {"Bitvavo-Access-Signature": "ab"}, 403, 308),
        (b"{}", {"Bitvavo-Access-Key": ""}, 403, 300),
        (b"{}", {"Bitvavo-Access-Key": "nobody"}, 403, 305),
    ],
)
def test_nonsense_has_bitvavos_codes_too(
    wired: SimulatedExchanges, body: bytes, changes: dict[str, str], status: int, code: int
) -> None:
    stamp = str(time.time_ns() // 10**6)
    signature = hmac.new(b"alice-secret", f"{stamp}POST/v2/order".encode() + body, hashlib.sha256).hexdigest()
    signed = {"Key": "alice-key", "Timestamp": stamp, "Signature": signature, "Window": "10000"}
    headers = {f"Bitvavo-Access-{name}": value for name, value in signed.items()} | changes
    connection = http.client.HTTPConnection("127.0.0.1", wired.port, timeout=5)
    connection.request("POST", f"{REST}/v2/order", body, headers)
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["errorCode"]) == (status, code)
    connection.close()


@pytest.mark.parametrize(("method", "path"), [("GET", "/v2/none"), ("POST", "/v2/time"), ("GET", "/v2/a/b/c")])
def test_what_is_not_simulated_is_no_endpoint(wired: SimulatedExchanges, method: str, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", wired.port, timeout=5)
    connection.request(method, REST + path, b"{}" if method == "POST" else None)
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["errorCode"]) == (404, 110)
    connection.close()


def test_changes_of_a_book_join_the_book_that_the_socket_answers(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with ClientSession() as session, session.ws_connect(wired.url + BITVAVO.socket) as stream:
            await stream.send_json(BITVAVO.subscription(f"book.{MARKET}"))
            told = await stream.receive_json(timeout=20)
            assert told == {"event": "subscribed", "subscriptions": {"book": [MARKET]}}
            await stream.receive_json(timeout=20)
            await stream.send_json({"action": "getBook", "market": MARKET, "requestId": 7})
            last, sides = -1, dict[str, dict[str, str]]()
            for _ in range(12):
                message = await stream.receive_json(timeout=20)
                if message.get("action") == "getBook":
                    book = message["response"]
                    assert message["requestId"] == 7 and book["market"] == MARKET and len(book["bids"]) >= 20
                    last, sides = book["nonce"], {side: dict(book[side]) for side in ("bids", "asks")}
                elif last >= 0:
                    assert message["nonce"] == last + 1
                    last = message["nonce"]
                    for side, levels in sides.items():
                        levels.update(message[side])
            async with session.get(f"{wired.url}{REST}/v2/{MARKET}/book") as answer:
                whole = await answer.json()
            while last < whole["nonce"]:
                message = await stream.receive_json(timeout=20)
                last = message["nonce"]
                for side, levels in sides.items():
                    levels.update(message[side])
            for side, levels in sides.items():
                assert {price: size for price, size in levels.items() if float(size)} == dict(whole[side])

    run(scene())


def test_best_prices_and_statistics_have_channels_and_subscriptions_end(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        channels: list[dict[str, Any]] = [{"name": name, "markets": [MARKET]} for name in ("ticker", "ticker24h")]
        channels.append({"name": "candles", "interval": ["1m", "1h"], "markets": [MARKET]})
        async with ClientSession() as session, session.ws_connect(wired.url + BITVAVO.socket) as stream:
            await stream.send_json({"action": "subscribe", "channels": channels})
            told = (await stream.receive_json(timeout=20))["subscriptions"]
            assert told["candles"] == {"1m": [MARKET], "1h": [MARKET]} and told["ticker"] == [MARKET]
            seen: set[Any] = set()
            async with asyncio.timeout(20):
                while not seen >= {"ticker", "ticker24h", "1m", "1h"}:
                    message = await stream.receive_json()
                    seen.add(message.get("interval", message["event"]))
                    if message["event"] == "ticker":
                        assert float(message["bestBid"]) < float(message["bestAsk"])
            await stream.send_json({"action": "unsubscribe", "channels": channels})
            while (message := await stream.receive_json(timeout=20))["event"] != "unsubscribed":
                pass
            assert message["subscriptions"] == {}

    run(scene())


def test_sockets_answer_pings_and_say_what_is_wrong(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        url = wired.url + BITVAVO.socket
        async with ClientSession() as session, session.ws_connect(url, autoping=False) as stream:
            await stream.ping(b"x")
            assert (await stream.receive(timeout=20)).type is WSMsgType.PONG
            for said, code in (
                ({"action": "subscribe", "channels": [{"name": "book", "markets": ["NONE-USDT"]}]}, 205),
                ({"action": "subscribe", "channels": [{"name": "odd", "markets": [MARKET]}]}, 205),
                ({"action": "subscribe", "channels": [{"name": "candles", "markets": [MARKET]}]}, 205),
                ({"action": "subscribe", "channels": [{"name": "account", "markets": [MARKET]}]}, 300),
                ({"action": "subscribe", "channels": [1]}, 205),
                ({"action": "subscribe"}, 205),
                ({"action": "authenticate", "key": "alice-key", "signature": "a" * 64, "timestamp": 1}, 304),
                ({"action": "authenticate"}, 300),
                ({"action": "privateGetBalance"}, 300),
                ({"action": "getBook", "market": "NONE-USDT"}, 205),
                ({"action": "getCandles", "market": MARKET}, 203),
                ({"action": "odd"}, 110),
                ([1], 110),
            ):
                await stream.send_json(said)
                answer = await stream.receive_json(timeout=20)
                assert (answer["errorCode"], isinstance(answer["error"], str)) == (code, True), said

    run(scene())


def test_a_wrong_secret_is_refused_on_the_socket_and_a_refused_channel_is_not_heard_by_ccxt(
    wired: SimulatedExchanges,
) -> None:
    async def scene() -> None:
        async with BITVAVO.client(wired) as client:
            client.secret = "wrong"
            with pytest.raises(ccxt.AuthenticationError, match='"errorCode":309,'):
                await client.watch_orders(BTC)
            client.markets[BTC]["id"] = "NONE-USDT"
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await client.watch_trades(BTC)

    run(scene())
