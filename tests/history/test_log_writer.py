"""The writer: rows reach the disk in order, and a disk that refuses stops the recording, never the caller."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.history.live import live_rows
from tests.history.series import BTC, ETH, an_instrument
from workstation.errors import BadInput
from workstation.history import log_file
from workstation.history.live_log import NoteKind, logs_in, read_log
from workstation.history.log_writer import LogWriter, WriterSettings
from workstation.model.market import Rows

ROOT = Path(__file__).resolve().parents[2]
QUICK = WriterSettings(write_interval_s=0.005, retry_interval_s=1e6)


def a_writer(folder: Path, settings: WriterSettings = QUICK) -> LogWriter:
    writer = LogWriter(folder, settings=settings)
    writer.declare(0, an_instrument())
    return writer


def test_rows_come_back_in_the_order_in_which_they_were_left(tmp_path: Path) -> None:
    writer = a_writer(tmp_path)
    for first in range(1, 1_000, 10):
        writer.append(live_rows(10, first))
    writer.sync()
    assert writer.state.synced_sequence == 1_000 << 20
    assert writer.state.lag_s == 0.0
    (path,) = logs_in(tmp_path)
    assert read_log(path).rows.tobytes() == live_rows(1_000).tobytes()
    writer.close()
    assert read_log(path).notes[-1].what is NoteKind.STOPPED
    with pytest.raises(BadInput, match="closed"):
        writer.sync()


def test_rows_bear_the_logs_own_numbers_whoever_numbered_them(tmp_path: Path) -> None:
    writer = a_writer(tmp_path)
    writer.declare(1, an_instrument(ETH))
    for numbers, first in (([1, 0], 1), ([0, 1], 11)):
        writer.renumber(np.array(numbers, np.int32))
        writer.append(live_rows(10, first))
    writer.close()
    (path,) = logs_in(tmp_path)
    expected = live_rows(20)["instrument"]
    expected[:10] = 1 - expected[:10]
    assert read_log(path).rows["instrument"].tolist() == expected.tolist()


def test_a_row_of_an_instrument_that_nobody_named_is_let_go_alone(tmp_path: Path) -> None:
    writer = a_writer(tmp_path)
    writer.renumber(np.array([0], np.int32))
    rows = live_rows(4)
    rows["instrument"] = [0, 1, -1, 0]
    writer.append(rows)
    writer.append(live_rows(1, 6))
    writer.close()
    (path,) = logs_in(tmp_path)
    contents = read_log(path)
    assert (contents.rows["sequence"] >> 20).tolist() == [1, 4, 6]
    (gap,) = [note for note in contents.notes if note.what is NoteKind.GAP]
    assert gap.rows == 2 and gap.why == "instrument 1: the registry has 1"
    assert writer.state.rows_missed == 2


def test_rows_that_are_no_neighbours_in_memory_are_taken_as_they_are(tmp_path: Path) -> None:
    writer = a_writer(tmp_path)
    writer.append(live_rows(10)[::3])
    writer.close()
    assert read_log(logs_in(tmp_path)[0]).rows.tobytes() == live_rows(10)[::3].tobytes()


def test_an_empty_block_is_nothing(tmp_path: Path) -> None:
    writer = a_writer(tmp_path)
    writer.append(live_rows(0))
    writer.sync()
    assert writer.state.rows_written == 0
    writer.close()


def test_a_rotation_goes_on_in_a_new_log_that_knows_its_instruments(tmp_path: Path) -> None:
    writer = a_writer(tmp_path)
    assert writer.rotate() == []
    writer.append(live_rows(5))
    (first,) = writer.rotate()
    writer.append(live_rows(5, 6))
    writer.sync()
    assert [len(read_log(path).rows) for path in logs_in(tmp_path)] == [5, 5]
    assert writer.path == logs_in(tmp_path)[1] != first
    assert read_log(logs_in(tmp_path)[1]).instruments == {0: an_instrument()}
    assert writer.state.rows_written == 10
    writer.close()


def test_a_log_is_later_by_name_than_all_before_it(tmp_path: Path) -> None:
    """Though the clock was set back."""
    writer = LogWriter(tmp_path, settings=QUICK, after=2**62)
    writer.sync()
    writer.close()
    assert [path.name for path in logs_in(tmp_path)] == [f"{2**62 + 1:020d}.log"]


def test_a_disk_behind_lets_rows_go_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk_goes_on, waits = threading.Event(), threading.Event()
    sync = os.fsync

    def slow(descriptor: int) -> None:
        waits.set()
        disk_goes_on.wait()
        sync(descriptor)

    writer = a_writer(tmp_path, WriterSettings(write_interval_s=0.005, buffer_bytes=72 * 100))
    writer.sync()
    monkeypatch.setattr(log_file.os, "fsync", slow)
    writer.append(live_rows(1, 1))
    waits.wait()
    for first in range(2, 302, 50):
        writer.append(live_rows(50, first))
    assert writer.state.rows_missed == 200
    assert writer.state.lag_s > 0
    disk_goes_on.set()
    writer.sync()
    writer.append(live_rows(1, 302))
    writer.close()
    (path,) = logs_in(tmp_path)
    contents = read_log(path)
    assert (contents.rows["sequence"] >> 20).tolist() == [*range(1, 102), 302]
    (gap,) = [note for note in contents.notes if note.what is NoteKind.GAP]
    missed = live_rows(200, 102)["ts_received"]
    assert (gap.rows, gap.from_ns, gap.to_ns) == (200, missed[0], missed[-1])
    assert gap.why is not None and "behind" in gap.why


def test_a_failed_sync_stops_the_recording_until_it_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    writer = a_writer(tmp_path)
    writer.append(live_rows(3))
    writer.sync()
    with monkeypatch.context() as patch:
        patch.setattr(log_file.os, "fsync", broken)
        writer.append(live_rows(2, 4))
        writer.sync()
        assert writer.state.failure is not None and "Input/output error" in writer.state.failure
        assert writer.state.synced_sequence == 3 << 20
        with pytest.raises(OSError, match="Input/output"):
            writer.resume()
        writer.append(live_rows(4, 6))
        writer.sync()
    writer.resume()
    assert writer.state.failure is None
    writer.append(live_rows(1, 10))
    writer.close()
    first, second = (read_log(path) for path in logs_in(tmp_path))
    assert len(first.rows) == 5 and first.damage is None
    assert (second.rows["sequence"] >> 20).tolist() == [10]
    assert [note.rows for note in second.notes if note.what is NoteKind.GAP] == [4]


FULL_DISK = """
import resource, sys
from pathlib import Path
from tests.history.live import live_rows
from tests.history.test_log_writer import a_writer
from workstation.history.live_log import logs_in, read_log
folder = Path(sys.argv[1])
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
writer = a_writer(folder)
for first in range(1, 1_001, 10):
    writer.append(live_rows(10, first))
    writer.sync()
print(writer.state.failure)
print(writer.state.rows_written, writer.state.rows_missed)
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
writer.resume()
writer.append(live_rows(10, 1_001))
writer.close()
print(writer.state.failure, writer.state.rows_written, [log.damage for log in map(read_log, logs_in(folder))])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE")
def test_a_full_disk_stops_the_recording_and_the_gap_is_in_the_next_log(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    failure, counts, after = done.stdout.splitlines()
    assert "File too large: nothing is recorded" in failure
    written, missed = map(int, counts.split())
    assert written + missed == 1_000 and written > 200 and missed > 200
    assert after == f"None {written + 10} [None, None]"
    first, second = (read_log(path) for path in logs_in(tmp_path))
    numbers = np.concatenate((first.rows, second.rows))["sequence"] >> 20
    assert numbers.tolist() == [*range(1, written + 1), *range(1_001, 1_011)]
    (gap,) = [note for note in second.notes if note.what is NoteKind.GAP]
    assert gap.rows == missed and gap.why is not None and "File too large" in gap.why


def counted(writer: LogWriter) -> dict[str, tuple[int, int]]:
    """Rows and losses by series."""
    return {str(series): (count.rows, count.lost) for series, count in writer.mark().result(timeout=20).items()}


def naive_counts(rows: Rows, names: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        kind = {1: "quotes", 2: "trades", 3: "bars"}[int(row["kind"])]
        name = f"{kind} {names[row['instrument']]}{' 1m' if kind == 'bars' else ''}"
        found[name] = found.get(name, 0) + 1
    return found


@given(sizes=st.lists(st.integers(min_value=1, max_value=60), max_size=8), swaps=st.booleans())
def test_rows_are_counted_by_series_up_to_each_mark(sizes: list[int], swaps: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        writer = a_writer(Path(folder))
        writer.declare(1, an_instrument(ETH))
        names = [str(BTC), str(ETH)]
        if swaps:
            writer.renumber(np.array([1, 0], np.int32))
        first, told, marks = 1, list[Rows](), []
        for size in sizes:
            rows = live_rows(size, first)
            first += size
            told.append(rows.copy())
            writer.append(rows)
            marks.append((writer.mark(), np.concatenate(told)))
        for mark, rows in marks:
            found = {str(series): count.rows for series, count in mark.result(timeout=20).items()}
            assert found == naive_counts(rows, names[::-1] if swaps else names)
        writer.close()
        with pytest.raises(BadInput, match="closed"):
            writer.mark().result(timeout=20)


def test_rows_that_are_let_go_are_counted_as_lost_of_their_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = WriterSettings(write_interval_s=1e6, retry_interval_s=1e6, buffer_bytes=20 * 72)
    writer = a_writer(tmp_path, small)
    writer.declare(1, an_instrument(ETH))
    writer.renumber(np.array([1, 0], np.int32))
    until = threading.Event()
    waits = type(writer)._write_waiting
    monkeypatch.setattr(LogWriter, "_write_waiting", lambda self: (until.wait(20), waits(self))[1])
    writer._wake.set()  # the thread stands in the write from here on
    rows = live_rows(30)
    kept, over = rows[:18], rows[18:]
    writer.append(kept)
    writer.append(over)
    until.set()
    expected, lost = naive_counts(kept, [str(ETH), str(BTC)]), naive_counts(over, [str(ETH), str(BTC)])
    names = expected.keys() | lost.keys()
    assert counted(writer) == {name: (expected.get(name, 0), lost.get(name, 0)) for name in names}
    assert writer.state.rows_missed == len(over)
    writer.close()


def test_a_mark_that_nobody_waits_for_any_more_harms_nobody(tmp_path: Path) -> None:
    writer = a_writer(tmp_path)
    assert writer.mark().cancel() in (True, False)
    writer.append(live_rows(3))
    writer.sync()
    assert writer.state.failure is None and writer.state.rows_written == 3
    writer.close()
