"""Feed: market data of one venue, as plain numbers told to a sink; it reconnects by itself and says how it fares."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from workstation.errors import BadInput
from workstation.model.ids import InstrumentIndex, Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey
from workstation.model.market import Bars

MOST_LEVELS = 50
"""Of each side of an order book; every venue tells as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What is wanted of one instrument; `intervals_ns` are the lengths of its bars."""

    key: InstrumentKey
    index: InstrumentIndex
    quotes: bool = True
    trades: bool = False
    funding: bool = False
    """Of a perpetual, its funding rate and its mark price; others have none."""
    book_levels: int = 0
    """So many levels of each side of its order book; 0 is no book."""
    intervals_ns: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.book_levels <= MOST_LEVELS:
            raise BadInput(f"{self.key}: book_levels {self.book_levels}: expected 0 to {MOST_LEVELS}")


Levels = Sequence[tuple[float, float]]
"""Prices and quantities of one side of an order book, the best first."""


class FeedState(StrEnum):
    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    """Silent for longer than it may be, or telling other prices than the venue's own answer to a question."""
    RECONNECTING = "reconnecting"
    BROKEN = "broken"
    """Given up until `until_ns`: the circuit breaker is open, or the venue has banned this address."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCounts:
    """Since the feed was made: frames from the venue, connections lost, and frames or rows that were refused."""

    messages: int = 0
    reconnects: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """A change: of one instrument, or with `key` None of the whole connection. `until_ns` is a time UTC, or unknown."""

    venue: Venue
    state: FeedState
    reason: str
    counts: FeedCounts
    key: InstrumentKey | None = None
    until_ns: int | None = None


class MarketSink(Protocol):
    """Takes each row once, at the moment it is parsed. Prices and quantities are finite and over 0, funding rates
    finite.

    `ts_event` is the venue's time in ns UTC, 0 where the venue gives none.
    """

    def quote(
        self,
        index: InstrumentIndex,
        ts_event: int,
        bid: float,
        ask: float,
        bid_quantity: float,
        ask_quantity: float,
    ) -> None: ...

    def trade(
        self, index: InstrumentIndex, ts_event: int, price: float, quantity: float, seller_takes: bool
    ) -> None: ...

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
        """A closed bar; the bars of one series come in order."""

    def mark(self, index: InstrumentIndex, ts_event: int, price: float, index_price: float) -> None:
        """`index_price` is 0 where the venue tells none."""

    def funding(self, index: InstrumentIndex, ts_event: int, rate: float, ts_due: int) -> None:
        """A rate, told when it changes: a fraction of the position's value, due at `ts_due` (ns UTC, 0 = unknown)."""

    def book(self, index: InstrumentIndex, ts_event: int, bids: Levels, asks: Levels) -> None:
        """The whole book to its depth, each side from its best; one of them may be empty."""

    def status(self, status: FeedStatus) -> None: ...


class Feed(Protocol):
    @property
    def venue(self) -> Venue: ...

    @property
    def counts(self) -> FeedCounts:
        """As of now."""

    async def instruments(self, symbols: Collection[Symbol] | None = None) -> list[Instrument]:
        """The rules in force now, of these symbols or of all. Raises UnknownInstrument, VenueUnavailable."""

    async def bars(self, key: InstrumentKey, interval_ns: int, since_ns: int) -> Bars:
        """The venue's closed bars that open from `since_ns` on. Raises as `instruments` does."""

    async def run(self, subscriptions: Sequence[Subscription], sink: MarketSink) -> None:
        """Tells the sink until it is cancelled. Run again, also with other subscriptions, it repairs the gap between
        for trades and bars, as after a lost connection."""

    def add(self, subscriptions: Sequence[Subscription]) -> None:
        """While it runs: from now on these too, each in the place of what was wanted of its instrument and never less.

        What is told already goes on undisturbed. Raises UnknownInstrument or BadInput, and then changes nothing.
        """

    def retry_now(self) -> None:
        """By hand: closes its circuit breaker, and waits for no other attempt. The end of a ban is waited for still."""

    async def close(self) -> None:
        """Lets go of what is open; nothing runs after it."""
