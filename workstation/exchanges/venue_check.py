"""Whether a venue can be used from here: markets, clock, REST, and a quote of each symbol."""

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workstation.errors import BadInput, UnknownInstrument, VenueRefused, VenueUnavailable
from workstation.exchanges.fx_hours import closed_until
from workstation.exchanges.registry import clock_of, open_feed
from workstation.exchanges.rest_limiter import RestLimiters
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.venue_facts import OANDA
from workstation.model.ids import InstrumentIndex, Symbol
from workstation.model.instrument import InstrumentKey
from workstation.ports.feed import Feed, FeedState, FeedStatus, Levels, Subscription

MOST_SKEW_MS = 1_000.0
"""Signed requests are refused when the clocks differ by more than some seconds; bars close late before that."""
USUAL = (Symbol("BTC/USDT"), Symbol("BTC/USDT:USDT"), Symbol("BTC/USD"), Symbol("BTC/EUR"), Symbol("EUR/USD"))
CANNOT = (VenueUnavailable, VenueRefused, UnknownInstrument, BadInput)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLine:
    """What was looked at and what was found; `remedy` says what to do, empty when all is well."""

    subject: str
    found: str
    remedy: str = ""

    @property
    def is_ok(self) -> bool:
        return not self.remedy


Tell = Callable[[CheckLine], None]


async def check_venue(settings: VenueSettings, symbols: Sequence[Symbol], within_s: float, tell: Tell) -> None:
    """Tells a line for each thing looked at; without markets nothing else is. Raises ConfigError."""
    limiters = RestLimiters()
    feed = open_feed(settings, time.time_ns, limiters)
    try:
        await _check_feed(settings, feed, limiters, symbols, within_s, tell)
    finally:
        await feed.close()


async def _check_feed(
    settings: VenueSettings,
    feed: Feed,
    limiters: RestLimiters,
    symbols: Sequence[Symbol],
    within_s: float,
    tell: Tell,
) -> None:
    began = time.monotonic()
    try:
        instruments = await feed.instruments()
    except CANNOT as error:
        tell(CheckLine(subject="markets", found=str(error), remedy=f"{_remedy(settings, error)}; then check again"))
        return
    known = {instrument.symbol for instrument in instruments}
    took = time.monotonic() - began
    tell(CheckLine(subject="markets", found=f"{len(known)} to trade, loaded in {took:.1f} s"))
    await _check_clock(settings, limiters, tell)
    wanted = [*symbols] or [symbol for symbol in USUAL if symbol in known][:1] or sorted(known)[:1]
    for symbol in wanted:
        if symbol not in known:
            remedy = "take one of: " + ", ".join(sorted(known)[:5])
            tell(CheckLine(subject=f"quote {symbol}", found="no such symbol, or none that is traded", remedy=remedy))
    listed = [symbol for symbol in wanted if symbol in known]
    await _check_quotes(settings, feed, listed, within_s, tell, time.time_ns)


def _remedy(settings: VenueSettings, error: Exception) -> str:
    if settings.url:
        return "start the simulated exchange, or mend the url"
    if settings.exchange == OANDA and isinstance(error, VenueRefused):
        return "mend account, environment and token"
    return "mend the connection to the internet"


async def _check_clock(settings: VenueSettings, limiters: RestLimiters, tell: Tell) -> None:
    clock = clock_of(settings, limiters)
    try:
        readings = [await clock.read() for _ in range(3)]
    except CANNOT as error:
        tell(CheckLine(subject="rest", found=str(error), remedy="check again in a minute"))
        return
    finally:
        await clock.close()
    samples = [reading for reading in readings if reading is not None]
    if not samples:
        tell(CheckLine(subject="clock", found="the exchange does not tell its time"))
        return
    latency_ms = statistics.median(sample.took_ms for sample in samples)
    tell(CheckLine(subject="rest", found=f"answers in {latency_ms:.0f} ms"))
    _, skew_ms = min(samples)  # the quickest answer says most about the clocks
    remedy = "set this computer's clock (NTP)" if abs(skew_ms) > MOST_SKEW_MS else ""
    side = "ahead of" if skew_ms >= 0 else "behind"
    tell(CheckLine(subject="clock", found=f"the venue's is {abs(skew_ms):.0f} ms {side} ours", remedy=remedy))


async def _check_quotes(
    settings: VenueSettings,
    feed: Feed,
    symbols: Sequence[Symbol],
    within_s: float,
    tell: Tell,
    now_ns: Callable[[], int],
) -> None:
    sink = _FirstQuotes(symbols, is_closed=lambda: settings.exchange == OANDA and closed_until(now_ns()) is not None)
    wanted = [
        Subscription(key=InstrumentKey(settings.venue, symbol), index=InstrumentIndex(index))
        for index, symbol in enumerate(symbols)
    ]
    began = time.monotonic()
    running = asyncio.create_task(feed.run(wanted, sink))
    complete = asyncio.create_task(sink.complete.wait())
    if symbols:
        await asyncio.wait([running, complete], timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    complete.cancel()
    await asyncio.gather(running, complete, return_exceptions=True)
    for symbol in symbols:
        if (quote := sink.quotes.get(symbol)) is not None:
            found = f"{quote[1]:.12g} / {quote[2]:.12g} after {quote[0] - began:.1f} s"
            tell(CheckLine(subject=f"quote {symbol}", found=found))
        elif symbol in sink.closed:
            tell(CheckLine(subject=f"quote {symbol}", found=f"none: {sink.closed[symbol]}"))
        else:
            found = f"none within {within_s:g} s{sink.trouble}"
            tell(CheckLine(subject=f"quote {symbol}", found=found, remedy="wait longer with --within, or check again"))


class _FirstQuotes:
    """A sink that keeps the first quote of each symbol, and the last trouble."""

    def __init__(self, symbols: Sequence[Symbol], is_closed: Callable[[], bool]) -> None:
        self._symbols, self._is_closed = symbols, is_closed
        self.quotes: dict[Symbol, tuple[float, float, float]] = {}
        self.closed: dict[Symbol, str] = {}
        """Why there is no quote of a symbol, where that is nobody's fault: its market is closed."""
        self.trouble = ""
        self.complete = asyncio.Event()

    def quote(
        self,
        index: InstrumentIndex,
        ts_event: int,
        bid: float,
        ask: float,
        bid_quantity: float,
        ask_quantity: float,
    ) -> None:
        self.quotes.setdefault(self._symbols[index], (time.monotonic(), bid, ask))
        self._look()

    def trade(self, index: InstrumentIndex, ts_event: int, price: float, quantity: float, seller_takes: bool) -> None:
        """None is asked for."""

    def bar(
        self,
        index: InstrumentIndex,
        interval_code: int,
        ts_end: int,
        open: float,
        high: float,
        low: float,
        close: float,
        volume: float,
    ) -> None:
        """None is asked for."""

    def mark(self, index: InstrumentIndex, ts_event: int, price: float, index_price: float) -> None:
        """None is asked for."""

    def funding(self, index: InstrumentIndex, ts_event: int, rate: float, ts_due: int) -> None:
        """None is asked for."""

    def book(self, index: InstrumentIndex, ts_event: int, bids: Levels, asks: Levels) -> None:
        """None is asked for."""

    def status(self, status: FeedStatus) -> None:
        is_stale = status.state is FeedState.STALE and status.key is not None
        if is_stale or status.state in (FeedState.RECONNECTING, FeedState.BROKEN):
            self.trouble = f": {status.reason}"
        if is_stale and status.key is not None and self._is_closed():
            self.closed[status.key.symbol] = status.reason
            self._look()

    def _look(self) -> None:
        if len(self.quotes.keys() | self.closed.keys()) == len(self._symbols):
            self.complete.set()
