"""A download as a job: the code of `workstation data download`, told to the engine instead of a terminal."""

import asyncio
import time
from collections.abc import Callable

from workstation.cli.data_download import SHOWN_GAPS, run_until_signalled
from workstation.client.jobs import DownloadGap, DownloadJob, DownloadResult, JobLine
from workstation.config.loading import with_secrets
from workstation.config.settings import Settings
from workstation.errors import VenueUnavailable
from workstation.exchanges.series_download import Downloaded, Wanted, download_series, opened_past, require
from workstation.exchanges.settings import venue_settings
from workstation.history.backfill import Filled, FlushLimits
from workstation.history.store import HistoryStore
from workstation.model.market import interval_ns

FLUSH = FlushLimits(seconds=2.0)
"""More often than the command's: an engine that dies takes the process with it, and somebody watches the map grow."""
PACE_SHARE = 0.5
"""Of what the venue allows: the engine's feeds ask it too, and no process knows of another's calls."""

Say = Callable[[JobLine], None]


def run_download(job: DownloadJob, settings: Settings, say: Say) -> DownloadResult:
    """Does it, in this process, until SIGTERM.

    Raises what `workstation data download` raises; VenueUnavailable where it was told to end: what came is stored.
    """
    try:
        return result_of(run_until_signalled(_downloaded(job, with_secrets(settings), say)))
    except asyncio.CancelledError:
        raise VenueUnavailable(
            f"{job.series}: the process was told to end: what came is stored, and the same download goes on from there"
        ) from None


async def _downloaded(job: DownloadJob, settings: Settings, say: Say) -> Downloaded:
    now_ns = time.time_ns()
    wanted = Wanted(
        venue=job.venue,
        symbols=(job.symbol,),
        kind=job.data_kind,
        interval_ns=None if job.interval is None else interval_ns(job.interval),
        start_ns=job.start_ns,
        end_ns=now_ns if job.end_ns is None else min(job.end_ns, now_ns),
        again=job.again,
    )

    def show(filled: Filled, done: int, total: int) -> None:
        say(JobLine(rows=filled.rows_came, share=done / total if total else 1.0))

    def tell(sentence: str) -> None:
        say(JobLine(note=sentence))

    async with opened_past(venue_settings(settings, job.venue), tell, PACE_SHARE) as past:
        require(past, wanted)
        say(JobLine(rows=0, share=0.0))  # from here on there is a pace
        store = HistoryStore(settings.paths.history)
        return await download_series(past, store, wanted, job.symbol, limits=FLUSH, on_progress=show)


def result_of(one: Downloaded) -> DownloadResult:
    """As the engine tells it."""
    filled, found = one.filled, one.report
    missing = None if found is None else found.missing
    gaps = () if found is None else found.gaps
    return DownloadResult(
        rows_stored=filled.rows_stored,
        rows_known=filled.rows_known,
        rows_differing=filled.rows_differing,
        questions=one.questions,
        refused=one.refused,
        first_ns=None if found is None else found.first_ns,
        bars=None if found is None else found.bars,
        bars_missing=missing,
        gap_count=None if missing is None else len(gaps),
        gaps=tuple(DownloadGap(from_ns=begin, to_ns=end) for begin, end in gaps[:SHOWN_GAPS]),
    )
