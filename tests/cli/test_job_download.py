"""A download as a job's process: what it says on its way, what came of it, and what a stop leaves."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.services import environment
from tests.cli.test_data_download import BTC, END_NS, MINUTES, START_NS, a_fault, assert_whole, struck
from tests.simulator.client import a_source, clear_faults, running_exchanges
from workstation.cli.job_download import run_download
from workstation.client.jobs import DownloadJob, DownloadResult, JobLine, JobOrder
from workstation.config.settings import Paths, Settings, VenueTable
from workstation.engine.job_lanes import settings_for
from workstation.errors import DownloadRunning, UnknownInstrument
from workstation.history.backfill import FILLING_NAME
from workstation.history.durable import alone
from workstation.history.store import HistoryStore
from workstation.model.durations import MINUTE_NS
from workstation.simulator.server import ServerSettings, SimulatedExchanges

PATIENCE_S = 60.0
JOB = DownloadJob(venue="nova", symbol="BTC/USDT", start_ns=START_NS, end_ns=END_NS)


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedExchanges]:
    with running_exchanges(a_source(), ServerSettings()) as exchanges:
        yield exchanges


@pytest.fixture
def exchanges(server: SimulatedExchanges) -> Iterator[SimulatedExchanges]:
    clear_faults(server)
    yield server
    clear_faults(server)


@pytest.fixture
def settings(exchanges: SimulatedExchanges, home: Path) -> Settings:
    venue = VenueTable(exchange="binance", url=f"{exchanges.url}/nova")
    return Settings(paths=Paths(home=home), venues={"nova": venue})


@contextmanager
def process_of(home: Path, job: DownloadJob, settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """As the engine starts it, in `home/jobs/a`."""
    folder = home / "jobs" / "a"
    folder.mkdir(parents=True)
    order = JobOrder(job="a", by="test", asked_ns=1, request=job, settings=settings_for(job, settings))
    (folder / "request.json").write_text(order.model_dump_json())
    with subprocess.Popen(
        [sys.executable, "-m", "workstation.cli.job", str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(home),
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def lines_of(process: subprocess.Popen[str]) -> list[JobLine]:
    assert process.stdout is not None
    return [JobLine.model_validate_json(line) for line in process.stdout]


def test_it_tells_its_share_and_ends_with_what_came_and_what_is_missing(settings: Settings, home: Path) -> None:
    with process_of(home, JOB, settings) as process:
        first, *steps, last = lines_of(process)
        assert process.wait(PATIENCE_S) == 0
    assert (first.rows, first.share) == (0, 0.0)
    assert steps[-1].share == 1.0 and steps[-1].rows == 5_760
    assert last.result == DownloadResult(
        rows_stored=5_760, rows_known=0, rows_differing=0, questions=6, refused=0, first_ns=START_NS, bars=5_760,
        bars_missing=0, gap_count=0, gaps=(),
    )  # fmt: skip
    assert_whole(HistoryStore(home / "history"))


def test_told_to_end_it_stores_what_came_and_the_same_goes_on_from_there(
    exchanges: SimulatedExchanges, settings: Settings, home: Path
) -> None:
    a_fault(exchanges, "busy_503", skip=3)
    with process_of(home, JOB, settings) as process:
        end_s = time.monotonic() + PATIENCE_S
        while not struck(exchanges):
            assert process.poll() is None and time.monotonic() < end_s
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        lines = lines_of(process)
        assert process.wait(PATIENCE_S) == 1
    assert next(line.note for line in lines if line.note is not None).startswith("nova (binance): ")
    assert lines[-1].failure is not None and "what came is stored, and the same download goes on" in lines[-1].failure
    assert len(HistoryStore(home / "history").bars(BTC, MINUTE_NS)) == 3_000
    clear_faults(exchanges)
    assert run_download(JOB, settings, lambda line: None).rows_stored == 2_760


def test_what_the_venue_does_not_have_is_one_sentence(settings: Settings) -> None:
    with pytest.raises(UnknownInstrument, match="nova:BTC/USDC: not on binance; did you mean BTC/USDT"):
        run_download(JOB.model_copy(update={"symbol": "BTC/USDC"}), settings, lambda line: None)


def test_one_series_is_downloaded_by_one_process_at_a_time(settings: Settings, home: Path) -> None:
    folder = home / "history" / MINUTES.folder
    with alone(folder, FILLING_NAME) as is_alone:
        assert is_alone
        with pytest.raises(DownloadRunning, match="bars nova:BTC/USDT 1m: another process downloads it already"):
            run_download(JOB, settings, lambda line: None)
    assert run_download(JOB, settings, lambda line: None).rows_stored == 5_760


def test_where_the_venue_has_nothing_the_result_says_that_there_is_no_first_row(settings: Settings) -> None:
    job = JOB.model_copy(
        update={"start_ns": START_NS - 9_000 * 86_400 * 10**9, "end_ns": START_NS - 8_999 * 86_400 * 10**9}
    )
    result = run_download(job, settings, lambda line: None)
    assert (result.rows_stored, result.first_ns, result.bars_missing, result.gap_count) == (0, None, None, None)
