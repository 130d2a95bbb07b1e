"""Kill -9 of an engine with a job, and of a job alone: no process is left over, nobody else notices, and it is told."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cli.histories import BTC, store_quotes
from tests.faults.running import DECIDES_S, Engine, Venues, busy_session, until, write_configuration
from workstation.client.client import Client
from workstation.client.jobs import JobState, ReplayJob
from workstation.client.messages import SessionStatus
from workstation.history.store import HistoryStore
from workstation.ledger.journal import read_runs
from workstation.model.ids import RunId
from workstation.research.verify import verify

REPLAY = ReplayJob(session="again", strategy="spread-reversion", venues=("nova", "orion"), symbol=BTC)
HOURS = 100
"""Of recorded quotes: more than a replay walks through while a test looks away."""


@pytest.fixture
def configuration(tmp_path: Path) -> Iterator[Path]:
    store_quotes(HistoryStore(tmp_path / "home" / "history"), HOURS * 3_600)
    with Venues(tmp_path, "nova,orion", quotes_per_second=50) as venues:
        yield write_configuration(tmp_path, venues)


def started(engine: Engine, client: Client) -> psutil.Process:
    """The process of a replay that has taken its first rows."""
    job = client.start_job(REPLAY).job
    until(lambda: client.job(job).rows, "the replay takes rows")
    assert client.job(job).state is JobState.RUNNING
    processes = [one for one in psutil.Process(engine.pid).children() if "workstation.cli.job" in one.cmdline()]
    assert len(processes) == 1
    return processes[0]


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_job_ends_with_its_engine_however_that_ends_and_the_next_engine_tells_it(configuration: Path) -> None:
    with Engine(configuration) as engine, engine.client() as client:
        process = started(engine, client)
        engine.kill()
        until(lambda: is_gone(process), "the job's process is gone")
    with Engine(configuration) as engine, engine.client() as client:
        (job,) = client.jobs()
        assert (job.state, job.reason) == (JobState.FAILED, "the engine ended while it ran")
        process = started(engine, client)
        assert engine.end() == 0
        assert is_gone(process)
    ledger = Path(job.folder) / "ledger.db"
    assert [run.run_id for run in read_runs(ledger)] == ["again.1"]
    assert verify(ledger, RunId("again.1")).inputs > 0


def test_a_killed_job_has_failed_with_a_sentence_and_the_engines_session_trades_on(configuration: Path) -> None:
    with Engine(configuration) as engine, engine.client() as client:
        until(lambda: all(one.state == "live" for one in client.health().feeds), "feeds are live")
        client.start_session(busy_session("live", "nova", "orion"))
        until(lambda: client.session("live").signals, "the session trades", DECIDES_S)
        process = started(engine, client)
        process.kill()
        until(lambda: client.job("replay-1").state is JobState.FAILED, "the job has failed")
        assert client.job("replay-1").reason.startswith("its process was ended by signal 9 (Killed); it said nothing")
        signals = client.session("live").signals
        until(lambda: client.session("live").signals > signals, "the session trades on", DECIDES_S)
        session = client.session("live")
        assert (session.status, session.run, session.reason) == (SessionStatus.RUNNING, "live.1", "")
        assert client.health().problems == ()
        assert engine.end() == 0
