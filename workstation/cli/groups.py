"""`workstation groups`: position groups of the sessions; close one by hand."""

from typing import Annotated

import typer

from workstation.cli import strategy_options as options

app = typer.Typer(help="Position groups: list them, close one by hand.", no_args_is_help=True, add_completion=False)

OfSession = Annotated[str | None, typer.Option(help="Of this session alone.", show_default=False)]


@app.command("list")
def list_(session: OfSession = None, as_json: options.AsJson = False, config: options.ConfigFile = None) -> None:
    """Every group that is not closed, leg by leg."""
    from workstation.cli import hand_acts

    hand_acts.list_groups(session, config, as_json=as_json)


@app.command()
def close(
    group: Annotated[str, typer.Argument(metavar="GROUP", help="Such as g7.", show_default=False)],
    session: Annotated[
        str | None, typer.Option(help="Needed where several have a group of that name.", show_default=False)
    ] = None,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """Close a group at the market."""
    from workstation.cli import hand_acts

    hand_acts.close_group(group, session, config, as_json=as_json)
