"""What Binance's futures said in 2021, through ccxt's `binanceusdm` into a sink, against a plain reading of it.

ccxt asks for plain streams at `/public/ws` and `/market/ws`; the capture is of combined ones, with the same messages.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.exchanges.captured import BinanceFutures, Frame, binance_frames
from tests.exchanges.replayed import Followed, a_feed, serve, subscribed, tick, told_books
from tests.exchanges.sinks import ToldSink, running
from workstation.exchanges.ccxt_parse import Refusal
from workstation.model.durations import MINUTE_NS, MS_NS
from workstation.model.market import (
    interval_code,
)
from workstation.ports.feed import FeedState

pytestmark = pytest.mark.shared

LEVELS = 20
BINANCE = {f"{coin}/USDT:USDT": f"{coin}USDT" for coin in ("SUSHI", "AKRO", "KEEP", "CTK")}
BINANCE_NAMES = list(BINANCE.values())


def binance_of(shared_dir: Path) -> tuple[BinanceFutures, list[Frame]]:
    frames = binance_frames(shared_dir / "data" / "raw_ws" / "BINANCE_FUTURES.ws.1.0.gz")
    quotes = [frame.told for frame in frames if frame.told["e"] == "bookTicker"]
    markets = [
        {
            "symbol": name,
            "status": "TRADING",
            "contractType": "PERPETUAL",
            "baseAsset": name.removesuffix("USDT"),
            "quoteAsset": "USDT",
            "marginAsset": "USDT",
            "filters": [
                {
                    "filterType": "PRICE_FILTER",
                    "tickSize": tick([q[side] for q in quotes if q["s"] == name for side in "ab"]),
                },
                {"filterType": "LOT_SIZE", "stepSize": "1", "minQty": "1"},
            ],
        }
        for name in BINANCE_NAMES
    ]
    return BinanceFutures(markets), frames


def of_kind(frames: Sequence[Frame], kind: str, name: str) -> list[dict[str, Any]]:
    return [frame.told for frame in frames if frame.told["e"] == kind and frame.told["s"] == name]


def test_the_capture_of_binance_is_whole(shared_dir: Path) -> None:
    _, frames = binance_of(shared_dir)
    kinds = [frame.told["e"] for frame in frames]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "bookTicker": 613,
        "depthUpdate": 764,
        "aggTrade": 91,
        "kline": 67,
    }
    for name in BINANCE_NAMES:
        updates = of_kind(frames, "depthUpdate", name)
        assert all(later["pu"] == update["u"] for update, later in pairwise(updates))
        ids = [trade["a"] for trade in of_kind(frames, "aggTrade", name)]
        assert ids == list(range(ids[0], ids[0] + len(ids)))


@pytest.mark.parametrize("number", [lambda f: f["u"], lambda f: (f["U"] + f["u"]) // 2], ids=["its end", "within"])
def test_binance_futures_every_quote_trade_bar_and_book_is_told_once_and_right(
    shared_dir: Path, number: Callable[[dict[str, Any]], int]
) -> None:
    """The snapshot that the protocol wants is of the frames played until then, its number one of their updates."""
    venue, frames = binance_of(shared_dir)
    venue.number = number
    begun = asyncio.Event()

    async def hold(path: str) -> None:
        if path.endswith("depth"):
            await begun.wait()

    venue.before_answer = hold

    async def scenario() -> None:
        venue.at_ns = frames[0].received_ns
        feed = a_feed(venue, "binanceusdm")
        wanted = subscribed(list(BINANCE), trades=True, intervals_ns=(MINUTE_NS,), book_levels=LEVELS)
        async with running(feed, wanted) as sink:
            await venue.wait_for(*{frame.topic for frame in frames})
            followed = Followed(venue, sink, BINANCE_NAMES, LEVELS)
            for frame in frames[:200]:
                await venue.play(frame)
            begun.set()
            for name in BINANCE_NAMES:
                await followed.look(name)
            await followed.play(frames[200:], lambda frame: frame.told["s"])
            await sink.until(lambda: (len(sink.quotes), len(sink.trades), len(sink.bars)) == (613, 91, 4))
        followed.assert_told_each_once()
        check_binance(sink, frames)
        assert feed.refusals.total == 0, feed.refusals.last
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]

    serve(venue, scenario)


def check_binance(sink: ToldSink, frames: Sequence[Frame]) -> None:
    for index, name in enumerate(BINANCE_NAMES):
        assert [row[1:] for row in sink.quotes if row[0] == index] == [
            (told["E"] * MS_NS, *(float(told[key]) for key in "baBA")) for told in of_kind(frames, "bookTicker", name)
        ]
        assert [row[1:] for row in sink.trades if row[0] == index] == [
            (told["T"] * MS_NS, float(told["p"]), float(told["q"]), told["m"])
            for told in of_kind(frames, "aggTrade", name)
        ]
        closed = [told["k"] for told in of_kind(frames, "kline", name) if told["k"]["x"]]
        assert [row[1:] for row in sink.bars if row[0] == index] == [
            (interval_code(MINUTE_NS), (k["T"] + 1) * MS_NS, *(float(k[key]) for key in "ohlcv")) for k in closed
        ]
        times = {told["E"] * MS_NS for told in of_kind(frames, "depthUpdate", name)}
        assert all(row[1] in times for row in sink.books if row[0] == index)


def test_f18_binance_futures_a_depth_update_left_out_is_noticed_and_no_wrong_book_is_told(shared_dir: Path) -> None:
    venue, frames = binance_of(shared_dir)
    broken = "SUSHIUSDT"
    updates = [frame for frame in frames if frame.told["e"] == "depthUpdate" and frame.told["s"] == broken]
    left_out = updates[100]

    async def scenario() -> None:
        venue.at_ns = frames[0].received_ns
        feed = a_feed(venue, "binanceusdm")
        async with running(feed, subscribed(list(BINANCE)[:1], quotes=False, book_levels=LEVELS)) as sink:
            venue.before_answer = no_answer_before(venue, broken)
            await venue.wait_for(left_out.topic)
            followed = Followed(venue, sink, [broken], LEVELS)
            await venue.play(updates[0])
            await followed.play(updates[1:100], lambda frame: broken)
            await venue.play(left_out, is_told=False)
            right, known = [venue.book(broken).best(LEVELS)], len(sink.books)
            for update in updates[101:]:
                await venue.play(update)
                right.append(venue.book(broken).best(LEVELS))
                await asyncio.sleep(0.01)  # spreads the retaking of the book over many updates
            await sink.until(lambda: told_books(sink, 0)[-1] == right[-1])
            assert all(book in right for book in told_books(sink, 0)[known:]), "a book was told that never was"
        assert feed.refusals.counts == {Refusal.BROKEN_BOOK: 1}, feed.refusals.last
        assert sum(path.endswith("/depth") for path in venue.asked) == 2
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]

    serve(venue, scenario)


def no_answer_before(venue: BinanceFutures, name: str) -> Callable[[str], Awaitable[None]]:
    async def hold(path: str) -> None:
        while path.endswith("depth") and name not in venue.books:
            await asyncio.sleep(0.001)

    return hold
