"""`workstation data record`: rows of simulated venues in the history, no engine; each wish refused in a sentence."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cli.histories import refusal
from tests.cli.services import lines_until, process_of
from workstation.config.lengths import seconds_of
from workstation.errors import BadInput
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey

BTC = InstrumentKey(Venue("nova"), Symbol("BTC/USDT"))


@pytest.fixture
def venues(home: Path) -> Iterator[None]:
    """Two simulated venues that the settings name."""
    with process_of(home, ["exchange", "simulate", "--venues", "nova,vega", "--port", "0"]) as process:
        urls = dict(re.findall(r"^(\w+): (http\S+)", lines_until(process, "Ctrl-C"), re.MULTILINE))
        tables = (f'[venues.{name}]\nexchange = "binance"\nurl = "{url}"\n' for name, url in urls.items())
        (home / "workstation.toml").write_text("".join(tables))
        yield


@pytest.mark.slow
def test_two_recordings_are_one_history_whose_numbers_go_on(home: Path, venues: None) -> None:
    command = ("data", "record", "--symbols", "BTC/USDT", "--intervals", "1m")
    with process_of(home, [*command, "--for", "10s"]) as process:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert re.search(
        r"recording BTC/USDT of nova, vega into .*\nrecorded \d+ rows, 0 lost; collection collection-1: ended\n", out
    )
    with process_of(home, [*command, "--venues", "nova"]) as process:
        assert process.stderr is not None
        assert "nova live" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, "Traceback" in err) == (0, False)
    store = HistoryStore(home / "history")
    rows = store.rows(BTC, HistoryKind.QUOTES, 0, as_recorded=True)
    assert len(rows) > 20
    assert (np.diff(rows["sequence"]) > 0).all() and (np.diff(rows["ts_received"]) >= 0).all()
    assert store.recording().gap_count == 1  # the time between the two
    said = re.findall(r"recorded (\d+) rows", out)
    assert store.recording().rows > int(said[0]) > 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--for", "soon"), "--for 'soon': expected a length of time such as 90s, 10m, 2h or 1d\n"),
        (("--venues", "nowhere"), "venue 'nowhere': not in the settings (there: nova)"),
        ((), "symbols: none; name some by --symbols BTC/USDT,ETH/USDT or the setting engine.symbols\n"),
        (("--symbols", "BTC"), "symbol 'BTC': expected BASE/QUOTE"),
        (("--symbols", "BTC/USDT", "--intervals", "7m"), "interval '7m': expected one of 1s, "),
    ],
)
def test_what_cannot_be_recorded_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], sentence: str
) -> None:
    (home / "workstation.toml").write_text('[venues.nova]\nexchange = "binance"\n')
    assert refusal(capsys, "data", "record", *options).startswith(sentence)


def test_without_venues_the_demo_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal(capsys, "data", "record", "--symbols", "BTC/USDT")
    assert said == "venues: none in the settings; add [venues.NAME], or try `workstation demo`\n"


def test_lengths_of_time() -> None:
    assert [seconds_of(text) for text in ("90", "90s", "1.5m", "2h", "1d")] == [90.0, 90.0, 90.0, 7200.0, 86_400.0]
    with pytest.raises(BadInput):
        seconds_of("0m")
