"""`workstation data check`: damaged files by name, and out of the way where that is asked for."""

import json
from pathlib import Path

import pytest

from tests.cli.histories import run
from tests.history.series import BTC, DAY_START_NS, HOURS, QUOTES, a_source, bars_from, quotes_at, segment_files
from workstation.history.layout import HistoryKind
from workstation.history.manifest import MANIFEST_NAME
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS


@pytest.fixture
def store(home: Path) -> HistoryStore:
    store = HistoryStore(home / "history")
    store.write(HOURS, bars_from(DAY_START_NS, 10), a_source("bars.csv"))
    for day in range(2):
        store.write(
            QUOTES,
            quotes_at(range(DAY_START_NS + day * DAY_NS, DAY_START_NS + day * DAY_NS + 5)),
            a_source(f"day{day}.csv"),
        )
    return store


def test_a_history_that_is_whole_is_said_to_be(store: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data", "check", "--history", store.root) == 0
    assert capsys.readouterr().out == f"2 series read in {store.root}: 0 files damaged\n"


def test_a_damaged_file_is_named_and_left_alone_until_it_is_to_be_set_aside(
    store: HistoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    victim = segment_files(store, QUOTES)[0]
    victim.write_bytes(victim.read_bytes()[:-9])
    assert run("data", "check", "--history", store.root) == 1
    printed = capsys.readouterr()
    assert f"damaged: {victim};" in printed.out and "1 files are damaged" in printed.err
    assert victim.exists()
    assert run("data", "check", "--set-aside", "--history", store.root) == 0
    line, total = capsys.readouterr().out.splitlines()[-2:]
    assert line.startswith("quotes binance:BTC/USDT: 5 rows from 2024-08-08T00:00:00Z to 2024-08-08T00:00:00Z are gone")
    assert line.endswith(f"set aside as {victim}.damaged; it comes back with day0.csv, imported or downloaded again")
    assert total.endswith("1 files damaged")
    assert len(store.rows(BTC, HistoryKind.QUOTES, 0)) == 5
    assert run("data", "check", "--json", "--history", store.root) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_damaged_manifest_keeps_no_other_series_from_being_looked_at(
    store: HistoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    (store.root / HOURS.folder / MANIFEST_NAME).write_text("{")
    victim = segment_files(store, QUOTES)[0]
    victim.unlink()
    assert run("data", "check", "--set-aside", "--history", store.root) == 1
    assert MANIFEST_NAME in capsys.readouterr().err
    assert len(store.rows(BTC, HistoryKind.QUOTES, 0)) == 5
