"""A simulated exchange in a thread of its own, and the unmodified ccxt.pro client that trades against it."""

import asyncio
import json
import threading
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from workstation.exchanges.ccxt_client import open_client
from workstation.exchanges.settings import VenueSettings
from workstation.model.ids import Venue
from workstation.simulator.market_source import ModelSource
from workstation.simulator.markets import MarketModel
from workstation.simulator.server import ServerSettings, SimulatedExchanges, account_of
from workstation.simulator.settings import BTC, ETH, NOVA, ORION

SEED = 7


def a_source(quotes_per_second: float | None = None) -> ModelSource:
    """Two symbols on two venues."""
    model = MarketModel(seed=SEED, venues=(NOVA, ORION), symbols=(BTC.spot(), ETH.spot()))
    return ModelSource(model, quotes_per_second)


@contextmanager
def running_exchanges(source: ModelSource, settings: ServerSettings) -> Iterator[SimulatedExchanges]:
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
    """ccxt.pro's binance with the keys of an account, its numbers as strings, its markets loaded."""
    url = f"{exchanges.url}/{venue}"
    settings = VenueSettings(venue=Venue(venue), exchange="binance", url=url, timeout_s=timeout_s)
    client = open_client(settings)
    client.apiKey, client.secret = f"{name}-key", f"{name}-secret"
    client.number = str
    client.timeout_on_exit = 1
    client.enableRateLimit = False
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


def placed_ask(exchanges: SimulatedExchanges, market: str, price: object, quantity: object) -> None:
    """The venue offers this, and nothing else, until it is taken back."""
    control(exchanges, "book", venue="nova", market=market, asks=[[price, quantity]])


NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi")
ACCOUNTS = (*map(account_of, NAMES), account_of("poor", USDT=10, BTC=0))
