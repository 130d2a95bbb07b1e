"""CcxtFeed: the market data of one venue through ccxt.pro, connected again and again until it is cancelled."""

import asyncio
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np

from workstation.errors import BadInput, UnknownInstrument, VenueRefused, VenueUnavailable
from workstation.exchanges.bar_series import BarSeries
from workstation.exchanges.ccxt_connection import Connection, Pace
from workstation.exchanges.ccxt_instruments import instrument_of, is_tradable
from workstation.exchanges.ccxt_markets import Markets
from workstation.exchanges.ccxt_parse import BarNumbers, Refusals
from workstation.exchanges.ccxt_repair import Repair
from workstation.exchanges.ccxt_watch import check_intervals
from workstation.exchanges.circuit_breaker import CircuitBreaker
from workstation.exchanges.intake import Stream
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.trade_series import TradeSeries
from workstation.exchanges.venue_facts import facts_of
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey
from workstation.model.market import SECOND_NS, Bars, interval_label
from workstation.ports.feed import FeedCounts, FeedState, FeedStatus, MarketSink, Subscription


class CcxtFeed:
    """A `ports.feed.Feed`. What it has seen of trades and bars outlives a connection, and a run."""

    def __init__(
        self,
        settings: VenueSettings,
        now_ns: Callable[[], int],
        *,
        limiter: RestLimiter | None = None,
        breaker: CircuitBreaker | None = None,
        rng: random.Random | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._settings, self._now_ns = settings, now_ns
        self._facts = facts_of(settings.exchange)
        self._limiter = RestLimiter() if limiter is None else limiter
        self.breaker = CircuitBreaker() if breaker is None else breaker
        self._rng = random.Random() if rng is None else rng
        self._pace = Pace() if pace is None else pace
        self._markets = Markets(settings, self._limiter, self._pace.fresh_s)
        self._trades: dict[InstrumentKey, TradeSeries] = {}
        self._bars: dict[tuple[InstrumentKey, int], BarSeries] = {}
        self.refusals = Refusals()
        """What was not taken, by reason, and the last example."""
        self._messages = self._reconnects = 0
        self._connection: Connection | None = None
        self._client: Any = None  # the connection's
        self._running: asyncio.Task[Any] | None = None
        self._wanted: dict[InstrumentKey, Subscription] = {}
        self._stale: set[InstrumentKey] = set()  # when the last connection was lost

    @property
    def venue(self) -> Venue:
        return self._settings.venue

    @property
    def counts(self) -> FeedCounts:
        now = 0 if self._connection is None else self._connection.messages
        return FeedCounts(messages=self._messages + now, reconnects=self._reconnects, refused=self.refusals.total)

    async def instruments(self, symbols: Collection[Symbol] | None = None) -> list[Instrument]:
        """The rules in force now. Raises UnknownInstrument, BadInput, VenueUnavailable, VenueRefused."""
        client = await self._markets.fresh(symbols)
        if symbols is None:
            wanted = [market for market in client.markets.values() if is_tradable(market)]
        else:
            wanted = [self._markets.listed(client, symbol) for symbol in symbols]
        return [instrument_of(market, self.venue, self._settings.exchange, self._now_ns()) for market in wanted]

    async def bars(self, key: InstrumentKey, interval_ns: int, since_ns: int) -> Bars:
        """The venue's closed bars that open from `since_ns` on, by REST. Raises as `instruments` does."""
        client = await self._markets.open_client()
        repair = Repair(client, self._settings, self.refusals, self._now_ns, self._pace.retry_s)
        try:
            self._markets.listed(client, key.symbol)
            found = await repair.bars_since(key.symbol, interval_ns, since_ns)
        finally:
            await client.close()
        closed = [bar for bar in found if bar.ts_open + interval_ns <= self._now_ns()]
        columns = dict(zip(BarNumbers._fields, zip(*closed, strict=True), strict=True)) if closed else {}
        return Bars(
            interval_ns=interval_ns,
            ts_open=np.array(columns.get("ts_open", ()), np.int64),
            **{name: np.array(columns.get(name, ()), np.float64) for name in BarNumbers._fields[1:]},
        )

    async def run(self, subscriptions: Sequence[Subscription], sink: MarketSink) -> None:
        """Tells the sink until it is cancelled or closed. Raises BadInput for what the exchange does not have."""
        if self._running is not None:
            raise BadInput(f"{self.venue}: the feed runs already; cancel it before it is run with other subscriptions")
        self._running = asyncio.current_task()
        self._wanted = {each.key: each for each in subscriptions}
        try:
            await self._keep_connected(sink)
        finally:
            self._running = None
            self._say(sink, FeedState.STOPPED, "cancelled")

    def add(self, subscriptions: Sequence[Subscription]) -> None:
        """These too, on the connection that lives or the next. Raises UnknownInstrument, BadInput: nothing changes."""
        if self._running is None:
            raise BadInput(f"{self.venue}: the feed does not run: run it with these subscriptions")
        more = [_more_of(each, self._wanted.get(each.key)) for each in subscriptions]
        streams = [self._stream(each) for each in more]
        if (client := self._markets.known if self._client is None else self._client) is not None:
            for each in more:
                self._markets.listed(client, each.key.symbol)
            check_intervals(client, self._settings, streams)
        if self._connection is not None:
            self._connection.add(streams)
        self._wanted |= {each.key: each for each in subscriptions}

    async def close(self) -> None:
        """Cancels the run and waits for its end."""
        if (running := self._running) is not None:
            running.cancel()
            await asyncio.wait([running])

    async def _keep_connected(self, sink: MarketSink) -> NoReturn:
        attempt, loop = 0, asyncio.get_running_loop()
        self._say(sink, FeedState.CONNECTING, f"to {self._settings.exchange}")
        while True:
            await self._until_allowed(sink)
            began = loop.time()
            try:
                reason = await self._connect(sink)
            finally:
                self._messages, connection = self.counts.messages, self._connection
                self._connection = self._client = None
                self._stale = set() if connection is None else connection.stale
            self._reconnects += 1
            self.breaker.failed(loop.time())
            attempt = 0 if loop.time() - began >= self._pace.stable_after_s else attempt + 1
            wait = self._backoff_s(attempt)
            self._say(sink, FeedState.RECONNECTING, f"{reason}; again in {wait:.1f} s")
            await asyncio.sleep(wait)

    async def _connect(self, sink: MarketSink) -> str:
        """Runs one connection and returns why it was lost."""
        client: Any = None
        reason = ""
        try:
            client = await self._markets.open_client()
            streams = [self._stream(each) for each in self._wanted.values() if self._is_listed(client, each, sink)]
            self._client, self._connection = client, self._connection_of(client, streams, sink)
            await self._connection.run()
        except* (VenueUnavailable, VenueRefused) as errors:
            reason = str(_first(errors))
        finally:
            if client is not None:
                await client.close()
        return reason

    def _is_listed(self, client: Any, subscription: Subscription, sink: MarketSink) -> bool:
        """Whether the venue still has it; one that it has no more is stale, and the others go on."""
        try:
            self._markets.listed(client, subscription.key.symbol)
        except UnknownInstrument as error:
            self._say(sink, FeedState.STALE, str(error), subscription.key)
            return False
        return True

    def _connection_of(self, client: Any, streams: Sequence[Stream], sink: MarketSink) -> Connection:
        def live() -> None:
            self.breaker.succeeded(asyncio.get_running_loop().time())
            self._say(sink, FeedState.LIVE, "first row")

        return Connection(
            client,
            self._settings,
            streams,
            sink,
            refusals=self.refusals,
            now_ns=self._now_ns,
            limiter=self._limiter,
            pace=self._pace,
            say=lambda state, reason, key: self._say(sink, state, reason, key),
            on_live=live,
        )

    async def _until_allowed(self, sink: MarketSink) -> None:
        """Waits while the venue has banned us, or the breaker is open; says so, with the end."""
        loop = asyncio.get_running_loop()
        while True:
            banned, wait = self._limiter.ban_left_s(loop.time()), self.breaker.wait_s(loop.time())
            if not banned and self.breaker.attempt(loop.time()):
                return
            limits = self.breaker.limits
            reason = f"{limits.failures} lost connections within {limits.within_s:g} s: no attempt for a while"
            if banned:
                reason = "the venue has banned this address: nothing is sent until the ban ends"
            left = max(banned, wait)
            self._say(sink, FeedState.BROKEN, reason, until_ns=self._now_ns() + round(left * SECOND_NS))
            await asyncio.sleep(left)

    def _backoff_s(self, attempt: int) -> float:
        """1, 2, 4, 8 … 60 s, of which a random half is taken off, so that clients do not come back together."""
        whole = min(self._pace.most_backoff_s, self._pace.first_backoff_s * 2.0 ** min(max(attempt - 1, 0), 30))
        return whole * (0.5 + self._rng.random() / 2)

    def _stream(self, subscription: Subscription) -> Stream:
        key = subscription.key
        return Stream(
            subscription=subscription,
            trades=self._trades.setdefault(key, TradeSeries(is_numbered=self._facts.trades_by_id)),
            bars={
                interval_label(length): self._bars.setdefault((key, length), BarSeries(length))
                for length in subscription.intervals_ns
            },
            is_stale=subscription.quotes and key in self._stale,
        )

    def _say(
        self,
        sink: MarketSink,
        state: FeedState,
        reason: str,
        key: InstrumentKey | None = None,
        until_ns: int | None = None,
    ) -> None:
        status = FeedStatus(
            venue=self.venue, state=state, reason=reason, counts=self.counts, key=key, until_ns=until_ns
        )
        sink.status(status)


def _more_of(wanted: Subscription, had: Subscription | None) -> Subscription:
    """What is wanted of an instrument beyond what it had."""
    if had is None:
        return wanted
    return replace(
        wanted,
        quotes=wanted.quotes and not had.quotes,
        trades=wanted.trades and not had.trades,
        intervals_ns=tuple(length for length in wanted.intervals_ns if length not in had.intervals_ns),
    )


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
