"""The two processes of a desk: simulated venues, and the engine that watches them."""

import asyncio
import logging
from multiprocessing.connection import Connection
from pathlib import Path

from workstation.cli.exchange_simulation import model_source
from workstation.config.loading import load_configuration
from workstation.server.host import run_engine
from workstation.simulator.server import ServerSettings, SimulatedExchanges


def simulate(
    venues: str, port: int, seed: int, quotes_per_second: float | None, is_lively: bool, told: Connection
) -> None:
    """Tells its port, and serves until it is killed."""

    async def serve() -> None:
        source = model_source(venues, seed, quotes_per_second, is_lively=is_lively)
        exchanges = SimulatedExchanges(source, ServerSettings(port=port))
        await exchanges.start()
        told.send(exchanges.port)
        await exchanges.wait()

    asyncio.run(serve())


def engine(configuration: Path, port: int, told: Connection) -> None:
    """Tells its port once it answers there, on a free one for 0, and runs until it is ended."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    run_engine(load_configuration(configuration, environ={}), port=port, on_ready=told.send)
