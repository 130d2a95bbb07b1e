"""One server of simulated exchanges for all tests that talk to it."""

from collections.abc import Iterator

import pytest

from tests.simulator.client import ACCOUNTS, a_source, clear_faults, running_exchanges
from workstation.simulator.server import ServerSettings, SimulatedExchanges


@pytest.fixture(scope="session")
def server() -> Iterator[SimulatedExchanges]:
    with running_exchanges(a_source(), ServerSettings(accounts=ACCOUNTS)) as exchanges:
        yield exchanges


@pytest.fixture
def exchanges(server: SimulatedExchanges) -> Iterator[SimulatedExchanges]:
    """The server, with no fault in force before and after."""
    clear_faults(server)
    yield server
    clear_faults(server)
