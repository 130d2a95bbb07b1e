"""The windows' numbers, against the naive twin, and by hand."""

import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive_windows
from tests.builders import NOW_NS, a_quote, rows
from tests.naive_windows import Quote
from tests.windows.boards import FEE_A, FEE_B, KEYS, Board, a_mid, a_spread, seconds, trade_bars
from workstation.errors import BadInput
from workstation.kernels.binned_quantile import BINS
from workstation.model.durations import SECOND_NS
from workstation.model.market import (
    Rows,
)
from workstation.windows.specs import ConditionSpec, Field, Operator, WindowKind, WindowSpec

MS = 1_000_000
quotes_of_two = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 90 * MS, 400 * MS, 1100 * MS, 4 * SECOND_NS, 25 * SECOND_NS]),
        st.integers(0, 1),
        st.integers(9_900, 10_100),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=40,
)
specs = st.sampled_from(
    [
        a_spread(),
        a_spread(stale_after_ns=SECOND_NS // 2),
        a_spread(min_points=5, band_deviations=0.5),
        a_spread(max_points=3),
        a_spread(quantiles=(0.05, 0.95)),
        a_spread(quantiles=(0.3, 0.5), max_points=4),
        a_spread(quantiles=(0.5, 0.999), resolution_ns=0, max_points=7),
        a_spread(resolution_ns=0, max_points=4),
        a_spread(resolution_ns=0, max_points=100, anchor_ns=3 * SECOND_NS),
        a_mid(),
        a_mid(max_points=2),
        a_mid(resolution_ns=0, max_points=6),
    ]
)


def as_rows(drawn: list[tuple[int, int, int, int]]) -> tuple[list[Quote], Rows]:
    quotes, ts = [], NOW_NS
    for gap, side, mid, width in drawn:
        ts += gap
        quotes.append(Quote(ts, side, mid - width / 2, mid + width / 2))
    return quotes, rows(*(a_quote(instrument=q.side, bid=q.bid, ask=q.ask, ts_received=q.ts) for q in quotes))


@settings(max_examples=150)
@given(drawn=quotes_of_two, spec=specs)
def test_every_field_equals_the_naive_twin_after_every_row(
    drawn: list[tuple[int, int, int, int]], spec: WindowSpec
) -> None:
    quotes, market = as_rows(drawn)
    board, seen = Board(spec), 0
    for place, quote in enumerate(quotes):
        board.walk(market[place : place + 1])
        if spec.instrument_b is None and quote.side == 1:
            continue
        seen += 1
        so_far = [q for q in quotes[: place + 1] if spec.instrument_b is not None or q.side == 0]
        kept, is_truncated = naive_windows.points(so_far, spec)
        assert board.points() == pytest.approx(kept, abs=1e-9)
        assert bool(board.tables.slots["is_truncated"][0]) == is_truncated
        for name, expected in naive_windows.fields(so_far, spec, FEE_A, FEE_B).items():
            if name == "z" and (len(set(kept)) < 2 or naive_windows.fields(so_far, spec, 0, 0)["deviation"] < 1e-6):
                continue
            assert board.field(name) == pytest.approx(expected, abs=1e-6, rel=1e-6, nan_ok=True), name


def turned(drawn: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """The same with every third quote that of the basis."""
    return [(gap, (side + place) % 3, mid, width) for place, (gap, side, mid, width) in enumerate(drawn)]


@settings(max_examples=100)
@given(drawn=quotes_of_two, is_impatient=st.booleans())
def test_a_spread_over_a_basis_equals_the_naive_twin(
    drawn: list[tuple[int, int, int, int]], is_impatient: bool
) -> None:
    spec = a_spread(basis=KEYS[2], quantiles=(0.2, 0.8), **({"stale_after_ns": SECOND_NS // 2} if is_impatient else {}))
    quotes, _ = as_rows(turned(drawn))
    quotes = [q if q.side != 2 else q._replace(bid=q.bid / 10_000, ask=q.ask / 10_000) for q in quotes]
    board = Board(spec)
    for place, quote in enumerate(quotes):
        board.walk(rows(a_quote(instrument=quote.side, bid=quote.bid, ask=quote.ask, ts_received=quote.ts)))
        expected = naive_windows.fields(quotes[: place + 1], spec, FEE_A, FEE_B)
        assert board.points() == pytest.approx(naive_windows.points(quotes[: place + 1], spec)[0], abs=1e-9)
        for name in ("value", "mean", "edge_ab", "edge_ba", "net_edge_ab", "net_edge_ba"):
            assert board.field(name) == pytest.approx(expected[name], abs=1e-6, rel=1e-6, nan_ok=True), name


def test_a_basis_turns_the_other_quote_currency_into_ours() -> None:
    board = Board(a_spread(basis=KEYS[2]))
    usdt, usdc = a_quote(instrument=0, bid=99.9, ask=100.1), a_quote(instrument=1, bid=99.9, ask=100.1)
    board.walk(rows(usdt, usdc))
    assert math.isnan(board.field("value")) and math.isnan(board.field("edge_ab"))  # not equal: not known
    board.walk(rows(a_quote(instrument=2, bid=0.9989, ask=0.9991)))
    assert board.field("value") == pytest.approx(10.005, abs=0.001)  # a coin for dearer dollars is cheap
    assert board.field("edge_ab") == pytest.approx(1e4 * (99.9 / (100.1 * 0.9991) - 1))
    assert board.field("edge_ba") == pytest.approx(1e4 * (99.9 * 0.9989 / 100.1 - 1))


def test_a_bucket_leaves_its_last_value() -> None:
    board = Board(a_mid())
    board.walk(seconds((0, 0, 100), (0.4, 0, 105), (0.9, 0, 103), (1, 0, 200)))
    assert board.points() == [103.0]
    assert board.field("value") == 200.0


def test_the_current_bucket_is_not_among_the_points_it_is_compared_with() -> None:
    board = Board(a_mid())
    board.walk(seconds((0, 0, 100), (1, 0, 102), (2, 0, 105)))
    assert (board.field("mean"), board.field("deviation"), board.field("z")) == (101.0, 1.0, 4.0)
    board.walk(seconds((2.5, 0, 97)))
    assert (board.field("mean"), board.field("z")) == (101.0, -4.0)


def test_a_point_leaves_when_its_bucket_is_a_span_old() -> None:
    board = Board(a_mid())
    board.walk(seconds((0, 0, 100), (1, 0, 101), (10, 0, 110)))
    assert board.points() == [100.0, 101.0]
    board.walk(seconds((11, 0, 111)))
    assert board.points() == [101.0, 110.0]
    board.walk(seconds((60, 0, 160)))
    assert board.points() == []


def test_bands_stand_around_the_mean() -> None:
    board = Board(a_mid(band_deviations=3.0))
    board.walk(seconds((0, 0, 100), (1, 0, 102), (2, 0, 105)))
    assert (board.field("upper_band"), board.field("lower_band")) == (104.0, 98.0)


def test_quantiles_stand_where_the_points_are_and_not_where_a_normal_has_its_tails() -> None:
    board = Board(a_spread(quantiles=(0.1, 0.9), span_ns=20 * SECOND_NS))
    mids = [10_000.0] * 10 + [10_050.0, 10_000.0]
    board.walk(seconds(*((i + side / 2, side, (m, 10_000.0)[side]) for i, m in enumerate(mids) for side in (0, 1))))
    assert len(board.points()) == 11
    assert (board.field("lower_quantile"), board.field("upper_quantile")) == (0.0, 0.0)
    assert board.field("upper_band") > 20


def test_a_spread_beyond_the_reach_of_the_counts_counts_at_their_end() -> None:
    board = Board(a_spread(quantiles=(0.1, 0.9)))
    board.walk(seconds((0, 0, 100), (0, 1, 200), (1, 0, 300), (1, 1, 100), (2, 0, 100)))
    assert (board.field("lower_quantile"), board.field("upper_quantile")) == (-1_000.0, 1_000.0)


def test_only_a_window_that_asks_for_quantiles_has_them() -> None:
    board = Board(a_spread(), a_spread(quantiles=(0.1, 0.9)), a_spread(quantiles=(0.2, 0.8)))
    board.walk(seconds((0, 0, 100), (0, 1, 100), (1, 0, 100), (2, 0, 100), (3, 0, 100)))
    assert math.isnan(board.field("upper_quantile")) and len(board.tables.bins) == 2 * BINS
    assert board.field("upper_quantile", 1) == 0.0
    board.tables.free_slot(board.slots[1])
    fresh = board.add(a_spread(quantiles=(0.3, 0.7)))
    assert len(board.tables.bins) == 2 * BINS
    start = int(board.tables.slots["bins_offset"][fresh])
    assert not board.tables.bins[start : start + BINS].any()


def test_nothing_is_said_before_min_points() -> None:
    board = Board(a_mid(min_points=3))
    board.walk(seconds((0, 0, 100), (1, 0, 102), (2, 0, 105)))
    assert all(math.isnan(board.field(name)) for name in ("mean", "deviation", "z", "upper_band", "lower_band"))
    board.walk(seconds((3, 0, 100)))
    assert board.field("mean") == pytest.approx(307 / 3)


def test_a_constant_window_has_no_z() -> None:
    board = Board(a_mid(anchor_ns=1000 * SECOND_NS))
    board.walk(seconds((0, 0, 100.1), (1, 0, 100.7), *((second, 0, 100.3) for second in range(2, 14))))
    assert board.field("deviation") == 0.0 and board.field("mean") == 100.3
    board.walk(seconds((13.5, 0, 100.4)))
    assert math.isnan(board.field("z"))


def test_an_outlier_takes_its_rounding_along_when_it_leaves() -> None:
    board = Board(a_mid(anchor_ns=1000 * SECOND_NS))
    board.walk(seconds((0, 0, 1e12), *((second, 0, 100 + second % 2 / 100) for second in range(1, 14))))
    assert board.field("mean") == pytest.approx(100.005, abs=1e-9)
    assert board.field("deviation") == pytest.approx(0.005, rel=1e-6)


def test_the_spread_is_in_bps_of_the_mids() -> None:
    board = Board(a_spread())
    board.walk(seconds((0, 0, 10_010), (0.1, 1, 10_000)))
    assert board.field("value") == pytest.approx(1e4 * math.log(10_010 / 10_000))


def test_edges_gross_and_net() -> None:
    board = Board(a_spread())
    board.walk(rows(a_quote(instrument=0, bid=101, ask=102), a_quote(instrument=1, bid=99, ask=100)))
    assert board.field("edge_ab") == pytest.approx(100.0)
    assert board.field("edge_ba") == pytest.approx(1e4 * (99 - 102) / 102)
    assert board.field("net_edge_ab") == pytest.approx(1e4 * (101 * (1 - FEE_A) / (100 * (1 + FEE_B)) - 1))
    assert board.field("net_edge_ba") == pytest.approx(1e4 * (99 * (1 - FEE_B) / (102 * (1 + FEE_A)) - 1))


def test_a_single_instrument_has_no_edge() -> None:
    board = Board(a_mid())
    board.walk(seconds((0, 0, 100)))
    assert math.isnan(board.field("edge_ab"))


def test_a_stale_side_makes_a_gap_and_no_point() -> None:
    board = Board(a_spread(stale_after_ns=2 * SECOND_NS))
    board.walk(seconds((0, 0, 100), (0, 1, 100), (2, 0, 101)))
    assert board.field("value") == pytest.approx(1e4 * math.log(1.01))
    board.walk(seconds((3, 0, 102), (4, 0, 103)))
    assert math.isnan(board.field("value")) and math.isnan(board.field("edge_ab")) and math.isnan(board.field("z"))
    assert len(board.points()) == 2
    board.walk(seconds((5, 1, 103), (6, 1, 103)))
    assert board.field("value") == 0.0 and len(board.points()) == 3


def test_a_gap_within_a_bucket_leaves_its_last_value_standing() -> None:
    board = Board(a_spread(stale_after_ns=SECOND_NS // 10))
    board.walk(seconds((0, 0, 101), (0.05, 1, 100), (0.5, 0, 150), (1, 0, 150)))
    assert board.points() == [pytest.approx(1e4 * math.log(1.01))]


def test_a_window_too_small_for_its_span_says_so_until_it_holds_it_again() -> None:
    board = Board(a_mid(max_points=2))
    board.walk(seconds((0, 0, 100), (1, 0, 101), (2, 0, 102)))
    assert board.points() == [100.0, 101.0] and not board.tables.slots["is_truncated"][0]
    board.walk(seconds((3, 0, 103)))
    assert board.points() == [101.0, 102.0] and board.tables.slots["is_truncated"][0]
    board.walk(seconds((11, 0, 104)))
    assert board.points() == [102.0, 103.0] and board.tables.slots["is_truncated"][0]
    board.walk(seconds((12, 0, 105)))
    assert board.points() == [103.0, 104.0] and board.tables.slots["is_truncated"][0]
    board.walk(seconds((40, 0, 106)))
    assert board.points() == [] and not board.tables.slots["is_truncated"][0]


def test_a_full_window_loses_nothing_while_nothing_comes() -> None:
    board = Board(a_spread(max_points=2, stale_after_ns=SECOND_NS))
    board.walk(seconds((0, 1, 100), (0, 0, 100), (1, 0, 101), (2.5, 0, 102), (3.5, 0, 102), (4.5, 0, 102)))
    assert len(board.points()) == 2 and not board.tables.slots["is_truncated"][0]


def test_without_buckets_every_quote_is_a_point() -> None:
    board = Board(a_mid(resolution_ns=0, max_points=5))
    board.walk(seconds((0, 0, 100), (0, 0, 101), (0.001, 0, 102), (0.001, 0, 103)))
    assert board.points() == [100.0, 101.0, 102.0]


def spec_with(**changes: Any) -> WindowSpec:
    kind = changes.pop("kind", WindowKind.SPREAD)
    if kind is WindowKind.SPREAD:
        return a_spread(**changes)
    return WindowSpec(kind=kind, instrument_a=a_mid().instrument_a, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"span_ns": 0}, "span_ns 0: expected more than 0"),
        ({"anchor_ns": -1}, "anchor_ns -1"),
        ({"stale_after_ns": 0}, "stale_after_ns 0"),
        ({"resolution_ns": -1}, "resolution_ns -1"),
        ({"resolution_ns": 3 * SECOND_NS}, "a divisor of span_ns 10000000000"),
        ({"resolution_ns": 0}, "needs max_points"),
        ({"min_points": 1}, "min_points 1: expected 2 or more"),
        ({"min_points": 11}, "min_points 11: it has room for 10, and would never speak"),
        ({"max_points": 0}, "it has room for 0"),
        ({"max_points": -5}, "it has room for -5"),
        ({"band_deviations": math.nan}, "band_deviations nan"),
        ({"band_deviations": -1.0}, "band_deviations -1"),
        ({"quantiles": (0.9, 0.1)}, "quantiles (0.9, 0.1): expected a lower and an upper, between 0 and 1"),
        ({"quantiles": (0.0, 0.9)}, "quantiles (0.0, 0.9)"),
        ({"quantiles": (0.1, math.nan)}, "quantiles (0.1, nan)"),
        ({"kind": WindowKind.QUOTE, "quantiles": (0.1, 0.9)}, "only a spread has them"),
        ({"kind": WindowKind.QUOTE, "basis": KEYS[2]}, "expected a third instrument, and a spread"),
        ({"basis": KEYS[1]}, "expected a third instrument"),
        ({"kind": WindowKind.TRADE_BARS, "resolution_ns": 0}, "expected the length of a bar"),
        ({"kind": WindowKind.QUOTE, "instrument_b": a_mid(1).instrument_a}, "a spread has two instruments, others one"),
    ],
)
def test_a_window_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        spec_with(**changes)


def test_a_spread_needs_two_different_instruments() -> None:
    with pytest.raises(BadInput, match="a spread has two"):
        WindowSpec(kind=WindowKind.SPREAD, instrument_a=a_mid().instrument_a)
    with pytest.raises(BadInput, match="the same instrument"):
        a_spread(1, 1)


def test_the_room_of_a_window() -> None:
    assert [s.capacity for s in (a_mid(), a_mid(max_points=4), a_mid(max_points=99), trade_bars())] == [10, 4, 10, 0]
    assert a_mid(resolution_ns=0, max_points=99).capacity == 99


@pytest.mark.parametrize(
    ("operator", "threshold", "rearm"),
    [
        (Operator.ABOVE, math.nan, None),
        (Operator.ABOVE, 1.0, math.nan),
        (Operator.ABOVE, 1.0, 2.0),
        (Operator.BELOW, 1.0, 0.5),
    ],
)
def test_a_condition_that_cannot_be_is_refused(operator: Operator, threshold: float, rearm: float | None) -> None:
    with pytest.raises(BadInput, match="condition wide"):
        ConditionSpec(name="wide", window="w", field=Field.Z, operator=operator, threshold=threshold, rearm=rearm)
