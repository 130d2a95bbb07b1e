"""What the running demo shows: tables that stay up to date on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from workstation.cli.session_acts import made_by_trading, priced
from workstation.cli.spread_tables import as_table, best_edge, ranked
from workstation.cli.tables import fitting
from workstation.client.client import Client
from workstation.client.messages import Health, OrderView, PositionView, SessionSummary, SpreadView

LOOK_S = 0.5
LINE_S = 4.0
MOST_SPREADS = 9


class Look(NamedTuple):
    """The engine at one moment."""

    spent_s: float
    health: Health
    sessions: list[SessionSummary]
    spreads: list[SpreadView]
    positions: list[PositionView]
    orders: list[OrderView]

    @property
    def fills(self) -> int:
        """Orders that were filled, in part at least."""
        return sum(order.filled_quantity > 0 for order in self.orders)


def look(client: Client, names: list[str], spent_s: float) -> Look:
    """Of the sessions, those of these names."""
    return Look(
        spent_s=spent_s,
        health=client.health(),
        sessions=[one for one in client.sessions() if one.session in names],
        spreads=ranked(client.spreads(), "edge"),
        positions=[one for one in client.positions() if one.session in names],
        orders=[one for one in client.orders() if one.session in names],
    )


def show(see: Callable[[float], Look], check: Callable[[], None], seconds: float | None, console: Console) -> None:
    """Looks until the time is over; `check` raises when something has died. Ctrl-C ends it as well."""
    started_s = time.monotonic()
    last_line = 0

    def looks() -> Iterator[Look]:
        while seconds is None or time.monotonic() - started_s < seconds:
            check()
            yield see(time.monotonic() - started_s)
            time.sleep(LOOK_S)

    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            for now in looks():
                live.update(screen(now, console.width), refresh=True)
        return
    for now in looks():
        if now.spent_s // LINE_S > last_line:
            last_line = int(now.spent_s // LINE_S)
            typer.echo(line(now))


def screen(now: Look, width: int) -> RenderableType:
    """Spreads, sessions, positions and feeds, one below the other."""
    health = now.health
    head = (
        f"{now.spent_s:.0f} s   {health.rows:,} rows, {health.rows_per_second:.0f}/s   "
        f"{len(now.orders)} orders, {now.fills} filled   Ctrl-C ends it"
    )
    problems = [Text(problem, style="red") for problem in health.problems]
    spreads = as_table(now.spreads[:MOST_SPREADS], width)
    parts: list[RenderableType] = [Text(head, style="bold"), *problems, Text(), spreads]
    return Group(*parts, Text(), _sessions(now, width), Text(), _positions(now, width), Text(), _feeds(now, width))


def line(now: Look) -> str:
    """For a log."""
    health, best = now.health, now.spreads[0] if now.spreads else None
    edge = None if best is None else best_edge(best)
    spread = "" if best is None or edge is None else f", best net edge {edge:.1f} bps {best.symbol} "
    spread += f"{best.venue_a}/{best.venue_b}" if spread and best is not None else ""
    equities = "".join(f"; {one.session} {made_by_trading(one)} {one.currency}" for one in now.sessions)
    return (
        f"{now.spent_s:3.0f} s: {health.rows:,} rows, {health.rows_per_second:.0f}/s{spread}; "
        f"{len(now.orders)} orders, {now.fills} filled{equities}"
    )


def _sessions(now: Look, width: int) -> Table:
    header = ("SESSION", "STATUS", "EQUITY", "TRADING", "REALIZED", "OPEN", "SIGNALS", "REFUSED")
    rows = []
    for one in now.sessions:
        figures = (priced(one.equity, 2), made_by_trading(one), priced(one.realized_pnl, 2))
        rows.append(
            (one.session, one.status, *figures, str(one.open_groups), str(one.signals), str(one.refusals)),
        )
    return fitting(header, rows, width=width, right=frozenset(range(2, 8)))


def _positions(now: Look, width: int) -> Table:
    header = ("POSITION OF", "VENUE", "SYMBOL", "QUANTITY", "UNREALIZED", "AVERAGE", "MARK")
    rows = []
    for one in now.positions:
        if one.quantity:
            prices = (priced(one.unrealized_pnl, 2), priced(one.average_price), priced(one.mark))
            rows.append((one.session, one.venue, one.symbol, f"{one.quantity:f}", *prices))
    return fitting(header, rows, width=width, right=frozenset(range(3, 7)))


def _feeds(now: Look, width: int) -> Table:
    header = ("FEED", "STATE", "SYMBOLS", "MESSAGES", "PER SECOND", "RECONNECTS")
    lived_s = max((now.health.now_ns - now.health.started_ns) / 1e9, 1.0)
    rows = [
        (
            one.venue,
            one.state,
            str(one.symbols),
            f"{one.messages:,}",
            f"{one.messages / lived_s:.0f}",
            str(one.reconnects),
        )
        for one in now.health.feeds
    ]
    return fitting(header, rows, width=width, right=frozenset(range(2, 6)))
