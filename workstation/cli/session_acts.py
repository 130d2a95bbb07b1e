"""What the commands of `workstation session` do with sessions that are there; to begin one is `session_start`'s."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from workstation.cli.connection import engine_of, named
from workstation.cli.tables import aligned
from workstation.client.client import Client
from workstation.client.messages import OrderView, PositionView, SessionDetail, SessionSummary, SignalView

LAST_SIGNALS = 5
HEADER = ("SESSION", "STATUS", "STRATEGY", "INSTRUMENTS", "EQUITY", "REALIZED", "OPEN", "ORDERS", "SIGNALS", "REFUSED")
FIGURES = frozenset(range(4, 10))


def list_all(config: Path | None, *, as_json: bool) -> None:
    with engine_of(config) as engine:
        sessions = engine.sessions()
    print_sessions(
        sessions, as_json, session_table(sessions) if sessions else "no session; `workstation session start` …"
    )


def act(session: str, config: Path | None, ask: Callable[[Client], SessionSummary], *, as_json: bool) -> None:
    """Asks for a change of one session, and prints how it is now."""
    with engine_of(config) as engine, named(engine, session):
        summary = ask(engine)
    reason = f" ({summary.reason})" if summary.reason else ""
    print_sessions([summary], as_json, f"session {summary.session}: {summary.status}{reason}")


def show(session: str, config: Path | None, *, as_json: bool) -> None:
    with engine_of(config) as engine, named(engine, session):
        detail = engine.session(session)
        positions, orders = engine.positions(session), engine.orders(session, open_only=True)
        signals = engine.signals(session)[-LAST_SIGNALS:]
    if as_json:
        parts: dict[str, Sequence[BaseModel]] = {"positions": positions, "open_orders": orders, "signals": signals}
        content = detail.model_dump(mode="json") | {
            name: [one.model_dump(mode="json") for one in part] for name, part in parts.items()
        }
        typer.echo(json.dumps(content, indent=2))
        return
    typer.echo("\n\n".join(part for part in (figures(detail), *tables(positions, orders, signals)) if part))


def figures(detail: SessionDetail) -> str:
    """One line for each thing that is known of it."""
    reason = f" ({detail.reason})" if detail.reason else ""
    fees = ", ".join(f"{fee:,.4f} {currency}" for currency, fee in detail.fees.items()) or f"0 {detail.currency}"
    rows = {
        "session": f"{detail.session}, {detail.mode}, {detail.status}{reason}",
        "run": f"{detail.run} of {len(detail.runs)}, since {shown(detail.started_ns)}",
        "strategy": ", ".join([detail.strategy, *(f"{name}={value}" for name, value in detail.parameters.items())]),
        "instruments": ", ".join(detail.instruments) + (f", {detail.interval} bars" if detail.interval else ""),
        "sizing": detail.sizing,
        "limits": ", ".join(f"{name}={value}" for name, value in detail.limits.items()) or "none",
        "equity": _equity(detail),
        "realized": f"{detail.realized_pnl:,.2f} {detail.currency} before fees of {fees}",
        "open": f"{detail.open_groups} groups, {detail.open_orders} orders",
        "signals": f"{detail.signals}, {detail.refusals} refused; {detail.facts} facts in the journal",
    }
    if detail.gap_ns is not None:
        rows["gap"] = f"not watched from {shown(detail.gap_ns[0])} to {shown(detail.gap_ns[1])}"
    return aligned(("FIGURE", "VALUE"), list(rows.items()))


def _equity(detail: SessionDetail) -> str:
    if detail.equity is None:
        return f"unknown before every leg has a price; opened with {detail.opening_equity:,.2f} {detail.currency}"
    return f"{detail.equity:,.2f} {detail.currency}, {made_by_trading(detail)} of it made by trading"


def made_by_trading(one: SessionSummary) -> str:
    """What became of equity but for the coins that it began with: their price is not the session's doing."""
    return "-" if one.equity is None else f"{one.equity - one.opening_equity:+,.2f}"


def tables(positions: Sequence[PositionView], orders: Sequence[OrderView], signals: Sequence[SignalView]) -> list[str]:
    """Positions, open orders and last signals; nothing for what there is none of."""
    held = [
        (p.venue, p.symbol, f"{p.quantity:f}", priced(p.average_price), priced(p.mark), priced(p.unrealized_pnl, 2))
        for p in positions
        if p.quantity
    ]
    resting = [(o.venue, o.symbol, o.side, o.type, f"{o.quantity:f}", priced(o.limit_price), o.status) for o in orders]
    said = [(shown(s.time_ns), s.action, ", ".join(s.legs), s.reason, s.refusal or "-") for s in signals]
    of_positions = ("VENUE", "SYMBOL", "QUANTITY", "AVERAGE", "MARK", "UNREALIZED")
    of_orders = ("VENUE", "SYMBOL", "SIDE", "TYPE", "QUANTITY", "LIMIT", "STATUS")
    of_signals = ("SIGNAL AT (UTC)", "ACTION", "LEGS", "REASON", "REFUSED BY")
    found = []
    if held:
        found.append(aligned(of_positions, held, right=frozenset((2, 3, 4, 5))))
    if resting:
        found.append(aligned(of_orders, resting, right=frozenset((4, 5))))
    if said:
        found.append(aligned(of_signals, said))
    return found


def session_table(sessions: Sequence[SessionSummary]) -> str:
    rows = [
        (
            one.session,
            one.status,
            one.strategy,
            ", ".join(one.instruments),
            priced(one.equity, 2),
            priced(one.realized_pnl, 2),
            str(one.open_groups),
            str(one.open_orders),
            str(one.signals),
            str(one.refusals),
        )
        for one in sessions
    ]
    return aligned(HEADER, rows, right=FIGURES)


def priced(value: Any, places: int | None = None) -> str:
    """A number for eyes; "-" for none."""
    if value is None:
        return "-"
    return f"{float(value):,.10g}" if places is None else f"{value:,.{places}f}"


def shown(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S}"


def print_sessions(messages: Sequence[BaseModel], as_json: bool, text: str) -> None:
    if not as_json:
        typer.echo(text)
        return
    typer.echo(json.dumps([one.model_dump(mode="json") for one in messages], indent=2))
