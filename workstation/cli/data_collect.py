"""`workstation data record` and `workstation data collect`: begin collections, see what came of them, end them."""

from pathlib import Path
from typing import Annotated

import typer

from workstation.cli import strategy_options as options
from workstation.config.loading import load_configuration

app = typer.Typer(
    help="Collections: what was recorded on request; list, show, stop.", no_args_is_help=True, add_completion=False
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Such as collection-1.", show_default=False)]


def record(
    venues: Annotated[
        str | None, typer.Option(help="Comma-separated names of the settings; otherwise all.", show_default=False)
    ] = None,
    symbols: Annotated[
        str | None, typer.Option(help="Comma-separated; otherwise the setting engine.symbols.", show_default=False)
    ] = None,
    length: Annotated[
        str | None, typer.Option("--for", help="Such as 90s, 10m or 2h; otherwise until Ctrl-C.", show_default=False)
    ] = None,
    intervals: Annotated[
        str | None,
        typer.Option(help="Of bars, such as 1m,1h; otherwise engine.bar_intervals.", show_default=False),
    ] = None,
    trades: Annotated[bool, typer.Option(help="Public trades beside quotes and bars.")] = True,
    funding: Annotated[
        bool | None,
        typer.Option(
            "--funding/--no-funding",
            help="Funding rates and mark prices of perpetuals; otherwise engine.with_funding.",
            show_default=False,
        ),
    ] = None,
    books: Annotated[
        int | None,
        typer.Option(
            min=0, max=50, help="Levels of order books, 0 for none; otherwise engine.book_levels.", show_default=False
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Of the collection; otherwise collection-1, -2, …", show_default=False)
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave it to the running engine, and return at once.")
    ] = False,
    history: options.HistoryFolder = None,
    config: options.ConfigFile = None,
) -> None:
    """Record live market data of venues: in the engine where one records, otherwise in this process alone."""
    from workstation.cli import data_record  # with numba and ccxt: seconds that the other commands do without

    data_record.record(
        data_record.Asked(
            name=name,
            venues=venues,
            symbols=symbols,
            length=length,
            intervals=intervals,
            trades=trades,
            funding=funding,
            book_levels=books,
            detach=detach,
            history=history,
            config=config,
        )
    )


app.command("start")(record)


@app.command("list")
def list_(
    as_json: options.AsJson = False, history: options.HistoryFolder = None, config: options.ConfigFile = None
) -> None:
    """Every collection of this history, those that ended too; no engine is needed."""
    from workstation.cli import collection_tables

    collection_tables.list_all(_root(history, config), as_json=as_json)


@app.command()
def show(
    name: Name,
    as_json: options.AsJson = False,
    history: options.HistoryFolder = None,
    config: options.ConfigFile = None,
) -> None:
    """One collection with its series and gaps."""
    from workstation.cli import collection_tables

    collection_tables.show(_root(history, config), name, as_json=as_json)


@app.command()
def stop(
    name: Name,
    as_json: options.AsJson = False,
    history: options.HistoryFolder = None,
    config: options.ConfigFile = None,
) -> None:
    """End one, in whichever process it runs; what it recorded stays."""
    from workstation.cli import collection_tables

    collection_tables.stop(_root(history, config), name, as_json=as_json)


def _root(history: Path | None, config: Path | None) -> Path:
    return load_configuration(config).settings.paths.history if history is None else history
