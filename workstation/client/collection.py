"""Collections: market data that are recorded on request, under a name, as a person asks for them, and what is told.

Times are ns UTC.
"""

from typing import Annotated

from pydantic import Field

from workstation.client.declaration import Message, Word
from workstation.config.settings import IntervalLabel
from workstation.history.collection import COLLECTION_NAME, CollectionState

CollectionName = Annotated[str, Field(pattern=COLLECTION_NAME.pattern, max_length=60)]
LONGEST_S = 10 * 366 * 86_400.0
"""Ten years: what is to go on for longer has no planned end."""


class CollectionRequest(Message):
    """Quotes, and what else is named, of each symbol at each venue that lists it; None takes the engine's setting."""

    name: CollectionName | None = None
    """None: "collection-1", "collection-2", …"""
    venues: Annotated[tuple[Word, ...], Field(max_length=100)] = ()
    """Of the settings; empty: all of them."""
    symbols: Annotated[tuple[Word, ...], Field(min_length=1, max_length=1_000)]
    trades: bool | None = None
    intervals: Annotated[tuple[IntervalLabel, ...], Field(max_length=17)] | None = None
    """Of bars, as the venue closes them."""
    funding: bool | None = None
    """Funding rates and mark prices, of perpetuals."""
    book_levels: Annotated[int, Field(ge=0, le=50)] | None = None
    """Of each side of the order books; 0 is none."""
    seconds: Annotated[float, Field(gt=0, le=LONGEST_S)] | None = None
    """None: until somebody stops it."""


class CollectionSeriesView(Message):
    """One stored series of a collection."""

    kind: str
    venue: str
    symbol: str
    interval: str | None
    rows: int
    dropped: int
    last_ns: int | None
    """When its last row was received."""


class CollectionGapView(Message):
    """A time without rows, or with fewer than were told."""

    from_ns: int
    to_ns: int | None
    """None while it lasts."""
    why: str
    venue: str | None
    """None: of all of them."""
    rows: int | None
    """How many are missing; None: unknown."""


class CollectionView(Message):
    name: str
    state: CollectionState
    reason: str
    by: str
    """Who asked for it."""
    is_of_engine: bool
    """It goes on with the next engine; otherwise it ends with the process that records it."""
    instruments: tuple[str, ...]
    """As "venue:symbol"."""
    venues: tuple[str, ...]
    symbols: tuple[str, ...]
    trades: bool
    intervals: tuple[str, ...]
    funding: bool
    book_levels: int
    begun_ns: int
    planned_end_ns: int | None
    ended_ns: int | None
    rows: int
    """Recorded, of all series."""
    dropped: int
    """Told by the venues, and lost to a full channel or a disk that refused or was behind."""
    conflated: int
    """Quotes and levels of books that gave way to newer ones while the engine was behind."""
    last_ns: int | None
    """When the last row was received."""
    gap_count: int


class CollectionDetail(CollectionView):
    series: tuple[CollectionSeriesView, ...]
    gaps: tuple[CollectionGapView, ...]
    """The last 200."""
