"""What ccxt.pro's binance sees of a simulated venue beside what all clients do."""

from decimal import Decimal

import pytest

from tests.simulator.client import a_client, control, low_price, run
from workstation.simulator.server import SimulatedExchanges

BTC, ETH = "BTC/USDT", "ETH/USDT"


def test_a_book_follows_its_changes_and_equals_a_snapshot(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges) as client:
            first = (await client.watch_order_book(BTC))["nonce"]
            for _ in range(10):
                book = await client.watch_order_book(BTC)
            assert book["nonce"] > first
            # from here on nothing moves: the levels of now are shown until they are taken back
            asked = {"symbol": "BTCUSDT", "limit": 1000}
            levels = await client.publicGetDepth(asked)
            control(exchanges, "book", venue="nova", market="BTCUSDT", bids=levels["bids"], asks=levels["asks"])
            snapshot = await client.publicGetDepth(asked)
            while book["nonce"] < snapshot["lastUpdateId"]:
                book = await client.watch_order_book(BTC)
            assert book["nonce"] == snapshot["lastUpdateId"]
            for side in ("bids", "asks"):
                assert [list(map(float, level)) for level in snapshot[side]] == [level[:2] for level in book[side]]

    try:
        run(scene())
    finally:
        control(exchanges, "book", venue="nova", market="BTCUSDT", bids=[], asks=[])


def test_a_market_order_is_answered_with_its_fills(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "carol") as client:
            order = await client.create_order(BTC, "market", "buy", "0.01")
            assert (order["status"], order["filled"]) == ("closed", "0.01000000")
            assert sum(Decimal(fee["cost"]) for fee in order["fees"]) == Decimal("0.000005")
            spent = await client.create_order(BTC, "market", "buy", None, None, {"cost": "100"})
            assert spent["status"] == "closed" and Decimal(spent["cost"]) <= 100
            balance = await client.fetch_balance()
            assert Decimal(balance["USDT"]["total"]) == 100_000 - Decimal(order["cost"]) - Decimal(spent["cost"])

    run(scene())


def test_a_stop_order_waits_and_is_triggered(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "dave") as client:
            stop = await low_price(client, ETH)
            order = await client.create_order(ETH, "market", "sell", "1", None, {"stopLossPrice": stop})
            waiting = await client.fetch_order(order["id"], ETH)
            assert (waiting["status"], Decimal(waiting["triggerPrice"])) == ("open", Decimal(stop))
            under = client.price_to_precision(ETH, float(stop) * 0.99)
            control(exchanges, "book", venue="nova", market="ETHUSDT", bids=[[under, 5]])
            other = await client.create_order(ETH, "limit", "sell", "1", under)
            assert other["status"] == "closed"
            done = await client.fetch_order(order["id"], ETH)
            assert (done["status"], done["filled"]) == ("closed", "1.00000000")
            control(exchanges, "book", venue="nova", market="ETHUSDT")

    run(scene())


def test_two_venues_of_one_server_show_the_same_market_in_their_own_way(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges) as nova, a_client(exchanges, venue="orion") as orion:
            prices = [float((await client.fetch_ticker(BTC))["last"]) for client in (nova, orion)]
            assert prices[0] == pytest.approx(prices[1], rel=0.02)

    run(scene())
