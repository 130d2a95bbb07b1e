"""`workstation kill`: the kill switch, whether or not an engine answers."""

from typing import Annotated

import typer

from workstation.cli import strategy_options as options

app = typer.Typer(help="Stop all opening of positions, now; also lift that.", add_completion=False)


@app.command()
def kill(
    session: Annotated[str | None, typer.Option(help="One session instead of every one.", show_default=False)] = None,
    flatten: Annotated[bool, typer.Option("--flatten", help="Also close what is open, at the market.")] = False,
    reason: Annotated[str, typer.Option(help="For the journal.")] = "",
    reset: Annotated[bool, typer.Option("--reset", help="Lift it, instead.")] = False,
    confirm: Annotated[
        str | None, typer.Option(metavar="WORD", help='With --reset: the word "reset", instead of typing it.')
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Only say how it stands.")] = False,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """Nothing is opened any more, in every session; entries that wait are cancelled. It outlives restarts.

    The flag is written here, so it needs no engine; one that runs is asked to cancel. Stops and targets stay.
    """
    from workstation.cli import kill_acts

    if reset and (flatten or reason):
        raise typer.BadParameter("--reset goes with --session and --confirm alone")
    if confirm is not None and not reset:
        raise typer.BadParameter("--confirm goes with --reset")
    if show:
        kill_acts.show(config, as_json=as_json)
    elif reset:
        kill_acts.lift(session, confirm, config, as_json=as_json)
    else:
        kill_acts.kill(session, config, flatten=flatten, reason=reason, as_json=as_json)
