"""MEXC's linear perpetuals at a simulated venue: market data by REST and by socket, mark, funding; and no orders."""

import asyncio
from typing import Any

import ccxt
import pytest
from aiohttp import ClientSession

from tests.simulator.client import a_wired_source, control, run, until, wanted
from tests.simulator.dialects import BTC, DIALECTS
from workstation.model.durations import MS_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.simulator.funding import CYCLE_NS, MOST_RATE
from workstation.simulator.server import SimulatedExchanges

MEXC = DIALECTS["mexc"]
PERPETUAL, NAME = "BTC/USDT:USDT", "BTC_USDT"
SOCKET = "/lyra/contract.mexc.com/edge"
CYCLE_MS = CYCLE_NS // MS_NS


def floats(client: Any) -> Any:
    """The client with numbers as floats, as a feed has it: a snapshot of texts is more than its book can take."""
    client.number = float
    return client


def test_a_perpetual_is_linear_and_its_contract_as_small_as_the_real_venues(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with MEXC.client(wired) as client:
            assert {name for name, one in client.markets.items() if one["swap"]} == {PERPETUAL, "ETH/USDT:USDT"}
            market = client.market(PERPETUAL)
            assert (market["id"], market["linear"], market["settle"], market["active"]) == (NAME, True, "USDT", True)
            told = [market["contractSize"], market["precision"]["price"], market["precision"]["amount"]]
            assert [float(one) for one in told] == [0.0001, 0.1, 10.0]  # the lot of 0.001 is ten contracts
            assert float(client.market("ETH/USDT:USDT")["contractSize"]) == 0.01
            assert [float(market[one]) for one in ("taker", "maker")] == [0.0005, 0.0002]
            assert (await client.contractPublicGetDetail({"symbol": NAME}))["data"]["symbol"] == NAME

    run(scene())


def test_candles_are_the_models_and_those_of_the_index_are_spots(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with MEXC.client(wired) as client:
            client.number = float
            candles = await client.fetch_ohlcv(PERPETUAL, "1m")
            times = [one[0] for one in candles][-31:-1]
            assert len(candles) == 2000 and times == list(range(times[0], times[0] + 30 * 60_000, 60_000))
            key = InstrumentKey(Venue("lyra"), Symbol(PERPETUAL))
            span = times[0] * MS_NS, (times[-1] + 60_000) * MS_NS
            bars = a_wired_source().minutes(key, *span)
            assert [one[4] for one in candles[-31:-1]] == bars.close.tolist()
            volumes = [one * 10_000 for one in bars.volume.tolist()]  # in contracts
            assert [one[5] for one in candles[-31:-1]] == pytest.approx(volumes, abs=1e-2)
            # a start lies within the first
            later = await client.fetch_ohlcv(PERPETUAL, "1m", times[3] + 5_000, None, {"endTime": times[7]})
            assert [one[0] for one in later] in (times[3:8], times[4:8])
            of_index = await client.fetch_ohlcv(PERPETUAL, "1m", times[0], None, {"price": "index"})
            of_mark = await client.fetch_ohlcv(PERPETUAL, "1m", times[0], None, {"price": "mark"})
            spot = await client.fetch_ohlcv(BTC, "1m", times[0])
            assert [one[:5] for one in of_index[:30]] == [one[:5] for one in spot[:30]]
            assert [one[:5] for one in of_mark[:30]] == [one[:5] for one in candles[-31:-1]]

    run(scene())


def test_a_book_follows_its_changes_and_equals_rest(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with MEXC.client(wired) as client:
            floats(client)
            first = (await client.watch_order_book(PERPETUAL))["nonce"]
            for _ in range(5):
                book = await client.watch_order_book(PERPETUAL)
            assert book["nonce"] > first and len(book["bids"]) >= 20
            placed = [[level[:2] for level in book[side][:3]] for side in ("bids", "asks")]
            bids, asks = ([[price, contracts / 10_000] for price, contracts in side] for side in placed)
            control(wired, "book", venue="lyra", market=NAME, bids=bids, asks=asks)

            def as_placed(found: Any) -> bool:
                return [[level[:2] for level in found[side]] for side in ("bids", "asks")] == placed

            if not as_placed(book):
                await until(lambda: client.watch_order_book(PERPETUAL), as_placed)
            fetched = await client.fetch_order_book(PERPETUAL)
            assert as_placed(fetched) and fetched["nonce"] == book["nonce"]

    try:
        run(scene())
    finally:
        control(wired, "book", venue="lyra", market=NAME)


def test_versions_of_a_book_go_up_by_one_and_a_new_listener_misses_none(wired: SimulatedExchanges) -> None:
    asked = {"method": "sub.depth", "param": {"symbol": NAME}}

    async def scene() -> None:
        async with ClientSession() as session, session.ws_connect(wired.url + SOCKET) as stream:
            await stream.send_json(asked)
            assert (await stream.receive_json(timeout=20))["channel"] == "rs.sub.depth"
            versions = []
            for number in range(10):
                change = await stream.receive_json(timeout=20)
                assert (change["channel"], change["symbol"]) == ("push.depth", NAME)
                versions.append(change["data"]["version"])
                if number == 5:
                    async with session.get(f"{wired.url}/lyra/api.mexc.com/api/v1/contract/depth/{NAME}") as answer:
                        snapshot = (await answer.json())["data"]
            assert versions == list(range(versions[0], versions[0] + 10))
            assert versions[0] < snapshot["version"] and len(snapshot["bids"]) >= 20

    run(scene())


def test_trades_of_the_stream_are_those_of_rest(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with MEXC.client(wired) as client:
            watching = asyncio.ensure_future(client.watch_trades(PERPETUAL))
            await wanted(wired, "lyra", f"push.deal.{NAME}")
            control(wired, "faults", kind="burst", venue="lyra", market=NAME, size=50)
            await watching
            async with asyncio.timeout(20):
                while len(client.trades[PERPETUAL]) < 50:
                    await asyncio.sleep(0.01)
            fetched = await client.fetch_trades(PERPETUAL, limit=1000)
            assert 50 <= len(fetched) <= 100
            known = {(one["timestamp"], one["price"], one["amount"], one["side"]) for one in fetched}
            for one in client.trades[PERPETUAL][-20:]:
                assert (one["timestamp"], one["price"], one["amount"], one["side"]) in known

    run(scene())


def test_prices_candles_and_rates_stream(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with MEXC.client(wired) as client:
            floats(client)
            ticker = await client.watch_ticker(PERPETUAL)
            assert ticker["bid"] < ticker["ask"] and ticker["low"] <= ticker["last"] <= ticker["high"]
            assert ticker["bidVolume"] is None  # of quantities it tells nothing
            info = ticker["info"]
            assert ticker["bid"] <= info["fairPrice"] <= ticker["ask"]
            told = await client.fetch_ticker(PERPETUAL)
            assert told["bid"] < told["ask"]
            candle = (await client.watch_ohlcv(PERPETUAL, "1m"))[-1]
            assert candle[3] <= candle[4] <= candle[2] and candle[0] % 60_000 == 0
            coming = await client.watch_funding_rate(PERPETUAL)
            asked = await client.fetch_funding_rate(PERPETUAL)
            assert (
                coming["fundingTimestamp"] == asked["fundingTimestamp"] and coming["fundingTimestamp"] % CYCLE_MS == 0
            )
            assert abs(asked["fundingRate"]) <= MOST_RATE and asked["interval"] == "8h"

    run(scene())


def test_the_mark_is_the_middle_of_the_book_and_the_index_that_of_spots(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with MEXC.client(wired) as client:
            control(wired, "book", venue="lyra", market=NAME, bids=[["40010", 1]], asks=[["40010.3", 1]])
            control(wired, "book", venue="lyra", market="BTCUSDT", bids=[["40000", 1]], asks=[["40000.2", 1]])
            fair = (await client.contractPublicGetFairPriceSymbol({"symbol": NAME}))["data"]
            index = (await client.contractPublicGetIndexPriceSymbol({"symbol": NAME}))["data"]
            assert [float(fair["fairPrice"]), float(index["indexPrice"])] in ([40010.2, 40000.1], [40010.1, 40000.1])
            told = (await client.watch_ticker(PERPETUAL))["info"]
            assert (told["fairPrice"], told["indexPrice"]) == (float(fair["fairPrice"]), 40000.1)

    try:
        run(scene())
    finally:
        control(wired, "book", venue="lyra", market=NAME)
        control(wired, "book", venue="lyra", market="BTCUSDT")


def test_rates_that_were_paid_are_listed_by_pages(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with MEXC.client(wired) as client:
            floats(client)
            paid = await client.fetch_funding_rate_history(PERPETUAL, limit=10)
            times = [one["timestamp"] for one in paid]
            assert times == list(range(times[0], times[0] + 10 * CYCLE_MS, CYCLE_MS)) and times[0] % CYCLE_MS == 0
            rates = [one["fundingRate"] for one in paid]
            assert len(set(rates)) > 5 and all(abs(one) <= MOST_RATE for one in rates)
            asked = {"symbol": NAME, "page_size": 4, "page_num": 2}
            page = (await client.contractPublicGetFundingRateHistory(asked))["data"]
            assert [one["settleTime"] for one in page["resultList"]] == times[5:1:-1]
            assert (page["totalCount"], page["totalPage"]) == (90, 23)
            last = (await client.contractPublicGetFundingRateHistory(asked | {"page_num": 23}))["data"]
            assert len(last["resultList"]) == 2
            beyond = (await client.contractPublicGetFundingRateHistory(asked | {"page_num": 24}))["data"]
            assert beyond["resultList"] == []

    run(scene())


def test_an_order_is_refused_in_the_venues_words_and_nothing_is_held(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with MEXC.client(wired) as client:
            for order in (("limit", "buy", "10", "40000"), ("market", "sell", "10", None)):
                with pytest.raises(ccxt.InvalidOrder, match="Contract not allow place order!"):
                    await client.create_order(PERPETUAL, *order)
            assert await client.fetch_positions([PERPETUAL]) == []
            assert (await client.fetch_balance({"type": "swap"}))["total"] == {}
            with pytest.raises(TimeoutError):  # the socket says no, and ccxt does not hear it
                async with asyncio.timeout(0.5):
                    await client.watch_orders(PERPETUAL)
            client.secret = "wrong"
            with pytest.raises(ccxt.AuthenticationError, match='"code":602,'):
                await client.fetch_balance({"type": "swap"})

    run(scene())


def test_sockets_answer_pings_and_say_what_is_wrong(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with ClientSession() as session, session.ws_connect(wired.url + SOCKET) as stream:
            for said, channel in (
                ({"method": "ping"}, "pong"),
                ({"method": "sub.deal", "param": {"symbol": "NONE_USDT"}}, "rs.error"),
                ({"method": "sub.kline", "param": {"symbol": NAME, "interval": "Min7"}}, "rs.error"),
                ({"method": "sub.odd", "param": {"symbol": NAME}}, "rs.error"),
                ({"method": "sub.deal"}, "rs.error"),
                ({"method": "sub.deal", "param": [1]}, "rs.error"),
                ({"method": "odd"}, "rs.error"),
                ({"method": "login", "param": {}}, "rs.error"),
                ([1], "rs.error"),
                ({"method": "unsub.deal", "param": {"symbol": NAME}}, "rs.unsub.deal"),
            ):
                await stream.send_json(said)
                assert (await stream.receive_json(timeout=20))["channel"] == channel, said
            channels = ("ticker", "funding.rate", "index.price", "fair.price", "kline")
            for one in channels:
                await stream.send_json({"method": f"sub.{one}", "param": {"symbol": NAME}})
            await stream.send_json({"method": "sub.tickers", "param": {}})
            seen: dict[str, Any] = {}
            async with asyncio.timeout(20):
                while not {f"push.{one}" for one in (*channels, "tickers")} <= seen.keys():
                    message = await stream.receive_json()
                    seen[message["channel"]] = message["data"]
            assert {one["symbol"] for one in seen["push.tickers"]} == {NAME, "ETH_USDT"}
            assert seen["push.index.price"]["price"] > 0 and seen["push.fair.price"]["symbol"] == NAME

    run(scene())


@pytest.mark.parametrize("kind", ["busy_503", "rate_429"])
def test_faults_have_the_form_of_contracts(wired: SimulatedExchanges, kind: str) -> None:
    async def scene() -> None:
        async with MEXC.client(wired) as client:
            control(wired, "faults", kind=kind, path="/api/v1/contract/*", count=1, seconds=9)
            expected = {"busy_503": ccxt.ExchangeNotAvailable, "rate_429": ccxt.RateLimitExceeded}[kind]
            with pytest.raises(expected, match='"success":false'):
                await client.fetch_ticker(PERPETUAL)

    run(scene())
