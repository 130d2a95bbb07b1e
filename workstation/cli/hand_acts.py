"""What `workstation orders`, `groups` and `positions` do: acts by hand, and their tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from workstation.cli.connection import engine_of, named
from workstation.cli.session_acts import priced, print_sessions, shown
from workstation.cli.tables import aligned
from workstation.client.client import Client
from workstation.client.messages import GroupView, OrderView, PositionView
from workstation.client.ticket import OrderTicket
from workstation.errors import BadInput, OrderRefused

OF_ORDERS = (
    "ORDER",
    "SESSION",
    "INSTRUMENT",
    "SIDE",
    "TYPE",
    "FOR",
    "QUANTITY",
    "FILLED",
    "PRICE",
    "STATUS",
    "DECIDED (UTC)",
)
OF_GROUPS = ("GROUP", "SESSION", "STRATEGY", "STATUS", "LEG", "HELD", "ENTRY", "MARK", "STOP", "TARGET", "UNREALIZED")
OF_POSITIONS = ("SESSION", "INSTRUMENT", "QUANTITY", "AVERAGE", "MARK", "UNREALIZED", "REALIZED")


def list_orders(session: str | None, config: Path | None, *, open_only: bool, limit: int, as_json: bool) -> None:
    with engine_of(config) as engine:
        orders = engine.orders(session, open_only=open_only, limit=limit)
    print_sessions(orders, as_json, _orders_table(orders) if orders else "no order")


def list_groups(session: str | None, config: Path | None, *, as_json: bool) -> None:
    with engine_of(config) as engine:
        groups = engine.groups(session)
    print_sessions(groups, as_json, _groups_table(groups) if groups else "no open group")


def list_positions(session: str | None, config: Path | None, *, as_json: bool) -> None:
    with engine_of(config) as engine:
        positions = engine.positions(session)
    print_sessions(positions, as_json, _positions_table(positions) if positions else "no position")


def place(session: str, venue: str | None, fields: Mapping[str, Any], config: Path | None, *, as_json: bool) -> None:
    """Raises OrderRefused with the limit and its figures."""
    with engine_of(config) as engine, named(engine, session):
        where, symbol = _instrument_of(engine, session, venue)
        ticket = _ticket({**fields, "session": session, "venue": where, "symbol": symbol})
        placed = engine.place_order(ticket)
    if placed.refusal is not None:
        raise OrderRefused(placed.refusal.sentence, placed.refusal.model_dump())
    assert placed.order is not None
    order = placed.order
    text = f"order {order.client_order_id}: {order.side} {order.quantity} {order.venue}:{order.symbol}, {order.status}"
    print_sessions([order], as_json, f"{text}; group {order.group}")


def cancel(order: str, config: Path | None, *, as_json: bool) -> None:
    with engine_of(config) as engine:
        cancelled = engine.cancel_order(order)
    print_sessions([cancelled], as_json, f"order {order}: its cancel was asked for, it is {cancelled.status}")


def close_group(group: str, session: str | None, config: Path | None, *, as_json: bool) -> None:
    with engine_of(config) as engine:
        closed = engine.close_group(group, session=session)
    print_sessions([closed], as_json, f"group {group} of session {closed.session}: {closed.status}")


def close_position(session: str, venue: str | None, symbol: str, config: Path | None, *, as_json: bool) -> None:
    with engine_of(config) as engine, named(engine, session):
        where, _ = _instrument_of(engine, session, venue)
        groups = engine.close_position(session, where, symbol)
    words = ", ".join(f"group {one.group}: {one.status}" for one in groups)
    print_sessions(groups, as_json, f"session {session}: {words}")


def _instrument_of(engine: Client, session: str, venue: str | None) -> tuple[str, str]:
    """Venue and symbol that a session trades. Raises BadInput where it trades at two and none was named."""
    traded = [one.split(":", 1) for one in engine.session(session).instruments]
    for where, symbol in traded:
        if where == venue or (venue is None and len(traded) == 1):
            return where, symbol
    venues = ", ".join(where for where, _ in traded)
    raise BadInput(f"session {session}: venue {venue or 'not named'}: expected --venue, one of {venues}")


def _ticket(fields: Mapping[str, Any]) -> OrderTicket:
    try:
        return OrderTicket.model_validate(fields)
    except ValidationError as error:
        told = error.errors()[0]
        where = ".".join(map(str, told["loc"])) or "order"
        raise BadInput(f"{where}: expected {str(told['msg']).removeprefix('Value error, ')}") from error


def _orders_table(orders: Sequence[OrderView]) -> str:
    rows = [
        (
            o.client_order_id,
            o.session,
            f"{o.venue}:{o.symbol}",
            o.side,
            o.type,
            o.purpose,
            f"{o.quantity:f}",
            f"{o.filled_quantity:f}",
            priced(o.average_price or o.limit_price or o.stop_price),
            o.status,
            shown(o.decided_ns),
        )
        for o in orders
    ]
    return aligned(OF_ORDERS, rows, right=frozenset((6, 7, 8)))


def _groups_table(groups: Sequence[GroupView]) -> str:
    rows = [
        (
            group.group,
            group.session,
            group.strategy,
            group.status,
            f"{leg.side} {leg.venue}:{leg.symbol}",
            f"{leg.held_quantity:f}",
            priced(leg.entry_price),
            priced(leg.mark),
            priced(leg.stop_price),
            priced(leg.target_price),
            priced(leg.unrealized_pnl, 2),
        )
        for group in groups
        for leg in group.leg_views
    ]
    return aligned(OF_GROUPS, rows, right=frozenset(range(5, 11)))


def _positions_table(positions: Sequence[PositionView]) -> str:
    rows = [
        (
            p.session,
            f"{p.venue}:{p.symbol}",
            f"{p.quantity:f}",
            priced(p.average_price),
            priced(p.mark),
            priced(p.unrealized_pnl, 2),
            priced(p.realized_pnl, 2),
        )
        for p in positions
    ]
    return aligned(OF_POSITIONS, rows, right=frozenset(range(2, 7)))
