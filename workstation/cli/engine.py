"""`workstation engine`: market data, recorder, sessions and API in one process, until Ctrl-C."""

from typing import Annotated

import typer

from workstation.cli import strategy_options as options
from workstation.config.loading import load_configuration

app = typer.Typer(help="Market data and sessions, until Ctrl-C; paper only.", add_completion=False)


@app.command("engine")
def engine_command(
    host: Annotated[
        str | None, typer.Option(help="Of this machine alone; otherwise the setting api.host.", show_default=False)
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="0 takes a free one; otherwise the setting api.port.", show_default=False),
    ] = None,
    config: options.ConfigFile = None,
) -> None:
    """Watch the venues of the settings, record them, and run paper sessions; sessions of before go on.

    Say who is to be watched in workstation.toml: a table venues.NAME for each venue, and engine.symbols. Logs go to
    stderr.
    """
    from workstation.cli.engine_running import run  # with numba and ccxt: seconds that help does without

    run(load_configuration(config), host=host, port=port)
