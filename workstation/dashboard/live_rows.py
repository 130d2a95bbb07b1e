"""The Live page's tables as rows: positions, resting orders, signals and fills, of all sessions."""

from collections.abc import Iterable, Iterator, Mapping

from workstation.client.messages import InstrumentView, OrderView, PositionView, SignalView
from workstation.dashboard.tables import PRICE_DIGITS, QUANTITY_DIGITS, SESSION, SYMBOL_LEAST, Column, Row
from workstation.model.durations import MS_NS

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
    Column(name="order", title="Id", kind="id", rank=3),
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


def position_rows(views: Iterable[PositionView], rules: Rules) -> Iterator[Row]:
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


def order_rows(views: Iterable[OrderView], rules: Rules) -> Iterator[Row]:
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
            "age": one.decided_ns // MS_NS,
            SESSION: one.session,
            **_digits(one, rules),
        }


def signal_row(one: SignalView) -> Row:
    return {
        "age": one.time_ns // MS_NS,
        "action": one.action,
        "legs": ", ".join(one.legs),
        "reason": one.reason,
        "refusal": one.refusal,
        "session": one.session,
    }


def fill_row(one: OrderView, rules: Rules) -> Row:
    return {
        "age": one.updated_ns // MS_NS,
        "symbol": one.symbol,
        "venue": one.venue,
        "side": one.side,
        "quantity": one.filled_quantity,
        "price": one.average_price,
        "slippage": one.slippage_bps,
        "purpose": one.purpose,
        SESSION: one.session,
        **_digits(one, rules),
    }


def _digits(one: PositionView | OrderView, rules: Rules) -> Mapping[str, int]:
    known = rules.get((one.venue, one.symbol))
    return {} if known is None else {PRICE_DIGITS: known.price_decimals, QUANTITY_DIGITS: known.quantity_decimals}
