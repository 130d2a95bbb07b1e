"""The feed at the project's own simulated exchanges, over real sockets, whatever protocol they speak."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from tests.exchanges.sinks import QUICK, ToldSink, running, subscriptions
from tests.simulator.dialects import DIALECTS, Dialect
from workstation.cli.exchange_simulation import model_source
from workstation.errors import VenueUnavailable
from workstation.exchanges.ccxt_feed import CcxtFeed
from workstation.exchanges.download import CcxtPast
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.venue_facts import QuoteSource, facts_of
from workstation.model.durations import MINUTE_NS, MS_NS, SECOND_NS
from workstation.model.ids import InstrumentIndex, Symbol, Venue
from workstation.model.instrument import InstrumentKey, InstrumentKind
from workstation.ports.feed import FeedState, Subscription
from workstation.simulator.bar_history import BarHistory
from workstation.simulator.faults import Fault, FaultKind
from workstation.simulator.funding import MOST_RATE, fundings
from workstation.simulator.hosted_venue import HostedVenue
from workstation.simulator.market_source import ModelSource
from workstation.simulator.markets import MarketModel
from workstation.simulator.server import ServerSettings, SimulatedExchanges
from workstation.simulator.settings import BTC as BTC_SWAP
from workstation.simulator.settings import NOVA

BTC_SPOT = BTC_SWAP.spot()


class Place(NamedTuple):
    """A market at a wire: its symbol, the venue's name of it, and the streams that the feed listens to."""

    wire: str
    symbol: str
    market: str
    trades: str
    quotes: str

    @property
    def is_spot(self) -> bool:
        return ":" not in self.symbol


def spot_of(dialect: Dialect) -> Place:
    trades = "btcusdt@aggTrade" if dialect.wire == "binance" else dialect.stream("trades")
    return Place(dialect.wire, "BTC/USDT", dialect.market(), trades, dialect.stream("quotes"))


PLACES = {wire: spot_of(dialect) for wire, dialect in DIALECTS.items()} | {
    "mexc-perpetual": Place("mexc", "BTC/USDT:USDT", "BTC_USDT", "push.deal.BTC_USDT", "push.depth.BTC_USDT"),
    "binanceusdm": Place("binanceusdm", "BTC/USDT:USDT", "BTCUSDT", "btcusdt@aggTrade", "btcusdt@bookTicker"),
}
at_each_place = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
BURST = 3_000
MISSED = 20
"""Trades of a gap: far fewer than the 60 that the least generous of the venues tells again, since the market goes on
for as long as a busy machine takes to connect anew."""


@contextlib.asynccontextmanager
async def simulated(wire: str, speed: float = 1.0) -> AsyncIterator[SimulatedExchanges]:
    """One venue that speaks the protocol."""
    settings = ServerSettings(speed=speed, wires={"nova": wire})
    exchanges = SimulatedExchanges(model_source(f"nova:{wire}", 1, None), settings)
    await exchanges.start()
    try:
        yield exchanges
    finally:
        await exchanges.close()


def feed_at(
    exchanges: SimulatedExchanges, wire: str, now_ns: Callable[[], int] = time.time_ns, **fields: Any
) -> CcxtFeed:
    settings = VenueSettings(venue=Venue("nova"), exchange=wire, url=f"{exchanges.url}/nova", **fields)
    return CcxtFeed(settings, now_ns, rng=random.Random(1), pace=QUICK)


def wanted_at(place: Place, **fields: Any) -> list[Subscription]:
    """That of the place's market alone, as instrument 0."""
    (first, *_) = subscriptions(**fields)
    return [replace(first, key=InstrumentKey(first.key.venue, Symbol(place.symbol)))]


def has_quotes(place: Place) -> bool:
    """Whether it tells best prices by themselves, and not only as the top of a book."""
    facts = facts_of(place.wire)
    return (facts.quotes if place.is_spot else facts.swap_quotes) is not QuoteSource.BOOK


def best_now(exchanges: SimulatedExchanges, place: Place) -> tuple[float, ...]:
    """Best prices and their quantities at the venue."""
    market = exchanges.venues["nova"].exchange.markets[place.market]
    touch = market.book.touch()
    assert touch is not None
    prices = market.float_price(touch.bid), market.float_price(touch.ask)
    return *prices, market.float_quantity(touch.bid_lots), market.float_quantity(touch.ask_lots)


def told_trades(sink: ToldSink) -> list[tuple[Any, ...]]:
    """Time in ms, price, quantity and side of BTC's."""
    return [(row[1] // 10**6, *row[2:]) for row in sink.trades if row[0] == 0]


def true_trades(exchanges: SimulatedExchanges, place: Place) -> list[tuple[Any, ...]]:
    """The same of the venue itself, as many as it keeps."""
    kept = exchanges.venues["nova"].exchange.markets[place.market].trades
    return [(one.ts_ns // 10**6, one.price, one.quantity, one.seller_takes) for one in kept]


@pytest.mark.parametrize("wire", DIALECTS)
def test_quotes_and_trades_of_a_simulated_exchange_arrive_and_nothing_is_refused(wire: str) -> None:
    async def scenario() -> None:
        async with simulated(wire) as exchanges:
            feed = feed_at(exchanges, wire)
            instruments = {each.symbol: each for each in await feed.instruments()}
            async with running(feed, subscriptions(trades=True)) as sink:
                await sink.until(lambda: len({row[0] for row in sink.quotes}) == 2 and bool(sink.trades), timeout_s=60)
            own = {one.instrument.symbol: one.instrument for one in exchanges.venues["nova"].exchange.markets.values()}
        assert set(instruments) == set(own)
        for symbol, rules in own.items():
            found = instruments[symbol]
            contract = Decimal(1)
            if wire == "mexc" and rules.kind is InstrumentKind.LINEAR:  # its steps count contracts
                contract = {"BTC": Decimal("0.0001"), "ETH": Decimal("0.01"), "SOL": Decimal("0.1")}[rules.base]
            assert (found.kind, found.tick_size, found.contract_size) == (rules.kind, rules.tick_size, contract)
            assert found.lot_size * contract == rules.lot_size
            # of a perpetual the least value is not told
            value = rules.min_notional_quote if rules.kind is InstrumentKind.SPOT else 0
            assert (found.min_quantity * contract, found.min_notional_quote) == (rules.min_quantity, value)
        assert all(row[2] < row[3] for row in sink.quotes)
        assert all(abs(row[1] - time.time_ns()) < 60 * SECOND_NS for row in sink.trades)
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]
        assert feed.refusals.total == 0, feed.refusals.last

    asyncio.run(scenario())


@at_each_place
def test_each_quote_and_trade_of_a_burst_is_told_once_and_in_order(place: Place) -> None:
    async def scenario() -> None:
        async with simulated(place.wire) as exchanges:
            feed, venue = feed_at(exchanges, place.wire), exchanges.venues["nova"]
            async with running(feed, wanted_at(place, trades=True)) as sink:
                await sink.until(lambda: bool(sink.quotes and sink.trades), timeout_s=60)
                exchanges.advance()
                at_ms = venue.exchange.now_ns // 10**6
                market = venue.exchange.markets[place.market]
                best, quantities = best_now(exchanges, place)[:2], best_now(exchanges, place)[2:]
                before = len(sink.quotes)
                # the top of a book is told when it changes, and in a burst it does not
                times = BURST if has_quotes(place) else 0
                venue.burst(place.market, BURST)
                lot = market.float_quantity(1)
                wanted = [(at_ms, best[(number + 1) % 2], lot, number % 2 == 1) for number in range(BURST)]
                await sink.until(lambda: wanted[-1] in told_trades(sink)[-BURST:] and len(sink.trades) > BURST)
                told = told_trades(sink)
                first = next(place for place, one in enumerate(told) if one[0] == at_ms and one[2] == lot)
                await sink.until(lambda: len(told_trades(sink)) >= first + BURST)
                assert told_trades(sink)[first : first + BURST] == wanted
                await sink.until(lambda: [row[2:] for row in sink.quotes[before:]].count(best + quantities) >= times)
                await sink.until(lambda: sink.quotes[-1][2:] == best_now(exchanges, place))
            assert feed.refusals.total == 0, feed.refusals.last
            assert FeedState.RECONNECTING not in sink.states

    asyncio.run(scenario())


@at_each_place
def test_the_trades_missed_while_a_socket_was_lost_are_told_before_the_next(place: Place) -> None:
    async def scenario() -> None:
        async with simulated(place.wire) as exchanges:
            feed, venue = feed_at(exchanges, place.wire), exchanges.venues["nova"]
            async with running(feed, wanted_at(place, trades=True)) as sink:
                await sink.until(lambda: bool(sink.trades), timeout_s=60)
                first = told_trades(sink)[0]
                exchanges.advance()
                # from here on no trade is streamed, and then the sockets are torn
                exchanges.menu.add(Fault(kind=FaultKind.SEQUENCE_GAP, stream=place.trades))
                venue.burst(place.market, 1)  # and its like is the first of the next: two trades, and not one
                venue.burst(place.market, MISSED - 1)
                exchanges.menu.clear()
                for client in venue.hub:
                    client.abort()
                await sink.until(lambda: FeedState.RECONNECTING in sink.states)

                def is_whole() -> bool:
                    truth = true_trades(exchanges, place)
                    told = told_trades(sink)
                    since = truth[truth.index(first) :]
                    return len(told) >= MISSED and told == since[: len(told)] and len(since) - len(told) < 5

                await sink.until(is_whole, timeout_s=30)
                assert not [status.reason for status in sink.statuses if "may be missing" in status.reason]

    asyncio.run(scenario())


STREAMED = {name: place for name, place in PLACES.items() if not facts_of(place.wire).bars_by_rest}
ASKED_FOR = {name: place for name, place in PLACES.items() if name not in STREAMED}


@pytest.mark.parametrize("place", STREAMED.values(), ids=STREAMED)
def test_closed_bars_are_the_venues_and_none_is_left_out_over_a_lost_socket(place: Place) -> None:
    async def scenario() -> None:
        async with simulated(place.wire, speed=30.0) as exchanges:
            feed, venue = feed_at(exchanges, place.wire, exchanges.now_ns), exchanges.venues["nova"]
            async with running(feed, wanted_at(place, quotes=False, intervals_ns=(MINUTE_NS,))) as sink:
                await sink.until(lambda: len(sink.bars) >= 2, timeout_s=60)
                for client in venue.hub:
                    client.abort()
                await sink.until(lambda: len(sink.bars) >= 5, timeout_s=60)
            are_the_models(sink, venue.exchange.markets[place.market].instrument.key)

    asyncio.run(scenario())


def are_the_models(sink: ToldSink, key: InstrumentKey) -> None:
    """The bars that were told are those of the market model, without a gap."""
    ends = [row[2] for row in sink.bars]
    assert ends == list(range(ends[0], ends[0] + len(ends) * MINUTE_NS, MINUTE_NS))
    bars = model_source("nova:mexc", 1, None).minutes(key, ends[0] - MINUTE_NS, ends[-1])
    prices = list(zip(bars.open, bars.high, bars.low, bars.close, strict=True))
    assert [row[3:7] for row in sink.bars] == [tuple(map(float, one)) for one in prices]
    assert [row[7] for row in sink.bars] == pytest.approx(bars.volume.tolist(), abs=0.001)


@pytest.mark.parametrize("place", ASKED_FOR.values(), ids=ASKED_FOR)
def test_bars_that_are_not_streamed_are_asked_for_once_they_have_ended(place: Place) -> None:
    async def scenario() -> None:
        async with simulated(place.wire) as exchanges:
            # the feed's clock is five minutes late, and then right: the bars of that time have ended at once
            late_ns = 5 * MINUTE_NS
            feed, venue = feed_at(exchanges, place.wire, lambda: time.time_ns() - late_ns), exchanges.venues["nova"]
            async with running(feed, wanted_at(place, quotes=False, trades=True, intervals_ns=(MINUTE_NS,))) as sink:
                await wanted_stream(venue, place.trades)
                assert sink.bars == []
                late_ns = 0
                await sink.until(lambda: len(sink.bars) >= 5, timeout_s=60)
            are_the_models(sink, venue.exchange.markets[place.market].instrument.key)

    asyncio.run(scenario())


async def wanted_stream(venue: HostedVenue, stream: str) -> None:
    """Until somebody listens to it."""
    async with asyncio.timeout(60):
        while not venue.hub.is_wanted(stream):
            await asyncio.sleep(0.01)


@at_each_place
def test_broken_frames_are_counted_and_survived_and_a_silent_socket_is_replaced(place: Place) -> None:
    async def scenario() -> None:
        async with simulated(place.wire) as exchanges:
            feed, venue = feed_at(exchanges, place.wire, stale_after_s=2.5), exchanges.venues["nova"]

            async def next_quote() -> None:
                count = len(sink.quotes)
                venue.burst(place.market, 1)
                await sink.until(lambda: len(sink.quotes) > count)

            def noticed() -> int:
                return feed.refusals.total + sink.states.count(FeedState.RECONNECTING)

            async with running(feed, wanted_at(place)) as sink:
                await sink.until(lambda: bool(sink.quotes), timeout_s=60)
                for kind in (FaultKind.GARBLED, FaultKind.ABSURD):
                    before, refused = noticed(), feed.refusals.total
                    # what is wrong deep in a book is not seen: there, one after the other
                    exchanges.menu.add(Fault(kind=kind, stream=place.quotes, count=1 if has_quotes(place) else None))
                    venue.burst(place.market, 1)
                    if has_quotes(place):
                        await sink.until(lambda count=refused: feed.refusals.total > count)
                        await next_quote()
                        assert feed.refusals.total == refused + 1, feed.refusals.last
                    else:  # it was a change of the book, and what is wrong in a book stays there until it is replaced
                        await sink.until(lambda count=before: noticed() > count)
                        exchanges.menu.clear()
                        await sink.until(lambda: sink.quotes[-1][2:] == best_now(exchanges, place))
                lost = sink.states.count(FeedState.RECONNECTING)
                assert lost == 0 or not has_quotes(place)
                exchanges.menu.add(Fault(kind=FaultKind.HUGE, stream=place.quotes, count=1, size=2_000))
                await next_quote()
                assert sink.states.count(FeedState.RECONNECTING) == lost
                exchanges.menu.add(Fault(kind=FaultKind.SILENT_SOCKET, stream=place.quotes, count=1))
                venue.burst(place.market, 1)
                await sink.until(lambda: sink.states.count(FeedState.RECONNECTING) == lost + 1)
                await wanted_stream(venue, place.quotes)
                await next_quote()
                # more than the client takes in one frame: the connection is lost, and made again
                exchanges.menu.add(Fault(kind=FaultKind.HUGE, stream=place.quotes, count=1, size=11_000))
                lost = sink.states.count(FeedState.RECONNECTING)
                venue.burst(place.market, 1)
                await sink.until(lambda: sink.states.count(FeedState.RECONNECTING) == lost + 1)
                await wanted_stream(venue, place.quotes)
                await next_quote()

    asyncio.run(scenario())


def test_mark_prices_and_funding_rates_of_a_perpetual_are_the_venues() -> None:
    async def scenario() -> None:
        place = PLACES["mexc-perpetual"]
        async with simulated(place.wire) as exchanges:
            feed, exchange = feed_at(exchanges, place.wire), exchanges.venues["nova"].exchange
            source = model_source(f"nova:{place.wire}", 1, None)
            histories = {name: BarHistory(source, one.instrument.key) for name, one in exchange.markets.items()}
            funding = fundings(exchange.markets, histories)[place.market]
            spot, tick = exchange.markets["BTCUSDT"], 0.1
            async with running(feed, wanted_at(place, quotes=False, funding=True)) as sink:
                await sink.until(lambda: len(sink.marks) >= 3 and bool(sink.rates), timeout_s=60)
                mark, index = sink.marks[-1][2:]
                best = spot.book.touch()
                assert best is not None
                # prices have moved since, but by little
                assert index == pytest.approx(spot.float_price(best.bid), rel=0.001)
                assert mark == pytest.approx(best_now(exchanges, place)[0], rel=0.001)
                assert {round(price / tick, 6) % 1 for row in sink.marks for price in row[2:]} == {0}
                now_ns = exchange.now_ns
            told = sink.rates[-1]
            # it changes each minute, and was told a little before
            true = [funding.coming(now_ns - ago_ns) for ago_ns in (0, MINUTE_NS)]
            assert told[1] == 0 and told[2:] in true and abs(told[2]) <= MOST_RATE
            assert sink.quotes == [] and feed.refusals.total == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("wire", DIALECTS)
def test_more_symbols_than_a_venue_takes_in_one_request_are_all_subscribed(wire: str) -> None:
    async def scenario() -> None:
        symbols = [Symbol(f"C{number}/USDT") for number in range(12)]
        model = MarketModel(seed=1, venues=(NOVA,), symbols=tuple(replace(BTC_SPOT, symbol=one) for one in symbols))
        exchanges = SimulatedExchanges(ModelSource(model), ServerSettings(wires={"nova": wire}))
        await exchanges.start()
        wanted = [
            Subscription(key=InstrumentKey(Venue("nova"), one), index=InstrumentIndex(number), trades=True)
            for number, one in enumerate(symbols)
        ]
        try:
            async with running(feed_at(exchanges, wire), wanted) as sink:
                await sink.until(lambda: {row[0] for row in sink.quotes} == set(range(12)), timeout_s=60)
        finally:
            await exchanges.close()
        assert FeedState.RECONNECTING not in sink.states

    asyncio.run(scenario())


@pytest.mark.parametrize("wire", DIALECTS)
def test_too_many_requests_stop_all_calls_for_the_time_that_the_venue_names(wire: str) -> None:
    async def scenario() -> None:
        async with simulated(wire) as exchanges:
            limiter = RestLimiter()
            settings = VenueSettings(venue=Venue("nova"), exchange=wire, url=f"{exchanges.url}/nova")
            feed = CcxtFeed(settings, time.time_ns, limiter=limiter, pace=QUICK)
            exchanges.menu.add(Fault(kind=FaultKind.RATE_429, seconds=40, count=1))
            with pytest.raises(VenueUnavailable):
                await feed.instruments()
            assert 35 < limiter.pause_left_s(asyncio.get_running_loop().time()) <= 41

    asyncio.run(scenario())


def lots_of(trades: list[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    """How many lots of 0.001 were traded by moment, price and side: some venues tell those as one trade."""
    lots: Counter[tuple[Any, ...]] = Counter()
    for at_ms, price, quantity, seller_takes in trades:
        lots[at_ms, price, seller_takes] += round(quantity * 1000)
    return lots


@pytest.mark.parametrize("symbol", ["BTC/USDT", "BTC/USDT:USDT"])
def test_the_past_of_mexc_is_downloaded_spot_and_perpetual_in_base(symbol: str) -> None:
    """Of spot it tells trades from a time on with an end only, those of one moment, side and price as one."""
    place = PLACES["mexc" if symbol == "BTC/USDT" else "mexc-perpetual"]

    async def scenario() -> None:
        async with simulated(place.wire) as exchanges:
            venue, url = exchanges.venues["nova"], f"{exchanges.url}/nova"
            settings = VenueSettings(venue=Venue("nova"), exchange="mexc", url=url)
            for _ in range(5):
                venue.burst(place.market, 3)
                await asyncio.sleep(0.05)
            now_ns, before = exchanges.now_ns(), true_trades(exchanges, place)
            past = CcxtPast(settings, RestLimiter(), lambda: now_ns + MINUTE_NS)
            await past.open()
            try:
                start_ns = now_ns - 100 * MINUTE_NS
                found = [
                    (one["ts_event"] // MS_NS, one["price"], one["quantity"], one["seller_takes"])
                    async for page in past.trades(symbol, start_ns, now_ns)
                    for one in page.table.to_pylist()
                ]
                opened = start_ns - start_ns % MINUTE_NS
                pages = past.bars(symbol, MINUTE_NS, opened, opened + 5 * MINUTE_NS)
                volumes = [one async for page in pages for one in page.table["volume"].to_pylist()]
            finally:
                await past.close()
            market = venue.exchange.markets[place.market]
            after = true_trades(exchanges, place)
            bars = model_source("nova:mexc", 1, None).minutes(market.instrument.key, opened, opened + 5 * MINUTE_NS)
        counted = lots_of if place.is_spot else Counter
        told, least, most = (counted(one) for one in (found, before[-9:], after))
        # of a perpetual it tells the last hundred alone; what came a moment later may bear an earlier time
        assert least <= told <= most and len(least) >= 3
        assert volumes == pytest.approx(bars.volume.tolist(), abs=0.001) and len(volumes) == 5

    asyncio.run(scenario())
