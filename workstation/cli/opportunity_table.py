"""What `workstation spreads opportunities` prints."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer

from workstation.cli.connection import engine_of
from workstation.cli.tables import aligned
from workstation.client.messages import OpportunityView
from workstation.client.pair_words import sold_and_bought
from workstation.model.durations import SECOND_NS

HEADER = ("OPENED", "SYMBOL", "SELL AT", "BUY AT", "LASTED", "PEAK", "QUANTITY", "LEFT")
FIGURES = frozenset((4, 5, 6, 7))
NONE, LASTS = "-", "lasts"
OVER = "OVER"
"""The column of the basis, where one has it."""


def cells(one: OpportunityView) -> tuple[str, ...]:
    opened = datetime.fromtimestamp(one.opened_ns / SECOND_NS, UTC)
    sold, bought = sold_and_bought(one)
    seconds = None if one.closed_ns is None else (one.closed_ns - one.opened_ns) / SECOND_NS
    return (
        f"{opened:%Y-%m-%d %H:%M:%S}",
        one.symbol,
        sold,
        bought,
        LASTS if seconds is None else f"{seconds:,.2f} s",
        f"{one.peak_bps:,.2f}",
        f"{one.quantity:,.6g}",
        NONE if one.left_bps is None else f"{one.left_bps:,.2f}",
    )


def table_of(found: Sequence[OpportunityView]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and lines; of the basis only where one has it."""
    lines = [cells(one) for one in found]
    if all(one.basis is None for one in found):
        return HEADER, lines
    return (*HEADER, OVER), [(*line, one.basis or NONE) for line, one in zip(lines, found, strict=True)]


def print_opportunities(symbol: str | None, limit: int, config: Path | None, *, as_json: bool) -> None:
    with engine_of(config) as engine:
        found = engine.opportunities(symbol, limit=limit)
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
    elif found:
        typer.echo(aligned(*table_of(found), right=FIGURES))
    else:
        typer.echo("none since the engine started; what counts as one stands in [opportunities] of the settings")
