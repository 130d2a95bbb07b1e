"""The feed at a simulated venue of Binance's USD-M futures: marks, rates and books to a depth, and no wrong book."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from tests.exchanges.sinks import QUICK, ToldSink, running, subscriptions
from workstation.cli.exchange_simulation import model_source
from workstation.errors import VenueUnavailable
from workstation.exchanges.ccxt_feed import CcxtFeed
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.model.durations import MS_NS
from workstation.model.ids import InstrumentIndex, Symbol, Venue
from workstation.model.instrument import InstrumentKey, InstrumentKind
from workstation.model.units import Side
from workstation.ports.feed import FeedState, Subscription
from workstation.simulator.faults import Fault, FaultKind
from workstation.simulator.funding import CYCLE_NS
from workstation.simulator.hosted_venue import HostedVenue, Levels, number_of
from workstation.simulator.market_source import ModelSource
from workstation.simulator.markets import MarketModel
from workstation.simulator.server import ServerSettings, SimulatedExchanges
from workstation.simulator.settings import BTC, NOVA

WIRE, SYMBOL = "binanceusdm", "BTCUSDT"
LEVELS = 5
DEPTH = "btcusdt@depth@100ms"
Sides = tuple[list[tuple[float, float]], list[tuple[float, float]]]


def perpetuals(**wanted: Any) -> list[Subscription]:
    """BTC/USDT:USDT is instrument 0, ETH/USDT:USDT 1."""
    return [
        replace(one, key=InstrumentKey(one.key.venue, Symbol(f"{one.key.symbol}:USDT")))
        for one in subscriptions(**wanted)
    ]


def scene_of(scene: Any) -> None:
    """At a venue of its own, with a feed that looks at its books quickly."""

    async def played() -> None:
        source = model_source(f"nova:{WIRE}", 1, None)
        exchanges = SimulatedExchanges(source, ServerSettings(wires={"nova": WIRE}))
        await exchanges.start()
        try:
            settings = VenueSettings(venue=Venue("nova"), exchange=WIRE, url=f"{exchanges.url}/nova")
            pace = replace(QUICK, look_s=0.01)
            await scene(exchanges, CcxtFeed(settings, time.time_ns, pace=pace))
        finally:
            await exchanges.close()

    asyncio.run(played())


def levels_of(base: int, quantity: str) -> tuple[Levels, Levels]:
    """Five bids from `base` down, five asks above it."""
    size = number_of(quantity, "quantity")
    bids = [(number_of(base - number, "price"), size) for number in range(LEVELS)]
    asks = [(number_of(base + 1 + number, "price"), size) for number in range(LEVELS)]
    return bids, asks


def as_told(levels: tuple[Levels, Levels]) -> Sides:
    bids, asks = ([(float(price), float(size)) for price, size in side] for side in levels)
    return bids, asks


def books_in(sink: ToldSink) -> list[Sides]:
    """Of BTC."""
    return [(list(row[2]), list(row[3])) for row in sink.books if row[0] == 0]


def truth(venue: HostedVenue) -> Sides:
    """The best levels of BTC's book now."""
    market = venue.exchange.market(SYMBOL)
    bids, asks = (
        [(market.float_price(price), market.float_quantity(lots)) for price, lots in market.book.levels(side).items()]
        for side in (Side.BUY, Side.SELL)
    )
    return bids[:LEVELS], asks[:LEVELS]


async def published(venue: HostedVenue) -> None:
    """Until the book as it is now was told, or left out by a fault."""
    market = venue.exchange.market(SYMBOL)
    now = market.book.levels(Side.BUY)
    async with asyncio.timeout(20):
        while market.depth()[1] != now:
            await asyncio.sleep(0.005)


def test_marks_rates_and_books_of_perpetuals_are_told_as_the_venue_has_them() -> None:
    async def scene(exchanges: SimulatedExchanges, feed: CcxtFeed) -> None:
        venue = exchanges.venues["nova"]
        async with running(feed, perpetuals(trades=True, funding=True, book_levels=LEVELS)) as sink:
            await sink.until(
                lambda: all({row[0] for row in told} == {0, 1} for told in (sink.marks, sink.rates, sink.books)), 60
            )
            levels = levels_of(40_000, "2.5")
            venue.place_levels(SYMBOL, *levels)
            venue.place_levels(".BTCUSDT", *levels_of(39_990, "1"))
            await sink.until(lambda: books_in(sink)[-1] == as_told(levels) == truth(venue))
            await sink.until(lambda: [row[2:] for row in sink.marks if row[0] == 0][-1] == (40_000.5, 39_990.5))
        for index, at_ns, rate, due_ns in sink.rates:
            funding = list(venue.wire.streams.perpetuals.values())[index]  # type: ignore[attr-defined]
            assert due_ns % CYCLE_NS == 0 and 0 < due_ns - at_ns <= CYCLE_NS
            assert abs(rate - funding.coming(exchanges.now_ns()).rate) < 0.0001
        assert all(len(row[2]) == len(row[3]) == LEVELS for row in sink.books)
        assert all(abs(row[1] - time.time_ns()) < 60_000 * MS_NS for row in sink.books + sink.marks + sink.quotes)
        assert feed.refusals.total == 0, feed.refusals.last
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]

    scene_of(scene)


def test_instruments_have_the_venues_rules_and_what_the_index_is_made_of_is_none() -> None:
    async def scene(exchanges: SimulatedExchanges, feed: CcxtFeed) -> None:
        found = {one.symbol: one for one in await feed.instruments()}
        markets = [one.instrument for one in exchanges.venues["nova"].exchange.markets.values()]
        own = {one.symbol: one for one in markets if one.kind is InstrumentKind.LINEAR}
        assert set(found) == set(own) == {f"{coin}/USDT:USDT" for coin in ("BTC", "ETH", "SOL")}
        for symbol, rules in own.items():
            told = found[symbol]
            assert (told.kind, told.tick_size, told.lot_size) == (rules.kind, rules.tick_size, rules.lot_size)
            assert (told.min_quantity, told.min_notional_quote) == (rules.min_quantity, rules.min_notional_quote)
            assert (told.taker_fee_rate, told.contract_size) == (rules.taker_fee_rate, 1)

    scene_of(scene)


def test_many_symbols_are_all_subscribed() -> None:
    async def scenario() -> None:
        symbols = [Symbol(f"C{number}/USDT:USDT") for number in range(12)]
        model = MarketModel(seed=1, venues=(NOVA,), symbols=tuple(replace(BTC, symbol=one) for one in symbols))
        exchanges = SimulatedExchanges(ModelSource(model), ServerSettings(wires={"nova": WIRE}))
        await exchanges.start()
        settings = VenueSettings(venue=Venue("nova"), exchange=WIRE, url=f"{exchanges.url}/nova")
        (first, *_) = perpetuals(trades=True, funding=True)
        wanted = [
            replace(first, key=InstrumentKey(Venue("nova"), one), index=InstrumentIndex(number))
            for number, one in enumerate(symbols)
        ]
        try:
            async with running(CcxtFeed(settings, time.time_ns, pace=QUICK), wanted) as sink:
                for told in (sink.quotes, sink.marks, sink.rates):
                    await sink.until(lambda rows=told: {row[0] for row in rows} == set(range(12)), 60)  # type: ignore[misc]
        finally:
            await exchanges.close()
        assert FeedState.RECONNECTING not in sink.states

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", [FaultKind.RATE_429, FaultKind.BAN_418])
def test_too_many_requests_stop_all_calls_for_the_time_that_the_venue_names(kind: FaultKind) -> None:
    async def scene(exchanges: SimulatedExchanges, _: CcxtFeed) -> None:
        limiter = RestLimiter()
        settings = VenueSettings(venue=Venue("nova"), exchange=WIRE, url=f"{exchanges.url}/nova")
        exchanges.menu.add(Fault(kind=kind, seconds=40, count=1))
        with pytest.raises(VenueUnavailable):
            await CcxtFeed(settings, time.time_ns, limiter=limiter, pace=QUICK).instruments()
        assert 35 < limiter.pause_left_s(asyncio.get_running_loop().time()) <= 41

    scene_of(scene)


def test_a_book_that_misses_a_message_is_never_told_and_is_taken_anew() -> None:
    async def scene(exchanges: SimulatedExchanges, feed: CcxtFeed) -> None:
        venue = exchanges.venues["nova"]
        async with running(feed, perpetuals(book_levels=LEVELS)[:1]) as sink:
            await sink.until(lambda: bool(sink.books), 60)
            states = [levels_of(40_000, "1"), levels_of(40_010, "2"), levels_of(40_010, "3")]
            venue.place_levels(SYMBOL, *states[0])
            await sink.until(lambda: books_in(sink)[-1] == as_told(states[0]))
            before = len(books_in(sink))
            exchanges.menu.add(Fault(kind=FaultKind.SEQUENCE_GAP, stream=DEPTH, count=1))
            venue.place_levels(SYMBOL, *states[1])
            await published(venue)
            assert exchanges.menu.listed()[0]["struck"] == 1
            # without the message that was left out this one makes a book with the prices of two
            venue.place_levels(SYMBOL, *states[2])
            await sink.until(lambda: books_in(sink)[-1] == as_told(states[2]))
            assert all(told == as_told(states[2]) for told in books_in(sink)[before:])
            quotes = [row[2:4] for row in sink.quotes]
            assert all(bid < ask for bid, ask in quotes)
        assert sink.states.count(FeedState.CONNECTING) == 1

    scene_of(scene)


def test_each_book_in_a_row_of_gaps_is_one_that_the_venue_had() -> None:
    async def scene(exchanges: SimulatedExchanges, feed: CcxtFeed) -> None:
        venue = exchanges.venues["nova"]
        async with running(feed, perpetuals(book_levels=LEVELS)[:1]) as sink:
            await sink.until(lambda: bool(sink.books), 60)
            had = [levels_of(40_000, "1")]
            venue.place_levels(SYMBOL, *had[0])
            await sink.until(lambda: books_in(sink)[-1] == as_told(had[0]))
            before = len(books_in(sink))
            exchanges.menu.add(Fault(kind=FaultKind.SEQUENCE_GAP, stream=DEPTH, probability=0.4, seed=3))
            for number in range(20):
                had.append(levels_of(40_000 + number % 7, str(number + 1)))
                venue.place_levels(SYMBOL, *had[-1])
                await published(venue)
            assert exchanges.menu.listed()[0]["struck"] >= 2
            exchanges.menu.clear()
            had.append(levels_of(40_100, "9"))
            venue.place_levels(SYMBOL, *had[-1])
            await sink.until(lambda: books_in(sink)[-1] == as_told(had[-1]), 60)
        known = [as_told(one) for one in had]
        assert all(told in known for told in books_in(sink)[before:])

    scene_of(scene)
