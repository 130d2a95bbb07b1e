"""What MEXC's wire has beside what all wires do: versions of books, listen keys, what ccxt makes of it; nonsense."""

import asyncio
import hashlib
import hmac
import http.client
import json
import time
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from aiohttp import ClientSession, WSMsgType
from ccxt.protobuf.mexc.PushDataV3ApiWrapper_pb2 import PushDataV3ApiWrapper
from google.protobuf.json_format import MessageToDict

from tests.simulator.client import control, low_price, run, wanted
from tests.simulator.dialects import BTC, DIALECTS
from tests.simulator.dialects.mexc import DEALS, ORDERS
from workstation.simulator.mexc.messages import ProtobufCoding
from workstation.simulator.server import SimulatedExchanges

MEXC = DIALECTS["mexc"]
SYMBOL = "BTCUSDT"
REST = "/lyra/api.mexc.com"
ACCOUNT = "spot@private.account.v3.api.pb"


async def pushed(stream: Any) -> dict[str, Any]:
    """The next push, as ccxt reads it."""
    return MessageToDict(PushDataV3ApiWrapper.FromString(await MEXC.frame(stream)))


def test_changes_of_a_book_join_the_snapshot_of_rest_by_their_versions(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with ClientSession() as session, session.ws_connect(wired.url + MEXC.socket) as stream:

            async def snapshot() -> Any:
                asked = {"symbol": SYMBOL, "limit": "5000"}
                async with session.get(f"{wired.url}{REST}/api/v3/depth", params=asked) as answer:
                    return await answer.json()

            await stream.send_json(MEXC.subscription(MEXC.stream("book")))
            await pushed(stream)
            book = await snapshot()
            sides = {side: dict(book[side]) for side in ("bids", "asks")}
            last = book["lastUpdateId"]
            for number in range(8):
                if number == 7:
                    book = await snapshot()
                while True:
                    change = (await pushed(stream))["publicAggreDepths"]
                    if int(change["toVersion"]) > last:
                        break
                assert int(change["fromVersion"]) == last + 1
                last = int(change["toVersion"])
                for side, levels in sides.items():
                    levels.update((one["price"], one["quantity"]) for one in change.get(side, []))
            while last < book["lastUpdateId"]:
                change = (await pushed(stream))["publicAggreDepths"]
                last = int(change["toVersion"])
                for side, levels in sides.items():
                    levels.update((one["price"], one["quantity"]) for one in change.get(side, []))
            if last == book["lastUpdateId"]:
                for side, levels in sides.items():
                    assert {price: size for price, size in levels.items() if float(size)} == dict(book[side])

    run(scene())


def test_best_prices_never_come_by_the_call_that_is_made_for_them(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with MEXC.client(wired) as client:
            assert float((await client.watch_ticker(BTC))["bid"]) > 0
            with pytest.raises(TimeoutError):  # ccxt reads the fields of a form that is no longer sent
                async with asyncio.timeout(1.0):
                    await client.watch_bids_asks([BTC])

    run(scene())


def test_trades_from_a_time_on_are_asked_for_with_an_end_only_and_those_of_a_moment_are_one(
    wired: SimulatedExchanges,
) -> None:
    async def scene() -> None:
        async with MEXC.client(wired) as client:
            now_ms = int(time.time() * 1000)
            with pytest.raises(ccxt.ArgumentsRequired, match="until"):
                await client.fetch_trades(BTC, now_ms - 1000)
            MEXC.burst(wired, 100)
            raw = await client.fetch_trades(BTC, None, 100, {"method": "spotPublicGetTrades"})
            at_ms = max({one["timestamp"] for one in raw}, key=[one["timestamp"] for one in raw].count)
            burst = [one for one in raw if one["timestamp"] == at_ms and one["amount"] == "0.001"]
            assert len(burst) >= 80
            joined = await client.fetch_trades(BTC, at_ms, 1000, {"until": at_ms})
            assert sum(Decimal(one["amount"]) for one in joined) >= sum(Decimal(one["amount"]) for one in burst)
            # buys and sells of the burst come in turn, so that no two of them are one
            assert len(joined) >= len(burst)
            assert all(one["timestamp"] == at_ms for one in joined)

    run(scene())


def test_what_was_cancelled_with_a_part_filled_is_cancelled_by_rest_and_closed_in_the_stream(
    wired: SimulatedExchanges,
) -> None:
    async def scene() -> None:
        async with MEXC.client(wired, "judy") as client:
            watching = asyncio.ensure_future(client.watch_orders(BTC))
            await MEXC.listening(wired, "judy")
            price = await low_price(client, BTC)
            order = await client.create_order(BTC, "limit", "buy", "0.01", price, {"clientOrderId": "in-part"})
            await watching
            MEXC.fill(wired, "in-part", "0.004")
            cancelled = await client.cancel_order(None, BTC, {"clientOrderId": "in-part"})
            assert (cancelled["id"], cancelled["status"]) == (order["id"], "canceled")
            assert cancelled["info"]["status"] == "PARTIALLY_CANCELED"
            async with asyncio.timeout(20):
                while client.orders[-1]["info"]["status"] != 5:
                    await asyncio.sleep(0.01)
            assert client.orders[-1]["status"] == "closed"  # as ccxt reads it

    run(scene())


def test_an_account_is_told_its_balances_and_several_markets_are_asked_at_once(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with MEXC.client(wired, "kim") as client:
            watching = asyncio.ensure_future(client.watch_balance())
            await wanted(wired, "lyra", f"user:kim-key:{ACCOUNT}")
            price = await low_price(client, BTC)
            order = await client.create_order(BTC, "limit", "buy", "0.01", price)
            told = await watching
            assert Decimal(told["USDT"]["used"]) == Decimal(price) / 100
            assert Decimal(told["USDT"]["free"]) == 100_000 - Decimal(price) / 100
            other = await client.create_order("ETH/USDT", "limit", "buy", "1", await low_price(client, "ETH/USDT"))
            both = await client.spotPrivateGetOpenOrders({"symbol": "BTCUSDT,ETHUSDT"})
            assert {one["orderId"] for one in both} == {order["id"], other["id"]}
            assert (
                await client.spotPrivatePostOrderTest(
                    {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quoteOrderQty": "10"}
                )
                == {}
            )
            assert [one["orderId"] for one in await client.spotPrivateDeleteOpenOrders({"symbol": SYMBOL})] == [
                order["id"]
            ]
            await client.cancel_all_orders("ETH/USDT")
            assert [one["id"] for one in await client.fetch_orders(BTC)] == [order["id"]]
            assert Decimal((await client.fetch_trading_fee(BTC))["taker"]) == Decimal("0.0005")

    run(scene())


def test_a_listen_key_is_kept_and_closed_and_one_that_is_not_known_is_told_so(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with MEXC.client(wired, "frank") as client, ClientSession() as session:
            key = (await client.spotPrivatePostUserDataStream())["listenKey"]
            assert (await client.spotPrivatePostUserDataStream())["listenKey"] == key
            assert (await client.spotPrivatePutUserDataStream({"listenKey": key}))["listenKey"] == key
            assert (await client.spotPrivateGetUserDataStream())["listenKey"] == [key]
            url = f"{wired.url}{MEXC.socket}?listenKey="
            async with session.ws_connect(url + key) as stream:
                await stream.send_json({"method": "SUBSCRIPTION", "params": [ORDERS, DEALS]})
                assert (await stream.receive_json(timeout=20))["msg"] == f"{ORDERS},{DEALS}"
            await client.spotPrivateDeleteUserDataStream({"listenKey": key})
            async with session.ws_connect(url + key) as stream:
                assert (await stream.receive_str(timeout=20)) == "Invalid listen key"
            client.options["listenKey"] = key
            with pytest.raises(ccxt.AuthenticationError, match="invalid listen key"):
                await client.watch_orders(BTC)

    run(scene())


def test_sockets_answer_pings_and_say_what_is_wrong(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        url = wired.url + MEXC.socket
        async with ClientSession() as session, session.ws_connect(url, autoping=False) as stream:

            async def said(method: str, *channels: Any) -> str:
                await stream.send_json({"method": method, "params": list(channels), "id": 7})
                while (message := await stream.receive(timeout=20)).type is not WSMsgType.TEXT:
                    pass
                answer = json.loads(message.data)
                assert (answer["id"], answer["code"]) == (7, 0)
                return str(answer["msg"])

            await stream.ping(b"x")
            assert (await stream.receive(timeout=20)).type is WSMsgType.PONG
            assert await said("PING") == await said("ping") == "PONG"
            trades = MEXC.stream("trades")
            assert await said("SUBSCRIPTION", trades) == trades
            for refused in (
                MEXC.stream("trades").replace("BTC", "NONE"),
                "spot@public.kline.v3.api.pb@BTCUSDT@Min7",
                "spot@public.aggre.deals.v3.api.pb@100ms@BTC_USDT",
                "spot@public.miniTicker.v3.api.pb@BTCUSDT",
                ORDERS,
            ):
                assert await said("SUBSCRIPTION", refused) == (
                    f"Not Subscribed successfully! [{refused}].  Reason\uff1a Blocked! "
                )
            assert "Not Subscribed" in await said("SUBSCRIPTION")
            assert "Not Subscribed" in await said("SUBSCRIPTION", 5)
            assert await said("odd") == "parameter error"

    run(scene())


def test_a_socket_of_spot_takes_thirty_channels(wired: SimulatedExchanges) -> None:
    names, often, markets = ("bookTicker", "depth", "deals"), ("10ms", "100ms"), (SYMBOL, "ETHUSDT")
    lengths = ("Min1", "Min5", "Min15", "Min30", "Min60", "Hour4", "Hour8", "Day1", "Week1")
    many = [
        f"spot@public.aggre.{name}.v3.api.pb@{pace}@{market}" for name in names for pace in often for market in markets
    ]
    many += [f"spot@public.kline.v3.api.pb@{market}@{one}" for market in markets for one in lengths]
    assert len(many) == 30

    async def scene() -> None:
        async with MEXC.client(wired, "frank") as client, ClientSession() as session:
            key = (await client.spotPrivatePostUserDataStream())["listenKey"]
            async with session.ws_connect(f"{wired.url}{MEXC.socket}?listenKey={key}") as stream:

                async def said(method: str, *channels: str) -> str:
                    await stream.send_json({"method": method, "params": channels})
                    while (message := await stream.receive(timeout=20)).type is not WSMsgType.TEXT:
                        pass
                    return str(json.loads(message.data)["msg"])

                assert await said("SUBSCRIPTION", *many) == ",".join(many)
                assert await said("SUBSCRIPTION", many[1]) == many[1]  # it is told already
                assert (await said("SUBSCRIPTION", ORDERS)).startswith(f"Not Subscribed successfully! [{ORDERS}]")
                assert await said("UNSUBSCRIPTION", many[0]) == many[0]
                assert await said("SUBSCRIPTION", ORDERS) == ORDERS
            await client.spotPrivateDeleteUserDataStream({"listenKey": key})

    run(scene())


@pytest.mark.parametrize(
    ("changes", "headers", "status", "code"),
    [
        ({}, {}, 400, -1128),  # nothing is asked for
        ({"timestamp": "9" * 50}, {}, 400, 700008),
        ({"timestamp": "1"}, {}, 400, 700003),
        ({"timestamp": ""}, {}, 400, -1128),
        ({"recvWindow": "60001"}, {}, 400, 700005),
        ({"signature": "\u00e9"}, {}, 400, 700002),
        ({"signature": ""}, {}, 400, -1128),
        ({}, {"X-MEXC-APIKEY": ""}, 400, 400),
        ({}, {"X-MEXC-APIKEY": "nobody"}, 400, 10072),
    ],
)
def test_nonsense_has_mexcs_codes_too(
    wired: SimulatedExchanges, changes: dict[str, str], headers: dict[str, str], status: int, code: int
) -> None:
    fields = {"timestamp": str(time.time_ns() // 10**6), "recvWindow": "5000"} | changes
    signature = fields.pop("signature", None)
    query = "&".join(f"{name}={value}" for name, value in fields.items() if value)
    signed = hmac.new(b"alice-secret", query.encode(), hashlib.sha256).hexdigest() if signature is None else signature
    query += f"&signature={signed.encode().hex('%')}" if signature == "\u00e9" else f"&signature={signed}"
    connection = http.client.HTTPConnection("127.0.0.1", wired.port, timeout=5)
    connection.request("POST", f"{REST}/api/v3/order?{query}", b"\xff\xfe", {"X-MEXC-APIKEY": "alice-key"} | headers)
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["code"]) == (status, code)
    connection.close()


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 3_000_000])
def test_what_fills_a_message_up_is_passed_over_by_who_reads_it(size: int) -> None:
    message = PushDataV3ApiWrapper(channel="c", symbol=SYMBOL, sendTime=7)
    filled = ProtobufCoding().filled_up(message.SerializeToString(), size)
    assert size <= len(filled) - len(message.SerializeToString()) <= size + 8
    assert MessageToDict(PushDataV3ApiWrapper.FromString(filled)) == MessageToDict(message)


def test_a_market_order_is_told_by_its_value_and_its_deals(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with MEXC.client(wired, "erin") as client:
            watching = asyncio.ensure_future(client.watch_my_trades(BTC))
            orders = asyncio.ensure_future(client.watch_orders(BTC))
            await MEXC.listening(wired, "erin")
            await MEXC.listening_to_fills(wired, "erin")
            placed = await client.create_order(BTC, "market", "buy", "1", None, {"cost": "500"})
            trades = await watching
            await orders
            assert {one["order"] for one in trades} == {placed["id"]} and trades[0]["fee"]["currency"] == "BTC"
            found = await client.fetch_order(placed["id"], BTC)
            assert found["status"] == "closed" and 400 < Decimal(found["cost"]) <= 500
            assert found["info"]["origQuoteOrderQty"] == "500"
            control(wired, "kick", venue="lyra")

    run(scene())
