"""What `workstation spreads opportunities` prints."""

import json
from datetime import UTC, datetime
from pathlib import Path

import typer

from workstation.cli.connection import engine_of
from workstation.cli.tables import aligned
from workstation.client.messages import OpportunityView
from workstation.model.durations import SECOND_NS

HEADER = ("OPENED", "SYMBOL", "SELL AT", "BUY AT", "LASTED", "PEAK", "QUANTITY", "LEFT")
FIGURES = frozenset((4, 5, 6, 7))
NONE, LASTS = "-", "lasts"


def cells(one: OpportunityView) -> tuple[str, ...]:
    opened = datetime.fromtimestamp(one.opened_ns / SECOND_NS, UTC)
    seconds = None if one.closed_ns is None else (one.closed_ns - one.opened_ns) / SECOND_NS
    return (
        f"{opened:%Y-%m-%d %H:%M:%S}",
        one.symbol,
        one.sell_at,
        one.buy_at,
        LASTS if seconds is None else f"{seconds:,.2f} s",
        f"{one.peak_bps:,.2f}",
        f"{one.quantity:,.6g}",
        NONE if one.left_bps is None else f"{one.left_bps:,.2f}",
    )


def print_opportunities(symbol: str | None, limit: int, config: Path | None, *, as_json: bool) -> None:
    with engine_of(config) as engine:
        found = engine.opportunities(symbol, limit=limit)
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
    elif found:
        typer.echo(aligned(HEADER, [cells(one) for one in found], right=FIGURES))
    else:
        typer.echo("none since the engine started; what counts as one stands in [opportunities] of the settings")
