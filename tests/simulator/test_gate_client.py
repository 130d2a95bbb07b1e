"""What ccxt.pro's gate sees of a simulated venue beside what all clients do."""

import asyncio
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from aiohttp import ClientSession

from tests.simulator.client import a_client, control, low_price, run, wanted
from workstation.simulator.server import SimulatedExchanges

BTC = "BTC/USDT"


def gate(wired: SimulatedExchanges, name: str = "alice", **fields: Any) -> Any:
    """A client of orion, which speaks Gate's protocol."""
    return a_client(wired, name, venue="orion", **fields)


def test_candles_say_whether_they_are_closed(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired) as client:
            asked = {"currency_pair": "BTC_USDT", "interval": "1m", "limit": 2}
            assert [row[7] for row in await client.publicSpotGetCandlesticks(asked)] == ["true", "false"]

    run(scene())


def test_recent_trades_go_on_from_one_of_them(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired) as client:
            control(wired, "faults", kind="burst", venue="orion", market="BTC_USDT", size=100)
            ids = sorted(int(one["id"]) for one in await client.fetch_trades(BTC, limit=1000))
            assert len(ids) >= 100
            after = await client.fetch_trades(BTC, None, 3, {"last_id": ids[10]})
            assert [int(one["id"]) for one in after] == ids[11:14]

    run(scene())


def test_changes_of_a_book_join_the_snapshot_of_rest_by_their_ids(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        channel, pair = "spot.order_book_update", "BTC_USDT"
        async with ClientSession() as session, session.ws_connect(f"{wired.url}/orion/api.gateio.ws/ws/v4/") as stream:
            await stream.send_json({"id": 1, "channel": channel, "event": "subscribe", "payload": [pair, "100ms"]})
            assert (await stream.receive_json(timeout=20))["result"] == {"status": "success"}
            await stream.receive_json(timeout=20)
            url = f"{wired.url}/orion/api.gateio.ws/api/v4/spot/order_book"
            asked = {"currency_pair": pair, "limit": "100", "with_id": "true"}
            async with session.get(url, params=asked) as answer:
                book = await answer.json()
            sides = {"b": dict(book["bids"]), "a": dict(book["asks"])}
            last = book["id"]
            for _ in range(8):
                change = (await stream.receive_json(timeout=20))["result"]
                if change["u"] <= last:
                    continue
                assert change["U"] == last + 1
                last = change["u"]
                for side, levels in sides.items():
                    levels.update(change[side])
            async with session.get(url, params=asked) as answer:
                book = await answer.json()
            while last < book["id"]:
                change = (await stream.receive_json(timeout=20))["result"]
                last = change["u"]
                for side, levels in sides.items():
                    levels.update(change[side])
            for side, name in (("b", "bids"), ("a", "asks")):
                assert {price: size for price, size in sides[side].items() if float(size)} == dict(book[name])

    run(scene())


def test_what_an_open_order_locks_is_streamed_and_it_is_cancelled_by_name(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired, "bob") as client:
            price = await low_price(client, BTC)
            watching = asyncio.ensure_future(client.watch_balance())
            await wanted(wired, "orion", "user:bob-key:spot.balances")
            order = await client.create_order(BTC, "limit", "buy", "0.01", price)
            assert (order["clientOrderId"], order["status"]) == (
                "apiv4",
                "open",
            )  # what Gate writes where there is none
            assert Decimal((await watching)["USDT"]["used"]) == Decimal(price) / 100
            await client.cancel_order(order["id"], BTC)
            with pytest.raises(ccxt.InvalidOrder, match="ORDER_CANCELLED"):
                await client.cancel_order(order["id"], BTC)
            named = await client.create_order(BTC, "limit", "buy", "0.01", price, {"clientOrderId": "by-name"})
            assert (await client.cancel_order("t-by-name", BTC))["id"] == named["id"]
            assert [one["id"] for one in await client.cancel_all_orders(BTC)] == []
            filled = await client.create_order(BTC, "limit", "buy", "0.01", price)
            control(wired, "fill", venue="orion", orderId=int(filled["id"]))
            assert filled["id"] in [one["id"] for one in await client.fetch_closed_orders(BTC)]

    run(scene())


def test_a_query_is_signed_as_it_was_before_it_was_encoded(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired) as client:
            assert len(await client.privateSpotGetAccounts({"currency": "BTC, +ETH/&"})) > 2

    run(scene())


def test_who_listens_to_a_book_already_misses_nothing_when_another_begins(wired: SimulatedExchanges) -> None:
    asked = {"channel": "spot.obu", "event": "subscribe", "payload": ["ob.BTC_USDT.50"]}

    async def scene() -> None:
        url = f"{wired.url}/orion/api.gateio.ws/ws/v4/"
        async with ClientSession() as session, session.ws_connect(url) as first, session.ws_connect(url) as second:
            await first.send_json(asked)
            assert (await first.receive_json(timeout=20))["result"] == {"status": "success"}
            last = (await first.receive_json(timeout=20))["result"]["u"]
            await second.send_json(asked)
            assert (await second.receive_json(timeout=20))["result"] == {"status": "success"}
            begun = (await second.receive_json(timeout=20))["result"]
            while last <= begun["u"]:
                change = (await first.receive_json(timeout=20))["result"]
                assert change["U"] == last + 1
                last = change["u"]
            assert (await second.receive_json(timeout=20))["result"]["U"] == begun["u"] + 1

    run(scene())


def test_a_market_buy_is_by_value_and_a_sell_by_quantity(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired, "carol") as client:
            spent = await client.create_order(BTC, "market", "buy", "1", None, {"cost": "500"})
            assert spent["status"] == "closed"
            cost = Decimal(spent["info"]["filled_total"])
            assert 400 < cost <= 500 and Decimal(spent["info"]["left"]) == 500 - cost
            sold = await client.create_order(BTC, "market", "sell", "0.01")
            assert (sold["status"], sold["filled"]) == ("closed", "0.01")
            assert Decimal(sold["info"]["fee"]) == Decimal(sold["cost"]) * Decimal("0.0005")
            balance = await client.fetch_balance()
            assert Decimal(balance["USDT"]["total"]) == (
                100_000 - cost + Decimal(sold["cost"]) - Decimal(sold["info"]["fee"])
            )

    run(scene())


def test_orders_pass_over_the_socket_too(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired, "frank") as client:
            price = await low_price(client, BTC)
            order = await client.create_order_ws(BTC, "limit", "buy", "0.01", price)
            assert order["status"] == "open"
            assert (await client.fetch_order_ws(order["id"], BTC))["status"] == "open"
            assert (await client.cancel_order_ws(order["id"], BTC))["status"] == "canceled"
            with pytest.raises(ccxt.InsufficientFunds):
                await client.create_order_ws(BTC, "limit", "buy", "1000", price)

    run(scene())
