"""A venue's past, page by page: every row once, however pages overlap, fall short, come empty or not at all."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import accumulate
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tests.exchanges.venue import MINUTE_MS, Venue, agg_trade
from workstation.errors import BadInput, UnknownInstrument, VenueRefused, VenueUnavailable
from workstation.exchanges.ccxt_parse import Refusals
from workstation.exchanges.circuit_breaker import BreakerLimits, CircuitBreaker
from workstation.exchanges.download import CcxtPast
from workstation.exchanges.download_trades import TradePages
from workstation.exchanges.past import Patience
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.model.durations import HOUR_NS, MINUTE_NS, MS_NS
from workstation.model.ids import Venue as VenueName

START_MS = 1_700_000_040_000 // MINUTE_MS * MINUTE_MS
START_NS = START_MS * MS_NS
NOW_NS = START_NS + 30 * 24 * HOUR_NS
QUICK = Patience(first_wait_s=0.001, most_wait_s=0.002)
SYMBOL = "BTC/USDT"


def a_candle(minute: int) -> list[Any]:
    price = f"{100 + minute % 50:.2f}"
    return [START_MS + minute * MINUTE_MS, price, price, price, price, f"{minute + 1:.2f}", 0, "0", 0, "0", "0", "0"]


class PastVenue(Venue):
    """One that answers in pages, and does what pages do: see its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.page = 1_000
        self.is_windowed = False
        """Answers only for as many bars from the start as a page has, empty where there are none."""
        self.overlap = 0
        """So many bars before the start come too."""
        self.newest_first = False
        self.spoiled: dict[int, Callable[[list[Any]], Any]] = {}
        """By question from 0: what becomes of its answer."""
        self.questions: list[dict[str, str]] = []

    def _rest(self, path: str, query: Any) -> web.Response:
        if not path.endswith(("klines", "aggTrades")):
            return super()._rest(path, query)
        number = len(self.questions)
        self.questions.append(dict(query))
        rows = self._candles(query) if path.endswith("klines") else self._trades(query)
        spoil = self.spoiled.get(number)
        answer = rows if spoil is None else spoil(rows)
        return answer if isinstance(answer, web.Response) else web.json_response(answer)

    def _candles(self, query: Any) -> list[Any]:
        start = int(query["startTime"]) - self.overlap * MINUTE_MS
        limit = min(int(query["limit"]), self.page)
        stop = start + limit * MINUTE_MS if self.is_windowed else 2**60
        found = [each for each in self.bars[query["symbol"]] if start <= each[0] < stop][:limit]
        return found[::-1] if self.newest_first else found

    def _trades(self, query: Any) -> list[Any]:
        limit = min(int(query["limit"]), self.page)
        since, until = int(query.get("startTime", 0)), int(query.get("endTime", 2**60))
        first = int(query.get("fromId", 0))
        found = [each for each in self.trades[query["symbol"]] if each["a"] >= first and since <= each["T"] <= until]
        # by time the venue may give the last ones of the stretch, by number it gives those that follow
        return found[:limit] if "fromId" in query else found[-limit:]


def scene(play: Callable[[PastVenue, CcxtPast], Awaitable[None]], **options: Any) -> None:
    async def played() -> None:
        venue = PastVenue()
        await venue.start()
        settings = VenueSettings(venue=VenueName("nova"), exchange="binance", url=venue.url, timeout_s=2.0)
        words = {"patience": QUICK, "breaker": CircuitBreaker(BreakerLimits(open_s=0.001))} | options
        past = CcxtPast(settings, RestLimiter(), lambda: NOW_NS, **words)
        try:
            await past.open()
            await play(venue, past)
        finally:
            await past.close()
            await venue.stop()

    asyncio.run(asyncio.wait_for(played(), 60))


async def minutes_of(past: CcxtPast, first: int, last: int) -> list[int]:
    """The minutes of all rows of all pages, in the order in which they came; checks that pages follow one another."""
    found: list[int] = []
    until = START_NS + first * MINUTE_NS
    async for page in past.bars(SYMBOL, MINUTE_NS, until, START_NS + last * MINUTE_NS):
        opens = page.table["ts_open"].to_pylist()
        assert page.until_ns > until and all(until <= at < page.until_ns for at in opens)
        until = page.until_ns
        found += [(at - START_NS) // MINUTE_NS for at in opens]
    assert until == START_NS + last * MINUTE_NS
    return found


@pytest.mark.parametrize(
    ("page", "overlap", "newest_first", "is_windowed"),
    [(1_000, 0, False, False), (7, 0, False, False), (10, 4, False, False), (10, 3, True, False), (10, 0, False, True)],
)
def test_each_bar_comes_once_however_pages_lie(page: int, overlap: int, newest_first: bool, is_windowed: bool) -> None:
    async def play(venue: PastVenue, past: CcxtPast) -> None:
        venue.page, venue.overlap, venue.newest_first = page, overlap, newest_first
        venue.bars["BTCUSDT"] = [a_candle(minute) for minute in range(100) if minute not in (31, 32, 60)]
        expected = [minute for minute in range(5, 90) if minute not in (31, 32, 60)]
        if is_windowed:
            venue.is_windowed = True
            past._page_size = lambda symbol: 10  # type: ignore[method-assign]
        assert await minutes_of(past, 5, 90) == expected

    scene(play)


def test_an_empty_answer_or_a_long_hole_is_asked_for_once_more() -> None:
    async def play(venue: PastVenue, past: CcxtPast) -> None:
        venue.page = 20
        venue.bars["BTCUSDT"] = [a_candle(minute) for minute in range(100)]
        venue.spoiled = {1: lambda rows: [], 3: lambda rows: rows[15:]}  # what a venue in trouble says
        assert await minutes_of(past, 0, 100) == list(range(100))
        assert len(venue.questions) == 7

    scene(play)


def test_a_venue_that_answers_with_what_was_before_does_not_hold_it_up() -> None:
    async def play(venue: PastVenue, past: CcxtPast) -> None:
        venue.page = 20
        venue.bars["BTCUSDT"] = [a_candle(minute) for minute in range(100)]
        venue.spoiled = dict.fromkeys((2, 3), lambda rows: [a_candle(minute) for minute in range(5)])
        assert await minutes_of(past, 0, 100) == list(range(40))

    scene(play)


def test_a_span_before_the_listing_is_passed_over_and_its_end_is_reached() -> None:
    async def play(venue: PastVenue, past: CcxtPast) -> None:
        venue.bars["BTCUSDT"] = [a_candle(minute) for minute in range(5_000, 5_010)]
        assert await minutes_of(past, 0, 9_000) == list(range(5_000, 5_010))

    scene(play)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: web.Response(status=503, text="busy"),
        lambda rows: web.Response(status=502, text="<html>bad gateway</html>", content_type="text/html"),
        lambda rows: web.Response(text='[[1700000000000,"100.0', content_type="application/json"),
        lambda rows: web.Response(text=""),
    ],
    ids=["busy", "proxy", "torn", "nothing"],
)
def test_an_answer_that_is_none_is_asked_for_again(spoil: Any) -> None:
    async def play(venue: PastVenue, past: CcxtPast) -> None:
        venue.page = 40
        venue.bars["BTCUSDT"] = [a_candle(minute) for minute in range(100)]
        venue.spoiled = {1: spoil, 2: spoil}
        assert await minutes_of(past, 0, 100) == list(range(100))

    scene(play)


def test_retry_after_is_kept() -> None:
    times: list[float] = []

    async def play(venue: PastVenue, past: CcxtPast) -> None:
        venue.page = 40
        venue.bars["BTCUSDT"] = [a_candle(minute) for minute in range(100)]

        async def timed(path: str) -> None:
            if path.endswith("klines"):
                times.append(time.monotonic())

        venue.before_answer = timed
        venue.spoiled = {1: lambda rows: web.json_response({"code": -1003}, status=429, headers={"Retry-After": "1"})}
        assert await minutes_of(past, 0, 100) == list(range(100))

    scene(play)
    assert times[2] - times[1] >= 1.0


def test_a_venue_that_never_answers_ends_it_after_so_many_tries() -> None:
    async def play(venue: PastVenue, past: CcxtPast) -> None:
        venue.spoiled = {number: lambda rows: web.Response(status=503, text="busy") for number in range(50)}
        with pytest.raises(VenueUnavailable, match=r"nova \(binance\).*\(3 tries\).*the same command goes on"):
            await minutes_of(past, 0, 100)
        assert len(venue.questions) == 3

    scene(play, patience=Patience(tries=3, first_wait_s=0.001, most_wait_s=0.002))


def test_a_venue_that_says_no_ends_it_at_once() -> None:
    async def play(venue: PastVenue, past: CcxtPast) -> None:
        venue.spoiled = {0: lambda rows: web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)}
        with pytest.raises(VenueRefused, match="Invalid symbol"):
            await minutes_of(past, 0, 100)

    scene(play)


def test_what_is_no_bar_is_counted_and_left_out() -> None:
    async def play(venue: PastVenue, past: CcxtPast) -> None:
        venue.bars["BTCUSDT"] = [a_candle(minute) for minute in range(10)]
        venue.bars["BTCUSDT"][4][2] = "1.00"  # a high below the open
        assert await minutes_of(past, 0, 10) == [0, 1, 2, 3, 5, 6, 7, 8, 9]
        assert past.refusals.total == 1

    scene(play)


def test_symbols_and_lengths_that_are_not_there_are_named() -> None:
    async def play(venue: PastVenue, past: CcxtPast) -> None:
        with pytest.raises(UnknownInstrument, match=r"nova:BTC/USDC: not on binance; did you mean BTC/USDT"):
            past.instrument("BTC/USDC", 0)
        assert str(past.instrument(SYMBOL, 0).tick_size) == "0.01"
        with pytest.raises(BadInput, match=r"venue nova \(binance\): no bars of 5s; it has 1s, 1m, 3m"):
            past.require_interval(5_000_000_000)
        past.require_interval(MINUTE_NS)
        past.require_trades()

    scene(play)


# -- trades


async def numbers_of(past: CcxtPast, start_ms: int, end_ms: int) -> list[int]:
    found: list[int] = []
    async for page in past.trades(SYMBOL, start_ms * MS_NS, end_ms * MS_NS):
        found += [int(name) for name in page.table["trade_id"].to_pylist()]
    return found


@pytest.mark.parametrize("page", [3, 10, 1_000])
def test_each_trade_comes_once_from_the_start_to_before_the_end(page: int) -> None:
    async def play(venue: PastVenue, past: CcxtPast) -> None:
        venue.page = page
        times = [START_MS + number // 4 * 10 for number in range(400)]  # four in each of those milliseconds
        venue.trades["BTCUSDT"] = [agg_trade("BTCUSDT", 1_000 + n, 100.0, at) for n, at in enumerate(times)]
        assert await numbers_of(past, START_MS + 100, START_MS + 500) == list(range(1_040, 1_200))

    scene(play)


def test_trades_after_hours_of_silence_are_found() -> None:
    async def play(venue: PastVenue, past: CcxtPast) -> None:
        venue.trades["BTCUSDT"] = [agg_trade("BTCUSDT", 7, 100.0, START_MS + 5 * 3_600_000)]
        assert await numbers_of(past, START_MS, START_MS + 9 * 3_600_000) == [7]
        assert await numbers_of(past, START_MS, START_MS + 3_600_000) == []

    scene(play)


class TimedClient:
    """A venue whose trades are had by time, without ids, `size` at most, the first from the start on."""

    def __init__(self, times_ms: list[int], size: int) -> None:
        self.times_ms, self.size = times_ms, size
        self.last_json_response: Any = []

    def market(self, symbol: str) -> dict[str, Any]:
        return {"symbol": symbol, "spot": True}

    def feature_value(self, symbol: str, method: str, name: str) -> int:
        return self.size

    async def fetch_trades(self, symbol: str, since: int, limit: int, params: Any) -> list[dict[str, Any]]:
        chosen = [at for at in self.times_ms if at >= since][: self.size]
        return [{"timestamp": at, "price": 100.0, "amount": 1.0, "side": "buy", "id": None} for at in chosen]


class WindowClient(TimedClient):
    """As MEXC's spot: the latest `size` of a window, both of its ends within, the newest first."""

    asked = 0

    async def fetch_trades(self, symbol: str, since: int, limit: int, params: Any) -> list[dict[str, Any]]:
        self.asked += 1
        assert params["until"] - since < 3_600_000
        chosen = [(at, place) for place, at in enumerate(self.times_ms) if since <= at <= params["until"]]
        told = [
            {"timestamp": at, "price": 1.0 + place, "amount": 1.0, "side": "buy", "id": None}
            for at, place in chosen[::-1][: self.size]
        ]
        return sorted(told, key=lambda one: one["timestamp"])  # as ccxt does, which leaves those of one moment


async def times_of(
    client: TimedClient, start_ms: int, end_ms: int, exchange: str = "gate"
) -> tuple[list[int], list[str]]:
    said: list[str] = []

    async def patiently(call: Callable[[], Awaitable[Any]]) -> Any:
        return await call()

    settings = VenueSettings(venue=VenueName("nova"), exchange=exchange)
    pages = TradePages(client, settings, SYMBOL, patiently, Refusals(), lambda: NOW_NS, said.append)
    found: list[int] = []
    prices: list[float] = []
    async for page in pages.run(start_ms * MS_NS, end_ms * MS_NS):
        found += [at // MS_NS for at in page.table["ts_event"].to_pylist()]
        prices += page.table["price"].to_pylist()
    assert prices == sorted(prices)  # as they were made, those of one moment too
    return found, said


def test_equal_trades_of_one_millisecond_are_all_had_by_time() -> None:
    times = sorted([START_MS] * 3 + [START_MS + 1] * 4 + [START_MS + 9] + [START_MS + 10] * 4 + [START_MS + 4_000_000])
    found, said = asyncio.run(times_of(TimedClient(times, 5), START_MS, START_MS + 9_000_000))
    assert (found, said) == (times, [])
    found, _ = asyncio.run(times_of(TimedClient(times, 5), START_MS + 1, START_MS + 10))
    assert found == [START_MS + 1] * 4 + [START_MS + 9]


def test_more_trades_in_a_millisecond_than_a_page_has_are_told_of_as_lost() -> None:
    times = [START_MS] * 7 + [START_MS + 5]
    found, said = asyncio.run(times_of(TimedClient(times, 5), START_MS, START_MS + 10))
    assert found == [START_MS] * 5 + [START_MS + 5]
    assert said == [f"nova:{SYMBOL}: 5 trades or more in the millisecond of {START_NS} ns: some are lost"]


@given(
    gaps_ms=st.lists(st.sampled_from([0, 0, 1, 2, 700, 90_000, 4_000_000]), max_size=60),
    size=st.integers(8, 40),
    start=st.integers(0, 5),
    length=st.sampled_from([1, 10, 100_000, 20_000_000]),
)
def test_where_the_latest_of_a_window_are_told_each_trade_is_had_once(
    gaps_ms: list[int], size: int, start: int, length: int
) -> None:
    times = list(accumulate(gaps_ms, initial=START_MS))
    crowded = max(sum(other in (at, at + 1) for other in times) for at in times)
    client = WindowClient(times, size)
    found, said = asyncio.run(times_of(client, START_MS + start, START_MS + start + length, "mexc"))
    wanted = [at for at in times if START_MS + start <= at < START_MS + start + length]
    if crowded < size:  # a moment and the next, which the end of its window lets in
        assert (found, said) == (wanted, [])
    else:
        assert (set(found) <= set(wanted) and len(found) == len(wanted)) or said


def test_a_busy_venue_is_not_asked_much_more_often_than_its_pages_need() -> None:
    times = list(range(START_MS, START_MS + 3_600_000, 400))
    client = WindowClient(times, 1_000)
    found, _ = asyncio.run(times_of(client, START_MS, START_MS + 3_600_000, "mexc"))
    assert found == times and client.asked < 4 * len(times) / 1_000


def test_more_trades_in_a_moment_than_a_window_tells_are_said_to_be_lost() -> None:
    client = WindowClient([START_MS] * 7 + [START_MS + 5], 5)
    found, said = asyncio.run(times_of(client, START_MS, START_MS + 10, "mexc"))
    assert found == [START_MS] * 5 + [START_MS + 5]
    assert said == [f"nova:{SYMBOL}: 5 trades or more in the millisecond of {START_NS} ns: some are lost"]
