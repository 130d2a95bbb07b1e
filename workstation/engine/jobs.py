"""Jobs of the engine: each a process of its own, so many at a time (`job_lanes`), the others as they were asked.

Nothing that happens to a job reaches a session: it has its own process group, its own ledger and a lower priority. It
holds one end of a pipe to the engine, which closes however the engine ends, and then it ends too.
"""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from workstation.client.jobs import (
    ENDED,
    BacktestJob,
    DownloadJob,
    JobDetail,
    JobKind,
    JobLine,
    JobOrder,
    JobRequest,
    JobState,
    JobView,
    ReplayJob,
)
from workstation.client.messages import Topic
from workstation.config.settings import Settings
from workstation.engine.bus import Bus
from workstation.engine.clock import Clock
from workstation.engine.job_folders import JobFolders, asked, last_words, log_of
from workstation.engine.job_lanes import has_room, require_download, require_no_other, settings_for
from workstation.errors import JobNotFound, OperatorError, RetryError
from workstation.model.durations import SECOND_NS

COMMAND = (sys.executable, "-m", "workstation.cli.job")
"""What is run, with the job's folder behind it."""
MOST_WAITING = 100
STOP_S = 5.0
"""For a process to end after SIGTERM, before it is killed."""
FOLDER = "jobs"

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Job:
    """One job of this life of the engine."""

    detail: JobDetail
    process: Process | None = None
    task: asyncio.Task[None] | None = None
    """What brings it to its end."""
    paced_from: tuple[int, int, float] | None = None
    """When its first rows were told, how many, and which share of all."""
    last_line: JobLine | None = None
    ending: tuple[JobState, str] | None = None
    """What is said of it once its process is gone: it was told to end."""

    @property
    def is_over(self) -> bool:
        return self.detail.state in ENDED


class Jobs:
    """`check` raises for a replay or back-test that cannot be done, before anything is started."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        clock: Clock,
        check: Callable[[ReplayJob | BacktestJob, Settings], None],
        command: Sequence[str | Path] = COMMAND,
    ) -> None:
        self._settings = settings
        self._bus, self._clock, self._check, self._command = bus, clock, check, command
        self._folders = JobFolders(settings.paths.home / FOLDER)
        self._jobs = {kept.job: Job(kept) for kept in self._folders.kept(clock.now_ns())}
        self._waiting: deque[Job] = deque()
        self._running: set[Job] = set()
        self._taking: list[JobRequest] = []
        self._is_closed = False

    # -- what is asked

    def all(self) -> Sequence[JobView]:
        """Oldest first."""
        return [view_of(job.detail) for job in self._jobs.values()]

    def of(self, job: str) -> JobDetail:
        return self._named(job).detail

    async def start(self, request: JobRequest, by: str) -> JobView:
        """Takes it; it begins at once, or when its turn comes.

        Raises what `check` does, RetryError for too many, DownloadRunning for a series that another one fills.
        """
        if len(self._waiting) + len(self._taking) >= MOST_WAITING:
            raise RetryError(f"jobs: {MOST_WAITING} wait already: ask again when some of them have ended")
        require_no_other(request, (job.detail for job in self._jobs.values() if not job.is_over), self._taking)
        self._taking.append(request)
        try:
            job = await self._taken(request, by)
        finally:
            self._taking.remove(request)
        self._waiting.append(job)
        log.info("job %s: asked for by %s", job.detail.job, by)
        self._tell(job)
        self._fill()
        return view_of(job.detail)

    async def _taken(self, request: JobRequest, by: str) -> Job:
        """Looked through, and kept on the disk."""
        if isinstance(request, DownloadJob):
            require_download(request, self._settings, self._clock.now_ns())
        else:
            await asyncio.to_thread(self._check, request, settings_for(request, self._settings))
        folder = self._folders.next_of(JobKind(request.kind))
        order = JobOrder(
            job=folder.name,
            by=by,
            asked_ns=self._clock.now_ns(),
            request=request,
            settings=settings_for(request, self._settings),
        )
        await asyncio.to_thread(self._folders.create, order)
        job = self._jobs[folder.name] = Job(asked(order, folder))
        return job

    async def cancel(self, job: str, by: str) -> JobView:
        """Ends it, and returns when it has ended; one that has ended already stays as it is."""
        found = self._named(job)
        if not found.is_over:
            log.info("job %s: cancelled by %s", job, by)
            await self._end_early(found, JobState.CANCELLED, f"cancelled by {by}")
        return view_of(found.detail)

    async def close(self) -> None:
        """Nothing begins any more; what runs ends."""
        self._is_closed = True
        for job in list(self._waiting):
            await self._end_early(job, JobState.FAILED, "the engine ended before it began")
        ending = [self._end_early(job, JobState.FAILED, "the engine ended while it ran") for job in self._running]
        await asyncio.gather(*ending)

    def _named(self, job: str) -> Job:
        found = self._jobs.get(job)
        if found is None:
            known = ", ".join(list(self._jobs)[-3:])
            raise JobNotFound(f"job {job}: there is none; " + (f"the last ones are {known}" if known else "no job yet"))
        return found

    # -- its life

    def _fill(self) -> None:
        for job in list(self._waiting):
            running = [one.detail.request for one in self._running]
            if self._is_closed or not has_room(job.detail.request, running, self._settings):
                continue
            self._waiting.remove(job)
            self._running.add(job)
            self._change(job, state=JobState.RUNNING, started_ns=self._clock.now_ns())
            job.task = asyncio.create_task(self._work(job), name=f"job {job.detail.job}")

    async def _work(self, job: Job) -> None:
        try:
            await self._run(job)
        except (OSError, ValueError) as error:  # no process can be made, or it says a line without an end
            log.error("job %s: %s", job.detail.job, error)
            job.ending = job.ending or (JobState.FAILED, f"its process could not be followed: {error}")
        await self._end(job, *self._outcome(job))
        self._running.discard(job)
        self._fill()

    async def _run(self, job: Job) -> None:
        """Starts the process and listens to it until it is gone."""
        folder = Path(job.detail.folder)
        with log_of(folder).open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *self._command, folder, stdin=PIPE, stdout=PIPE, stderr=file, start_new_session=True
            )
        job.process = process
        try:
            if job.ending is not None:  # while it was being started
                _stop(process)
            assert process.stdout is not None
            async for line in process.stdout:
                self._listen(job, line)
            await process.wait()
        finally:
            _stop(process, at_once=True)

    def _listen(self, job: Job, line: bytes) -> None:
        try:
            said = JobLine.model_validate_json(line)
        except ValidationError:
            log.warning("job %s says what is no line of a job: %.200r", job.detail.job, line)
            return
        if said.note is not None:
            self._change(job, note=said.note)
        elif said.rows is None:
            job.last_line = said
        else:
            self._advance(job, said.rows, said)

    def _advance(self, job: Job, rows: int, said: JobLine) -> None:
        share = said.share if said.share is not None else rows / said.rows_total if said.rows_total else 0.0
        now_ns = self._clock.now_ns()
        since_ns, rows_before, share_before = job.paced_from = job.paced_from or (now_ns, rows, share)
        spent_s = (now_ns - since_ns) / SECOND_NS
        self._change(
            job,
            rows=rows,
            rows_total=said.rows_total,
            progress=share,
            rows_per_s=(rows - rows_before) / spent_s if spent_s > 0 else None,
            left_s=spent_s * (1.0 - share) / (share - share_before) if share > share_before else None,
            note="",
        )

    def _outcome(self, job: Job) -> tuple[JobState, str]:
        said, code = job.last_line, None if job.process is None else job.process.returncode
        if said is not None and said.result is not None and code == 0:
            return JobState.DONE, ""
        if job.ending is not None:
            return job.ending
        if said is not None and said.failure is not None:
            return JobState.FAILED, said.failure
        words = last_words(Path(job.detail.folder))
        if code is not None and code < 0:
            return JobState.FAILED, f"its process was ended by signal {-code} ({signal.strsignal(-code)}); {words}"
        return JobState.FAILED, f"its process ended with exit code {code} and no result; {words}"

    async def _end_early(self, job: Job, state: JobState, reason: str) -> None:
        """Returns when it has ended; who asked first is who ended it."""
        if job in self._waiting:
            self._waiting.remove(job)
            job.task = asyncio.create_task(self._end(job, state, reason))
        job.ending = job.ending or (state, reason)
        assert job.task is not None
        if job.process is not None:
            _stop(job.process)
        _, pending = await asyncio.wait([job.task], timeout=STOP_S)
        if pending:
            if job.process is not None:
                _stop(job.process, at_once=True)
            await asyncio.wait(pending)

    async def _end(self, job: Job, state: JobState, reason: str) -> None:
        """Kept, and then told."""
        job.process = None  # with its pipe
        ended = {"state": state, "reason": reason, "ended_ns": self._clock.now_ns(), "left_s": None, "note": ""}
        if state is JobState.DONE and job.last_line is not None:
            ended |= {"result": job.last_line.result, "progress": 1.0}
        detail = job.detail.model_copy(update=ended)
        log.info("job %s: %s%s", detail.job, state, f": {reason}" if reason else "")
        try:
            await asyncio.to_thread(self._folders.end, detail)
        except OperatorError as error:
            log.error("job %s: how it ended is not kept: %s", detail.job, error)
        job.detail = detail
        self._tell(job)

    def _change(self, job: Job, **fields: Any) -> None:
        job.detail = job.detail.model_copy(update=fields)
        self._tell(job)

    def _tell(self, job: Job) -> None:
        view = view_of(job.detail)
        data = {"mode": view.kind, **view.model_dump()}
        self._bus.publish(Topic.SESSION_UPDATED, data, time_ns=self._clock.now_ns(), session=view.session)


def view_of(detail: JobDetail) -> JobView:
    return JobView.model_validate({name: getattr(detail, name) for name in JobView.model_fields})


def _stop(process: Process, *, at_once: bool = False) -> None:
    """Tells its whole group to end, while it runs."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL if at_once else signal.SIGTERM)
