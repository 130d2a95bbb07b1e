"""ccxt.pro's binance, unmodified but for its addresses, trades against the simulated exchange."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from tests.simulator.client import a_client, a_source, control
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.simulator.server import SimulatedExchanges

BTC, ETH = "BTC/USDT", "ETH/USDT"
PATIENCE_S = 20.0


def run(scene: Coroutine[Any, Any, None]) -> None:
    """Runs a scene to its end, which must come."""

    async def bounded() -> None:
        await asyncio.wait_for(scene, 3 * PATIENCE_S)

    asyncio.run(bounded())


async def until(watch: Callable[[], Coroutine[Any, Any, Any]], holds: Callable[[Any], bool]) -> Any:
    """Awaits updates until one is as wanted."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            update = await watch()
            if holds(update):
                return update


async def low_price(client: Any, symbol: str = BTC) -> str:
    """A price that no one sells at: 10 % under the market."""
    ticker = await client.fetch_ticker(symbol)
    found: str = client.price_to_precision(symbol, float(ticker["last"]) * 0.9)
    return found


def test_the_rules_of_a_market_are_the_instruments(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges) as client:
            assert set(client.markets) == {BTC, ETH}
            market = client.market(BTC)
            assert Decimal(market["precision"]["price"]) == Decimal("0.1")
            assert Decimal(market["precision"]["amount"]) == Decimal("0.001")
            assert Decimal(market["limits"]["cost"]["min"]) == 5

    run(scene())


def test_candles_end_with_the_running_one_and_closed_ones_are_the_models(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges) as client:
            minutes = await client.fetch_ohlcv(BTC, "1m", limit=30)
            assert len(minutes) == 30
            times = [one[0] for one in minutes]
            assert times == list(range(times[0], times[0] + 30 * 60_000, 60_000))
            bars = a_source().minutes(InstrumentKey(Venue("nova"), Symbol(BTC)), times[0] * 10**6, times[-1] * 10**6)
            closes = [float(one[4]) for one in minutes[:-1]]
            assert closes == bars.close.tolist()
            hours = await client.fetch_ohlcv(BTC, "1h", since=times[0] - 86_400_000, limit=5)
            assert len(hours) == 5 and all(one[0] % 3_600_000 == 0 for one in hours)

    run(scene())


def test_quotes_trades_and_candles_stream(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges) as client:
            quotes = await client.watch_bids_asks([BTC])
            assert float(quotes[BTC]["bid"]) < float(quotes[BTC]["ask"])
            (trade, *_rest) = await client.watch_trades(BTC)
            assert float(trade["amount"]) > 0 and trade["side"] in ("buy", "sell")
            candle = (await client.watch_ohlcv(BTC, "1m"))[-1]
            stored = (await client.fetch_ohlcv(BTC, "1m", limit=1))[-1]
            assert candle[0] < stored[0] or [float(value) for value in candle[:2]] == [stored[0], float(stored[1])]
            ticker = await client.watch_ticker(BTC)
            assert float(ticker["low"]) <= float(ticker["last"]) * 1.01

    run(scene())


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


def test_a_gap_in_the_book_is_noticed_and_mended(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges) as client:
            for _ in range(3):
                await client.watch_order_book(BTC)
            control(exchanges, "faults", kind="sequence_gap", stream="btcusdt@depth*", count=1)
            with pytest.raises(ccxt.ChecksumError):
                await until(lambda: client.watch_order_book(BTC), lambda _: False)
            before = exchanges.venues["nova"].exchange.markets["BTCUSDT"].update_id
            book = await until(lambda: client.watch_order_book(BTC), lambda book: book["nonce"] > before)
            assert book["bids"][0][0] < book["asks"][0][0]

    run(scene())


def test_an_order_is_told_new_partly_filled_and_filled_with_its_fees(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "alice") as client:
            first = asyncio.ensure_future(client.watch_orders(BTC))
            trades = asyncio.ensure_future(client.watch_my_trades(BTC))
            await asyncio.wait_for(_subscribed(exchanges, "alice"), PATIENCE_S)
            price = await low_price(client)
            order = await client.create_order(BTC, "limit", "buy", "0.01", price, {"clientOrderId": "mine-1"})
            assert (order["status"], order["clientOrderId"]) == ("open", "mine-1")
            (told,) = await first
            assert (told["status"], told["id"], told["clientOrderId"]) == ("open", order["id"], "mine-1")
            control(exchanges, "fill", venue="nova", clientOrderId="mine-1", quantity="0.004")
            partly = await until(lambda: client.watch_orders(BTC), lambda found: Decimal(found[-1]["filled"]) > 0)
            assert (partly[-1]["status"], partly[-1]["filled"]) == ("open", "0.00400000")
            (trade,) = await trades
            assert (trade["order"], trade["takerOrMaker"]) == (order["id"], "maker")
            assert (trade["fee"]["currency"], Decimal(trade["fee"]["cost"])) == ("BTC", Decimal("0.0000008"))
            control(exchanges, "fill", venue="nova", clientOrderId="mine-1")
            whole = await until(lambda: client.watch_orders(BTC), lambda found: found[-1]["status"] == "closed")
            assert whole[-1]["filled"] == "0.01000000"
            found = await client.fetch_order(None, BTC, {"clientOrderId": "mine-1"})
            assert (found["status"], found["id"]) == ("closed", order["id"])
            mine = await client.fetch_my_trades(BTC)
            assert [one["amount"] for one in mine] == ["0.00400000", "0.00600000"]

    run(scene())


async def _subscribed(exchanges: SimulatedExchanges, name: str, venue: str = "nova") -> None:
    """Until the venue has the account's user stream."""
    while not exchanges.venues[venue].hub.is_wanted(f"user:{name}-key"):
        await asyncio.sleep(0.005)


def test_an_open_order_is_listed_locks_money_and_is_cancelled_once(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "bob") as client:
            price = await low_price(client)
            order = await client.create_order(BTC, "limit", "buy", "0.01", price)
            assert [one["id"] for one in await client.fetch_open_orders(BTC)] == [order["id"]]
            balance = await client.fetch_balance()
            assert Decimal(balance["USDT"]["used"]) == Decimal(price) / 100
            cancelled = await client.cancel_order(order["id"], BTC)
            assert cancelled["status"] == "canceled"
            assert await client.fetch_open_orders(BTC) == []
            assert Decimal((await client.fetch_balance())["USDT"]["used"]) == 0
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order(order["id"], BTC)
            with pytest.raises(ccxt.OrderNotFound):
                await client.fetch_order("1", BTC)

    run(scene())


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


def test_sockets_that_are_closed_are_opened_again_and_signed_again(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "erin", venue="orion") as client:
            await client.watch_bids_asks([BTC])
            watching = asyncio.ensure_future(client.watch_orders(BTC))
            await asyncio.wait_for(_subscribed(exchanges, "erin", "orion"), PATIENCE_S)
            assert control(exchanges, "kick", venue="orion")["closed"] == 2
            with pytest.raises(ccxt.NetworkError):
                await watching
            with suppress(ccxt.NetworkError):  # told to the next call, unless the client has noticed before it
                await client.watch_bids_asks([BTC])
            await client.watch_bids_asks([BTC])
            watching = asyncio.ensure_future(client.watch_orders(BTC))
            await asyncio.wait_for(_subscribed(exchanges, "erin", "orion"), PATIENCE_S)
            order = await client.create_order(BTC, "limit", "buy", "0.01", await low_price(client))
            assert (await watching)[-1]["id"] == order["id"]

    run(scene())


def test_orders_pass_over_the_socket_too(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges, "frank") as client:
            price = await low_price(client)
            order = await client.create_order_ws(BTC, "limit", "buy", "0.01", price)
            assert order["status"] == "open"
            assert (await client.cancel_order_ws(order["id"], BTC))["status"] == "canceled"
            with pytest.raises(ccxt.InsufficientFunds):
                await client.create_order_ws(BTC, "limit", "buy", "1000", price)

    run(scene())


def test_two_venues_of_one_server_show_the_same_market_in_their_own_way(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(exchanges) as nova, a_client(exchanges, venue="orion") as orion:
            prices = [float((await client.fetch_ticker(BTC))["last"]) for client in (nova, orion)]
            assert prices[0] == pytest.approx(prices[1], rel=0.02)

    run(scene())
