"""`workstation data download` at the simulated Binance: whole after any trouble, and nothing asked for twice."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.histories import refusal, run
from tests.simulator.client import a_source, clear_faults, control, running_exchanges
from workstation.history.backfill import ASKED_NAME
from workstation.history.layout import HistoryKind, Series
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.market import (
    Bars,
)
from workstation.simulator.server import ServerSettings, SimulatedExchanges

BTC = InstrumentKey(Venue("nova"), Symbol("BTC/USDT"))
MINUTES = Series(kind=HistoryKind.BARS, key=BTC, interval_ns=MINUTE_NS)
START_NS = 19_844 * DAY_NS
"""2024-05-01T00:00Z."""
END_NS = START_NS + 4 * DAY_NS
PATIENCE_S = 60.0
SPAN = ("--start", "2024-05-01", "--end", "2024-05-05")


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedExchanges]:
    with running_exchanges(a_source(), ServerSettings()) as exchanges:
        yield exchanges


@pytest.fixture
def exchanges(server: SimulatedExchanges, home: Path) -> Iterator[SimulatedExchanges]:
    """The server with no fault in force, as venue nova of the settings."""
    clear_faults(server)
    settings = f'[venues.nova]\nexchange = "binance"\nurl = "{server.url}/nova"\ntimeout_s = 5.0\n'
    (home / "workstation.toml").write_text(settings)
    yield server
    clear_faults(server)


def a_fault(exchanges: SimulatedExchanges, kind: str, **words: Any) -> None:
    control(exchanges, "faults", kind=kind, path="/api/v3/klines", **words)


def struck(exchanges: SimulatedExchanges) -> int:
    with urllib.request.urlopen(f"{exchanges.url}/_control/faults", timeout=5) as answer:
        return sum(one["struck"] for one in json.load(answer))


def truth(start_ns: int = START_NS, end_ns: int = END_NS) -> Bars:
    return a_source().minutes(BTC, start_ns, end_ns)


def assert_whole(store: HistoryStore, start_ns: int = START_NS, end_ns: int = END_NS) -> None:
    """Each bar that the venue has, once, with its values."""
    stored, expected = store.bars(BTC, MINUTE_NS), truth(start_ns, end_ns)
    assert sum(one.rows for one in store.datasets()) == len(expected) == (end_ns - start_ns) // MINUTE_NS
    assert stored.ts_open.tolist() == expected.ts_open.tolist()
    for name in ("open", "high", "low", "close"):
        assert getattr(stored, name).tolist() == getattr(expected, name).tolist()
    assert stored.volume.tolist() == pytest.approx(expected.volume.tolist())


def questions(printed: str) -> int:
    found = re.search(r"([0-9,]+) questions", printed)
    assert found is not None, printed
    return int(found[1].replace(",", ""))


def test_a_span_is_had_whole_once_and_a_longer_one_by_what_it_has_more(
    exchanges: SimulatedExchanges, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = HistoryStore(home / "history")
    assert run("data", "download", "nova", "BTC/USDT", *SPAN) == 0
    printed = capsys.readouterr().out
    assert "bars nova:BTC/USDT 1m: 5,760 rows stored, 0 were stored before; 6 questions" in printed
    assert "5,760 of 5,760 bars are there, 0 gaps, 0 bars missing" in printed
    assert_whole(store)
    assert str(store.instrument(BTC).tick_size) == str(a_source().listings()[0].instrument.tick_size)

    assert run("data", "download", "nova", "BTC/USDT", *SPAN) == 0
    assert "all of it was asked for before: nothing to do" in capsys.readouterr().out
    wider = ("--start", "2024-04-30T23:00", "--end", "2024-05-05T02:00")
    assert run("data", "download", "nova", "BTC/USDT", *wider) == 0
    printed = capsys.readouterr().out
    assert "180 rows stored, 0 were stored before; 2 questions" in printed
    assert_whole(store, START_NS - HOUR_NS, END_NS + 2 * HOUR_NS)

    assert run("data", "download", "nova", "BTC/USDT", *SPAN, "--again") == 0
    assert "0 rows stored, 5,760 were stored before" in capsys.readouterr().out


def test_other_lengths_and_several_symbols(
    exchanges: SimulatedExchanges, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("data", "download", "nova", "BTC/USDT", "ETH/USDT", *SPAN, "--interval", "4h") == 0
    printed = capsys.readouterr().out
    assert "bars nova:BTC/USDT 4h: 24 rows stored" in printed and "bars nova:ETH/USDT 4h: 24 rows stored" in printed
    assert [one.rows for one in HistoryStore(home / "history").datasets()] == [24, 24]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate_429", "seconds": 1.0},
        {"kind": "reset_before"},
        {"kind": "reset_after"},
        {"kind": "html_502"},
        {"kind": "busy_503"},
        {"kind": "malformed"},
        {"kind": "truncated"},
    ],
    ids=lambda fault: str(fault["kind"]),
)
def test_trouble_in_mid_span_leaves_no_hole_and_no_double(
    exchanges: SimulatedExchanges, home: Path, capsys: pytest.CaptureFixture[str], fault: dict[str, Any]
) -> None:
    a_fault(exchanges, skip=2, count=1, **fault)
    began_s = time.monotonic()
    assert run("data", "download", "nova", "BTC/USDT", *SPAN) == 0
    assert questions(capsys.readouterr().out) in (6, 7)  # a lost connection is repaired within a question
    assert struck(exchanges) == 1
    assert_whole(HistoryStore(home / "history"))
    if fault["kind"] == "rate_429":
        assert time.monotonic() - began_s >= fault["seconds"]


def test_killed_in_mid_span_it_goes_on_from_there(
    exchanges: SimulatedExchanges, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = HistoryStore(home / "history")
    a_fault(exchanges, "busy_503", skip=3)  # the fourth page never comes
    words = [sys.executable, "-m", "tests.cli.download_process", str(store.root), str(START_NS), str(END_NS)]
    process = subprocess.Popen(words, env=os.environ | {"PYTHONPATH": str(Path.cwd())}, stdout=subprocess.DEVNULL)
    asked = store.root / MINUTES.folder / ASKED_NAME
    end_s = time.monotonic() + PATIENCE_S
    while not (asked.exists() and json.loads(asked.read_bytes())["spans"][0][1] == START_NS + 3_000 * MINUTE_NS):
        assert process.poll() is None and time.monotonic() < end_s
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len(store.bars(BTC, MINUTE_NS)) == 3_000
    clear_faults(exchanges)
    assert run("data", "download", "nova", "BTC/USDT", *SPAN) == 0
    printed = capsys.readouterr().out
    assert "2,760 rows stored, 0 were stored before; 3 questions" in printed
    assert_whole(store)


def test_ctrl_c_stores_what_came_and_says_so(exchanges: SimulatedExchanges, home: Path) -> None:
    a_fault(exchanges, "busy_503", skip=3)
    words = [sys.executable, "-m", "workstation", "data", "download", "nova", "BTC/USDT", *SPAN]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    end_s = time.monotonic() + PATIENCE_S
    while not struck(exchanges):
        assert process.poll() is None and time.monotonic() < end_s
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "stopped: what came is stored; the same command goes on from there" in said
    assert "Traceback" not in said
    assert len(HistoryStore(home / "history").bars(BTC, MINUTE_NS)) == 3_000


def test_the_open_bar_is_left_to_the_next_run(
    exchanges: SimulatedExchanges, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now_ns = time.time_ns()
    start = str((now_ns - 3 * HOUR_NS) // (24 * HOUR_NS) * 24)  # hours since 1970, of the day's beginning
    day = time.strftime("%Y-%m-%d", time.gmtime(int(start) * 3600))
    assert run("data", "download", "nova", "BTC/USDT", "--start", day, "--interval", "1h") == 0
    capsys.readouterr()
    bars = HistoryStore(home / "history").bars(BTC, HOUR_NS)
    assert bars.ts_open[-1] + HOUR_NS <= time.time_ns()
    assert bars.ts_open[-1] + HOUR_NS >= now_ns - 5 * 10**9 - HOUR_NS


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nova", "BTC/USDC", *SPAN), "nova:BTC/USDC: not on binance; did you mean BTC/USDT"),
        (("nova", "BTC/USDT", *SPAN, "--interval", "5s"), "no bars of 5s; it has 1s, 1m"),
        (("nova", "BTC/USDT", *SPAN, "--interval", "7m"), "interval '7m': expected one of"),
        (("nova", "BTC/USDT", "--start", "2024-05-05", "--end", "2024-05-01"), "expected a start before the end"),
        (("nova", "BTC/USDT", "--start", "2024-05-05", "--end", "2024-05-05"), "expected a start before the end"),
        (("nova", "BTC/USDT", "--start", "2200-05-05"), "begins after now"),
        (("nova", "BTC/USDT", "--start", "yesterday"), "time 'yesterday': expected a date"),
        (("nova", "BTC/USDT", *SPAN, "--kind", "trades", "--interval", "1m"), "--kind trades has no interval"),
        (("nova", "BTC/USDT", *SPAN, "--kind", "funding"), "BTC/USDT has no funding rates: expected a perpetual"),
        (("orion", "BTC/USDT", *SPAN), "venue 'orion': not in the settings (there: nova)"),
        (("nova", "BTC USDT", *SPAN), "BTC USDT"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_asked(
    exchanges: SimulatedExchanges, home: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    assert message in refusal(capsys, "data", "download", *words)
    assert HistoryStore(home / "history").datasets() == []


def test_quotes_and_funding_are_not_on_offer(exchanges: SimulatedExchanges, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data", "download", "nova", "BTC/USDT", *SPAN, "--kind", "quotes") == 2
    assert "bars" in capsys.readouterr().err
