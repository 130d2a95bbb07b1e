"""A damaged file costs its own rows alone: it is found, set aside, and what it had can be had again."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.history.live import a_recorder, a_registry, live_rows
from tests.history.series import BTC, DAY_START_NS, HOURS, QUOTES, a_source, bars_from, quotes_at, segment_files
from workstation.errors import BadInput, HistoryMissing
from workstation.history.backfill import ASKED_NAME, Asked, load_asked
from workstation.history.compact import compact_series
from workstation.history.durable import HistoryCorrupt, json_file
from workstation.history.layout import HistoryKind
from workstation.history.manifest import MANIFEST_NAME, load_manifest
from workstation.history.removing import remove_series
from workstation.history.segments import SegmentUnreadable
from workstation.history.setting_aside import ENDING, damaged_files, set_aside
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, HOUR_NS

DAYS = 3
A_DAY = 2_000


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    """A file a day, of one source each."""
    store = HistoryStore(tmp_path / "history")
    for day in range(DAYS):
        store.write(QUOTES, a_days_quotes(day), a_source(f"day{day}.csv"))
    return store


def a_days_quotes(day: int) -> object:
    steps = np.random.default_rng(day).integers(1, 10**9, A_DAY)
    return quotes_at(DAY_START_NS + day * DAY_NS + np.cumsum(steps))


def times(store: HistoryStore) -> list[int]:
    found: list[int] = store.rows(BTC, HistoryKind.QUOTES, 0)["ts_received"].tolist()
    return found


def flip(path: Path) -> None:
    """One bit in the middle of the first column: the decoder takes it for other times, and says nothing."""
    column = pq.ParquetFile(path).metadata.row_group(0).column(0)
    content = bytearray(path.read_bytes())
    content[column.data_page_offset + column.total_compressed_size // 2] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "half written": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "emptied": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "a bit flipped": flip,
    "another file": lambda path: pq.write_table(pq.read_table(path, partitioning=None).slice(0, 7), path),
    "gone": Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_f24_every_damage_is_found_and_set_aside_and_the_rest_is_read(store: HistoryStore, damage: str) -> None:
    whole, victim = times(store), segment_files(store, QUOTES)[1]
    assert damaged_files(store.root, QUOTES) == []
    DAMAGES[damage](victim)
    (found,) = damaged_files(store.root, QUOTES)
    assert (found.path, found.rows, found.source) == (victim, A_DAY, "day1.csv")
    assert (found.start_ns, found.end_ns) == (whole[A_DAY], whole[2 * A_DAY - 1])
    with pytest.raises(
        HistoryCorrupt, match=r"data check --(set-aside|forget-missing).*day1.csv can be downloaded or imported again"
    ):
        times(store)
    (aside,) = set_aside(store.root, QUOTES, forgets_missing=damage == "gone")
    assert aside.is_set_aside and not victim.exists()
    assert aside.path == (victim if damage == "gone" else victim.with_name(victim.name + ENDING))
    assert aside.path.exists() == (damage != "gone")
    rest = whole[:A_DAY] + whole[2 * A_DAY :]
    assert times(store) == rest
    assert store.query("SELECT count(*) AS n FROM quotes")["n"].to_pylist() == [len(rest)]
    assert sum(one.rows for one in store.datasets()) == len(rest)
    assert set_aside(store.root, QUOTES) == []


def test_f24_the_source_of_a_lost_file_brings_back_its_rows_and_those_alone(store: HistoryStore) -> None:
    whole = times(store)
    flip(segment_files(store, QUOTES)[1])
    set_aside(store.root, QUOTES)
    for day in range(DAYS):
        written = store.write(QUOTES, a_days_quotes(day), a_source(f"day{day}.csv"))
        assert written.is_repeat == (day != 1)
        assert written.rows_stored == (A_DAY if day == 1 else 0)
    assert times(store) == whole


def test_a_second_damage_leaves_what_was_set_aside_before(store: HistoryStore) -> None:
    found = []
    for damage in (b"once", b"twice", b"three times"):
        segment_files(store, QUOTES)[1].write_bytes(damage)
        (aside,) = set_aside(store.root, QUOTES)
        found.append(aside.path)
        store.write(QUOTES, a_days_quotes(1), a_source("day1.csv"))
    assert [path.read_bytes() for path in found] == [b"once", b"twice", b"three times"]


def test_a_removed_series_leaves_what_was_set_aside(store: HistoryStore) -> None:
    segment_files(store, QUOTES)[1].write_bytes(b"damaged")
    (aside,) = set_aside(store.root, QUOTES)
    remove_series(store.root, QUOTES)
    assert list((store.root / QUOTES.folder).glob("date=*/*")) == [aside.path]


@pytest.mark.parametrize("victim", range(3))
def test_f24_of_one_source_in_several_files_the_others_stay_when_it_is_taken_in_again(
    tmp_path: Path, victim: int
) -> None:
    store, rows = HistoryStore(tmp_path, segment_rows=10), quotes_at(DAY_START_NS + np.arange(30))
    store.write(QUOTES, rows, a_source())
    whole, files = times(store), segment_files(store, QUOTES)
    files[victim].write_bytes(b"")
    set_aside(store.root, QUOTES)
    others = {path: path.read_bytes() for path in segment_files(store, QUOTES)}
    assert len(others) == 2
    written = store.write(QUOTES, rows, a_source())
    assert (written.rows_stored, written.rows_known) == (10, 20)
    assert {path: path.read_bytes() for path in others} == others
    assert sorted(times(store)) == whole and damaged_files(store.root, QUOTES) == []


def test_a_file_that_is_away_for_a_while_is_told_as_missing_and_stays_in_its_series(store: HistoryStore) -> None:
    whole, victim = times(store), segment_files(store, QUOTES)[1]
    before = load_manifest(store.root / QUOTES.folder)
    away = victim.parent.rename(store.root / "away")
    (found,) = set_aside(store.root, QUOTES)
    assert found.is_missing and not found.is_set_aside and found.path == victim
    assert load_manifest(store.root / QUOTES.folder) == before
    away.rename(victim.parent)
    assert times(store) == whole and damaged_files(store.root, QUOTES) == []


def test_a_file_that_the_system_does_not_give_out_is_no_damaged_one(store: HistoryStore) -> None:
    whole, victim = times(store), segment_files(store, QUOTES)[1]
    kept = victim.rename(victim.with_name("kept"))
    victim.mkdir()  # reading it is an error of the operating system, as it is without rights or open files
    before = load_manifest(store.root / QUOTES.folder)
    with pytest.raises(SegmentUnreadable, match=f"{victim.name}: cannot be read now"):
        set_aside(store.root, QUOTES)
    assert load_manifest(store.root / QUOTES.folder) == before
    victim.rmdir()
    kept.rename(victim)
    assert times(store) == whole


def test_a_joined_file_that_is_lost_comes_back_with_each_of_its_sources(store: HistoryStore) -> None:
    joined = {f"{start}.csv": bars_from(DAY_START_NS + start * HOUR_NS, 10) for start in (0, 10, 20)}
    for name, rows in joined.items():
        store.write(HOURS, rows, a_source(name))
    whole = store.rows(BTC, HistoryKind.BARS, 0, interval_ns=HOUR_NS).tobytes()
    assert compact_series(store, HOURS, now_ns=DAY_START_NS).files_after == 1
    (segment,) = load_manifest(store.root / HOURS.folder).segments
    (store.root / HOURS.folder / segment.path).write_bytes(b"")
    (aside,) = set_aside(store.root, HOURS)
    assert not aside.is_recorded
    with pytest.raises(HistoryMissing):
        store.bars(BTC, HOUR_NS)
    for name, rows in joined.items():
        assert store.write(HOURS, rows, a_source(name)).rows_stored == rows.num_rows
    assert store.rows(BTC, HistoryKind.BARS, 0, interval_ns=HOUR_NS).tobytes() == whole


def test_f24_what_was_downloaded_in_the_time_of_a_lost_file_is_asked_for_again(tmp_path: Path) -> None:
    store, folder = HistoryStore(tmp_path), tmp_path / HOURS.folder
    for start in (0, 24 * 366):  # a file a year
        store.write(HOURS, bars_from(DAY_START_NS + start * HOUR_NS, 10), a_source(f"page {start}"))
    later = DAY_START_NS + 24 * 366 * HOUR_NS
    asked = (DAY_START_NS - DAY_NS, later + DAY_NS)
    (folder / ASKED_NAME).write_bytes(json_file(Asked(exchange="binance", spans=(asked,))))
    segment_files(store, HOURS)[0].write_bytes(b"")
    set_aside(store.root, HOURS)
    lost = (DAY_START_NS, DAY_START_NS + 10 * HOUR_NS)
    assert load_asked(folder).spans == ((asked[0], lost[0]), (lost[1], asked[1]))
    assert store.bars(BTC, HOUR_NS).ts_open.tolist() == [later + number * HOUR_NS for number in range(10)]


def test_f24_recorded_rows_that_are_lost_stay_lost_and_no_log_is_taken_in_twice(tmp_path: Path) -> None:
    store, registry = HistoryStore(tmp_path), a_registry()
    recorder = a_recorder(store)
    for first in (1, 201, 401):
        recorder.record(live_rows(200, first), registry)
        recorder.roll()
    recorder.close()
    before = load_manifest(store.root / QUOTES.folder)
    victim = segment_files(store, QUOTES)[1]
    lost = next(one for one in before.segments if victim.name in one.path)
    DAMAGES["half written"](victim)
    (aside,) = set_aside(store.root, QUOTES)
    assert aside.is_recorded
    after = load_manifest(store.root / QUOTES.folder)
    assert after.sources == before.sources and len(after.segments) == len(before.segments) - 1
    assert len(store.rows(BTC, HistoryKind.QUOTES, 0, as_recorded=True)) == sum(one.rows for one in after.segments)
    again = a_recorder(store)
    again.record(live_rows(200, 601), registry)
    again.close()
    assert len(store.rows(BTC, HistoryKind.QUOTES, 0)) > sum(one.rows for one in before.segments) - lost.rows


def test_recorded_rows_that_were_joined_and_lost_are_told_as_recorded(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    recorder = a_recorder(store)
    for first in (1, 201):
        recorder.record(live_rows(200, first), a_registry())
        recorder.roll()
    recorder.close()
    compact_series(store, QUOTES, now_ns=DAY_START_NS)
    before = load_manifest(store.root / QUOTES.folder)
    (segment,) = before.segments
    (store.root / QUOTES.folder / segment.path).write_bytes(b"")
    (aside,) = set_aside(store.root, QUOTES)
    assert aside.is_recorded
    assert load_manifest(store.root / QUOTES.folder).sources == before.sources


def test_f24_cut_off_between_the_manifest_and_the_name_nothing_is_read_twice_or_lost(store: HistoryStore) -> None:
    whole, victim = times(store), segment_files(store, QUOTES)[1]
    flip(victim)
    (aside,) = set_aside(store.root, QUOTES)
    aside.path.rename(victim)  # as if it had been killed before the last step
    assert times(store) == whole[:A_DAY] + whole[2 * A_DAY :]
    assert set_aside(store.root, QUOTES) == []
    assert store.write(QUOTES, a_days_quotes(1), a_source("day1.csv")).rows_stored == A_DAY
    assert times(store) == whole


def test_f24_an_unfinished_file_is_nobodys_and_goes_with_the_next_writer(store: HistoryStore) -> None:
    whole = times(store)
    stray = segment_files(store, QUOTES)[0].parent / ".tmp-0-half.parquet"
    stray.write_bytes(b"PAR1" + bytes(100))
    assert times(store) == whole and damaged_files(store.root, QUOTES) == []
    store.write(QUOTES, a_days_quotes(DAYS), a_source("more.csv"))
    assert times(store)[: len(whole)] == whole


def test_f24_a_question_over_a_damaged_file_names_it_and_the_others_are_answered(store: HistoryStore) -> None:
    store.write(HOURS, bars_from(DAY_START_NS, 5), a_source("bars.csv"))
    victim = segment_files(store, QUOTES)[1]
    DAMAGES["cut short"](victim)
    with pytest.raises((BadInput, HistoryCorrupt), match=victim.name):
        store.query("SELECT count(*) FROM quotes")
    assert store.query("SELECT count(*) AS n FROM bars")["n"].to_pylist() == [5]


def test_f24_whatever_bit_of_a_file_is_flipped_the_rows_are_the_same_or_the_file_is_named(tmp_path: Path) -> None:
    """The footer too, which Parquet itself gives no checksum: some faults in it would end the process."""
    store = HistoryStore(tmp_path)
    store.write(QUOTES, quotes_at(DAY_START_NS + np.arange(50) * HOUR_NS // 1_000), a_source())
    (path,), rows = segment_files(store, QUOTES), store.rows(BTC, HistoryKind.QUOTES, 0).tobytes()
    content, noticed = path.read_bytes(), 0
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :])
        try:
            assert store.rows(BTC, HistoryKind.QUOTES, 0).tobytes() == rows, f"other rows, and not a word: byte {place}"
        except HistoryCorrupt as error:
            assert path.name in str(error)
            noticed += 1
    assert noticed > 0.8 * len(content)


def test_segments_from_before_footers_were_kept_are_read(store: HistoryStore) -> None:
    whole, path = times(store), store.root / QUOTES.folder / MANIFEST_NAME
    text = re.sub(r',\s*"footer_crc32": \d+', "", path.read_text())
    assert "footer_crc32" not in text
    path.write_text(text)
    assert times(store) == whole
