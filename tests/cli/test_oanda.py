"""Venues of OANDA's by their commands: listed, checked, examined, downloaded from, and watched beside ccxt's."""

import json
import re
import signal
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.histories import refusal, run
from tests.cli.services import lines_until, process_of
from tests.simulator.client import clear_faults, control, running_exchanges
from tests.simulator.oanda import ACCOUNTS, account_id
from workstation.cli.exchange_simulation import model_source
from workstation.client.access import read_token
from workstation.client.client import Client
from workstation.client.declaration import SessionDeclaration
from workstation.client.ticket import OrderTicket
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.durations import HOUR_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey, InstrumentKind
from workstation.simulator.server import ServerSettings, SimulatedExchanges

TOKEN = "WORKSTATION_VENUES__FX__TOKEN"
EURO = InstrumentKey(Venue("fx"), Symbol("EUR/USD"))
FAR_NS = 2_000_000_000_000_000_000


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedExchanges]:
    wanted = ServerSettings(accounts=ACCOUNTS, wires={"vega": "oanda"})
    with running_exchanges(model_source("nova,vega:oanda", 1, None), wanted) as exchanges:
        yield exchanges


@pytest.fixture
def venues(server: SimulatedExchanges, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedExchanges]:
    """Venue fx of the settings is the simulated OANDA, nova the simulated Binance; the token is set."""
    clear_faults(server)
    (home / "workstation.toml").write_text(settings_of(server))
    monkeypatch.setenv(TOKEN, "alice-secret")
    yield server
    clear_faults(server)


def settings_of(exchanges: SimulatedExchanges) -> str:
    return (
        '[engine]\nsymbols = ["BTC/USDT", "EUR/USD"]\n'
        f'[venues.nova]\nexchange = "binance"\nurl = "{exchanges.url}/nova"\n'
        f'[venues.fx]\nexchange = "oanda"\nurl = "{exchanges.url}/vega"\naccount = "{account_id("alice")}"\n'
    )


def test_it_is_listed_with_what_it_lacks(venues: SimulatedExchanges, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("exchange", "list") == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if " oanda " in line]
    assert [line.split()[0] for line in lines] == ["fx", "-"]
    assert all("needs an account and its token; no public trades" in line for line in lines)


def test_a_check_says_line_by_line_that_it_works(
    venues: SimulatedExchanges, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("exchange", "check", "fx") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["markets", "rest", "clock", "quote"]
    assert "3 to trade" in lines[0] and lines[3].startswith("quote EUR/USD     ok      1.")


def test_a_doctor_asks_it_too(venues: SimulatedExchanges, capsys: pytest.CaptureFixture[str]) -> None:
    run("doctor", "--venues", "--json")
    found = [one for one in json.loads(capsys.readouterr().out) if one["subject"] == "fx"]
    assert [one["verdict"] for one in found] == ["ok"] * 4
    assert "quote EUR/USD" in found[3]["found"]


def test_a_token_that_is_refused_says_what_to_mend_and_is_not_shown(
    venues: SimulatedExchanges, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(TOKEN, "canary-51aa")
    assert run("exchange", "check", "fx") == 1
    printed = capsys.readouterr()
    assert "markets           FAILED  fx (oanda) /instruments: HTTP 401: Insufficient authorization" in printed.out
    assert "canary" not in printed.out + printed.err
    assert run("config", "show") == 0
    assert "canary" not in capsys.readouterr().out


def test_without_a_token_every_command_says_which_variable_to_set(
    venues: SimulatedExchanges, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(TOKEN)
    for command in (("exchange", "check", "fx"), ("config", "check"), ("engine",)):
        assert f"venue fx: token is missing: set {TOKEN} in the environment" in refusal(capsys, *command)
    run("doctor", "--venues", "--json")
    (found,) = [one for one in json.loads(capsys.readouterr().out) if one["subject"] == "fx"]
    assert found["verdict"] == "fail" and "token is missing" in found["found"]


def test_past_bars_are_downloaded_whole_whatever_goes_wrong_and_asked_for_once(
    venues: SimulatedExchanges, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = ("fx", "EUR/USD", "--start", "2024-05-01", "--end", "2024-07-01", "--interval", "1h")
    for kind in ("busy_503", "truncated", "malformed", "reset_after", "html_502"):
        control(venues, "faults", kind=kind, path="*/candles", count=1)
    control(venues, "faults", kind="rate_429", path="*/candles", count=1, seconds=1)
    assert run("data", "download", *wanted) == 0
    assert "1,464 rows stored" in capsys.readouterr().out
    store = HistoryStore(home / "history")
    bars = store.bars(EURO, HOUR_NS, 0, FAR_NS)
    assert len(bars) == 1_464 and set((bars.ts_open[1:] - bars.ts_open[:-1]).tolist()) == {HOUR_NS}
    assert store.instrument(EURO).kind is InstrumentKind.LINEAR
    assert run("data", "download", *wanted) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_past_trades_and_other_lengths_are_refused(
    venues: SimulatedExchanges, capsys: pytest.CaptureFixture[str]
) -> None:
    span = ("--start", "2024-05-01", "--end", "2024-05-02")
    for words, why in (
        (("EUR/USD", "--kind", "trades"), "it tells of no public trades"),
        (("EUR/USD", "--interval", "3m"), "no bars of 3m; it has 5s, 15s"),
        (("EUR/USX",), "fx:EUR/USX: not on oanda; did you mean EUR/USD"),
    ):
        assert why in refusal(capsys, "data", "download", "fx", *words, *span)


def test_the_simulation_says_which_settings_reach_it(home: Path) -> None:
    with process_of(home, ["exchange", "simulate", "--venues", "vega:oanda", "--port", "0", "--fx-week"]) as process:
        told = lines_until(process, "Ctrl-C ends it")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert "OANDA v20 protocol, EUR_USD, GBP_USD, USD_JPY" in told
    assert "WORKSTATION_VENUES__VEGA__TOKEN set:\n    [venues.vega]\n" in told
    assert '    account = "101-001-0000001-001"  # of alice, whose token is alice-secret\n' in told


@pytest.mark.slow
def test_an_engine_watches_oanda_and_a_venue_of_ccxts_side_by_side_and_sells_currencies_short_on_paper(
    venues: SimulatedExchanges, home: Path
) -> None:
    with process_of(home, ["engine", "--port", "0"], **{TOKEN: "alice-secret"}) as process:
        told = lines_until(process, "Ctrl-C ends it")
        address = re.search(r"^API +(http://\S+)$", told, re.MULTILINE)
        assert address is not None, told
        with Client(address[1], read_token(home), by="test") as client:
            wait_until(lambda: {feed.venue: feed.state for feed in client.health().feeds} == LIVE)
            wait_until(lambda: {(one.venue, one.symbol) for one in client.quotes() if one.bid} == WATCHED)
            torn = {feed.venue: feed.reconnects for feed in client.health().feeds}
            control(venues, "kick", venue="vega")
            wait_until(lambda: {feed.venue: feed.reconnects for feed in client.health().feeds} != torn)
            wait_until(lambda: {feed.venue: feed.state for feed in client.health().feeds} == LIVE)
            (rules,) = [one for one in client.instruments() if one.venue == "fx"]
            assert (rules.symbol, rules.kind) == ("EUR/USD", "linear")
            client.start_session(SessionDeclaration.model_validate(BY_HAND))
            ticket = {"session": "fx-desk", "venue": "fx", "symbol": "EUR/USD", "side": "sell", "quantity": "500"}
            client.place_order(OrderTicket.model_validate(ticket))
            wait_until(lambda: [one.quantity for one in client.positions()] == [Decimal(-500)])
            wait_until(lambda: len(HistoryStore(home / "history").rows(EURO, HistoryKind.QUOTES, 0)) > 3)
            feeds = {feed.venue: feed for feed in client.health().feeds}
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in err
    assert (feeds["fx"].rejected, feeds["fx"].reconnects, feeds["nova"].reconnects) == (0, 1, 0)
    assert "alice-secret" not in told + out + err
    assert len(HistoryStore(home / "history").rows(EURO, HistoryKind.QUOTES, 0)) > 3


BY_HAND = {
    "session": "fx-desk",
    "strategy": "by-hand",
    "parameters": {},
    "venues": ["fx"],
    "symbol": "EUR/USD",
    "balance": "10000",
}
LIVE = {"nova": "live", "fx": "live"}
WATCHED = {("nova", "BTC/USDT"), ("fx", "EUR/USD")}


def wait_until(holds: object, timeout_s: float = 60.0) -> None:
    """Returns when it holds, asked again and again."""
    assert callable(holds)
    until = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)
