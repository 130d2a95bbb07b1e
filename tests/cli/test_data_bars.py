"""`workstation data bars`: bars of what is stored, kept beside it; the last one only when it has ended."""

from pathlib import Path

import pytest

from tests.cli.histories import refusal, run
from tests.history.series import BTC, DAY_START_NS, HOURS, QUOTES, TRADES, a_source, a_table, an_instrument, bars_from
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.durations import HOUR_NS, MINUTE_NS
from workstation.model.ids import Venue
from workstation.model.instrument import InstrumentKey

NAMES = ("--venue", "binance", "--symbol", "BTC/USDT")


@pytest.fixture
def store(home: Path) -> HistoryStore:
    store = HistoryStore(home / "history")
    times = [DAY_START_NS, DAY_START_NS + MINUTE_NS // 2, DAY_START_NS + 3 * MINUTE_NS + 1]
    columns = {"price": [100.0, 101.0, 99.0], "quantity": [1.0, 2.0, 4.0], "seller_takes": [True, False, True]}
    store.write(TRADES, a_table(HistoryKind.TRADES, ts_event=times, **columns), a_source())
    sides = {"bid": [100.0, 102.0], "ask": [101.0, 103.0], "bid_quantity": [1.0, 1.0], "ask_quantity": [1.0, 1.0]}
    quotes = [DAY_START_NS, DAY_START_NS + MINUTE_NS]
    store.write(QUOTES, a_table(HistoryKind.QUOTES, ts_received=quotes, **sides), a_source("quotes"))
    store.put_instrument(an_instrument())
    return store


def test_bars_of_trades_are_kept_as_the_venue_s(store: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data", "bars", *NAMES, "--interval", "1m", "--history", store.root) == 0
    printed = capsys.readouterr().out
    assert (
        "4 bars of 1m out of trades binance:BTC/USDT, 2024-08-08T00:00:00Z to 2024-08-08T00:03:00Z, 2 of them"
        in printed
    )
    assert "the last one has not ended at 2024-08-08T00:03:00Z: it is not kept" in printed
    assert "stored: 3 bars as bars binance:BTC/USDT 1m; 0 were stored before" in printed
    bars = store.bars(BTC, MINUTE_NS)
    assert (bars.close.tolist(), bars.volume.tolist()) == ([101.0, 101.0, 101.0], [3.0, 0.0, 0.0])
    assert run("data", "bars", *NAMES, "--interval", "1m", "--empty", "left-out", "--history", store.root) == 0
    assert "stored: 0 bars as bars binance:BTC/USDT 1m; 1 were stored before" in capsys.readouterr().out


def test_bars_of_quotes_get_a_venue_beside_it_with_the_rules(
    store: HistoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--interval", "1m", "--source", "quotes", "--price", "bid")
    assert run("data", "bars", *NAMES, *words, "--history", store.root) == 0
    assert "stored: 1 bars as bars binance-bid:BTC/USDT 1m" in capsys.readouterr().out
    beside = InstrumentKey(Venue("binance-bid"), BTC.symbol)
    assert store.bars(beside, MINUTE_NS).close.tolist() == [100.0]
    assert store.instrument(beside).tick_size == store.instrument(BTC).tick_size


def test_longer_bars_by_the_fx_calendar(store: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    store.write(HOURS, bars_from(DAY_START_NS, 60), a_source("hours"))  # Thursday midnight to Saturday noon
    words = ("--interval", "1d", "--source", "1h", "--calendar", "fx", "--into", "mine")
    assert run("data", "bars", *NAMES, *words, "--history", store.root) == 0
    assert "15 rows lie outside of the span or of the hours of fx" in capsys.readouterr().out
    bars = store.bars(InstrumentKey(Venue("mine"), BTC.symbol), 24 * HOUR_NS)
    assert [(at - DAY_START_NS) // HOUR_NS for at in bars.ts_open.tolist()] == [-3, 21]


def test_a_dry_run_prints_the_first_and_keeps_nothing(store: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data", "bars", *NAMES, "--interval", "1m", "--dry-run", "--history", store.root) == 0
    printed = capsys.readouterr().out
    assert "2024-08-08T00:00:00Z  100  101  100  101  3\n" in printed and "nothing was stored" in printed
    assert len(store.datasets()) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--interval", "7m"), "interval '7m': expected one of"),
        (("--interval", "1m", "--source", "books"), "source 'books': expected trades, quotes or a bar's length"),
        (("--interval", "4h", "--source", "1h"), "bars binance:BTC/USDT 1h: not stored"),
        (("--interval", "1m", "--from", "2024-08-09", "--to", "2024-08-08"), "expected a start before the end"),
        (("--interval", "1m", "--from", "2025-08-09"), "nothing in"),
        (("--interval", "1m", "--into", "../x"), "venue '../x': expected"),
    ],
)
def test_what_cannot_be_made_is_refused(
    store: HistoryStore, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    assert message in refusal(capsys, "data", "bars", *NAMES, *words, "--history", store.root)
