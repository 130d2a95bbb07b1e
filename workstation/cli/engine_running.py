"""What `workstation engine` does: runs the engine in this process, and says what runs in it."""

import logging
import sys
import threading

import typer

from workstation.cli.connection import BY, api_url
from workstation.client.access import TOKEN_FILE, read_token
from workstation.client.client import Client
from workstation.client.messages import SessionStatus
from workstation.config.loading import Configuration
from workstation.config.settings import Settings
from workstation.errors import WorkstationError
from workstation.server.host import run_engine

LOG_FORM = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
NOISY = ("httpx", "httpcore", "websockets", "uvicorn", "aiohttp", "ccxt", "asyncio", "alembic")


def run(configuration: Configuration, *, host: str | None, port: int | None) -> None:
    """Until SIGINT or SIGTERM. Raises what `run_engine` raises."""
    logs_to_stderr()
    settings = configuration.settings

    def tell(taken: int) -> None:
        url = api_url(settings.api.host if host is None else host, taken)
        # the engine's loop is calling: it cannot answer while it waits
        threading.Thread(target=_tell, args=(settings, url), name="what runs", daemon=True).start()

    run_engine(configuration, host=host, port=port, on_ready=tell)
    typer.echo("engine: stopped; sessions that were running go on at the next start")


def logs_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format=LOG_FORM, stream=sys.stderr)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _tell(settings: Settings, url: str) -> None:
    try:
        with Client(url, read_token(settings.paths.home), by=BY) as client:
            lines = running_lines(settings, client)
    except WorkstationError as error:
        lines = [f"engine: {error}"]
    typer.echo("\n".join(lines))
    sys.stdout.flush()


def running_lines(settings: Settings, client: Client) -> list[str]:
    """One line for each thing that runs."""
    health, sessions = client.health(), client.sessions()
    going_on = [one for one in sessions if one.status is not SessionStatus.STOPPED]
    lines = [
        f"API        {client.url}",
        f"docs       {client.url}/docs",
        f"token      {settings.paths.home / TOKEN_FILE}",
        *(f"venue      {feed.venue} ({feed.exchange}): {feed.state}" for feed in health.feeds),
        f"recorder   {settings.paths.history if health.recorder is not None else 'off (engine.record)'}",
        f"ledger     {settings.paths.ledger}",
        *(f"session    {one.session}: {one.strategy}, {one.status}, run {one.run}" for one in going_on),
    ]
    if not going_on:
        lines.append("session    none; `workstation session start` starts one")
    return [*lines, *(f"problem    {problem}" for problem in health.problems), "Ctrl-C ends it"]
