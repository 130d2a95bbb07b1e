"""`workstation orders`: the sessions' orders; place one by hand, cancel one that waits."""

from decimal import Decimal
from typing import Annotated, Literal

import typer

from workstation.cli import strategy_options as options

app = typer.Typer(
    help="Orders of the sessions: list, place and cancel them.", no_args_is_help=True, add_completion=False
)

OfSession = Annotated[str | None, typer.Option(help="Of this session alone.", show_default=False)]
Price = Annotated[
    Decimal | None,
    typer.Option(parser=options.a_number, metavar="PRICE", help="In quote currency.", show_default=False),
]


@app.command("list")
def list_(
    session: OfSession = None,
    open_only: Annotated[bool, typer.Option("--open", help="Without those that are final.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=5_000, help="The last so many.")] = 50,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """The last orders, oldest first."""
    from workstation.cli import hand_acts

    hand_acts.list_orders(session, config, open_only=open_only, limit=limit, as_json=as_json)


@app.command()
def place(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="A running one.", show_default=False)],
    side: Annotated[Literal["buy", "sell"], typer.Argument(help="What to do.", show_default=False)],
    quantity: Annotated[
        Decimal | None,
        typer.Option(parser=options.a_number, metavar="NUMBER", help="In base currency.", show_default=False),
    ] = None,
    notional: Annotated[
        Decimal | None,
        typer.Option(parser=options.a_number, metavar="NUMBER", help="Instead: in quote currency.", show_default=False),
    ] = None,
    limit: Price = None,
    stop: Price = None,
    target: Price = None,
    venue: Annotated[
        str | None, typer.Option(help="Needed where the session trades at two.", show_default=False)
    ] = None,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """An order by hand, through the limits that every entry passes; at the market, or with --limit."""
    from workstation.cli import hand_acts

    ticket = {
        "side": side,
        "type": "market" if limit is None else "limit",
        "quantity": quantity,
        "notional": notional,
        "limit_price": limit,
        "stop_price": stop,
        "target_price": target,
    }
    hand_acts.place(session, venue, ticket, config, as_json=as_json)


@app.command()
def cancel(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="Its client order id.", show_default=False)],
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """Give up an entry that waits. A stop or target goes with its group: `workstation groups close`."""
    from workstation.cli import hand_acts

    hand_acts.cancel(order, config, as_json=as_json)
