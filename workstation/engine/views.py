"""What the engine tells of a session, made from its folded state when somebody asks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from workstation.client.messages import GroupView, LegView, OrderView, PositionView, SignalView
from workstation.errors import BadInput
from workstation.model.group import PositionGroup
from workstation.model.instrument import InstrumentKey
from workstation.model.order import Order, OrderPurpose
from workstation.model.signal import Signal
from workstation.model.units import MONEY, exact_decimal
from workstation.session.session import Session
from workstation.session.state import SessionState
from workstation.trading.groups import held_quantity, protection_price

BPS = 10_000.0
PRICE_UNIT = Decimal("1e-8")
"""For eyes; what the journal has is exact."""


def marks_of(session: Session, now_ns: int) -> dict[InstrumentKey, Decimal]:
    """The prices that the session would be valued at, where there are any."""
    seen = {key: session.view.quoted(key, now_ns) for key in session.settings.instruments}
    return {key: exact_decimal(one.price, "mark") for key, one in seen.items() if one is not None}


def equity_of(session: Session, now_ns: int) -> Decimal | None:
    """In the session's currency; None while something that is held has no price."""
    try:
        return session.state.book.equity_quote(marks_of(session, now_ns), session.settings.currency)
    except BadInput:
        return None


def realized_of(state: SessionState) -> Decimal:
    return sum((position.realized_pnl_quote for position in state.book.positions.values()), Decimal(0))


def fees_of(state: SessionState) -> dict[str, Decimal]:
    fees: dict[str, Decimal] = {}
    for position in state.book.positions.values():
        for currency, fee in position.fees.items():
            fees[currency] = fees.get(currency, Decimal(0)) + fee
    return fees


def order_view(session: str, order: Order) -> OrderView:
    request, average = order.request, order.average_price
    return OrderView(
        client_order_id=request.client_order_id,
        session=session,
        group=request.group_id,
        venue=request.instrument.venue,
        symbol=request.instrument.symbol,
        side=request.side.name.lower(),
        type=request.type,
        purpose=request.purpose,
        status=order.status,
        quantity=request.quantity,
        filled_quantity=order.filled_quantity,
        average_price=None if average is None else average.quantize(PRICE_UNIT, context=MONEY),
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        decision_price=request.decision_price,
        slippage_bps=slippage_bps(order),
        decided_ns=request.decided_ns,
        updated_ns=order.updated_ns,
        alarm=order.alarm,
    )


def slippage_bps(order: Order) -> float | None:
    """Average fill price against the price decided by; positive is worse for us. None before a fill."""
    average, decided = order.average_price, order.request.decision_price
    if average is None or not decided:
        return None
    return int(order.request.side) * (float(average) / decided - 1.0) * BPS


def position_views(session: Session, now_ns: int) -> Iterator[PositionView]:
    marks = marks_of(session, now_ns)
    for key, position in sorted(session.state.book.positions.items()):
        mark = marks.get(key)
        yield PositionView(
            session=session.settings.session_id,
            venue=key.venue,
            symbol=key.symbol,
            quantity=position.signed_quantity,
            average_price=position.average_price,
            mark=None if mark is None else float(mark),
            unrealized_pnl=None if mark is None else position.unrealized_pnl_quote(mark),
            realized_pnl=position.realized_pnl_quote,
            fees=dict(position.fees),
        )


def group_views(session: Session, groups: Iterable[PositionGroup], now_ns: int) -> Iterator[GroupView]:
    marks = marks_of(session, now_ns)
    for group in groups:
        legs = tuple(_leg_view(session.state, group, index, marks) for index in range(len(group.legs)))
        made = [leg.unrealized_pnl for leg in legs if leg.unrealized_pnl is not None]
        yield GroupView(
            group=group.group_id,
            session=session.settings.session_id,
            strategy=group.strategy,
            status=group.status,
            legs=tuple(f"{leg.side.name.lower()} {leg.quantity} {leg.instrument}" for leg in group.legs),
            opened_ns=group.opened_ns,
            reason=group.close_reason,
            due_ns=group.due_ns,
            leg_views=legs,
            unrealized_pnl=sum(made, Decimal(0)) if len(made) == len(legs) else None,
        )


def _leg_view(state: SessionState, group: PositionGroup, index: int, marks: Mapping[InstrumentKey, Decimal]) -> LegView:
    leg, orders = group.legs[index], state.orders_of(group.group_id)
    mine = [order for order in orders if order.request.leg == index]
    entry = next((order.average_price for order in mine if order.request.purpose is OrderPurpose.ENTRY), None)
    held, mark = held_quantity(leg, index, orders), marks.get(leg.instrument)
    contract = state.instruments[leg.instrument].contract_size
    made = None
    if mark is not None and entry is not None:
        away = MONEY.multiply(leg.side, MONEY.subtract(mark, entry))
        made = MONEY.multiply(MONEY.multiply(held, contract), away)
    return LegView(
        venue=leg.instrument.venue,
        symbol=leg.instrument.symbol,
        side=leg.side.name.lower(),
        quantity=leg.quantity,
        held_quantity=held,
        entry_price=None if entry is None else entry.quantize(PRICE_UNIT, context=MONEY),
        mark=None if mark is None else float(mark),
        stop_price=_protection(group, orders, mine, OrderPurpose.STOP),
        target_price=_protection(group, orders, mine, OrderPurpose.TARGET),
        unrealized_pnl=None if made is None else made.quantize(PRICE_UNIT, context=MONEY),
    )


def _protection(
    group: PositionGroup, orders: Sequence[Order], mine: Iterable[Order], purpose: OrderPurpose
) -> Decimal | None:
    """The price of the order that rests; before it does, where it is to rest."""
    resting = [one.request for one in mine if one.request.purpose is purpose and not one.is_final]
    if resting:
        return resting[-1].stop_price if purpose is OrderPurpose.STOP else resting[-1].limit_price
    level = protection_price(group, orders, purpose) if len(group.legs) == 1 else None
    return None if level is None else exact_decimal(level, "price").quantize(PRICE_UNIT, context=MONEY)


def signal_view(session: str, signal: Signal, time_ns: int, refusal: str | None = None) -> SignalView:
    return SignalView(
        signal=signal.signal_id,
        session=session,
        strategy=signal.strategy,
        action=signal.action,
        legs=tuple(f"{leg.side.name.lower()} {leg.instrument}" for leg in signal.legs),
        reason=signal.reason,
        time_ns=time_ns,
        refusal=refusal,
    )
