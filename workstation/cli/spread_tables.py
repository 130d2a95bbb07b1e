"""What the commands of `workstation spreads` print."""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from workstation.cli.connection import engine_of
from workstation.cli.tables import aligned, fitting
from workstation.client.client import Client
from workstation.client.messages import SpreadView
from workstation.client.pair_words import sides_of
from workstation.errors import BadInput

HEADER = ("SYMBOL", "A", "B", "SPREAD", "MEAN", "Z", "NET EDGE", "BUY AT", "AGE MS", "POINTS")
FIGURES = frozenset((3, 4, 5, 6, 8, 9))
OVER = "OVER"
"""The column of the basis, where a pair has one."""
NONE = "-"


def best_edge(view: SpreadView) -> float | None:
    """The better of both directions, fees paid, in bps; None where neither is known."""
    known = [edge for edge in (view.net_edge_ab_bps, view.net_edge_ba_bps) if edge is not None]
    return max(known, default=None)


def ranked(views: Iterable[SpreadView], by: str) -> list[SpreadView]:
    """By the best net edge or the largest |z|; what is not known comes last."""

    def rank(view: SpreadView) -> tuple[float | str, ...]:
        figure = best_edge(view) if by == "edge" else None if view.z is None else abs(view.z)
        place = float("inf") if figure is None else -figure
        return place, view.symbol, view.venue_a, view.venue_b, view.symbol_b, view.basis or ""

    return sorted(views, key=rank)


def cells(view: SpreadView) -> tuple[str, ...]:
    edge = best_edge(view)
    ages = [age for age in (view.age_a_ms, view.age_b_ms, view.age_basis_ms) if age is not None]
    a, b = sides_of(view)
    cheap = NONE if edge is None else b if edge == view.net_edge_ab_bps else a
    return (
        view.symbol,
        a,
        b,
        _figure(view.spread_bps),
        _figure(view.mean_bps),
        _figure(view.z),
        _figure(edge),
        cheap,
        f"{max(ages):,.0f}" if ages else NONE,
        f"{view.points:,}",
    )


def table_of(views: Sequence[SpreadView]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and lines; of the basis only where there is one."""
    lines = [cells(view) for view in views]
    if all(view.basis is None for view in views):
        return HEADER, lines
    return (*HEADER, OVER), [(*line, view.basis or NONE) for line, view in zip(lines, views, strict=True)]


def print_top(by: str, limit: int, config: Path | None, *, as_json: bool) -> None:
    with engine_of(config) as engine:
        views = ranked(engine.spreads(), by)[:limit]
    if as_json:
        typer.echo(json.dumps([view.model_dump(mode="json") for view in views], indent=2))
    elif views:
        typer.echo(aligned(*table_of(views), right=FIGURES))
    else:
        typer.echo("no pair: name symbols in engine.symbols and two venues that list them, or pairs in engine.pairs")


def watch(symbol: str | None, by: str, every_s: float, looks: int | None, config: Path | None) -> None:
    """Looks again and again; Ctrl-C, or the number of looks, ends it. Raises BadInput for a symbol nobody watches."""
    with engine_of(config) as engine:
        _require(engine, symbol)
        console = Console()
        turns = islice(count(), looks)
        if console.is_terminal:
            with Live(console=console, auto_refresh=False) as live:
                for turn in turns:
                    _wait(turn, every_s)
                    live.update(as_table(ranked(engine.spreads(symbol), by), console.width), refresh=True)
            return
        for turn in turns:
            _wait(turn, every_s)
            for view in ranked(engine.spreads(symbol), by):
                typer.echo(as_line(view))
            sys.stdout.flush()


def as_table(views: Sequence[SpreadView], width: int) -> Table:
    """For a terminal of that width; what pays both fees stands out."""
    edges = [best_edge(view) for view in views]
    paying = frozenset(place for place, edge in enumerate(edges) if edge is not None and edge > 0)
    return fitting(*table_of(views), width=width, right=FIGURES, bold=paying)


def as_line(view: SpreadView) -> str:
    """For a file."""
    words = dict(zip(HEADER, cells(view), strict=True))
    now = f"{datetime.now(UTC):%H:%M:%S}"
    pair = f"{view.symbol} {words['A']}/{words['B']}" if view.symbol == view.symbol_b else " with ".join(sides_of(view))
    over = "" if view.basis is None else f" over {view.basis}"
    return (
        f"{now} {pair}{over}: spread {words['SPREAD']} bps, z {words['Z']}, "
        f"net edge {words['NET EDGE']} bps buying at {words['BUY AT']}"
    )


def _require(engine: Client, symbol: str | None) -> None:
    if symbol is None or engine.spreads(symbol):
        return
    known = ", ".join(sorted({name for view in engine.spreads() for name in (view.symbol, view.symbol_b)})) or "none"
    raise BadInput(f"symbol {symbol}: not in a pair of this engine (watched: {known})")


def _wait(turn: int, every_s: float) -> None:
    if turn:
        time.sleep(every_s)


def _figure(value: float | None) -> str:
    return NONE if value is None else f"{value:,.2f}"
