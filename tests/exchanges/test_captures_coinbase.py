"""What Coinbase's exchange said in 2021, through ccxt's `coinbaseexchange` into a sink, against a plain reading."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.exchanges.captured import CapturedVenue, Coinbase, Frame, coinbase_frames
from tests.exchanges.replayed import LOOKING, Book, Unhurried, a_feed, is_in_order, serve, subscribed, tick, told_books
from tests.exchanges.sinks import ToldSink, running, settings_of
from workstation.exchanges.ccxt_client import open_client
from workstation.exchanges.ccxt_connection import Connection
from workstation.exchanges.ccxt_parse import Refusals
from workstation.exchanges.intake import Stream
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.trade_series import TradeSeries
from workstation.model.durations import MS_NS
from workstation.ports.feed import Subscription

pytestmark = pytest.mark.shared

LEVELS = 20
COINBASE = (
    "SKL-USD",
    "DASH-BTC",
    "SKL-BTC",
    "BAND-BTC",
    "CRV-EUR",
    "NMR-EUR",
    "YFI-BTC",
    "BAND-GBP",
    "SKL-GBP",
    "NU-GBP",
)
COINBASE_SYMBOLS = [name.replace("-", "/") for name in COINBASE]


def coinbase_of(shared_dir: Path) -> tuple[Coinbase, list[Frame]]:
    frames = coinbase_frames(shared_dir / "data" / "raw_ws" / "COINBASE.ws.28.0.gz")
    markets = []
    for name in COINBASE:
        prices = [
            level[0] for frame in frames if frame.topic == f"level2:{name}" for level in frame.told.get("bids", ())
        ]
        rules = {"quote_increment": tick(prices), "base_increment": "0.01", "status": "online"}
        markets.append({"id": name} | rules)
    return Coinbase(markets), frames


def matches(frames: Sequence[Frame], name: str) -> list[tuple[Any, ...]]:
    """Its side is the maker's: where a seller waited, a buyer took."""
    found = [frame.told for frame in frames if frame.told["type"] == "match" and frame.told["product_id"] == name]
    return [(time_ns(one["time"]), float(one["price"]), float(one["size"]), one["side"] == "buy") for one in found]


def time_ns(text: str) -> int:
    """To the millisecond, as ccxt reads it."""
    return int(datetime.fromisoformat(text).timestamp() * 1_000) * MS_NS


def test_coinbase_every_trade_is_told_once_and_right_without_a_key(shared_dir: Path) -> None:
    venue, frames = coinbase_of(shared_dir)
    trades = [frame for frame in frames if frame.topic.startswith("matches")]

    async def scenario() -> None:
        venue.at_ns = frames[-1].received_ns
        feed = a_feed(venue, "coinbaseexchange")
        async with running(feed, subscribed(COINBASE_SYMBOLS, quotes=False, trades=True)) as sink:
            await venue.wait_for(*(f"matches:{name}" for name in COINBASE))
            for frame in trades:
                await venue.play(frame)
            await sink.until(lambda: len(sink.trades) >= 97)
        for index, name in enumerate(COINBASE):
            assert [row[1:] for row in sink.trades if row[0] == index] == matches(frames, name)
        assert len(sink.trades) == 97 and feed.refusals.total == 0, feed.refusals.last

    serve(venue, scenario)


def test_coinbase_every_top_of_a_book_is_a_quote_and_no_book_is_told_that_never_was(shared_dir: Path) -> None:
    """ccxt asks for a key before it subscribes to `level2`, so the connection has a client with one."""
    venue, frames = coinbase_of(shared_dir)
    updates = [frame for frame in frames if frame.topic.startswith("level2")]
    states: dict[str, list[Book]] = {name: [] for name in COINBASE}

    async def scenario() -> None:
        venue.at_ns = frames[-1].received_ns
        settings = settings_of(venue, exchange="coinbaseexchange", stale_after_s=60.0)
        async with connected(venue, settings, subscribed(COINBASE_SYMBOLS, book_levels=LEVELS)) as (sink, refusals):
            await venue.wait_for(*(f"level2:{name}" for name in COINBASE))
            for frame in updates:
                await venue.play(frame)
                states[frame.told["product_id"]].append(venue.book(frame.told["product_id"]).best(LEVELS))
            await sink.until(
                lambda: [told_books(sink, index)[-1:] for index in range(10)] == [each[-1:] for each in states.values()]
            )
        for index, name in enumerate(COINBASE):
            assert is_in_order(told_books(sink, index), states[name])
            tops = [(bids[0][0], asks[0][0], bids[0][1], asks[0][1]) for bids, asks in states[name]]
            assert [row[2:] for row in sink.quotes if row[0] == index] == [top for top, _ in groupby(tops)]
        assert refusals.total == 0, refusals.last

    serve(venue, scenario)


@asynccontextmanager
async def connected(
    venue: CapturedVenue, settings: VenueSettings, wanted: Sequence[Subscription]
) -> AsyncIterator[tuple[ToldSink, Refusals]]:
    """A connection at work whose client has a key."""
    client, sink, refusals = open_client(settings, Unhurried()), ToldSink(), Refusals()
    client.apiKey, client.secret, client.password = "key", "c2VjcmV0", "password"
    client.open()
    await client.load_markets()
    streams = [Stream(subscription=each, trades=TradeSeries(), bars={}) for each in wanted]
    connection = Connection(
        client, settings, streams, sink, refusals=refusals, now_ns=venue.now_ns, limiter=RestLimiter(), pace=LOOKING,
        say=lambda *_: None, on_live=lambda: None,
    )  # fmt: skip
    work = asyncio.create_task(connection.run())
    try:
        yield sink, refusals
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await client.close()
