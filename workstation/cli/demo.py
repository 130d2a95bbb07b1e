"""`workstation demo`: three simulated venues, the engine and two paper sessions, live; no keys and no internet."""

import os
import sys
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
    dashboard_port: PortOption = None,
    browser: Annotated[
        bool | None,
        typer.Option(
            "--browser/--no-browser", help="Open the dashboard; otherwise where there is a screen.", show_default=False
        ),
    ] = None,
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

    Demonstration(
        settings,
        port=port,
        venue_port=venue_port,
        dashboard_port=dashboard_port,
        opens_browser=has_screen() if browser is None else browser,
    ).run(seconds)


def has_screen() -> bool:
    """Whether a person sits before this machine; without a screen a browser of the terminal would take it over."""
    is_seen = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    return is_seen and sys.stdout.isatty()
