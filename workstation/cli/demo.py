"""`workstation demo`: three simulated venues, the engine and two paper sessions, live; no keys and no internet."""

from typing import Annotated

import typer

from workstation.cli import strategy_options as options
from workstation.config.loading import load_configuration

app = typer.Typer(help="Venues, engine and two sessions; no keys needed.", add_completion=False)

PortOption = Annotated[
    int | None, typer.Option(min=1, max=65_535, help="On 127.0.0.1; otherwise a free one.", show_default=False)
]


@app.command("demo")
def demo_command(
    seconds: Annotated[
        float | None,
        typer.Option("--for", min=1, max=86_400, help="Seconds; otherwise until Ctrl-C, or 20 without a terminal."),
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Instead: both strategies over the sample data, and their proof.")
    ] = False,
    port: PortOption = None,
    venue_port: PortOption = None,
    config: options.ConfigFile = None,
) -> None:
    """Start simulated venues, the engine with its recorder, and a session of each strategy; watch, stop, verify.

    All of it is kept in WORKSTATION_HOME/demo. Ctrl-C ends it; nothing is left running.
    """
    settings = load_configuration(config).settings
    # numba and pandas take seconds (measured): help does without
    if replay:
        from workstation.cli.demo_replay import demonstrate

        demonstrate(settings)
        return
    from workstation.cli.demonstration import Demonstration

    Demonstration(settings, port=port, venue_port=venue_port).run(seconds)
