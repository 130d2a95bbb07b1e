"""What `workstation exchange simulate` does: starts the simulated exchanges and says how to reach them."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer

from workstation.config.loading import load_configuration
from workstation.errors import BadInput, ConfigError
from workstation.history.store import HistoryStore
from workstation.model.durations import SECOND_NS
from workstation.model.instrument import checked_key
from workstation.simulator.faults import read_faults
from workstation.simulator.joined_source import JoinedSource
from workstation.simulator.market_source import HistorySource, MarketSource, ModelSource
from workstation.simulator.markets import MarketModel
from workstation.simulator.oanda.accounts import account_number
from workstation.simulator.server import LEAD_NS, ServerSettings, SimulatedExchanges, account_of
from workstation.simulator.settings import (
    BTC,
    ETH,
    FX_CLIMATE,
    FX_SYMBOLS,
    NOVA,
    ORION,
    SOL,
    VEGA,
    Climate,
    VenueSettings,
    of_fx,
)
from workstation.simulator.wires import WIRES

VENUES = {settings.venue: settings for settings in (NOVA, ORION, VEGA)}
ACCOUNT_NAMES = ("alice", "bob")
LIVELY = Climate(dislocation_bps=(60.0, 90.0), dislocation_ns=(5 * SECOND_NS, 17 * SECOND_NS // 2))
"""Wide enough to pay for four taker fees of 10 bps, and over before somebody who watches has gone."""
LIVELY_FX = replace(FX_CLIMATE, dislocation_bps=(4.0, 8.0), dislocation_ns=LIVELY.dislocation_ns)
"""Currencies bear no fee: less is enough."""
PERPETUALS = tuple(replace(symbol, basis_bps=4.0) for symbol in (BTC, ETH, SOL))
LIVELY_PER_HOUR = 150.0
"""Of each symbol at each restless venue; these take turns, so that each one is over when the next begins."""


def run_exchanges(
    venues: str,
    *,
    port: int,
    seed: int,
    speed: float,
    faults: Path | None,
    quotes_per_second: float | None,
    history: str | None,
    is_lively: bool = False,
    keeps_fx_week: bool = False,
) -> None:
    """Serves until Ctrl-C. `venues` names them, each with its protocol where that is not the default: orion:bybit.

    Raises ConfigError, HistoryMissing.
    """
    settings = ServerSettings(
        port=port,
        speed=speed,
        accounts=tuple(account_of(name) for name in ACCOUNT_NAMES),
        faults=tuple(read_faults(faults)) if faults is not None else (),
        wires=wires_of(venues),
        keeps_fx_week=keeps_fx_week,
    )
    source = (
        model_source(venues, seed, quotes_per_second, is_lively=is_lively)
        if history is None
        else history_source(history)
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(SimulatedExchanges(source, settings)))


def model_source(venues: str, seed: int, quotes_per_second: float | None, *, is_lively: bool = False) -> MarketSource:
    """The seeded market of the named venues: coins, and currencies at those whose protocol is one of FX.

    Where a protocol has perpetuals, they are beside the coins; what these cost is the same with them and without.
    In a lively one the first venue stays and the others leave it, in turn. Raises ConfigError for a name that is not
    known.
    """
    named = _named(venues)
    names = [name for name, _ in named]
    unknown = [name for name in names if name not in VENUES]
    if unknown or not names:
        raise ConfigError(f"--venues {venues!r}: expected some of {', '.join(VENUES)}, comma-separated")
    of_fx_alone = {name for name, wire in named if wire in WIRES and WIRES[wire].is_fx}
    chosen = {name: settings for name, settings in VENUES.items() if name in names}
    coins = [settings for name, settings in chosen.items() if name not in of_fx_alone]
    coins = _restless(coins) if is_lively else coins
    having = {name for name, wire in named if wire in WIRES and WIRES[wire].has_perpetuals}
    currencies = [of_fx(settings) for name, settings in chosen.items() if name in of_fx_alone]
    symbols, climate_of_coins = (BTC.spot(), ETH.spot(), SOL.spot()), LIVELY if is_lively else Climate()
    models = [
        MarketModel(seed=seed, venues=tuple(settings), symbols=own, climate=climate)
        for settings, own, climate in (
            (coins, symbols, climate_of_coins),
            ([settings for settings in coins if settings.venue in having], PERPETUALS, climate_of_coins),
            (_restless(currencies) if is_lively else currencies, FX_SYMBOLS, LIVELY_FX if is_lively else FX_CLIMATE),
        )
        if settings
    ]
    usual = [sum(venue.quotes_per_second for venue in model.venues) * len(model.symbols) for model in models]
    shares = [None if quotes_per_second is None else quotes_per_second * own / sum(usual) for own in usual]
    sources = [ModelSource(model, share) for model, share in zip(models, shares, strict=True)]
    return sources[0] if len(sources) == 1 else JoinedSource(sources)


def _restless(chosen: Sequence[VenueSettings]) -> list[VenueSettings]:
    """The first stays, and the others leave it in turn."""
    steady, restless = chosen[: len(chosen) > 1], chosen[len(chosen) > 1 :]
    return [replace(settings, dislocations_per_hour=0.0) for settings in steady] + [
        replace(settings, dislocations_per_hour=LIVELY_PER_HOUR, dislocation_phase=turn / len(restless))
        for turn, settings in enumerate(restless)
    ]


def wires_of(venues: str) -> dict[str, str]:
    """The protocol of each venue that is named with one: "nova,orion:bybit" gives that of orion."""
    return {name: wire for name, wire in _named(venues) if wire}


def _named(venues: str) -> list[tuple[str, str]]:
    """Name and protocol of each, the protocol empty where none is given."""
    parts = [part.strip().partition(":") for part in venues.split(",") if part.strip()]
    return [(name.strip(), wire.strip()) for name, _, wire in parts]


def history_source(history: str) -> MarketSource:
    """Recorded instruments, from the history of the settings. Raises ConfigError, HistoryMissing."""
    keys = []
    for text in history.split(","):
        venue, _, symbol = text.strip().partition(":")
        try:
            keys.append(checked_key(venue, symbol))
        except BadInput as error:
            raise ConfigError(f"--history {text!r}: expected VENUE:SYMBOL, such as nova:BTC/USDT ({error})") from None
    store = HistoryStore(load_configuration().settings.paths.history)
    return HistorySource(store, keys, time.time_ns() - LEAD_NS)


async def _serve(exchanges: SimulatedExchanges) -> None:
    await exchanges.start()
    try:
        _tell(exchanges)
        await exchanges.wait()
    finally:
        await exchanges.close()


def _tell(exchanges: SimulatedExchanges) -> None:
    for name, venue in exchanges.venues.items():
        markets = ", ".join(venue.listed())
        typer.echo(f"{name}: {exchanges.url}/{name}  {venue.kind.title} protocol, {markets}")
    keys = "  ".join(f"{name}-key / {name}-secret" for name in ACCOUNT_NAMES)
    typer.echo(f"API keys and secrets, at every venue: {keys}")
    kinds = {name: venue.kind for name, venue in exchanges.venues.items()}
    if coins := [name for name, kind in kinds.items() if not kind.is_fx]:
        _tell_ccxt(exchanges.url, coins[0], kinds[coins[0]].name)
    if currencies := [name for name, kind in kinds.items() if kind.is_fx]:
        _tell_oanda(exchanges.url, currencies[0])
    if exchanges.settings.speed != 1.0:
        typer.echo(
            f"Market time runs {exchanges.settings.speed:g} times as fast; the times in messages are the market's."
        )
    typer.echo(f"Faults: POST {exchanges.url}/_control/faults. Ctrl-C ends it.")


def _tell_ccxt(url: str, venue: str, exchange: str) -> None:
    typer.echo("From Python, or any program that uses ccxt:")
    typer.echo("    from workstation.exchanges.ccxt_client import open_client")
    typer.echo("    from workstation.exchanges.settings import VenueSettings")
    settings = f'VenueSettings(venue="{venue}", exchange="{exchange}", url="{url}/{venue}")'
    typer.echo(f"    client = open_client({settings})")
    typer.echo(f'    client.apiKey, client.secret = "{ACCOUNT_NAMES[0]}-key", "{ACCOUNT_NAMES[0]}-secret"')


def _tell_oanda(url: str, venue: str) -> None:
    typer.echo(f"OANDA's tokens are the secrets. In the settings, with WORKSTATION_VENUES__{venue.upper()}__TOKEN set:")
    typer.echo(f"    [venues.{venue}]")
    typer.echo('    exchange = "oanda"')
    typer.echo(
        f'    account = "{account_number(0)}"  # of {ACCOUNT_NAMES[0]}, whose token is {ACCOUNT_NAMES[0]}-secret'
    )
    typer.echo(f'    url = "{url}/{venue}"')
