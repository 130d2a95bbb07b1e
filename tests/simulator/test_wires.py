"""Wires know the core and not each other; the core knows no wire."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import workstation.simulator
from tests.simulator.client import a_source
from workstation.errors import ConfigError
from workstation.simulator.server import ServerSettings, SimulatedExchanges
from workstation.simulator.wires import WIRES

FOLDER = Path(workstation.simulator.__file__).parent
PACKAGE = "workstation.simulator"


def imported(module: Path) -> Iterator[str]:
    """Names of the modules that a file imports."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def wire_of(name: str) -> str | None:
    """The wire that a module belongs to."""
    return next((wire for wire in WIRES if f"{name}.".startswith(f"{PACKAGE}.{wire}.")), None)


@pytest.mark.parametrize("wire", WIRES)
def test_a_wire_imports_no_other_wire(wire: str) -> None:
    modules = list((FOLDER / wire).glob("*.py"))
    assert len(modules) > 5
    for module in modules:
        assert {wire_of(name) for name in imported(module)} <= {None, wire}, module.name


def test_the_core_imports_no_wire_but_for_the_list_of_them() -> None:
    for module in FOLDER.glob("*.py"):
        wires = {wire_of(name) for name in imported(module)} - {None}
        assert wires == (set(WIRES) if module.name == "wires.py" else set()), module.name


def test_a_venue_speaks_what_the_settings_say_and_binance_without_a_word() -> None:
    exchanges = SimulatedExchanges(a_source(), ServerSettings(wires={"orion": "gate"}))
    assert {name: venue.kind.name for name, venue in exchanges.venues.items()} == {"nova": "binance", "orion": "gate"}
    assert list(exchanges.venues["nova"].exchange.markets) == ["BTCUSDT", "ETHUSDT"]
    assert list(exchanges.venues["orion"].exchange.markets) == ["BTC_USDT", "ETH_USDT"]


def test_a_wire_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        ConfigError, match="venue nova: wire 'kraken': expected one of binance, binanceusdm, bybit, gate"
    ):
        ServerSettings(wires={"nova": "kraken"})
