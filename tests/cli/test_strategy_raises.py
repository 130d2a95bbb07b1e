"""A strategy of one's own that raises: back-test and replay end with its file and line, not with our traceback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import workstation as ws
from tests.cli.histories import BTC, SPOT, refusal, store_spot_bars
from workstation.errors import StrategyRaised
from workstation.history.store import HistoryStore
from workstation.research.strategy_calls import code_of
from workstation.strategies.catalog import OwnStrategies, take_in
from workstation.strategies.ma_cross import MACross

ON_BARS = ("--venue", "nova", "--symbol", BTC, "--interval", "1h")
BOOM = """
from workstation.strategies.base import BarStrategy

STRATEGY_API = 1


class Boom(BarStrategy):
    name_in_cli = "boom"

    def signals(self, bars):
        return sum_of(bars)


def sum_of(bars):
    return max(bars.clos)
"""
SHAKY = """
from workstation.strategies.base import TickStrategy

STRATEGY_API = 1


class Shaky(TickStrategy):
    name_in_cli = "shaky"

    def windows(self, instruments):
        return {"spread": instruments[7]}
"""


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    take_in(OwnStrategies())


@pytest.fixture
def boom(home: Path) -> Path:
    file = home / "strategies" / "boom.py"
    file.parent.mkdir()
    file.write_text(BOOM)
    return file


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("command", ["backtest", "replay"])
def test_the_last_line_of_its_own_file_is_named(command: str, boom: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = () if command == "backtest" else ("--sizing", "fixed-notional=500")
    said = refusal(capsys, command, "boom", *ON_BARS, *options)
    assert said == f"strategy boom: {boom}:15: AttributeError: 'Bars' object has no attribute 'clos'\n"


def test_so_it_is_on_spot(boom: Path, history: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    store_spot_bars(history)
    capsys.readouterr()
    place = ("--venue", "nova", "--symbol", SPOT, "--interval", "1h", "--sizing", "fixed-notional=500")
    assert refusal(capsys, "replay", "boom", *place).startswith(f"strategy boom: {boom}:15: AttributeError: ")


@pytest.mark.usefixtures("history")
def test_what_it_declares_is_its_code_too(boom: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = boom.with_name("shaky.py")
    file.write_text(SHAKY)
    said = refusal(capsys, "replay", "shaky", "--venue", "nova", "--venue", "orion", "--symbol", BTC)
    assert said == f"strategy shaky: {file}:11: IndexError: tuple index out of range\n"


@pytest.mark.usefixtures("history")
def test_in_python_its_traceback_is_the_cause(boom: Path) -> None:
    with pytest.raises(StrategyRaised, match=f"^strategy boom: {boom}:15: ") as caught:
        ws.backtest("boom", venue="nova", symbol=BTC, interval="1h")
    assert isinstance(caught.value.__cause__, AttributeError)


def test_what_never_passed_the_strategys_file_is_not_blamed_on_it() -> None:
    with pytest.raises(ZeroDivisionError), code_of(MACross()):
        1 / 0  # noqa: B018 (ours)
