"""What a session does in the situations that hurt: an unsound strategy, a lost leg, a pause, a stop, old prices."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from tests.session.desks import (
    NOVA,
    ORION,
    START_NS,
    USDT,
    DeskInMemory,
    a_desk,
    linear,
    random_bars,
    random_quotes,
    run,
)
from workstation.errors import BadInput, RowsOutOfOrder, StrategyNonsense
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.events import (
    BalanceSet,
    CancelRequested,
    ConditionsChanged,
    EntryRefused,
    Fact,
    GroupChanged,
    OrderAccepted,
    OrderFilled,
    OrderSubmitted,
    SessionHalted,
    SessionPaused,
    SessionResumed,
    SessionStopped,
    SignalGenerated,
)
from workstation.model.group import GroupStatus
from workstation.model.market import (
    STEP_BITS,
    Rows,
    bar_rows,
    quote_rows,
)
from workstation.model.order import OrderPurpose, OrderStatus
from workstation.model.signal import SignalAction, SignalLeg
from workstation.model.units import Side
from workstation.session.session import Session
from workstation.session.state import SessionState, fold, restore, snapshot
from workstation.strategies.base import BarStrategy, Intent, Signals, TickStrategy
from workstation.strategies.ma_cross import MACross
from workstation.strategies.spread_reversion import SpreadReversion
from workstation.trading.limits import Limits
from workstation.trading.paper import FillAt, PaperSettings
from workstation.windows.specs import ConditionSpec, Field, Operator, WindowKind, WindowSpec

PAPER = PaperSettings(latency_ns=50_000_000)


class OnMid(TickStrategy):
    """Woken when the mid of the first instrument crosses 100; does what it is told."""

    name_in_cli = "on-mid"

    def __init__(self, answers: Sequence[Any]) -> None:
        super().__init__()
        self.answers = list(answers)

    def windows(self, instruments):
        return {"mid": WindowSpec(kind=WindowKind.QUOTE, instrument_a=instruments[0], min_points=2)}

    def conditions(self):
        return [ConditionSpec(name="up", window="mid", field=Field.VALUE, operator=Operator.ABOVE, threshold=100.0)]

    def on_wake(self, changes, view):
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        return answer


def quotes(*steps: tuple[int, int, float, float, float]) -> Rows:
    """(instrument, milliseconds, bid, ask, displayed quantity) each."""
    instrument, ms, bid, ask, size = (np.array(column) for column in zip(*steps, strict=True))
    rows = quote_rows(
        instrument=0, ts_received=START_NS + ms * 1_000_000, bid=bid, ask=ask, bid_quantity=size, ask_quantity=size
    )
    rows["instrument"] = instrument
    return rows


def buy(stop: float | None = None, target: float | None = None) -> list[Intent]:
    legs = (SignalLeg(NOVA, Side.BUY),)
    return [Intent(action=SignalAction.ENTER, legs=legs, stop_distance=stop, target_distance=target)]


def both() -> list[Intent]:
    return [Intent(action=SignalAction.ENTER, legs=(SignalLeg(NOVA, Side.BUY), SignalLeg(ORION, Side.SELL)))]


def tick_desk(answers: Sequence[Any], instruments: int = 1, **changes: Any) -> DeskInMemory:
    keys = [NOVA, ORION][:instruments]
    return a_desk(OnMid(answers), [linear(key) for key in keys], **{"paper": PAPER, **changes})


def of(facts: Sequence[Fact], kind: type) -> list[Any]:
    return [fact.event for fact in facts if isinstance(fact.event, kind)]


UP = quotes((0, 0, 99.0, 99.01, 50.0), (0, 100, 100.5, 100.51, 50.0), (0, 200, 100.5, 100.51, 50.0))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (ZeroDivisionError("no prices"), "ZeroDivisionError: no prices"),
        (["buy!"], "on_wake returned str"),
        (None, "TypeError"),
        (
            [Intent(action=SignalAction.ENTER, legs=(SignalLeg(ORION, Side.BUY),))],
            "expected a side of one of ['nova:BTC/USDT:USDT']",
        ),
        ([Intent(action=SignalAction.ENTER)], "enter with 0 legs"),
        (buy(stop=float("nan")), "stop_distance nan"),
        (buy(stop=-1.0), "stop_distance -1.0"),
    ],
)
def test_what_an_unsound_strategy_does_halts_its_session_with_a_sentence(answer, told):
    desk = tick_desk([answer])
    facts = run(desk, UP)
    (halted,) = of(facts, SessionHalted)
    assert told in halted.reason
    assert not of(facts, OrderSubmitted)


def test_a_halted_session_keeps_the_stop_of_what_it_holds():
    rows = quotes(
        (0, 0, 99.0, 99.01, 50.0),
        (0, 100, 100.5, 100.51, 50.0),
        (0, 200, 100.5, 100.51, 50.0),
        (0, 300, 99.9, 99.91, 50.0),
        (0, 400, 100.6, 100.61, 50.0),
        (0, 600, 90.0, 90.01, 50.0),
        (0, 700, 90.0, 90.01, 50.0),
    )
    desk = tick_desk([buy(stop=2.0), RuntimeError("late")])
    facts = run(desk, rows)
    assert of(facts, SessionHalted)
    assert [fill.fill.side for fill in of(facts, OrderFilled)] == [Side.BUY, Side.SELL]
    assert not desk.session.state.groups


def test_another_session_is_not_disturbed_by_one_that_halts():
    market_desk = tick_desk([ValueError("mine")])
    other = SpreadReversion(entry_z=1.5, exit_z=0.2, window_minutes=1, min_points=5, min_net_edge_bps=None)
    alone = a_desk(other, [linear(NOVA), linear(ORION)], paper=PAPER)
    facts = run(alone, random_quotes(1, 400))
    run(market_desk, UP)
    assert market_desk.session.state.halted is not None
    assert alone.session.state.halted is None and of(facts, OrderFilled)


def test_stop_and_target_are_placed_for_what_was_filled_and_the_other_goes_when_one_fills():
    rows = quotes(
        (0, 0, 99.0, 99.01, 50.0),
        (0, 100, 100.5, 100.51, 50.0),
        (0, 200, 100.5, 100.51, 50.0),
        (0, 400, 100.6, 100.61, 50.0),
        (0, 500, 103.6, 103.61, 50.0),
        (0, 700, 103.6, 103.61, 50.0),
    )
    desk = tick_desk([buy(stop=2.0, target=3.0)])
    facts = run(desk, rows)
    requests = {event.request.purpose: event.request for event in of(facts, OrderSubmitted)}
    entry = next(event.fill for event in of(facts, OrderFilled))
    assert requests[OrderPurpose.STOP].stop_price == entry.price - 2
    assert requests[OrderPurpose.TARGET].limit_price == entry.price + 3
    assert requests[OrderPurpose.STOP].quantity == entry.quantity
    assert [event.client_order_id for event in of(facts, CancelRequested)] == [
        requests[OrderPurpose.STOP].client_order_id
    ]
    assert desk.session.state.orders[requests[OrderPurpose.STOP].client_order_id].status is OrderStatus.CANCELLED
    position = desk.session.state.book.position(NOVA)
    assert position is not None and position.signed_quantity == 0


def test_a_lost_second_leg_unwinds_the_first():
    rows = quotes(
        (1, 0, 99.0, 99.01, 50.0),
        (0, 10, 99.0, 99.01, 50.0),
        (1, 50, 99.0, 99.01, 0.0),  # nothing to sell to at the second venue
        (0, 100, 100.5, 100.51, 50.0),
        (0, 300, 100.5, 100.51, 50.0),
        (0, 1300, 100.5, 100.51, 50.0),
        (0, 1500, 100.5, 100.51, 50.0),
        (0, 1700, 100.5, 100.51, 50.0),
    )
    desk = tick_desk([both()], instruments=2, entry_timeout_ns=SECOND_NS)
    facts = run(desk, rows)
    assert [(e.fill.instrument, e.fill.side) for e in of(facts, OrderFilled)] == [(NOVA, Side.BUY), (NOVA, Side.SELL)]
    reasons = [event.reason for event in of(facts, GroupChanged)]
    assert any("legs filled unevenly" in reason for reason in reasons)
    assert not desk.session.state.groups


def test_paused_and_lagging_sessions_refuse_entries_and_say_so():
    desk = tick_desk([buy()])
    facts = run(desk, UP, inputs={1: SessionPaused(by="me")})
    (refused,) = of(facts, EntryRefused)
    assert refused.limit == "paused"
    assert of(facts, SignalGenerated) and not of(facts, OrderSubmitted)


def test_a_resumed_session_enters_again():
    desk = tick_desk([buy()])
    facts = run(desk, UP, inputs={0: SessionPaused(by="me"), 1: SessionResumed(by="me")})
    assert of(facts, OrderFilled)


@pytest.mark.parametrize(
    ("answers", "before"),
    [
        ([], []),
        ([], [SessionPaused(by="me")]),
        ([], [SessionStopped(by="me")]),
        ([ZeroDivisionError("no prices")], []),
    ],
    ids=["running", "paused", "stopped", "halted"],
)
def test_what_became_true_is_journaled_whatever_the_session_does_about_it(answers, before):
    desk = tick_desk(answers)
    rows = np.concatenate([UP, quotes((0, 300, 99.0, 99.01, 50.0), (0, 400, 100.5, 100.51, 50.0))])
    facts = run(desk, rows, inputs=dict(enumerate(before)))
    told = [(fact.sequence >> STEP_BITS, fact.event.changes) for fact in facts if type(fact.event) is ConditionsChanged]
    assert told == [(2, (("up", True),)), (4, (("up", False),)), (5, (("up", True),))]
    assert desk.session.state.conditions == {"up": True}
    assert restore(snapshot(desk.session.state)).conditions == {"up": True}


def test_conditions_start_with_the_truth_of_the_state_and_names_no_longer_declared_are_ignored():
    desk = tick_desk([])
    session = Session(desk.session.settings, OnMid([]), desk.market, SessionState())
    session.state.conditions.update(up=True, forgotten=True)
    session.subscribe(desk.host)
    known = len(desk.market.tables.conditions)
    session.resume(desk.host)
    assert desk.market.tables.conditions["is_true"][known:].tolist() == [1]


def test_two_conditions_of_one_name_are_refused():
    class Doubled(OnMid):
        def conditions(self):
            return [*super().conditions(), *super().conditions()]

    with pytest.raises(StrategyNonsense, match="condition up: declared twice"):
        a_desk(Doubled([]), [linear()], paper=PAPER)


def test_a_stop_that_flattens_closes_what_is_held_and_nothing_opens_after_it():
    rows = np.concatenate([UP, quotes((0, 300, 100.5, 100.51, 50.0), (0, 500, 100.5, 100.51, 50.0))])
    desk = tick_desk([buy(), buy()])
    facts = run(desk, rows, inputs={3: SessionStopped(by="me", flatten=True)})
    assert [event.fill.side for event in of(facts, OrderFilled)] == [Side.BUY, Side.SELL]
    assert desk.session.state.is_stopped


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        (Limits(max_position_notional_quote=Decimal(10), max_open_positions=None), "max_position_notional_quote"),
        (Limits(max_position_notional_quote=None, max_open_positions=0), "max_open_positions"),
    ],
)
def test_an_entry_beyond_a_limit_is_refused_with_the_figures(limits, limit):
    facts = run(tick_desk([buy()], limits=limits), UP)
    (refused,) = of(facts, EntryRefused)
    assert refused.limit == limit and refused.figure and refused.allowed


def test_an_entry_on_an_old_quote_is_refused_and_names_the_age():
    rows = quotes((1, 0, 50.0, 50.01, 50.0), (0, 100, 99.0, 99.01, 50.0), (0, 10_000, 100.5, 100.51, 50.0))
    limits = Limits(max_position_notional_quote=None, max_open_positions=None, max_quote_age_ns=5 * SECOND_NS)
    facts = run(tick_desk([both()], instruments=2, limits=limits), rows)
    (refused,) = of(facts, EntryRefused)
    assert (refused.limit, refused.instrument, refused.figure) == ("max_quote_age_ms", ORION, "age 10,000 ms")


def test_an_entry_without_a_price_is_refused():
    facts = run(tick_desk([both()], instruments=2), UP)
    (refused,) = of(facts, EntryRefused)
    assert (refused.limit, refused.instrument) == ("price", ORION)


def test_rows_out_of_order_are_refused_with_both_times_and_the_rows_before_are_in():
    desk = tick_desk([])
    rows = quotes((0, 500, 99.0, 99.01, 50.0), (0, 400, 99.0, 99.01, 50.0))
    with pytest.raises(RowsOutOfOrder, match=f"row 1: ts_received {START_NS + 400_000_000} lies before"):
        desk.take(rows)
    assert desk.market.tables.clock["rows"][0] == 1


def test_a_bar_strategy_needs_one_instrument_and_a_length():
    with pytest.raises(BadInput, match="needs one instrument and interval_ns"):
        a_desk(MACross(), [linear()], paper=PAPER)


def test_a_bar_strategy_that_returns_nonsense_is_halted_by_name():
    class Nonsense(BarStrategy):
        name_in_cli = "nonsense"

        def signals(self, bars):
            return MACross(fast=2, slow=3).signals(bars.slice(0, max(len(bars) - 1, 0)))

    bars = random_bars(1, 20)
    desk = a_desk(Nonsense(), [linear()], paper=PaperSettings(on_bars=True), interval_ns=MINUTE_NS, now_ns=START_NS)
    facts = run(desk, bar_rows(bars, 0))
    (halted,) = of(facts, SessionHalted)
    assert "entries is int8 (0,), expected shape (1,)" in halted.reason


def test_state_is_the_fold_of_the_journal_and_a_snapshot_with_its_tail_is_the_whole():
    desk = a_desk(
        SpreadReversion(entry_z=1.5, exit_z=0.2, window_minutes=1, min_points=5, min_net_edge_bps=None),
        [linear(NOVA), linear(ORION)],
        paper=PAPER,
    )
    facts = run(desk, random_quotes(5, 600))
    whole = snapshot(desk.session.state)
    assert snapshot(fold(facts)) == whole
    for cut in range(0, len(facts), 7):
        assert snapshot(fold(facts[cut:], restore(snapshot(fold(facts[:cut]))))) == whole


def test_a_closed_group_leaves_memory_and_its_ids_are_not_used_again():
    desk = a_desk(
        SpreadReversion(entry_z=1.5, exit_z=0.2, window_minutes=1, min_points=5, min_net_edge_bps=None),
        [linear(NOVA), linear(ORION)],
        paper=PAPER,
    )
    facts = run(desk, random_quotes(6, 3000, step_ns=2 * SECOND_NS))
    groups = [event.group_id for event in of(facts, GroupChanged) if event.status is GroupStatus.CLOSED]
    assert len(desk.session.state.closed_groups) < len(groups)
    ids = [event.request.client_order_id for event in of(facts, OrderSubmitted)]
    assert len(ids) == len(set(ids))


def test_a_price_that_no_grid_can_hold_pauses_this_session_and_the_rows_go_on():
    rows = np.concatenate([UP, quotes((0, 210, 1e16, 1.1e16, 50.0), (0, 400, 100.5, 100.51, 50.0))])
    rows["x3"][3] = 0.0
    desk = tick_desk([buy()])
    rows["ts_received"][3] = START_NS + 149_000_000
    rows = rows[np.argsort(rows["ts_received"], kind="stable")]
    facts = run(desk, rows)
    assert desk.market.tables.clock["rows"][0] == len(rows)
    paused = of(facts, SessionPaused)
    assert not paused or "2^53" in paused[0].reason or "steps" in paused[0].reason


def test_an_order_that_meets_a_price_that_no_grid_can_hold_is_accepted_all_the_same():
    rows = quotes((0, 0, 99.0, 99.01, 50.0), (0, 100, 100.5, 100.51, 50.0), (0, 109, 1e16, 1.1e16, 50.0))
    desk = tick_desk([buy()], paper=PaperSettings(latency_ns=10_000_000))
    facts = run(desk, np.concatenate([rows, quotes((0, 200, 100.5, 100.51, 50.0))]))
    told = [type(fact.event) for fact in facts if isinstance(fact.event, OrderAccepted | SessionPaused | OrderFilled)]
    assert told == [OrderAccepted, SessionPaused, OrderFilled]


def test_a_leg_is_refused_when_its_own_venue_has_no_money():
    desk = tick_desk([both()], instruments=2)
    desk.session.state.book.apply_balance(BalanceSet(venue=ORION.venue, currency=USDT, amount=Decimal(0)))
    rows = quotes((1, 0, 99.0, 99.01, 50.0), (0, 10, 99.0, 99.01, 50.0), (0, 100, 100.5, 100.51, 50.0))
    (refused,) = of(run(desk, rows), EntryRefused)
    assert (refused.limit, refused.instrument) == ("balance", ORION)


def test_a_stop_on_two_legs_is_nonsense():
    legs = (SignalLeg(NOVA, Side.BUY), SignalLeg(ORION, Side.SELL))
    desk = tick_desk([[Intent(action=SignalAction.ENTER, legs=legs, stop_distance=1.0)]], instruments=2)
    (halted,) = of(run(desk, UP), SessionHalted)
    assert "several legs have no common stop" in halted.reason


def test_a_numpy_distance_is_taken_as_the_number_it_is():
    facts = run(tick_desk([buy(stop=np.float32(2.0))]), UP)
    (signal,) = of(facts, SignalGenerated)
    assert type(signal.signal.stop_distance) is float


def test_a_bar_that_no_grid_can_hold_pauses_the_session_and_its_orders_go_on():
    class InAndOut(BarStrategy):
        name_in_cli = "in-and-out"

        def signals(self, bars):
            entries, leaves, never = np.zeros(len(bars), np.int8), np.zeros(len(bars), bool), np.zeros(len(bars), bool)
            entries[1:2], leaves[4:5] = 1, True
            far = np.full(len(bars), 9.0)
            return Signals(entries=entries, exit_long=leaves, exit_short=never, stop_distance=far, target_distance=far)

    bars = random_bars(1, 8, jump=1e-6)
    for name in ("open", "high", "low", "close"):
        getattr(bars, name)[2] = 1e16  # through the target, at a price that is none
    paper, now_ns = PaperSettings(on_bars=True, fill_at=FillAt.THIS_CLOSE), START_NS - 100 * SECOND_NS
    desk = a_desk(InAndOut(), [linear()], paper=paper, interval_ns=MINUTE_NS, now_ns=now_ns)
    facts = run(desk, bar_rows(bars, 0))
    assert [event.by for event in of(facts, SessionPaused)] == ["paper venue"]
    assert [float(event.fill.price) for event in of(facts, OrderFilled)] == [bars.close[1], bars.close[4]]
    assert not desk.session.state.groups
