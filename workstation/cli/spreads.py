"""`workstation spreads`: what the engine's spread monitor sees between its venues."""

from enum import StrEnum
from typing import Annotated

import typer

from workstation.cli import strategy_options as options

app = typer.Typer(help="Spreads between the venues of the engine, now.", no_args_is_help=True, add_completion=False)


class Order(StrEnum):
    """What stands first."""

    EDGE = "edge"
    Z = "z"


By = Annotated[Order, typer.Option(help="First the best net edge (both taker fees paid), or the largest |z|.")]


@app.command()
def top(
    by: By = Order.EDGE,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 20,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """Every symbol at every pair of venues, and the declared pairs, the best first; bps."""
    from workstation.cli import spread_tables  # with pydantic's messages: help does without

    spread_tables.print_top(str(by), limit, config, as_json=as_json)


@app.command()
def watch(
    symbol: Annotated[str | None, typer.Argument(help="Such as BTC/USDT.", show_default=False)] = None,
    every_symbol: Annotated[bool, typer.Option("--all", help="Instead of one symbol.")] = False,
    by: By = Order.EDGE,
    every: Annotated[float, typer.Option(min=0.05, max=3600, help="Seconds between two looks.")] = 1.0,
    count: Annotated[int | None, typer.Option(min=1, help="Looks, then it ends.", show_default=False)] = None,
    config: options.ConfigFile = None,
) -> None:
    """A table that stays up to date on a terminal, lines elsewhere; until Ctrl-C."""
    if (symbol is None) != every_symbol:
        raise typer.BadParameter("expected a symbol such as BTC/USDT, or --all")
    from workstation.cli import spread_tables

    spread_tables.watch(symbol, str(by), every, count, config)


@app.command()
def opportunities(
    symbol: Annotated[str | None, typer.Argument(help="Such as BTC/USDT; all without it.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=5_000, help="At most so many, the last ones.")] = 20,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """When crossing two venues would have paid, by the engine's recording; peak and what a late order found, in bps."""
    from workstation.cli import opportunity_table

    opportunity_table.print_opportunities(symbol, limit, config, as_json=as_json)
