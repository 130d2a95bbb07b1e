from decimal import Decimal
from itertools import product

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.builders import NOW_NS, a_fill, an_order, an_order_request
from workstation.errors import IllegalTransition
from workstation.model.events import (
    CancelRequested,
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
from workstation.model.ids import ClientOrderId, TradeId
from workstation.model.order import FINAL_STATUSES, Order
from workstation.model.order import OrderStatus as S
from workstation.trading.orders import TRANSITIONS, next_order

ORDER_ID = ClientOrderId("order-1")
EVENTS: list[Event] = [
    OrderSubmitted(request=an_order_request()),
    OrderAccepted(client_order_id=ORDER_ID),
    OrderRejected(client_order_id=ORDER_ID, reason="no"),
    OrderFilled(fill=a_fill(quantity=Decimal("0.5"))),
    OrderCancelled(client_order_id=ORDER_ID),
    OrderExpired(client_order_id=ORDER_ID),
    OrderTimedOut(client_order_id=ORDER_ID),
    OrderTriggered(client_order_id=ORDER_ID),
]
WORD = {
    OrderSubmitted: "submitted",
    OrderAccepted: "accepted",
    OrderRejected: "rejected",
    OrderFilled: "filled",
    OrderCancelled: "cancelled",
    OrderExpired: "expired",
    OrderTimedOut: "timed out",
    OrderTriggered: "triggered",
}
ILLEGAL = {
    *((S.CREATED, word) for word in WORD.values() if word != "submitted"),
    *((status, "submitted") for status in S if status is not S.CREATED),
    (S.FILLED, "rejected"),
    (S.CANCELLED, "rejected"),
    (S.EXPIRED, "rejected"),
    (S.REJECTED, "accepted"),
    (S.REJECTED, "expired"),
}


@pytest.mark.parametrize(
    ("status", "event"), list(product(S, EVENTS)), ids=lambda value: getattr(value, "value", type(value).__name__)
)
def test_every_pair_is_in_the_table_or_changes_nothing(status: S, event: Event) -> None:
    order = an_order(status=status)
    if (status, WORD[type(event)]) in ILLEGAL:
        with pytest.raises(
            IllegalTransition, match=f"order order-1 nova:BTC/USDT:USDT: {type(event).__name__} while {status}"
        ):
            next_order(order, event, NOW_NS)
        assert order == an_order(status=status)
    else:
        after = next_order(order, event, NOW_NS)
        assert after.updated_ns == NOW_NS
        assert status not in FINAL_STATUSES or after.status is status


def test_the_table_knows_every_status_and_no_other_event() -> None:
    assert set(TRANSITIONS) == set(S)
    assert {event for row in TRANSITIONS.values() for event in row} == set(WORD)
    with pytest.raises(IllegalTransition, match="CancelRequested while accepted"):
        next_order(an_order(status=S.ACCEPTED), CancelRequested(client_order_id=ORDER_ID, reason=""), NOW_NS)


@pytest.mark.parametrize(
    ("status", "event", "unfilled", "filled"),
    [
        (S.SUBMITTED, EVENTS[1], S.ACCEPTED, S.ACCEPTED),
        (S.PARTIALLY_FILLED, EVENTS[1], S.ACCEPTED, S.PARTIALLY_FILLED),
        (S.UNKNOWN, EVENTS[1], S.ACCEPTED, S.PARTIALLY_FILLED),
        (S.UNKNOWN, EVENTS[2], S.REJECTED, S.CANCELLED),
        (S.PARTIALLY_FILLED, EVENTS[2], S.REJECTED, S.CANCELLED),
        (S.ACCEPTED, EVENTS[4], S.CANCELLED, S.CANCELLED),
        (S.ACCEPTED, EVENTS[5], S.EXPIRED, S.EXPIRED),
        (S.ACCEPTED, EVENTS[6], S.UNKNOWN, S.UNKNOWN),
        (S.SUBMITTED, EVENTS[7], S.ACCEPTED, S.ACCEPTED),
        (S.PARTIALLY_FILLED, EVENTS[7], S.ACCEPTED, S.PARTIALLY_FILLED),
        (S.UNKNOWN, EVENTS[7], S.ACCEPTED, S.PARTIALLY_FILLED),
    ],
)
def test_what_is_filled_stays_in_the_status(status: S, event: Event, unfilled: S, filled: S) -> None:
    assert next_order(an_order(status=status), event, NOW_NS).status is unfilled
    part = an_order(status=status, filled_quantity=Decimal("0.2"))
    assert next_order(part, event, NOW_NS).status is filled


def test_partial_fill_keeps_order_open() -> None:
    order = next_order(an_order(status=S.ACCEPTED), OrderFilled(fill=a_fill(quantity=Decimal("0.4"))), NOW_NS)
    assert (order.status, order.remaining_quantity, order.average_price) == (S.PARTIALLY_FILLED, Decimal("0.6"), 100)
    order = next_order(
        order, OrderFilled(fill=a_fill(trade_id=TradeId("t2"), quantity=Decimal("0.6"), price=Decimal(110))), 9
    )
    assert (order.status, order.average_price, order.alarm) == (S.FILLED, 106, None)


def test_a_fill_before_its_acknowledgement_is_right() -> None:
    order = next_order(an_order(status=S.SUBMITTED), OrderFilled(fill=a_fill()), NOW_NS)
    assert order.status is S.FILLED
    assert next_order(order, EVENTS[1], NOW_NS).status is S.FILLED


def test_the_same_fill_twice_is_the_same_order() -> None:
    order = next_order(an_order(status=S.ACCEPTED), EVENTS[3], NOW_NS)
    assert next_order(order, EVENTS[3], NOW_NS + 1) is order


@pytest.mark.parametrize("status", sorted(FINAL_STATUSES))
def test_a_late_fill_counts_and_alarms(status: S) -> None:
    order = next_order(an_order(status=status), EVENTS[3], NOW_NS)
    assert (order.status, order.filled_quantity) == (status, Decimal("0.5"))
    assert order.alarm == f"fill t1 of 0.5 came after the order was {status}"


def test_an_overfill_counts_and_alarms() -> None:
    order = next_order(an_order(status=S.ACCEPTED), OrderFilled(fill=a_fill(quantity=Decimal("1.1"))), NOW_NS)
    assert (order.status, order.filled_quantity, order.remaining_quantity) == (S.FILLED, Decimal("1.1"), 0)
    assert order.alarm == "filled 1.1, asked for 1"


@pytest.mark.parametrize("status", [status for status in S if status is not S.CREATED])
def test_a_trigger_is_remembered_whatever_comes_later(status: S) -> None:
    order = next_order(an_order(status=status), EVENTS[7], NOW_NS)
    assert order.is_triggered
    assert next_order(order, EVENTS[3], NOW_NS).is_triggered
    assert next_order(order, EVENTS[4], NOW_NS).is_triggered


class VenueThatSaysAnything(RuleBasedStateMachine):
    """Reports in any order, doubled and late; the order holds the invariants I9 to I11."""

    @initialize()
    def submit(self) -> None:
        self.order: Order = next_order(an_order(), EVENTS[0], NOW_NS)
        self.fills: dict[str, Decimal] = {}
        self.before: Order = self.order

    def take(self, event: Event) -> None:
        self.before = self.order
        try:
            self.order = next_order(self.order, event, self.order.updated_ns + 1)
        except IllegalTransition:
            assert (self.order.status, WORD[type(event)]) in ILLEGAL

    @rule(event=st.sampled_from([e for e in EVENTS if not isinstance(e, OrderFilled)]))
    def report(self, event: Event) -> None:
        self.take(event)

    @rule(name=st.sampled_from("abcde"), quantity=st.sampled_from(["0.1", "0.5", "1"]))
    def fill(self, name: str, quantity: str) -> None:
        already = name in self.fills
        self.fills.setdefault(name, Decimal(quantity))
        self.take(OrderFilled(fill=a_fill(trade_id=TradeId(name), quantity=self.fills[name])))
        assert not already or self.order is self.before

    @invariant()
    def filled_is_the_sum_of_distinct_trades(self) -> None:
        assert self.order.filled_quantity == sum(self.fills.values(), Decimal(0))
        assert self.order.filled_notional_quote == 100 * self.order.filled_quantity
        assert self.order.trade_ids == set(self.fills)

    @invariant()
    def filled_never_falls_and_final_is_never_left(self) -> None:
        assert self.order.filled_quantity >= self.before.filled_quantity
        if self.before.is_final:
            assert self.order.status is self.before.status
        assert self.order.is_triggered or not self.before.is_triggered

    @invariant()
    def too_much_alarms(self) -> None:
        if self.order.filled_quantity > self.order.request.quantity:
            assert self.order.alarm is not None

    @invariant()
    def status_agrees_with_what_is_filled(self) -> None:
        if self.order.status is S.PARTIALLY_FILLED:
            assert 0 < self.order.filled_quantity < self.order.request.quantity
        if self.order.status is S.ACCEPTED:
            assert not self.order.filled_quantity


TestVenueThatSaysAnything = VenueThatSaysAnything.TestCase
