"""The Live page's tables: positions, resting orders, signals and fills, of one session or of all."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import panel as pn

from workstation.client.messages import InstrumentView, OrderView, PositionView, SignalView
from workstation.dashboard.look import flow
from workstation.dashboard.state import EngineState
from workstation.dashboard.tables import PRICE_DIGITS, QUANTITY_DIGITS, SYMBOL_LEAST, Column, LiveTable
from workstation.dashboard.visit import Visit

SHOWN_SIGNALS, SHOWN_FILLS = 30, 30
SECOND_NS = 1_000_000_000
CLOSE = '<button type="button" title="Close at the market">close</button>'
CANCEL = '<button type="button" title="Cancel this order">cancel</button>'

POSITIONS = (
    Column(name="symbol", title="Symbol", least=SYMBOL_LEAST),
    Column(name="venue", title="Venue", rank=2),
    Column(name="side", title="Side", kind="side"),
    Column(name="quantity", title="Quantity", kind="quantity"),
    Column(name="entry", title="Entry", kind="price", rank=3),
    Column(name="mark", title="Mark", kind="price", rank=1),
    Column(name="result", title="Result, quote", kind="signed", digits=2),
    Column(name="percent", title="Return, %", kind="signed", digits=2, rank=2),
    Column(name="session", title="Session", rank=4),
)
ORDERS = (
    Column(name="order", title="Id", rank=3),
    Column(name="symbol", title="Symbol", least=SYMBOL_LEAST),
    Column(name="venue", title="Venue", rank=2),
    Column(name="side", title="Side", kind="side"),
    Column(name="price", title="Price", kind="price"),
    Column(name="quantity", title="Quantity", kind="quantity"),
    Column(name="filled", title="Filled", kind="quantity", rank=3),
    Column(name="purpose", title="Purpose", rank=1, least=70),
    Column(name="age", title="Age", kind="age", rank=2),
)
SIGNALS = (
    Column(name="age", title="Age", kind="age"),
    Column(name="action", title="Signal", width=90),
    Column(name="legs", title="Legs", least=150),
    Column(name="reason", title="Reason", rank=2),
    Column(name="refusal", title="Refused by"),
    Column(name="session", title="Session", rank=3),
)
FILLS = (
    Column(name="age", title="Age", kind="age"),
    Column(name="symbol", title="Symbol", least=SYMBOL_LEAST),
    Column(name="venue", title="Venue", rank=2),
    Column(name="side", title="Side", kind="side"),
    Column(name="quantity", title="Quantity", kind="quantity"),
    Column(name="price", title="Price", kind="price"),
    Column(name="slippage", title="Slip, bps", kind="signed", digits=1, rank=2),
    Column(name="purpose", title="Purpose", rank=1, least=70),
)


Rules = Mapping[tuple[str, str], InstrumentView]


class LiveTables:
    """Positions beside orders, signals beside fills; below one another where it is narrow."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.positions = LiveTable(
            "Positions",
            POSITIONS,
            empty="No positions. A session that enters shows them here.",
            buttons={"close": CLOSE},
        )
        self.orders = LiveTable(
            "Resting orders", ORDERS, empty="No resting orders: nothing waits at a venue.", buttons={"cancel": CANCEL}
        )
        self.signals = LiveTable("Signals", SIGNALS, empty="No signals yet. They come when the strategy's rule is met.")
        self.fills = LiveTable("Fills", FILLS, empty="No fills yet.")
        self.positions.on_button("close", self._close)
        self.orders.on_button("cancel", self._cancel)

    def view(self) -> pn.viewable.Viewable:
        halves = (self.positions, self.orders, self.signals, self.fills)
        return flow(
            *(pn.Column(one.view(), styles={"flex": "1 1 480px", "min-width": "0"}, margin=0) for one in halves),
            gap="16px",
            margin=(8, 0),
        )

    def show(self, state: EngineState, session: str | None) -> None:
        """Of one session; of all where none is chosen."""
        now_ns = time.time_ns() if state.health is None else state.health.now_ns
        rules = state.instruments
        for table in (self.positions, self.orders, self.signals, self.fills):
            table.hear(is_heard=state.heard_s is not None)
        self.positions.show(list(_positions(_of(state.positions, session), rules)))
        self.orders.show(list(_orders(_of(state.orders, session), rules, now_ns)))
        signals = list(_of(state.signals, session))[-SHOWN_SIGNALS:]
        self.signals.show([_signal(one, now_ns) for one in reversed(signals)])
        fills = list(_of(state.fills, session))[-SHOWN_FILLS:]
        self.fills.show([_fill(one, rules, now_ns) for one in reversed(fills)])

    async def _close(self, row: Mapping[str, Any]) -> None:
        session, venue, symbol = row["session"], row["venue"], row["symbol"]
        held = next(
            (o for o in self._visit.state.positions if (o.session, o.venue, o.symbol) == (session, venue, symbol)), None
        )
        if held is None:
            return
        lines = [f"{held.quantity:+f} {symbol} at {venue} is closed at the market."]
        if held.mark is not None:
            lines.append(f"About {abs(float(held.quantity)) * held.mark:,.0f}, of {session}.")
        if held.unrealized_pnl is not None:
            lines.append(f"Estimated result: {held.unrealized_pnl:+,.2f}, before fees.".replace("-", "−"))
        if await self._visit.confirm(f"Close the position in {symbol}?", lines, "Close it"):
            await self._visit.do(
                lambda client, by: client.close_position(session, venue, symbol, by),
                f"{symbol} at {venue} is being closed.",
            )

    async def _cancel(self, row: Mapping[str, Any]) -> None:
        order = row["order"]
        await self._visit.do(lambda client, by: client.cancel_order(order, by), f"Order {order} is being cancelled.")


def _of(views: Iterable[Any], session: str | None) -> Iterator[Any]:
    return (one for one in views if not session or one.session == session)


def _positions(views: Iterable[PositionView], rules: Rules) -> Iterator[Mapping[str, Any]]:
    for one in views:
        if not one.quantity:
            continue
        cost = None if one.average_price is None else abs(one.quantity) * one.average_price
        known = one.unrealized_pnl is not None and cost
        yield {
            "symbol": one.symbol,
            "venue": one.venue,
            "side": "long" if one.quantity > 0 else "short",
            "quantity": abs(one.quantity),
            "entry": one.average_price,
            "mark": one.mark,
            "result": one.unrealized_pnl,
            "percent": 100 * one.unrealized_pnl / cost if known and one.unrealized_pnl is not None and cost else None,
            "session": one.session,
            **_digits(one, rules),
        }


def _orders(views: Iterable[OrderView], rules: Rules, now_ns: int) -> Iterator[Mapping[str, Any]]:
    for one in views:
        yield {
            "order": one.client_order_id,
            "symbol": one.symbol,
            "venue": one.venue,
            "side": one.side,
            "price": one.stop_price if one.limit_price is None else one.limit_price,
            "quantity": one.quantity,
            "filled": one.filled_quantity,
            "purpose": one.purpose,
            "age": _age_s(one.decided_ns, now_ns),
            **_digits(one, rules),
        }


def _signal(one: SignalView, now_ns: int) -> Mapping[str, Any]:
    return {
        "age": _age_s(one.time_ns, now_ns),
        "action": one.action,
        "legs": ", ".join(one.legs),
        "reason": one.reason,
        "refusal": one.refusal,
        "session": one.session,
    }


def _fill(one: OrderView, rules: Rules, now_ns: int) -> Mapping[str, Any]:
    return {
        "age": _age_s(one.updated_ns, now_ns),
        "symbol": one.symbol,
        "venue": one.venue,
        "side": one.side,
        "quantity": one.filled_quantity,
        "price": one.average_price,
        "slippage": one.slippage_bps,
        "purpose": one.purpose,
        **_digits(one, rules),
    }


def _digits(one: PositionView | OrderView, rules: Rules) -> Mapping[str, int]:
    known = rules.get((one.venue, one.symbol))
    return {} if known is None else {PRICE_DIGITS: known.price_decimals, QUANTITY_DIGITS: known.quantity_decimals}


def _age_s(then_ns: int, now_ns: int) -> float:
    """Whole seconds, so that a table is patched once a second at most."""
    return float(max(0, now_ns - then_ns) // SECOND_NS)
