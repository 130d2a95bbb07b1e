"""What `workstation exchange simulate` does: starts the simulated exchanges and says how to reach them."""

import asyncio
import contextlib
import time
from dataclasses import replace
from pathlib import Path

import typer

from workstation.config.loading import load_configuration
from workstation.errors import BadInput, ConfigError
from workstation.history.store import HistoryStore
from workstation.model.instrument import checked_key
from workstation.model.market import SECOND_NS
from workstation.simulator.faults import read_faults
from workstation.simulator.market_source import HistorySource, MarketSource, ModelSource
from workstation.simulator.markets import MarketModel
from workstation.simulator.server import LEAD_NS, ServerSettings, SimulatedExchanges, account_of
from workstation.simulator.settings import BTC, ETH, NOVA, ORION, SOL, VEGA, Climate

VENUES = {settings.venue: settings for settings in (NOVA, ORION, VEGA)}
ACCOUNT_NAMES = ("alice", "bob")
LIVELY = Climate(dislocation_bps=(60.0, 90.0), dislocation_ns=(5 * SECOND_NS, 17 * SECOND_NS // 2))
"""Wide enough to pay for four taker fees of 10 bps, and over before somebody who watches has gone."""
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
    )
    source = (
        model_source(venues, seed, quotes_per_second, is_lively=is_lively)
        if history is None
        else history_source(history)
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(SimulatedExchanges(source, settings)))


def model_source(venues: str, seed: int, quotes_per_second: float | None, *, is_lively: bool = False) -> ModelSource:
    """The seeded market of the named venues. In a lively one the first stays and the others leave it, in turn.

    Raises ConfigError for a name that is not known.
    """
    names = [name for name, _ in _named(venues)]
    unknown = [name for name in names if name not in VENUES]
    if unknown or not names:
        raise ConfigError(f"--venues {venues!r}: expected some of {', '.join(VENUES)}, comma-separated")
    chosen = [settings for name, settings in VENUES.items() if name in names]
    if is_lively:
        steady, restless = chosen[: len(chosen) > 1], chosen[len(chosen) > 1 :]
        chosen = [replace(settings, dislocations_per_hour=0.0) for settings in steady] + [
            replace(settings, dislocations_per_hour=LIVELY_PER_HOUR, dislocation_phase=turn / len(restless))
            for turn, settings in enumerate(restless)
        ]
    model = MarketModel(
        seed=seed,
        venues=tuple(chosen),
        symbols=(BTC.spot(), ETH.spot(), SOL.spot()),
        climate=LIVELY if is_lively else Climate(),
    )
    return ModelSource(model, quotes_per_second)


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
        markets = ", ".join(venue.exchange.markets)
        typer.echo(f"{name}: {exchanges.url}/{name}  {venue.kind.title} protocol, {markets}")
    keys = "  ".join(f"{name}-key / {name}-secret" for name in ACCOUNT_NAMES)
    typer.echo(f"API keys and secrets, at every venue: {keys}")
    first, venue = next(iter(exchanges.venues.items()))
    typer.echo("From Python, or any program that uses ccxt:")
    typer.echo("    from workstation.exchanges.ccxt_client import open_client")
    typer.echo("    from workstation.exchanges.settings import VenueSettings")
    address = f'url="{exchanges.url}/{first}"'
    typer.echo(f'    client = open_client(VenueSettings(venue="{first}", exchange="{venue.kind.name}", {address}))')
    typer.echo(f'    client.apiKey, client.secret = "{ACCOUNT_NAMES[0]}-key", "{ACCOUNT_NAMES[0]}-secret"')
    if exchanges.settings.speed != 1.0:
        typer.echo(
            f"Market time runs {exchanges.settings.speed:g} times as fast; the times in messages are the market's."
        )
    typer.echo(f"Faults: POST {exchanges.url}/_control/faults. Ctrl-C ends it.")
