"""One server of simulated exchanges for all tests that talk to it."""

from collections.abc import Iterator

import pytest

from tests.simulator.client import ACCOUNTS, WIRED, a_source, a_wired_source, clear_faults, running_exchanges
from workstation.simulator.server import ServerSettings, SimulatedExchanges


@pytest.fixture(scope="session")
def server() -> Iterator[SimulatedExchanges]:
    with running_exchanges(a_source(), ServerSettings(accounts=ACCOUNTS)) as exchanges:
        yield exchanges


@pytest.fixture(scope="session")
def wired_server() -> Iterator[SimulatedExchanges]:
    with running_exchanges(a_wired_source(), ServerSettings(accounts=ACCOUNTS, wires=WIRED)) as exchanges:
        yield exchanges


@pytest.fixture
def wired(wired_server: SimulatedExchanges) -> Iterator[SimulatedExchanges]:
    """The server with a venue for each protocol, with no fault in force before and after."""
    clear_faults(wired_server)
    yield wired_server
    clear_faults(wired_server)


@pytest.fixture
def exchanges(server: SimulatedExchanges) -> Iterator[SimulatedExchanges]:
    """The server, with no fault in force before and after."""
    clear_faults(server)
    yield server
    clear_faults(server)
