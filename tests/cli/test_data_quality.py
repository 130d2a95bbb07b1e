"""`workstation data quality`: a line for each series, the longest gaps, JSON for programs, a picture for eyes."""

import json
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cli.histories import refusal, run
from tests.history.series import DAY_START_NS, HOURS, QUOTES, a_source, a_table, bars_from, quotes_at
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.durations import HOUR_NS, SECOND_NS


@pytest.fixture
def store(home: Path) -> HistoryStore:
    store = HistoryStore(home / "history")
    for start in (0, 30):
        store.write(HOURS, bars_from(DAY_START_NS + start * HOUR_NS, 10), a_source(f"{start}"))
    quotes = quotes_at(DAY_START_NS + SECOND_NS * np.arange(20))
    events = quotes["ts_received"].to_numpy() + 1_270_000_000
    store.write(QUOTES, quotes.set_column(1, "ts_event", [events]), a_source("quotes"))
    return store


def test_each_series_has_a_line_and_its_longest_gaps(store: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data", "quality", "--history", store.root) == 0
    header, bars, quotes, *notes = capsys.readouterr().out.splitlines()
    assert header.split()[:8] == ["KIND", "VENUE", "SYMBOL", "INTERVAL", "ROWS", "COVERAGE", "GAPS", "LONGEST"]
    assert bars.split()[:10] == ["bars", "binance", "BTC/USDT", "1h", "20", "50.00", "%", "1", "20", "h"]
    assert quotes.split()[:8] == ["quotes", "binance", "BTC/USDT", "-", "20", "100", "%", "0"]
    assert notes == [
        "bars binance:BTC/USDT 1h: nothing for 20 h from 2024-08-08T10:00:00Z",
        "quotes binance:BTC/USDT: received 1.27 s before it happened (median): the receiver's clock was behind",
    ]


def test_json_has_every_figure(store: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data", "quality", "--json", "--kind", "bars", "--history", store.root) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["kind"], one["venue"], one["symbol"], one["interval"]) == ("bars", "binance", "BTC/USDT", "1h")
    assert (one["rows"], one["gaps"], one["missing_bars"], one["coverage"]) == (20, 1, 20, 0.5)
    assert one["longest_gaps"] == [{"start_ns": DAY_START_NS + 10 * HOUR_NS, "end_ns": DAY_START_NS + 30 * HOUR_NS}]
    assert [day["day"] for day in one["days"]] == ["2024-08-08", "2024-08-09"]


def test_monitors_read_every_figure_that_is_known(store: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data", "quality", "--metrics", "--history", store.root) == 0
    families = {one.name: one for one in text_string_to_metric_families(capsys.readouterr().out)}

    def value(name: str, kind: str) -> list[float]:
        return [one.value for one in families[f"workstation_data_{name}"].samples if one.labels["kind"] == kind]

    assert [value(name, "bars") for name in ("rows", "gaps", "missing_seconds", "coverage_ratio")] == [
        [20.0], [1.0], [72_000.0], [0.5]
    ]  # fmt: skip
    assert (
        value("clock_offset_seconds", "quotes") == [pytest.approx(-1.27, abs=0.01)]
        and value("clock_offset_seconds", "bars") == []
    )
    [bars, quotes] = families["workstation_data_rows"].samples
    assert bars.labels == {"kind": "bars", "venue": "binance", "symbol": "BTC/USDT", "interval": "1h"}
    assert quotes.labels["interval"] == ""


def test_metrics_and_json_are_two_things(store: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert "expected one of them" in refusal(capsys, "data", "quality", "--metrics", "--json", "--history", store.root)


@pytest.mark.parametrize(
    ("words", "lines"),
    [(["--symbol", "BTC/USDT"], 3), (["--interval", "1h"], 2), (["--kind", "quotes", "--gap", "90s"], 2)],
)
def test_words_leave_some_series(
    store: HistoryStore, capsys: pytest.CaptureFixture[str], words: list[str], lines: int
) -> None:
    assert run("data", "quality", "--history", store.root, *words) == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if ": " not in line]
    assert len(shown) == lines


def test_a_picture_is_a_file_that_stands_alone(store: HistoryStore, tmp_path: Path) -> None:
    assert run("data", "quality", "--history", store.root, "--html", tmp_path / "map.html") == 0
    page = (tmp_path / "map.html").read_text("utf-8")
    assert "bars binance:BTC/USDT 1h" in page and "2024-08-09" in page


def test_what_is_not_there_is_said(store: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data", "quality", "--history", store.root, "--venue", "nova") == 0
    assert "no such history in" in capsys.readouterr().out
    assert "--gap 'soon': expected a length of time" in refusal(
        capsys, "data", "quality", "--history", store.root, "--gap", "soon"
    )
    assert "interval '7m': expected one of" in refusal(
        capsys, "data", "quality", "--history", store.root, "--interval", "7m"
    )


def test_a_file_that_cannot_be_read_is_named(store: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    next((store.root / QUOTES.folder).rglob("*.parquet")).unlink()
    assert run("data", "quality", "--history", store.root) == 0
    assert "quotes binance:BTC/USDT: not read: " in capsys.readouterr().out


def test_an_impossible_row_is_counted(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = HistoryStore(home / "history")
    columns = {"bid": [100.0, 100.0], "ask": [99.0, 101.0], "bid_quantity": [1.0, 1.0], "ask_quantity": [1.0, 1.0]}
    store.write(
        QUOTES, a_table(HistoryKind.QUOTES, ts_received=[DAY_START_NS, DAY_START_NS + 1], **columns), a_source()
    )
    assert run("data", "quality", "--json", "--history", store.root) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["crossed"], one["faults"]) == (1, 1)
