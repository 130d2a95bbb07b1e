"""ccxt.pro's bybit, unmodified but for its addresses, trades against a simulated venue that speaks Bybit's protocol."""

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from tests.simulator.client import a_client, a_source, control, low_price, run, until, wanted
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.simulator.server import SimulatedExchanges

BTC = "BTC/USDT"
KNOWN = {"acknowledged": True}
"""Without it ccxt refuses to ask for one order."""


def test_the_rules_of_a_market_are_the_instruments(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired) as client:
            assert client.id == "bybit" and set(client.markets) == {BTC, "ETH/USDT"}
            market = client.market(BTC)
            assert Decimal(market["precision"]["price"]) == Decimal("0.1")
            assert Decimal(market["precision"]["amount"]) == Decimal("0.001")
            assert Decimal(market["limits"]["cost"]["min"]) == 5
            assert Decimal(market["limits"]["amount"]["min"]) == Decimal("0.001")

    run(scene())


def test_candles_end_with_the_running_one_and_closed_ones_are_the_models(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired) as client:
            minutes = await client.fetch_ohlcv(BTC, "1m", limit=30)
            times = [one[0] for one in minutes]
            assert times == list(range(times[0], times[0] + 30 * 60_000, 60_000))
            bars = a_source().minutes(InstrumentKey(Venue("nova"), Symbol(BTC)), times[0] * 10**6, times[-1] * 10**6)
            assert [float(one[4]) for one in minutes[:-1]] == bars.close.tolist()
            later = await client.fetch_ohlcv(BTC, "1m", since=times[3] - 1, limit=5)
            assert [one[0] for one in later] == times[3:8]
            until_then = await client.publicGetV5MarketKline(
                {"category": "spot", "symbol": "BTCUSDT", "interval": "1", "start": 0, "end": times[9], "limit": 3}
            )
            assert [int(one[0]) for one in until_then["result"]["list"]] == times[9:6:-1]
            days = await client.fetch_ohlcv(BTC, "1d", limit=2)
            assert all(one[0] % 86_400_000 == 0 for one in days) and len(days) == 2

    run(scene())


def test_recent_trades_are_sixty_at_most_and_bear_the_ids_of_the_stream(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired) as client:
            watching = asyncio.ensure_future(client.watch_trades(BTC))
            await wanted(wired, "nova", "publicTrade.BTCUSDT")
            control(wired, "faults", kind="burst", venue="nova", market="BTCUSDT", size=100)
            assert len(await client.fetch_trades(BTC, limit=1000)) == 60
            streamed = (await watching)[-20:]
            fetched = await client.fetch_trades(BTC)
            known = {one["id"]: (one["price"], one["amount"], one["side"], one["timestamp"]) for one in fetched}
            for one in streamed:
                assert known[one["id"]] == (one["price"], one["amount"], one["side"], one["timestamp"])

    run(scene())


def test_quotes_candles_and_statistics_stream(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired) as client:
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


def test_a_book_begins_with_a_snapshot_follows_its_changes_and_equals_rest(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired) as client:
            for _ in range(10):
                book = await client.watch_order_book(BTC)
            assert len(book["bids"]) >= 20
            # from here on nothing moves: these levels are shown until they are taken back
            placed = [[level[:2] for level in book[side][:3]] for side in ("bids", "asks")]
            control(wired, "book", venue="nova", market="BTCUSDT", bids=placed[0], asks=placed[1])

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
        control(wired, "book", venue="nova", market="BTCUSDT", bids=[], asks=[])


def test_an_order_is_told_open_partly_filled_and_closed_with_its_fees(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired, "alice") as client:
            first = asyncio.ensure_future(client.watch_orders(BTC))
            trades = asyncio.ensure_future(client.watch_my_trades(BTC))
            await wanted(wired, "nova", "user:alice-key:order")
            await wanted(wired, "nova", "user:alice-key:execution")
            price = await low_price(client, BTC)
            order = await client.create_order(BTC, "limit", "buy", "0.01", price, {"clientOrderId": "mine-1"})
            assert order["clientOrderId"] == "mine-1"
            (told,) = await first
            assert (told["status"], told["id"], told["clientOrderId"]) == ("open", order["id"], "mine-1")
            control(wired, "fill", venue="nova", clientOrderId="mine-1", quantity="0.004")
            partly = await until(lambda: client.watch_orders(BTC), lambda found: Decimal(found[-1]["filled"]) > 0)
            assert (partly[-1]["status"], partly[-1]["filled"], partly[-1]["remaining"]) == ("open", "0.004", "0.006")
            (trade,) = await trades
            assert (trade["order"], trade["takerOrMaker"]) == (order["id"], "maker")
            assert (trade["fee"]["currency"], Decimal(trade["fee"]["cost"])) == ("BTC", Decimal("0.0000008"))
            control(wired, "fill", venue="nova", clientOrderId="mine-1")
            whole = await until(lambda: client.watch_orders(BTC), lambda found: found[-1]["status"] == "closed")
            assert (whole[-1]["filled"], whole[-1]["fee"]["cost"]) == ("0.01", "0.000002")
            (found,) = await client.fetch_closed_orders(BTC, None, None, {"orderLinkId": "mine-1"})
            assert (found["status"], found["id"]) == ("closed", order["id"])
            mine = await client.fetch_my_trades(BTC)
            assert [one["amount"] for one in mine] == ["0.004", "0.006"]
            assert [one["amount"] for one in await client.fetch_order_trades(order["id"], BTC)] == ["0.004", "0.006"]

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


def test_an_open_order_is_listed_locks_money_and_is_cancelled_once(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired, "bob") as client:
            price = await low_price(client, BTC)
            watching = asyncio.ensure_future(client.watch_balance())
            await wanted(wired, "nova", "user:bob-key:wallet")
            order = await client.create_order(BTC, "limit", "buy", "0.01", price, {"clientOrderId": "once"})
            assert [one["id"] for one in await client.fetch_open_orders(BTC)] == [order["id"]]
            (named,) = await client.fetch_open_orders(BTC, None, None, {"orderLinkId": "once"})
            assert named["id"] == order["id"]
            locked = Decimal(price) / 100
            assert Decimal((await client.fetch_balance())["USDT"]["used"]) == locked
            assert Decimal((await watching)["USDT"]["used"]) == locked
            await client.cancel_order(None, BTC, {"orderLinkId": "once"})
            assert (await client.fetch_order(order["id"], BTC, KNOWN))["status"] == "canceled"
            assert await client.fetch_open_orders(BTC) == []
            assert Decimal((await client.fetch_balance())["USDT"]["used"]) == 0
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order(order["id"], BTC)
            with pytest.raises(ccxt.OrderNotFound):
                await client.fetch_order("1", BTC, KNOWN)

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


def test_sockets_that_are_closed_are_opened_again_and_signed_again(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired, "erin") as client:
            await client.watch_bids_asks([BTC])
            watching = asyncio.ensure_future(client.watch_orders(BTC))
            await wanted(wired, "nova", "user:erin-key:order")
            assert control(wired, "kick", venue="nova")["closed"] == 2
            with pytest.raises(ccxt.NetworkError):
                await watching
            with suppress(ccxt.NetworkError):  # told to the next call, unless the client has noticed before it
                await client.watch_bids_asks([BTC])
            await client.watch_bids_asks([BTC])
            watching = asyncio.ensure_future(client.watch_orders(BTC))
            await wanted(wired, "nova", "user:erin-key:order")
            order = await client.create_order(BTC, "limit", "buy", "0.01", await low_price(client, BTC))
            assert (await watching)[-1]["id"] == order["id"]

    run(scene())


def test_orders_pass_over_the_socket_too(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired, "frank") as client:
            price = await low_price(client, BTC)
            order = await client.create_order_ws(BTC, "limit", "buy", "0.01", price)
            assert (await client.fetch_open_order(order["id"], BTC))["status"] == "open"
            await client.cancel_order_ws(order["id"], BTC)
            assert (await client.fetch_order(order["id"], BTC, KNOWN))["status"] == "canceled"
            with pytest.raises(ccxt.InsufficientFunds):
                await client.create_order_ws(BTC, "limit", "buy", "1000", price)

    run(scene())


def test_the_fees_of_a_market_are_the_instruments_although_ccxt_names_others(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with a_client(wired) as client:
            told = await client.fetch_trading_fee(BTC)
            assert (Decimal(told["maker"]), Decimal(told["taker"])) == (Decimal("0.0002"), Decimal("0.0005"))
            assert client.market(BTC)["taker"] == "0.001"

    run(scene())
