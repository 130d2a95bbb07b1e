"""THE transition table: everything that can happen to an order, and what becomes of it.

A pair that the table does not know raises IllegalTransition and changes nothing. Rows marked "late" are what venues
really do: an acknowledgement after the fill, a fill after the cancel. A final status is never left; a fill that comes
after it still counts (position and money are folded from fills), and the order bears an alarm.
"""

from decimal import Decimal
from enum import Enum

from msgspec.structs import replace

from workstation.errors import IllegalTransition
from workstation.model.events import (
    Event,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    OrderTimedOut,
    OrderTriggered,
)
from workstation.model.order import FINAL_STATUSES, Order
from workstation.model.order import OrderStatus as S
from workstation.model.units import MONEY


class ByQuantity(Enum):
    """The next status depends on what is filled."""

    FILL = "FILLED when nothing remains, else PARTIALLY_FILLED"
    WORKS = "ACCEPTED while nothing is filled, else PARTIALLY_FILLED"
    REFUSED = "REJECTED while nothing is filled, else CANCELLED: what is filled stays"


FILL, WORKS, REFUSED = ByQuantity.FILL, ByQuantity.WORKS, ByQuantity.REFUSED

TRANSITIONS: dict[S, dict[type[Event], S | ByQuantity]] = {
    S.CREATED: {OrderSubmitted: S.SUBMITTED},
    S.SUBMITTED: {
        OrderAccepted: S.ACCEPTED,
        OrderTriggered: S.ACCEPTED,  # late acknowledgement: the trigger came first
        OrderRejected: S.REJECTED,
        OrderFilled: FILL,  # late acknowledgement: the fill came first
        OrderCancelled: S.CANCELLED,
        OrderExpired: S.EXPIRED,
        OrderTimedOut: S.UNKNOWN,
    },
    S.ACCEPTED: {
        OrderAccepted: S.ACCEPTED,  # said twice
        OrderTriggered: S.ACCEPTED,
        OrderRejected: S.REJECTED,  # accepted by the door, refused by the book
        OrderFilled: FILL,
        OrderCancelled: S.CANCELLED,
        OrderExpired: S.EXPIRED,
        OrderTimedOut: S.UNKNOWN,
    },
    S.PARTIALLY_FILLED: {
        OrderAccepted: WORKS,  # late
        OrderTriggered: WORKS,  # late
        OrderRejected: REFUSED,
        OrderFilled: FILL,
        OrderCancelled: S.CANCELLED,
        OrderExpired: S.EXPIRED,
        OrderTimedOut: S.UNKNOWN,
    },
    S.UNKNOWN: {
        OrderAccepted: WORKS,
        OrderTriggered: WORKS,
        OrderRejected: REFUSED,
        OrderFilled: FILL,
        OrderCancelled: S.CANCELLED,
        OrderExpired: S.EXPIRED,
        OrderTimedOut: S.UNKNOWN,
    },
    S.FILLED: {
        OrderAccepted: S.FILLED,  # late
        OrderTriggered: S.FILLED,  # late
        OrderFilled: S.FILLED,  # more than was asked: kept, alarmed
        OrderCancelled: S.FILLED,  # a cancel that lost the race
        OrderExpired: S.FILLED,
        OrderTimedOut: S.FILLED,
    },
    S.CANCELLED: {
        OrderAccepted: S.CANCELLED,  # late
        OrderTriggered: S.CANCELLED,  # late
        OrderFilled: S.CANCELLED,  # late: the fill counts
        OrderCancelled: S.CANCELLED,
        OrderExpired: S.CANCELLED,
        OrderTimedOut: S.CANCELLED,
    },
    S.EXPIRED: {
        OrderAccepted: S.EXPIRED,
        OrderTriggered: S.EXPIRED,  # late
        OrderFilled: S.EXPIRED,
        OrderCancelled: S.EXPIRED,
        OrderExpired: S.EXPIRED,
        OrderTimedOut: S.EXPIRED,
    },
    S.REJECTED: {
        OrderTriggered: S.REJECTED,  # late: it was refused as the market order that it had become
        OrderRejected: S.REJECTED,
        OrderFilled: S.REJECTED,  # late: the venue contradicts itself; the fill counts
        OrderCancelled: S.REJECTED,
        OrderTimedOut: S.REJECTED,
    },
}


def next_order(order: Order, event: Event, now_ns: int) -> Order:
    """The order after `event`; the same object for a fill that was already applied (by trade id).

    Raises IllegalTransition for a pair that the table does not know.
    """
    if isinstance(event, OrderFilled):
        return _filled(order, event, now_ns)
    status = _status(order, event, order.filled_quantity)
    is_triggered = order.is_triggered or isinstance(event, OrderTriggered)
    return replace(order, status=status, is_triggered=is_triggered, updated_ns=now_ns)


def _status(order: Order, event: Event, filled: Decimal) -> S:
    """The status after `event`, by which `filled` is filled altogether."""
    after = TRANSITIONS[order.status].get(type(event))
    if after is None:
        request = order.request
        raise IllegalTransition(
            f"order {request.client_order_id} {request.instrument}: {type(event).__name__} while {order.status}"
        )
    if after is FILL:
        return S.FILLED if filled >= order.request.quantity else S.PARTIALLY_FILLED
    if after is WORKS:
        return S.PARTIALLY_FILLED if filled else S.ACCEPTED
    if after is REFUSED:
        return S.CANCELLED if filled else S.REJECTED
    assert isinstance(after, S)
    return after


def _filled(order: Order, event: OrderFilled, now_ns: int) -> Order:
    fill = event.fill
    if fill.trade_id in order.trade_ids:
        return order
    filled = MONEY.add(order.filled_quantity, fill.quantity)
    status = _status(order, event, filled)
    alarm = order.alarm
    if order.status in FINAL_STATUSES:
        alarm = f"fill {fill.trade_id} of {fill.quantity} came after the order was {order.status}"
    elif filled > order.request.quantity:
        alarm = f"filled {filled}, asked for {order.request.quantity}"
    return replace(
        order,
        status=status,
        filled_quantity=filled,
        filled_notional_quote=MONEY.add(order.filled_notional_quote, MONEY.multiply(fill.price, fill.quantity)),
        trade_ids=order.trade_ids | {fill.trade_id},
        updated_ns=now_ns,
        alarm=alarm,
    )
