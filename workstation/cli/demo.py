"""`workstation demo`: both strategies over the sample data, journaled, verified; no keys and no internet."""

import typer

from workstation.cli import strategy_options as options
from workstation.config.loading import load_configuration

app = typer.Typer(help="Both strategies over the sample data, and their proof.", add_completion=False)


@app.command("demo")
def demo_command(config: options.ConfigFile = None) -> None:
    """Replay and verify both strategies over the sample data, and print what came of it.

    All of it is kept in WORKSTATION_HOME/demo. Run again, it begins new sessions in the same ledger there.
    """
    from workstation.cli.demonstration import demonstrate  # with numba and pandas: seconds that help does without

    demonstrate(load_configuration(config).settings)
