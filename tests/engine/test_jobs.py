"""Jobs beside the engine: their order, their ends, and what is kept of them. Processes are real, their work is not."""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.engine.bench import HandClock
from workstation.client.jobs import ENDED, JobRequest, JobState, JobView, ReplayJob
from workstation.client.messages import Topic
from workstation.config.settings import Engine, Paths, Settings
from workstation.engine import jobs as hosting
from workstation.engine.bus import Bus, Published
from workstation.engine.jobs import Jobs
from workstation.errors import BadInput, HistoryMissing, JobNotFound, OperatorError, RetryError

COMMAND = (sys.executable, Path(__file__).with_name("job_process.py"))
START_NS = 1_700_000_000_000_000_000
PATIENCE_S = 60.0


class Host:
    """Jobs of one home; another one on the same home is the engine's next life."""

    def __init__(
        self, home: Path, *, at_once: int = 1, command: Sequence[Any] = COMMAND, now_ns: int = START_NS
    ) -> None:
        self.events: list[Published] = []
        bus = Bus()
        bus.subscribe(self.events.append)
        self.clock, self.refusal = HandClock(now_ns), None
        settings = Settings(paths=Paths(home=home), engine=Engine(jobs=at_once))
        self.jobs = Jobs(settings, bus, self.clock, self._check, command)

    refusal: Exception | None

    def _check(self, request: JobRequest, settings: Settings) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def start(self, name: str) -> str:
        return (await self.jobs.start(a_replay(name), "me")).job

    def states(self) -> list[JobState]:
        return [one.state for one in self.jobs.all()]

    def one(self, job: str) -> JobView:
        return self.jobs.of(job)


def a_replay(name: str, **changes: Any) -> ReplayJob:
    declared = {"session": name, "strategy": "spread-reversion", "venues": ("nova", "orion"), "symbol": "BTC/USDT"}
    return ReplayJob.model_validate(declared | changes)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.005)


def run(host: Host, story: Callable[[], Awaitable[None]]) -> None:
    """The story, and then a clean end."""

    async def told() -> None:
        try:
            await story()
        finally:
            await host.jobs.close()

    asyncio.run(told())


def pid_of(host: Host, job: str) -> int:
    return int((Path(host.one(job).folder) / "pid").read_text())


@contextmanager
def watched(pid: int) -> Iterator[psutil.Process]:
    """The process, which is gone at the end."""
    process = psutil.Process(pid)
    yield process
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_job_goes_from_queued_over_running_to_done_with_its_figures(tmp_path: Path) -> None:
    host = Host(tmp_path)

    async def story() -> None:
        view = await host.jobs.start(a_replay("done"), "me")
        assert (view.job, view.session, view.by, view.instruments) == (
            "replay-1", "done", "me", ("nova:BTC/USDT", "orion:BTC/USDT"))  # fmt: skip
        await until(lambda: host.one("replay-1").state in ENDED)

    run(host, story)
    done = host.one("replay-1")
    assert (done.state, done.reason, done.progress, done.rows) == (JobState.DONE, "", 1.0, 40)
    assert done.result is not None and done.result.figures["trades"] == 3 and done.result.run == "done.1"
    assert {event.topic for event in host.events} == {Topic.SESSION_UPDATED}
    assert {event.session for event in host.events} == {"done"}
    told = [json.loads(event.encoded)["data"] for event in host.events]
    assert {one["mode"] for one in told} == {"replay"}
    assert [one["state"] for one in told] == ["queued", "running", "running", "running", "done"]
    assert [one["progress"] for one in told] == [0.0, 0.0, 0.0, 0.4, 1.0]


def test_what_is_left_is_told_at_the_pace_so_far(tmp_path: Path) -> None:
    host = Host(tmp_path)
    job = hosting.Job(None)  # type: ignore[arg-type]
    said: list[dict[str, Any]] = []
    host.jobs._change = lambda _, **fields: said.append(fields)  # type: ignore[method-assign,assignment]
    for rows in (10, 30, 50):
        host.jobs._listen(job, json.dumps({"rows": rows, "rows_total": 100}).encode())
        host.clock.time_ns += 2_000_000_000
    assert [one["left_s"] for one in said] == [None, 7.0, 5.0]


def test_so_many_run_at_once_and_the_others_in_their_order(tmp_path: Path) -> None:
    host = Host(tmp_path, at_once=2)

    async def story() -> None:
        for name in ("waits-1", "waits-2", "waits-3", "done-4"):
            await host.start(name)
        assert host.states() == ["running", "running", "queued", "queued"]
        await host.jobs.cancel("replay-2", "you")
        assert host.states() == ["running", "cancelled", "running", "queued"]
        await host.jobs.cancel("replay-1", "you")
        await until(lambda: host.one("replay-4").state is JobState.DONE)
        assert host.states() == ["cancelled", "cancelled", "running", "done"]

    run(host, story)


def test_cancel_ends_the_process_before_it_answers(tmp_path: Path) -> None:
    host = Host(tmp_path)

    async def story() -> None:
        job = await host.start("waits")
        await until(lambda: host.one(job).rows == 10)
        process = host.jobs._named(job).process
        with watched(pid_of(host, job)):
            view, _ = await asyncio.gather(*(host.jobs.cancel(job, by) for by in ("you", "who came later")))
        assert process is not None and process.returncode == -signal.SIGTERM
        assert (view.state, view.reason) == (JobState.CANCELLED, "cancelled by you")
        assert await host.jobs.cancel(job, "a third") == view

    run(host, story)


def test_one_that_waits_is_cancelled_without_ever_starting_however_often_it_is_asked(tmp_path: Path) -> None:
    host = Host(tmp_path)

    async def story() -> None:
        await host.start("waits-1")
        job = await host.start("waits-2")
        views = await asyncio.gather(*(host.jobs.cancel(job, f"the {number}.") for number in (1, 2)))
        assert [(one.state, one.reason) for one in views] == [(JobState.CANCELLED, "cancelled by the 1.")] * 2
        assert not (Path(views[0].folder) / "log").exists()

    run(host, story)


def test_one_that_does_not_end_when_told_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "STOP_S", 0.05)
    host = Host(tmp_path)

    async def story() -> None:
        job = await host.start("stubborn")
        await until(lambda: host.one(job).rows == 10)
        with watched(pid_of(host, job)):
            assert (await host.jobs.cancel(job, "you")).state is JobState.CANCELLED

    run(host, story)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("refused", "bars nova:BTC/USDT 1h: not stored"),
        ("raises", "its process ended with exit code 1 and no result; ZeroDivisionError: no rows to divide by ("),
        ("endless", "its process could not be followed: Separator is not found"),
    ],
)
def test_a_job_that_goes_wrong_says_why_in_a_sentence_and_the_next_one_runs(
    tmp_path: Path, name: str, reason: str
) -> None:
    host = Host(tmp_path)

    async def story() -> None:
        await host.start(name)
        await host.start("done")
        await until(lambda: host.one("replay-2").state is JobState.DONE)
        wrong = host.one("replay-1")
        assert wrong.state is JobState.FAILED
        assert wrong.reason.startswith(reason)

    run(host, story)


def test_a_killed_job_has_failed_and_says_by_which_signal(tmp_path: Path) -> None:
    host = Host(tmp_path)

    async def story() -> None:
        job = await host.start("waits")
        await until(lambda: host.one(job).rows == 10)
        psutil.Process(pid_of(host, job)).kill()
        await until(lambda: host.one(job).state in ENDED)
        killed = host.one(job)
        assert killed.state is JobState.FAILED
        assert killed.reason.startswith("its process was ended by signal 9 (Killed); it said nothing (")

    run(host, story)


def test_a_process_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    host = Host(tmp_path, command=(tmp_path / "absent",))

    async def story() -> None:
        job = await host.start("done")
        await until(lambda: host.one(job).state in ENDED)
        assert host.one(job).reason.startswith("its process could not be followed: [Errno 2] No such file")

    run(host, story)


def test_jobs_of_before_are_listed_again_and_those_without_an_end_get_one(tmp_path: Path) -> None:
    before = Host(tmp_path)

    async def story() -> None:
        await before.start("done")
        await until(lambda: before.one("replay-1").state in ENDED)
        await before.start("waits")
        await before.start("later")
        await until(lambda: before.one("replay-2").rows == 10)
        after = Host(tmp_path)  # as a crash leaves the folders: nobody told the jobs
        assert after.one("replay-1") == before.one("replay-1")
        assert after.jobs.of("replay-1").request == a_replay("done")
        assert [(one.state, one.reason) for one in after.jobs.all()[1:]] == [
            (JobState.FAILED, "the engine ended while it ran"),
            (JobState.FAILED, "the engine ended before it began"),
        ]
        assert Host(tmp_path, now_ns=START_NS + 1).jobs.all() == after.jobs.all()
        await after.start("done")
        assert [one.job for one in after.jobs.all()] == ["replay-1", "replay-2", "replay-3", "replay-4"]
        await after.jobs.close()

    run(before, story)


def test_a_folder_that_is_no_job_hides_no_other(tmp_path: Path) -> None:
    for name, content in {"replay-3": "{", "notes": "{}", "sweep-4": "{}"}.items():
        (tmp_path / "jobs" / name).mkdir(parents=True)
        (tmp_path / "jobs" / name / "request.json").write_text(content)
    host = Host(tmp_path)
    assert host.jobs.all() == []

    async def story() -> None:
        assert await host.start("done") == "replay-4"

    run(host, story)


def test_an_engine_that_ends_takes_its_jobs_with_it_and_says_so(tmp_path: Path) -> None:
    host = Host(tmp_path)

    async def story() -> None:
        await host.start("waits")
        await host.start("later")
        await until(lambda: host.one("replay-1").rows == 10)

    run(host, story)
    ends = [(one.state, one.reason) for one in host.jobs.all()]
    assert ends == [
        (JobState.FAILED, "the engine ended while it ran"),
        (JobState.FAILED, "the engine ended before it began"),
    ]
    assert not psutil.pid_exists(pid_of(host, "replay-1"))
    assert [(one.state, one.reason) for one in Host(tmp_path).jobs.all()] == ends


@pytest.mark.parametrize("refusal", [BadInput("no such strategy"), HistoryMissing("not stored")])
def test_what_is_refused_leaves_nothing(tmp_path: Path, refusal: Exception) -> None:
    host = Host(tmp_path)
    host.refusal = refusal

    async def story() -> None:
        with pytest.raises(type(refusal), match=str(refusal)):
            await host.start("done")

    run(host, story)
    assert not host.jobs.all() and not host.events and not (tmp_path / "jobs").exists()


def test_an_unknown_job_is_named_with_the_last_ones(tmp_path: Path) -> None:
    host = Host(tmp_path)
    with pytest.raises(JobNotFound, match="job replay-1: there is none; no job yet"):
        host.jobs.of("replay-1")

    async def story() -> None:
        await host.start("done")
        with pytest.raises(JobNotFound, match="job replay-7: there is none; the last ones are replay-1"):
            await host.jobs.cancel("replay-7", "me")

    run(host, story)


def test_too_many_that_wait_are_refused_for_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "MOST_WAITING", 1)
    host = Host(tmp_path)

    async def story() -> None:
        await host.start("waits")
        await host.start("later")
        with pytest.raises(RetryError, match="1 wait already"):
            await host.start("too-late")

    run(host, story)


def test_no_more_wait_when_many_ask_at_the_same_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "MOST_WAITING", 3)
    host = Host(tmp_path)

    async def story() -> None:
        asked = await asyncio.gather(*(host.start("waits") for _ in range(20)), return_exceptions=True)
        refused = [one for one in asked if isinstance(one, RetryError)]
        assert len(refused) == 17 and "3 wait already" in str(refused[0])
        assert len(host.states()) == len(list((tmp_path / "jobs").iterdir())) == 3

    run(host, story)


def test_jobs_of_a_home_that_was_moved_lie_where_it_is_now(tmp_path: Path) -> None:
    before = Host(tmp_path / "before")

    async def story() -> None:
        await before.start("done")
        await until(lambda: before.one("replay-1").state in ENDED)

    run(before, story)
    (tmp_path / "before").rename(tmp_path / "after")
    assert Host(tmp_path / "after").one("replay-1").folder == str(tmp_path / "after" / "jobs" / "replay-1")


def test_an_order_that_the_disk_does_not_keep_is_not_begun(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("a file where the folder should be")

    async def story() -> None:
        with pytest.raises(OperatorError, match=r"request\.json: cannot be written"):
            await host.start("done")

    host = Host(tmp_path)
    run(host, story)
    assert not host.jobs.all() and not host.events
