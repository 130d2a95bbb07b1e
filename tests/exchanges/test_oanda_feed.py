"""The feed of OANDA at the project's own simulated one, over real sockets: what it promises, and what goes wrong."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr

from tests.exchanges.sinks import QUICK, ToldSink, running
from tests.simulator.oanda import ACCOUNTS, EURO, VENUE, YEN, account_id, an_fx_source
from workstation.errors import BadInput, ConfigError, UnknownInstrument, VenueRefused, VenueUnavailable
from workstation.exchanges.ccxt_parse import Refusal
from workstation.exchanges.circuit_breaker import BreakerLimits, CircuitBreaker
from workstation.exchanges.oanda_connection import MOST_STREAMS
from workstation.exchanges.oanda_feed import OandaFeed
from workstation.exchanges.registry import open_feed
from workstation.exchanges.rest_limiter import RestLimiter, RestLimiters
from workstation.exchanges.settings import VenueSettings
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.model.ids import InstrumentIndex, Symbol
from workstation.model.ids import Venue as VenueName
from workstation.model.instrument import InstrumentKey
from workstation.ports.feed import FeedState, Subscription
from workstation.simulator.bar_history import interval_start
from workstation.simulator.faults import Fault, FaultKind
from workstation.simulator.hosted_venue import HostedVenue
from workstation.simulator.oanda.streams import PRICING_BEATS, OandaStreams
from workstation.simulator.server import ServerSettings, SimulatedExchanges

CANARY = "canary-7c1e"
PRICES = "pricing.*"
SYMBOLS = (Symbol("EUR/USD"), Symbol("USD/JPY"), Symbol("GBP/USD"))
STREAM_PATH = "*/pricing/stream"
CANDLE_PATH = "*/candles"


@dataclass(frozen=True, slots=True)
class Place:
    """The simulated OANDA, and a feed's way to it."""

    exchanges: SimulatedExchanges

    @property
    def venue(self) -> HostedVenue:
        return self.exchanges.venues[VENUE]

    @property
    def streams(self) -> OandaStreams:
        streams = self.venue.wire.streams
        assert isinstance(streams, OandaStreams)
        return streams

    def settings(self, **changes: Any) -> VenueSettings:
        fields = {
            "venue": VenueName("fx"),
            "exchange": "oanda",
            "url": f"{self.exchanges.url}/{VENUE}",
            "account": account_id("alice"),
            "token": SecretStr("alice-secret"),
            "timeout_s": 10.0,
            "stale_after_s": 10.0,
        }
        return VenueSettings(**(fields | changes))

    def feed(self, now_ns: Callable[[], int] = time.time_ns, **changes: Any) -> OandaFeed:
        parts = {name: changes.pop(name) for name in ("limiter", "breaker", "pace") if name in changes}
        return OandaFeed(self.settings(**changes), now_ns, rng=random.Random(3), **({"pace": QUICK} | parts))

    def fault(self, kind: FaultKind, **fields: Any) -> None:
        self.exchanges.menu.add(Fault(kind=kind, **fields))

    def say(self, stream: str, line: object) -> None:
        """Sends a line to whoever listens to the stream."""
        self.venue.hub.publish(stream, line if isinstance(line, bytes) else msgspec.json.encode(line))
        self.venue.hub.flush()

    def price(self, bid: str, ask: str, **changes: Any) -> dict[str, Any]:
        levels = {"bids": [{"price": bid, "liquidity": 7}], "asks": [{"price": ask, "liquidity": 8}]}
        return {"type": "PRICE", "instrument": EURO, "time": "2024-05-01T00:00:00.000000001Z"} | levels | changes

    def tear(self) -> None:
        """Every stream's connection is reset."""
        for client in self.venue.hub:
            client.abort()

    async def listened(self, stream: str = f"pricing.{EURO}", count: int = 1) -> None:
        """Until so many listen to the stream."""
        async with asyncio.timeout(20):
            while len(self.venue.hub.subscribers(stream)) != count:
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def a_place(**settings: Any) -> AsyncIterator[Place]:
    wanted = ServerSettings(accounts=ACCOUNTS, wires={VENUE: "oanda"}, **settings)
    exchanges = SimulatedExchanges(an_fx_source(), wanted)
    await exchanges.start()
    try:
        yield Place(exchanges)
    finally:
        await exchanges.close()


@contextlib.asynccontextmanager
async def at_work(feed: OandaFeed, wanted: list[Subscription]) -> AsyncIterator[ToldSink]:
    """The feed running; it is closed at the end."""
    try:
        async with running(feed, wanted) as sink:  # type: ignore[arg-type]
            yield sink
    finally:
        await feed.close()


def scene(play: Callable[[Place], Awaitable[None]], **settings: Any) -> None:
    async def run() -> None:
        async with a_place(**settings) as place:
            await play(place)

    asyncio.run(asyncio.wait_for(run(), 120))


async def until(holds: Callable[[], bool]) -> None:
    """Returns when it holds, whatever the sink is told."""
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.002)


def key_of(symbol: str) -> InstrumentKey:
    return InstrumentKey(VenueName("fx"), Symbol(symbol))


def wishes(*symbols: str, **wanted: Any) -> list[Subscription]:
    return [
        Subscription(key=key_of(symbol), index=InstrumentIndex(SYMBOLS.index(Symbol(symbol))), **wanted)
        for symbol in symbols or SYMBOLS[:2]
    ]


def test_the_rules_of_instruments_are_the_venues() -> None:
    async def play(place: Place) -> None:
        feed = place.feed()
        found = {each.symbol: each for each in await feed.instruments()}
        own = {one.instrument.symbol: one.instrument for one in place.venue.exchange.markets.values()}
        assert set(found) == set(own) == set(SYMBOLS)
        for symbol, rules in own.items():
            assert (found[symbol].tick_size, found[symbol].lot_size) == (rules.tick_size, rules.lot_size)
        assert [each.symbol for each in await feed.instruments([SYMBOLS[1]])] == [SYMBOLS[1]]
        with pytest.raises(UnknownInstrument, match="fx:EUR/USX: not on oanda; did you mean EUR/USD"):
            await feed.instruments([Symbol("EUR/USX")])
        await feed.close()

    scene(play)


def test_quotes_come_with_the_venues_time_to_the_nanosecond_and_nothing_is_refused() -> None:
    async def play(place: Place) -> None:
        feed = place.feed()
        async with at_work(feed, wishes()) as sink:
            await sink.until(lambda: min(sum(row[0] == index for row in sink.quotes) for index in (0, 1)) > 5)
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]
        assert all(row[2] < row[3] and row[4] >= 1 and row[5] >= 1 for row in sink.quotes)
        assert all(abs(row[1] - time.time_ns()) < 60 * SECOND_NS for row in sink.quotes)
        assert len({row[1] % 1_000 for row in sink.quotes}) > 1
        assert feed.refusals.total == 0, feed.refusals.last
        assert feed.counts.messages >= len(sink.quotes)

    scene(play)


def test_each_price_of_a_burst_is_told_once_and_in_order_and_each_symbols_last_is_its_last() -> None:
    async def play(place: Place) -> None:
        feed, count = place.feed(), 3_000
        async with at_work(feed, wishes()) as sink:
            await sink.until(lambda: {row[0] for row in sink.quotes} == {0, 1})
            before = len(sink.quotes)
            for number in range(count):
                place.say(f"pricing.{EURO}", place.price(f"{1 + number / 100_000:.5f}", "1.20000"))
                line = place.price(f"{100 + number / 1_000:.3f}", "200.000", instrument=YEN)
                place.say(f"pricing.{YEN}", line)
            await sink.until(lambda: sum(row[1] == OLD_NS for row in sink.quotes[before:]) == 2 * count)
            told = [row for row in sink.quotes[before:] if row[1] == OLD_NS]
        euro, yen = ([row[2] for row in told if row[0] == index] for index in (0, 1))
        assert euro == [float(f"{1 + number / 100_000:.5f}") for number in range(count)]
        assert yen == [float(f"{100 + number / 1_000:.3f}") for number in range(count)]
        assert feed.refusals.total == 0, feed.refusals.last
        assert FeedState.RECONNECTING not in sink.states

    scene(play)


OLD_NS = 1_714_521_600 * SECOND_NS + 1
"""The time of the prices that tests say."""


def test_a_torn_stream_is_connected_again_and_one_that_the_venue_ends_too() -> None:
    async def play(place: Place) -> None:
        feed = place.feed()
        async with at_work(feed, wishes()) as sink:
            await sink.until(lambda: bool(sink.quotes))
            place.tear()
            await sink.until(lambda: sink.states.count(FeedState.LIVE) == 2)
            for client in list(place.venue.hub):
                await client.close()
            await sink.until(lambda: sink.states.count(FeedState.LIVE) == 3)
            told = len(sink.quotes)
            await sink.until(lambda: len(sink.quotes) > told + 5)
        lost = [status.reason for status in sink.statuses if status.state is FeedState.RECONNECTING]
        assert len(lost) == 2 and "ended the pricing stream" in lost[1]
        assert feed.counts.reconnects == 2

    scene(play)


def test_closed_bars_are_the_venues_mid_prices_and_none_is_left_out_over_a_lost_stream() -> None:
    async def play(place: Place) -> None:
        late_ns = 6 * MINUTE_NS  # the feed's clock is late, and then right: the bars of that time have ended at once
        feed = place.feed(lambda: time.time_ns() - late_ns)
        async with at_work(feed, wishes(SYMBOLS[0], intervals_ns=(MINUTE_NS,))) as sink:
            await place.listened()
            assert sink.bars == []
            late_ns = 3 * MINUTE_NS
            await sink.until(lambda: len(sink.bars) >= 3)
            place.tear()
            await sink.until(lambda: FeedState.RECONNECTING in sink.states)
            late_ns = 0
            await sink.until(lambda: len(sink.bars) >= 6)
        ends = [row[2] for row in sink.bars]
        assert ends == list(range(ends[0], ends[0] + len(ends) * MINUTE_NS, MINUTE_NS))
        market = place.venue.exchange.markets[EURO]
        true = an_fx_source().minutes(market.instrument.key, ends[0] - MINUTE_NS, ends[-1])
        prices = zip(true.open, true.high, true.low, true.close, strict=True)
        assert [row[3:7] for row in sink.bars] == [tuple(map(float, one)) for one in prices]
        assert all(row[7] == int(row[7]) > 0 for row in sink.bars)

    scene(play)


def test_a_bar_that_is_not_complete_yet_is_waited_for_and_told_once() -> None:
    async def play(place: Place) -> None:
        ahead_ns = 0
        feed = place.feed(lambda: time.time_ns() + ahead_ns)
        async with at_work(feed, wishes(SYMBOLS[0], intervals_ns=(HOUR_NS,))) as sink:
            await place.listened()
            ahead_ns = HOUR_NS  # by our clock the hour has ended; the venue's candle of it still runs
            await sink.until(lambda: feed.refusals.counts[Refusal.NO_ANSWER] > 2)
            assert "is not complete yet" in (feed.refusals.last or "")
            assert sink.bars == []

    scene(play)


@pytest.mark.parametrize(
    ("interval_ns", "back_ns"), [(MINUTE_NS, 130 * MINUTE_NS), (4 * HOUR_NS, 3 * DAY_NS), (DAY_NS, 40 * DAY_NS)]
)
def test_past_bars_are_of_utc_whole_and_closed(interval_ns: int, back_ns: int) -> None:
    async def play(place: Place) -> None:
        feed, now_ns = place.feed(), time.time_ns()
        since_ns = interval_start(now_ns - back_ns, interval_ns)
        bars = await feed.bars(key_of("EUR/USD"), interval_ns, since_ns)
        await feed.close()
        last_ns = interval_start(now_ns, interval_ns) - interval_ns
        assert bars.ts_open.tolist() == list(range(since_ns, last_ns + 1, interval_ns))
        assert (bars.low <= bars.open).all() and (bars.close <= bars.high).all()

    scene(play)


def test_bars_that_oanda_does_not_have_are_refused_with_those_that_it_has() -> None:
    async def play(place: Place) -> None:
        feed = place.feed()
        with pytest.raises(BadInput, match=r"venue fx \(oanda\): no bars of 3m; it has 5s, 15s"):
            await feed.run(wishes(intervals_ns=(3 * MINUTE_NS,)), ToldSink())
        with pytest.raises(BadInput, match="no bars of 1s"):
            await feed.bars(key_of("EUR/USD"), SECOND_NS, 0)
        with pytest.raises(UnknownInstrument, match="fx:EUR/USX"):
            await feed.bars(key_of("EUR/USX"), MINUTE_NS, 0)
        await feed.close()

    scene(play)


def test_broken_and_huge_lines_are_counted_and_cost_no_connection() -> None:
    async def play(place: Place) -> None:
        feed, stream = place.feed(), f"pricing.{EURO}"
        async with at_work(feed, wishes(SYMBOLS[0])) as sink:
            await sink.until(lambda: bool(sink.quotes))
            for number, line in enumerate(
                (
                    b"{",
                    b"[1]",
                    b"\xff\xfe",
                    b"[" * 10_000,
                    b'{"type": "PRICE", "instrument": "EUR_USD", "bids": 5}',
                    b'{"errorMessage": "so long"}',
                    msgspec.json.encode(place.price("NaN", "1.2")),
                    msgspec.json.encode(place.price("1.1", "1.2", time="tomorrow")),
                    msgspec.json.encode(place.price("1.1", "1.2", instrument="AUD_USD")),
                    msgspec.json.encode(place.price("1.1", "1.2", bids=[])),
                    b'{"type": "PRICE"' + b" " * 2_000_000 + b"}",
                ),
                start=1,
            ):
                place.say(stream, line)
                await until(lambda count=number: feed.refusals.total == count)  # type: ignore[misc]
            assert feed.refusals.counts[Refusal.UNKNOWN_SYMBOL] == 1
            told = len(sink.quotes)
            place.say(stream, place.price("1.10000", "1.20000"))
            await sink.until(lambda: len(sink.quotes) > told)
        assert FeedState.RECONNECTING not in sink.states

    scene(play)


@pytest.mark.parametrize("kind", [FaultKind.GARBLED, FaultKind.ABSURD, FaultKind.HUGE])
def test_what_the_fault_menu_does_to_lines_is_counted_or_read_and_survived(kind: FaultKind) -> None:
    async def play(place: Place) -> None:
        feed = place.feed()
        async with at_work(feed, wishes(SYMBOLS[0])) as sink:
            await sink.until(lambda: bool(sink.quotes))
            place.fault(kind, stream=PRICES, count=3, size=1_000)
            await sink.until(lambda: place.exchanges.menu.listed()[0]["struck"] == 3)
            told = len(sink.quotes)
            await sink.until(lambda: len(sink.quotes) > told + 3)
        assert feed.refusals.total == 3
        assert FeedState.RECONNECTING not in sink.states

    scene(play)


def test_a_stream_without_a_line_is_stale_and_replaced() -> None:
    async def play(place: Place) -> None:
        feed = place.feed(stale_after_s=0.6)
        async with at_work(feed, wishes(SYMBOLS[0])) as sink:
            await sink.until(lambda: bool(sink.quotes))
            place.fault(FaultKind.SILENT_SOCKET, stream=PRICES, count=1)
            await sink.until(lambda: FeedState.RECONNECTING in sink.states)
            told = len(sink.quotes)
            await sink.until(lambda: len(sink.quotes) > told)
        stale = next(status for status in sink.statuses if status.state is FeedState.STALE)
        assert stale.key is None and "no price and no heartbeat for 0.6 s" in stale.reason

    scene(play)


def test_lines_that_cannot_be_read_are_no_sign_of_life() -> None:
    async def play(place: Place) -> None:
        feed = place.feed(stale_after_s=0.6)
        async with at_work(feed, wishes(SYMBOLS[0])) as sink:
            await sink.until(lambda: bool(sink.quotes))
            place.fault(FaultKind.SEQUENCE_GAP, stream="*")
            async with asyncio.timeout(20):
                while FeedState.RECONNECTING not in sink.states:
                    place.say(f"pricing.{EURO}", b"{")
                    await asyncio.sleep(0.02)
        assert feed.refusals.counts[Refusal.BROKEN_FRAME] > 10

    scene(play)


def test_a_symbol_that_is_quiet_while_the_stream_beats_is_quiet() -> None:
    async def play(place: Place) -> None:
        feed = place.feed(stale_after_s=1.0)
        async with at_work(feed, wishes(SYMBOLS[0])) as sink:
            await sink.until(lambda: bool(sink.quotes))
            place.fault(FaultKind.SEQUENCE_GAP, stream=PRICES)
            until = time.monotonic() + 3.0
            while time.monotonic() < until:
                place.say(PRICING_BEATS, {"type": "HEARTBEAT", "time": "2024-05-01T00:00:00Z"})
                await asyncio.sleep(0.05)
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]

    scene(play)


def test_a_price_of_a_closed_market_is_told_as_such_once_and_not_as_a_quote() -> None:
    async def play(place: Place) -> None:
        feed, stream = place.feed(), f"pricing.{EURO}"
        async with at_work(feed, wishes(SYMBOLS[0])) as sink:
            await sink.until(lambda: bool(sink.quotes))
            place.fault(FaultKind.SEQUENCE_GAP, stream=PRICES)
            told = len(sink.quotes)
            for _ in range(3):
                place.say(stream, place.price("1.1", "1.2", tradeable=False, status="non-tradeable"))
            await sink.until(lambda: FeedState.STALE in sink.states)
            place.say(stream, place.price("1.1", "1.2"))
            await sink.until(lambda: len(sink.quotes) == told + 1)
        of_symbol = [(status.state, status.reason) for status in sink.statuses if status.key is not None]
        assert [state for state, _ in of_symbol] == [FeedState.STALE, FeedState.LIVE]
        assert "not to be traded now" in of_symbol[0][1]
        assert FeedState.RECONNECTING not in sink.states and feed.refusals.total == 0

    scene(play)


def test_what_is_added_joins_beside_what_runs_and_far_too_many_streams_become_one() -> None:
    async def play(place: Place) -> None:
        feed = place.feed()
        async with at_work(feed, wishes(SYMBOLS[0])) as sink:
            await sink.until(lambda: bool(sink.quotes))
            feed.add(wishes(SYMBOLS[1]))
            await sink.until(lambda: 1 in {row[0] for row in sink.quotes})
            await place.listened(PRICING_BEATS, 2)
            with pytest.raises(UnknownInstrument, match="fx:AUD/USD"):
                feed.add([Subscription(key=key_of("AUD/USD"), index=InstrumentIndex(9))])
            assert FeedState.RECONNECTING not in sink.states
            connection = feed._connection
            assert connection is not None
            for _ in range(MOST_STREAMS - 1):  # as if so many had been added
                connection.add([feed._wanted.stream(each) for each in wishes(SYMBOLS[1])])
            await sink.until(lambda: sink.states.count(FeedState.LIVE) == 2)
            await place.listened(PRICING_BEATS, 1)
            told = len(sink.quotes)
            await sink.until(lambda: {row[0] for row in sink.quotes[told:]} == {0, 1})

    scene(play)


def test_who_wants_trades_or_a_book_too_goes_without_and_who_wants_nothing_else_is_refused() -> None:
    async def play(place: Place) -> None:
        feed = place.feed()
        with pytest.raises(BadInput, match="fx:EUR/USD: no quotes and no bars wanted: oanda tells nothing else"):
            await feed.run(wishes(SYMBOLS[0], quotes=False, trades=True), ToldSink())
        async with at_work(feed, wishes(SYMBOLS[0], trades=True, funding=True, book_levels=5)) as sink:
            await sink.until(lambda: bool(sink.quotes))
        assert (sink.trades, sink.books) == ([], [])

    scene(play)


def test_a_symbol_that_is_not_listed_is_stale_and_the_others_go_on() -> None:
    async def play(place: Place) -> None:
        gone = Subscription(key=key_of("AUD/USD"), index=InstrumentIndex(9))
        async with at_work(place.feed(), [gone, *wishes(SYMBOLS[0])]) as sink:
            await sink.until(lambda: bool(sink.quotes))
        stale = [status.key for status in sink.statuses if status.state is FeedState.STALE]
        assert stale == [key_of("AUD/USD")]

    scene(play)


def test_a_token_that_is_refused_says_what_to_do_and_is_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    async def play(place: Place) -> None:
        caplog.set_level(logging.DEBUG)
        feed = place.feed(token=SecretStr(CANARY))
        with pytest.raises(VenueRefused, match="HTTP 401: Insufficient authorization") as refused:
            await feed.instruments()
        assert "is WORKSTATION_VENUES__FX__TOKEN of this account, and of practice?" in str(refused.value)
        async with at_work(feed, wishes(SYMBOLS[0])) as sink:
            await sink.until(lambda: FeedState.RECONNECTING in sink.states)
        place.fault(FaultKind.HTML_502, path="*")
        place.fault(FaultKind.RESET_BEFORE, path="*", skip=3)
        errors: list[BaseException] = [refused.value]
        for _ in range(2):
            with pytest.raises((VenueRefused, VenueUnavailable)) as failed:
                await feed.instruments()
            errors.append(failed.value)
        told = [repr(one) for one in sink.statuses] + [f"{one!r} {one.__cause__!r}" for one in errors]
        told += [record.getMessage() for record in caplog.records] + [repr(feed), repr(feed.client), str(vars(feed))]
        assert [text for text in told if CANARY in text] == []

    scene(play)


@pytest.mark.parametrize(
    ("field", "message"), [("account", "account is missing"), ("token", "token is missing: set W")]
)
def test_without_account_or_token_there_is_no_feed(field: str, message: str) -> None:
    settings = VenueSettings(
        **({"venue": VenueName("fx"), "exchange": "oanda", "account": "1", "token": SecretStr("x")} | {field: None})
    )
    with pytest.raises(ConfigError, match=f"venue fx: {message}"):
        open_feed(settings, time.time_ns, RestLimiters())


def test_after_a_429_nothing_is_asked_until_its_time_is_over() -> None:
    async def play(place: Place) -> None:
        limiter, late_ns = RestLimiter(), 3 * MINUTE_NS
        feed = place.feed(lambda: time.time_ns() - late_ns, limiter=limiter)
        async with at_work(feed, wishes(SYMBOLS[0], intervals_ns=(MINUTE_NS,))) as sink:
            await place.listened()
            place.fault(FaultKind.RATE_429, path=CANDLE_PATH, count=1, seconds=1)
            late_ns = 0
            await until(lambda: feed.refusals.counts[Refusal.NO_ANSWER] == 1)
            told, left_s = time.monotonic(), limiter.pause_left_s(asyncio.get_running_loop().time())
            assert 0 < left_s <= 1
            assert "HTTP 429: Rate limit violation" in (feed.refusals.last or "")
            await sink.until(lambda: len(sink.bars) >= 2)
            assert time.monotonic() - told >= left_s
        assert FeedState.RECONNECTING not in sink.states

    scene(play)


def test_a_429_or_a_busy_venue_at_the_stream_is_waited_out() -> None:
    async def play(place: Place) -> None:
        place.fault(FaultKind.RATE_429, path=STREAM_PATH, count=1, seconds=1)
        place.fault(FaultKind.BUSY_503, path=STREAM_PATH, count=1)
        place.fault(FaultKind.TIMEOUT_BEFORE, path=STREAM_PATH, count=1)
        place.fault(FaultKind.RESET_BEFORE, path=STREAM_PATH, count=1)
        feed = place.feed(timeout_s=0.5, breaker=CircuitBreaker(BreakerLimits(failures=9)))
        async with at_work(feed, wishes(SYMBOLS[0])) as sink:
            await sink.until(lambda: bool(sink.quotes), timeout_s=30)
        lost = [status.reason for status in sink.statuses if status.state is FeedState.RECONNECTING]
        assert ["429" in lost[0], "503" in lost[1], "TimeoutError" in lost[2], len(lost)] == [True, True, True, 4]

    scene(play)


@pytest.mark.parametrize("kind", [FaultKind.LATENCY, FaultKind.MALFORMED, FaultKind.TRUNCATED])
def test_faults_of_answers_apply_to_streams_too(kind: FaultKind) -> None:
    async def play(place: Place) -> None:
        place.fault(kind, path=STREAM_PATH, count=1, seconds=0.3)
        feed = place.feed()
        began = time.monotonic()
        async with at_work(feed, wishes(SYMBOLS[0])) as sink:
            await sink.until(lambda: bool(sink.quotes))
        if kind is FaultKind.LATENCY:
            assert FeedState.RECONNECTING not in sink.states and time.monotonic() - began >= 0.3
        else:
            assert sink.states.count(FeedState.RECONNECTING) == 1

    scene(play)


def test_after_too_many_lost_connections_there_is_a_pause_with_an_end() -> None:
    async def play(place: Place) -> None:
        place.fault(FaultKind.BUSY_503, path=STREAM_PATH, count=3)
        breaker = CircuitBreaker(BreakerLimits(failures=3, within_s=60, open_s=0.5))
        feed = place.feed(breaker=breaker)
        async with at_work(feed, wishes(SYMBOLS[0])) as sink:
            await sink.until(lambda: bool(sink.quotes))
        broken = next(status for status in sink.statuses if status.state is FeedState.BROKEN)
        assert broken.until_ns is not None and "3 lost connections within 60 s" in broken.reason
        assert sink.states.count(FeedState.RECONNECTING) == 3

    scene(play)


def test_a_feed_runs_once_at_a_time_and_can_be_run_again() -> None:
    async def play(place: Place) -> None:
        feed = place.feed()
        with pytest.raises(BadInput, match="fx: the feed does not run"):
            feed.add(wishes(SYMBOLS[0]))
        async with running(feed, wishes(SYMBOLS[0])) as sink:  # type: ignore[arg-type]
            await sink.until(lambda: bool(sink.quotes))
            with pytest.raises(BadInput, match="fx: the feed runs already"):
                await feed.run(wishes(SYMBOLS[0]), ToldSink())
        async with at_work(feed, wishes(SYMBOLS[1])) as sink:
            await sink.until(lambda: bool(sink.quotes))
        assert {row[0] for row in sink.quotes} == {1}

    scene(play)
