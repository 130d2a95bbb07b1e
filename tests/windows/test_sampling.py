"""Series of the past beside the loop: what a window said after each row, taken one by one, bit for bit."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.builders import NOW_NS, a_quote, rows
from tests.windows.boards import KEYS, Board, a_spread, pieces
from workstation.history.market_rows import PRICES
from workstation.history.merging import Merging
from workstation.model.durations import SECOND_NS
from workstation.model.market import Rows
from workstation.windows.sampling import OF_POINTS, SAMPLED, sample_prices
from workstation.windows.specs import Field
from workstation.windows.spread_window import stale_from

MS = 1_000_000
Sample = tuple[int, list[float]]
PRICES_THAT_CANNOT_BE = {7: (math.nan, 100.0), 8: (100.0, 0.0), 9: (-1.0, 100.0), 10: (101.0, 100.0), 11: (math.inf, 1)}

quotes = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 30 * MS, 90 * MS, 400 * MS, 1100 * MS, 4 * SECOND_NS, 25 * SECOND_NS]),
        st.integers(0, 2),
        st.integers(0, 11),
    ),
    max_size=40,
)
specs = st.sampled_from(
    [
        a_spread(),
        a_spread(basis=KEYS[2]),
        a_spread(stale_after_ns=SECOND_NS // 2),
        a_spread(basis=KEYS[2], stale_after_ns=SECOND_NS // 3, max_points=3, quantiles=(0.1, 0.6)),
        a_spread(quantiles=(0.05, 0.95), anchor_ns=3 * SECOND_NS),
        a_spread(resolution_ns=0, max_points=4, stale_after_ns=SECOND_NS),
        a_spread(resolution_ns=700 * MS, span_ns=7 * SECOND_NS, anchor_ns=5 * SECOND_NS),
    ]
)


def as_rows(drawn: list[tuple[int, int, int]], sides: int) -> Rows:
    """Quotes in the order in which they are taken: by time, then by side."""
    ts, made = NOW_NS, []
    for gap, side, place in drawn:
        ts += gap
        bid, ask = PRICES_THAT_CANNOT_BE.get(place, (100.0 + place, 100.5 + place))
        made.append(a_quote(instrument=side % sides, bid=bid, ask=ask, ts_received=ts))
    told = rows(*made)
    return told[np.lexsort((told["instrument"], told["ts_received"]))]


def read(board: Board, fields: tuple[Field, ...] = SAMPLED) -> list[float]:
    return [board.field(field.name) if field in fields else math.nan for field in SAMPLED]


def by_the_loop(board: Board, told: Rows, every_ns: int) -> list[Sample]:
    """After the last row of each step, and where a side gets too old between two steps."""
    samples: list[Sample] = []
    for place in range(len(told)):
        ts = int(told["ts_received"][place])
        if samples and samples[-1][0] // every_ns != ts // every_ns:
            begins = stale_from(board.tables.slots[0], board.tables.instruments)
            if not math.isnan(board.field("value")) and begins < ts:
                samples.append((begins, read(board, OF_POINTS)))
        elif samples:
            samples.pop()
        assert board.step(told[place : place + 1]) == (1, 0)
        samples.append((ts, read(board)))
    return samples


def cursor(of_one: Rows, buffer: Rows, cuts: list[int]) -> Iterator[Rows]:
    """The prices of one side's rows in chunks, as a lane gives them: at the start of one buffer."""
    for piece in pieces(of_one, cuts):
        for name in buffer.dtype.names or ():
            buffer[name][: len(piece)] = piece[name]
        yield buffer[: len(piece)]


def in_one_walk(board: Board, told: Rows, every_ns: int, cuts: list[int]) -> list[Sample]:
    of_each = [told[told["instrument"] == side] for side in range(3)]
    starts = np.cumsum([0, *map(len, of_each[:-1])]).astype(np.int64)
    pool, tables = np.zeros(len(told), PRICES), board.tables
    merging = Merging(
        [cursor(one, pool[start:], cuts) for one, start in zip(of_each, starts, strict=True) if len(one)],
        pool,
        np.array([start for one, start in zip(of_each, starts, strict=True) if len(one)], np.int64),
    )
    sides = np.array([side for side, one in enumerate(of_each) if len(one)], np.int64)
    room = 2 * len(told) + 1
    times, values, is_gap = np.zeros(room, np.int64), np.zeros((room, len(SAMPLED))), np.zeros(room, np.bool_)
    written = 0
    while merging.refill():
        written, late_ts = sample_prices(
            pool, merging.heads, merging.ends, merging.next_ts, sides, every_ns, 0, times, values, is_gap, written,
            tables.clock, tables.instruments, tables.slots, tables.points, tables.bins,
        )  # fmt: skip
        assert late_ts == 0
    return list(zip(times[:written].tolist(), values[:written].tolist(), strict=True))


@settings(max_examples=300, deadline=None)
@given(
    drawn=quotes,
    spec=specs,
    every_ns=st.sampled_from([1, 100 * MS, SECOND_NS, 3 * SECOND_NS, 7 * SECOND_NS]),
    cuts=st.lists(st.integers(1, 30), max_size=5),
)
@example(  # one side falls silent within a bucket: its last true spread is the point, not the gap behind it
    drawn=[(0, 0, 1), (0, 1, 2), (100 * MS, 0, 3), (450 * MS, 0, 4), (SECOND_NS, 0, 5), (0, 1, 5), (SECOND_NS, 1, 1)],
    spec=a_spread(stale_after_ns=SECOND_NS // 2),
    every_ns=3 * SECOND_NS,
    cuts=[],
)
def test_a_walk_by_prices_alone_is_what_the_loop_did(drawn: Any, spec: Any, every_ns: int, cuts: list[int]) -> None:
    told = as_rows(drawn, 2 if spec.basis is None else 3)
    loop, walk = Board(spec), Board(spec)
    expected, found = by_the_loop(loop, told.copy(), every_ns), in_one_walk(walk, told, every_ns, cuts)
    assert [ts for ts, _ in found] == [ts for ts, _ in expected]
    assert np.array_equal([one for _, one in found], [one for _, one in expected], equal_nan=True)
    assert walk.window_state() == loop.window_state()


def test_a_quote_that_lies_before_the_last_one_is_named() -> None:
    board, pool = Board(a_spread()), np.zeros(3, PRICES)
    pool["ts_received"], pool["x0"], pool["x1"] = (NOW_NS + 5, NOW_NS + 3, NOW_NS + 9), 100.0, 101.0
    tables = board.tables
    times, values, is_gap = np.zeros(9, np.int64), np.zeros((9, len(SAMPLED))), np.zeros(9, np.bool_)
    merging = Merging([iter([pool])], pool, np.zeros(1, np.int64))
    assert merging.refill()
    _, late_ts = sample_prices(
        pool, merging.heads, merging.ends, merging.next_ts, np.zeros(1, np.int64), SECOND_NS, 0, times, values, is_gap,
        0, tables.clock, tables.instruments, tables.slots, tables.points, tables.bins,
    )  # fmt: skip
    assert late_ts == NOW_NS + 3
