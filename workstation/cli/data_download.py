"""What `workstation data download` does: a venue's past into the history, and what is missing there."""

import asyncio
import signal
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import typer

from workstation.cli.data_lengths import shown_length
from workstation.cli.progress import Progress
from workstation.config.settings import Settings
from workstation.errors import BadInput
from workstation.exchanges.past import PastOfVenue
from workstation.exchanges.series_download import (
    Downloaded,
    GapReport,
    Wanted,
    download_series,
    opened_past,
    require,
)
from workstation.exchanges.settings import venue_settings
from workstation.history.backfill import Filled, FlushLimits
from workstation.history.download_kind import DownloadKind
from workstation.history.layout import Series
from workstation.history.store import HistoryStore, shown_time
from workstation.model.durations import SECOND_NS
from workstation.model.instrument import checked_key
from workstation.model.market import (
    interval_ns,
)
from workstation.research.choices import span_of

SHOWN_GAPS = 10
Came = TypeVar("Came")


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

    Raises ConfigError for an unknown venue, UnknownInstrument, BadInput, VenueUnavailable, VenueRefused,
    DownloadRunning.
    """
    try:
        run_until_signalled(_downloaded(settings, store, wanted, limits))
    except asyncio.CancelledError:
        typer.echo("stopped: what came is stored; the same command goes on from there", err=True)
        raise typer.Exit(130) from None


def run_until_signalled(work: Coroutine[Any, Any, Came]) -> Came:
    """Its result. SIGINT and SIGTERM cancel it: it ends in its own order, and CancelledError is raised."""

    async def heeding() -> Came:
        task = asyncio.current_task()
        assert task is not None
        for one in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(one, task.cancel)
        return await work

    return asyncio.run(heeding())


async def _downloaded(settings: Settings, store: HistoryStore, wanted: Wanted, limits: FlushLimits | None) -> None:
    chosen = venue_settings(settings, wanted.venue)
    async with opened_past(chosen, lambda sentence: typer.echo(sentence, err=True)) as past:
        require(past, wanted)
        for symbol in wanted.symbols:
            for line in told(await _fill(past, store, wanted, symbol, limits)):
                typer.echo(line)


async def _fill(
    past: PastOfVenue, store: HistoryStore, wanted: Wanted, symbol: str, limits: FlushLimits | None
) -> Downloaded:
    with Progress(str(wanted.series(symbol)), unit="minute", patience_s=0.5) as progress:

        def show(_: Filled, done: int, total: int) -> None:
            progress.show(done // (60 * SECOND_NS), total // (60 * SECOND_NS))

        return await download_series(past, store, wanted, symbol, limits=limits, on_progress=show)


def told(one: Downloaded) -> list[str]:
    """What was asked for, what came, and what of it is missing."""
    if one.report is None:
        return [f"{one.series}: nothing has ended yet from {shown_time(one.span[0])} on: ask again later"]
    lines = [*_came(one.series, one.filled, one.questions), *lacking(one.series, one.report)]
    if one.refused:
        lines.append(f"warning: {one.refused} rows were refused, the last: {one.last_refusal}")
    return lines


def _came(series: Series, filled: Filled, questions: int) -> list[str]:
    if not questions:
        return [f"{series}: all of it was asked for before: nothing to do"]
    came = f"{series}: {filled.rows_stored:,} rows stored, {filled.rows_known:,} were stored before"
    lines = [f"{came}; {questions:,} questions"]
    if filled.rows_differing:
        lines.append(f"warning: {filled.rows_differing:,} of those have other values now; the stored stay")
    return lines


def lacking(series: Series, found: GapReport) -> list[str]:
    """The report of gaps: what of the span is not there, the longest first."""
    is_late = found.listed_ns is not None and found.listed_ns > found.start_ns
    since = f" (listed since {shown_time(found.listed_ns)})" if is_late else ""
    if found.first_ns is None:
        return [f"  the venue has nothing from {shown_time(found.start_ns)} to {shown_time(found.end_ns)}{since}"]
    lines = []
    if found.first_ns >= found.start_ns + (series.interval_ns or 3_600 * SECOND_NS):
        lines.append(f"  the venue's first one is of {shown_time(found.first_ns)}{since}")
    if found.missing is None:
        return lines
    bars = f"{found.bars:,} of {found.expected:,} bars are there"
    lines.append(f"  {bars}, {len(found.gaps):,} gaps, {found.missing:,} bars missing")
    for begin, end in found.gaps[:SHOWN_GAPS]:
        lines.append(f"  nothing for {shown_length(end - begin)} from {shown_time(begin)}")
    return lines
