"""Rolling in a child: the same history, a death that is told, and no child without its parent."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.history.live import NEVER, NOW_NS, a_recorder, a_registry, live_rows, logs, stored_numbers
from workstation.history.durable import one_writer
from workstation.history.live_log import LIVE_FOLDER
from workstation.history.recorder import Recorder
from workstation.history.rolling import LOCK_NAME
from workstation.history.store import HistoryStore

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = a_registry()
APART = replace(NEVER, rolls_apart=True)
ROWS = 20_000
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells whose child a process is")


def children(process: int) -> list[int]:
    """Processes that this one started, by its threads."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(number) for task in tasks for number in task.read_text().split()]


def first_child(process: int, but: Sequence[int] = ()) -> int:
    """The first that is none of those it had before."""
    while not (found := [one for one in children(process) if one not in but]):
        time.sleep(0.001)
    return found[0]


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def stored_bytes(store: HistoryStore) -> dict[str, bytes]:
    """Rows and datasets, to be compared with those of another store."""
    tables = store.query("SELECT * FROM quotes UNION ALL BY NAME SELECT * FROM trades ORDER BY sequence")
    return {"rows": repr(tables.to_pydict()).encode(), "sets": repr(store.datasets()).encode()}


def test_a_child_rolls_what_this_process_would(tmp_path: Path) -> None:
    stores = [HistoryStore(tmp_path / name, segment_rows=300) for name in ("apart", "here")]
    for store, settings in zip(stores, (APART, NEVER), strict=True):
        recorder = a_recorder(store, settings)
        recorder.record(live_rows(ROWS), REGISTRY)
        (rolled,) = recorder.roll()
        assert (rolled.rows, rolled.damage) == (ROWS, None)
        assert recorder.state.roll_failure is None and recorder.state.rows_rolled == ROWS
        assert recorder.roll() == []
        recorder.close()
    apart, here = (stored_bytes(store) for store in stores)
    assert apart == here
    assert stored_numbers(stores[0]) == list(range(1, ROWS + 1))


def test_a_child_that_dies_is_told_and_its_logs_are_rolled_later(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    recorder = a_recorder(store, APART)
    recorder.record(live_rows(ROWS), REGISTRY)
    before = children(os.getpid())  # a browser's, where tests of pages ran here
    roll = threading.Thread(target=recorder.roll)
    roll.start()
    os.kill(first_child(os.getpid(), before), signal.SIGKILL)
    roll.join()
    failure = recorder.state.roll_failure
    assert failure is not None and f"{store.root} ended with code -9" in failure
    assert stored_numbers(store) == list(range(1, ROWS + 1))
    assert [one.rows for one in recorder.roll()] == [ROWS]
    assert recorder.state.roll_failure is None
    assert stored_numbers(store) == list(range(1, ROWS + 1))
    recorder.close()


def test_what_a_child_cannot_roll_is_told_by_its_log(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    recorder = a_recorder(store, APART)
    recorder.record(live_rows(10), REGISTRY)
    (tmp_path / "kind=quotes").write_text("in the way")
    assert recorder.roll() == []
    failure = recorder.state.roll_failure
    assert failure is not None and ".log: not rolled into Parquet, its rows stay readable here" in failure
    (tmp_path / "kind=quotes").unlink()
    assert [one.rows for one in recorder.roll()] == [10]
    recorder.close()


PARENT = """
import sys
from pathlib import Path
from tests.history.test_roll_process import APART, REGISTRY, ROWS
from tests.history.live import a_recorder, live_rows
from workstation.history.store import HistoryStore
recorder = a_recorder(HistoryStore(Path(sys.argv[1])), APART)
recorder.record(live_rows(ROWS), REGISTRY)
recorder.roll()
"""


def test_a_child_ends_with_its_parent_and_the_next_recorder_has_every_row(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], cwd=ROOT)
    child = first_child(parent.pid)
    with one_writer(tmp_path / LIVE_FOLDER, LOCK_NAME):  # so that it cannot end by having done its work
        parent.kill()
        parent.wait()
        deadline_s = time.monotonic() + 60
        while is_alive(child):
            assert time.monotonic() < deadline_s, "the child goes on"
            time.sleep(0.001)
    recorder = Recorder.open(store, now_ns=NOW_NS, settings=NEVER)
    assert stored_numbers(store) == list(range(1, ROWS + 1))
    recorder.close()
    assert logs(store) == []
