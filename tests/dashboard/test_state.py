"""What the bar and the dialogs say, from what the engine said."""

from decimal import Decimal

import pytest

from tests.dashboard.views import a_position, a_summary, an_order
from workstation.client.messages import SessionStatus
from workstation.dashboard.state import BarMode, EngineState, closing_lines, closing_of, kill_lines, money_of


def test_sums_are_of_one_currency_each() -> None:
    euros = a_summary("three", currency="EUR", equity=Decimal(50), day_pnl=Decimal(-1))
    first, second = money_of([a_summary("one"), euros, a_summary("two")])
    assert (first.currency, first.sessions, first.equity, first.day) == ("USDT", 2, Decimal(20_200), Decimal(200))
    assert (second.currency, second.equity, second.day) == ("EUR", Decimal(50), Decimal(-1))


def test_the_day_s_return_is_of_what_the_day_began_with() -> None:
    [money] = money_of([a_summary(equity=Decimal(10_100), day_pnl=Decimal(100))])
    assert money.day_return == Decimal("0.01")


@pytest.mark.parametrize("unknown", ["equity", "day_pnl"])
def test_a_sum_is_not_known_where_one_part_is_not(unknown: str) -> None:
    [money] = money_of([a_summary("one"), a_summary("two", **{unknown: None})])
    assert (money.equity if unknown == "equity" else money.day) is None
    assert money.day_return is None


def test_the_bar_is_grey_while_nothing_trades() -> None:
    assert EngineState().mode is BarMode.COLLECT
    assert EngineState(sessions=(a_summary(status=SessionStatus.STOPPED),)).mode is BarMode.COLLECT
    assert EngineState(sessions=(a_summary(status=SessionStatus.PAUSED),)).mode is BarMode.PAPER


def test_closing_is_told_in_numbers() -> None:
    state = EngineState(sessions=(a_summary(),), positions=(a_position(),), orders=(an_order(), an_order()))
    assert closing_lines(state) == [
        "+0.42 BTC/USDT at nova is closed at the market.",
        "Together about 26,310 USDT.",
        "Resting orders are cancelled: 2.",
        "Estimated result of what is open: −112.00, before fees.",
    ]


def test_the_kill_switch_is_said_to_leave_what_protects() -> None:
    orders = (an_order(purpose="entry"), an_order(purpose="stop"), an_order(purpose="target"))
    state = EngineState(sessions=(a_summary("one"),), orders=orders, positions=(a_position(),))
    assert "Waiting entries are cancelled: 1. Stops and targets stay: 2." in kill_lines(state, "one")


def test_a_position_without_a_price_is_named_and_not_counted_as_nothing() -> None:
    unpriced = a_position(venue="orion", mark=None, unrealized_pnl=None)
    state = EngineState(sessions=(a_summary(),), positions=(a_position(), unpriced))
    assert closing_of(state).unpriced == 1
    lines = closing_lines(state)
    assert "1 of them have no price now: for how much is not known." in lines
    assert not any("Estimated" in line for line in lines)


def test_closing_one_session_leaves_the_others_out() -> None:
    state = EngineState(
        sessions=(a_summary("one"), a_summary("two")),
        positions=(a_position(session="one"), a_position(session="two")),
        orders=(an_order(session="two"),),
    )
    assert len(closing_of(state, "one").entries) == 1
    assert closing_of(state, "one").open_orders == 0
    assert closing_of(state).sessions == 2


def test_what_a_stopped_session_still_holds_is_not_closed_by_the_switch() -> None:
    state = EngineState(sessions=(a_summary(status=SessionStatus.STOPPED),), positions=(a_position(),))
    assert closing_of(state).entries == ()
