"""What is kept of a job: `jobs/<id>/` in the home with its order, its log, what came of it, and what it made itself.

request.json   the order, before its process starts
log            what the process wrote to stderr
result.json    how it ended; where it is missing, the engine ended first
ledger.db      of a replay: its journal
"""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from workstation.client.jobs import DownloadJob, JobDetail, JobKind, JobOrder, JobState, ReplayJob, instruments_of
from workstation.errors import OperatorError
from workstation.history.durable import write_durably

NAME = re.compile(rf"({'|'.join(JobKind)})-([1-9][0-9]{{0,8}})")
TAIL_BYTES = 4_096

log = logging.getLogger(__name__)


class JobFolders:
    """The engine of the home is the only one that writes here, beside each job's own process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._last = 0

    def kept(self, now_ns: int) -> Iterator[JobDetail]:
        """Every job of before, oldest first. One that has no end is given it: the engine ended before."""
        found = sorted((int(name[2]), name[0]) for name in map(NAME.fullmatch, self._names()) if name is not None)
        for number, job in found:
            self._last = max(self._last, number)
            folder = self.root / job
            try:
                yield self._ended(folder, now_ns)
            except (OSError, ValidationError, OperatorError) as error:
                log.warning("job %s is not listed: %s", folder, error)

    def next_of(self, kind: JobKind) -> Path:
        """The folder of the next job; it is not there yet."""
        self._last += 1
        return self.root / f"{kind}-{self._last}"

    def create(self, order: JobOrder) -> None:
        """Keeps the order, in a folder of its own. Raises OperatorError where the disk does not."""
        self._write(self.root / order.job / "request.json", order.model_dump_json(indent=2))

    def end(self, ended: JobDetail) -> None:
        """Keeps how it ended. Raises OperatorError where the disk does not."""
        self._write(Path(ended.folder) / "result.json", ended.model_dump_json(indent=2))

    def _names(self) -> list[str]:
        return [path.name for path in self.root.iterdir()] if self.root.is_dir() else []

    def _ended(self, folder: Path, now_ns: int) -> JobDetail:
        file = folder / "result.json"
        if file.exists():
            kept = JobDetail.model_validate_json(file.read_bytes())
            return kept.model_copy(update={"folder": str(folder)})  # where it lies now, if the home has moved
        order = JobOrder.model_validate_json((folder / "request.json").read_bytes())
        reason = "the engine ended while it ran" if log_of(folder).exists() else "the engine ended before it began"
        lost = asked(order, folder).model_copy(update={"state": JobState.FAILED, "reason": reason, "ended_ns": now_ns})
        self.end(lost)
        return lost

    def _write(self, file: Path, text: str) -> None:
        try:
            write_durably(file, text.encode())
        except OSError as error:
            raise OperatorError(f"{file}: cannot be written: {error.strerror}") from error


def log_of(folder: Path) -> Path:
    return folder / "log"


def last_words(folder: Path) -> str:
    """The last line of its log, and where the rest is."""
    file = log_of(folder)
    if not file.exists():
        return "it was never started"
    with file.open("rb") as opened:
        opened.seek(max(file.stat().st_size - TAIL_BYTES, 0))
        said = opened.read().decode("utf-8", errors="replace").split("\n")
    words = [line.strip() for line in said if line.strip()]
    return f"{words[-1]} ({file})" if words else f"it said nothing ({file})"


def asked(order: JobOrder, folder: Path) -> JobDetail:
    """A job that waits for its turn."""
    request = order.request
    return JobDetail(
        job=order.job,
        kind=JobKind(request.kind),
        session=request.session if isinstance(request, ReplayJob) else None,
        strategy=None if isinstance(request, DownloadJob) else request.strategy,
        series=request.series if isinstance(request, DownloadJob) else None,
        start_ns=request.start_ns,
        end_ns=request.end_ns,
        instruments=instruments_of(request),
        state=JobState.QUEUED,
        reason="",
        by=order.by,
        asked_ns=order.asked_ns,
        folder=str(folder),
        request=request,
    )
