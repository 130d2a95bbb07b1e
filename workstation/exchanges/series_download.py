"""One series of a venue's past into the history, and the report of what is not there: the same for every face."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from workstation.errors import HistoryMissing
from workstation.exchanges.past import PastOfVenue
from workstation.exchanges.registry import past_of
from workstation.exchanges.rest_limiter import RestLimiters
from workstation.exchanges.settings import VenueSettings
from workstation.history.backfill import Backfill, Filled, FlushLimits, Pages
from workstation.history.download_kind import DownloadKind
from workstation.history.layout import HistoryKind, Series
from workstation.history.longer_bars import opening_of
from workstation.history.market_rows import Span
from workstation.history.store import HistoryStore
from workstation.model.instrument import checked_key
from workstation.model.market import IntArray

Told = Callable[[Filled, int, int], None]
"""What came so far, the length done and the length in all, in ns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be had: [start_ns, end_ns) of each symbol; `again` also what was had before."""

    venue: str
    symbols: tuple[str, ...]
    kind: DownloadKind
    interval_ns: int | None
    start_ns: int
    end_ns: int
    again: bool = False

    def series(self, symbol: str) -> Series:
        key = checked_key(self.venue, symbol)
        return Series(kind=HistoryKind(self.kind), key=key, interval_ns=self.interval_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class GapReport:
    """What of [start_ns, end_ns) is there. `bars` and the figures behind it are None of what is no bars."""

    start_ns: int
    end_ns: int
    first_ns: int | None
    """The first row that is there; None: there is none."""
    listed_ns: int | None
    """Since when the symbol is traded, where the venue says so."""
    bars: int | None = None
    expected: int | None = None
    """Bars from the first one to the span's end."""
    gaps: tuple[tuple[int, int], ...] = ()
    """[from, to) without a bar, the longest first."""

    @property
    def missing(self) -> int | None:
        """Bars."""
        return None if self.bars is None or self.expected is None else self.expected - self.bars


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """What came of one series. `span` is what of the wanted one has ended; empty where nothing has."""

    series: Series
    span: tuple[int, int]
    filled: Filled
    questions: int
    refused: int
    last_refusal: str
    report: GapReport | None
    """None where nothing has ended yet."""


@asynccontextmanager
async def opened_past(
    settings: VenueSettings, tell: Callable[[str], None], share: float = 1.0
) -> AsyncIterator[PastOfVenue]:
    """Open, and closed behind the block; it asks at that share of the venue's pace.

    `tell` gets a sentence about each answer that did not come.

    Raises VenueUnavailable, VenueRefused, ConfigError.
    """
    past = past_of(settings, time.time_ns, RestLimiters(share), tell)
    try:
        await past.open()
        yield past
    finally:
        await past.close()


def require(past: PastOfVenue, wanted: Wanted) -> None:
    """Raises BadInput for what the venue does not have, UnknownInstrument: before the first hour is asked for."""
    if wanted.interval_ns is not None:
        past.require_interval(wanted.interval_ns)
    elif wanted.kind is DownloadKind.TRADES:
        past.require_trades()
    else:
        for symbol in wanted.symbols:
            past.require_funding(symbol)
    for symbol in wanted.symbols:
        past.instrument(symbol, 0)


async def download_series(
    past: PastOfVenue,
    store: HistoryStore,
    wanted: Wanted,
    symbol: str,
    *,
    limits: FlushLimits | None = None,
    on_progress: Told | None = None,
) -> Downloaded:
    """Asks for what is not here, and stores it; whatever ends it, what came before is stored.

    Raises VenueUnavailable, VenueRefused, HistoryCorrupt, OSError, and DownloadRunning while another process fills the
    same series.
    """
    _put_rules(store, past, symbol)
    series, (start_ns, end_ns) = wanted.series(symbol), settled_span(wanted, past.settled_ns(wanted.interval_ns))
    told = on_progress or (lambda _filled, _done, _total: None)
    backfill = Backfill(
        store,
        series,
        past.settings.exchange,
        limits=limits,
        on_progress=lambda done, total: told(backfill.filled, done, total),
    )
    before, refused = past.asked, past.refusals.total
    has_ended = start_ns < end_ns
    if has_ended:
        spans = backfill.missing(start_ns, end_ns, again=wanted.again)
        await backfill.run(_pages(past, symbol, wanted), spans)
    return Downloaded(
        series=series,
        span=(start_ns, end_ns),
        filled=backfill.filled,
        questions=past.asked - before,
        refused=past.refusals.total - refused,
        last_refusal=str(past.refusals.last or ""),
        report=gap_report(store, series, start_ns, end_ns, past.listed_ns(symbol)) if has_ended else None,
    )


def settled_span(wanted: Wanted, settled_ns: int) -> tuple[int, int]:
    """The span as openings of bars, as far as they have ended; of trades to the millisecond."""
    length_ns = wanted.interval_ns
    if length_ns is None:
        return wanted.start_ns, min(wanted.end_ns, settled_ns)
    return _opening_from(wanted.start_ns, length_ns), min(_opening_from(wanted.end_ns, length_ns), settled_ns)


def gap_report(store: HistoryStore, series: Series, start_ns: int, end_ns: int, listed_ns: int | None) -> GapReport:
    """What of the span is there, as the history has it now."""
    times, length_ns = _times(store, series, start_ns, end_ns), series.interval_ns
    first_ns = int(times[0]) if len(times) else None
    known: dict[str, Any] = {"start_ns": start_ns, "end_ns": end_ns, "first_ns": first_ns, "listed_ns": listed_ns}
    if length_ns is None or first_ns is None:
        return GapReport(**known)
    ends = np.append(times, end_ns)
    gaps = [(int(ends[place]) + length_ns, int(ends[place + 1])) for place in np.flatnonzero(np.diff(ends) > length_ns)]
    gaps.sort(key=lambda gap: gap[0] - gap[1])
    return GapReport(**known, bars=len(times), expected=(end_ns - first_ns) // length_ns, gaps=tuple(gaps))


def _put_rules(store: HistoryStore, past: PastOfVenue, symbol: str) -> None:
    """The venue's rules; those of before go on to hold for the time before."""
    fresh = past.instrument(symbol, 0)
    try:
        known = store.instrument(fresh.key)
    except HistoryMissing:
        store.put_instrument(fresh)
        return
    if past.instrument(symbol, known.valid_from_ns) != known:
        store.put_instrument(past.instrument(symbol, time.time_ns()))


def _pages(past: PastOfVenue, symbol: str, wanted: Wanted) -> Pages:
    length_ns = wanted.interval_ns
    if length_ns is not None:
        return lambda start_ns, end_ns: past.bars(symbol, length_ns, start_ns, end_ns)
    ask = past.trades if wanted.kind is DownloadKind.TRADES else past.funding
    return lambda start_ns, end_ns: ask(symbol, start_ns, end_ns)


def _opening_from(ts_ns: int, length_ns: int) -> int:
    """The first opening at or after a moment."""
    return opening_of(ts_ns + length_ns - 1, length_ns)


def _times(store: HistoryStore, series: Series, start_ns: int, end_ns: int) -> IntArray:
    """Openings of bars in the span; of trades where they begin, without reading them."""
    try:
        if series.interval_ns is not None:
            return store.bars(series.key, series.interval_ns, start_ns, end_ns).ts_open
        span = Span(start_ns=start_ns, end_ns=end_ns)
        first_ns = min(one.start_ns for one in store.segments(series, span))
        return np.array([max(first_ns, start_ns)] if store.count(series, span) else [], np.int64)
    except HistoryMissing:
        return np.zeros(0, np.int64)
