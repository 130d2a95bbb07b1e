"""One server of simulated exchanges for all tests that talk to it."""

from collections.abc import Iterator

import pytest

from tests.simulator.client import ACCOUNTS, a_source, clear_faults, running_exchanges
from workstation.simulator.server import ServerSettings, SimulatedExchanges

BRISK = 300.0
"""Quotes per second of all markets together, so that no test waits for the next one."""


@pytest.fixture(scope="session")
def server() -> Iterator[SimulatedExchanges]:
    with running_exchanges(a_source(), ServerSettings(accounts=ACCOUNTS)) as exchanges:
        yield exchanges


@pytest.fixture(scope="session")
def wired_server() -> Iterator[SimulatedExchanges]:
    wires = {"nova": "bybit", "orion": "gate"}
    with running_exchanges(a_source(BRISK), ServerSettings(accounts=ACCOUNTS, wires=wires)) as exchanges:
        yield exchanges


@pytest.fixture
def wired(wired_server: SimulatedExchanges) -> Iterator[SimulatedExchanges]:
    """The server whose nova is Bybit and whose orion is Gate, with no fault in force before and after."""
    clear_faults(wired_server)
    yield wired_server
    clear_faults(wired_server)


@pytest.fixture
def exchanges(server: SimulatedExchanges) -> Iterator[SimulatedExchanges]:
    """The server, with no fault in force before and after."""
    clear_faults(server)
    yield server
    clear_faults(server)
