"""One connection: subscribe, tap, repair what was missed, watch for silence, until it is lost."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

from workstation.errors import VenueUnavailable
from workstation.exchanges.bar_repair import BarRepair
from workstation.exchanges.bar_series import BarSeries
from workstation.exchanges.book_chains import guard_chains
from workstation.exchanges.ccxt_books import Books
from workstation.exchanges.ccxt_client import told
from workstation.exchanges.ccxt_parse import BarNumbers, Refusal, Refusals
from workstation.exchanges.ccxt_perpetuals import Perpetuals
from workstation.exchanges.ccxt_repair import GAPS, Repair
from workstation.exchanges.ccxt_taps import BarTap, BookTap, FrameTap, QuoteTap, TradeTap, keep_best_prices
from workstation.exchanges.ccxt_watch import book_symbols, check_intervals, keep, may_read_books, watch_calls
from workstation.exchanges.contract_sizes import counting_of
from workstation.exchanges.intake import Intake, Stream
from workstation.exchanges.okx_checksum import check_sums
from workstation.exchanges.pace import Pace, rest
from workstation.exchanges.quick_quotes import QuickQuotes
from workstation.exchanges.rest_limiter import RestPace
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.trade_repair import TradeRepair
from workstation.exchanges.venue_facts import facts_of
from workstation.model.instrument import InstrumentKey
from workstation.ports.feed import FeedState, MarketSink

Say = Callable[[FeedState, str, InstrumentKey | None], None]


class Connection:
    """`lost` ends it; what it learned stays in the streams' series."""

    def __init__(
        self,
        client: Any,
        settings: VenueSettings,
        streams: Sequence[Stream],
        sink: MarketSink,
        *,
        refusals: Refusals,
        now_ns: Callable[[], int],
        limiter: RestPace,
        pace: Pace,
        say: Say,
        on_live: Callable[[], None],
    ) -> None:
        self._client, self._settings = client, settings
        self._streams: list[Stream] = []
        self._added: asyncio.Queue[Sequence[Stream]] = asyncio.Queue()
        self._refusals, self._now_ns, self._limiter, self._pace = refusals, now_ns, limiter, pace
        self._say = say
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._repair = Repair(client, settings, refusals, now_ns, pace.retry_s)
        self._intake = Intake(
            sink,
            refusals,
            now_ns,
            on_first=on_live,
            on_recovered=lambda stream: say(FeedState.LIVE, "talks again", stream.subscription.key),
        )
        self._trade_repair = TradeRepair(
            self._repair,
            self._intake.pass_trade,
            lambda stream, reason: say(FeedState.LIVE, reason, stream.subscription.key),
            repair_after_s=pace.repair_after_s,
            retry_s=pace.retry_s,
        )
        self._bars = BarRepair(self._streams, self._missing_bars, self._intake, refusals, now_ns, pace)
        self._books = BookTap(client, (), self._intake.book)
        self._quick = QuickQuotes(client, self._intake.book) if facts_of(settings.exchange).quick_quotes else None
        self._frames = FrameTap(
            client,
            on_broken=lambda url, error, data: refusals.add(Refusal.BROKEN_FRAME, told(error), data),
            on_lost=lambda url, error: self.lose(told(error) if isinstance(error, Exception) else str(error)),
            after_frame=self._books.look if may_read_books(client, settings) else None,
            read_quickly=None if self._quick is None else self._quick.read,
        )
        keep_best_prices(client)
        guard_chains(client, settings.exchange, self._give_up_book)
        if settings.exchange == "okx":
            check_sums(client)
        self._perpetuals = Perpetuals(client, settings, sink, refusals, now_ns, self._intake.quote, self._intake.note)
        self._depths = Books(client, sink, refusals, now_ns, self._intake.note)
        client.bidsasks, client.tickers = QuoteTap(self._intake.quote), QuoteTap(self._perpetuals.ticker)
        client.fundingRates = QuoteTap(self._perpetuals.funding)
        self.add(streams)

    @property
    def messages(self) -> int:
        return self._frames.count

    @property
    def streams(self) -> Sequence[Stream]:
        return self._streams

    def lose(self, reason: str) -> None:
        """Ends the connection; the first reason is the one that is told."""
        if not self._lost.done():
            self._lost.set_result(reason)

    def add(self, streams: Sequence[Stream]) -> None:
        """These too, from now on. Raises BadInput for what the exchange does not have."""
        check_intervals(self._client, self._settings, streams)
        for each in streams:
            self._tap(each)
        self._books.add(book_symbols(self._client, self._settings, streams))
        self._end_for_books(streams)
        self._streams += streams
        self._added.put_nowait(streams)

    def _give_up_book(self, reason: str) -> None:
        if not self._lost.done():
            self._refusals.add(Refusal.BROKEN_BOOK, self._settings.venue, reason)
        self.lose(reason)

    async def run(self) -> NoReturn:
        """Raises VenueUnavailable or VenueRefused once it is lost, in an ExceptionGroup."""
        async with asyncio.TaskGroup() as tasks:
            for work in (
                self._fail_when_lost,
                self._bars.run,
                self._heartbeat,
                self._watch_sockets,
                self._watch_quotes,
                partial(self._depths.run, self._pace.look_s),
                partial(self._perpetuals.ask, self._pace.funding_every_s),
            ):
                tasks.create_task(work())
            await self._serve_added(tasks)
        raise AssertionError("a connection ends by an error only")

    async def _serve_added(self, tasks: asyncio.TaskGroup) -> NoReturn:
        """Subscribes to what is added, and keeps it whole."""
        while True:
            streams = await self._added.get()
            for call in (*watch_calls(self._client, self._settings, streams), *self._perpetuals.calls(streams)):
                tasks.create_task(keep(call, self._settings, self._refusals, self._pace.recall_s))
            for each in streams:
                if each.subscription.trades:
                    tasks.create_task(self._trade_repair.keep_whole(each))

    def _tap(self, stream: Stream) -> None:
        """Of an instrument that is watched already it has only what is new."""
        client, intake, symbol = self._client, self._intake, stream.symbol
        stream.heard_s = time.monotonic()
        stream.counting = counting_of(client.market(symbol), self._settings)
        intake.add(stream)
        self._perpetuals.add(stream)
        self._depths.add(stream)
        if self._quick is not None:
            self._quick.add(stream)
        if stream.subscription.trades:
            client.trades[symbol] = TradeTap(partial(intake.trade, stream))
        for label, series in stream.bars.items():
            client.ohlcvs.setdefault(symbol, {})[label] = BarTap(partial(intake.bar, stream, series))
            series.begin(self._now_ns() - self._pace.bar_grace_ns)

    def _end_for_books(self, added: Sequence[Stream]) -> None:
        """Levels that would spoil the best prices that are subscribed to already need another connection."""
        if facts_of(self._settings.exchange).one_book:
            known = {each.symbol for each in self._streams}
            for each in added:
                if each.subscription.book_levels and each.symbol in known:
                    self.lose(f"levels of {each.symbol} are wanted too, which needs another connection")

    async def _fail_when_lost(self) -> NoReturn:
        raise VenueUnavailable(await self._lost)

    async def _missing_bars(self, stream: Stream, series: BarSeries) -> list[BarNumbers]:
        return await self._repair.bars(stream.symbol, series)

    async def _heartbeat(self) -> NoReturn:
        """Pings each socket: a venue that lives answers, however quiet its markets."""
        while True:
            await asyncio.sleep(self._settings.stale_after_s / 3)
            for socket in list(self._client.clients.values()):
                if not socket.closed():
                    try:
                        await socket.connection.ping()
                    except ConnectionError as error:
                        self.lose(f"ping: {told(error)}")

    async def _watch_sockets(self) -> NoReturn:
        limit = self._settings.stale_after_s
        while True:
            now, is_late = await rest(limit / 4)
            if self._limiter.ban_left_s(asyncio.get_running_loop().time()) > 0:
                self.lose("the venue has banned this address")
            for url, heard in self._frames.heard.items():
                if now - heard > limit and not is_late and not self._lost.done():
                    self._say(FeedState.STALE, f"no frame and no pong from {url} for {limit:g} s", None)
                    self.lose(f"{url} fell silent")

    async def _watch_quotes(self) -> NoReturn:
        limit = self._settings.stale_after_s
        while True:
            now, is_late = await rest(limit / 4)
            if is_late:
                continue
            quiet = [each for each in self._streams if each.subscription.quotes and now - each.heard_s > limit]
            if quiet:
                await self._compare(min(quiet, key=lambda each: each.heard_s))

    async def _compare(self, stream: Stream) -> None:
        """Whether the last quote of a symbol that says nothing new is still what the venue answers by REST."""
        asked = time.monotonic()
        try:
            best = await self._repair.best(stream.symbol)
        except GAPS as error:
            best, reason = None, f"quiet, and the venue does not answer: {error}"
        else:
            reason = f"quiet, last quote {stream.best}, but the venue answers {best}"
            if best == stream.best or best is None:
                stream.heard_s = asked  # quiet, but right: asked again in a while
                if stream.is_stale and best is not None:
                    self._intake.recovered(stream)
                return
        if stream.heard_s > asked:
            return
        stream.heard_s = asked
        if not stream.is_stale:
            stream.is_stale, stream.stale_best = True, None if best is None else stream.best
            self._say(FeedState.STALE, reason, stream.subscription.key)
            self.lose(f"{stream.symbol}: {reason}")
