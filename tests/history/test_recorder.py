"""The recorder and its readers: every row once, wherever the roller is, and after whatever ended it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.history.live import NEVER, NOW_NS, a_bar, a_recorder, a_registry, live_rows, logs, stored_numbers
from tests.history.series import BTC, DAY_START_NS, ETH, QUOTES, a_source, an_instrument, quotes_at, segment_files
from workstation.errors import HistoryMissing
from workstation.history import rolling
from workstation.history import store as store_module
from workstation.history.blocks import Selection, count_rows, merged_blocks
from workstation.history.durable import HistoryCorrupt, RecorderRunning
from workstation.history.instruments import snapshots
from workstation.history.layout import HistoryKind, Series
from workstation.history.live_log import LIVE_FOLDER, logs_in, read_log
from workstation.history.log_file import LogFile
from workstation.history.manifest import Manifest, load_manifest
from workstation.history.recorder import Recorder, RecorderSettings
from workstation.history.rolling import roll_log
from workstation.history.store import HistoryStore
from workstation.history.tail import Tail, read_tails, tail_segments
from workstation.model.durations import DAY_NS, MINUTE_NS, MS_NS
from workstation.model.instrument import Registry
from workstation.model.market import (
    STEP_BITS,
    Rows,
)

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = a_registry()
SERIES = [
    *(Series(kind=kind, key=key) for kind in (HistoryKind.QUOTES, HistoryKind.TRADES) for key in (BTC, ETH)),
    Series(kind=HistoryKind.BARS, key=BTC, interval_ns=MINUTE_NS),
]


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    return HistoryStore(tmp_path / "history")


def recorded(store: HistoryStore, series: Series) -> Rows:
    interval = {} if series.interval_ns is None else {"interval_ns": series.interval_ns}
    index = REGISTRY.index(series.key)
    return store.rows(series.key, series.kind, index, as_recorded=True, **interval)


def same_series(rows: Rows, series: Series) -> Rows:
    kinds = {HistoryKind.QUOTES: 1, HistoryKind.TRADES: 2, HistoryKind.BARS: 3}
    return rows[(rows["instrument"] == REGISTRY.index(series.key)) & (rows["kind"] == kinds[series.kind])]


def a_log(store: HistoryStore, rows: Rows, number: int) -> LogFile:
    """One that is being written."""
    instruments = {number: REGISTRY.snapshot(REGISTRY.key(number)) for number in range(len(REGISTRY))}
    log = LogFile(store.root / LIVE_FOLDER, number, instruments, [])
    log.append(rows)
    log.sync()
    return log


def leave_a_log(store: HistoryStore, rows: Rows, number: int = DAY_START_NS) -> Path:
    """A log as a process leaves it that was killed."""
    log = a_log(store, rows, number)
    log.close()
    return log.path


def test_rows_are_the_same_from_the_log_and_from_the_segments(store: HistoryStore) -> None:
    rows = live_rows(1_000)
    recorder = a_recorder(store)
    for start in range(0, 1_000, 30):
        block = rows[start : start + 30].copy()
        recorder.record(block, REGISTRY)
        block["x0"] = -1  # the caller uses its memory again
    recorder.sync()
    for _ in ("from the log", "from segments"):
        for series in SERIES:
            assert recorded(store, series).tobytes() == same_series(rows, series).tobytes(), series
        assert stored_numbers(store) == list(range(1, 1_001))
        assert sum(one.rows for one in store.datasets()) == 1_000
        assert set(store.series()) >= set(SERIES)
        recorder.roll()
    assert len(logs(store)) == 1 and len(read_log(logs(store)[0]).rows) == 0
    assert store.instrument(BTC) == an_instrument(BTC)
    recorder.close()
    assert logs(store) == []


def test_without_asking_rows_have_no_number_and_imported_rows_have_none_at_all(store: HistoryStore) -> None:
    store.write(QUOTES, quotes_at([DAY_START_NS]), a_source())
    recorder = a_recorder(store)
    recorder.record(live_rows(4), REGISTRY)
    recorder.close()
    assert not store.rows(ETH, HistoryKind.QUOTES, 0)["sequence"].any()
    assert len(store.rows(BTC, HistoryKind.QUOTES, 0)) == 3
    assert (store.rows(BTC, HistoryKind.QUOTES, 0, as_recorded=True)["sequence"] >> STEP_BITS).tolist() == [2, 4]
    assert store.query("SELECT sequence FROM quotes ORDER BY ts_received")["sequence"].to_pylist() == [None, 1, 2, 3, 4]


def test_rows_over_midnight_lie_in_both_days(store: HistoryStore) -> None:
    recorder = a_recorder(store)
    recorder.record(live_rows(10, start_ns=DAY_START_NS + DAY_NS - 5 * MS_NS), REGISTRY)
    recorder.sync()
    before = recorded(store, SERIES[0]).tobytes()
    recorder.close()
    assert [path.parent.name for path in segment_files(store, SERIES[0])] == ["date=2024-08-08", "date=2024-08-09"]
    assert recorded(store, SERIES[0]).tobytes() == before


def test_new_instruments_are_learned_while_recording(store: HistoryStore) -> None:
    registry = Registry()
    registry.add(an_instrument(ETH))
    recorder = a_recorder(store)
    one = live_rows(1)
    one["instrument"] = 0
    recorder.record(one, registry)
    registry.add(an_instrument(BTC))
    two = live_rows(1, 2)
    two["instrument"] = 1
    recorder.record(two, registry)
    recorder.close()
    assert [str(one.symbol) for one in store.datasets()] == ["BTC/USDT", "ETH/USDT"]


def test_rules_that_change_while_it_records_are_kept_each_from_its_time(store: HistoryStore) -> None:
    registry, later = Registry(), DAY_START_NS + 5
    registry.add(an_instrument(BTC, valid_from_ns=DAY_START_NS))
    recorder = a_recorder(store)
    row = live_rows(1)
    row["instrument"] = 0
    recorder.record(row, registry)
    recorder.declare(an_instrument(BTC, valid_from_ns=DAY_START_NS + 1))  # the same rules, asked for again
    recorder.declare(an_instrument(BTC, tick_size="0.5", valid_from_ns=later))
    recorder.close()
    assert [one.valid_from_ns for one in snapshots(store.root, BTC)] == [DAY_START_NS, later]
    assert store.instrument(BTC, DAY_START_NS + 2).tick_size == Decimal("0.01")
    assert store.instrument(BTC, later).tick_size == Decimal("0.5")


def test_the_rules_of_a_first_recording_are_known_before_it_is_rolled(
    store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(HistoryMissing, match="workstation data record --symbols BTC/USDT"):
        store.instrument(BTC)
    path = leave_a_log(store, live_rows(60))
    assert store.instrument(BTC) == an_instrument(BTC) == store.instrument(BTC, DAY_START_NS)

    def late(root: Path) -> list[Tail]:
        roll_log(store, path)
        return []

    monkeypatch.setattr(store_module, "read_tails", late)
    assert store.instrument(ETH) == an_instrument(ETH)


class Steps:
    """Calls `look` before each line of the rolling modules that runs."""

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look
        self._files = {"rolling.py", "store.py", "manifest.py", "segments.py", "durable.py", "recording.py"}
        self._is_looking = False
        self.count = 0

    def __call__(self, frame: Any, event: str, _: Any) -> Any:
        if Path(frame.f_code.co_filename).name not in self._files or self._is_looking:
            return None
        if event == "line":
            self._is_looking = True
            self.count += 1
            sys.settrace(None)
            self._look()
            sys.settrace(self)
            self._is_looking = False
        return self


def test_a_reader_sees_every_row_once_at_every_step_of_the_roll(store: HistoryStore) -> None:
    """The reader lists the logs at one step, reads them at any later one, and the manifests at any still later one."""
    path = leave_a_log(store, live_rows(60))
    expected = [len(same_series(live_rows(60), series)) for series in SERIES]
    listings: set[tuple[Path, ...]] = set()
    reads: dict[tuple[Path, ...], list[Tail]] = {}
    states: set[tuple[bytes, ...]] = set()

    def look() -> None:
        listings.add(tuple(logs(store)))
        for listing in listings:
            present = tuple(one for one in listing if one.exists())
            if present not in reads:
                reads[present] = [Tail(read_log(one)) for one in present]
        manifests = [load_manifest(store.root / series.folder) for series in SERIES]
        states.add(tuple(repr(one).encode() for one in manifests))
        for tails in reads.values():
            for series, manifest, rows in zip(SERIES, manifests, expected, strict=True):
                segments = (*manifest.segments, *tail_segments(series, tails, manifest))
                assert sum(segment.rows for segment in segments) == rows, series

    steps = Steps(look)
    sys.settrace(steps)
    try:
        roll_log(store, path)
    finally:
        sys.settrace(None)
    look()
    assert steps.count > 100 and len(states) == len(SERIES) + 1
    assert set(reads) == {(path,), ()}
    assert stored_numbers(store) == list(range(1, 61))


def test_a_series_is_held_at_every_step_of_its_first_roll(store: HistoryStore) -> None:
    path = leave_a_log(store, live_rows(60))

    def look() -> None:
        assert all(store.holds(series) for series in SERIES)

    steps = Steps(look)
    sys.settrace(steps)
    try:
        roll_log(store, path)
    finally:
        sys.settrace(None)
    look()
    assert steps.count > 100
    assert not store.holds(replace(SERIES[0], kind=HistoryKind.BOOKS))


def test_a_series_whose_first_roll_ends_between_two_looks_is_held(
    store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = leave_a_log(store, live_rows(60))

    def late(root: Path) -> list[Tail]:
        roll_log(store, path)
        return []

    monkeypatch.setattr(store_module, "read_tails", late)
    assert store.holds(SERIES[0])


@pytest.fixture
def between(store: HistoryStore, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Has something happen while a reader of many series is behind its look at the first one's manifest."""

    def arrange(happens: Callable[[], object]) -> None:
        waiting = [happens]

        def load(folder: Path) -> Manifest:
            manifest = load_manifest(folder)
            if waiting:
                waiting.pop()()
            return manifest

        monkeypatch.setattr(store_module, "load_manifest", load)

    return arrange


def test_many_series_are_read_as_of_one_moment_while_the_log_grows_and_is_rolled(
    store: HistoryStore, between: Callable[[Callable[[], object]], None]
) -> None:
    log = a_log(store, live_rows(30), DAY_START_NS)

    def grow_and_roll() -> None:
        log.append(live_rows(30, 31))
        log.sync()
        log.close()
        roll_log(store, log.path)

    between(grow_and_roll)
    assert stored_numbers(store) == list(range(1, 61))


def merged_numbers(store: HistoryStore) -> list[int]:
    wanted = [Selection(key=one.key, kind=one.kind, interval_ns=one.interval_ns) for one in SERIES]
    blocks = merged_blocks(store, wanted, REGISTRY, as_recorded=True)
    return [number >> STEP_BITS for block in blocks for number in block["sequence"].tolist()]


def test_a_replay_of_many_series_is_as_of_one_moment_too(
    store: HistoryStore, between: Callable[[Callable[[], object]], None]
) -> None:
    log = a_log(store, live_rows(30), DAY_START_NS)

    def grow_and_roll() -> None:
        log.append(live_rows(30, 31))
        log.sync()
        log.close()
        roll_log(store, log.path)

    between(grow_and_roll)
    assert merged_numbers(store) == list(range(1, 61))


def test_the_logs_are_read_once_for_all_series_of_a_replay(
    store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_a_log(store, live_rows(60))
    looks = []

    def looked(root: Path) -> list[Tail]:
        looks.append(root)
        return read_tails(root)

    monkeypatch.setattr(store_module, "read_tails", looked)
    assert merged_numbers(store) == list(range(1, 61))
    assert len(looks) == 1


@pytest.mark.parametrize("goes_on", [False, True])
def test_many_series_are_read_as_of_one_moment_while_a_log_comes_and_goes(
    store: HistoryStore, between: Callable[[Callable[[], object]], None], goes_on: bool
) -> None:
    roll_log(store, leave_a_log(store, live_rows(30)))

    def come_and_go() -> None:
        roll_log(store, leave_a_log(store, live_rows(30, 31), DAY_START_NS + 1))
        if goes_on:
            leave_a_log(store, live_rows(30, 61), DAY_START_NS + 2)

    between(come_and_go)
    assert stored_numbers(store) == list(range(1, 91 if goes_on else 61))


def test_a_log_with_an_older_name_than_one_that_was_rolled_is_read(store: HistoryStore) -> None:
    """As after a clock was set back, in a history whose own record of the last log is gone."""
    roll_log(store, leave_a_log(store, live_rows(30), DAY_START_NS + 1))
    leave_a_log(store, live_rows(30, 31), DAY_START_NS)
    assert stored_numbers(store) == list(range(1, 61))


class Interrupted(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("last", range(1, 400, 23))
def test_a_roll_cut_off_at_any_step_and_taken_again_has_every_row_once(store: HistoryStore, last: int) -> None:
    path = leave_a_log(store, live_rows(60))
    remaining = last

    def end() -> None:
        nonlocal remaining
        remaining -= 1
        if remaining == 0:
            raise Interrupted

    sys.settrace(Steps(end))
    try:
        roll_log(store, path)
    except Interrupted:
        pass
    finally:
        sys.settrace(None)
    assert stored_numbers(store) == list(range(1, 61))
    recorder = a_recorder(store)
    assert stored_numbers(store) == list(range(1, 61))
    assert store.recording().rows == 60
    recorder.close()
    assert logs(store) == []
    assert stored_numbers(store) == list(range(1, 61))


def test_a_restart_rolls_what_was_left_and_names_the_gap(store: HistoryStore) -> None:
    leave_a_log(store, live_rows(100))
    recorder = a_recorder(store)
    gap = recorder.recovered.gap
    assert gap is not None and gap.why == "the recording process ended without stopping"
    assert (gap.from_ns, gap.to_ns) == (DAY_START_NS + 100 * MS_NS, NOW_NS)
    assert [one.rows for one in recorder.recovered.rolled] == [100]
    recorder.record(live_rows(5, 101), REGISTRY)
    recorder.sync()
    recording = store.recording()
    assert (recording.rows, recording.gaps) == (105, (gap,))
    assert {(one.kind, one.symbol) for one in recording.series} >= {("quotes", "BTC/USDT"), ("quotes", "ETH/USDT")}
    recorder.close()
    assert store.recording().rows == 105
    again = a_recorder(store, now_ns=NOW_NS + DAY_NS * 10_000)
    assert again.recovered.gap is not None and again.recovered.gap.why == "nobody recorded"
    again.close()


def test_the_first_recording_has_no_gap(store: HistoryStore) -> None:
    recorder = a_recorder(store)
    assert recorder.recovered.gap is None
    recorder.close()


def test_what_cannot_be_read_is_kept_and_named(store: HistoryStore) -> None:
    path = leave_a_log(store, live_rows(100))
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(content + b"torn")
    valid = read_log(path).valid_bytes
    recorder = a_recorder(store)
    (rolled,) = recorder.recovered.rolled
    assert rolled.damage is not None and "checksum" in rolled.damage
    (kept,) = path.parent.glob("*.damaged")
    assert kept.read_bytes() == bytes(content[valid:]) + b"torn"
    assert store.recording().damages == (rolled.damage,)
    recorder.close()


def test_a_second_recorder_is_told_who_records(store: HistoryStore) -> None:
    recorder = a_recorder(store)
    code = """
import sys
from pathlib import Path
from tests.history.live import a_recorder
from workstation.errors import OperatorError
from workstation.history.store import HistoryStore
try:
    a_recorder(HistoryStore(Path(sys.argv[1])))
except OperatorError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(store.root)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    owner = (store.root / LIVE_FOLDER / "recorder.pid").read_text().strip()
    assert f"process {owner} already records into it: stop that process first" in done.stdout
    with pytest.raises(RecorderRunning, match=owner):
        a_recorder(store)
    recorder.close()
    a_recorder(store).close()


def test_a_log_is_rolled_by_size_without_being_asked(store: HistoryStore) -> None:
    settings = RecorderSettings(roll_bytes=10_000, check_interval_s=0.01, writer=NEVER.writer)
    recorder = Recorder.open(store, now_ns=NOW_NS, settings=settings)
    recorder.record(live_rows(1_000), REGISTRY)
    recorder.sync()
    while recorder.state.rows_rolled < 1_000:
        assert recorder.state.roll_failure is None
    assert stored_numbers(store) == list(range(1, 1_001))
    recorder.close()


def test_a_roll_that_fails_leaves_rows_readable_and_is_made_good(
    store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    recorder = a_recorder(store)
    recorder.record(live_rows(100), REGISTRY)
    with monkeypatch.context() as patch:
        patch.setattr(rolling, "save_recording", full)
        assert recorder.roll() == []
    assert recorder.state.roll_failure is not None and "No space left" in recorder.state.roll_failure
    assert recorder.state.writer.failure is None
    assert stored_numbers(store) == list(range(1, 101))
    recorder.record(live_rows(10, 101), REGISTRY)
    assert [one.rows for one in recorder.roll()] == [100, 10]
    assert recorder.state.roll_failure is None
    assert stored_numbers(store) == list(range(1, 111))
    recorder.close()


def test_every_recorded_bar_is_kept_and_the_last_of_one_opening_counts(store: HistoryStore) -> None:
    """As after a restart, when the venue sends its last bar once more."""
    recorder = a_recorder(store)
    bars = np.array([a_bar(49, DAY_START_NS + 49), a_bar(99, DAY_START_NS + 99)])
    bars["ts_event"] = bars["ts_event"][0]
    for bar in bars:
        recorder.record(bar.reshape(1), REGISTRY)
        recorder.roll()
    recorder.close()
    assert (recorded(store, SERIES[-1])["sequence"] >> STEP_BITS).tolist() == [49, 99]
    assert store.bars(BTC, MINUTE_NS).volume.tolist() == [99.0]


def test_recorded_series_merge_in_the_order_in_which_they_were_numbered(store: HistoryStore) -> None:
    """Many rows of one receipt time, in logs and in segments, whatever the rank of their series."""
    rows = live_rows(200, step_ns=0)
    rows["ts_received"] = DAY_START_NS + (rows["sequence"] >> STEP_BITS) // 40
    recorder = a_recorder(store)
    recorder.record(rows[:70], REGISTRY)
    recorder.roll()
    recorder.record(rows[70:], REGISTRY)
    recorder.sync()
    every = [series for series in store.series()]
    for order in (every, every[::-1]):
        selections = [Selection(key=one.key, kind=one.kind, interval_ns=one.interval_ns) for one in order]
        blocks = [one.copy() for one in merged_blocks(store, selections, REGISTRY, as_recorded=True, block_rows=17)]
        assert np.concatenate(blocks).tobytes() == rows.tobytes()
        assert count_rows(store, selections, as_recorded=True) == 200
    recorder.close()


def test_a_damaged_record_of_the_recording_says_what_to_do(store: HistoryStore) -> None:
    folder = store.root / LIVE_FOLDER
    folder.mkdir(parents=True)
    (folder / "recording.json").write_text("{")
    with pytest.raises(HistoryCorrupt, match="delete it"):
        a_recorder(store)
    (folder / "recording.json").unlink()
    a_recorder(store).close()
    assert logs_in(folder) == []
