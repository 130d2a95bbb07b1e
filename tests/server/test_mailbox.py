"""A mailbox: in order, bounded, and every loss is told."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workstation.client.frames import Gap, Wanted
from workstation.client.messages import Topic
from workstation.engine.bus import Bus, Published
from workstation.server.mailbox import Mailbox

ALL = Wanted(topics=frozenset(Topic))


def a_box(capacity: int = 8, wanted: Wanted = ALL) -> tuple[Mailbox, list[str]]:
    woken: list[str] = []
    box = Mailbox(capacity, lambda: woken.append("woken"))
    box.open(wanted, [])
    return box, woken


def taken(box: Mailbox) -> list[int]:
    return [event.sequence for event in iter(box.take, None)]


def quote(bus: Bus, symbol: str, venue: str = "nova") -> Published:
    return bus.publish(Topic.MARKET_DATA, {"venue": venue}, time_ns=0, symbol=symbol)


def fill(bus: Bus, **about: Any) -> Published:
    return bus.publish(Topic.ORDER_FILLED, {}, time_ns=0, **about)


def test_it_wakes_once_when_something_comes_into_an_empty_box() -> None:
    (box, woken), bus = a_box(), Bus()
    for _ in range(3):
        box.put(fill(bus))
    assert (woken, taken(box)) == (["woken"], [1, 2, 3])


def test_a_client_that_keeps_up_gets_every_quote() -> None:
    (box, _), bus = a_box(capacity=80), Bus()
    for _ in range(10):
        box.put(quote(bus, "A/B"))
    assert taken(box) == list(range(1, 11))
    assert box.conflated == 0


def test_a_slow_client_gets_the_newest_quote_of_each_instrument_and_every_other_event() -> None:
    (box, _), bus = a_box(capacity=16), Bus()
    for place in range(30):
        box.put(quote(bus, "A/B", ("nova", "orion")[place % 2]))
    box.put(fill(bus))
    box.put(quote(bus, "C/D"))
    assert taken(box) == [29, 30, 31, 32]
    assert (box.lost, box.conflated) == (0, 28)


def test_a_slow_client_gets_the_newest_spread_of_each_pair_those_of_one_symbol_and_its_venues_too() -> None:
    (box, _), bus = a_box(capacity=16), Bus()
    named = {"venue_a": "nova", "venue_b": "orion", "symbol_b": "A/B", "basis": None}
    over = [named | {"symbol_b": "A/C", "basis": basis} for basis in ("nova:C/B", "orion:C/B")]
    for _ in range(10):
        for told in (named, *over):
            box.put(bus.publish(Topic.INDICATOR_UPDATED, told, time_ns=0, symbol="A/B"))
    assert taken(box) == [28, 29, 30]


def test_once_it_has_caught_up_it_gets_every_quote_again() -> None:
    (box, _), bus = a_box(capacity=16), Bus()
    for _ in range(30):
        box.put(quote(bus, "A/B"))
    taken(box)
    for _ in range(2):
        box.put(quote(bus, "A/B"))
    assert taken(box) == [31, 32]


def test_a_full_box_loses_its_oldest_and_says_so_once() -> None:
    (box, _), bus = a_box(capacity=3), Bus()
    for _ in range(5):
        box.put(fill(bus))
    assert box.lost_span() == Gap(first=1, last=2)
    assert box.lost_span() is None
    assert taken(box) == [3, 4, 5]


def test_what_is_resumed_has_room_beyond_the_bound() -> None:
    (box, _), bus = a_box(capacity=3), Bus()
    box.open(ALL, [fill(bus) for _ in range(9)])
    box.put(fill(bus))
    assert box.lost_span() == Gap(first=1, last=1)
    assert taken(box) == list(range(2, 11))


def test_filters_are_about_events_that_have_what_they_name() -> None:
    wanted = Wanted(topics=frozenset(Topic), symbols=frozenset({"A/B"}), session="one")
    (box, _), bus = a_box(wanted=wanted), Bus()
    assert box.is_for(fill(bus, session="one", symbol="A/B"))
    assert box.is_for(fill(bus))
    assert not box.is_for(fill(bus, session="two", symbol="A/B"))
    assert not box.is_for(fill(bus, session="one", symbol="C/D"))


def test_nothing_passes_before_something_was_wanted() -> None:
    assert not Mailbox(8, lambda: None).is_for(fill(Bus()))


def test_when_conflation_begins_the_newer_quote_stands_at_its_own_place() -> None:
    (box, _), bus = a_box(capacity=24), Bus()
    for event in (quote(bus, "A/B"), fill(bus), quote(bus, "A/B"), fill(bus), fill(bus)):
        box.put(event)
    assert taken(box) == [2, 3, 4, 5]


@given(
    capacity=st.integers(1, 40),
    acts=st.lists(st.sampled_from(["fill", "A/B", "C/D", "take"]), max_size=200),
)
def test_whatever_happens_order_and_bound_hold_and_no_other_event_is_lost_untold(
    capacity: int, acts: list[str]
) -> None:
    (box, _), bus = a_box(capacity), Bus()
    fills: list[int] = []
    came: list[int] = []
    told: set[int] = set()
    for act in [*acts, *["take"] * 41]:
        if act == "take":
            event = box.take()
            if (gap := box.lost_span()) is not None:
                told |= set(range(gap.first, gap.last + 1))
            came += [] if event is None else [event.sequence]
        else:
            event = fill(bus) if act == "fill" else quote(bus, act)
            fills += [event.sequence] if act == "fill" else []
            box.put(event)
        assert len(box) <= capacity
    assert came == sorted(set(came))
    assert set(fills) <= set(came) | told
    assert not told & set(came)
