"""A table of situations, each with the one step that follows."""

from decimal import Decimal
from typing import Any

import pytest

from tests.builders import KEY, NOW_NS, an_order, an_order_request
from workstation.model.group import GroupStatus, Leg, PositionGroup
from workstation.model.ids import ClientOrderId, GroupId, SignalId, Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.order import Order, OrderPurpose, OrderStatus, OrderType
from workstation.model.units import Side
from workstation.trading.groups import Draft, Step, entry_price, held_quantity, next_step

OTHER = InstrumentKey(Venue("orion"), Symbol("BTC/USDT:USDT"))
S, P = OrderStatus, OrderPurpose


def a_group(
    status: GroupStatus = GroupStatus.OPEN, *, legs: int = 1, side: Side = Side.BUY, **changes: Any
) -> PositionGroup:
    made = (
        Leg(instrument=KEY, side=side, quantity=Decimal(1)),
        Leg(instrument=OTHER, side=side.opposite, quantity=Decimal(1)),
    )
    fields: dict[str, Any] = {
        "group_id": GroupId("g0"),
        "signal_id": SignalId("0"),
        "strategy": "test",
        "legs": made[:legs],
        "status": status,
        "opened_ns": NOW_NS,
    }
    return PositionGroup(**(fields | changes))


def an(
    purpose: P,
    status: S,
    filled: str = "0",
    *,
    leg: int = 0,
    side: Side | None = None,
    quantity: str = "1",
    **changes: Any,
) -> Order:
    """An order of a group that is long its first leg; `filled` at 100 each."""
    usual = (Side.BUY if leg == 0 else Side.SELL) if purpose is P.ENTRY else (Side.SELL if leg == 0 else Side.BUY)
    price = {P.STOP: {"stop_price": Decimal(90)}, P.TARGET: {"limit_price": Decimal(120)}}.get(purpose, {})
    request = an_order_request(
        client_order_id=ClientOrderId(f"{purpose}{leg}"),
        purpose=purpose,
        leg=leg,
        side=usual if side is None else side,
        quantity=Decimal(quantity),
        **price,
    )
    amount = Decimal(filled)
    return an_order(request, status=status, filled_quantity=amount, filled_notional_quote=100 * amount, **changes)


def close(quantity: str, side: Side = Side.SELL, leg: int = 0) -> Draft:
    return Draft(leg=leg, purpose=P.CLOSE, side=side, type=OrderType.MARKET, quantity=Decimal(quantity))


ENTRY = an(P.ENTRY, S.FILLED, "1")
OPENING, OPEN, CLOSING, CLOSED = GroupStatus.OPENING, GroupStatus.OPEN, GroupStatus.CLOSING, GroupStatus.CLOSED
PAIR = [an(P.ENTRY, S.FILLED, "1"), an(P.ENTRY, S.FILLED, "1", leg=1)]

OPENINGS = [
    ("waits for its entry", 1, [an(P.ENTRY, S.ACCEPTED)], Step()),
    ("waits for a part", 1, [an(P.ENTRY, S.PARTIALLY_FILLED, "0.5")], Step()),
    ("waits for an unknown fate", 1, [an(P.ENTRY, S.UNKNOWN)], Step()),
    ("filled", 1, [ENTRY], Step(OPEN, "filled")),
    ("a part that stays", 1, [an(P.ENTRY, S.CANCELLED, "0.5")], Step(OPEN, "filled")),
    ("refused", 1, [an(P.ENTRY, S.REJECTED)], Step(CLOSED, "no entry was filled")),
    ("both filled", 2, PAIR, Step(OPEN, "filled")),
    ("both half", 2, [an(P.ENTRY, S.CANCELLED, "0.5", leg=leg) for leg in (0, 1)], Step(OPEN, "filled")),
    ("both refused", 2, [an(P.ENTRY, S.REJECTED, leg=leg) for leg in (0, 1)], Step(CLOSED, "no entry was filled")),
    ("second waits", 2, [ENTRY, an(P.ENTRY, S.ACCEPTED, leg=1)], Step()),
    ("second lost", 2, [ENTRY, an(P.ENTRY, S.REJECTED, leg=1)], Step(CLOSING, "legs filled unevenly: 1, 0")),
    (
        "second short",
        2,
        [ENTRY, an(P.ENTRY, S.EXPIRED, "0.25", leg=1)],
        Step(CLOSING, "legs filled unevenly: 1, 0.25"),
    ),
    (
        "second lost while the first waits",
        2,
        [an(P.ENTRY, S.PARTIALLY_FILLED, "0.5"), an(P.ENTRY, S.REJECTED, leg=1)],
        Step(cancel=[(ClientOrderId("entry0"), "the other leg is lost")]),
    ),
    (
        "asked again while the cancel is under way",
        2,
        [an(P.ENTRY, S.ACCEPTED, cancel_requested_ns=NOW_NS), an(P.ENTRY, S.REJECTED, leg=1)],
        Step(),
    ),
]


@pytest.mark.parametrize(
    ("legs", "orders", "step"), [case[1:] for case in OPENINGS], ids=[case[0] for case in OPENINGS]
)
def test_an_opening_group(legs: int, orders: list[Order], step: Step) -> None:
    assert next_step(a_group(OPENING, legs=legs), orders, NOW_NS) == step


def test_an_entry_is_given_up_when_its_time_has_come() -> None:
    group, orders = a_group(OPENING, due_ns=NOW_NS), [an(P.ENTRY, S.PARTIALLY_FILLED, "0.5")]
    assert next_step(group, orders, NOW_NS - 1) == Step()
    assert next_step(group, orders, NOW_NS) == Step(cancel=[(ClientOrderId("entry0"), "not filled in time")])


def test_a_filled_entry_has_no_time() -> None:
    assert next_step(a_group(OPENING, due_ns=NOW_NS), [ENTRY], NOW_NS + 1) == Step(OPEN, "filled")


def protection(purpose: P, price: float, side: Side = Side.SELL, quantity: str = "1") -> Draft:
    kind = OrderType.STOP if purpose is P.STOP else OrderType.LIMIT
    return Draft(leg=0, purpose=purpose, side=side, type=kind, quantity=Decimal(quantity), price=price)


def test_stop_and_target_stand_around_the_entry_for_what_is_held() -> None:
    group = a_group(stop_distance=10.0, target_distance=20.0)
    part = [an(P.ENTRY, S.CANCELLED, "0.5")]
    expected = [protection(P.STOP, 90.0, quantity="0.5"), protection(P.TARGET, 120.0, quantity="0.5")]
    assert next_step(group, part, NOW_NS) == Step(submit=expected)


def test_a_short_position_is_protected_the_other_way_round() -> None:
    group = a_group(side=Side.SELL, stop_distance=10.0, target_distance=20.0)
    held = [an(P.ENTRY, S.FILLED, "1", side=Side.SELL)]
    expected = [protection(P.STOP, 110.0, Side.BUY), protection(P.TARGET, 80.0, Side.BUY)]
    assert next_step(group, held, NOW_NS) == Step(submit=expected)


def test_a_stop_below_zero_is_no_stop() -> None:
    assert next_step(a_group(stop_distance=100.0), [ENTRY], NOW_NS) == Step()


def test_what_is_protected_is_not_protected_again() -> None:
    group = a_group(stop_distance=10.0, target_distance=20.0)
    for status, filled in ((S.SUBMITTED, "0"), (S.ACCEPTED, "0"), (S.PARTIALLY_FILLED, "0.4"), (S.UNKNOWN, "0")):
        orders = [ENTRY, an(P.STOP, status, filled), an(P.TARGET, S.ACCEPTED)]
        assert next_step(group, orders, NOW_NS) == Step()


def test_a_late_fill_of_the_entry_is_protected_too() -> None:
    group = a_group(stop_distance=10.0)
    orders = [an(P.ENTRY, S.CANCELLED, "0.9"), an(P.STOP, S.ACCEPTED, quantity="0.5")]
    assert next_step(group, orders, NOW_NS) == Step(submit=[protection(P.STOP, 90.0, quantity="0.4")])


def test_a_stop_that_is_gone_protects_nothing() -> None:
    stops = [an(P.STOP, S.CANCELLED, quantity="0.5"), an(P.STOP, S.ACCEPTED, quantity="0.5")]
    step = next_step(a_group(stop_distance=10.0), [ENTRY, *stops], NOW_NS)
    assert step == Step(submit=[protection(P.STOP, 90.0, quantity="0.5")])


@pytest.mark.parametrize(("status", "filled"), [(S.REJECTED, "0"), (S.CANCELLED, "0.5"), (S.EXPIRED, "0")])
@pytest.mark.parametrize("purpose", [P.STOP, P.TARGET])
def test_a_position_whose_protection_is_gone_is_closed(purpose: P, status: S, filled: str) -> None:
    group = a_group(stop_distance=10.0, target_distance=20.0)
    orders = [ENTRY, an(P.STOP, S.ACCEPTED), an(P.TARGET, S.ACCEPTED)]
    orders = [order for order in orders if order.request.purpose is not purpose] + [an(purpose, status, filled)]
    assert next_step(group, orders, NOW_NS) == Step(CLOSING, f"{purpose} order {status}: the position is not protected")


@pytest.mark.parametrize(
    ("orders", "reason"),
    [
        ([ENTRY, an(P.STOP, S.FILLED, "1"), an(P.TARGET, S.ACCEPTED)], "stop"),
        ([ENTRY, an(P.STOP, S.ACCEPTED), an(P.TARGET, S.FILLED, "1")], "target"),
        ([], "nothing is held"),
    ],
)
def test_an_open_group_that_holds_nothing_closes_and_says_why(orders: list[Order], reason: str) -> None:
    assert next_step(a_group(stop_distance=10.0, target_distance=20.0), orders, NOW_NS) == Step(CLOSING, reason)


def test_two_legs_have_no_stop_and_stay() -> None:
    assert next_step(a_group(legs=2, stop_distance=10.0), PAIR, NOW_NS) == Step()


def test_two_legs_that_become_uneven_are_closed() -> None:
    orders = [an(P.ENTRY, S.CANCELLED, "0.9"), an(P.ENTRY, S.CANCELLED, "0.5", leg=1)]
    assert next_step(a_group(legs=2), orders, NOW_NS) == Step(CLOSING, "legs are uneven: 0.9, 0.5")


CLOSINGS = [
    ("closes what is held", 1, [ENTRY], Step(submit=[close("1")])),
    ("closes both legs", 2, PAIR, Step(submit=[close("1"), close("1", Side.BUY, leg=1)])),
    ("closes the one leg that is held", 2, [ENTRY, an(P.ENTRY, S.REJECTED, leg=1)], Step(submit=[close("1")])),
    (
        "first what rests must be gone",
        1,
        [ENTRY, an(P.STOP, S.ACCEPTED), an(P.TARGET, S.UNKNOWN)],
        Step(cancel=[(ClientOrderId("stop0"), "why"), (ClientOrderId("target0"), "why")]),
    ),
    ("waits for the cancel", 1, [ENTRY, an(P.STOP, S.ACCEPTED, cancel_requested_ns=1)], Step()),
    ("waits for the close", 1, [ENTRY, an(P.CLOSE, S.PARTIALLY_FILLED, "0.5")], Step()),
    ("closes the rest", 1, [ENTRY, an(P.CLOSE, S.CANCELLED, "0.75")], Step(submit=[close("0.25")])),
    ("tries again", 1, [ENTRY, *[an(P.CLOSE, S.REJECTED)] * 2], Step(submit=[close("1")])),
    ("is done", 1, [ENTRY, an(P.CLOSE, S.FILLED, "1")], Step(CLOSED)),
    ("is done by its stop", 1, [ENTRY, an(P.STOP, S.FILLED, "1")], Step(CLOSED)),
    ("nothing came of it", 1, [an(P.ENTRY, S.CANCELLED)], Step(CLOSED)),
    ("sold too much", 1, [ENTRY, an(P.CLOSE, S.FILLED, "1.5")], Step(submit=[close("0.5", Side.BUY)])),
]


@pytest.mark.parametrize(
    ("legs", "orders", "step"), [case[1:] for case in CLOSINGS], ids=[case[0] for case in CLOSINGS]
)
def test_a_closing_group(legs: int, orders: list[Order], step: Step) -> None:
    assert next_step(a_group(CLOSING, legs=legs, close_reason="why"), orders, NOW_NS) == step


@pytest.mark.parametrize("status", [S.REJECTED, S.CANCELLED, S.EXPIRED])
def test_three_closes_without_a_fill_need_a_person(status: S) -> None:
    step = next_step(a_group(CLOSING), [ENTRY, *[an(P.CLOSE, status)] * 3], NOW_NS)
    assert step == Step(stuck="nova:BTC/USDT:USDT: closing 1 has failed 3 times")


def test_a_stuck_leg_does_not_keep_the_other_one_open() -> None:
    step = next_step(a_group(CLOSING, legs=2), [*PAIR, *[an(P.CLOSE, S.REJECTED)] * 3], NOW_NS)
    assert step.stuck is not None and step.status is None
    assert step.submit == [close("1", Side.BUY, leg=1)]


def test_a_fill_after_the_close_opens_the_closing_again() -> None:
    done = [ENTRY, an(P.CLOSE, S.FILLED, "1")]
    assert next_step(a_group(CLOSED), done, NOW_NS) == Step()
    late = [*done, an(P.STOP, S.CANCELLED, "0.5")]
    assert next_step(a_group(CLOSED), late, NOW_NS) == Step(CLOSING, "a fill came after the group was closed")
    assert next_step(a_group(CLOSING), late, NOW_NS) == Step(submit=[close("0.5", Side.BUY)])


def test_what_is_held_counts_in_the_direction_of_the_leg() -> None:
    leg = a_group(legs=2).legs[1]
    orders = [*PAIR, an(P.CLOSE, S.PARTIALLY_FILLED, "0.25", leg=1)]
    assert held_quantity(leg, 1, orders) == Decimal("0.75")


def test_an_entry_that_is_not_filled_has_no_price() -> None:
    assert entry_price(0, [an(P.ENTRY, S.ACCEPTED)]) is None
    assert entry_price(0, [an(P.STOP, S.FILLED, "1"), ENTRY]) == 100.0
