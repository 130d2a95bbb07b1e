"""What `workstation data download` does: a venue's past into the history, and what is missing there."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import numpy as np
import typer

from workstation.cli.data_choices import DownloadKind
from workstation.cli.data_lengths import shown_length
from workstation.cli.progress import Progress
from workstation.config.settings import Settings
from workstation.errors import BadInput, HistoryMissing
from workstation.exchanges.past import PastOfVenue
from workstation.exchanges.registry import past_of
from workstation.exchanges.rest_limiter import RestLimiters
from workstation.exchanges.settings import venue_settings
from workstation.history.backfill import Backfill, Filled, FlushLimits, Pages
from workstation.history.layout import HistoryKind, Series
from workstation.history.longer_bars import opening_of
from workstation.history.market_rows import Span
from workstation.history.store import HistoryStore, shown_time
from workstation.model.durations import SECOND_NS
from workstation.model.instrument import checked_key
from workstation.model.market import (
    IntArray,
    interval_ns,
)
from workstation.research.choices import span_of

SHOWN_GAPS = 10


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


def wanted_of(
    venue: str,
    symbols: Sequence[str],
    kind: DownloadKind,
    interval: str | None,
    start: str,
    end: str | None,
    *,
    again: bool,
    now_ns: int,
) -> Wanted:
    """The words of the command line. Raises BadInput for a span that is upside down, empty, or not yet past."""
    span = span_of(start, end)
    assert span.start_ns is not None
    if span.start_ns >= now_ns:
        raise BadInput(f"span from {start}: begins after now, {shown_time(now_ns)}: expected a past one")
    if kind is not DownloadKind.BARS and interval is not None:
        raise BadInput(f"--interval {interval}: --kind {kind} has no interval")
    length_ns = None if kind is not DownloadKind.BARS else interval_ns("1m" if interval is None else interval)
    for symbol in symbols:
        checked_key(venue, symbol)
    return Wanted(
        venue=venue,
        symbols=tuple(dict.fromkeys(symbols)),
        kind=kind,
        interval_ns=length_ns,
        start_ns=span.start_ns,
        end_ns=now_ns if span.end_ns is None else min(span.end_ns, now_ns),
        again=again,
    )


def download(settings: Settings, store: HistoryStore, wanted: Wanted, limits: FlushLimits | None = None) -> None:
    """Asks, stores, and says what came and what is missing; Ctrl-C ends it with what came stored.

    Raises ConfigError for an unknown venue, UnknownInstrument, BadInput, VenueUnavailable, VenueRefused.
    """
    with suppress(asyncio.CancelledError):
        asyncio.run(_downloaded(settings, store, wanted, limits))
        return
    typer.echo("stopped: what came is stored; the same command goes on from there", err=True)
    raise typer.Exit(130)


async def _downloaded(settings: Settings, store: HistoryStore, wanted: Wanted, limits: FlushLimits | None) -> None:
    task = asyncio.current_task()
    assert task is not None
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, task.cancel)
    async with _opened(settings, wanted.venue) as past:
        _require(past, wanted)
        instruments = [past.instrument(symbol, 0) for symbol in wanted.symbols]  # all of them, before the first hour
        for instrument in instruments:
            _put_rules(store, past, instrument.symbol)
            await _fill(store, past, wanted, instrument.symbol, limits)


def _require(past: PastOfVenue, wanted: Wanted) -> None:
    """Raises BadInput for what the venue does not have."""
    if wanted.interval_ns is not None:
        past.require_interval(wanted.interval_ns)
    elif wanted.kind is DownloadKind.TRADES:
        past.require_trades()
    else:
        for symbol in wanted.symbols:
            past.require_funding(symbol)


@asynccontextmanager
async def _opened(settings: Settings, venue: str) -> AsyncIterator[PastOfVenue]:
    chosen = venue_settings(settings, venue)
    past = past_of(chosen, time.time_ns, RestLimiters(), lambda sentence: typer.echo(sentence, err=True))
    try:
        await past.open()
        yield past
    finally:
        await past.close()


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


async def _fill(
    store: HistoryStore, past: PastOfVenue, wanted: Wanted, symbol: str, limits: FlushLimits | None
) -> None:
    series, length_ns = wanted.series(symbol), wanted.interval_ns
    start_ns, end_ns = settled_span(wanted, past.settled_ns(length_ns))
    if start_ns >= end_ns:
        typer.echo(f"{series}: nothing has ended yet from {shown_time(start_ns)} on: ask again later")
        return
    with Progress(str(series), unit="minute", patience_s=0.5) as progress:
        backfill = Backfill(
            store,
            series,
            past.settings.exchange,
            limits=limits,
            on_progress=lambda done, total: progress.show(done // (60 * SECOND_NS), total // (60 * SECOND_NS)),
        )
        spans = backfill.missing(start_ns, end_ns, again=wanted.again)
        before = past.asked
        await backfill.run(_pages(past, symbol, wanted), spans)
    typer.echo(told(series, backfill.filled, past.asked - before))
    for line in lacking(store, series, start_ns, end_ns, past.listed_ns(symbol)):
        typer.echo(line)
    if past.refusals.total:
        typer.echo(f"warning: {past.refusals.total} rows were refused, the last: {past.refusals.last}")


def _pages(past: PastOfVenue, symbol: str, wanted: Wanted) -> Pages:
    length_ns = wanted.interval_ns
    if length_ns is not None:
        return lambda start_ns, end_ns: past.bars(symbol, length_ns, start_ns, end_ns)
    ask = past.trades if wanted.kind is DownloadKind.TRADES else past.funding
    return lambda start_ns, end_ns: ask(symbol, start_ns, end_ns)


def settled_span(wanted: Wanted, settled_ns: int) -> tuple[int, int]:
    """The span as openings of bars, as far as they have ended; of trades to the millisecond."""
    length_ns = wanted.interval_ns
    if length_ns is None:
        return wanted.start_ns, min(wanted.end_ns, settled_ns)
    return _opening_from(wanted.start_ns, length_ns), min(_opening_from(wanted.end_ns, length_ns), settled_ns)


def _opening_from(ts_ns: int, length_ns: int) -> int:
    """The first opening at or after a moment."""
    return opening_of(ts_ns + length_ns - 1, length_ns)


def told(series: Series, filled: Filled, asked: int) -> str:
    """What was asked for and what came."""
    if not asked:
        return f"{series}: all of it was asked for before: nothing to do"
    text = (
        f"{series}: {filled.rows_stored:,} rows stored, {filled.rows_known:,} were stored before; {asked:,} questions"
    )
    if filled.rows_differing:
        text += f"\nwarning: {filled.rows_differing:,} of those have other values now; the stored stay"
    return text


def lacking(store: HistoryStore, series: Series, start_ns: int, end_ns: int, listed_ns: int | None) -> list[str]:
    """The report of gaps: what of the span is not there, the longest first."""
    times = _times(store, series, start_ns, end_ns)
    since = "" if listed_ns is None or listed_ns <= start_ns else f" (listed since {shown_time(listed_ns)})"
    if not len(times):
        return [f"  the venue has nothing from {shown_time(start_ns)} to {shown_time(end_ns)}{since}"]
    length_ns = series.interval_ns
    first_ns = int(times[0])
    lines = []
    if first_ns >= start_ns + (length_ns or 3_600 * SECOND_NS):
        lines.append(f"  the venue's first one is of {shown_time(first_ns)}{since}")
    if length_ns is None:
        return lines
    ends = np.append(times, end_ns)
    gaps = [(int(ends[place]) + length_ns, int(ends[place + 1])) for place in np.flatnonzero(np.diff(ends) > length_ns)]
    missing = sum(end - begin for begin, end in gaps) // length_ns
    expected = (end_ns - first_ns) // length_ns
    lines.append(f"  {len(times):,} of {expected:,} bars are there, {len(gaps):,} gaps, {missing:,} bars missing")
    gaps.sort(key=lambda gap: gap[0] - gap[1])
    lines += [f"  nothing for {shown_length(end - begin)} from {shown_time(begin)}" for begin, end in gaps[:SHOWN_GAPS]]
    return lines


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
