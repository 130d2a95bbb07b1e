"""The two processes of a desk: simulated venues, and the engine that watches them."""

import asyncio
import logging
from multiprocessing.connection import Connection
from pathlib import Path

from workstation.cli.exchange_simulation import model_source
from workstation.config.loading import load_configuration
from workstation.server.host import run_engine
from workstation.simulator.server import ServerSettings, SimulatedExchanges


def simulate(venues: str, port: int, seed: int, quotes_per_second: float | None, told: Connection) -> None:
    """Tells its port, and serves until it is killed."""

    async def serve() -> None:
        exchanges = SimulatedExchanges(model_source(venues, seed, quotes_per_second), ServerSettings(port=port))
        await exchanges.start()
        told.send(exchanges.port)
        await exchanges.wait()

    asyncio.run(serve())


def engine(configuration: Path, told: Connection) -> None:
    """Tells its port once it answers, and runs until it is ended."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    run_engine(load_configuration(configuration, environ={}), port=0, on_ready=told.send)
