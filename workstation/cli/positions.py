"""`workstation positions`: what the sessions hold; close it by hand."""

from typing import Annotated

import typer

from workstation.cli import strategy_options as options

app = typer.Typer(
    help="What the sessions hold, and close it by hand.", invoke_without_command=True, add_completion=False
)


@app.callback()
def positions(
    context: typer.Context,
    session: Annotated[str | None, typer.Option(help="Of this session alone.", show_default=False)] = None,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """What the sessions hold, flat positions too; or close one by hand."""
    if context.invoked_subcommand is None:
        from workstation.cli import hand_acts

        hand_acts.list_positions(session, config, as_json=as_json)


@app.command()
def close(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="Whose position.", show_default=False)],
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="Such as BTC/USDT.", show_default=False)],
    venue: Annotated[str | None, typer.Option(help="Needed where it is held at two.", show_default=False)] = None,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """Close every group with a leg there, at the market; of a spread both legs."""
    from workstation.cli import hand_acts

    hand_acts.close_position(session, venue, symbol, config, as_json=as_json)
