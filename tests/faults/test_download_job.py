"""A download of a real engine: seen on its way, cancelled, killed with its engine; what came stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.running import Engine, Venues, until, write_configuration
from workstation.client.client import Client
from workstation.client.jobs import ENDED, DownloadJob, DownloadResult, JobState
from workstation.errors import BadInput, DownloadRunning
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, MINUTE_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey

START_NS = 19_844 * DAY_NS
JOB = DownloadJob(venue="nova", symbol="BTC/USDT", start_ns=START_NS, end_ns=START_NS + 10 * DAY_NS)
BARS = 10 * DAY_NS // MINUTE_NS
SLOW_S = 0.3


@pytest.fixture
def configuration(tmp_path: Path) -> Iterator[Path]:
    with Venues(tmp_path, "nova,orion", quotes_per_second=5) as venues:
        venues.go_wrong("latency", path="/api/v3/klines", seconds=SLOW_S)
        yield write_configuration(tmp_path, venues)


def half_way(client: Client) -> str:
    """A download that has stored something and is not at its end."""
    job = client.start_job(JOB).job
    until(lambda: client.job(job).progress >= 0.4, f"{job} is half way")
    now = client.job(job)
    assert now.state is JobState.RUNNING and now.progress < 1.0
    assert now.rows_per_s and now.left_s and 4_000 <= now.rows < BARS
    return job


def stored(engine: Engine) -> int:
    key = InstrumentKey(Venue("nova"), Symbol("BTC/USDT"))
    bars = HistoryStore(engine.home / "history").bars(key, MINUTE_NS, START_NS, START_NS + 10 * DAY_NS)
    assert len(set(bars.ts_open.tolist())) == len(bars)
    return len(bars)


def test_what_came_before_a_cancel_or_a_kill_of_the_engine_stays_and_the_rest_is_had_later(configuration: Path) -> None:
    with Engine(configuration) as engine, engine.client() as client:
        first = half_way(client)
        with pytest.raises(DownloadRunning, match=f"bars nova:BTC/USDT 1m: {first} downloads it already"):
            client.start_job(JOB)
        with pytest.raises(BadInput, match="venue 'lyra': not in the settings"):
            client.start_job(JOB.model_copy(update={"venue": "lyra"}))
        cancelled = client.cancel_job(first)
        assert (cancelled.state, cancelled.left_s) == (JobState.CANCELLED, None)
        kept = stored(engine)
        assert kept == cancelled.rows > 0
        job = client.start_job(JOB).job
        until(lambda: client.job(job).rows, "it goes on")
        engine.kill()
    with Engine(configuration) as engine, engine.client() as client:
        assert [(one.state, one.reason) for one in client.jobs()][1] == (
            JobState.FAILED, "the engine ended while it ran")  # fmt: skip
        until(lambda: is_taken(client), "the process of the killed engine has let go of the series")
        last = client.jobs()[-1].job
        until(lambda: client.job(last).state in ENDED, "it ends")
        done = client.job(last)
        assert isinstance(done.result, DownloadResult)
        assert (done.state, done.result.bars, done.result.gap_count) == (JobState.DONE, BARS, 0)
        assert done.result.rows_known == 0 and done.result.rows_stored < BARS - kept
        assert stored(engine) == BARS


def is_taken(client: Client) -> bool:
    """A process that lost its engine stores what it has before it ends."""
    job = client.start_job(JOB).job
    until(lambda: client.job(job).rows or client.job(job).state in ENDED, f"{job} has begun")
    return client.job(job).state is not JobState.FAILED
