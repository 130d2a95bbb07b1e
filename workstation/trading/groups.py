"""What a position group does next: from its status, its orders and the time, to orders, cancels and a new status.

    OPENING ──all legs filled──▶ OPEN ──exit, or a leg gone──▶ CLOSING ──nothing held, nothing resting──▶ CLOSED
       └── a leg missing when all entries are final, or exit ──▶ CLOSING

Pure: the session journals what comes out and sends it. Asked twice in the same situation, it answers the same once its
first answer is in the orders.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec import Struct, field

from workstation.model.group import GroupStatus, Leg, PositionGroup
from workstation.model.ids import ClientOrderId
from workstation.model.order import Order, OrderPurpose, OrderType
from workstation.model.units import Side, to_float

ZERO = Decimal(0)
CLOSE_ATTEMPTS = 3


class Draft(Struct, frozen=True, kw_only=True):
    """An order without ids. `price` is a float yet: the session brings it on the grid."""

    leg: int
    purpose: OrderPurpose
    side: Side
    type: OrderType
    quantity: Decimal
    price: float | None = None


class Step(Struct):
    """What to do now; `status` is None where the group stays as it is."""

    status: GroupStatus | None = None
    reason: str = ""
    stuck: str | None = None
    """Why the group cannot go on without a person."""
    submit: list[Draft] = field(default_factory=list)
    cancel: list[tuple[ClientOrderId, str]] = field(default_factory=list)


def held_quantity(leg: Leg, index: int, orders: Iterable[Order]) -> Decimal:
    """What the group holds on a leg, in the leg's direction: entries less everything that reduced them."""
    held = ZERO
    for order in orders:
        if order.request.leg == index:
            held += order.filled_quantity if order.request.side is leg.side else -order.filled_quantity
    return held


def entry_price(index: int, orders: Iterable[Order]) -> float | None:
    """Average price of a leg's entry, quote currency."""
    for order in orders:
        is_entry = order.request.leg == index and order.request.purpose is OrderPurpose.ENTRY
        if is_entry and order.average_price is not None:
            return to_float(order.average_price)
    return None


def next_step(group: PositionGroup, orders: Sequence[Order], now_ns: int) -> Step:
    """What the group does now."""
    if group.status is GroupStatus.OPENING:
        return _opening(group, orders, now_ns)
    if group.status is GroupStatus.OPEN:
        return _open(group, orders)
    if group.status is GroupStatus.CLOSING:
        return _closing(group, orders)
    late = any(held_quantity(leg, i, orders) for i, leg in enumerate(group.legs))
    return Step(GroupStatus.CLOSING, "a fill came after the group was closed") if late else Step()


def _opening(group: PositionGroup, orders: Sequence[Order], now_ns: int) -> Step:
    entries = [order for order in orders if order.request.purpose is OrderPurpose.ENTRY]
    waiting = [order for order in entries if not order.is_final]
    if not waiting:
        held = [held_quantity(leg, i, orders) for i, leg in enumerate(group.legs)]
        if not any(held):
            return Step(GroupStatus.CLOSED, "no entry was filled")
        if len(group.legs) > 1 and len(set(held)) > 1:
            return Step(GroupStatus.CLOSING, f"legs filled unevenly: {', '.join(map(str, held))}")
        return Step(GroupStatus.OPEN, "filled")
    is_due = group.due_ns is not None and now_ns >= group.due_ns
    lost_leg = len(group.legs) > 1 and any(o.is_final and o.remaining_quantity for o in entries)
    if is_due or lost_leg:
        reason = "not filled in time" if is_due else "the other leg is lost"
        return Step(cancel=_cancels(waiting, reason))
    return Step()


def _open(group: PositionGroup, orders: Sequence[Order]) -> Step:
    held = [held_quantity(leg, i, orders) for i, leg in enumerate(group.legs)]
    if not any(held):
        return Step(GroupStatus.CLOSING, _exit_reason(orders))
    if len(set(held)) > 1:
        return Step(GroupStatus.CLOSING, f"legs are uneven: {', '.join(map(str, held))}")
    if len(group.legs) > 1:
        return Step()
    step = Step()
    for purpose in (OrderPurpose.STOP, OrderPurpose.TARGET):
        existing = [order for order in orders if order.request.purpose is purpose]
        if existing and existing[-1].is_final and existing[-1].remaining_quantity:
            return Step(GroupStatus.CLOSING, f"{purpose} order {existing[-1].status}: the position is not protected")
        # a fill that came late may hold more than was protected when the entry ended
        bare = held[0] - sum((order.remaining_quantity for order in existing if not order.is_final), ZERO)
        level = protection_price(group, orders, purpose)
        if level is not None and bare > 0:
            kind = OrderType.STOP if purpose is OrderPurpose.STOP else OrderType.LIMIT
            side = group.legs[0].side.opposite
            step.submit.append(Draft(leg=0, purpose=purpose, side=side, type=kind, quantity=bare, price=level))
    return step


def protection_price(group: PositionGroup, orders: Sequence[Order], purpose: OrderPurpose) -> float | None:
    """Where the stop or target of a group of one leg stands, by price or by its distance from the entry.

    None where there is none, before the entry has a price, and where it would lie at or below zero.
    """
    is_stop = purpose is OrderPurpose.STOP
    by_price = group.stop_price if is_stop else group.target_price
    if isinstance(by_price, Decimal):
        return to_float(by_price)
    distance, price = group.stop_distance if is_stop else group.target_distance, entry_price(0, orders)
    if distance is None or price is None:
        return None
    level = price + (-group.legs[0].side if is_stop else group.legs[0].side) * distance
    return level if level > 0 else None


def _closing(group: PositionGroup, orders: Sequence[Order]) -> Step:
    resting = [order for order in orders if not order.is_final]
    others = [order for order in resting if order.request.purpose is not OrderPurpose.CLOSE]
    if others:
        # what still rests could fill while we close: first it must be gone
        return Step(cancel=_cancels(others, group.close_reason or "closing"))
    step = Step()
    for index, leg in enumerate(group.legs):
        held = held_quantity(leg, index, orders)
        if held and not any(order.request.leg == index for order in resting):
            if _failed_closes(orders, index) >= CLOSE_ATTEMPTS:
                step.stuck = f"{leg.instrument}: closing {held} has failed {CLOSE_ATTEMPTS} times"
                continue
            side = leg.side.opposite if held > 0 else leg.side
            step.submit.append(
                Draft(leg=index, purpose=OrderPurpose.CLOSE, side=side, type=OrderType.MARKET, quantity=abs(held))
            )
    if not resting and not step.submit and step.stuck is None:
        step.status = GroupStatus.CLOSED
    return step


def _failed_closes(orders: Iterable[Order], leg: int) -> int:
    """Closing orders that ended without a fill, however they ended: one more of them would end the same way."""
    closes = [o for o in orders if o.request.leg == leg and o.request.purpose is OrderPurpose.CLOSE]
    return sum(order.is_final and not order.filled_quantity for order in closes)


def _cancels(orders: Iterable[Order], reason: str) -> list[tuple[ClientOrderId, str]]:
    return [(o.request.client_order_id, reason) for o in orders if o.cancel_requested_ns is None]


def _exit_reason(orders: Sequence[Order]) -> str:
    for order in orders:
        if order.filled_quantity and order.request.purpose in (OrderPurpose.STOP, OrderPurpose.TARGET):
            return str(order.request.purpose)
    return "nothing is held"
