"""What a quote costs from the socket to the sink: through ccxt.pro, and beside it through bare aiohttp and json.

    python -m tests.benchmarks.feed

A process of its own sends; the cost is the receiver's processor time, so that the sender's does not count.
"""

import asyncio
import json
import multiprocessing
import random
import time
from collections.abc import Callable, Coroutine
from multiprocessing.connection import Connection
from typing import Any

import aiohttp

from tests.exchanges.sinks import QUICK, subscriptions
from tests.exchanges.venue import Venue, book_ticker
from workstation.exchanges.ccxt_feed import CcxtFeed
from workstation.exchanges.settings import VenueSettings
from workstation.model.ids import Venue as VenueName

QUOTES = 40_000
STREAMS = {"btcusdt@bookTicker": "BTCUSDT", "ethusdt@bookTicker": "ETHUSDT"}


def send_quotes(pipe: Connection) -> None:
    """The sender's process: a burst of quotes of two symbols, each time both are subscribed to."""

    async def serve() -> None:
        venue = Venue()
        await venue.start()
        pipe.send(venue.url)
        for _ in range(2):
            await venue.wait_for(*STREAMS, timeout_s=60)
            for number in range(QUOTES // 2):
                for stream, name in STREAMS.items():
                    await venue.send(stream, book_ticker(name, 100 + number % 1000, 101 + number % 1000))
            served = list(venue.sockets)
            while any(socket in venue.sockets for socket in served):
                await asyncio.sleep(0.05)
        await venue.stop()

    asyncio.run(serve())


class CountingSink:
    """Does next to nothing with a quote."""

    def __init__(self) -> None:
        self.count = 0
        self.done = asyncio.Event()

    def quote(self, *_: Any) -> None:
        self.count += 1
        if self.count == QUOTES:
            self.done.set()

    def status(self, _: Any) -> None:
        """Not measured."""

    trade = bar = quote


async def through_the_feed(url: str) -> tuple[float, float]:
    """Seconds of processor and of wall clock for all quotes, from the first on."""
    sink = CountingSink()
    feed = CcxtFeed(
        VenueSettings(venue=VenueName("nova"), exchange="binance", url=url),
        time.time_ns,
        rng=random.Random(1),
        pace=QUICK,
    )
    task = asyncio.create_task(feed.run(subscriptions(), sink))
    while not sink.count:
        await asyncio.sleep(0.001)
    cpu, wall = time.process_time(), time.perf_counter()
    await sink.done.wait()
    cost = time.process_time() - cpu, time.perf_counter() - wall
    task.cancel()
    await asyncio.wait([task])
    return cost


async def through_aiohttp(url: str) -> tuple[float, float]:
    """The same frames into the same sink, with nothing between but json."""
    sink, cpu, wall = CountingSink(), 0.0, 0.0
    address = f"{url}/stream.binance.com:9443/ws/0"
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        await socket.send_json({"method": "SUBSCRIBE", "params": list(STREAMS), "id": 1})
        await socket.receive()
        async for message in socket:
            quote = json.loads(message.data)
            sink.quote(0, 0, float(quote["b"]), float(quote["a"]), float(quote["B"]), float(quote["A"]))
            if sink.count == 1:
                cpu, wall = time.process_time(), time.perf_counter()
            if sink.count == QUOTES:
                break
        return time.process_time() - cpu, time.perf_counter() - wall


def main() -> None:
    """Prints a line for each way."""
    ours, theirs = multiprocessing.Pipe()
    sender = multiprocessing.get_context("spawn").Process(target=send_quotes, args=(theirs,), daemon=True)
    sender.start()
    url = ours.recv()
    ways: dict[str, Callable[[str], Coroutine[Any, Any, tuple[float, float]]]] = {
        "ccxt.pro into the sink": through_the_feed,
        "aiohttp and json into the sink": through_aiohttp,
    }
    for name, way in ways.items():
        cpu, wall = asyncio.run(way(url))
        print(
            f"{name:<32} {cpu / QUOTES * 1e6:6.1f} us a quote, {QUOTES / cpu:9,.0f} per CPU second, "
            f"{QUOTES / wall:9,.0f}/s by the wall clock"
        )
    sender.join(timeout=10)


if __name__ == "__main__":
    main()
