"""Whether a venue can be used from here: markets, clock, REST, and a quote of each symbol."""

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workstation.errors import BadInput, UnknownInstrument, VenueRefused, VenueUnavailable
from workstation.exchanges.ccxt_client import open_client, venue_errors
from workstation.exchanges.ccxt_feed import CcxtFeed
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.model.ids import InstrumentIndex, Symbol
from workstation.model.instrument import InstrumentKey
from workstation.ports.feed import FeedState, FeedStatus, Subscription

MOST_SKEW_MS = 1_000.0
"""Signed requests are refused when the clocks differ by more than some seconds; bars close late before that."""
USUAL = (Symbol("BTC/USDT"), Symbol("BTC/USDT:USDT"), Symbol("BTC/USD"), Symbol("BTC/EUR"))
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
    limiter = RestLimiter()
    feed = CcxtFeed(settings, time.time_ns, limiter=limiter)
    began = time.monotonic()
    try:
        instruments = await feed.instruments()
    except CANNOT as error:
        remedy = (
            "start the simulated exchange, or mend the url" if settings.url else "mend the connection to the internet"
        )
        tell(CheckLine(subject="markets", found=str(error), remedy=f"{remedy}; then check again"))
        return
    known = {instrument.symbol for instrument in instruments}
    took = time.monotonic() - began
    tell(CheckLine(subject="markets", found=f"{len(known)} to trade, loaded in {took:.1f} s"))
    await _check_clock(settings, limiter, tell)
    wanted = [*symbols] or [symbol for symbol in USUAL if symbol in known][:1] or sorted(known)[:1]
    for symbol in wanted:
        if symbol not in known:
            remedy = "take one of: " + ", ".join(sorted(known)[:5])
            tell(CheckLine(subject=f"quote {symbol}", found="no such symbol, or none that is traded", remedy=remedy))
    await _check_quotes(settings, feed, [symbol for symbol in wanted if symbol in known], within_s, tell)


async def _check_clock(settings: VenueSettings, limiter: RestLimiter, tell: Tell) -> None:
    client = open_client(settings, limiter)
    try:
        if client.has.get("fetchTime") is not True:
            tell(CheckLine(subject="clock", found="the exchange does not tell its time"))
            return
        samples = [await _clock(client, settings) for _ in range(3)]
    except CANNOT as error:
        tell(CheckLine(subject="rest", found=str(error), remedy="check again in a minute"))
        return
    finally:
        await client.close()
    latency_ms = statistics.median(latency for latency, _ in samples)
    tell(CheckLine(subject="rest", found=f"answers in {latency_ms:.0f} ms"))
    _, skew_ms = min(samples)  # the quickest answer says most about the clocks
    remedy = "set this computer's clock (NTP)" if abs(skew_ms) > MOST_SKEW_MS else ""
    side = "ahead of" if skew_ms >= 0 else "behind"
    tell(CheckLine(subject="clock", found=f"the venue's is {abs(skew_ms):.0f} ms {side} ours", remedy=remedy))


async def _clock(client: Any, settings: VenueSettings) -> tuple[float, float]:
    """Milliseconds that the answer took without standing in line, and by which the venue's clock is ahead."""
    sent: list[int] = []
    turn = client.throttle

    async def throttle(cost: float | None = None) -> None:
        await turn(cost)
        sent.append(time.time_ns())

    client.throttle = throttle
    with venue_errors(settings):
        venue_ms = await client.fetch_time()
    client.throttle = turn
    took_ms = (time.time_ns() - sent[-1]) / 1e6
    return took_ms, venue_ms - (sent[-1] / 1e6 + took_ms / 2)


async def _check_quotes(
    settings: VenueSettings, feed: CcxtFeed, symbols: Sequence[Symbol], within_s: float, tell: Tell
) -> None:
    sink = _FirstQuotes(symbols)
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
        else:
            found = f"none within {within_s:g} s{sink.trouble}"
            tell(CheckLine(subject=f"quote {symbol}", found=found, remedy="wait longer with --within, or check again"))


class _FirstQuotes:
    """A sink that keeps the first quote of each symbol, and the last trouble."""

    def __init__(self, symbols: Sequence[Symbol]) -> None:
        self._symbols = symbols
        self.quotes: dict[Symbol, tuple[float, float, float]] = {}
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
        if len(self.quotes) == len(self._symbols):
            self.complete.set()

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

    def status(self, status: FeedStatus) -> None:
        if status.state in (FeedState.RECONNECTING, FeedState.BROKEN):
            self.trouble = f": {status.reason}"
