"""Perpetuals of Binance's USD-M futures by the commands: an engine that watches and records them, and the past."""

import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import workstation as ws
from tests.cli.histories import run
from tests.cli.services import lines_until, process_of
from tests.simulator.client import clear_faults, control, running_exchanges
from workstation.cli.exchange_simulation import model_source
from workstation.client.access import read_token
from workstation.client.client import Client
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.simulator.funding import CYCLE_NS, MOST_RATE
from workstation.simulator.server import ServerSettings, SimulatedExchanges

PERPETUAL = "BTC/USDT:USDT"
KEY = InstrumentKey(Venue("usdm"), Symbol(PERPETUAL))
BIDS = [[str(40_000 - number), "2"] for number in range(5)]
ASKS = [[str(40_001 + number), "3"] for number in range(5)]


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedExchanges]:
    wires = {"nova": "binanceusdm"}
    with running_exchanges(model_source("nova:binanceusdm", 1, None), ServerSettings(wires=wires)) as exchanges:
        yield exchanges


@pytest.fixture
def venue(server: SimulatedExchanges, home: Path) -> Iterator[SimulatedExchanges]:
    """Venue usdm of the settings is the simulated one; books are wanted to five levels."""
    clear_faults(server)
    (home / "workstation.toml").write_text(
        f'[engine]\nsymbols = ["{PERPETUAL}"]\nbook_levels = 5\n'
        f'[venues.usdm]\nexchange = "binanceusdm"\nurl = "{server.url}/nova"\n'
    )
    yield server
    clear_faults(server)
    control(server, "book", venue="nova", market="BTCUSDT")


def wait_until(holds: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Returns when it holds, asked again and again."""
    until = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_the_simulation_lists_perpetuals_alone(home: Path) -> None:
    with process_of(home, ["exchange", "simulate", "--venues", "vega:binanceusdm", "--port", "0"]) as process:
        told = lines_until(process, "Ctrl-C ends it")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert "  Binance USD-M futures protocol, BTCUSDT, ETHUSDT, SOLUSDT\n" in told


def test_it_is_checked_line_by_line(venue: SimulatedExchanges, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("exchange", "check", "usdm", "--symbol", PERPETUAL) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "3 to trade" in lines[0] and any(line.startswith(f"quote {PERPETUAL}") for line in lines)


@pytest.mark.slow
def test_an_engine_shows_and_records_marks_funding_and_books(venue: SimulatedExchanges, home: Path) -> None:
    with process_of(home, ["engine", "--port", "0"]) as process:
        told = lines_until(process, "Ctrl-C ends it")
        address = re.search(r"^API +(http://\S+)$", told, re.MULTILINE)
        assert address is not None, told
        with Client(address[1], read_token(home), by="test") as client:
            wait_until(lambda: any(one.mark_price and one.funding_rate and one.bid for one in client.quotes()))
            control(venue, "book", venue="nova", market="BTCUSDT", bids=BIDS, asks=ASKS)
            placed = [tuple((float(price), float(size)) for price, size in side) for side in (BIDS, ASKS)]

            def is_placed() -> bool:
                book = client.book("usdm", PERPETUAL)
                return [book.bids, book.asks] == placed

            wait_until(is_placed)
            wait_until(lambda: client.quotes()[0].mark_price == 40_000.5)
            (quote,) = client.quotes()
            assert (quote.bid, quote.ask) == (40_000.0, 40_001.0)
            assert quote.funding_rate is not None and abs(quote.funding_rate) <= MOST_RATE
            assert quote.funding_due is not None and quote.funding_due % CYCLE_NS == 0
            assert 0 < quote.funding_due - time.time_ns() <= CYCLE_NS
            # a message of the book is left out, and what comes behind it is not put on what was before
            control(venue, "faults", kind="sequence_gap", stream="btcusdt@depth@100ms", count=1)
            control(venue, "book", venue="nova", market="BTCUSDT", bids=BIDS[1:], asks=ASKS[1:])
            wait_until(lambda: venue.menu.listed()[0]["struck"] == 1)
            assert client.book("usdm", PERPETUAL).bids == placed[0]
            control(venue, "book", venue="nova", market="BTCUSDT", bids=BIDS[2:], asks=ASKS[2:])
            wait_until(lambda: client.book("usdm", PERPETUAL).bids == placed[0][2:])
            assert client.book("usdm", PERPETUAL).asks == placed[1][2:]
            (feed,) = client.health().feeds
            assert (feed.state, feed.rejected, feed.reconnects) == ("live", 1, 0)  # the gap, told once
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (0, False)
    funding = ws.history("usdm", PERPETUAL, "funding", history=home / "history")
    assert len(funding) >= 1 and (funding["rate"].abs() <= MOST_RATE).all()
    store = HistoryStore(home / "history")
    marks = store.rows(KEY, HistoryKind.MARKS, 0)
    assert 40_000.5 in marks["x0"] and (marks["x1"] > 0).all()
    books = ws.history("usdm", PERPETUAL, "books", history=home / "history")
    assert len(books) > 3


@pytest.mark.slow
def test_books_are_recorded_without_an_engine(venue: SimulatedExchanges, home: Path) -> None:
    command = ("data", "record", "--symbols", PERPETUAL, "--books", "5", "--intervals", "1m", "--for", "6s")
    with process_of(home, command) as process:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert re.search(r"recorded \d+ rows, 0 lost", out)
    books = ws.history("usdm", PERPETUAL, "books", history=home / "history")
    assert len(books) > 3
    assert len(ws.history("usdm", PERPETUAL, "marks", history=home / "history")) > 0


def test_past_funding_bars_and_trades_are_downloaded(
    venue: SimulatedExchanges, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop_ns = time.time_ns() // CYCLE_NS * CYCLE_NS
    day = np.datetime64(stop_ns - 3 * 24 * 3600 * 10**9, "ns").astype("datetime64[D]")
    span = ("--start", str(day), "--end", str(day + np.timedelta64(1, "D")))
    control(venue, "faults", kind="rate_429", path="/fapi/*", count=1, seconds=1)
    assert run("data", "download", "usdm", PERPETUAL, "--kind", "funding", *span) == 0
    funding = ws.history("usdm", PERPETUAL, "funding", history=home / "history")
    assert len(funding) == 3
    assert run("data", "download", "usdm", PERPETUAL, "--interval", "1h", *span) == 0
    bars = ws.history("usdm", PERPETUAL, "bars", interval="1h", history=home / "history")
    assert len(bars) == 24
