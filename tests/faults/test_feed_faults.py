"""Faults of a venue's words alone, over real sockets on loopback: torn frames, stale prices, absurd figures, bombs."""

import asyncio
import json
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from tests.exchanges.sinks import NOW_NS, ToldSink, a_venue, feed_of, running, subscriptions
from tests.exchanges.venue import Venue, agg_trade, book_ticker, exchange_info, kline
from workstation.errors import VenueUnavailable
from workstation.exchanges.answers import MOST_BYTES
from workstation.exchanges.ccxt_parse import Refusal
from workstation.model.durations import MINUTE_NS, MS_NS
from workstation.ports.feed import FeedState

BTC, ETH = "btcusdt@bookTicker", "ethusdt@bookTicker"
NOW_MS = NOW_NS // MS_NS


def with_venue(scenario: Callable[[Venue], Awaitable[None]]) -> None:
    async def run() -> None:
        async with a_venue() as venue:
            await scenario(venue)

    asyncio.run(run())


def numbers(sink: ToldSink) -> list[int]:
    """The trades' own, by the end of their times."""
    return [row[1] // MS_NS - 1_700_000_000_000 for row in sink.trades]


def test_f17_a_socket_torn_within_a_frame_tells_nothing_of_it_and_the_gap_is_mended() -> None:
    async def scenario(venue: Venue) -> None:
        async with running(feed_of(venue), subscriptions(trades=True)[:1]) as sink:
            await venue.wait_for(BTC, "btcusdt@aggTrade")
            await venue.trade("BTCUSDT", 1)
            await sink.until(lambda: len(sink.trades) == 1)
            await venue.trade("BTCUSDT", 2, is_told=False)
            frame = json.dumps({"e": "aggTrade", "E": 1, "s": "BTCUSDT", **venue.trades["BTCUSDT"][-1], "x": "-" * 200})
            venue.tear("btcusdt@aggTrade", frame)
            await sink.until(lambda: FeedState.RECONNECTING in sink.states)
            await venue.wait_for(BTC, "btcusdt@aggTrade")
            await venue.trade("BTCUSDT", 3)
            await venue.send(BTC, book_ticker("BTCUSDT", 100, 101))
            await sink.until(lambda: len(sink.trades) == 3 and bool(sink.quotes))
        assert numbers(sink) == [1, 2, 3]
        assert [row[2:4] for row in sink.quotes] == [(100.0, 101.0)]

    with_venue(scenario)


def repeated(name: str, number: int, bid: float) -> str:
    """The same best prices under another number."""
    best = {"s": name, "b": f"{bid:.2f}", "B": "1.5", "a": f"{bid + 1:.2f}", "A": "2.5"}
    return json.dumps({"u": number} | best)


async def repeat(venue: Venue, bids: dict[str, float]) -> None:
    """Says the same again and again, always under a new number, to whoever listens."""
    number = 0
    while True:
        number += 1
        for stream, name in ((BTC, "BTCUSDT"), (ETH, "ETHUSDT")):
            await venue.send(stream, repeated(name, number, bids[name]))
        await asyncio.sleep(0.01)


def test_f19_a_stale_book_under_fresh_numbers_is_found_out_and_told_no_more_until_it_moves() -> None:
    async def scenario(venue: Venue) -> None:
        bids = {"BTCUSDT": 100.0, "ETHUSDT": 10.0}
        venue.tops = {"BTCUSDT": (105.0, 106.0), "ETHUSDT": (10.0, 11.0)}  # bitcoin's has moved on
        feed = feed_of(venue, stale_after_s=0.5)
        async with running(feed, subscriptions()) as sink:
            saying = asyncio.create_task(repeat(venue, bids))
            try:
                await sink.until(lambda: FeedState.STALE in sink.states)
                stale = next(status for status in sink.statuses if status.state is FeedState.STALE)
                assert stale.key is not None and stale.key.symbol == "BTC/USDT"
                await sink.until(lambda: FeedState.RECONNECTING in sink.states)
                known, others = len(of(sink, 0)), len(of(sink, 1))
                await sink.until(lambda: len(of(sink, 1)) > others + 150)  # three times the patience
                assert len(of(sink, 0)) == known, "a price was told that the venue itself contradicts"
                assert feed.refusals.counts[Refusal.STALE] > 0
                assert sink.states.count(FeedState.RECONNECTING) == 1
                bids["BTCUSDT"] = 105.0
                await sink.until(lambda: len(of(sink, 0)) > known)
                assert of(sink, 0)[-1][2:4] == (105.0, 106.0)
                await sink.until(lambda: sink.statuses[-1].reason == "talks again")
            finally:
                saying.cancel()

    with_venue(scenario)


def test_f19_what_the_venue_confirms_is_believed_again_though_it_has_not_moved() -> None:
    async def scenario(venue: Venue) -> None:
        venue.tops = {"BTCUSDT": (105.0, 106.0), "ETHUSDT": (10.0, 11.0)}
        async with running(feed_of(venue, stale_after_s=0.2), subscriptions()) as sink:
            saying = asyncio.create_task(repeat(venue, {"BTCUSDT": 100.0, "ETHUSDT": 10.0}))
            try:
                await sink.until(lambda: FeedState.RECONNECTING in sink.states)
                known = len(of(sink, 0))
                venue.tops["BTCUSDT"] = (100.0, 101.0)  # back where the stream has stood all the time
                await sink.until(lambda: len(of(sink, 0)) > known)
            finally:
                saying.cancel()

    with_venue(scenario)


def of(sink: ToldSink, index: int) -> list[tuple[Any, ...]]:
    return [row for row in sink.quotes if row[0] == index]


NO_NUMBERS: list[Any] = ["NaN", "nan", "Infinity", "-Infinity", "1e400", "", "abc", "1,5", None, [], {}, True]
NO_MARKETS: list[Any] = ["-1", "0", "-0.0", "1e308", -1, 0]
"""Numbers, though none that a price or a quantity can be."""
ABSURD = NO_NUMBERS + NO_MARKETS


@pytest.mark.parametrize("field", ["b", "B", "a", "A"])
def test_f30_no_quote_with_an_absurd_figure_passes_and_the_good_ones_between_do(field: str) -> None:
    good = {"u": 1, "s": "BTCUSDT", "b": "100", "B": "1.5", "a": "101", "A": "2.5"}

    async def scenario(venue: Venue) -> None:
        feed = feed_of(venue)
        async with running(feed, subscriptions()[:1]) as sink:
            await venue.wait_for(BTC)
            for value in ABSURD:
                await venue.send(BTC, json.dumps(good | {field: value}), json.dumps(good))
            await sink.until(lambda: len(sink.quotes) >= len(ABSURD))
        assert sink.quotes == [(0, 0, 100.0, 101.0, 1.5, 2.5)] * len(ABSURD)
        assert feed.refusals.total == len(ABSURD)
        assert FeedState.RECONNECTING not in sink.states

    with_venue(scenario)


def absurd_trades() -> list[dict[str, Any]]:
    """Figures that are none, and times over a minute ahead of ours: clocks may differ by so much."""
    figures = [agg_trade("BTCUSDT", 1, 100, NOW_MS) | {field: value} for field in "pq" for value in ABSURD]
    ahead = [agg_trade("BTCUSDT", 1, 100, NOW_MS + ms) for ms in (61_000, 86_400_000, 10**15)]
    return [*figures, *ahead]


def test_f30_no_trade_with_an_absurd_figure_or_from_the_future_passes() -> None:
    async def scenario(venue: Venue) -> None:
        feed, stream = feed_of(venue), "btcusdt@aggTrade"
        async with running(feed, subscriptions(trades=True)[:1]) as sink:
            await venue.wait_for(stream)
            for number, trade in enumerate(absurd_trades()):
                await venue.send(stream, json.dumps({"e": "aggTrade", "E": NOW_MS, "s": "BTCUSDT", **trade}))
                await venue.trade("BTCUSDT", number)
            await sink.until(lambda: len(sink.trades) >= len(absurd_trades()))
        assert numbers(sink) == list(range(len(absurd_trades())))
        assert feed.refusals.total == len(absurd_trades())
        assert feed.refusals.counts[Refusal.FUTURE] == 3
        assert FeedState.RECONNECTING not in sink.states

    with_venue(scenario)


def test_f30_no_candle_from_the_future_or_at_odds_with_itself_passes() -> None:
    def candle(open_ms: int, **changes: str) -> str:
        told = json.loads(kline("BTCUSDT", open_ms, 100))
        return json.dumps(told | {"k": told["k"] | changes})

    changes = [{"h": "50"}, {"l": "105"}, {"o": "0"}, {"c": "NaN"}, {"v": "-1"}, {"v": "Infinity"}]
    wrong = [candle(NOW_MS + 86_400_000), candle(NOW_MS + 10**15), *(candle(NOW_MS, **change) for change in changes)]

    async def scenario(venue: Venue) -> None:
        feed, stream = feed_of(venue, now_ns=lambda: NOW_NS + MINUTE_NS // 2), "btcusdt@kline_1m"
        async with running(feed, subscriptions(intervals_ns=(MINUTE_NS,))[:1]) as sink:
            await venue.wait_for(stream)
            await venue.send(stream, kline("BTCUSDT", NOW_MS, 100), *wrong, kline("BTCUSDT", NOW_MS + 60_000, 101))
            await sink.until(lambda: bool(sink.bars))
        assert [row[6] for row in sink.bars] == [100.0], "one bar closed, and it is the good one"
        assert feed.refusals.total == len(wrong)
        assert feed.refusals.counts[Refusal.FUTURE] == 2

    with_venue(scenario)


def test_f31_json_nested_without_end_is_one_broken_frame() -> None:
    async def scenario(venue: Venue) -> None:
        feed = feed_of(venue)
        async with running(feed, subscriptions()[:1]) as sink:
            await venue.wait_for(BTC)
            lists = "[" * 200_000 + "]" * 200_000
            for deep in (lists, '{"a":' * 200_000 + "1" + "}" * 200_000, '{"x":' + lists + "}"):
                await venue.send(BTC, deep, book_ticker("BTCUSDT", 100, 101))
            await sink.until(lambda: len(sink.quotes) == 3)
        assert feed.refusals.counts == {Refusal.BROKEN_FRAME: 3}
        assert FeedState.RECONNECTING not in sink.states

    with_venue(scenario)


def packed(size: int) -> bytes:
    """That many zeros as gzip, a thousandth as long; never unpacked here."""
    press = zlib.compressobj(9, wbits=31)
    return b"".join(press.compress(bytes(2**20)) for _ in range(size >> 20)) + press.flush()


def test_f31_an_answer_that_unpacks_without_end_is_cut_off() -> None:
    bomb = packed(6 * MOST_BYTES)

    def answer(path: str) -> web.Response | None:
        packing = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return web.Response(body=bomb, headers=packing) if path.endswith("exchangeInfo") else None

    async def scenario(venue: Venue) -> None:
        feed = feed_of(venue)
        venue.answer = answer
        tracemalloc.start()
        try:
            with pytest.raises(VenueUnavailable, match="exchangeInfo"):
                await feed.instruments()
            assert tracemalloc.get_traced_memory()[1] < 4 * MOST_BYTES
        finally:
            tracemalloc.stop()
        venue.answer = lambda path: None
        assert len(await feed.instruments()) == 2, "and the next answer is read"

    with_venue(scenario)


def test_f31_an_answer_that_is_long_and_true_is_read() -> None:
    async def scenario(venue: Venue) -> None:
        rules = json.dumps(exchange_info())
        text = rules + " " * (MOST_BYTES - len(rules))
        venue.answer = lambda path: web.Response(text=text, content_type="application/json")
        assert len(await feed_of(venue).instruments()) == 2

    with_venue(scenario)


@pytest.mark.slow
def test_f31_ten_thousand_messages_at_once_are_all_told_in_order() -> None:
    async def scenario(venue: Venue) -> None:
        async with running(feed_of(venue), subscriptions(trades=True)[:1]) as sink:
            await venue.wait_for(BTC, "btcusdt@aggTrade")
            for number in range(5_000):
                await venue.trade("BTCUSDT", number)
                await venue.send(BTC, book_ticker("BTCUSDT", 100 + number, 101 + number))
            await sink.until(lambda: (len(sink.trades), len(sink.quotes)) == (5_000, 5_000), timeout_s=60)
        assert numbers(sink) == list(range(5_000))
        assert [row[2] for row in sink.quotes] == [100.0 + number for number in range(5_000)]

    with_venue(scenario)
