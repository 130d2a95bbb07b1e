"""`import workstation as ws`: plain words give what the room's own API gives."""

import re
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workstation as ws
from tests.cli.histories import BTC, SPOT, START_NS, store_bars, store_quotes, store_spot_bars
from tests.history.live import a_registry, live_rows
from tests.history.series import BTC as BTC_KEY
from workstation.errors import BadInput, HistoryMissing, WorkstationError
from workstation.history.log_file import LogFile
from workstation.history.store import HistoryStore
from workstation.ledger.journal import read_runs
from workstation.model.durations import HOUR_NS
from workstation.research.choices import When, time_ns
from workstation.strategies.ma_cross import MACross
from workstation.trading.limits import NO_LIMITS


@pytest.fixture
def history(home: Path) -> HistoryStore:
    """Bars and quotes in the home's own history."""
    store = HistoryStore(home / "history")
    store_bars(store)
    store_quotes(store)
    return store


@pytest.mark.usefixtures("history")
def test_bars_are_those_of_the_span(home: Path) -> None:
    bars = ws.load_bars("nova", BTC, "1h", start="2024-05-02", end=datetime(2024, 5, 3, tzinfo=UTC))
    assert len(bars) == 24
    assert bars.ts_open[0] == START_NS + 24 * HOUR_NS
    named = ws.load_bars("nova", BTC, "1h", start=START_NS + 24 * HOUR_NS, history=home / "history")
    assert np.array_equal(named.close[:24], bars.close)


@pytest.mark.usefixtures("history")
def test_history_is_a_table_by_time_whatever_was_imported_before() -> None:
    assert ws.history.__name__ == HistoryStore.__module__.rpartition(".")[0]  # the room, which can be called
    quotes = ws.history("nova", BTC)
    assert (quotes.index.name, str(quotes.index.tz)) == ("ts_received", "UTC")
    assert quotes.index.is_monotonic_increasing and (quotes.bid < quotes.ask).all()
    assert quotes.ts_event.isna().all()  # these were stored without the venue's time
    hours = ws.history("nova", BTC, "bars", interval="1h", start="2024-05-02", end="2024-05-03")
    assert list(hours.columns) == ["open", "high", "low", "close", "volume"]
    assert (hours.index[0].isoformat(), len(hours)) == ("2024-05-02T00:00:00+00:00", 24)


@pytest.mark.usefixtures("history")
def test_history_of_what_is_recorded_now_ends_with_the_last_row_written(home: Path) -> None:
    rows = live_rows(300)
    log = LogFile(home / "history" / "live", 1, {0: a_registry().snapshot(BTC_KEY)}, [])
    log.append(rows[rows["instrument"] == 0])  # not synced, and nothing rolled
    for kind, number in (("quotes", 1), ("trades", 2)):
        told = rows[(rows["instrument"] == 0) & (rows["kind"] == number)]
        frame = ws.history(BTC_KEY.venue, BTC_KEY.symbol, kind)
        assert (len(frame), frame.index[-1].value) == (len(told), told["ts_received"][-1])
    log.close()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"kind": "candles"}, "kind 'candles': expected bars, quotes, trades, books, marks, funding"),
        ({"kind": "bars"}, "interval: not given; expected the length of the bars"),
        ({"kind": "quotes", "interval": "1m"}, "interval '1m': quotes have none"),
    ],
)
@pytest.mark.usefixtures("history")
def test_a_kind_and_its_interval_belong_together(words: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadInput, match=re.escape(sentence)):
        ws.history("nova", BTC, **words)


@pytest.mark.usefixtures("history")
def test_trades_that_nobody_stored_are_named() -> None:
    with pytest.raises(HistoryMissing, match="trades nova:BTC/USDT:USDT: not stored"):
        ws.history("nova", BTC, "trades")


@pytest.mark.usefixtures("history")
def test_a_named_strategy_and_a_made_one_trade_the_same() -> None:
    named = ws.backtest("ma-cross", venue="nova", symbol=BTC, interval="1h", fast=3, slow=8)
    made = ws.backtest(ws.strategy("ma-cross", fast=3, slow=8), venue="nova", symbol=BTC, interval="1h")
    assert named.to_dict() == made.to_dict()
    assert len(named.trades) > 10
    assert named.parameters["fast"] == 3


@pytest.mark.usefixtures("history")
def test_a_replay_gives_what_the_back_test_gives() -> None:
    words = {"venue": "nova", "symbol": BTC, "interval": "1h", "sizing": "equity-fraction=0.95", "fast": 3, "slow": 8}
    fast, walk = ws.backtest("ma-cross", **words), ws.replay("ma-cross", limits=NO_LIMITS, **words)
    assert walk.metrics["final_equity_quote"] == pytest.approx(fast.metrics["final_equity_quote"], abs=0.01)


@pytest.mark.usefixtures("history")
def test_a_replay_with_a_ledger_can_be_verified(home: Path) -> None:
    words = {"min_points": 50, "window_minutes": 5.0, "entry_z": 4.0}
    result = ws.replay(
        "spread-reversion", venue=["nova", "orion"], symbol=BTC, ledger=home / "ledger.db", start="2024-05-01", **words
    )
    assert len(result.trades) >= 1
    assert [run.run_id for run in read_runs(home / "ledger.db")] == ["spread-reversion-1.1"]
    assert ws.verify("spread-reversion-1.1").decisions > 0
    assert ws.verify("spread-reversion-1.1", ledger=home / "ledger.db", history=home / "history").is_same_code


@pytest.mark.usefixtures("history")
def test_a_replay_without_a_ledger_writes_nothing(home: Path) -> None:
    before = sorted(home.iterdir())
    ws.replay("ma-cross", venue="nova", symbol=BTC, interval="1h")
    assert sorted(home.iterdir()) == before


@pytest.mark.usefixtures("history")
def test_what_is_no_ledger_is_named_with_what_was_expected(home: Path) -> None:
    other = home / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    (home / "notes.txt").write_text("dear diary, " * 100)
    (home / "empty.db").touch()
    for path, found in (
        (home, "is a folder"),
        (home / "notes.txt", "not readable as a ledger: file is not a database"),
        (home / "empty.db", "an empty file"),
        (home / "nowhere.db", "no such file"),
        (other, r"a database, but not a ledger \(tables notes\)"),
    ):
        with pytest.raises(WorkstationError, match=f"ledger {path}: {found}: expected the file that .*lists its runs"):
            ws.verify("ma-cross-1.1", ledger=path)


@pytest.mark.usefixtures("history")
def test_wrong_words_are_refused() -> None:
    words = {"venue": "nova", "symbol": BTC, "interval": "1h"}
    with pytest.raises(BadInput, match="fill at 'never': expected one of next-open, this-close"):
        ws.backtest("ma-cross", fill_at="never", **words)
    with pytest.raises(BadInput, match="ma-cross: made already, so fast cannot be set here"):
        ws.backtest(ws.strategy("ma-cross"), fast=3, **words)
    with pytest.raises(BadInput, match="trades on quotes"):
        ws.backtest("spread-reversion", **words)
    with pytest.raises(HistoryMissing, match="bars vega"):
        ws.load_bars("vega", BTC, "1h")


class OwnCross(MACross):
    """Buys where the stock strategy of the same name sells."""


@pytest.mark.usefixtures("history")
def test_a_journaled_replay_refuses_a_strategy_that_its_name_does_not_lead_back_to(home: Path) -> None:
    words = {"venue": "nova", "symbol": BTC, "interval": "1h"}
    with pytest.raises(BadInput, match=r"strategy OwnCross \(ma-cross\): not what 'ma-cross' names.*new-strategy"):
        ws.replay(OwnCross(fast=3, slow=8), ledger=home / "ledger.db", **words)
    assert not (home / "ledger.db").exists()
    tested = ws.backtest(OwnCross(fast=3, slow=8), sizing="fixed-notional=500", **words)
    walked = ws.replay(OwnCross(fast=3, slow=8), **words)  # kept nowhere, so nobody has to find it again
    assert len(tested.trades) == len(walked.trades) > 10
    assert walked.manifest.strategy_hash is None


def test_short_entries_on_spot_are_refused_with_the_way_out(history: HistoryStore) -> None:
    store_spot_bars(history)
    words = {"venue": "nova", "symbol": SPOT, "interval": "1h", "fast": 3, "slow": 8}
    for trade in (ws.backtest, ws.replay):
        with pytest.raises(BadInput, match=r"enters short.*side=long .*import the symbol as BTC/USDT:USDT"):
            trade("ma-cross", **words)
        assert len(trade("ma-cross", side="long", **words).trades) > 5


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ({"symbol": 5}, "symbol 5: expected text, not int"),
        ({"venue": 5}, "venue 5: expected text, not int"),
        ({"interval": 60}, "interval 60: expected text, not int"),
        ({"strategy": MACross}, "strategy <class .*: expected a name such as 'ma-cross'"),
        ({"start": 1_714_521_600}, "time 1714521600: nanoseconds expected"),
        ({"start": 1_714_521_600_000_000}, "time 1714521600000000: nanoseconds expected"),
        ({"start": 1.5}, "time 1.5: expected a date such as"),
        ({"end": np.datetime64("NaT")}, "time .*NaT.*: expected a date such as"),
        ({"sizing": 0.95}, "sizing 0.95: expected text, not float"),
        ({"leverage": "3"}, "leverage '3': expected a number, not str"),
        ({"slippage_bps": "2"}, "slippage_bps '2': expected a number, not str"),
        ({"balance": "much"}, "balance 'much': expected a number, not str"),
        ({"history": 5}, "history 5: expected a path"),
    ],
)
@pytest.mark.usefixtures("history")
def test_an_argument_of_a_wrong_type_is_named(argument: dict[str, Any], sentence: str) -> None:
    words = {"strategy": "ma-cross", "venue": "nova", "symbol": BTC, "interval": "1h"}
    for trade in (ws.backtest, ws.replay):
        with pytest.raises(BadInput, match=sentence):
            trade(**words | argument)


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ({"limits": 1000}, "limits 1000: expected Limits"),
        ({"latency_ms": 1.5}, "latency_ms 1.5: expected a whole number from 0"),
        ({"session": 5}, "session 5: expected text, not int"),
        ({"ledger": ""}, "ledger '': expected a path"),
        ({"ledger": "."}, r"ledger \.: is a folder: expected the file"),
    ],
)
@pytest.mark.usefixtures("history")
def test_an_argument_of_a_replay_of_a_wrong_type_is_named(argument: dict[str, Any], sentence: str) -> None:
    words = {"strategy": "spread-reversion", "venue": ["nova", "orion"], "symbol": BTC}
    with pytest.raises(BadInput, match=sentence):
        ws.replay(**words | argument)


def test_a_history_that_is_not_there_is_named(home: Path) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        ws.open_history(home / "nowhere")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2024-05-01", START_NS),
        ("2024-05-01T02:00+02:00", START_NS),
        ("2024-05-01T00:00:00.000001Z", START_NS + 1_000),
        (datetime(2024, 5, 1), START_NS),
        (START_NS, START_NS),
        (date(2024, 5, 1), START_NS),
        (np.datetime64("2024-05-01"), START_NS),
        (np.datetime64(START_NS + 1, "ns"), START_NS + 1),
        (np.int64(START_NS), START_NS),
    ],
)
def test_times_without_a_zone_are_utc(when: When, expected: int) -> None:
    assert time_ns(when) == expected


def test_import_takes_less_than_a_tenth_of_a_second() -> None:
    code = "import time; start = time.process_time(); import workstation; print(time.process_time() - start)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.1
