"""What the wire of Binance's USD-M futures has beside what all wires do: chains, two addresses, funding, weights."""

import http.client
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import ccxt
import msgspec
import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.client import control, run, until
from tests.simulator.dialects import MARKET_DIALECTS
from workstation.model.durations import HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.simulator.binanceusdm.errors import UsdmError
from workstation.simulator.binanceusdm.weights import BAN_NS, MOST_REFUSED, MOST_WEIGHT, Weights, weight_of
from workstation.simulator.funding import MOST_RATE
from workstation.simulator.server import SimulatedExchanges
from workstation.simulator.wire import WireRequest

USDM = MARKET_DIALECTS["binanceusdm"]
SYMBOL, PERPETUAL = "BTCUSDT", USDM.symbols[0]
CYCLE_MS = 8 * HOUR_NS // 10**6
STREAMS = "/cetus/fstream.binance.com"


def got(exchanges: SimulatedExchanges, path: str, **fields: Any) -> tuple[int, Any, Any]:
    """Status, headers and JSON of a GET without a client's help."""
    connection = http.client.HTTPConnection("127.0.0.1", exchanges.port, timeout=30)
    try:
        connection.request("GET", f"/cetus/fapi.binance.com{path}?{urlencode(fields)}")
        answer = connection.getresponse()
        return answer.status, answer.headers, json.load(answer)
    finally:
        connection.close()


def test_changes_of_a_book_chain_by_pu_and_join_the_snapshot(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with ClientSession() as session, session.ws_connect(wired.url + USDM.socket) as stream:
            await stream.send_json(USDM.subscription(USDM.stream("book")))
            last, has_left_out, book = 0, False, dict[str, Any]()
            for number in range(25):
                change = msgspec.json.decode(await USDM.frame(stream))
                assert change["U"] <= change["u"] and change["pu"] < change["U"] and change["T"] <= change["E"]
                if last:
                    assert change["pu"] == last
                    has_left_out |= change["U"] > last + 1
                last = change["u"]
                if number == 5:
                    asked = {"symbol": SYMBOL, "limit": "1000"}
                    url = f"{wired.url}/cetus/fapi.binance.com/fapi/v1/depth"
                    async with session.get(url, params=asked) as answer:
                        book = await answer.json()
                    sides = {side: dict(book[side]) for side in ("bids", "asks")}
                elif number > 5:
                    assert change["u"] <= book["lastUpdateId"] or change["pu"] >= book["lastUpdateId"]
                    if change["u"] > book["lastUpdateId"]:
                        for side, levels in sides.items():
                            levels.update(dict(change[side[0]]))
            assert has_left_out  # ids that follow each other without a gap are the spot market's
            prices = {
                side: [float(one) for one, size in levels.items() if float(size)] for side, levels in sides.items()
            }
            assert max(prices["bids"]) < min(prices["asks"])

    run(scene())


@pytest.mark.parametrize(
    ("category", "stream", "other"),
    [
        ("public", "btcusdt@bookTicker", "market"),
        ("public", "btcusdt@depth@500ms", "market"),
        ("market", "btcusdt@aggTrade", "public"),
        ("market", "btcusdt@markPrice", "public"),
        ("market", "!markPrice@arr@1s", "public"),
        ("market", "btcusdt@ticker", "public"),
        ("market", "btcusdt@kline_1m", "public"),
    ],
)
def test_each_stream_has_one_of_two_addresses(
    wired: SimulatedExchanges, category: str, stream: str, other: str
) -> None:
    async def scene() -> None:
        async with ClientSession() as session:
            async with session.ws_connect(f"{wired.url}{STREAMS}/{other}/ws") as wrong:
                await wrong.send_json({"method": "SUBSCRIBE", "params": [stream], "id": 3})
                refused = {"code": 2, "msg": f"Invalid request: invalid stream {stream}"}
                assert await wrong.receive_json(timeout=20) == {"error": refused, "id": 3}
            url = f"{wired.url}{STREAMS}/{category}/stream?streams={stream}"
            async with session.ws_connect(url) as socket:
                told = await socket.receive_json(timeout=20)
                assert told["stream"] == stream
                one = told["data"][0] if isinstance(told["data"], list) else told["data"]
                assert one["s"] == SYMBOL and one["E"] > 0
                await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 4})
                listed = await until(socket.receive_json, lambda message: "result" in message)
                assert listed == {"result": [stream], "id": 4}
                await socket.send_json({"method": "UNSUBSCRIBE", "params": [stream], "id": 5})
                assert await until(socket.receive_json, lambda message: "id" in message) == {"result": None, "id": 5}

    run(scene())


@pytest.mark.parametrize(
    "path", ["/ws", "/stream", "/ws/btcusdt@bookTicker", "/private/ws", "/public", "/publicity/ws"]
)
def test_there_are_no_other_addresses(wired: SimulatedExchanges, path: str) -> None:
    assert wired.venues["cetus"].wire.talk(path, "") is None


@pytest.mark.parametrize("said", ["", "[]", "{", '{"method": 1}', '{"method": "SUBSCRIBE", "params": 1}', "[" * 10_000])
def test_nonsense_on_a_socket_is_answered(wired: SimulatedExchanges, said: str) -> None:
    async def scene() -> None:
        async with ClientSession() as session, session.ws_connect(wired.url + USDM.socket) as stream:
            await stream.send_str(said)
            assert (await stream.receive_json(timeout=20)).keys() <= {"result", "error", "id"}

    run(scene())


def test_mark_and_index_are_the_middles_of_two_books_and_the_stream_tells_them(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with USDM.client(wired) as client:
            control(wired, "book", venue="cetus", market=SYMBOL, bids=[["40010", 1]], asks=[["40010.4", 1]])
            control(wired, "book", venue="cetus", market=".BTCUSDT", bids=[["40000", 1]], asks=[["40000.2", 1]])
            asked = await client.fetch_funding_rate(PERPETUAL)
            assert (float(asked["markPrice"]), float(asked["indexPrice"])) == (40010.2, 40000.1)
            assert abs(float(asked["fundingRate"])) <= MOST_RATE and asked["fundingTimestamp"] % CYCLE_MS == 0
            told = await until(
                lambda: client.watch_mark_prices([PERPETUAL]), lambda told: told[PERPETUAL]["markPrice"] == "40010.2"
            )
            info = told[PERPETUAL]["info"]
            assert (info["i"], info["T"]) == ("40000.1", asked["fundingTimestamp"])
            assert float(info["r"]) == float(asked["fundingRate"])

    try:
        run(scene())
    finally:
        for market in (SYMBOL, ".BTCUSDT"):
            control(wired, "book", venue="cetus", market=market)


def test_what_the_index_is_made_of_is_no_market(wired: SimulatedExchanges) -> None:
    _, _, rules = got(wired, "/fapi/v1/exchangeInfo")
    assert [one["symbol"] for one in rules["symbols"]] == ["BTCUSDT", "ETHUSDT"]
    for path in ("ticker/24hr", "ticker/price", "ticker/bookTicker", "premiumIndex", "fundingInfo"):
        _, _, told = got(wired, f"/fapi/v1/{path}")
        assert [one["symbol"] for one in told] == ["BTCUSDT", "ETHUSDT"], path
    assert not wired.venues["cetus"].wire.streams.is_known(".btcusdt@bookTicker", "public")  # type: ignore[attr-defined]


def test_rates_that_were_paid_come_oldest_first_and_by_both_times(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with USDM.client(wired) as client:
            paid = await client.fetch_funding_rate_history(PERPETUAL, limit=5)
            times = [one["timestamp"] for one in paid]
            assert times == list(range(times[0], times[0] + 5 * CYCLE_MS, CYCLE_MS)) and times[0] % CYCLE_MS == 0
            assert len({one["fundingRate"] for one in paid}) > 2
            asked = {"symbol": SYMBOL, "startTime": times[1], "endTime": times[3], "limit": 2}
            within = await client.fapiPublicGetFundingRate(asked)
            assert [int(one["fundingTime"]) for one in within] == times[1:3]
            of_end = await client.fapiPublicGetFundingRate({"symbol": SYMBOL, "endTime": times[3] + 1, "limit": 2})
            assert [int(one["fundingTime"]) for one in of_end] == times[2:4]
            minute = await client.fetch_ohlcv(PERPETUAL, "1m", since=times[1] - 60_000, limit=1)
            assert float(within[0]["markPrice"]) == float(minute[0][4])
            none = {"symbol": SYMBOL, "startTime": times[0] + 1, "endTime": times[1] - 1}
            assert await client.fapiPublicGetFundingRate(none) == []
            of_all = await client.fapiPublicGetFundingRate({"startTime": times[4]})
            assert [one["symbol"] for one in of_all] == ["BTCUSDT", "ETHUSDT"]

    run(scene())


def test_candles_of_mark_and_index_have_no_volume(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with USDM.client(wired) as client:
            since = int((await client.fetch_ohlcv(PERPETUAL, "1m", limit=30))[0][0])
            own, mark, index = [
                await client.fetch_ohlcv(PERPETUAL, "1m", since, 20, given)
                for given in ({}, {"price": "mark"}, {"price": "index"})
            ]
            assert [one[:5] for one in mark] == [one[:5] for one in own]
            assert all(float(one[5]) == 0 for one in (*mark, *index)) and all(float(one[5]) > 0 for one in own)
            ratios = [float(one[4]) / float(other[4]) - 1 for one, other in zip(own, index, strict=True)]
            assert any(ratios) and sorted(map(abs, ratios))[len(ratios) // 2] < 0.001

    run(scene())


def test_trades_are_asked_for_from_an_id_and_from_a_time_on(wired: SimulatedExchanges) -> None:
    USDM.burst(wired, 30)
    _, _, newest = got(wired, "/fapi/v1/aggTrades", symbol=SYMBOL, limit=30)
    from_id = got(wired, "/fapi/v1/aggTrades", symbol=SYMBOL, fromId=newest[3]["a"], limit=5)[2]
    assert from_id == newest[3:8]
    at_ms = newest[-1]["T"]
    of_time = got(wired, "/fapi/v1/aggTrades", symbol=SYMBOL, startTime=at_ms, endTime=at_ms)[2]
    assert of_time and all(one["T"] == at_ms for one in of_time)
    raw = got(wired, "/fapi/v1/trades", symbol=SYMBOL, limit=1000)[2]
    assert {(one["id"], one["price"], one["time"]) for one in raw} >= {(one["a"], one["p"], one["T"]) for one in newest}


def test_an_order_and_an_accounts_questions_are_refused_in_the_venues_words(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with USDM.client(wired) as client:
            for order in (("limit", "buy", "1", "40000"), ("market", "sell", "1", None)):
                with pytest.raises(ccxt.AuthenticationError, match='"code":-2015,"msg":"Invalid API-key, IP, or perm'):
                    await client.create_order(PERPETUAL, *order)
            for question in (client.fetch_balance, client.fetch_positions, lambda: client.watch_orders(PERPETUAL)):
                with pytest.raises(ccxt.AuthenticationError, match='"code":-2015,'):
                    await question()
            assert not wired.venues["cetus"].exchange.orders.open_orders()

    run(scene())
    assert got(wired, "/fapi/v1/openOrders")[::2] == (401, {"code": -2014, "msg": "API-key format invalid."})
    assert got(wired, "/dapi/v1/time")[0] == 404


def a_request(name: str, at_ns: int = 0, **fields: Any) -> WireRequest:
    return WireRequest("GET", f"/fapi/v1/{name}", urlencode(fields), "", {}, at_ns)


@pytest.mark.parametrize(
    ("name", "fields", "weight"),
    [
        ("ping", {}, 1),
        ("depth", {"symbol": SYMBOL}, 10),
        ("depth", {"symbol": SYMBOL, "limit": 5}, 2),
        ("depth", {"symbol": SYMBOL, "limit": 51}, 5),
        ("depth", {"symbol": SYMBOL, "limit": 1000}, 20),
        ("klines", {"limit": 99}, 1),
        ("klines", {"limit": 100}, 2),
        ("klines", {}, 5),
        ("indexPriceKlines", {"limit": 1500}, 10),
        ("klines", {"limit": 99_999}, 10),
        ("klines", {"limit": "x"}, 5),
        ("aggTrades", {}, 20),
        ("ticker/24hr", {}, 40),
        ("ticker/24hr", {"symbol": SYMBOL}, 1),
        ("premiumIndex", {}, 10),
        ("order", {}, 1),
    ],
)
def test_a_request_weighs_what_it_does_at_the_venue(name: str, fields: dict[str, Any], weight: int) -> None:
    assert weight_of(a_request(name, **fields)) == weight


def asked(weights: Weights, names: Iterable[str], at_ns: int) -> list[int]:
    """The status of each, at one moment."""
    found = []
    for name in names:
        try:
            weights.take(a_request(name, at_ns))
            found.append(200)
        except UsdmError as error:
            assert error.code == -1003 and error.headers is not None
            found.append(error.status)
    return found


@given(st.lists(st.sampled_from(["ping", "aggTrades", "ticker/24hr", "depth"]), max_size=400))
def test_nothing_is_refused_before_a_minutes_weight_is_used_up_and_all_after(names: list[str]) -> None:
    sums = [sum(weight_of(a_request(name)) for name in names[: number + 1]) for number in range(len(names))]
    found = asked(Weights(), names, MINUTE_NS)
    refused = sum(one > MOST_WEIGHT for one in sums)
    assert [one == 200 for one in found] == [one <= MOST_WEIGHT for one in sums]
    assert found.count(418) == max(refused - MOST_REFUSED, 0)


def test_who_asks_on_and_on_is_banned_and_asked_for_patience() -> None:
    weights, at_ns = Weights(), MINUTE_NS + 50 * SECOND_NS
    heavy = ["ticker/24hr"] * (MOST_WEIGHT // 40)
    assert set(asked(weights, heavy, at_ns)) == {200}
    assert set(asked(weights, ["ping"] * MOST_REFUSED, at_ns)) == {429}
    with pytest.raises(UsdmError, match="banned until 230000") as failure:
        weights.take(a_request("ping", at_ns))
    assert failure.value.headers == {"Retry-After": "120"}
    assert asked(weights, ["ping"], at_ns + BAN_NS - 1) == [418]
    assert asked(weights, ["ping"], at_ns + BAN_NS) == [200]


def test_the_weight_that_is_used_is_told_and_too_much_is_refused_until_the_next_minute(
    wired: SimulatedExchanges,
) -> None:
    first, second = (got(wired, "/fapi/v1/aggTrades", symbol=SYMBOL)[1]["X-MBX-USED-WEIGHT-1M"] for _ in range(2))
    assert int(second) in (int(first) + 20, 20)
    control(wired, "faults", kind="rate_429", path="/fapi/v1/ping", count=1, seconds=7)
    status, headers, told = got(wired, "/fapi/v1/ping")
    assert (status, headers["Retry-After"], told["code"]) == (429, "7", -1003)
    control(wired, "faults", kind="ban_418", path="/fapi/v1/ping", count=1, seconds=9)
    status, headers, told = got(wired, "/fapi/v1/ping")
    assert (status, headers["Retry-After"], told["code"]) == (418, "9", -1003) and "banned until" in told["msg"]
