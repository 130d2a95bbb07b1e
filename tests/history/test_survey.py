"""What a history holds as a page shows it: all series at once, then the figures of those that have changed."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.history.live import a_recorder, a_registry, live_rows
from tests.history.series import HOURS, QUOTES, a_source, bars_from, quotes_at, segment_files
from workstation.history.durable import HistoryCorrupt
from workstation.history.store import HistoryStore
from workstation.history.survey import Figures, SurveyLine, survey
from workstation.model.durations import DAY_NS, SECOND_NS

T0_NS = 19_844 * DAY_NS


def surveyed(store: HistoryStore, known: dict[str, str] | None = None) -> list[SurveyLine]:
    told: list[SurveyLine] = []
    survey(store, known or {}, T0_NS + DAY_NS, told.append)
    return told


def figures_of(told: list[SurveyLine]) -> dict[str, Figures]:
    return {one.figures.name: one.figures for one in told if one.figures is not None}


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    made = HistoryStore(tmp_path / "history")
    times = [T0_NS + second * SECOND_NS for second in range(1200) if not 300 <= second < 900]
    made.write(QUOTES, quotes_at(times), a_source("quotes.csv"))
    made.write(HOURS, bars_from(T0_NS, 24), a_source("bars.csv"))
    return made


def test_all_series_are_told_first_then_the_figures_of_each_the_small_ones_first(store: HistoryStore) -> None:
    told = surveyed(store)
    assert told[0].series is not None
    assert [(one.name, one.rows, one.files) for one in told[0].series] == [(str(HOURS), 24, 1), (str(QUOTES), 600, 1)]
    assert [source.name for source in told[0].series[1].sources] == ["quotes.csv"]
    figures = figures_of(told)
    assert list(figures) == [str(HOURS), str(QUOTES)]
    quotes = figures[str(QUOTES)]
    assert (quotes.gaps, quotes.missing_ns) == (1, 601 * SECOND_NS)
    assert (quotes.longest_gaps[0].start_ns, quotes.found_ns) == (T0_NS + 299 * SECOND_NS, T0_NS + DAY_NS)
    assert figures[str(HOURS)].coverage == 1.0 and figures[str(HOURS)].clock_offset_ns is None
    assert any(one.total == 624 for one in told)


def test_what_has_not_changed_is_not_looked_at_again(store: HistoryStore) -> None:
    marks = {name: one.mark for name, one in figures_of(surveyed(store)).items()}
    assert surveyed(store, marks)[1:] == []
    store.write(HOURS, bars_from(T0_NS + DAY_NS, 3), a_source("more.csv"))
    again = surveyed(store, marks)
    assert list(figures_of(again)) == [str(HOURS)]
    assert again[0].series is not None and again[0].series[0].rows == 27
    assert [source.name for source in again[0].series[0].sources] == ["more.csv", "bars.csv"]


def test_a_damaged_file_that_is_restored_with_its_times_is_looked_at_again(store: HistoryStore) -> None:
    (path,) = segment_files(store, HOURS)
    content, times = path.read_bytes(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_bytes(bytes(len(content)))
    os.utime(path, ns=times)
    damaged = figures_of(surveyed(store))
    assert damaged[str(HOURS)].damaged
    path.write_bytes(content)
    os.utime(path, ns=times)
    again = figures_of(surveyed(store, {name: one.mark for name, one in damaged.items()}))
    assert list(again) == [str(HOURS)] and not again[str(HOURS)].damaged


def test_what_is_in_the_log_alone_is_not_told(store: HistoryStore) -> None:
    before = surveyed(store)
    recorder = a_recorder(store)
    recorder.record(live_rows(200), a_registry())
    recorder.sync()
    told = surveyed(store)
    recorder.close()
    assert told[0] == before[0] and figures_of(told) == figures_of(before)


def test_nothing_stored_is_told_as_nothing(tmp_path: Path) -> None:
    assert surveyed(HistoryStore(tmp_path / "none")) == [SurveyLine(series=())]


def test_the_process_says_it_in_lines_and_a_damaged_manifest_by_its_name(store: HistoryStore) -> None:
    lines = processed(store.root)
    assert set(figures_of(lines)) == {str(HOURS), str(QUOTES)}
    manifest = store.root / HOURS.folder / "manifest.json"
    manifest.write_text("{")
    [line] = processed(store.root)
    assert str(manifest) in line.failure
    manifest.unlink()
    manifest.mkdir()
    [line] = processed(store.root)
    assert str(manifest) in line.failure
    manifest.rmdir()
    manifest.write_text("{")
    with pytest.raises(HistoryCorrupt):
        surveyed(store)


def processed(root: Path) -> list[SurveyLine]:
    command = [sys.executable, "-m", "workstation.history.survey_process", str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"{}\n")
        process.stdin.flush()
        said = process.stdout.read().splitlines()
        assert process.wait() == 0
    return [msgspec.json.decode(line, type=SurveyLine) for line in said]
