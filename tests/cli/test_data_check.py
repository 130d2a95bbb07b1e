"""`workstation data check`: damaged files by name, and out of the way where that is asked for."""

import json
from pathlib import Path

import pytest

from tests.cli.histories import run
from tests.history.series import (
    BTC,
    DAY_START_NS,
    HOURS,
    QUOTES,
    a_source,
    a_table,
    bars_from,
    quotes_at,
    segment_files,
)
from workstation.history.layout import HistoryKind, Series
from workstation.history.manifest import MANIFEST_NAME
from workstation.history.pairs import pair_key
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey


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
    assert capsys.readouterr().out == f"2 series read in {store.root}: 0 files damaged, 0 missing\n"


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
    assert total.endswith("1 files damaged, 0 missing")
    assert len(store.rows(BTC, HistoryKind.QUOTES, 0)) == 5
    assert run("data", "check", "--json", "--history", store.root) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_damaged_manifest_keeps_no_other_series_from_being_looked_at(
    store: HistoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    (store.root / HOURS.folder / MANIFEST_NAME).write_text("{")
    victim = segment_files(store, QUOTES)[0]
    victim.write_bytes(b"")
    assert run("data", "check", "--set-aside", "--history", store.root) == 1
    assert MANIFEST_NAME in capsys.readouterr().err
    assert len(store.rows(BTC, HistoryKind.QUOTES, 0)) == 5


def test_a_missing_file_stays_in_its_series_until_it_is_to_be_forgotten(
    store: HistoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    victim = segment_files(store, QUOTES)[0]
    victim.unlink()
    assert run("data", "check", "--set-aside", "--history", store.root) == 1
    printed = capsys.readouterr()
    assert f"missing: {victim};" in printed.out and "0 files damaged, 1 missing" in printed.out
    assert "1 files are missing" in printed.err and "--forget-missing" in printed.err
    assert run("data", "check", "--forget-missing", "--history", store.root) == 0
    assert f"forgotten: {victim};" in capsys.readouterr().out
    assert len(store.rows(BTC, HistoryKind.QUOTES, 0)) == 5


@pytest.mark.parametrize(
    ("symbol", "command"), [("BTC/USDT", "BTC/USDT"), ("BTC/USDC", "BTC/USDT --symbol-b BTC/USDC")]
)
def test_what_was_found_between_two_venues_is_said_to_be_found_again(
    store: HistoryStore, capsys: pytest.CaptureFixture[str], symbol: str, command: str
) -> None:
    pair = Series(kind=HistoryKind.SPREADS, key=pair_key(BTC, InstrumentKey(Venue("okx"), Symbol(symbol))))
    store.write(pair, a_table(HistoryKind.SPREADS, ts_received=[DAY_START_NS]), a_source("spreads"))
    (victim,) = segment_files(store, pair)
    victim.write_bytes(b"")
    assert run("data", "check", "--set-aside", "--history", store.root) == 0
    assert f"; workstation data spreads binance okx {command} finds it again" in capsys.readouterr().out
