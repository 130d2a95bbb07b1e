"""One connection to OANDA: the pricing stream, bars by REST behind their end, until it is lost."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

import msgspec

from workstation.errors import VenueUnavailable
from workstation.exchanges.bar_repair import BarRepair
from workstation.exchanges.bar_series import BarSeries
from workstation.exchanges.ccxt_parse import BarNumbers, Refusal, Refusals
from workstation.exchanges.fx_hours import closed_until
from workstation.exchanges.intake import Intake, Stream
from workstation.exchanges.line_reader import LineReader
from workstation.exchanges.oanda_candles import OandaCandles
from workstation.exchanges.oanda_client import OandaClient
from workstation.exchanges.oanda_instruments import symbol_of
from workstation.exchanges.oanda_listing import names_of
from workstation.exchanges.oanda_parse import HEARTBEAT, PRICE, Line, price_quote
from workstation.exchanges.pace import Pace, rest
from workstation.exchanges.settings import VenueSettings
from workstation.model.ids import Symbol
from workstation.model.instrument import InstrumentKey
from workstation.ports.feed import FeedState, MarketSink

MOST_LINE = 256 * 1024
"""Bytes. A price of one instrument takes about 500."""
MOST_STREAMS = 8
"""OANDA allows 20 to one address; beyond these the connection is made anew with all instruments in one."""

Say = Callable[[FeedState, str, InstrumentKey | None], None]
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class OandaConnection:
    """Ends with the first of its streams that does; what it learned stays in the streams' series."""

    def __init__(
        self,
        client: OandaClient,
        settings: VenueSettings,
        streams: Sequence[Stream],
        sink: MarketSink,
        *,
        refusals: Refusals,
        now_ns: Callable[[], int],
        pace: Pace,
        say: Say,
        on_live: Callable[[], None],
    ) -> None:
        self._client, self._settings, self._say = client, settings, say
        self._refusals, self._now_ns, self._pace, self._on_live = refusals, now_ns, pace, on_live
        self.streams: list[Stream] = []
        """All that are watched."""
        self._by_symbol: dict[Symbol, Stream] = {}
        self._added: asyncio.Queue[Sequence[Stream]] = asyncio.Queue()
        self._heard: list[float] = []  # of each HTTP stream, when it last told a line
        self._is_live = False
        self._candles = OandaCandles(client, settings, refusals, now_ns)
        self._decoder = msgspec.json.Decoder(Line)
        self.messages = 0
        self._intake = Intake(
            sink,
            refusals,
            now_ns,
            on_first=self._live,
            on_recovered=lambda stream: say(FeedState.LIVE, "talks again", stream.subscription.key),
        )
        self._bars = BarRepair(self.streams, self._missing_bars, self._intake, refusals, now_ns, pace)
        self.add(streams)

    def add(self, streams: Sequence[Stream]) -> None:
        """These too, from now on."""
        for each in streams:
            self._intake.add(each)
            if each.subscription.quotes:
                self._by_symbol[each.subscription.key.symbol] = each
            for series in each.bars.values():
                series.begin(self._now_ns() - self._pace.bar_grace_ns)
        self.streams += streams
        self._added.put_nowait(streams)

    async def run(self) -> NoReturn:
        """Raises VenueUnavailable or VenueRefused once it is lost, in an ExceptionGroup."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._bars.run())
            tasks.create_task(self._watch())
            while True:
                streams = await self._added.get()
                symbols = [each.subscription.key.symbol for each in streams if each.subscription.quotes]
                if symbols and len(self._heard) == MOST_STREAMS:
                    raise VenueUnavailable(f"{len(self._heard)} streams: connected anew with all instruments in one")
                if symbols:
                    self._heard.append(time.monotonic())
                    tasks.create_task(self._read(symbols, len(self._heard) - 1))
        raise AssertionError("a connection ends by an error only")

    async def _read(self, symbols: list[Symbol], place: int) -> NoReturn:
        path, lines = f"{self._client.account_path}/pricing/stream", LineReader(MOST_LINE)
        async with self._client.stream(path, {"instruments": names_of(symbols)}) as pieces:
            self._heard[place] = time.monotonic()
            async for piece in pieces:
                too_long = lines.too_long
                for line in lines.take(piece):
                    self._take(line, place)
                if lines.too_long > too_long:
                    self._refusals.add(Refusal.BROKEN_FRAME, "line of the pricing stream", f"over {MOST_LINE} bytes")
        raise VenueUnavailable(f"{self._settings.venue}: the venue ended the pricing stream")

    def _take(self, data: bytes, place: int) -> None:
        """One line: a price, a heartbeat, or what is counted as neither."""
        self.messages += 1
        try:
            line = self._decoder.decode(data)
        except UNREADABLE as error:
            self._refusals.add(Refusal.BROKEN_FRAME, f"line of the pricing stream: {error}", data)
            return
        if line.type == PRICE:
            self._price(line)
        elif line.type != HEARTBEAT:
            self._refusals.add(Refusal.BROKEN_FRAME, "line of the pricing stream", data)
            return
        self._heard[place] = time.monotonic()
        self._live()

    def _price(self, line: Line) -> None:
        symbol = symbol_of(line.instrument)
        stream = self._by_symbol.get(symbol)
        if stream is None or line.is_tradeable:
            self._intake.pass_quote(symbol, price_quote(line, self._now_ns()), line)
        elif not stream.is_stale:
            stream.is_stale = True
            closed = closed_until(self._now_ns())
            why = "the venue says so" if closed is None else f"the FX market is closed until {closed}"
            self._say(FeedState.STALE, f"not to be traded now: {why}", stream.subscription.key)

    def _live(self) -> None:
        if not self._is_live:
            self._is_live = True
            self._on_live()

    async def _missing_bars(self, stream: Stream, series: BarSeries) -> list[BarNumbers]:
        assert series.next_open is not None, "only what has begun is due"
        page = await self._candles.since(stream.subscription.key.symbol, series.interval_ns, series.next_open)
        if page.is_late:
            raise VenueUnavailable(f"{self._settings.venue}:{stream.symbol}: a bar has ended and is not complete yet")
        return page.closed

    async def _watch(self) -> NoReturn:
        """Silence, heartbeats included, ends the connection; a market that is quiet between them is quiet."""
        limit = self._settings.stale_after_s
        while True:
            now, is_late = await rest(limit / 4)
            if not is_late and any(now - heard > limit for heard in self._heard):
                reason = f"no price and no heartbeat for {limit:g} s"
                self._say(FeedState.STALE, reason, None)
                raise VenueUnavailable(f"{self._settings.venue}: {reason}")
