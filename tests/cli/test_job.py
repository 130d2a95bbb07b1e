"""A job's process: what it says to the engine, what it leaves to the log, and that it ends with the engine."""

import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.histories import BTC
from tests.cli.services import environment
from workstation.cli.job import OOM_SCORE, SAY_EVERY_S, Speaker
from workstation.client.jobs import BacktestJob, JobLine, JobOrder, JobRequest, ReplayJob
from workstation.config.settings import Paths, Settings
from workstation.history.store import HistoryStore

REPLAY = ReplayJob(session="one", strategy="spread-reversion", venues=("nova", "orion"), symbol=BTC)


@contextmanager
def process_of(home: Path, request: JobRequest, code: str | None = None) -> Iterator[subprocess.Popen[str]]:
    """The process of a job in `home/jobs/a`, as the engine starts it."""
    folder = home / "jobs" / "a"
    folder.mkdir(parents=True)
    settings = Settings(paths=Paths(home=home))
    order = JobOrder(job="a", by="test", asked_ns=1, request=request, settings=settings)
    (folder / "request.json").write_text(order.model_dump_json())
    command = ["-m", "workstation.cli.job"] if code is None else ["-c", code]
    process = subprocess.Popen(
        [sys.executable, *command, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(home),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def lines_of(process: subprocess.Popen[str]) -> list[JobLine]:
    assert process.stdout is not None
    return [JobLine.model_validate_json(line) for line in process.stdout]


def test_it_says_how_far_it_is_and_what_came_of_it(home: Path, history: HistoryStore) -> None:
    with process_of(home, REPLAY) as process:
        *progress, last = lines_of(process)
        assert process.wait() == 0
    assert [(line.rows, line.rows_total) for line in progress] == [(4_800, 4_800)]
    assert last.result is not None and last.result.run == "one.1"
    assert Path(last.result.ledger or "") == home / "jobs" / "a" / "ledger.db"


def test_what_cannot_be_done_is_said_in_a_sentence(home: Path, history: HistoryStore) -> None:
    with process_of(home, REPLAY.model_copy(update={"symbol": "XRP/USDT"})) as process:
        (line,) = lines_of(process)
        assert process.wait() == 1
        assert process.stderr is not None and process.stderr.read() == ""
    assert line.failure is not None and line.failure.startswith("quotes nova:XRP/USDT: not stored")


HELD = """
import sys, time
from pathlib import Path
from workstation.cli import job
from workstation.research import jobs

def run(*_):
    print("from a strategy", flush=True)
    print("from a strategy, as a warning", file=sys.stderr, flush=True)
    while True:
        time.sleep(60)

jobs.run_job = run
job.main(Path(sys.argv[1]))
"""


def test_it_ends_when_its_engine_does_and_what_a_strategy_prints_goes_to_the_log(home: Path) -> None:
    request = BacktestJob(strategy="ma-cross", venue="nova", symbol=BTC, interval="1h")
    with process_of(home, request, HELD) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        assert process.stderr.readline() == "from a strategy\n"
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(timeout=30) != 0
        assert process.stdout.read() == ""


@pytest.mark.skipif(not OOM_SCORE.exists(), reason="only Linux chooses whom to end when memory is short")
def test_when_memory_is_short_it_goes_before_its_engine(home: Path) -> None:
    with process_of(home, BacktestJob(strategy="ma-cross", venue="nova", symbol=BTC, interval="1h"), HELD) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "from a strategy\n"
        assert Path(f"/proc/{process.pid}/oom_score_adj").read_text() == "1000\n"


@pytest.mark.parametrize(("step_s", "said"), [(SAY_EVERY_S / 4, 4), (SAY_EVERY_S * 2, 11)])
def test_not_every_block_is_said_but_the_last_one_is(step_s: float, said: int) -> None:
    stream, now_s = io.StringIO(), 0.0
    speaker = Speaker(stream, lambda: now_s)
    for rows in range(11):
        speaker.show(rows, 10)
        now_s += step_s
    lines = [JobLine.model_validate_json(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == said and lines[-1].rows == 10
