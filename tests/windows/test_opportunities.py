"""Opportunities as the loop finds them, against the naive twin, and by hand."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive_windows
from tests.builders import NOW_NS, a_quote, rows
from tests.naive_windows import Crossing, Quote
from tests.windows.boards import FEE_A, FEE_B, KEYS, Board, a_mid, a_spread
from workstation.errors import BadInput
from workstation.model.durations import MS_NS, SECOND_NS
from workstation.model.market import (
    Rows,
)
from workstation.windows.opportunities import ClosedOpportunities, OpportunitySpec
from workstation.windows.specs import WindowSpec
from workstation.windows.tables import CLOSED_KEPT

SPREAD = a_spread(stale_after_ns=2 * SECOND_NS)
OVER_BASIS = a_spread(stale_after_ns=2 * SECOND_NS, basis=KEYS[2])
drawn_quotes = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 40 * MS_NS, 250 * MS_NS, SECOND_NS, 2 * SECOND_NS, 2 * SECOND_NS + 1, 5 * SECOND_NS]),
        st.integers(0, 1),
        st.integers(9_990, 10_040),
        st.sampled_from([0.001, 0.01, 1.0]),
        st.sampled_from([0.001, 0.01, 1.0]),
    ),
    min_size=2,
    max_size=40,
)
wanted_specs = st.builds(
    OpportunitySpec,
    least_bps=st.sampled_from([-20.0, 0.0, 2.0]),
    least_value=st.sampled_from([0.0, 100.0]),
    least_ns=st.sampled_from([0, 250 * MS_NS]),
    latency_ns=st.sampled_from([0, 40 * MS_NS, 300 * MS_NS, 3 * SECOND_NS]),
)


def watched(wanted: OpportunitySpec, spec: WindowSpec = SPREAD) -> tuple[Board, ClosedOpportunities]:
    board = Board(spec)
    board.tables.add_watch(
        board.slots[0], least_bps=wanted.least_bps, least_value=wanted.least_value, least_ns=wanted.least_ns,
        latency_ns=wanted.latency_ns,
    )  # fmt: skip
    return board, ClosedOpportunities(board.tables)


def as_rows(quotes: list[Quote]) -> Rows:
    return rows(
        *(
            a_quote(
                instrument=q.side, bid=q.bid, ask=q.ask, bid_quantity=q.bid_quantity, ask_quantity=q.ask_quantity,
                ts_received=q.ts,
            )
            for q in quotes
        )
    )  # fmt: skip


def taken(closed: ClosedOpportunities) -> list[Crossing]:
    names = ("way", "opened_ns", "closed_ns", "peak_ns", "peak_bps", "quantity", "left_bps")
    return [Crossing(*(one[name].item() for name in names)) for one in closed.take()]


@settings(max_examples=300)
@given(drawn=drawn_quotes, wanted=wanted_specs, cut=st.integers(0, 40), spec=st.sampled_from([SPREAD, OVER_BASIS]))
def test_the_loop_finds_what_the_naive_twin_finds(
    drawn: list[tuple[int, int, int, float, float]], wanted: OpportunitySpec, cut: int, spec: WindowSpec
) -> None:
    quotes, ts = [], NOW_NS
    for place, (gap, side, mid, bid_quantity, ask_quantity) in enumerate(drawn):
        ts += gap
        side, scale = (2, 1e-4) if spec.basis is not None and place % 3 == 0 else (side, 1.0)
        quantities = bid_quantity / scale, ask_quantity / scale  # of the basis: in what one of B costs
        quotes.append(Quote(ts, side, scale * (mid - 0.5), scale * (mid + 0.5), *quantities))
    board, closed = watched(wanted, spec)
    found: list[Crossing] = []
    for part in (quotes[:cut], quotes[cut:]):
        if part:
            board.walk(as_rows(part))
            found += taken(closed)
    expected = naive_windows.crossings(quotes, spec, wanted, FEE_A, FEE_B)
    assert [one[:4] for one in sorted(found, key=lambda one: (one.closed, one.way))] == [
        one[:4] for one in sorted(expected, key=lambda one: (one.closed, one.way))
    ]
    for one, twin in zip(sorted(found), sorted(expected), strict=True):
        assert one[4:] == pytest.approx(twin[4:], rel=1e-9, nan_ok=True)


def at(ms: int, side: int, mid: float, quantity: float = 1.0) -> Quote:
    return Quote(NOW_NS + ms * MS_NS, side, mid - 0.5, mid + 0.5, quantity, quantity)


def test_one_opens_peaks_and_closes() -> None:
    board, closed = watched(OpportunitySpec(latency_ns=100 * MS_NS))
    quotes = [at(0, 0, 10_000), at(0, 1, 10_000), at(500, 0, 10_030), at(550, 0, 10_040, 0.4), at(900, 0, 10_035)]
    board.walk(as_rows(quotes))
    assert taken(closed) == []
    assert int(board.tables.watches["opened_ns"][0]) == NOW_NS + 500 * MS_NS
    board.walk(as_rows([at(1_000, 0, 10_000)]))
    (one,) = taken(closed)
    edge = 1e4 * (10_039.5 * (1 - FEE_A) / (10_000.5 * (1 + FEE_B)) - 1)
    assert one == (0, *(NOW_NS + ms * MS_NS for ms in (500, 1_000, 550)), pytest.approx(edge), 0.4, pytest.approx(edge))
    assert taken(closed) == [] and board.tables.watches["opened_ns"][0] == 0


def test_one_that_is_gone_before_an_order_comes_leaves_the_edge_that_closed_it() -> None:
    board, closed = watched(OpportunitySpec(latency_ns=SECOND_NS))
    board.walk(as_rows([at(0, 0, 10_000), at(0, 1, 10_000), at(500, 0, 10_030), at(800, 0, 10_000)]))
    (one,) = taken(closed)
    assert one.left == pytest.approx(1e4 * (9_999.5 * (1 - FEE_A) / (10_000.5 * (1 + FEE_B)) - 1))


def test_what_is_short_or_small_is_none() -> None:
    board, closed = watched(OpportunitySpec())
    board.walk(as_rows([at(0, 0, 10_000), at(0, 1, 10_000), at(500, 0, 10_030), at(749, 0, 10_000)]))
    board.walk(as_rows([at(1_000, 0, 10_030, 0.009), at(2_000, 0, 10_000)]))
    assert taken(closed) == []


def over_a_basis(wanted: OpportunitySpec, basis: tuple[float, float], *coins: Quote) -> list[Crossing]:
    """What is found where the basis shows these quantities, bid and ask, in B's currency."""
    board, closed = watched(wanted, OVER_BASIS)
    board.walk(as_rows([Quote(NOW_NS, 2, 0.9999, 1.0001, *basis), *coins]))
    return taken(closed)


def test_no_more_can_be_crossed_than_the_basis_that_is_bought_pays_for() -> None:
    dear = [at(1, 1, 10_000, 9.0), at(2, 0, 10_040, 9.0), at(500, 0, 10_000)]
    (one,) = over_a_basis(OpportunitySpec(), (1.0, 5_000.0), *dear)
    assert (one.way, one.quantity) == (0, pytest.approx(5_000 / 10_000.5))
    (one,) = over_a_basis(OpportunitySpec(), (1.0, 1e9), *dear)
    assert one.quantity == 9.0
    assert over_a_basis(OpportunitySpec(), (1e9, 5.0), *dear) == []  # 5 are worth less than 100


def test_no_more_can_be_crossed_than_the_basis_that_is_sold_takes() -> None:
    cheap = [at(1, 1, 10_000, 9.0), at(2, 0, 9_960, 9.0), at(500, 0, 10_000)]
    (one,) = over_a_basis(OpportunitySpec(), (5_000.0, 1.0), *cheap)
    assert (one.way, one.quantity) == (1, pytest.approx(5_000 / 9_999.5))
    (one,) = over_a_basis(OpportunitySpec(), (1e9, 1.0), *cheap)
    assert one.quantity == 9.0
    assert over_a_basis(OpportunitySpec(), (5.0, 1e9), *cheap) == []


def test_one_closes_when_the_basis_is_bought_up() -> None:
    thin = Quote(NOW_NS + 400 * MS_NS, 2, 0.9999, 1.0001, 5.0, 5.0)
    (one,) = over_a_basis(OpportunitySpec(), (1e9, 1e9), at(1, 1, 10_000), at(2, 0, 10_040), thin)
    assert one.closed == thin.ts


def test_a_side_that_falls_silent_closes_it_when_it_is_stale() -> None:
    board, closed = watched(OpportunitySpec())
    board.walk(as_rows([at(0, 1, 10_000), at(0, 0, 10_030), at(9_000, 0, 10_030)]))
    (one,) = taken(closed)
    assert one.closed == NOW_NS + 2 * SECOND_NS + 1
    assert board.tables.watches["opened_ns"][0] == 0


def test_what_nobody_takes_in_time_is_counted() -> None:
    board, closed = watched(OpportunitySpec(least_ns=0))
    quotes = [at(0, 1, 10_000)]
    for number in range(CLOSED_KEPT + 10):
        quotes += [at(1 + 2 * number, 1, 10_000), at(1 + 2 * number, 0, 10_030), at(2 + 2 * number, 0, 10_000)]
    board.walk(as_rows(quotes))
    found = taken(closed)
    assert (len(found), closed.lost) == (CLOSED_KEPT, 10)
    assert found == sorted(found, key=lambda one: one.closed)


def test_a_watch_dies_with_its_window_and_its_place_is_taken_again() -> None:
    board, closed = watched(OpportunitySpec(least_ns=0))
    board.walk(as_rows([at(0, 1, 10_000), at(0, 0, 10_030)]))
    board.tables.free_slot(board.slots[0])
    slot = board.add(SPREAD)
    board.walk(as_rows([at(1, 0, 10_000)]))
    assert taken(closed) == []
    assert board.tables.add_watch(slot, least_bps=2.0) == 0 and len(board.tables.watches) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"least_bps": math.nan}, "least_bps nan: expected a number of bps"),
        ({"least_value": -1.0}, "least_value -1.0: expected 0 or more"),
        ({"least_ns": -1}, "least_ns -1"),
        ({"latency_ns": -5}, "latency_ns -5"),
    ],
)
def test_what_cannot_be_looked_for_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        OpportunitySpec(**changes)


def test_windows_without_a_watch_find_nothing() -> None:
    board = Board(a_mid(), SPREAD)
    board.walk(as_rows([at(0, 1, 10_000), at(0, 0, 10_030), at(900, 0, 10_000)]))
    assert board.clock("opportunities") == 0 and len(board.tables.opportunities) == 0
