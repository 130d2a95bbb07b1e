"""The feed through the real ccxt.pro client, against a small venue on loopback: nothing lost, nothing twice."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from aiohttp import web

from tests.exchanges.sinks import NOW_NS, QUICK, ToldSink, a_venue, feed_of, running, subscriptions
from tests.exchanges.venue import Venue, agg_trade, book_ticker, kline
from workstation.errors import BadInput, UnknownInstrument, VenueUnavailable
from workstation.exchanges.ccxt_parse import Refusal
from workstation.exchanges.circuit_breaker import BreakerLimits, Circuit, CircuitBreaker
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.ids import Symbol
from workstation.model.market import (
    interval_code,
)
from workstation.ports.feed import FeedState

BTC, ETH = "btcusdt@bookTicker", "ethusdt@bookTicker"
NOW_MS = NOW_NS // 1_000_000
HALF_PAST_NS = NOW_NS + MINUTE_NS // 2
IMPATIENT = replace(QUICK, fresh_s=0.0)


def with_venue(scenario: Callable[[Venue], Awaitable[None]]) -> None:
    async def run() -> None:
        async with a_venue() as venue:
            await scenario(venue)

    asyncio.run(run())


def trade_times(sink: ToldSink, index: int = 0) -> list[int]:
    """What tells the trades apart in these tests: the venue's times, whose end is the trade's number."""
    return [row[1] // 1_000_000 - 1_700_000_000_000 for row in sink.trades if row[0] == index]


def test_quote_trade_and_bar_reach_the_sink_as_plain_numbers() -> None:
    async def scenario(venue: Venue) -> None:
        feed = feed_of(venue, now_ns=lambda: HALF_PAST_NS)
        async with running(feed, subscriptions(trades=True, intervals_ns=(MINUTE_NS,))) as sink:
            await venue.wait_for(BTC, "btcusdt@aggTrade", "btcusdt@kline_1m")
            await venue.send(BTC, book_ticker("BTCUSDT", 100, 101))
            await venue.trade("BTCUSDT", 2)
            await venue.send("btcusdt@kline_1m", kline("BTCUSDT", NOW_MS, 101), kline("BTCUSDT", NOW_MS + 60_000, 102))
            await sink.until(lambda: bool(sink.quotes and sink.trades and sink.bars))
        assert sink.quotes == [(0, 0, 100.0, 101.0, 1.5, 2.5)]
        assert sink.trades == [(0, 1_700_000_000_002_000_000, 100.02, 0.5, True)]
        assert sink.bars == [(0, interval_code(MINUTE_NS), NOW_NS + MINUTE_NS, 100.0, 110.0, 90.0, 101.0, 3.0)]
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]

    with_venue(scenario)


def test_a_burst_of_3000_trades_is_3000_rows_in_order() -> None:
    async def scenario(venue: Venue) -> None:
        async with running(feed_of(venue), subscriptions(quotes=False, trades=True)) as sink:
            await venue.wait_for("btcusdt@aggTrade")
            for number in range(3_000):
                await venue.trade("BTCUSDT", number)
            await sink.until(lambda: len(sink.trades) >= 3_000, timeout_s=60)
        assert trade_times(sink) == list(range(3_000))

    with_venue(scenario)


@pytest.mark.slow
def test_in_a_burst_of_40000_quotes_every_one_is_told_and_the_last_is_the_last() -> None:
    async def scenario(venue: Venue) -> None:
        async with running(feed_of(venue), subscriptions()) as sink:
            await venue.wait_for(BTC, ETH)
            for number in range(20_000):
                await venue.send(BTC, book_ticker("BTCUSDT", 100 + number, 101 + number))
                await venue.send(ETH, book_ticker("ETHUSDT", 10 + number, 11 + number))
            await sink.until(lambda: len(sink.quotes) == 40_000, timeout_s=60)
        for index, first in ((0, 100.0), (1, 10.0)):
            assert [row[2] for row in sink.quotes if row[0] == index] == [first + number for number in range(20_000)]

    with_venue(scenario)


def test_after_a_dropped_socket_the_missed_trades_come_first_and_none_twice() -> None:
    async def scenario(venue: Venue) -> None:
        async with running(feed_of(venue), subscriptions(trades=True)) as sink:
            await venue.wait_for("btcusdt@aggTrade", BTC)
            for number in range(5):
                await venue.trade("BTCUSDT", number)
            await sink.until(lambda: len(sink.trades) == 5)
            venue.drop()
            await sink.until(lambda: FeedState.RECONNECTING in sink.states)
            for number in range(5, 2_505):  # more than one page of REST
                await venue.trade("BTCUSDT", number, is_told=False)
            await venue.wait_for("btcusdt@aggTrade", BTC)
            for number in range(2_505, 2_510):
                await venue.trade("BTCUSDT", number)
            await sink.until(lambda: len(sink.trades) >= 2_510)
        assert trade_times(sink) == list(range(2_510))
        assert sink.states[:4] == [FeedState.CONNECTING, FeedState.LIVE, FeedState.RECONNECTING, FeedState.LIVE]
        assert sink.statuses[-1].counts.reconnects == 1

    with_venue(scenario)


def test_missed_trades_of_a_symbol_that_stays_quiet_are_fetched_all_the_same() -> None:
    async def scenario(venue: Venue) -> None:
        async with running(feed_of(venue), subscriptions(trades=True)) as sink:
            await venue.wait_for("ethusdt@aggTrade")
            await venue.trade("ETHUSDT", 1)
            await sink.until(lambda: len(sink.trades) == 1)
            await venue.trade("ETHUSDT", 2, is_told=False)
            venue.drop()
            await sink.until(lambda: len(sink.trades) == 2)
            await venue.trade("ETHUSDT", 3, is_told=False)  # after the answer, before the first live one
            await venue.trade("ETHUSDT", 4)
            await sink.until(lambda: len(sink.trades) == 4)
        assert trade_times(sink, 1) == [1, 2, 3, 4]

    with_venue(scenario)


def test_an_answer_from_before_the_first_live_trade_is_not_the_last() -> None:
    async def scenario(venue: Venue) -> None:
        feed, wanted = feed_of(venue), subscriptions(trades=True)[:1]
        async with running(feed, wanted) as sink:
            await venue.wait_for("btcusdt@aggTrade")
            await venue.trade("BTCUSDT", 1)
            await sink.until(lambda: len(sink.trades) == 1)

            async def answer_early(path: str) -> web.Response | None:
                if "aggTrades" not in path or len(venue.trades["BTCUSDT"]) > 1:
                    return None
                await venue.trade("BTCUSDT", 2, is_told=False)
                await venue.trade("BTCUSDT", 3)
                while not feed._wanted._trades[wanted[0].key].is_held:
                    await asyncio.sleep(0.001)
                return web.json_response([])

            venue.before_answer = answer_early
            venue.drop()
            await sink.until(lambda: len(sink.trades) == 3)
        assert trade_times(sink) == [1, 2, 3]

    with_venue(scenario)


def test_when_the_missed_trades_cannot_be_fetched_the_live_ones_go_on_and_the_gap_is_told() -> None:
    async def scenario(venue: Venue) -> None:
        async with running(feed_of(venue), subscriptions(trades=True)) as sink:
            await venue.wait_for("btcusdt@aggTrade")
            await venue.trade("BTCUSDT", 1)
            await sink.until(lambda: len(sink.trades) == 1)
            venue.answer = lambda path: web.Response(status=502, text="<html>") if "aggTrades" in path else None
            venue.drop()
            await sink.until(lambda: FeedState.RECONNECTING in sink.states)
            await venue.wait_for("btcusdt@aggTrade")
            await venue.trade("BTCUSDT", 2)
            await sink.until(lambda: len(sink.trades) == 2)
            await sink.until(lambda: any("may be missing" in status.reason for status in sink.statuses))
        assert trade_times(sink) == [1, 2]

    with_venue(scenario)


def test_a_trade_left_out_on_a_living_connection_is_fetched_at_once_and_told_in_its_place() -> None:
    async def scenario(venue: Venue) -> None:
        async with running(feed_of(venue), subscriptions(trades=True)) as sink:
            await venue.wait_for("btcusdt@aggTrade", "ethusdt@aggTrade")
            for number in range(60):
                await venue.trade("BTCUSDT", number, is_told=number % 7 != 3)
            await venue.trade("ETHUSDT", 9)
            await sink.until(lambda: len(sink.trades) == 61)
        assert (trade_times(sink), trade_times(sink, 1)) == (list(range(60)), [9])
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]

    with_venue(scenario)


def test_a_trade_that_the_venue_lists_later_than_it_streams_the_next_is_waited_for() -> None:
    async def scenario(venue: Venue) -> None:
        async with running(feed_of(venue), subscriptions(trades=True)) as sink:
            await venue.wait_for("btcusdt@aggTrade")
            await venue.trade("BTCUSDT", 1)
            asked = 0

            def answer(path: str) -> web.Response | None:
                nonlocal asked
                asked += "aggTrades" in path
                return web.json_response([]) if "aggTrades" in path and asked == 1 else None

            venue.answer = answer
            await venue.trade("BTCUSDT", 2, is_told=False)
            await venue.trade("BTCUSDT", 3)
            await sink.until(lambda: len(sink.trades) == 3)
        assert trade_times(sink) == [1, 2, 3]
        assert asked == 2

    with_venue(scenario)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda: web.Response(status=502, text="<html>"), "ExchangeNotAvailable"),
        (lambda: web.json_response([agg_trade("BTCUSDT", 4, 100.04, 1_700_000_000_004)]), "does not list them"),
        (lambda: web.json_response([]), ""),
    ],
    ids=["no answer", "not listed", "nothing"],
)
def test_where_a_trade_left_out_cannot_be_fetched_the_later_ones_go_on_and_the_gap_is_told(
    answer: Callable[[], web.Response], why: str
) -> None:
    async def scenario(venue: Venue) -> None:
        async with running(feed_of(venue), subscriptions(trades=True)) as sink:
            await venue.wait_for("btcusdt@aggTrade")
            await venue.trade("BTCUSDT", 1)
            venue.answer = lambda path: answer() if "aggTrades" in path else None
            await venue.trade("BTCUSDT", 4)
            await sink.until(lambda: len(sink.trades) == 2 and "may be missing" in sink.statuses[-1].reason)
            await venue.trade("BTCUSDT", 5)
            await sink.until(lambda: len(sink.trades) == 3)
        assert trade_times(sink) == [1, 4, 5]
        (told,) = [status for status in sink.statuses if "may be missing" in status.reason]
        assert told.key is not None and told.key.symbol == "BTC/USDT"
        assert told.state is FeedState.LIVE and why in told.reason

    with_venue(scenario)


def test_missed_bars_are_fetched_and_each_closed_bar_is_told_once_in_order() -> None:
    async def scenario(venue: Venue) -> None:
        wanted = subscriptions(quotes=False, intervals_ns=(MINUTE_NS,))[:1]
        now = HALF_PAST_NS + 5 * MINUTE_NS
        async with running(feed_of(venue, now_ns=lambda: now), wanted) as sink:
            opens = [NOW_MS + minute * 60_000 for minute in range(10)]
            await venue.wait_for("btcusdt@kline_1m")
            stream = "btcusdt@kline_1m"
            await venue.send(stream, kline("BTCUSDT", opens[5], 101), kline("BTCUSDT", opens[5], 102))
            await venue.send(stream, kline("BTCUSDT", opens[6], 103))
            await sink.until(lambda: len(sink.bars) == 1)
            # the rest of minute 6, and 7 and 8, are not told
            now = NOW_NS + 9 * MINUTE_NS + 3 * SECOND_NS
            for minute in (6, 7, 8):
                venue.bars["BTCUSDT"].append([opens[minute], "100", "120", "80", str(100 + minute), "9"])
            await venue.send(stream, kline("BTCUSDT", opens[9], 109))
            await sink.until(lambda: len(sink.bars) == 4)
            venue.drop()
            await venue.wait_for(stream)
        ends = [row[2] for row in sink.bars]
        assert ends == [(each + 60_000) * 1_000_000 for each in opens[5:9]]
        assert [row[6] for row in sink.bars] == [102.0, 106.0, 107.0, 108.0]

    with_venue(scenario)


def test_a_bar_that_ends_while_it_is_asked_for_is_not_taken_for_closed() -> None:
    async def scenario(venue: Venue) -> None:
        now = NOW_NS + 2 * MINUTE_NS - SECOND_NS
        venue.bars["BTCUSDT"] = [[NOW_MS + minute * 60_000, "100", "120", "80", "105", "9"] for minute in range(2)]

        async def later(path: str) -> None:
            nonlocal now
            if path.endswith("klines"):
                now = NOW_NS + 2 * MINUTE_NS + 10 * SECOND_NS

        venue.before_answer = later
        bars = await feed_of(venue, now_ns=lambda: now).bars(subscriptions()[0].key, MINUTE_NS, NOW_NS)
        assert bars.ts_open.tolist() == [NOW_NS]

    with_venue(scenario)


def test_a_bar_that_nobody_closes_is_confirmed_by_rest_past_its_end_and_a_grace() -> None:
    async def scenario(venue: Venue) -> None:
        now = NOW_NS
        async with running(feed_of(venue, now_ns=lambda: now), subscriptions(intervals_ns=(MINUTE_NS,))[:1]) as sink:
            await venue.wait_for("btcusdt@kline_1m", BTC)
            await venue.send("btcusdt@kline_1m", kline("BTCUSDT", NOW_MS, 101))
            await venue.send(BTC, book_ticker("BTCUSDT", 100, 101))
            await sink.until(lambda: len(sink.quotes) == 1)
            venue.bars["BTCUSDT"] = [[NOW_MS, "100", "120", "80", "105", "9"]]
            assert not sink.bars
            now = NOW_NS + MINUTE_NS + 2 * SECOND_NS
            await sink.until(lambda: len(sink.bars) == 1)
        assert sink.bars == [(0, interval_code(MINUTE_NS), NOW_NS + MINUTE_NS, 100.0, 120.0, 80.0, 105.0, 9.0)]

    with_venue(scenario)


def test_garbage_is_counted_and_survived_on_the_same_connection() -> None:
    garbage = [
        "{",
        "[1,",
        "null",
        "[]",
        '"text"',
        json.dumps({"u": 1, "s": "BTCUSDT", "b": "NaN", "B": "1", "a": "101", "A": "1"}),
        json.dumps({"u": 1, "s": "BTCUSDT", "b": "1e308", "B": "1", "a": "1e308", "A": "1"}),
        json.dumps({"u": 1, "s": "BTCUSDT", "b": "-5", "B": "1", "a": "101", "A": "1"}),
        json.dumps({"u": 1, "s": "BTCUSDT", "b": "0", "B": "1", "a": "101", "A": "1"}),
        json.dumps({"u": 1, "s": "BTCUSDT", "b": None, "B": "1", "a": "101", "A": "1"}),
        json.dumps({"u": 1, "s": "BTCUSDT", "b": "200", "B": "1", "a": "101", "A": "1"}),
        json.dumps({"u": 1, "s": "BTCUSDT", "b": {"x": 1}, "B": "1", "a": "101", "A": "1"}),
        json.dumps({"u": 1, "s": "NOSUCH", "b": "100", "B": "1", "a": "101", "A": "1"}),
        json.dumps({"e": "aggTrade", "s": "BTCUSDT", **agg_trade("BTCUSDT", 1, 100, 9_999_999_999_999)}),
    ]

    async def scenario(venue: Venue) -> None:
        feed = feed_of(venue)
        async with running(feed, subscriptions(trades=True)) as sink:
            await venue.wait_for(BTC)
            for frame in garbage:
                await venue.send(BTC, frame, book_ticker("BTCUSDT", 100, 101))
            await sink.until(lambda: len(sink.quotes) == len(garbage))
        assert FeedState.RECONNECTING not in sink.states
        assert sink.trades == []
        counts = feed.refusals.counts
        assert counts[Refusal.UNKNOWN_SYMBOL] == 1
        assert counts[Refusal.FUTURE] == counts[Refusal.CROSSED] == counts[Refusal.ABSURD] == 1
        assert counts[Refusal.NOT_POSITIVE] == 2
        assert (counts[Refusal.NOT_A_NUMBER], counts[Refusal.BROKEN_FRAME]) == (3, 2)
        assert sink.statuses[-1].counts.refused == feed.refusals.total
        assert feed.refusals.last is not None
        assert feed.refusals.last.startswith("trade of BTC/USDT: from the future: ")

    with_venue(scenario)


def test_a_half_open_socket_is_stale_and_connected_again() -> None:
    async def scenario(venue: Venue) -> None:
        async with running(feed_of(venue, stale_after_s=0.4), subscriptions()) as sink:
            await venue.wait_for(BTC)
            await venue.send(BTC, book_ticker("BTCUSDT", 100, 101))
            venue.is_half_open = True
            await sink.until(lambda: FeedState.RECONNECTING in sink.states)
            venue.is_half_open = False
            await venue.wait_for(BTC)
            await sink.until(lambda: sink.states[-1] is not FeedState.RECONNECTING or bool(venue.sockets))
        assert sink.states[:4] == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STALE, FeedState.RECONNECTING]
        assert sink.statuses[2].key is None

    with_venue(scenario)


def test_a_quiet_symbol_whose_price_has_not_changed_is_not_stale() -> None:
    async def scenario(venue: Venue) -> None:
        venue.tops = {"BTCUSDT": (100.0, 101.0), "ETHUSDT": (10.0, 11.0)}
        async with running(feed_of(venue, stale_after_s=0.5), subscriptions()) as sink:
            await venue.wait_for(BTC, ETH)
            await venue.send(BTC, book_ticker("BTCUSDT", 100, 101))
            await venue.send(ETH, book_ticker("ETHUSDT", 10, 11))
            checks = 0

            def answer(path: str) -> None:
                nonlocal checks
                checks += path.endswith("depth")

            venue.answer = answer
            async with asyncio.timeout(10):
                while checks < 4:
                    await asyncio.sleep(0.01)
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]

    with_venue(scenario)


def test_a_symbol_that_is_silent_while_its_price_moves_is_stale_once_and_live_when_it_talks() -> None:
    async def scenario(venue: Venue) -> None:
        venue.tops = {"BTCUSDT": (100.0, 101.0), "ETHUSDT": (10.0, 11.0)}
        async with running(feed_of(venue, stale_after_s=0.2), subscriptions()) as sink:
            await venue.wait_for(BTC, ETH)
            await venue.send(BTC, book_ticker("BTCUSDT", 100, 101))
            await venue.send(ETH, book_ticker("ETHUSDT", 12, 13))
            await sink.until(lambda: FeedState.RECONNECTING in sink.states)
            await venue.wait_for(BTC, ETH)
            stale = [status for status in sink.statuses if status.state is FeedState.STALE]
            assert [status.key.symbol for status in stale if status.key is not None] == ["ETH/USDT"]
            assert "(12.0, 13.0)" in stale[0].reason
            assert "(10.0, 11.0)" in stale[0].reason
            await venue.send(ETH, book_ticker("ETHUSDT", 10, 11))
            await sink.until(lambda: sink.statuses[-1].reason == "talks again")
            assert sink.statuses[-1].key == stale[0].key

    with_venue(scenario)


def test_429_stops_all_rest_calls_for_the_time_it_names() -> None:
    async def scenario(venue: Venue) -> None:
        told_at: list[float] = []

        def answer(path: str) -> web.Response | None:
            told_at.append(asyncio.get_running_loop().time())
            if len(told_at) > 1:
                return None
            body = json.dumps({"code": -1003, "msg": "Too many requests"})
            return web.Response(status=429, text=body, headers={"Retry-After": "0.5"})

        venue.answer = answer
        limiter = RestLimiter()
        feed = feed_of(venue, limiter=limiter)
        with pytest.raises(VenueUnavailable, match=r"nova \(binance\): DDoSProtection"):
            await feed.instruments()
        assert len(await feed.instruments([Symbol("BTC/USDT")])) == 1
        assert told_at[1] - told_at[0] >= 0.5
        assert not limiter.ban_left_s(told_at[1])

    with_venue(scenario)


def test_418_is_broken_until_the_ban_ends_and_nothing_is_sent_meanwhile() -> None:
    async def scenario(venue: Venue) -> None:
        def answer(path: str) -> web.Response | None:
            return (
                web.Response(status=418, text="{}", headers={"Retry-After": "0.6"}) if len(venue.asked) == 1 else None
            )

        venue.answer = answer
        async with running(feed_of(venue), subscriptions()) as sink:
            await sink.until(lambda: FeedState.BROKEN in sink.states)
            broken = sink.statuses[-1]
            assert "banned" in broken.reason
            assert broken.until_ns is not None
            assert 0 < broken.until_ns - NOW_NS <= 0.6 * SECOND_NS
            assert len(venue.asked) == 1
            await venue.wait_for(BTC)

    with_venue(scenario)


def test_five_lost_connections_open_the_circuit() -> None:
    async def scenario(venue: Venue) -> None:
        venue.refuses_sockets = True
        breaker = CircuitBreaker(BreakerLimits(failures=5, within_s=60, open_s=0.3))
        async with running(feed_of(venue, breaker=breaker), subscriptions()) as sink:
            await sink.until(lambda: FeedState.BROKEN in sink.states)
            assert sink.states.count(FeedState.RECONNECTING) == 5
            assert breaker.state(asyncio.get_running_loop().time()) is Circuit.OPEN
            venue.refuses_sockets = False
            await venue.wait_for(BTC)
            await venue.send(BTC, book_ticker("BTCUSDT", 100, 101))
            await sink.until(lambda: sink.states[-1] is FeedState.LIVE)
            assert breaker.state(asyncio.get_running_loop().time()) is Circuit.CLOSED

    with_venue(scenario)


def test_by_hand_an_open_circuit_is_closed_and_nothing_waited_for() -> None:
    async def scenario(venue: Venue) -> None:
        venue.refuses_sockets = True
        breaker = CircuitBreaker(BreakerLimits(failures=2, within_s=60, open_s=3_600))
        feed = feed_of(venue, breaker=breaker)
        async with running(feed, subscriptions()) as sink:
            await sink.until(lambda: FeedState.BROKEN in sink.states)
            assert NOW_NS < (sink.statuses[-1].until_ns or 0) <= NOW_NS + 3_600 * SECOND_NS
            venue.refuses_sockets = False
            feed.retry_now()
            await venue.wait_for(BTC)
            await venue.send(BTC, book_ticker("BTCUSDT", 100, 101))
            await sink.until(lambda: sink.states[-1] is FeedState.LIVE)
            assert breaker.state(asyncio.get_running_loop().time()) is Circuit.CLOSED

    with_venue(scenario)


def test_by_hand_a_wait_between_attempts_is_cut_short() -> None:
    async def scenario(venue: Venue) -> None:
        venue.refuses_sockets = True
        feed = feed_of(venue, pace=replace(QUICK, first_backoff_s=3_600.0, most_backoff_s=3_600.0))
        async with running(feed, subscriptions()) as sink:
            await sink.until(lambda: FeedState.RECONNECTING in sink.states)
            venue.refuses_sockets = False
            feed.retry_now()
            await venue.wait_for(BTC)

    with_venue(scenario)


def test_by_hand_a_ban_is_waited_for_all_the_same() -> None:
    async def scenario(venue: Venue) -> None:
        banned_s = list[float]()

        def answer(path: str) -> web.Response | None:
            banned_s.append(asyncio.get_running_loop().time())
            if len(banned_s) > 1:
                return None
            return web.Response(status=418, text="{}", headers={"Retry-After": "0.6"})

        venue.answer = answer
        feed = feed_of(venue)
        async with running(feed, subscriptions()) as sink:
            await sink.until(lambda: FeedState.BROKEN in sink.states)
            feed.retry_now()
            await venue.wait_for(BTC)
        assert banned_s[1] - banned_s[0] >= 0.6

    with_venue(scenario)


def test_run_again_with_other_symbols_repairs_the_time_between() -> None:
    async def scenario(venue: Venue) -> None:
        feed = feed_of(venue)
        async with running(feed, subscriptions(trades=True)[:1]) as first:
            await venue.wait_for("btcusdt@aggTrade")
            await venue.trade("BTCUSDT", 1)
            await first.until(lambda: len(first.trades) == 1)
        await venue.trade("BTCUSDT", 2, is_told=False)
        async with running(feed, subscriptions(trades=True)) as second:
            await venue.wait_for("btcusdt@aggTrade", "ethusdt@aggTrade")
            await venue.trade("ETHUSDT", 7)
            await second.until(lambda: len(second.trades) == 2)
        assert (trade_times(second), trade_times(second, 1)) == ([2], [7])

    with_venue(scenario)


def test_what_is_added_to_a_living_connection_is_told_beside_the_rest_which_loses_nothing() -> None:
    async def scenario(venue: Venue) -> None:
        feed, wanted = feed_of(venue, now_ns=lambda: HALF_PAST_NS), subscriptions(trades=True)
        async with running(feed, wanted[:1]) as sink:
            await venue.wait_for("btcusdt@aggTrade")
            await venue.trade("BTCUSDT", 1)
            await sink.until(lambda: len(sink.trades) == 1)
            sockets = set(venue.sockets)
            feed.add(subscriptions(trades=True, intervals_ns=(MINUTE_NS,)))
            for number in range(2, 50):
                await venue.trade("BTCUSDT", number)
            await venue.wait_for(ETH, "ethusdt@aggTrade", "ethusdt@kline_1m", "btcusdt@kline_1m")
            assert sockets <= set(venue.sockets)
            await venue.trade("ETHUSDT", 7)
            await venue.send(ETH, book_ticker("ETHUSDT", 10, 11))
            minute = "btcusdt@kline_1m"
            await venue.send(minute, kline("BTCUSDT", NOW_MS, 101), kline("BTCUSDT", NOW_MS + 60_000, 102))
            await venue.send(BTC, book_ticker("BTCUSDT", 100, 101))
            await sink.until(lambda: len(sink.trades) == 50 and len(sink.quotes) == 2 and len(sink.bars) == 1)
        assert (trade_times(sink), trade_times(sink, 1)) == (list(range(1, 50)), [7])
        assert {row[0] for row in sink.quotes} == {0, 1}
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]

    with_venue(scenario)


def test_what_was_added_is_wanted_again_after_a_lost_connection() -> None:
    async def scenario(venue: Venue) -> None:
        feed, wanted = feed_of(venue), subscriptions()
        async with running(feed, wanted[:1]) as sink:
            await sink.until(lambda: sink.states == [FeedState.CONNECTING])
            feed.add(wanted[1:])
            await venue.wait_for(BTC, ETH)
            feed.add(subscriptions(trades=True)[:1])
            await venue.wait_for("btcusdt@aggTrade")
            venue.drop()
            await sink.until(lambda: FeedState.RECONNECTING in sink.states)
            await venue.wait_for(BTC, ETH, "btcusdt@aggTrade")

    with_venue(scenario)


def test_what_the_venue_does_not_have_cannot_be_added_and_the_rest_goes_on() -> None:
    async def scenario(venue: Venue) -> None:
        feed, wanted = feed_of(venue), subscriptions()
        other = replace(wanted[0], key=wanted[0].key._replace(symbol=Symbol("BTC/USDTT")))
        async with running(feed, wanted) as sink:
            await venue.wait_for(BTC)
            with pytest.raises(UnknownInstrument, match=r"did you mean BTC/USDT"):
                feed.add([other])
            with pytest.raises(BadInput, match=r"no bars of 5s on binance"):
                feed.add(subscriptions(intervals_ns=(5 * SECOND_NS,)))
            await venue.send(BTC, book_ticker("BTCUSDT", 100, 101))
            await sink.until(lambda: len(sink.quotes) == 1)
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]

    with_venue(scenario)


def test_what_the_venue_does_not_have_cannot_be_added_between_two_connections_either() -> None:
    async def scenario(venue: Venue) -> None:
        feed = feed_of(venue)
        async with running(feed, subscriptions()) as sink:
            await venue.wait_for(BTC)
            venue.refuses_sockets = True
            venue.drop()
            await sink.until(lambda: FeedState.RECONNECTING in sink.states)
            with pytest.raises(BadInput, match=r"no bars of 5s on binance"):
                feed.add(subscriptions(intervals_ns=(5 * SECOND_NS,)))
            venue.refuses_sockets = False
            await venue.wait_for(BTC)

    with_venue(scenario)


def test_rules_that_are_asked_for_again_are_told_alone_until_one_of_them_is_gone() -> None:
    async def scenario(venue: Venue) -> None:
        feed, both = feed_of(venue, pace=IMPATIENT), [Symbol("BTC/USDT"), Symbol("ETH/USDT")]
        assert [one.symbol for one in await feed.instruments(both)] == both
        assert [one.symbol for one in await feed.instruments([both[1]])] == ["ETH/USDT"]
        assert venue.rules_told == [["BTCUSDT", "ETHUSDT"], ["ETHUSDT"]]
        venue.gone = {"ETHUSDT"}
        with pytest.raises(UnknownInstrument, match="ETH/USDT: not on binance"):
            await feed.instruments(both)
        assert [one.symbol for one in await feed.instruments()] == ["BTC/USDT"]

    with_venue(scenario)


def test_who_asks_for_all_rules_while_another_does_is_given_the_same_answer() -> None:
    async def scenario(venue: Venue) -> None:
        feed = feed_of(venue)
        await asyncio.gather(feed.instruments(), feed.instruments())
        assert len(venue.rules_told) == 1

    with_venue(scenario)


def test_a_feed_that_does_not_run_takes_nothing_up() -> None:
    async def scenario(venue: Venue) -> None:
        with pytest.raises(BadInput, match="does not run"):
            feed_of(venue).add(subscriptions())

    with_venue(scenario)


def test_a_symbol_that_is_listed_no_more_is_stale_and_the_others_go_on() -> None:
    async def scenario(venue: Venue) -> None:
        wanted = subscriptions()
        gone = replace(wanted[1], key=wanted[1].key._replace(symbol=Symbol("OLD/USDT")))
        async with running(feed_of(venue), [wanted[0], gone]) as sink:
            await venue.wait_for(BTC)
            await venue.send(BTC, book_ticker("BTCUSDT", 100, 101))
            await sink.until(lambda: len(sink.quotes) == 1)
        (stale,) = [status for status in sink.statuses if status.state is FeedState.STALE]
        assert stale.key == gone.key and "nova:OLD/USDT: not on binance" in stale.reason

    with_venue(scenario)


def test_close_ends_the_run_and_says_so() -> None:
    async def scenario(venue: Venue) -> None:
        feed, sink = feed_of(venue), ToldSink()
        task = asyncio.create_task(feed.run(subscriptions(), sink))
        await venue.wait_for(BTC)
        await feed.close()
        assert task.cancelled()
        assert sink.states[-1] is FeedState.STOPPED

    with_venue(scenario)


def test_a_symbol_that_the_venue_does_not_have_is_refused_with_the_nearest() -> None:
    async def scenario(venue: Venue) -> None:
        with pytest.raises(UnknownInstrument, match=r"nova:BTC/USDTT: not on binance; did you mean BTC/USDT"):
            await feed_of(venue).instruments([Symbol("BTC/USDTT")])

    with_venue(scenario)


def test_a_bar_length_that_the_venue_does_not_have_is_refused_with_those_it_has() -> None:
    async def scenario(venue: Venue) -> None:
        with pytest.raises(BadInput, match=r"no bars of 5s on binance; it has 1s, 1m"):
            await feed_of(venue).run(subscriptions(intervals_ns=(5 * SECOND_NS,)), ToldSink())

    with_venue(scenario)
