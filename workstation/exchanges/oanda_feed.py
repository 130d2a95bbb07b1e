"""OandaFeed: the market data of one account at OANDA, connected again and again until it is cancelled."""

import random
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial

from workstation.errors import BadInput, VenueRefused, VenueUnavailable
from workstation.exchanges.attempts import Attempts, first_of
from workstation.exchanges.bar_series import as_bars
from workstation.exchanges.ccxt_parse import Refusals
from workstation.exchanges.circuit_breaker import CircuitBreaker
from workstation.exchanges.intake import Stream
from workstation.exchanges.oanda_candles import OandaCandles
from workstation.exchanges.oanda_client import OandaClient
from workstation.exchanges.oanda_connection import OandaConnection
from workstation.exchanges.oanda_instruments import instrument_of
from workstation.exchanges.oanda_listing import OandaListing, granularity_of
from workstation.exchanges.pace import Pace
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.retries import asked_again
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.telling import tell
from workstation.exchanges.wanted import Wanted
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey
from workstation.model.market import Bars
from workstation.ports.feed import FeedCounts, FeedState, MarketSink, Subscription


class OandaFeed:
    """A `ports.feed.Feed` without public trades, funding and books: those are not told of at OANDA."""

    def __init__(
        self,
        settings: VenueSettings,
        now_ns: Callable[[], int],
        *,
        limiter: RestLimiter | None = None,
        connections: RestLimiter | None = None,
        breaker: CircuitBreaker | None = None,
        rng: random.Random | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Raises ConfigError without account or token."""
        self._settings, self._now_ns = settings, now_ns
        limiter = RestLimiter() if limiter is None else limiter
        self._pace = Pace() if pace is None else pace
        breaker = CircuitBreaker() if breaker is None else breaker
        self._attempts = Attempts(self._pace, breaker, limiter, now_ns, rng)
        self.client = OandaClient(settings, limiter, RestLimiter() if connections is None else connections)
        self._listing = OandaListing(self.client, settings, self._pace.fresh_s)
        self._wanted = Wanted(trades_by_id=False)
        self.refusals = Refusals()
        """What was not taken, by reason, and the last example."""
        self._messages = 0
        self._connection: OandaConnection | None = None

    @property
    def venue(self) -> Venue:
        return self._settings.venue

    @property
    def counts(self) -> FeedCounts:
        now = 0 if self._connection is None else self._connection.messages
        return FeedCounts(messages=self._messages + now, reconnects=self._attempts.lost, refused=self.refusals.total)

    async def instruments(self, symbols: Collection[Symbol] | None = None) -> list[Instrument]:
        """The rules in force now. Raises UnknownInstrument, BadInput, VenueUnavailable, VenueRefused."""
        known = await asked_again(self._listing.fresh, self._pace.retry_s)
        if symbols is not None:
            listed = [self._listing.listed(symbol) for symbol in symbols]
            return [instrument_of(each, self.venue, self._now_ns()) for each in listed]
        found = []
        for each in known.values():
            with suppress(BadInput):  # one that is none of ours keeps no other back
                found.append(instrument_of(each, self.venue, self._now_ns()))
        return found

    async def bars(self, key: InstrumentKey, interval_ns: int, since_ns: int) -> Bars:
        """The venue's closed bars that open from `since_ns` on, by REST. Raises as `instruments` does."""
        await asked_again(self._listing.fresh, self._pace.retry_s)
        self._listing.listed(key.symbol)
        candles = OandaCandles(self.client, self._settings, self.refusals, self._now_ns)
        page = await asked_again(lambda: candles.since(key.symbol, interval_ns, since_ns), self._pace.retry_s)
        return as_bars(interval_ns, page.closed)

    async def run(self, subscriptions: Sequence[Subscription], sink: MarketSink) -> None:
        """Tells the sink until it is cancelled or closed. Raises BadInput for what OANDA does not have."""
        self._require_told(subscriptions)
        with self._attempts.running(self.venue):
            self._wanted.begin(subscriptions)
            tell(self, sink, FeedState.CONNECTING, f"to {self._settings.exchange}, {self._settings.environment}")
            await self._attempts.keep(partial(self._connect, sink), partial(tell, self, sink))

    def add(self, subscriptions: Sequence[Subscription]) -> None:
        """These too, on the connection that lives or the next. Raises UnknownInstrument, BadInput: nothing changes."""
        self._attempts.require_running(self.venue)
        more = self._wanted.more(subscriptions)
        self._require_told(subscriptions)
        if self._listing.known is not None:
            for each in more:
                self._listing.listed(each.key.symbol)
        if self._connection is not None:
            self._connection.add([self._wanted.stream(each) for each in more])
        self._wanted.add(subscriptions)

    def retry_now(self) -> None:
        self._attempts.retry_now()

    async def close(self) -> None:
        """Cancels the run and waits for its end."""
        await self._attempts.stop()
        await self.client.close()

    async def _connect(self, sink: MarketSink) -> str:
        """Runs one connection and returns why it was lost."""
        reason = ""
        try:
            await self._listing.fresh()
            streams = self._wanted.streams(self._listing.listed, partial(tell, self, sink))
            self._connection = self._connection_of(streams, sink)
            await self._connection.run()
        except* (VenueUnavailable, VenueRefused) as errors:
            reason = str(first_of(errors))
        finally:
            self._messages, connection = self.counts.messages, self._connection
            self._connection = None
            if connection is not None:
                self._wanted.lost(connection.streams)
        return reason

    def _connection_of(self, streams: Sequence[Stream], sink: MarketSink) -> OandaConnection:
        def live() -> None:
            self._attempts.succeeded()
            tell(self, sink, FeedState.LIVE, "first line")

        return OandaConnection(
            self.client,
            self._settings,
            streams,
            sink,
            refusals=self.refusals,
            now_ns=self._now_ns,
            pace=self._pace,
            say=partial(tell, self, sink),
            on_live=live,
        )

    def _require_told(self, subscriptions: Sequence[Subscription]) -> None:
        """Raises BadInput for bars that OANDA does not have, and where it tells nothing of what is wanted.

        Who wants trades, funding or a book beside quotes or bars goes without, as `workstation exchange list` says.
        """
        for each in subscriptions:
            for length in each.intervals_ns:
                granularity_of(self._settings, length)
            if not each.quotes and not each.intervals_ns:
                raise BadInput(
                    f"{each.key}: no quotes and no bars wanted: {self._settings.exchange} tells nothing else"
                )
