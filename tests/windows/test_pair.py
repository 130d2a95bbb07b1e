"""The pair's figures as they are read from the sides' windows: seconds, gaps, and what stands how long."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import NOW_NS, a_quote, rows
from tests.windows.boards import Board, a_spread, random_rows
from workstation.model.durations import SECOND_NS
from workstation.model.market import (
    Rows,
)
from workstation.windows.pair import PairReader, PairStatistics, fill_grid, side_windows
from workstation.windows.specs import WindowKind

SPREAD = a_spread(span_ns=60 * SECOND_NS, stale_after_ns=3 * SECOND_NS)


def a_pair(market: Rows) -> Board:
    board = Board(*side_windows(SPREAD))
    board.walk(market.copy())
    return board


def told(board: Board, now_ns: int) -> PairStatistics:
    return PairReader(SPREAD).read(board.tables, board.slots, now_ns)


def grid_of(board: Board, slot: int, now_ns: int, stale_s: int = 3) -> list[float]:
    """Mids of the 60 seconds before the one of `now_ns`."""
    grid = np.empty(60)
    fill_grid(board.tables.slots[slot], board.tables.points, now_ns // SECOND_NS, stale_s, grid)
    return np.exp(grid).tolist()


def naive_grid(market: Rows, side: int, now_ns: int, stale_s: int = 3) -> list[float]:
    end = now_ns // SECOND_NS
    last = {
        int(row["ts_received"]) // SECOND_NS: 0.5 * (row["x0"] + row["x1"])
        for row in market
        if row["instrument"] == side and row["kind"] == 1 and row["x0"] == row["x0"]
    }
    mids = []
    for second in range(end - 60, end):
        known = [one for one in last if end - 60 <= one <= second]
        stands = bool(known) and second - max(known) <= stale_s
        mids.append(last[max(known)] if stands else math.nan)
    return mids


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), later=st.sampled_from([0, 1, 4, 70]))
def test_the_grid_is_each_seconds_last_mid_while_it_stands(seed: int, later: int) -> None:
    market = random_rows(seed, 150, instruments=2)
    board, now = a_pair(market), int(market["ts_received"][-1]) + later * SECOND_NS
    for side in (0, 1):
        assert grid_of(board, side, now) == pytest.approx(naive_grid(market, side, now), rel=1e-12, nan_ok=True)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), start=st.integers(0, 100))
def test_what_is_told_depends_on_the_spans_quotes_alone(seed: int, start: int) -> None:
    market = random_rows(seed, 200, instruments=2, jump_s=2.0)
    now = int(market["ts_received"][-1]) + SECOND_NS
    first = min(start, int(market["ts_received"].searchsorted((now // SECOND_NS - 60) * SECOND_NS)))
    assert told(a_pair(market), now) == pytest.approx(told(a_pair(market[first:]), now), rel=0, abs=0, nan_ok=True)


def test_the_second_in_the_making_says_nothing_yet() -> None:
    quotes = [a_quote(instrument=0, bid=99 + s, ask=101 + s, ts_received=NOW_NS + s * SECOND_NS) for s in range(3)]
    board = a_pair(rows(*quotes))
    assert grid_of(board, 0, NOW_NS + 2 * SECOND_NS)[-2:] == pytest.approx([100.0, 101.0])
    assert grid_of(board, 0, NOW_NS + 3 * SECOND_NS)[-2:] == pytest.approx([101.0, 102.0])


def test_a_side_that_follows_two_seconds_later_is_led_by_two() -> None:
    rng = np.random.default_rng(3)
    mids = 10_000 * np.exp(np.cumsum(rng.normal(0, 1e-4, 70)))
    quotes: list[Any] = []
    for second in range(70):
        for side, mid in ((0, mids[second]), (1, mids[max(second - 2, 0)])):
            quotes.append(a_quote(instrument=side, bid=mid - 1, ask=mid + 1, ts_received=NOW_NS + second * SECOND_NS))
    one = told(a_pair(rows(*quotes)), NOW_NS + 70 * SECOND_NS)
    assert (one.lead_s, one.lead_correlation) == (2.0, pytest.approx(1.0))
    assert abs(one.correlation) < 0.4 and one.half_life_s > 0


def test_pairs_of_one_instrument_share_its_window() -> None:
    assert side_windows(a_spread(0, 1))[0] == side_windows(a_spread(0, 2, quantiles=(0.1, 0.9)))[0]
    assert side_windows(a_spread(0, 1))[1] == side_windows(a_spread(1, 2))[0]
    side, _ = side_windows(a_spread(span_ns=1_500_000_000, resolution_ns=500_000_000))
    assert (side.kind, side.span_ns, side.resolution_ns) == (WindowKind.QUOTE, 2 * SECOND_NS, SECOND_NS)
