"""ccxt.pro's own clients, unmodified but for their addresses, trade against simulated venues: the same of each wire."""

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from tests.simulator.client import a_wired_source, control, low_price, run, until, wanted
from tests.simulator.dialects import BTC, DIALECTS, MARKET_DIALECTS, Dialect
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.simulator.server import SimulatedExchanges

each = pytest.mark.parametrize("told", DIALECTS.values(), ids=DIALECTS)
each_market = pytest.mark.parametrize("told", MARKET_DIALECTS.values(), ids=MARKET_DIALECTS)


@each_market
def test_the_rules_of_a_market_are_the_instruments(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired) as client:
            assert client.id == told.wire
            assert {name for name, market in client.markets.items() if market[told.kind]} == set(told.symbols)
            market = client.market(told.symbols[0])
            assert market["id"] == told.market()
            assert Decimal(market["precision"]["price"]) == Decimal("0.1")
            assert Decimal(market["precision"]["amount"]) == Decimal("0.001")
            assert Decimal(market["limits"]["cost"]["min"]) == 5
            assert Decimal(market["limits"]["amount"]["min"]) == Decimal("0.001")
            assert Decimal(str(market["taker"])) == Decimal(told.taker_fee)

    run(scene())


@each_market
def test_candles_end_with_the_running_one_and_closed_ones_are_the_models(
    wired: SimulatedExchanges, told: Dialect
) -> None:
    async def scene() -> None:
        async with told.client(wired) as client:
            minutes = await client.fetch_ohlcv(told.symbols[0], "1m", limit=30)
            times = [one[0] for one in minutes]
            assert times == list(range(times[0], times[0] + 30 * 60_000, 60_000))
            key = InstrumentKey(Venue(told.venue), Symbol(told.symbols[0]))
            bars = a_wired_source().minutes(key, times[0] * 10**6, times[-1] * 10**6)
            assert [float(one[4]) for one in minutes[:-1]] == bars.close.tolist()
            assert [float(one[5]) for one in minutes[:-1]] == pytest.approx(bars.volume.tolist(), abs=0.001)
            later = await client.fetch_ohlcv(told.symbols[0], "1m", since=times[3], limit=5)
            assert [one[0] for one in later] == times[3:8]
            hours = await client.fetch_ohlcv(
                told.symbols[0], "1h", since=times[0] // 3_600_000 * 3_600_000 - 86_400_000, limit=5
            )
            assert len(hours) == 5 and all(one[0] % 3_600_000 == 0 for one in hours)
            days = await client.fetch_ohlcv(told.symbols[0], "1d", limit=2)
            assert all(one[0] % 86_400_000 == 0 for one in days) and len(days) == 2

    run(scene())


@each_market
def test_recent_trades_are_those_of_the_stream(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired) as client:
            watching = asyncio.ensure_future(client.watch_trades(told.symbols[0]))
            await wanted(wired, told.venue, told.stream("trades"))
            told.burst(wired, 100)
            await watching
            async with asyncio.timeout(20):
                while len(client.trades[told.symbols[0]]) < 100:
                    await asyncio.sleep(0.01)
            streamed = client.trades[told.symbols[0]][-20:]
            assert {one["side"] for one in streamed} == {"buy", "sell"}
            fetched = await client.fetch_trades(told.symbols[0], limit=1000)
            known = {(one["id"], one["price"], one["amount"], one["side"], one["timestamp"]) for one in fetched}
            if streamed[0]["id"] is None:  # those that ccxt reads from the venue's stream have none
                known = {(None, *one[1:]) for one in known}
            for one in streamed:
                assert (one["id"], one["price"], one["amount"], one["side"], one["timestamp"]) in known

    run(scene())


@each_market
def test_quotes_candles_and_statistics_stream(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired) as client:
            quote = await told.quote(client)
            assert float(quote["bid"]) < float(quote["ask"])
            candle = (await client.watch_ohlcv(told.symbols[0], "1m"))[-1]
            stored = (await client.fetch_ohlcv(told.symbols[0], "1m", limit=1))[-1]
            assert candle[0] < stored[0] or [float(one) for one in candle[:2]] == [float(one) for one in stored[:2]]
            if told.streams_statistics:
                ticker = await client.watch_ticker(told.symbols[0])
                assert float(ticker["low"]) <= float(ticker["last"]) <= float(ticker["high"])
            fetched = await client.fetch_ticker(told.symbols[0])
            if told.ticker_has_best:
                assert float(fetched["bid"]) < float(fetched["ask"])
            assert float(fetched["low"]) <= float(fetched["last"]) <= float(fetched["high"])

    run(scene())


@each_market
def test_a_book_begins_whole_follows_its_changes_and_equals_rest(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired) as client:
            for _ in range(10):
                book = await told.whole_book(client)
            assert len(book["bids"]) >= 20
            # from here on nothing moves: these levels are shown until they are taken back
            placed = [[level[:2] for level in book[side][:3]] for side in ("bids", "asks")]
            told.place_levels(wired, bids=placed[0], asks=placed[1])

            def as_placed(found: Any) -> bool:  # among the bids may be those of other accounts
                return [[level[:2] for level in found[side][:3]] for side in ("bids", "asks")] == placed and (
                    len(found["asks"]) == 3
                )

            if not as_placed(book):
                await until(lambda: told.whole_book(client), as_placed)
            fetched = await client.fetch_order_book(told.symbols[0])
            assert [[list(map(float, one[:2])) for one in fetched[side][:3]] for side in ("bids", "asks")] == placed

    try:
        run(scene())
    finally:
        told.place_levels(wired)


@each
def test_an_order_is_told_open_partly_filled_and_closed_with_its_fees(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired, "alice") as client:
            first = asyncio.ensure_future(client.watch_orders(BTC))
            trades = asyncio.ensure_future(client.watch_my_trades(BTC))
            await told.listening(wired, "alice")
            price, name = await low_price(client, BTC), told.told_name("mine-1")
            given = {"clientOrderId": told.named("mine-1")}
            order = await client.create_order(BTC, "limit", "buy", "0.01", price, given)
            assert order["id"] and told.client_id(order) == (name if told.names_new_orders else None)
            (opened,) = await first
            assert (opened["status"], opened["id"], told.client_id(opened)) == ("open", order["id"], name)
            told.fill(wired, "mine-1", "0.004")
            partly = await until(lambda: client.watch_orders(BTC), lambda found: Decimal(found[-1]["filled"]) > 0)
            assert partly[-1]["status"] == "open"
            assert [Decimal(partly[-1][part]) for part in ("filled", "remaining")] == [
                Decimal("0.004"),
                Decimal("0.006"),
            ]
            (trade,) = await trades
            assert trade["order"] == order["id"]
            assert trade["takerOrMaker"] == ("maker" if told.has_roles else "taker")
            assert (trade["fee"]["currency"], Decimal(trade["fee"]["cost"])) == ("BTC", Decimal("0.0000008"))
            told.fill(wired, "mine-1")
            whole = await until(lambda: client.watch_orders(BTC), lambda found: found[-1]["status"] == "closed")
            assert Decimal(whole[-1]["filled"]) == Decimal("0.01")
            found = await told.find(client, "mine-1")
            assert (found["status"], found["id"]) == ("closed", order["id"])
            mine = await client.fetch_my_trades(BTC)
            assert [Decimal(one["amount"]) for one in mine] == [Decimal("0.004"), Decimal("0.006")]
            assert {one["takerOrMaker"] for one in mine} == {"maker"}

    run(scene())


@each
def test_an_open_order_is_listed_locks_money_and_is_cancelled_once(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired, "bob") as client:
            price = await low_price(client, BTC)
            order = await client.create_order(BTC, "limit", "buy", "0.01", price)
            assert [one["id"] for one in await client.fetch_open_orders(BTC)] == [order["id"]]
            assert Decimal((await client.fetch_balance())["USDT"]["used"]) == Decimal(price) / 100
            cancelled = await client.cancel_order(order["id"], BTC)
            assert cancelled["status"] == ("canceled" if told.has_cancel_state else None)
            assert (await told.order(client, order["id"]))["status"] == "canceled"
            assert await client.fetch_open_orders(BTC) == []
            assert Decimal((await client.fetch_balance())["USDT"]["used"]) == 0
            with pytest.raises(told.cancelled_twice):
                await client.cancel_order(order["id"], BTC)
            with pytest.raises(told.missing):
                await told.order(client, "1")

    run(scene())


@each
def test_a_market_order_is_by_quantity_or_by_value_and_is_paid_with_its_fee(
    wired: SimulatedExchanges, told: Dialect
) -> None:
    async def scene() -> None:
        async with told.client(wired, "carol") as client:
            balance = await client.fetch_balance()
            sold = await client.create_order(BTC, "market", "sell", "0.01")
            sold = await told.order(client, sold["id"])
            assert (sold["status"], Decimal(sold["filled"])) == ("closed", Decimal("0.01"))
            (fill,) = await client.fetch_order_trades(sold["id"], BTC) if told.has_fills_by_order else [None]
            bought = await client.create_order(BTC, "market", "buy", "1", None, {"cost": "100"})
            bought = await told.order(client, bought["id"])
            assert bought["status"] == "closed" and 0 < told.cost(bought) <= 100
            fee = Decimal(sold["cost"]) * Decimal("0.0005")
            if fill is not None:
                assert (Decimal(fill["fee"]["cost"]), fill["fee"]["currency"]) == (fee, "USDT")
            now = await client.fetch_balance()
            change = Decimal(sold["cost"]) - fee - told.cost(bought)
            assert Decimal(now["USDT"]["total"]) - Decimal(balance["USDT"]["total"]) == change
            kept = Decimal(bought["filled"]) * Decimal("0.9995") - Decimal("0.01")
            assert Decimal(now["BTC"]["total"]) - Decimal(balance["BTC"]["total"]) == kept

    run(scene())


@each
def test_sockets_that_are_closed_are_opened_again_and_signed_again(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired, "erin") as client:
            await told.quote(client)
            watching = asyncio.ensure_future(client.watch_orders(BTC))
            await told.listening(wired, "erin")
            assert control(wired, "kick", venue=told.venue)["closed"] == told.sockets
            with pytest.raises(ccxt.NetworkError):
                await watching
            for _ in range(3):  # told to a call or two, unless the client has noticed before
                with suppress(ccxt.NetworkError):
                    await told.quote(client)
            await told.quote(client)
            watching = asyncio.ensure_future(client.watch_orders(BTC))
            await told.listening(wired, "erin")
            order = await client.create_order(BTC, "limit", "buy", "0.01", await low_price(client, BTC))
            assert (await watching)[-1]["id"] == order["id"]

    run(scene())


@each
def test_orders_pass_over_the_socket_too(wired: SimulatedExchanges, told: Dialect) -> None:
    if not told.has_order_calls:
        pytest.skip(f"{told.wire} takes no orders over a socket")

    async def scene() -> None:
        async with told.client(wired, "frank") as client:
            price = await low_price(client, BTC)
            order = await client.create_order_ws(BTC, "limit", "buy", "0.01", price)
            assert (await told.order(client, order["id"]))["status"] == "open"
            await client.cancel_order_ws(order["id"], BTC)
            assert (await told.order(client, order["id"]))["status"] == "canceled"
            with pytest.raises(ccxt.InsufficientFunds):
                await client.create_order_ws(BTC, "limit", "buy", "1000", price)

    run(scene())
