"""Compaction: fewer files, the same rows for every reader, whatever was written, read or killed meanwhile."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history.live import a_recorder, a_registry, live_rows, stored_numbers
from tests.history.series import BTC, DAY_START_NS, HOURS, QUOTES, a_source, bars_from, quotes_at
from tests.history.series import segment_files as files_of
from workstation.history.blocks import Selection, merged_blocks
from workstation.history.compact import KEPT_LOGS, Compacted, compact_series
from workstation.history.durable import HistoryCorrupt
from workstation.history.layout import HistoryKind, Series
from workstation.history.live_log import LIVE_FOLDER, log_name
from workstation.history.manifest import load_manifest
from workstation.history.segments import Table
from workstation.history.store import HistoryStore
from workstation.history.tail import LOG_SOURCE
from workstation.model.durations import DAY_NS, HOUR_NS

REGISTRY = a_registry()
NOW_NS = DAY_START_NS + 30 * DAY_NS
BTC_QUOTES = Selection(key=BTC, kind=HistoryKind.QUOTES)


def compact(store: HistoryStore, *, now_ns: int = NOW_NS) -> list[Compacted]:
    return [compact_series(store, series, now_ns=now_ns) for series in store.series()]


def all_that_is_read(store: HistoryStore) -> list[object]:
    """What each way of reading gives, but for the number of files."""
    answers: list[object] = []
    for series in sorted(store.series(), key=str):
        one = Selection(key=series.key, kind=series.kind, interval_ns=series.interval_ns)
        for as_recorded in (False, True):
            blocks = merged_blocks(store, [one], REGISTRY, as_recorded=as_recorded, assumed_delay_ns=3)
            answers.append(b"".join(block.tobytes() for block in blocks))
        rows = store.rows(series.key, series.kind, 0, interval_ns=series.interval_ns)
        answers += [
            series,
            rows.tobytes(),
            [repr(source) for source in load_manifest(store.root / series.folder).sources],
        ]
    for kind in ("quotes", "trades", "bars"):
        answers.append(store.query(f"SELECT * FROM {kind} ORDER BY ALL").to_pydict())
    return answers


def numbered(table: Table, first: int) -> Table:
    """The table as a recorder leaves it: with receipt times and the gate's numbers."""
    if table["ts_received"].null_count:
        place = table.schema.get_field_index("ts_received")
        table = table.set_column(place, "ts_received", pa.array(table["ts_open"].to_numpy() + HOUR_NS + 5))
    return table.append_column("sequence", pa.array(np.arange(first, first + table.num_rows)))


@st.composite
def writes(draw: st.DrawFn) -> list[tuple[Series, Table]]:
    """Segments that follow one another, overlap, touch at one time, lie on either side of midnight or of a year."""
    found = []
    for number in range(draw(st.integers(1, 8))):
        start, count = draw(st.integers(0, 30)), draw(st.integers(1, 6))
        cents = draw(st.sampled_from([100.0, 1 / 3, 0.1234]))
        if draw(st.booleans()):
            day_end_ns = DAY_START_NS + DAY_NS - 15
            series, table = QUOTES, quotes_at(day_end_ns + start + np.arange(count) // 2, bid=cents)
        else:
            year_end_ns = 1_735_689_600_000_000_000
            series, table = HOURS, bars_from(year_end_ns + (start - 15) * HOUR_NS, count, close=cents)
        found.append((series, numbered(table, 100 * number) if draw(st.booleans()) else table))
    return found


@settings(max_examples=40)  # each example writes and syncs files
@given(writes(), st.integers(4, 40))
def test_every_reader_reads_the_same_before_and_after(written: list[tuple[Series, Table]], segment_rows: int) -> None:
    with TemporaryDirectory() as folder:
        store = HistoryStore(Path(folder), segment_rows=segment_rows)
        for number, (series, table) in enumerate(written):
            store.write(series, table, a_source(str(number)))
        before = all_that_is_read(store)
        compact(store)
        assert all_that_is_read(store) == before
        manifests = [load_manifest(store.root / series.folder) for series in store.series()]
        assert not any(one.is_changed for one in compact(store)), "it is idempotent"
        assert [load_manifest(store.root / series.folder) for series in store.series()] == manifests


def rolled_often(store: HistoryStore, rolls: int, rows: int = 20) -> None:
    recorder = a_recorder(store)
    for first in range(1, rolls * rows, rows):
        recorder.record(live_rows(rows, first), REGISTRY)
        recorder.roll()
    recorder.close()


def test_a_days_rolls_become_one_file_and_the_old_ones_go_a_day_later(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    rolled_often(store, 5)
    (done,) = (one for one in compact(store) if one.series == QUOTES)
    assert (done.files_before, done.files_after, done.rows, done.files_removed) == (5, 1, 40, 0)
    assert len(files_of(store, QUOTES)) == 6
    compact(store, now_ns=NOW_NS + DAY_NS - 1)
    assert len(files_of(store, QUOTES)) == 6
    (done,) = (one for one in compact(store, now_ns=NOW_NS + DAY_NS) if one.series == QUOTES)
    assert done.files_removed == 5 and done.bytes_removed > 0
    assert len(files_of(store, QUOTES)) == 1
    assert stored_numbers(store) == list(range(1, 101))


def test_recording_goes_on_behind_a_compaction(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    rolled_often(store, 3)
    compact(store)
    recorder = a_recorder(store)
    recorder.record(live_rows(20, 61), REGISTRY)
    recorder.roll()
    compact(store)
    assert stored_numbers(store) == list(range(1, 81))
    recorder.close()
    compact(store, now_ns=NOW_NS + 2 * DAY_NS)
    assert stored_numbers(store) == list(range(1, 81))


def test_logs_that_were_rolled_long_ago_are_named_no_more_and_imports_for_ever(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store.write(QUOTES, quotes_at([DAY_START_NS]), a_source("import"))
    present = store.root / LIVE_FOLDER / log_name(0)  # a roll that was cut off before it removed its log
    present.parent.mkdir()
    present.touch()
    logs = [a_source(f"{LOG_SOURCE}{log_name(number)}") for number in range(KEPT_LOGS + 3)]
    for number, source in enumerate(logs):
        store.write(QUOTES, numbered(quotes_at([DAY_START_NS + number]), number), source)
    compact(store)
    assert load_manifest(store.root / QUOTES.folder).sources == (a_source("import"), logs[0], *logs[3:])


def test_a_damaged_file_is_named_and_nothing_is_changed(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    rolled_often(store, 2)
    damaged = files_of(store, QUOTES)[1]
    damaged.write_bytes(damaged.read_bytes()[:-20])
    before = load_manifest(store.root / QUOTES.folder)
    with pytest.raises(HistoryCorrupt, match=damaged.name):
        compact_series(store, QUOTES, now_ns=NOW_NS)
    assert load_manifest(store.root / QUOTES.folder) == before
    assert not list(tmp_path.rglob("*.tmp-*"))


class Interrupted(BaseException):
    """Stands for the end of the process."""


def interrupted_at(last: int, store: HistoryStore) -> None:
    """A compaction that ends before its line number `last`."""
    remaining = last
    files = {"compact.py", "segment_writing.py", "manifest.py", "durable.py"}

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal remaining
        if Path(frame.f_code.co_filename).name not in files:
            return None
        if event == "line":
            remaining -= 1
            if remaining == 0:
                raise Interrupted
        return trace

    sys.settrace(trace)
    try:
        compact_series(store, QUOTES, now_ns=NOW_NS)
    except Interrupted:
        pass
    finally:
        sys.settrace(None)


@pytest.mark.parametrize("last", range(1, 260, 17))
def test_one_cut_off_at_any_step_changes_no_row_and_the_next_finishes(tmp_path: Path, last: int) -> None:
    store = HistoryStore(tmp_path)
    rolled_often(store, 3)
    manifest = load_manifest(store.root / QUOTES.folder)
    before = all_that_is_read(store)
    interrupted_at(last, store)
    assert all_that_is_read(store) == before
    for segment in manifest.segments:  # a reader that began before goes on
        assert (store.root / QUOTES.folder / segment.path).exists()
    compact_series(store, QUOTES, now_ns=NOW_NS)
    compact_series(store, QUOTES, now_ns=NOW_NS + 2 * DAY_NS)
    assert all_that_is_read(store) == before
    assert len(files_of(store, QUOTES)) == 1


def test_a_reader_that_began_before_reads_to_its_end(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    rolled_often(store, 4)
    expected = store.rows(BTC, HistoryKind.QUOTES, REGISTRY.index(BTC)).tobytes()
    blocks = merged_blocks(store, [BTC_QUOTES], REGISTRY, block_rows=5)
    read = [next(blocks).tobytes()]
    compact(store)
    read += [block.tobytes() for block in blocks]
    assert b"".join(read) == expected
