"""Acts by hand: inputs like any other, through the limits that every entry passes, verified and restarted anywhere."""

import contextlib
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import a_quote
from tests.engine.bench import Bench, a_bench, journal_away
from tests.session.desks import NOVA, START_NS, SYMBOL, linear, random_quotes
from workstation.client.ticket import OrderTicket, Placed
from workstation.engine.hand import Hand
from workstation.engine.kill_flag import Kill
from workstation.errors import BadInput, GroupNotFound, HaltError, OrderNotFound, WorkstationError
from workstation.model.durations import SECOND_NS
from workstation.model.events import (
    CancelRequested,
    EntryRefused,
    GroupChanged,
    OrderAsked,
    OrderCancelled,
    OrderFilled,
    OrderSubmitted,
    SessionPaused,
    SessionResumed,
    SessionStopped,
    SignalGenerated,
)
from workstation.model.group import GroupStatus
from workstation.model.instrument import InstrumentKey, InstrumentKind
from workstation.model.order import OrderPurpose, OrderStatus, OrderType
from workstation.model.units import Side

NO_LIMITS = {"max_quote_age_ms": "none", "max_position_notional": "none"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with a_bench(tmp_path / "home") as bench:
        by_hand(bench)
        yield bench


def by_hand(bench: Bench, session: str = "s", **changes: Any) -> None:
    """A session that nobody trades but a person, on one venue; it has seen a quote of 99 to 101."""
    fields: dict[str, Any] = {"strategy": "by-hand", "parameters": {}, "venues": ("nova",), "limits": NO_LIMITS}
    bench.start(session, **(fields | changes))
    quote(bench)


def quote(bench: Bench, bid: float = 99.0, ask: float = 101.0, quantity: float = 50.0, after_s: float = 0.2) -> None:
    """The venue quotes, a while later."""
    bench.wait(after_s)
    received_ns = bench.clock.time_ns
    bench.play(a_quote(bid=bid, ask=ask, bid_quantity=quantity, ask_quantity=quantity, ts_received=received_ns))


def ticket(**changes: Any) -> OrderTicket:
    fields: dict[str, Any] = {"session": "s", "venue": "nova", "symbol": SYMBOL, "side": "buy"}
    if "notional" not in changes:
        fields["quantity"] = "2"
    return OrderTicket(**(fields | changes))


def place(bench: Bench, **changes: Any) -> Placed:
    return Hand(bench.sessions, bench.turns).place(ticket(**changes), "tester")


def placed(bench: Bench, **changes: Any) -> Any:
    order = place(bench, **changes).order
    assert order is not None
    return order


def refused(bench: Bench, **changes: Any) -> str:
    refusal = place(bench, **changes).refusal
    assert refusal is not None
    return refusal.sentence


def state_of(bench: Bench, session: str = "s") -> Any:
    return bench.sessions.of(session).session.state


# -- an order


def test_a_market_order_by_hand_opens_a_group_with_its_stop_and_target(bench: Bench) -> None:
    order = placed(bench, stop_price="95.005", target_price="110")
    assert (order.type, order.purpose, order.quantity) == (OrderType.MARKET, OrderPurpose.ENTRY, Decimal(2))
    quote(bench)
    resting = {one.request.purpose: one.request for one in state_of(bench).orders.values() if not one.is_final}
    assert resting[OrderPurpose.STOP].stop_price == Decimal("95.01")  # of a sell, on the tick that is safe
    assert resting[OrderPurpose.TARGET].limit_price == Decimal("110.00")
    quote(bench, 94.0, 96.0)
    quote(bench, 94.0, 96.0)
    assert not state_of(bench).groups
    assert [one.status for one in bench.events(GroupChanged)][-1] is GroupStatus.CLOSED


def test_a_limit_order_by_hand_waits_for_its_price_and_can_be_given_up(bench: Bench) -> None:
    order = placed(bench, type="limit", limit_price="97.009", quantity="1.00099")
    assert (order.limit_price, order.quantity) == (Decimal("97.00"), Decimal("1.000"))
    quote(bench)
    hand = Hand(bench.sessions, bench.turns)
    for _ in range(2):
        hand.cancel(order.client_order_id, "tester")
    quote(bench)
    quote(bench, 96.0, 97.0)
    assert len(bench.events(CancelRequested)) == len(bench.events(OrderCancelled)) == 1
    assert not bench.events(OrderFilled) and not state_of(bench).groups
    with pytest.raises(BadInput, match="it is cancelled already"):
        hand.cancel(order.client_order_id, "tester")


def test_what_was_filled_before_it_was_given_up_is_kept_and_protected(bench: Bench) -> None:
    order = placed(bench, type="limit", limit_price="100", quantity="3", stop_price="90")
    quote(bench, 99.0, 101.0)
    quote(bench, 98.0, 100.0, quantity=1.0)
    Hand(bench.sessions, bench.turns).cancel(order.client_order_id, "tester")
    quote(bench, 99.0, 101.0)
    (group,) = state_of(bench).groups.values()
    stops = [one for one in state_of(bench).orders.values() if one.request.purpose is OrderPurpose.STOP]
    assert group.status is GroupStatus.OPEN
    assert [one.request.quantity for one in stops] == [Decimal(1)]


def test_a_notional_is_bought_in_whole_lots_at_the_limit_or_the_mid(bench: Bench) -> None:
    assert placed(bench, notional="250").quantity == Decimal("2.5")
    assert placed(bench, notional="250", type="limit", limit_price="99").quantity == Decimal("2.525")


def test_a_group_and_a_position_are_closed_at_the_market(bench: Bench) -> None:
    hand = Hand(bench.sessions, bench.turns)
    first, second = placed(bench, stop_price="90"), placed(bench, quantity="1")
    quote(bench)
    assert hand.close_group(first.group, "tester").status == GroupStatus.CLOSING
    quote(bench), quote(bench)
    assert list(state_of(bench).groups) == [second.group]
    (closing,) = hand.close_position("s", "nova", SYMBOL, "tester")
    assert (closing.group, closing.status) == (second.group, GroupStatus.CLOSING)
    quote(bench), quote(bench)
    assert not state_of(bench).groups
    assert state_of(bench).book.position(NOVA).signed_quantity == 0


# -- what is refused, and what cannot be


@pytest.mark.parametrize(
    ("limits", "order", "words"),
    [
        ({"max_position_notional": "150"}, {}, "max_position_notional_quote on nova.*200.* allowed 150"),
        ({"max_open_positions": 1}, {"also": {}}, "max_open_positions: 2, allowed 1"),
        ({"max_quote_age_ms": 1_000}, {"after_s": 3}, "max_quote_age_ms on .*age 3,.* ms, allowed at most 1,000 ms"),
        ({}, {"quantity": "200"}, "balance on nova.*200 at 100.0, allowed 10000 USDT"),
        ({}, {"quantity": "70", "also": {"quantity": "40"}}, "balance on nova.*70 at 100.0, allowed 6000 USDT"),
        ({}, {"quantity": "0.0009"}, "size on nova.*0.0009, allowed at least one lot of 0.001"),
        ({}, {"notional": "0.05"}, "size on nova.*0.05 at 100.0, allowed at least one lot"),
        ({}, {"type": "limit", "limit_price": "106"}, "price_from_mid on .*106.00, allowed at most 105.*mid of 100"),
        ({}, {"side": "sell", "type": "limit", "limit_price": "94"}, "price_from_mid on .*94.00, allowed at least 95"),
        ({}, {"stop_price": "100"}, "stop_price on nova.*100, allowed below 100.0, as the stop of a buy"),
        ({}, {"side": "sell", "stop_price": "99"}, "stop_price on nova.*99, allowed above 100.0"),
        ({}, {"target_price": "99.99"}, "target_price on nova.*99.99, allowed above 100.0"),
        ({}, {"type": "limit", "limit_price": "0.001"}, "limit_price on nova.*0.001, allowed at least one tick"),
        ({}, {"stop_price": "1e-12"}, "stop_price on nova.*1E-12, allowed below 100.0"),
        ({}, {"side": "sell", "also": {}}, "opposite position on nova.*group g0 is long, allowed none"),
    ],
)  # fmt: skip
def test_what_risk_refuses_is_answered_with_limit_value_and_figure_and_journaled(
    tmp_path: Path, limits: dict[str, Any], order: dict[str, Any], words: str
) -> None:
    with a_bench(tmp_path / "home") as bench:
        by_hand(bench, limits=NO_LIMITS | limits)
        after_s, also = order.pop("after_s", 0), order.pop("also", None)
        if also is not None:
            placed(bench, **also)
        bench.wait(after_s)
        before = len(bench.events(OrderSubmitted))
        assert re.search(words, refused(bench, **order))
        assert len(bench.events(EntryRefused)) == 1 and len(bench.events(OrderSubmitted)) == before
        assert bench.events(SignalGenerated)[-1].signal.reason == "by hand: tester"
        assert bench.sessions.of("s").signals[-1].refusal is not None
        assert bench.verify_all()["s.1"].beyond == 0


def test_a_spot_order_finds_only_the_money_that_no_waiting_order_needs(tmp_path: Path) -> None:
    key = InstrumentKey(NOVA.venue, "BTC/USDT")
    with a_bench(tmp_path / "home", [linear(key, kind=InstrumentKind.SPOT)]) as bench:
        fields = {"strategy": "by-hand", "parameters": {}, "venues": ("nova",), "limits": NO_LIMITS}
        bench.start(symbol=key.symbol, balance="1000", coins="3", **fields)
        bench.play(a_quote(ts_received=START_NS), keys=[key])
        limit = {"type": "limit", "symbol": key.symbol}
        placed(bench, **limit, limit_price="90", quantity="6")
        assert "5 at 90.0, allowed 460" in refused(bench, **limit, limit_price="90", quantity="5.2").replace("5.2", "5")
        placed(bench, **limit, limit_price="90", quantity="5")


@pytest.mark.parametrize("act", [SessionPaused(by="x"), SessionStopped(by="x")])
def test_a_session_that_takes_no_entries_refuses_one_by_hand(bench: Bench, act: Any) -> None:
    placed(bench)
    bench.inject("s", act)
    assert "no entries" in refused(bench)
    assert len(bench.events(OrderSubmitted)) == 1


def test_an_order_before_the_first_quote_is_refused(tmp_path: Path) -> None:
    with a_bench(tmp_path / "home") as bench:
        bench.start(strategy="by-hand", parameters={}, venues=("nova",), limits=NO_LIMITS)
        assert refused(bench) == f"refused by price on {NOVA}: none, allowed a price"


@pytest.mark.parametrize(
    "fields",
    [
        {"quantity": None},
        {"quantity": "1", "notional": "5"},
        {"quantity": "0"},
        {"quantity": "-1"},
        {"quantity": "NaN"},
        {"quantity": "1e30"},
        {"type": "limit"},
        {"limit_price": "5"},
        {"side": "hold"},
        {"type": "stop"},
        {"stop_price": "Infinity"},
        {"session": "../x"},
        {"leverage": 3},
    ],
)
def test_a_ticket_that_cannot_be_is_none(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        ticket(**fields)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantity": None}, "expected exactly one"),
        ({"notional_quote": Decimal(1)}, "expected exactly one"),
        ({"quantity": Decimal("NaN")}, "expected more than 0"),
        ({"type": OrderType.STOP}, "expected market or limit"),
        ({"type": OrderType.LIMIT}, "needs one"),
        ({"limit_price": Decimal(1)}, "has none"),
        ({"stop_price": Decimal(-1)}, "expected more than 0"),
    ],
)
def test_an_input_by_hand_that_cannot_be_is_never_journaled(changes: dict[str, Any], words: str) -> None:
    fields: dict[str, Any] = {
        "by": "x",
        "instrument": NOVA,
        "side": Side.BUY,
        "type": OrderType.MARKET,
        "quantity": Decimal(1),
        "seen_price": None,
    }
    with pytest.raises(BadInput, match=words):
        OrderAsked(**(fields | changes))


def test_what_is_not_there_is_answered_with_what_is(bench: Bench) -> None:
    hand = Hand(bench.sessions, bench.turns)
    with pytest.raises(BadInput, match=r"vega:.*expected an instrument that it trades: nova"):
        place(bench, venue="vega")
    with pytest.raises(OrderNotFound, match="order w0"):
        hand.cancel("w0", "x")
    with pytest.raises(GroupNotFound, match=r"group g7: not open \(open are: none\)"):
        hand.close_group("g7", "x")
    with pytest.raises(GroupNotFound, match="it holds nothing on nova"):
        hand.close_position("s", "nova", SYMBOL, "x")


def test_a_stop_is_not_cancelled_without_what_it_protects(bench: Bench) -> None:
    placed(bench, stop_price="90")
    quote(bench)
    stop = next(one for one in state_of(bench).orders.values() if one.request.purpose is OrderPurpose.STOP)
    with pytest.raises(BadInput, match="it is the stop of group g0; close that group instead"):
        Hand(bench.sessions, bench.turns).cancel(stop.request.client_order_id, "x")
    assert stop.status is OrderStatus.ACCEPTED


def test_a_group_that_two_sessions_have_is_closed_in_the_one_that_is_named(bench: Bench) -> None:
    by_hand(bench, "t")
    for session in ("s", "t"):
        placed(bench, session=session)
    quote(bench)
    hand = Hand(bench.sessions, bench.turns)
    with pytest.raises(BadInput, match="sessions s, t have one of that name"):
        hand.close_group("g0", "x")
    assert hand.close_group("g0", "x", "t").session == "t"
    assert state_of(bench).groups["g0"].status is GroupStatus.OPEN


def test_an_order_that_the_journal_does_not_take_is_no_order(bench: Bench) -> None:
    with journal_away(bench.ledger.path):
        place(bench)  # written behind: the engine waits for the disk before it answers
        with pytest.raises(HaltError, match="not committed"):
            bench.ledger.flush()
        with pytest.raises(HaltError, match="session s: not done"):
            place(bench)
    bench.ledger.resume()
    assert not bench.events(OrderSubmitted) and not bench.events(OrderFilled)
    assert "goes on from its journal" in (bench.sessions.of("s").fault or "")


def test_a_price_that_the_grid_cannot_hold_is_one_orders_mistake_and_no_sessions(tmp_path: Path) -> None:
    with a_bench(tmp_path / "home", [linear(NOVA, tick_size=Decimal("0.0001"))]) as bench:
        by_hand(bench)
        sentence = refused(bench, target_price="999999999999")
        assert sentence.startswith("refused by grid on nova:BTC/USDT:USDT: price 999999999999.0: more than 10^15")
        assert state_of(bench).halted is None


# -- beside a strategy


def test_a_strategy_neither_sees_nor_closes_what_a_person_opened(tmp_path: Path) -> None:
    rows = random_quotes(5, 3_000)
    with a_bench(tmp_path / "alone") as alone, a_bench(tmp_path / "beside") as beside:
        for bench in (alone, beside):
            bench.start(limits=NO_LIMITS | {"max_open_positions": "none"}, sizing="fixed-notional=500")
            bench.play(rows[:200])
        group = placed(beside, quantity="0.001").group
        for bench in (alone, beside):
            bench.play(rows[200:])
        assert group in state_of(beside).groups or "opposite position" in {e.limit for e in beside.events(EntryRefused)}
        assert state_of(beside).groups[group].status is GroupStatus.OPEN
        signals = [[one.signal.reason for one in b.events(SignalGenerated)] for b in (alone, beside)]
        assert [one for one in signals[1] if not one.startswith("by hand")][:3] == signals[0][:3]
        assert beside.verify_all()["s.1"].beyond == 0


# -- anywhere, in any order

ACTS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "limit", "cancel", "close", "position", "kill", "lift", "pause", "restart"]),
        st.integers(1, 60),
        st.integers(0, 10**6),
    ),
    min_size=3,
    max_size=25,
)


class Person:
    """Does one thing after the other, as an endless supply of numbers says."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.hand = bench, Hand(bench.sessions, bench.turns)

    def act(self, verb: str, number: int) -> None:
        state, hand = state_of(self.bench), self.hand
        mid = self.bench.sessions.of("s").session.view.quoted(NOVA, self.bench.clock.time_ns)
        near = 10_000.0 if mid is None else round(mid.price, 2)
        quantity = Decimal(number % 200 + 1) / 1000
        if verb in ("buy", "sell"):
            away = (number % 50 + 1) * (1 if verb == "buy" else -1)
            stop = {"stop_price": str(near - away), "target_price": str(near + 2 * away)} if number % 3 else {}
            hand.place(ticket(side=verb, quantity=quantity, **stop), "person")
        elif verb == "limit":
            hand.place(ticket(type="limit", limit_price=str(near - number % 5), quantity=quantity), "person")
        elif verb == "cancel" and state.orders:
            hand.cancel(list(state.orders)[number % len(state.orders)], "person")
        elif verb == "close" and state.groups:
            hand.close_group(list(state.groups)[number % len(state.groups)], "person")
        elif verb == "position":
            hand.close_position("s", "nova", SYMBOL, "person")
        elif verb == "pause":
            self.bench.inject("s", SessionResumed(by="x") if state.is_paused else SessionPaused(by="x"))
        elif verb == "kill":
            flag = self.bench.sessions.kill_switch._flag
            flag.switch_on(Kill(by="x", since_ns=number, flatten=bool(number % 2)))
            self.bench.sessions.kill_switch.heed()
        elif verb == "lift":
            self.bench.sessions.kill_switch._flag.lift(None)
            self.bench.sessions.kill_switch.heed()


def check(bench: Bench) -> None:
    """What holds whatever was done: money, groups, and a run that makes its decisions again."""
    state = state_of(bench)
    assert bench.sessions.of("s").fault is None and state.halted is None
    held = {leg.side for group in state.groups.values() for leg in group.legs}
    assert len(held) <= 1, "groups hold against each other"
    for verified in bench.verify_all().values():
        assert verified.beyond == 0


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=ACTS, seed=st.integers(0, 1_000))
def test_any_acts_in_any_order_across_restarts_verify_and_keep_their_money(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int, int]], seed: int
) -> None:
    rows = random_quotes(seed, 60 * len(acts) + 1)
    home, place_in_rows = tmp_path_factory.mktemp("home") / "0", 0
    bench = Bench(home)
    try:
        bench.start(strategy="by-hand", parameters={}, limits=NO_LIMITS)
        for number, (verb, count, figure) in enumerate(acts):
            bench.play(rows[place_in_rows : place_in_rows + count])
            place_in_rows += count
            if verb == "restart":
                again = bench.crashed(home.with_name(str(number + 1)))
                bench.close()
                bench = Bench(again, now_ns=bench.clock.time_ns + SECOND_NS)
                bench.recover()
                continue
            with contextlib.suppress(WorkstationError):  # there was nothing to close or cancel
                Person(bench).act(verb, figure)
        bench.play(rows[place_in_rows:])
        check(bench)
    finally:
        bench.close()
