"""Who leaves a market is woken no more and moves nobody; the windows that only it had are free."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.session.desks import NOVA, ORION, START_NS, linear, random_quotes
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.market import (
    Rows,
)
from workstation.session.market import Market
from workstation.trading.paper import Levels
from workstation.windows.advance import DEADLINE
from workstation.windows.specs import ConditionSpec, Field, Operator, WindowKind, WindowSpec

SPREAD = WindowSpec(kind=WindowKind.SPREAD, instrument_a=NOVA, instrument_b=ORION, span_ns=MINUTE_NS, min_points=5)
MID = WindowSpec(kind=WindowKind.QUOTE, instrument_a=NOVA, span_ns=MINUTE_NS, min_points=5)
QUOTES = random_quotes(3, 400)


class Visitor:
    """Asks for a bit of everything, by its number; keeps what wakes it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.spec = SPREAD if number % 2 else MID
        self.woken: list[tuple[int, int, str]] = []

    def enter(self, market: Market) -> None:
        slot = market.subscribe_window(self.spec)
        z = 0.5 + self.number / 4
        for operator, sign in ((Operator.ABOVE, 1), (Operator.BELOW, -1)):
            name = f"{operator.name} {self.number}"
            spec = ConditionSpec(name=name, window="w", field=Field.Z, operator=operator, threshold=sign * z, rearm=0.0)
            market.subscribe_condition(self, spec, slot)
        market.subscribe_price(self, NOVA, waits_on_bars=self.number == 3)
        market.wait_for(self, 0, Levels(buy_touch=9_960.0 + self.number, sell_touch=10_040.0 - self.number))
        if self.number == 2:
            market.subscribe_every_row(self, ORION)
        market.subscribe_bars(self, NOVA, MINUTE_NS)
        for seconds in range(0, 60, 7 + self.number):
            market.at(market.gate.now_ns + seconds * SECOND_NS, self)

    def leave(self, market: Market) -> None:
        market.unsubscribe(self)
        market.windows.release(self.spec)

    def handle(self, wake) -> None:
        self.woken.append((wake.time_ns, wake.reasons, str(wake.changes)))


def a_market() -> Market:
    market = Market()
    for key in (NOVA, ORION):
        market.list_instrument(linear(key))
    market.gate.reach(START_NS)
    return market


def walk(market: Market, rows: Rows) -> None:
    for wake in market.advance(rows.copy()):
        wake.subscriber.handle(wake)


@given(visits=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30)), max_size=25))
def test_who_has_left_is_woken_no_more_and_leaves_nothing_behind(visits) -> None:
    """Each visit turns the presence of one visitor, then so many rows come."""
    market, inside, taken = a_market(), dict[int, Visitor](), 0
    for number, count in visits:
        gone = inside.pop(number, None)
        if gone is None:
            inside[number] = Visitor(number)
            inside[number].enter(market)
        else:
            gone.leave(market)
        before = 0 if gone is None else len(gone.woken)
        walk(market, QUOTES[taken : taken + count])
        assert gone is None or len(gone.woken) == before
        taken += count
    for visitor in inside.values():
        visitor.leave(market)
    assert not market.windows.slots and market.next_due_ns is None
    table = market.tables.instruments
    assert not table["every_row"].any() and not table["bar_wake"].any() and (table["waits_on"] == 0).all()
    assert (table["buy_touch"] == -np.inf).all() and (table["sell_touch"] == np.inf).all()


@given(visits=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 40)), max_size=12))
def test_one_that_stays_is_told_the_same_in_any_company(visits) -> None:
    lonely, crowded = a_market(), a_market()
    stays, also = Visitor(4), Visitor(4)
    stays.enter(lonely)
    also.enter(crowded)
    guests: dict[int, Visitor] = {}
    taken = 0
    for number, count in visits:
        if number in guests:
            guests.pop(number).leave(crowded)
        else:
            guests[number] = Visitor(number)
            guests[number].enter(crowded)
        for market in (lonely, crowded):
            walk(market, QUOTES[taken : taken + count])
        taken += count
    mine = [one for one in stays.woken if one[1] != 1]
    theirs = [one for one in also.woken if one[1] != 1]
    assert mine == theirs  # levels wake whoever waits at a price, and are looked at again there
    assert {one for one in stays.woken if one[1] == 1} <= {one for one in also.woken if one[1] == 1}


def test_a_deadline_of_who_has_left_does_not_come() -> None:
    market, one, other = a_market(), Visitor(0), Visitor(0)
    market.at(START_NS + 5, one)
    market.at(START_NS + 6, other)
    market.unsubscribe(one)
    for wake in market.advance_time(START_NS + 10):
        wake.subscriber.handle(wake)
    assert (one.woken, [reason for _, reason, _ in other.woken]) == ([], [DEADLINE])


def test_levels_of_those_who_stay_are_tested_again_after_one_has_left() -> None:
    market, near, far = a_market(), Visitor(0), Visitor(0)
    for one, price in ((near, 99.0), (far, 90.0)):
        market.subscribe_price(one, NOVA, waits_on_bars=one is near)
        market.wait_for(one, 0, Levels(buy_touch=price))
    market.unsubscribe(near)
    assert market.tables.instruments["buy_touch"][0] == 90.0
    assert market.tables.instruments["waits_on"][0] == 0  # ticks alone, as `far` asked


def test_a_window_that_was_given_back_begins_anew_for_the_next() -> None:
    market, one = a_market(), Visitor(1)
    one.enter(market)
    walk(market, QUOTES)
    one.leave(market)
    slot = market.subscribe_window(SPREAD)
    assert market.tables.slots[slot]["count"] == 0 and len(market.tables.slots) == 1
