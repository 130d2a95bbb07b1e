"""What ccxt.pro's bybit sees of a simulated venue beside what all clients do."""

import asyncio
from decimal import Decimal
from typing import Any

from tests.simulator.client import a_client, control, low_price, run, wanted
from workstation.simulator.server import SimulatedExchanges

BTC = "BTC/USDT"
KNOWN = {"acknowledged": True}
"""Without it ccxt refuses to ask for one order."""


def test_a_start_of_candles_lies_within_the_first_and_with_an_end_the_last_are_told(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired) as client:
            minutes = await client.fetch_ohlcv(BTC, "1m", limit=30)
            times = [one[0] for one in minutes]
            later = await client.fetch_ohlcv(BTC, "1m", since=times[3] - 1, limit=5)
            assert [one[0] for one in later] == times[3:8]
            until_then = await client.publicGetV5MarketKline(
                {"category": "spot", "symbol": "BTCUSDT", "interval": "1", "start": 0, "end": times[9], "limit": 3}
            )
            assert [int(one[0]) for one in until_then["result"]["list"]] == times[9:6:-1]

    run(scene())


def test_recent_trades_are_sixty_at_most(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired) as client:
            control(wired, "faults", kind="burst", venue="nova", market="BTCUSDT", size=100)
            assert len(await client.fetch_trades(BTC, limit=1000)) == 60

    run(scene())


def test_each_fill_of_one_step_is_told_with_the_fees_up_to_it(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        symbol, market = "ETH/USDT", "ETHUSDT"
        async with a_client(wired, "grace") as client:
            told, handle = list[tuple[str, str]](), client.handle_order

            def heard(socket: Any, message: Any) -> None:
                told.extend((one["cumExecQty"], one["cumExecFee"]) for one in message["data"])
                handle(socket, message)

            client.handle_order = heard
            watching = asyncio.ensure_future(client.watch_orders(symbol))
            await wanted(wired, "nova", "user:grace-key:order")
            last = float((await client.fetch_ticker(symbol))["last"])
            near, far = (client.price_to_precision(symbol, last * more) for more in (1.001, 1.002))
            control(wired, "book", venue="nova", market=market, asks=[[near, "0.1"], [far, "0.2"]])
            await client.create_order(symbol, "limit", "buy", "0.3", far)
            await watching
            async with asyncio.timeout(20):
                while len(told) < 3:
                    await asyncio.sleep(0.01)
            assert told == [("0", "0"), ("0.1", "0.00005"), ("0.3", "0.00015")]

    try:
        run(scene())
    finally:
        control(wired, "book", venue="nova", market="ETHUSDT")


def test_what_an_open_order_locks_is_streamed_and_it_is_cancelled_by_name(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired, "bob") as client:
            price = await low_price(client, BTC)
            watching = asyncio.ensure_future(client.watch_balance())
            await wanted(wired, "nova", "user:bob-key:wallet")
            order = await client.create_order(BTC, "limit", "buy", "0.01", price, {"clientOrderId": "once"})
            (named,) = await client.fetch_open_orders(BTC, None, None, {"orderLinkId": "once"})
            assert named["id"] == order["id"]
            locked = Decimal(price) / 100
            assert Decimal((await watching)["USDT"]["used"]) == locked
            await client.cancel_order(None, BTC, {"orderLinkId": "once"})
            assert (await client.fetch_order(order["id"], BTC, KNOWN))["status"] == "canceled"

    run(scene())


def test_a_market_buy_is_by_quantity_or_by_value(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired, "carol") as client:
            placed = await client.create_order(BTC, "market", "buy", "0.01")
            order = await client.fetch_closed_order(placed["id"], BTC)
            assert (order["status"], order["filled"], order["fee"]["cost"]) == ("closed", "0.01", "0.000005")
            placed = await client.create_market_buy_order_with_cost(BTC, "100")
            spent = await client.fetch_order(placed["id"], BTC, KNOWN)
            assert spent["status"] == "closed" and 0 < Decimal(spent["cost"]) <= 100
            balance = await client.fetch_balance()
            assert Decimal(balance["USDT"]["total"]) == 100_000 - Decimal(order["cost"]) - Decimal(spent["cost"])

    run(scene())


def test_a_trigger_order_waits_and_is_triggered_by_a_fall(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        symbol, market = "ETH/USDT", "ETHUSDT"
        async with a_client(wired, "dave") as client:
            stop = await low_price(client, symbol)
            placed = await client.create_order(symbol, "market", "sell", "1", None, {"triggerPrice": stop})
            waiting = await client.fetch_open_order(placed["id"], symbol)
            assert (waiting["status"], Decimal(waiting["triggerPrice"])) == ("open", Decimal(stop))
            assert waiting["info"]["orderStatus"] == "Untriggered"
            under = client.price_to_precision(symbol, float(stop) * 0.99)
            control(wired, "book", venue="nova", market=market, bids=[[under, 5]])
            await client.create_order(symbol, "limit", "sell", "1", under)
            done = await client.fetch_closed_order(placed["id"], symbol)
            assert (done["status"], done["filled"]) == ("closed", "1")

    try:
        run(scene())
    finally:
        control(wired, "book", venue="nova", market="ETHUSDT")


def test_the_fees_of_a_market_are_the_instruments_although_ccxt_names_others(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired) as client:
            told = await client.fetch_trading_fee(BTC)
            assert (Decimal(told["maker"]), Decimal(told["taker"])) == (Decimal("0.0002"), Decimal("0.0005"))
            assert client.market(BTC)["taker"] == "0.001"

    run(scene())
