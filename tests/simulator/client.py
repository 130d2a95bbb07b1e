"""A simulated exchange in a thread of its own, and the unmodified ccxt.pro client that trades against it."""

import asyncio
import json
import threading
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

from workstation.exchanges.ccxt_client import open_client
from workstation.exchanges.settings import VenueSettings
from workstation.model.ids import Venue
from workstation.simulator.joined_source import JoinedSource
from workstation.simulator.market_source import MarketSource, ModelSource
from workstation.simulator.markets import MarketModel
from workstation.simulator.server import ServerSettings, SimulatedExchanges, account_of
from workstation.simulator.settings import BTC, ETH, NOVA, ORION
from workstation.simulator.wires import WIRES

SEED = 7
BRISK = 200.0
"""Quotes per second of all markets together, so that no test waits for the next one."""
WIRED = {
    "nova": "bybit",
    "orion": "gate",
    "corvus": "bitvavo",
    "lyra": "mexc",
    "draco": "binance",
    "cetus": "binanceusdm",
}
"""The venues of the server that has one for each protocol."""
PATIENCE_S = 20.0


def a_source(quotes_per_second: float | None = None) -> ModelSource:
    """Two symbols on two venues."""
    model = MarketModel(seed=SEED, venues=(NOVA, ORION), symbols=(BTC.spot(), ETH.spot()))
    return ModelSource(model, quotes_per_second)


BASIS_BPS = 6.0


def a_wired_source() -> JoinedSource:
    """Two symbols on a venue for each protocol, and two perpetuals where the protocol has some."""
    known = {one.venue: one for one in (NOVA, ORION)}
    venues = {name: known.get(Venue(name), replace(NOVA, venue=Venue(name))) for name in WIRED}
    spot = MarketModel(seed=SEED, venues=tuple(venues.values()), symbols=(BTC.spot(), ETH.spot()))
    having = tuple(venues[name] for name, wire in WIRED.items() if WIRES[wire].has_perpetuals)
    symbols = tuple(replace(symbol, basis_bps=BASIS_BPS) for symbol in (BTC, ETH))
    perpetuals = MarketModel(seed=SEED, venues=having, symbols=symbols)
    return JoinedSource([ModelSource(spot, BRISK), ModelSource(perpetuals, BRISK / len(venues))])


@contextmanager
def running_exchanges(source: MarketSource, settings: ServerSettings) -> Iterator[SimulatedExchanges]:
    """The server, listening, until the block ends."""
    loop = asyncio.new_event_loop()
    exchanges = SimulatedExchanges(source, settings)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(exchanges.start(), loop).result(60)
        yield exchanges
    finally:
        asyncio.run_coroutine_threadsafe(exchanges.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def control(exchanges: SimulatedExchanges, what: str, **fields: Any) -> Any:
    """POST /_control/<what>."""
    body = json.dumps(fields).encode()
    with urllib.request.urlopen(f"{exchanges.url}/_control/{what}", body, timeout=5) as answer:
        return json.load(answer)


def clear_faults(exchanges: SimulatedExchanges) -> None:
    """DELETE /_control/faults."""
    request = urllib.request.Request(f"{exchanges.url}/_control/faults", method="DELETE")
    with urllib.request.urlopen(request, timeout=5):
        pass


@asynccontextmanager
async def a_client(
    exchanges: SimulatedExchanges, name: str = "alice", *, venue: str = "nova", timeout_s: float = 10.0
) -> AsyncIterator[Any]:
    """ccxt.pro's client of the venue's protocol, with an account's keys, numbers as strings, and its markets loaded."""
    url, exchange = f"{exchanges.url}/{venue}", exchanges.venues[venue].kind.name
    settings = VenueSettings(venue=Venue(venue), exchange=exchange, url=url, timeout_s=timeout_s)
    client = open_client(settings)
    client.apiKey, client.secret = f"{name}-key", f"{name}-secret"
    client.number = str
    client.options["operatorId"] = 1  # Bitvavo's orders are somebody's
    client.timeout_on_exit = 1
    client.enableRateLimit = False
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


def run(scene: Coroutine[Any, Any, None]) -> None:
    """Runs a scene to its end, which must come."""

    async def bounded() -> None:
        await asyncio.wait_for(scene, 3 * PATIENCE_S)

    asyncio.run(bounded())


async def until(watch: Callable[[], Coroutine[Any, Any, Any]], holds: Callable[[Any], bool]) -> Any:
    """Awaits updates until one is as wanted."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            update = await watch()
            if holds(update):
                return update


async def wanted(exchanges: SimulatedExchanges, venue: str, stream: str) -> None:
    """Until somebody listens to the stream."""
    async with asyncio.timeout(PATIENCE_S):
        while not exchanges.venues[venue].hub.is_wanted(stream):
            await asyncio.sleep(0.005)


async def low_price(client: Any, symbol: str) -> str:
    """A price that no one sells at: 10 % under the market."""
    ticker = await client.fetch_ticker(symbol)
    found: str = client.price_to_precision(symbol, float(ticker["last"]) * 0.9)
    return found


NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "judy", "kim")
ACCOUNTS = (*map(account_of, NAMES), account_of("poor", USDT=10, BTC=0))
