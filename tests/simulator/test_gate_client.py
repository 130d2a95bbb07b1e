"""ccxt.pro's gate, unmodified but for its addresses, trades against a simulated venue that speaks Gate's protocol."""

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from aiohttp import ClientSession

from tests.simulator.client import a_client, a_source, control, low_price, run, until, wanted
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.simulator.server import SimulatedExchanges

BTC = "BTC/USDT"


def gate(wired: SimulatedExchanges, name: str = "alice", **fields: Any) -> Any:
    """A client of orion, which speaks Gate's protocol."""
    return a_client(wired, name, venue="orion", **fields)


def test_the_rules_of_a_market_are_the_instruments(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired) as client:
            assert client.id == "gate" and set(client.markets) == {BTC, "ETH/USDT"}
            market = client.market(BTC)
            assert Decimal(market["precision"]["price"]) == Decimal("0.1")
            assert Decimal(market["precision"]["amount"]) == Decimal("0.001")
            assert Decimal(market["limits"]["cost"]["min"]) == 5
            assert Decimal(market["taker"]) == Decimal("0.0005")

    run(scene())


def test_candles_end_with_the_running_one_and_closed_ones_are_the_models(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired) as client:
            minutes = await client.fetch_ohlcv(BTC, "1m", limit=30)
            times = [one[0] for one in minutes]
            assert times == list(range(times[0], times[0] + 30 * 60_000, 60_000))
            bars = a_source().minutes(InstrumentKey(Venue("orion"), Symbol(BTC)), times[0] * 10**6, times[-1] * 10**6)
            assert [float(one[4]) for one in minutes[:-1]] == bars.close.tolist()
            assert [float(one[5]) for one in minutes[:-1]] == pytest.approx(bars.volume.tolist(), abs=0.001)
            later = await client.fetch_ohlcv(BTC, "1m", since=times[3], limit=5)
            assert [one[0] for one in later] == times[3:8]
            asked = {"currency_pair": "BTC_USDT", "interval": "1m", "limit": 2}
            assert [row[7] for row in await client.publicSpotGetCandlesticks(asked)] == ["true", "false"]

    run(scene())


def test_recent_trades_bear_the_ids_of_the_stream_and_go_on_from_one_of_them(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired) as client:
            watching = asyncio.ensure_future(client.watch_trades(BTC))
            await wanted(wired, "orion", "spot.trades.BTC_USDT")
            control(wired, "faults", kind="burst", venue="orion", market="BTC_USDT", size=100)
            streamed = (await watching)[-20:]
            fetched = await client.fetch_trades(BTC, limit=1000)
            known = {one["id"]: (one["price"], one["amount"], one["side"], one["timestamp"]) for one in fetched}
            assert len(known) >= 100
            for one in streamed:
                assert known[one["id"]] == (one["price"], one["amount"], one["side"], one["timestamp"])
            ids = sorted(map(int, known))
            after = await client.fetch_trades(BTC, None, 3, {"last_id": ids[10]})
            assert [int(one["id"]) for one in after] == ids[11:14]

    run(scene())


def test_quotes_candles_and_statistics_stream(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired) as client:
            quotes = await client.watch_bids_asks([BTC])
            assert float(quotes[BTC]["bid"]) < float(quotes[BTC]["ask"])
            candle = (await client.watch_ohlcv(BTC, "1m"))[-1]
            stored = (await client.fetch_ohlcv(BTC, "1m", limit=1))[-1]
            assert candle[0] < stored[0] or candle[:2] == stored[:2]
            ticker = await client.watch_ticker(BTC)
            assert float(ticker["low"]) <= float(ticker["last"]) <= float(ticker["high"])
            fetched = await client.fetch_ticker(BTC)
            assert float(fetched["bid"]) < float(fetched["ask"])

    run(scene())


def test_a_book_begins_whole_follows_its_changes_and_equals_rest(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired) as client:
            for _ in range(10):
                book = await client.watch_order_book(BTC)
            assert len(book["bids"]) >= 20
            # from here on nothing moves: these levels are shown until they are taken back
            placed = [[level[:2] for level in book[side][:3]] for side in ("bids", "asks")]
            control(wired, "book", venue="orion", market="BTC_USDT", bids=placed[0], asks=placed[1])

            def as_placed(found: Any) -> bool:
                return [[level[:2] for level in found[side][:3]] for side in ("bids", "asks")] == placed and (
                    len(found["asks"]) == 3
                )

            if not as_placed(book):
                await until(lambda: client.watch_order_book(BTC), as_placed)
            fetched = await client.fetch_order_book(BTC)
            assert [[list(map(float, one)) for one in fetched[side][:3]] for side in ("bids", "asks")] == placed

    try:
        run(scene())
    finally:
        control(wired, "book", venue="orion", market="BTC_USDT", bids=[], asks=[])


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


def test_an_order_is_told_open_partly_filled_and_closed_with_its_fees(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired, "alice") as client:
            first = asyncio.ensure_future(client.watch_orders(BTC))
            trades = asyncio.ensure_future(client.watch_my_trades(BTC))
            await wanted(wired, "orion", "user:alice-key:spot.orders:BTC_USDT")
            await wanted(wired, "orion", "user:alice-key:spot.usertrades:BTC_USDT")
            price = await low_price(client, BTC)
            order = await client.create_order(BTC, "limit", "buy", "0.01", price, {"clientOrderId": "mine-1"})
            assert (order["status"], order["clientOrderId"]) == ("open", "t-mine-1")
            (told,) = await first
            assert (told["status"], told["id"], told["clientOrderId"]) == ("open", order["id"], "t-mine-1")
            control(wired, "fill", venue="orion", clientOrderId="t-mine-1", quantity="0.004")
            partly = await until(lambda: client.watch_orders(BTC), lambda found: Decimal(found[-1]["filled"]) > 0)
            assert (partly[-1]["status"], partly[-1]["filled"], partly[-1]["remaining"]) == ("open", "0.004", "0.006")
            (trade,) = await trades
            assert (trade["order"], trade["takerOrMaker"]) == (order["id"], "maker")
            assert (trade["fee"]["currency"], Decimal(trade["fee"]["cost"])) == ("BTC", Decimal("0.0000008"))
            control(wired, "fill", venue="orion", clientOrderId="t-mine-1")
            whole = await until(lambda: client.watch_orders(BTC), lambda found: found[-1]["status"] == "closed")
            assert whole[-1]["filled"] == "0.01"
            found = await client.fetch_order(None, BTC, {"clientOrderId": "mine-1"})
            assert (found["status"], found["id"]) == ("closed", order["id"])
            assert [one["id"] for one in await client.fetch_closed_orders(BTC)] == [order["id"]]
            mine = await client.fetch_my_trades(BTC)
            assert [one["amount"] for one in mine] == ["0.004", "0.006"]

    run(scene())


def test_an_open_order_is_listed_locks_money_and_is_cancelled_once(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired, "bob") as client:
            price = await low_price(client, BTC)
            watching = asyncio.ensure_future(client.watch_balance())
            await wanted(wired, "orion", "user:bob-key:spot.balances")
            order = await client.create_order(BTC, "limit", "buy", "0.01", price)
            assert order["clientOrderId"] == "apiv4"  # what Gate writes where there is none
            assert [one["id"] for one in await client.fetch_open_orders(BTC)] == [order["id"]]
            locked = Decimal(price) / 100
            assert Decimal((await client.fetch_balance())["USDT"]["used"]) == locked
            assert Decimal((await watching)["USDT"]["used"]) == locked
            assert (await client.cancel_order(order["id"], BTC))["status"] == "canceled"
            assert await client.fetch_open_orders(BTC) == []
            assert Decimal((await client.fetch_balance())["USDT"]["used"]) == 0
            with pytest.raises(ccxt.InvalidOrder, match="ORDER_CANCELLED"):
                await client.cancel_order(order["id"], BTC)
            with pytest.raises(ccxt.OrderNotFound):
                await client.fetch_order("1", BTC)
            named = await client.create_order(BTC, "limit", "buy", "0.01", price, {"clientOrderId": "by-name"})
            assert (await client.cancel_order("t-by-name", BTC))["id"] == named["id"]
            assert [one["id"] for one in await client.cancel_all_orders(BTC)] == []

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


def test_sockets_that_are_closed_are_opened_again_and_signed_again(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired, "erin") as client:
            await client.watch_bids_asks([BTC])
            watching = asyncio.ensure_future(client.watch_orders(BTC))
            await wanted(wired, "orion", "user:erin-key:spot.orders:BTC_USDT")
            assert control(wired, "kick", venue="orion")["closed"] == 1
            with pytest.raises(ccxt.NetworkError):
                await watching
            with suppress(ccxt.NetworkError):  # told to the next call, unless the client has noticed before it
                await client.watch_bids_asks([BTC])
            watching = asyncio.ensure_future(client.watch_orders(BTC))
            await wanted(wired, "orion", "user:erin-key:spot.orders:BTC_USDT")
            order = await client.create_order(BTC, "limit", "buy", "0.01", await low_price(client, BTC))
            assert (await watching)[-1]["id"] == order["id"]

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
