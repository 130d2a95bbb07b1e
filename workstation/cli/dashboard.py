"""`workstation dashboard`: the pages in the browser, as a client of the engine."""

import webbrowser
from typing import Annotated

import typer

from workstation.cli import strategy_options as options
from workstation.config.loading import load_configuration

ENTER = "enter by"
"""What the line with the link begins with; the demonstration reads it."""

app = typer.Typer(help="The pages in the browser: watch and control what the engine runs.", add_completion=False)


@app.command("dashboard")
def dashboard_command(
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="On 127.0.0.1; otherwise dashboard.port.", show_default=False)
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Open it in the browser of this machine, logged in.")] = False,
    config: options.ConfigFile = None,
) -> None:
    """Serve the dashboard until Ctrl-C. It holds no trading state: it may end and start at any time.

    The link that it prints lets its reader in once, within ten minutes; `workstation user add NAME` makes users.
    """
    settings = load_configuration(config).settings
    # Panel and numba take seconds (measured): help does without
    from workstation.dashboard.access import Access
    from workstation.dashboard.server import run_dashboard

    def ready(access: Access) -> None:
        link = access.link()
        typer.echo(f"dashboard  http://127.0.0.1:{access.port}")
        print(f"{ENTER}   {link}   (once, within ten minutes)", flush=True)
        if show:
            webbrowser.open(access.link())

    run_dashboard(settings, port=settings.dashboard.port if port is None else port, on_ready=ready)
