"""`workstation exchange`: the venues that are known, whether one can be reached, and simulated ones to trade at."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from workstation.cli import strategy_options as options
from workstation.cli.exchange_check import check_line, checks_as_json, venue_table, venues_as_json
from workstation.config.loading import load_configuration
from workstation.exchanges.settings import venue_settings
from workstation.model.ids import Symbol

app = typer.Typer(help="Venues: list, check, reset, simulate.", no_args_is_help=True, add_completion=False)


@app.command("list")
def list_venues(as_json: options.AsJson = False, config: options.ConfigFile = None) -> None:
    """The venues in the settings, and the exchanges that one may be made of, with what each lacks."""
    settings = load_configuration(config).settings
    typer.echo(venues_as_json(settings) if as_json else venue_table(settings))


@app.command()
def check(
    venue: Annotated[str, typer.Argument(help="Its name in the settings, as in venues.NAME.")],
    symbol: Annotated[list[str] | None, typer.Option(help="A quote of it is awaited; repeatable.")] = None,
    within: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds to wait for the quotes.")] = 10.0,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """Load the venue's markets, compare clocks, and wait for quotes; exit code 1 says that something failed."""
    settings = venue_settings(load_configuration(config).settings, venue)
    from workstation.exchanges.venue_check import CheckLine, check_venue  # imports ccxt

    lines: list[CheckLine] = []

    def tell(line: CheckLine) -> None:
        lines.append(line)
        if not as_json:
            typer.echo(check_line(line))

    asyncio.run(check_venue(settings, [Symbol(each) for each in symbol or ()], within, tell))
    if as_json:
        typer.echo(checks_as_json(lines))
    if not all(line.is_ok for line in lines):
        raise typer.Exit(1)


@app.command()
def reset(
    venue: Annotated[str, typer.Argument(help="Its name in the settings, as in venues.NAME.")],
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """Close the circuit breaker of a venue in the engine that runs, and connect again now; a ban is waited for."""
    from workstation.cli.connection import engine_of  # with httpx, which the other commands do without

    with engine_of(config) as client:
        feed = client.reset_feed(venue)
    why = f": {feed.reason}" if feed.reason else ""
    typer.echo(feed.model_dump_json() if as_json else f"{feed.venue}: tried again now (it was {feed.state}{why})")


@app.command()
def simulate(
    venues: Annotated[
        str,
        typer.Option(
            help="Comma-separated, of nova, orion, vega; each may name its protocol, as in orion:bybit, "
            "one of binance (the default), binanceusdm, bybit, gate, bitvavo, mexc, oanda (currencies)."
        ),
    ] = "nova,orion,vega",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="On 127.0.0.1; 0 takes a free one.")] = 8400,
    seed: Annotated[int, typer.Option(min=0, help="Same seed and time, same prices.")] = 1,
    speed: Annotated[
        float,
        typer.Option(
            min=0.01,
            max=1000,
            help="Market time, and the times in messages, run so many times as fast; signatures go by the wall clock.",
        ),
    ] = 1.0,
    faults: Annotated[
        Path | None, typer.Option(help="A TOML or JSON file of faults to begin with.", show_default=False)
    ] = None,
    quotes_per_second: Annotated[
        float | None,
        typer.Option(min=1, max=50_000, help="A load: at least so many in each market second.", show_default=False),
    ] = None,
    lively: Annotated[
        bool,
        typer.Option("--lively", help="The venues but the first are dear or cheap in turn, for some seconds."),
    ] = False,
    fx_week: Annotated[
        bool,
        typer.Option("--fx-week", help="Venues of currencies are closed from Friday to Sunday 17:00 in New York."),
    ] = False,
    history: Annotated[
        str | None,
        typer.Option(
            help="Instead of the seeded market: recorded VENUE:SYMBOL, comma-separated, shifted to now.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Exchanges on this machine that speak the protocol of a real one, until Ctrl-C.

    Prices are made up, money is not real, and what was ordered is forgotten at the end.
    """
    from workstation.cli.exchange_simulation import run_exchanges  # with numba: seconds that help does without

    run_exchanges(
        venues,
        port=port,
        seed=seed,
        speed=speed,
        faults=faults,
        quotes_per_second=quotes_per_second,
        history=history,
        is_lively=lively,
        keeps_fx_week=fx_week,
    )
