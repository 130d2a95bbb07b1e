"""The loop: what it takes, what it refuses, why it stops, and that nothing depends on how rows are cut."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import NOW_NS, a_bar, a_quote, a_row, a_trade, rows
from tests.windows.boards import Board, a_mid, a_spread, pieces, random_rows, seconds, trade_bars
from workstation.model.durations import HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.model.market import (
    STEP_BITS,
    RowKind,
    Rows,
    interval_code,
)
from workstation.windows.advance import (
    BAR_CLOSED,
    BAR_DUE,
    CONDITION,
    DEADLINE,
    DISORDER,
    EVERY_ROW,
    INPUT,
    PRICE,
)
from workstation.windows.bars import close_due_bars
from workstation.windows.specs import Field, Operator, WindowSpec
from workstation.windows.tables import ON_BARS, ON_BOTH

NUMBERS_THAT_ARE_NO_PRICE = [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e300]
seeds = st.integers(0, 10_000)
MANY = [
    a_spread(0, 1),
    a_spread(0, 2, span_ns=20 * SECOND_NS),
    a_spread(1, 2, max_points=4),
    a_spread(0, 1, quantiles=(0.2, 0.7)),
    a_mid(0, resolution_ns=0, max_points=7),
]


def a_mark(price: float = 100.0, index: float = 0.0) -> Rows:
    return a_row(kind=RowKind.MARK, x0=price, x1=index)


def a_level(bid: float = 99.0, ask: float = 100.0, quantity: float = 1.0) -> Rows:
    return a_row(kind=RowKind.BOOK, x0=bid, x1=ask, x2=quantity, x3=1.0, x4=3.0)


def bad_rows() -> list[tuple[str, Rows]]:
    bad = [("unknown", a_quote(instrument=index)) for index in (-1, 4, 2**31 - 1)]
    bad += [("crossed", a_quote(bid=101.0, ask=100.99))]
    for number in NUMBERS_THAT_ARE_NO_PRICE:
        bad += [("value", a_quote(bid=number)), ("value", a_quote(ask=number)), ("value", a_trade(price=number))]
        bad += [("value", a_bar(**{name: number})) for name in ("open", "high", "low", "close")]
        bad += [("value", a_trade(quantity=number))]
    for number in (math.nan, math.inf, -0.001, 1e300):
        bad += [("value", a_quote(bid_quantity=number)), ("value", a_quote(ask_quantity=number))]
        bad += [("value", a_bar(volume=number))]
    bad += [("value", a_row(kind=kind, x0=1, x1=1, x2=1, x3=1)) for kind in (0, 7, 255)]
    bad += [("value", a_mark(price)) for price in NUMBERS_THAT_ARE_NO_PRICE]
    bad += [("value", a_mark(100.0, index)) for index in (math.nan, -1.0, math.inf)]
    bad += [("value", a_row(kind=RowKind.FUNDING, x0=rate)) for rate in (math.nan, 1.0, -1.0, math.inf)]
    bad += [("value", a_row(kind=RowKind.FUNDING, x0=0.0001, x1=-1.0)), ("crossed", a_level(bid=101.0))]
    bad += [("value", a_level(bid=0.0, ask=0.0)), ("value", a_level(bid=math.nan)), ("value", a_level(quantity=-1.0))]
    bad += [("value", a_bar(open=103.0)), ("value", a_bar(close=97.0)), ("value", a_bar(low=103.0))]
    odd = a_bar()
    odd["interval_code"] = 64 + interval_code(MINUTE_NS)
    return [*bad, ("value", odd)]


@pytest.mark.parametrize(("why", "row"), bad_rows())
def test_a_row_that_cannot_be_is_counted_and_touches_nothing(why: str, row: Rows) -> None:
    board = Board(a_mid(), trade_bars())
    board.condition(0, Field.VALUE, Operator.ABOVE, 0.0)
    board.set(0, every_row=1, bar_wake=1 << interval_code(MINUTE_NS), buy_touch=math.inf)
    before = board.tables.instruments.tobytes(), board.window_state(0), board.window_state(1)
    assert board.walk(row) == []
    assert (board.tables.instruments.tobytes(), board.window_state(0), board.window_state(1)) == before
    counts = {name: board.clock(f"rejected_{name}") for name in ("unknown", "value", "crossed")}
    assert counts == dict.fromkeys(counts, 0) | {why: 1}
    assert (board.clock("rows"), board.clock("sequence"), board.clock("ts_received")) == (1, 1 << STEP_BITS, NOW_NS)


@pytest.mark.parametrize("row", [a_quote(bid=100.0, ask=100.0), a_quote(bid_quantity=0.0, ask_quantity=0.0)])
def test_a_locked_quote_and_an_empty_one_are_taken(row: Rows) -> None:
    board = Board()
    board.set(0, every_row=1)
    assert board.walk(row) == [(1, EVERY_ROW, [])]
    assert board.tables.instruments["ts_received"][0] == NOW_NS


def test_a_bar_that_never_moved_is_taken() -> None:
    board = Board()
    board.walk(a_bar(open=100, high=100, low=100, close=100, volume=0))
    assert board.tables.instruments["last_price"][0] == 100.0


def test_rows_are_numbered_behind_what_came_before() -> None:
    board, market = Board(), seconds((0, 0, 100), (1, 0, 100))
    board.tables.clock["sequence"] = (7 << STEP_BITS) + 3
    board.walk(market)
    assert market["sequence"].tolist() == [8 << STEP_BITS, 9 << STEP_BITS]


# -- why it stops


def test_a_deadline_comes_before_the_first_row_at_or_past_it() -> None:
    market = seconds((0, 0, 100), (1, 0, 100), (2, 0, 100))
    assert Board().step(market, next_due=NOW_NS + SECOND_NS) == (1, DEADLINE)
    assert Board().step(market, next_due=NOW_NS + SECOND_NS + 1) == (2, DEADLINE)
    assert Board().step(market, next_due=NOW_NS + 2 * SECOND_NS + 1) == (3, 0)


def test_a_woken_row_comes_before_the_deadline_behind_it() -> None:
    board, market = Board(), seconds((0, 0, 100), (1, 0, 100))
    board.set(0, every_row=1)
    due = NOW_NS + SECOND_NS
    assert board.step(market, next_due=due) == (1, EVERY_ROW)
    assert board.step(market, 1, next_due=due) == (1, DEADLINE)
    assert board.step(market, 1) == (2, EVERY_ROW)


def test_an_input_comes_at_its_own_place() -> None:
    market = seconds((0, 0, 100), (1, 0, 100), (2, 0, 100))
    board = Board()
    assert board.step(market, stop_sequence=(2 << STEP_BITS) + 1) == (2, INPUT)
    assert board.step(market, 2, stop_sequence=(2 << STEP_BITS) + 1) == (2, INPUT)
    board.tables.clock["sequence"] += 1
    assert board.step(market, 2) == (3, 0)
    assert market["sequence"].tolist() == [1 << STEP_BITS, 2 << STEP_BITS, 3 << STEP_BITS]


def test_a_row_out_of_order_is_not_taken() -> None:
    board, market = Board(), seconds((0, 0, 100), (2, 0, 100), (1, 0, 300))
    assert board.step(market) == (2, DISORDER)
    assert (board.clock("rows"), board.tables.instruments["bid"][0]) == (2, 99.0)


def test_rows_of_the_same_time_are_in_order() -> None:
    assert Board().step(seconds((1, 0, 100), (1, 1, 100), (1, 0, 100))) == (3, 0)


@pytest.mark.parametrize(
    ("level", "reached", "missed"),
    [
        ({"buy_touch": 100.0}, {"bid": 99, "ask": 100}, {"bid": 99, "ask": 100.01}),
        ({"sell_touch": 100.0}, {"bid": 100, "ask": 101}, {"bid": 99.99, "ask": 101}),
        ({"rise": 100.0}, {"bid": 99, "ask": 100}, {"bid": 99, "ask": 99.99}),
        ({"fall": 100.0}, {"bid": 100, "ask": 101}, {"bid": 100.01, "ask": 101}),
    ],
)
def test_a_quote_wakes_whom_its_price_reaches(level: dict[str, float], reached: Any, missed: Any) -> None:
    board = Board()
    board.set(0, **level)
    assert board.walk(a_quote(**missed)) == []
    assert board.walk(a_quote(**reached)) == [(1, PRICE, [])]
    assert board.walk(a_quote(instrument=1, **reached)) == []
    board.set(0, waits_on=ON_BARS)
    assert board.walk(a_quote(**reached)) == []


@pytest.mark.parametrize(
    ("level", "price", "is_woken"),
    [
        ({"buy_touch": 100.0}, 100.0, True),
        ({"buy_touch": 100.0}, 100.01, False),
        ({"sell_touch": 100.0}, 100.0, True),
        ({"sell_touch": 100.0}, 99.99, False),
        ({"rise": 100.0}, 500.0, False),
        ({"fall": 100.0}, 1.0, False),
    ],
)
def test_a_trade_wakes_resting_orders_and_no_stop(level: dict[str, float], price: float, is_woken: bool) -> None:
    board = Board()
    board.set(0, **level)
    assert board.walk(a_trade(price=price)) == ([(1, PRICE, [])] if is_woken else [])
    assert board.tables.instruments["last_price"][0] == price
    board.set(0, waits_on=ON_BARS)
    assert board.walk(a_trade(price=price)) == []


@pytest.mark.parametrize(
    ("level", "is_woken"),
    [
        ({"buy_touch": 98.0}, True),
        ({"buy_touch": 97.99}, False),
        ({"sell_touch": 102.0}, True),
        ({"sell_touch": 102.01}, False),
        ({"rise": 102.0}, True),
        ({"rise": 102.01}, False),
        ({"fall": 98.0}, True),
        ({"fall": 97.99}, False),
    ],
)
def test_a_closed_bar_wakes_whom_its_range_reaches(level: dict[str, float], is_woken: bool) -> None:
    board = Board()
    board.set(0, **level)
    assert board.walk(a_bar()) == []
    board.set(0, waits_on=ON_BARS)
    assert board.walk(a_bar(is_closed=False)) == []
    assert board.walk(a_bar()) == ([(1, PRICE, [])] if is_woken else [])


@pytest.mark.parametrize("row", [a_quote(bid=97, ask=98), a_trade(price=98.0), a_bar()])
def test_levels_of_both_kinds_of_subscribers_are_tested_on_every_row(row: Rows) -> None:
    board = Board()
    board.set(0, waits_on=ON_BOTH, buy_touch=98.0)
    assert board.walk(row) == [(1, PRICE, [])]


def test_a_bars_end_wakes_who_waits_for_its_interval() -> None:
    board = Board()
    board.set(0, bar_wake=1 << interval_code(HOUR_NS))
    assert board.walk(rows(a_bar(), a_bar(interval_ns=HOUR_NS, is_closed=False))) == []
    board.set(0, waits_on=ON_BARS, fall=98.0)
    assert board.walk(a_bar(interval_ns=HOUR_NS)) == [(1, PRICE | BAR_CLOSED, [])]


# -- conditions


def truth(board: Board) -> list[int]:
    return board.tables.conditions["is_true"].tolist()


def test_a_condition_tells_changes_of_truth_and_rearms() -> None:
    board = Board(a_mid())
    board.condition(0, Field.VALUE, Operator.ABOVE, 105.0, rearm=102.0)
    prices = [105, 106, 107, 104, 103, 106, 102, 104, 106]
    wakes = board.walk(seconds(*((place / 10, 0, price) for place, price in enumerate(prices))))
    assert wakes == [(2, CONDITION, [0]), (7, CONDITION, [0]), (9, CONDITION, [0])]
    assert truth(board) == [1]


def test_a_condition_below_is_the_mirror() -> None:
    board = Board(a_mid())
    board.condition(0, Field.VALUE, Operator.BELOW, 95.0, rearm=98.0)
    prices = [95, 94, 96, 97.9, 98, 94]
    wakes = board.walk(seconds(*((place / 10, 0, price) for place, price in enumerate(prices))))
    assert [position for position, _, _ in wakes] == [2, 5, 6]


def test_what_is_not_known_changes_no_truth() -> None:
    board = Board(a_spread(stale_after_ns=SECOND_NS))
    board.condition(0, Field.VALUE, Operator.ABOVE, 50.0)
    board.condition(0, Field.VALUE, Operator.BELOW, 50.0)
    assert board.walk(seconds((0, 0, 101), (0, 1, 100))) == [(2, CONDITION, [0])]
    assert board.walk(seconds((5, 0, 50), (6, 0, 500))) == []
    assert truth(board) == [1, 0]
    assert board.walk(seconds((6, 1, 500))) == [(1, CONDITION, [0, 1])]
    assert truth(board) == [0, 1]


def test_conditions_are_tested_on_every_row_not_on_every_bucket() -> None:
    board = Board(a_mid())
    board.condition(0, Field.VALUE, Operator.ABOVE, 105.0)
    wakes = board.walk(seconds((0.1, 0, 100), (0.2, 0, 106), (0.3, 0, 100)))
    assert [position for position, _, _ in wakes] == [2, 3]


def test_one_row_may_change_conditions_of_several_windows() -> None:
    board = Board(a_spread(0, 1), a_spread(0, 2), a_mid(3))
    for slot in board.slots:
        board.condition(slot, Field.VALUE, Operator.ABOVE, 50.0)
    board.condition(1, Field.EDGE_AB, Operator.ABOVE, 50.0)
    assert board.walk(seconds((0, 1, 100), (0, 2, 100), (0, 0, 100))) == []
    assert board.walk(seconds((0.1, 0, 110))) == [(1, CONDITION, [0, 1, 3])]


def test_a_trade_tests_no_condition() -> None:
    board = Board(a_mid())
    board.condition(0, Field.VALUE, Operator.ABOVE, 50.0)
    assert board.walk(a_trade()) == []
    assert board.clock("changes") == 0


@given(seed=seeds)
@settings(max_examples=20)
def test_a_z_condition_is_true_where_the_field_says_so(seed: int) -> None:
    market, board = random_rows(seed, 120, instruments=2), Board(a_spread(min_points=3))
    board.condition(0, Field.Z, Operator.ABOVE, 1.0)
    is_true = False
    for place in range(len(market)):
        board.walk(market[place : place + 1])
        z = board.field("z")
        is_true = is_true if math.isnan(z) else z > 1.0
        assert bool(truth(board)[0]) == is_true


# -- bars of trades


def closed(board: Board, due: int) -> list[tuple[float, ...]]:
    """(seconds since the start, open, high, low, close, volume) of what closes at `due`."""
    return [((bar.ts_open - NOW_NS) / SECOND_NS, *bar[3:8]) for bar in close_due_bars(board.tables, due)]


def trades(*items: tuple[float, float, float]) -> Rows:
    """Trades from (second, price, quantity)."""
    return rows(*(a_trade(price=p, quantity=q, ts_received=NOW_NS + round(s * SECOND_NS)) for s, p, q in items))


def test_a_bar_holds_the_trades_from_its_open_to_before_its_end() -> None:
    board, market = Board(trade_bars()), trades((0, 10, 1), (0.5, 13, 2), (0.7, 9, 3), (0.999999999, 11, 4), (1, 50, 5))
    assert board.step(market) == (4, BAR_DUE)
    assert board.clock("bar_due") == NOW_NS + SECOND_NS
    assert closed(board, board.clock("bar_due")) == [(0.0, 10.0, 13.0, 9.0, 11.0, 10.0)]
    assert board.step(market, 4) == (5, 0)
    assert closed(board, NOW_NS + 2 * SECOND_NS) == [(1.0, 50.0, 50.0, 50.0, 50.0, 5.0)]


def test_a_bar_without_a_trade_is_explicit_at_the_last_close() -> None:
    board, market = Board(trade_bars()), trades((0.2, 10, 1), (3.5, 20, 2))
    bars, (position, reasons) = [], board.step(market)
    while reasons == BAR_DUE:
        assert position == 1
        bars += closed(board, board.clock("bar_due"))
        position, reasons = board.step(market, position)
    assert bars == [(0, 10, 10, 10, 10, 1), (1, 10, 10, 10, 10, 0), (2, 10, 10, 10, 10, 0)]
    assert closed(board, NOW_NS + 4 * SECOND_NS) == [(3, 20, 20, 20, 20, 2)]


def test_a_bar_ends_by_any_row_even_a_bad_one() -> None:
    board = Board(trade_bars())
    assert board.step(
        rows(trades((0, 10, 1)), a_quote(instrument=3, bid=math.nan, ts_received=NOW_NS + SECOND_NS))
    ) == (1, BAR_DUE)


def test_no_bar_is_made_before_the_first_trade() -> None:
    board = Board(trade_bars())
    assert board.walk(seconds((0, 0, 100), (100, 0, 100))) == []
    assert close_due_bars(board.tables, NOW_NS + HOUR_NS) == []


def test_a_bars_end_comes_before_a_deadline_at_the_same_time_and_after_an_earlier_one() -> None:
    market = trades((0, 10, 1), (5, 10, 1))
    assert Board(trade_bars()).step(market, next_due=NOW_NS + SECOND_NS) == (1, BAR_DUE)
    assert Board(trade_bars()).step(market, next_due=NOW_NS + SECOND_NS - 1) == (1, DEADLINE)


def test_bars_of_several_lengths_close_in_the_order_of_their_slots() -> None:
    board = Board(trade_bars(0, 2 * SECOND_NS), trade_bars(0, SECOND_NS), trade_bars(1))
    board.step(trades((0, 10, 1)))
    lengths = [bar.interval_ns // SECOND_NS for bar in close_due_bars(board.tables, NOW_NS + SECOND_NS)]
    assert lengths == [1]
    both = close_due_bars(board.tables, NOW_NS + 2 * SECOND_NS)
    assert [(bar.slot, bar.volume) for bar in both] == [(0, 1.0), (1, 0.0)]
    assert board.clock("bar_due") == NOW_NS + 3 * SECOND_NS


def test_a_freed_bar_window_closes_nothing() -> None:
    board = Board(trade_bars())
    board.step(trades((0, 10, 1)))
    board.tables.free_slot(0)
    assert close_due_bars(board.tables, NOW_NS + HOUR_NS) == []


# -- nothing depends on how rows are cut, on restarts, on neighbours


@given(seed=seeds, cuts=st.lists(st.integers(1, 119), max_size=10))
@settings(max_examples=40)
def test_rows_cut_into_batches_anywhere_leave_the_same_tables(seed: int, cuts: list[int]) -> None:
    market = random_rows(seed, 120)
    whole, parts = Board(*MANY), Board(*MANY)
    for board in (whole, parts):
        board.condition(0, Field.Z, Operator.ABOVE, 1.0, rearm=0.2)
        board.condition(2, Field.VALUE, Operator.BELOW, 0.0)
    taken = market.copy()
    expected = [(taken["sequence"][position - 1], *wake) for position, *wake in whole.walk(taken)]
    found = []
    for piece in pieces(market, cuts):
        found += [(piece["sequence"][position - 1], *wake) for position, *wake in parts.walk(piece)]
    assert found == expected
    assert parts.state() == whole.state()


def rebuild_from(spec: WindowSpec, now_ns: int) -> int:
    return now_ns // spec.anchor_ns * spec.anchor_ns - spec.span_ns - spec.stale_after_ns


@given(
    seed=seeds,
    stop=st.integers(1, 239),
    spec=st.sampled_from(
        [
            a_spread(stale_after_ns=2 * SECOND_NS),
            a_spread(span_ns=30 * SECOND_NS, anchor_ns=20 * SECOND_NS),
            a_spread(max_points=3, anchor_ns=5 * SECOND_NS),
            a_spread(quantiles=(0.25, 0.75), anchor_ns=20 * SECOND_NS),
            a_spread(resolution_ns=0, max_points=5, anchor_ns=7 * SECOND_NS),
            a_mid(),
        ]
    ),
)
@settings(max_examples=150)
def test_a_window_rebuilt_from_before_the_last_anchor_equals_one_that_never_stopped(
    seed: int, stop: int, spec: WindowSpec
) -> None:
    """From the first row of a later bucket on; where one was entered since the anchor, at once."""
    market = random_rows(seed, 240, instruments=2)
    never, again = Board(spec), Board(spec)
    now = int(market["ts_received"][stop - 1])
    never.walk(market[:stop].copy())
    first = int(market["ts_received"].searchsorted(rebuild_from(spec, now)))
    again.walk(market[first:stop].copy())
    entered = int(never.tables.slots["anchor_end"][0]) > now
    if entered:
        assert again.window_state() == never.window_state()
    bucket = never.tables.slots["bucket"][0]
    for place in range(stop, len(market)):
        for board in (never, again):
            board.walk(market[place : place + 1].copy())
        if entered or never.tables.slots["bucket"][0] != bucket:
            assert again.window_state() == never.window_state()


@given(seed=seeds, stop=st.integers(1, 119))
@settings(max_examples=30)
def test_a_window_filled_from_another_goes_on_as_that_one(seed: int, stop: int) -> None:
    market, spec = random_rows(seed, 120, instruments=2), a_spread(quantiles=(0.25, 0.75))
    whole, late = Board(spec), Board(a_spread(quantiles=(0.1, 0.9)), spec)
    whole.walk(market[:stop].copy())
    late.tables.copy_window(1, whole.tables, 0)
    late.tables.instruments[:] = whole.tables.instruments
    late.tables._index()
    late.tables.clock[:] = whole.tables.clock
    for board in (whole, late):
        board.walk(market[stop:].copy())
    assert late.window_state(1)[1:] == whole.window_state()[1:]
    for name in ("mean", "z", "lower_quantile", "upper_quantile", "min", "max"):
        assert late.field(name, 1) == pytest.approx(whole.field(name), rel=1e-15, nan_ok=True)


@given(seed=seeds, cuts=st.lists(st.integers(1, 119), min_size=1, max_size=6))
@settings(max_examples=30)
def test_windows_that_come_and_go_change_nothing_for_others(seed: int, cuts: list[int]) -> None:
    market, alone, crowded = random_rows(seed, 120), Board(*MANY), Board(*MANY)
    alone.condition(1, Field.Z, Operator.ABOVE, 1.0)
    crowded.condition(1, Field.Z, Operator.ABOVE, 1.0)
    alone.walk(market.copy())
    guests: list[int] = []
    for piece in pieces(market, cuts):
        crowded.walk(piece)
        if len(guests) > 1:
            crowded.tables.free_slot(guests.pop(0))
        guests.append(crowded.add(a_spread(1, 2)))
        crowded.condition(guests[-1], Field.VALUE, Operator.ABOVE, 1e9)
        crowded.tables.add_instrument()
    for slot in alone.slots:
        assert crowded.window_state(slot) == alone.window_state(slot)
    assert crowded.tables.conditions["is_true"][0] == alone.tables.conditions["is_true"][0]


@given(seed=seeds, kinds=st.lists(st.sampled_from((RowKind.MARK, RowKind.FUNDING, RowKind.BOOK)), min_size=1))
@settings(max_examples=30)
def test_marks_funding_and_books_take_numbers_and_move_nothing(seed: int, kinds: list[RowKind]) -> None:
    market, alone, beside = random_rows(seed, 120), Board(*MANY), Board(*MANY)
    rng = np.random.default_rng(seed)
    places = np.sort(rng.integers(0, len(market), len(kinds)))
    more = np.concatenate([a_row(kind=kind, x0=0.5, x1=0.6, x2=1.0, x3=1.0, x4=1.0) for kind in kinds])
    more["ts_received"], more["instrument"] = market["ts_received"][places], rng.integers(0, 3, len(kinds))
    wakes = []
    for board, taken in ((alone, market.copy()), (beside, np.insert(market, places, more))):
        board.condition(1, Field.Z, Operator.ABOVE, 1.0)
        board.set(0, every_row=1, buy_touch=math.inf)
        wakes.append([(taken[position - 1]["x0"], reasons, found) for position, reasons, found in board.walk(taken)])
    assert repr(wakes[0]) == repr(wakes[1])  # NaN is NaN
    assert [alone.window_state(slot) for slot in alone.slots] == [beside.window_state(slot) for slot in beside.slots]
    assert beside.clock("rows") == len(market) + len(kinds)
    assert beside.clock("rejected_value") == alone.clock("rejected_value")


def test_a_freed_slot_and_its_ring_are_taken_again_and_empty() -> None:
    board = Board(a_mid(0), a_mid(1))
    board.walk(seconds((0, 0, 100), (1, 0, 101), (2, 0, 102)))
    pool = len(board.tables.points)
    board.tables.free_slot(0)
    assert board.add(a_mid(2)) == 0
    assert len(board.tables.points) == pool and board.points() == []
    board.walk(seconds((3, 2, 50), (4, 2, 51), (4, 0, 500)))
    assert board.points() == [50.0]


def test_a_condition_dies_with_its_window() -> None:
    board = Board(a_mid(0))
    board.condition(0, Field.VALUE, Operator.ABOVE, 1.0)
    board.tables.free_slot(0)
    assert board.add(a_mid(0)) == 0
    assert board.walk(seconds((0, 0, 100))) == []
    assert board.condition(0, Field.VALUE, Operator.ABOVE, 1.0) == 1
    assert board.walk(seconds((1, 0, 100))) == [(1, CONDITION, [1])]


@pytest.mark.compiled_only
def test_a_full_half_hour_of_a_busy_spread_equals_numpy() -> None:
    count, spec = 60_000, a_spread(span_ns=1800 * SECOND_NS, resolution_ns=SECOND_NS // 10, anchor_ns=300 * SECOND_NS)
    rng = np.random.default_rng(3)
    mids = 10_000 + np.cumsum(rng.normal(0, 0.3, count))
    market = np.zeros(count, a_quote().dtype)
    market[:] = a_quote()
    market["ts_received"] = NOW_NS + np.arange(count) * (SECOND_NS // 20)
    market["instrument"] = np.arange(count) % 2
    market["x0"], market["x1"] = mids - 1, mids + 1
    board = Board(spec)
    board.walk(market)
    points = np.array(board.points())
    assert len(points) == 18_000
    assert board.field("mean") == pytest.approx(points.mean(), rel=1e-10)
    assert board.field("deviation") == pytest.approx(points.std(), rel=1e-10)
