"""What a feed says of itself."""

from workstation.model.instrument import InstrumentKey
from workstation.ports.feed import Feed, FeedState, FeedStatus, MarketSink


def tell(
    feed: Feed,
    sink: MarketSink,
    state: FeedState,
    reason: str,
    key: InstrumentKey | None = None,
    *,
    until_ns: int | None = None,
) -> None:
    """A change of the whole connection, or with a key of one instrument, with the counts as they are now."""
    status = FeedStatus(venue=feed.venue, state=state, reason=reason, counts=feed.counts, key=key, until_ns=until_ns)
    sink.status(status)
