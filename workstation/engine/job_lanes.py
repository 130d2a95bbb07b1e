"""Which jobs may run beside one another, and what each is told of the settings.

Replays and back-tests compute: `engine.jobs` of them at a time. Downloads wait for venues, so they take no such place,
and nobody's back-test waits for hours behind one. Of one exchange they go one after the other, since they share its
limit of requests.
"""

from collections.abc import Iterable, Sequence

from workstation.client.jobs import DownloadJob, JobDetail, Request
from workstation.config.settings import Settings, VenueTable
from workstation.errors import BadInput, DownloadRunning
from workstation.history.store import shown_time

MOST_DOWNLOADS = 4
"""At a time, of as many exchanges: each process holds the lists of a venue, some 150 MB."""


def has_room(request: Request, running: Sequence[Request], settings: Settings) -> bool:
    """Whether it may begin beside those that run."""
    downloads = [one for one in running if isinstance(one, DownloadJob)]
    if not isinstance(request, DownloadJob):
        return len(running) - len(downloads) < settings.engine.jobs
    taken = {_exchange_of(one, settings) for one in downloads}
    return len(downloads) < MOST_DOWNLOADS and _exchange_of(request, settings) not in taken


def require_no_other(request: Request, open_jobs: Iterable[JobDetail], taking: Iterable[Request]) -> None:
    """Raises DownloadRunning for a series that another download fills, or is about to."""
    if not isinstance(request, DownloadJob):
        return
    for job in open_jobs:
        if job.series == request.series:
            raise DownloadRunning(
                f"{request.series}: {job.job} downloads it already ({job.state}): wait for it, or cancel it"
            )
    if any(isinstance(one, DownloadJob) and one.series == request.series for one in taking):
        raise DownloadRunning(f"{request.series}: another download of it is just beginning: wait for it, or cancel it")


def require_download(request: DownloadJob, settings: Settings, now_ns: int) -> None:
    """Raises BadInput for a venue that the settings do not have, and a span that is not past."""
    if request.venue not in settings.venues:
        known = ", ".join(settings.venues) or "none"
        raise BadInput(f"venue {request.venue!r}: not in the settings (there: {known})")
    if request.start_ns >= now_ns:
        raise BadInput(
            f"span from {shown_time(request.start_ns)}: begins after now, {shown_time(now_ns)}: expected a past one"
        )


def settings_for(request: Request, settings: Settings) -> Settings:
    """What the job's folder keeps: only a download reaches a venue, that one alone, and no secret lies on the disk."""
    venues: dict[str, VenueTable] = {}
    if isinstance(request, DownloadJob):
        venues[request.venue] = settings.venues[request.venue].model_copy(update={"token": None})
    return settings.model_copy(update={"venues": venues})


def _exchange_of(request: DownloadJob, settings: Settings) -> str:
    """What the limits of requests are counted by."""
    venue = settings.venues[request.venue]
    return venue.url or venue.exchange
