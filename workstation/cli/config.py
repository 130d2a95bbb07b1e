"""`workstation config`: the settings in force, and whether the file is in order."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from workstation.config.loading import DEFAULT, SettingInForce, load_configuration
from workstation.config.settings import Settings

app = typer.Typer(help="Settings in force, and where each came from.", no_args_is_help=True, add_completion=False)

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="The TOML file; otherwise workstation.toml in WORKSTATION_HOME.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def show(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Print every setting with its value and its source."""
    rows = load_configuration(config).in_force()
    typer.echo(json.dumps([asdict(row) for row in rows], indent=2) if as_json else as_table(rows))


@app.command()
def check(config: ConfigFile = None) -> None:
    """Read the file and the environment; say what is wrong with them, if anything is."""
    configuration = load_configuration(config)
    check_venues(configuration.settings)
    count = sum(source != DEFAULT for source in configuration.sources.values())
    file = configuration.file if configuration.file.exists() else f"no file {configuration.file}"
    typer.echo(f"{file}: settings are in order, {count} of {len(configuration.sources)} not the default")


def check_venues(settings: Settings) -> None:
    """Raises ConfigError for an exchange that there is not, and for what a venue's settings lack."""
    if settings.venues:
        from workstation.exchanges.registry import require_exchange
        from workstation.exchanges.settings import venue_settings

        for name in settings.venues:
            require_exchange(venue_settings(settings, name))


def as_table(rows: list[SettingInForce]) -> str:
    """Aligned columns without borders, so that a terminal and `grep` read the same."""
    cells = [("KEY", "VALUE", "SOURCE"), *((row.key, str(row.value), row.source) for row in rows)]
    key_width, value_width = (max(len(row[column]) for row in cells) for column in (0, 1))
    return "\n".join(f"{key:<{key_width}}  {value:<{value_width}}  {source}" for key, value, source in cells)
