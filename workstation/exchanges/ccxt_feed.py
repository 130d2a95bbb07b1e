"""CcxtFeed: the market data of one venue through ccxt.pro, connected again and again until it is cancelled."""

import random
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from workstation.errors import VenueRefused, VenueUnavailable
from workstation.exchanges.attempts import Attempts, first_of
from workstation.exchanges.bar_series import as_bars
from workstation.exchanges.ccxt_connection import Connection
from workstation.exchanges.ccxt_instruments import instrument_of, is_tradable
from workstation.exchanges.ccxt_markets import Markets
from workstation.exchanges.ccxt_parse import Refusals
from workstation.exchanges.ccxt_repair import Repair
from workstation.exchanges.ccxt_watch import check_intervals
from workstation.exchanges.circuit_breaker import CircuitBreaker
from workstation.exchanges.contract_sizes import counting_of
from workstation.exchanges.intake import Stream
from workstation.exchanges.pace import Pace
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.telling import tell
from workstation.exchanges.venue_facts import facts_of
from workstation.exchanges.wanted import Wanted
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey
from workstation.model.market import Bars
from workstation.ports.feed import FeedCounts, FeedState, MarketSink, Subscription


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
        self._limiter = RestLimiter() if limiter is None else limiter
        self._pace = Pace() if pace is None else pace
        breaker = CircuitBreaker() if breaker is None else breaker
        self._attempts = Attempts(self._pace, breaker, self._limiter, now_ns, rng)
        self._markets = Markets(settings, self._limiter, self._pace.fresh_s)
        self._wanted = Wanted(trades_by_id=facts_of(settings.exchange).trades_by_id)
        self.refusals = Refusals()
        """What was not taken, by reason, and the last example."""
        self._messages = 0
        self._connection: Connection | None = None
        self._client: Any = None  # the connection's

    @property
    def venue(self) -> Venue:
        return self._settings.venue

    @property
    def counts(self) -> FeedCounts:
        now = 0 if self._connection is None else self._connection.messages
        return FeedCounts(messages=self._messages + now, reconnects=self._attempts.lost, refused=self.refusals.total)

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
        settled_ns = self._now_ns() - self._pace.bar_grace_ns  # a bar that ends while it is asked for is half a bar
        try:
            self._require(client, key.symbol)
            found = await repair.bars_since(key.symbol, interval_ns, since_ns)
        finally:
            await client.close()
        closed = [bar for bar in found if bar.ts_open + interval_ns <= settled_ns]
        return as_bars(interval_ns, closed)

    async def run(self, subscriptions: Sequence[Subscription], sink: MarketSink) -> None:
        """Tells the sink until it is cancelled or closed. Raises BadInput for what the exchange does not have."""
        with self._attempts.running(self.venue):
            self._wanted.begin(subscriptions)
            tell(self, sink, FeedState.CONNECTING, f"to {self._settings.exchange}")
            await self._attempts.keep(partial(self._connect, sink), partial(tell, self, sink))

    def add(self, subscriptions: Sequence[Subscription]) -> None:
        """These too, on the connection that lives or the next. Raises UnknownInstrument, BadInput: nothing changes."""
        self._attempts.require_running(self.venue)
        more = self._wanted.more(subscriptions)
        streams = [self._wanted.stream(each) for each in more]
        if (client := self._markets.known if self._client is None else self._client) is not None:
            for each in more:
                self._require(client, each.key.symbol)
            check_intervals(client, self._settings, streams)
        if self._connection is not None:
            self._connection.add(streams)
        self._wanted.add(subscriptions)

    def retry_now(self) -> None:
        self._attempts.retry_now()

    async def close(self) -> None:
        """Cancels the run and waits for its end."""
        await self._attempts.stop()

    async def _connect(self, sink: MarketSink) -> str:
        """Runs one connection and returns why it was lost."""
        client: Any = None
        reason = ""
        try:
            client = await self._markets.open_client()
            streams = self._wanted.streams(partial(self._require, client), partial(tell, self, sink))
            self._client, self._connection = client, self._connection_of(client, streams, sink)
            await self._connection.run()
        except* (VenueUnavailable, VenueRefused) as errors:
            reason = str(first_of(errors))
        finally:
            self._messages, connection = self.counts.messages, self._connection
            self._connection = self._client = None
            if connection is not None:
                self._wanted.lost(connection.streams)
            if client is not None:
                await client.close()
        return reason

    def _require(self, client: Any, symbol: Symbol) -> None:
        """Raises UnknownInstrument, BadInput for a market whose data is not told here."""
        counting_of(self._markets.listed(client, symbol), self._settings)

    def _connection_of(self, client: Any, streams: Sequence[Stream], sink: MarketSink) -> Connection:
        def live() -> None:
            self._attempts.succeeded()
            tell(self, sink, FeedState.LIVE, "first row")

        return Connection(
            client,
            self._settings,
            streams,
            sink,
            refusals=self.refusals,
            now_ns=self._now_ns,
            limiter=self._limiter,
            pace=self._pace,
            say=partial(tell, self, sink),
            on_live=live,
        )
