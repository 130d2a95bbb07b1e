"""The feed at the project's own simulated exchange, over real sockets and the real clock."""

import asyncio
import random
import time

from tests.exchanges.sinks import QUICK, running, subscriptions
from workstation.cli.exchange_simulation import model_source
from workstation.exchanges.ccxt_feed import CcxtFeed
from workstation.exchanges.settings import VenueSettings
from workstation.model.ids import Venue
from workstation.model.market import SECOND_NS
from workstation.ports.feed import FeedState
from workstation.simulator.server import ServerSettings, SimulatedExchanges


def test_quotes_and_trades_of_the_simulated_exchange_arrive_and_nothing_is_refused() -> None:
    async def scenario() -> None:
        exchanges = SimulatedExchanges(model_source("nova", 1, None), ServerSettings(port=0))
        await exchanges.start()
        settings = VenueSettings(venue=Venue("nova"), exchange="binance", url=f"{exchanges.url}/nova")
        feed = CcxtFeed(settings, time.time_ns, rng=random.Random(1), pace=QUICK)
        try:
            instruments = {each.symbol: each for each in await feed.instruments()}
            async with running(feed, subscriptions(trades=True)) as sink:
                await sink.until(lambda: len({row[0] for row in sink.quotes}) == 2 and bool(sink.trades), timeout_s=60)
        finally:
            await exchanges.close()
        assert {"BTC/USDT", "ETH/USDT"} <= set(instruments)
        assert all(row[2] < row[3] for row in sink.quotes)
        assert all(abs(row[1] - time.time_ns()) < 60 * SECOND_NS for row in sink.trades)
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]
        assert feed.refusals.total == 0, feed.refusals.last

    asyncio.run(scenario())
