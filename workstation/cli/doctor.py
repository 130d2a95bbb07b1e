"""`workstation doctor`: what is well on this machine, what is not, and what to do about it."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from workstation.cli import strategy_options as options

app = typer.Typer(help="What is well here, what is not, and what to do.", add_completion=False)


@app.command("doctor")
def doctor_command(
    venues: Annotated[
        bool, typer.Option("--venues", help="Ask each venue of the settings for its markets, its time and a quote.")
    ] = False,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """A line for each thing looked at: ok, warn or fail, and what to do; exit code 1 if anything fails."""
    from workstation.cli.examination import (
        FAIL,
        as_line,
        examine,
    )  # with numba and ccxt: seconds that help does without

    found = []
    for finding in examine(config, asks_venues=venues):
        found.append(finding)
        if not as_json:
            typer.echo(as_line(finding))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    if any(finding.verdict == FAIL for finding in found):
        raise typer.Exit(1)
