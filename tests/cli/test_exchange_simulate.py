"""`workstation exchange simulate`: says where it is, serves, and ends with Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workstation.cli.exchange import app
from workstation.cli.exchange_simulation import history_source, model_source, run_exchanges, wires_of
from workstation.errors import ConfigError, HistoryMissing

ROOT = Path(__file__).resolve().parents[2]


def test_it_tells_each_venues_address_serves_it_and_ends_with_an_interrupt(home: Path) -> None:
    command = [sys.executable, "-m", "workstation", "exchange", "simulate", "--venues", "nova,vega", "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        urls = re.findall(r"^(nova|vega): (http://127\.0\.0\.1:\d+/\w+)", "".join(lines), re.MULTILINE)
        assert [name for name, _ in urls] == ["nova", "vega"]
        with urllib.request.urlopen(f"{urls[0][1]}/api.binance.com/api/v3/ping", timeout=10) as answer:
            assert answer.read() == b"{}"
        assert "alice-key" in "".join(lines)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


def test_help_needs_no_numba() -> None:
    shown = CliRunner().invoke(app, ["simulate", "--help"])
    assert shown.exit_code == 0 and "nova, orion, vega" in " ".join(shown.output.split())


@pytest.mark.parametrize("venues", ["nowhere", "nova,nowhere", "", ","])
def test_a_venue_that_is_not_known_is_refused_with_those_that_are(venues: str) -> None:
    with pytest.raises(ConfigError, match="expected some of nova, orion, vega"):
        model_source(venues, 1, None)


def test_a_venue_may_name_its_protocol() -> None:
    venues = "nova, orion:bybit ,vega: gate"
    assert wires_of(venues) == {"orion": "bybit", "vega": "gate"}
    assert [venue.venue for venue in model_source(venues, 1, None).model.venues] == ["nova", "orion", "vega"]


def test_a_protocol_that_is_not_known_is_refused_with_those_that_are(home: Path) -> None:
    known = "venue nova: wire 'kraken': expected one of binance, binanceusdm, bybit, gate"
    with pytest.raises(ConfigError, match=known):
        run_exchanges("nova:kraken", port=0, seed=1, speed=1.0, faults=None, quotes_per_second=None, history=None)


def test_history_is_named_by_venue_and_symbol(home: Path) -> None:
    with pytest.raises(ConfigError, match="expected VENUE:SYMBOL"):
        history_source("BTC/USDT")
    with pytest.raises(HistoryMissing, match="nova:BTC/USDT"):
        history_source("nova:BTC/USDT")
