"""What is wanted of a venue, and what was seen of its trades and bars: it outlives a connection, and a run."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from workstation.errors import BadInput, UnknownInstrument
from workstation.exchanges.bar_series import BarSeries
from workstation.exchanges.intake import Stream
from workstation.exchanges.trade_series import TradeSeries
from workstation.model.ids import Symbol
from workstation.model.instrument import InstrumentKey
from workstation.model.market import interval_label
from workstation.ports.feed import FeedState, Subscription

SayOf = Callable[[FeedState, str, InstrumentKey], None]


class Wanted:
    """`stale` are the instruments whose quotes stood still when the last connection was lost."""

    def __init__(self, *, trades_by_id: bool) -> None:
        self._trades_by_id = trades_by_id
        self._trades: dict[InstrumentKey, TradeSeries] = {}
        self._bars: dict[tuple[InstrumentKey, int], BarSeries] = {}
        self.subscriptions: dict[InstrumentKey, Subscription] = {}
        self.stale: set[InstrumentKey] = set()
        self._last: dict[InstrumentKey, Stream] = {}  # of the last connection, with quotes

    def begin(self, subscriptions: Sequence[Subscription]) -> None:
        """These, and no others."""
        self.subscriptions = {each.key: each for each in subscriptions}

    def add(self, subscriptions: Sequence[Subscription]) -> None:
        """These too, each in the place of what was wanted of its instrument."""
        self.subscriptions |= {each.key: each for each in subscriptions}

    def more(self, subscriptions: Sequence[Subscription]) -> list[Subscription]:
        """What they want beyond what is wanted already."""
        return [_more_of(each, self.subscriptions.get(each.key)) for each in subscriptions]

    def lost(self, streams: Iterable[Stream]) -> None:
        """The connection of these is no more; what they last said is remembered."""
        self._last |= {each.subscription.key: each for each in streams if each.subscription.quotes}
        self.stale = {key for key, each in self._last.items() if each.is_stale}

    def streams(self, require: Callable[[Symbol], object], say: SayOf) -> list[Stream]:
        """All of them, on a new connection; what the venue has no more is stale, and the others go on.

        `require` raises UnknownInstrument for such, BadInput for what cannot be told.
        """
        found = []
        for each in self.subscriptions.values():
            try:
                require(each.key.symbol)
            except (UnknownInstrument, BadInput) as error:
                say(FeedState.STALE, str(error), each.key)
            else:
                found.append(self.stream(each))
        return found

    def stream(self, subscription: Subscription) -> Stream:
        """It on a new connection, with what was seen before."""
        key = subscription.key
        last = self._last.get(key) if subscription.quotes else None
        return Stream(
            subscription=subscription,
            trades=self._trades.setdefault(key, TradeSeries(is_numbered=self._trades_by_id)),
            bars={
                interval_label(length): self._bars.setdefault((key, length), BarSeries(length))
                for length in subscription.intervals_ns
            },
            is_stale=subscription.quotes and key in self.stale,
            best=None if last is None else last.best,
            stale_best=None if last is None else last.stale_best,
        )


def _more_of(wanted: Subscription, had: Subscription | None) -> Subscription:
    """What is wanted of an instrument beyond what it had."""
    if had is None:
        return wanted
    return replace(
        wanted,
        quotes=wanted.quotes and not had.quotes,
        trades=wanted.trades and not had.trades,
        funding=wanted.funding and not had.funding,
        book_levels=wanted.book_levels if wanted.book_levels > had.book_levels else 0,
        intervals_ns=tuple(length for length in wanted.intervals_ns if length not in had.intervals_ns),
    )
