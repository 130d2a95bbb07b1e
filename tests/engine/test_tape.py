"""The tape: last trades and minutes, as a plain reading of all rows says."""

import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workstation.engine.tape import MINUTE_BAR, Tape
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.market import (
    MARKET_ROW,
    RowFlag,
    RowKind,
    Rows,
    interval_code,
)

T0 = 1_700_000_040 * SECOND_NS
assert T0 % MINUTE_NS == 0


def a_row(kind: RowKind, at_s: float, *x: float, **fields: int) -> np.void:
    row = np.zeros(1, MARKET_ROW)[0]
    row["kind"], row["ts_received"] = kind, T0 + round(at_s * SECOND_NS)
    for place, value in enumerate(x):
        row[f"x{place}"] = value
    for name, value in fields.items():
        row[name] = value
    return row


def a_trade(at_s: float, price: float, quantity: float = 1.0, **fields: int) -> np.void:
    return a_row(RowKind.TRADE, at_s, price, quantity, **fields)


def a_minute(at_s: float, *x: float, **fields: int) -> np.void:
    """A closed bar that ends at `at_s`, and is told then."""
    told = {"flags": RowFlag.IS_CLOSED, "interval_code": interval_code(MINUTE_NS)}
    return a_row(RowKind.BAR, at_s, *x, **(told | {"ts_event": T0 + round(at_s * SECOND_NS)} | fields))


def a_tape(*rows: np.void, instruments: int = 1) -> Tape:
    tape = Tape(lambda: instruments)
    if rows:
        tape.take(np.array(list(rows), MARKET_ROW))
    return tape


def bar_of(tape: Tape, name: str) -> tuple[float, ...] | None:
    """Opening in s from T0, prices and volume."""
    ts_open, *rest = tape.lines[0][name].item()
    return None if math.isnan(rest[-1]) else ((ts_open - T0) / SECOND_NS, *rest)


def test_a_minute_is_made_of_its_trades() -> None:
    tape = a_tape(a_trade(1, 100), a_trade(2, 103, 2), a_trade(3, 98), a_trade(59.9, 101, 0.5))
    assert bar_of(tape, "forming") == (0, 100, 103, 98, 101, 4.5)
    tape.take(np.array([a_trade(60, 90)]))
    assert bar_of(tape, "forming") == (60, 90, 90, 90, 90, 1)
    assert bar_of(tape, "closed") is None


def test_before_a_trade_there_is_no_minute_and_no_price() -> None:
    tape = a_tape(a_row(RowKind.QUOTE, 1, 99, 101, 1, 1))
    assert bar_of(tape, "forming") is None and math.isnan(tape.lines["trade_price"][0])


def test_the_venues_own_minute_takes_the_place_of_the_one_in_the_making() -> None:
    tape = a_tape(a_trade(1, 100), a_minute(60, 99, 104, 97, 100.5, 9))
    assert bar_of(tape, "closed") == (0, 99, 104, 97, 100.5, 9)
    assert bar_of(tape, "forming") is None
    tape.take(np.array([a_trade(60.5, 500, ts_event=T0 + 59 * SECOND_NS)]))
    assert bar_of(tape, "forming") is None  # of a minute that is closed


def test_a_minute_that_is_closed_late_leaves_the_running_one_alone() -> None:
    tape = a_tape(a_trade(1, 100), a_trade(60.5, 102), a_minute(60.8, 99, 104, 97, 100.5, 9, ts_event=T0 + MINUTE_NS))
    assert bar_of(tape, "closed") == (0, 99, 104, 97, 100.5, 9)
    assert bar_of(tape, "forming") == (60, 102, 102, 102, 102, 1)


def test_an_older_minute_that_comes_again_and_bars_of_other_lengths_change_no_closed_minute() -> None:
    code = interval_code(5 * MINUTE_NS)
    tape = a_tape(
        a_minute(120, 5, 5, 5, 5, 5), a_minute(60, 9, 9, 9, 9, 9), a_minute(300, 7, 7, 7, 7, 7, interval_code=code)
    )
    assert bar_of(tape, "closed") == (60, 5, 5, 5, 5, 5)


def test_minutes_are_those_of_the_venues_clock() -> None:
    late = {"ts_event": T0 + 59 * SECOND_NS}
    tape = a_tape(
        a_trade(60.2, 100, **late), a_trade(60.4, 101, ts_event=T0 + 60 * SECOND_NS), a_trade(60.6, 1, **late)
    )
    assert bar_of(tape, "forming") == (60, 101, 101, 101, 101, 1)
    assert tape.lines["trade_price"][0] == 1  # what came last is the last trade all the same


def test_a_time_far_ahead_does_not_stand_in_the_way_of_all_that_follow() -> None:
    tape = a_tape(a_trade(1, 100, ts_event=T0 + 10**18), a_trade(2, 101, ts_event=T0 + 2 * SECOND_NS))
    assert bar_of(tape, "forming") == (0, 100, 101, 100, 101, 2)


def test_the_last_trade_says_who_took() -> None:
    tape = a_tape(a_trade(1, 100), a_trade(2, 99, 0.5, flags=RowFlag.SELLER_TAKES, ts_event=T0 + 1))
    line = tape.lines[0]
    assert (line["trade_price"], line["trade_quantity"], line["seller_takes"]) == (99, 0.5, 1)
    assert (line["trade_event"], line["trade_received"]) == (T0 + 1, T0 + 2 * SECOND_NS)


def test_rows_that_the_market_rejects_change_nothing() -> None:
    open_bar = a_minute(60, 1, 1, 1, 1, 1, flags=0)
    bad = [
        a_trade(1, math.nan), a_trade(1, -1), a_trade(1, 1, 0), a_trade(1, 1, math.inf), a_trade(1, 1, instrument=1),
        a_trade(1, 1, instrument=-1), a_row(RowKind.QUOTE, 1, 101, 99, 1, 1), a_minute(60, 1, 0.5, 1, 1, 1), open_bar,
    ]  # fmt: skip
    tape = a_tape(*bad)
    assert tape.lines["changes"].tolist() == [0] and tape.lines.tobytes() == a_tape().lines.tobytes()


def test_who_wants_closed_bars_is_told_blocks_that_have_one() -> None:
    tape, told = a_tape(), list[Rows]()
    tape.on_bars = told.append
    tape.take(np.array([a_trade(1, 100)]))
    assert not told
    tape.take(np.array([a_trade(2, 100), a_minute(60, 1, 1, 1, 1, 1)]))
    assert [len(rows) for rows in told] == [2]


def test_an_instrument_that_is_listed_later_has_a_line_from_then_on() -> None:
    count = 1
    tape = Tape(lambda: count)
    count = 3
    tape.take(np.array([a_trade(1, 100, instrument=2)]))
    assert tape.lines["changes"].tolist() == [0, 0, 1]


kinds = st.sampled_from([RowKind.QUOTE, RowKind.TRADE])
events = st.tuples(kinds, st.integers(0, 200), st.integers(-90, 90), st.integers(1, 50))
"""Kind, seconds since the one before, how far the venue's clock is ahead, price."""


@given(st.lists(events, max_size=60), st.integers(1, 7))
def test_however_rows_are_cut_into_blocks_the_tape_is_the_same_and_as_a_plain_reading(
    told: list[tuple[Any, ...]], size: int
) -> None:
    rows, at_s = list[np.void](), 0
    for kind, pause_s, lag_s, price in told:
        at_s += pause_s
        x = (price, price + 1, 1, 1) if kind is RowKind.QUOTE else (price, 1)
        rows.append(a_row(kind, at_s, *x, ts_event=T0 + (at_s + lag_s) * SECOND_NS))
    whole, cut = a_tape(*rows), a_tape()
    for start in range(0, len(rows), size):
        cut.take(np.array(rows[start : start + size], MARKET_ROW))
    assert cut.lines.tobytes() == whole.lines.tobytes()
    assert whole.lines["changes"][0] == len(rows)
    assert whole.lines["quotes"][0] == sum(row["kind"] == RowKind.QUOTE for row in rows)
    assert bar_of(whole, "forming") == plainly(rows)


def plainly(rows: list[np.void]) -> tuple[float, ...] | None:
    """The minute in the making, in words of Python."""
    trades = [row for row in rows if row["kind"] == RowKind.TRADE]
    ahead = [row["ts_event"] > row["ts_received"] + MINUTE_NS for row in trades]
    times = [row["ts_received" if far else "ts_event"] for row, far in zip(trades, ahead, strict=True)]
    minute, prices = None, list[float]()
    for row, ts in zip(trades, times, strict=True):
        if minute is None or ts // MINUTE_NS > minute:
            minute, prices = ts // MINUTE_NS, []
        if ts // MINUTE_NS == minute:
            prices.append(float(row["x0"]))
    if minute is None:
        return None
    opening_s = (int(minute) * MINUTE_NS - T0) / SECOND_NS
    return (opening_s, prices[0], max(prices), min(prices), prices[-1], float(len(prices)))


def test_a_bar_has_the_fields_that_are_told_of_it() -> None:
    assert MINUTE_BAR.names == ("ts_open", "open", "high", "low", "close", "volume")


def test_mark_price_and_funding_rate_are_the_last_ones_that_can_be() -> None:
    due_ms = 1_700_000_000_000
    tape = a_tape(
        a_row(RowKind.MARK, 1, 100.5, 100.25),
        a_row(RowKind.FUNDING, 1, 0.0001, due_ms),
        a_row(RowKind.MARK, 2, 101.0),
        a_row(RowKind.MARK, 3, -1.0),
        a_row(RowKind.FUNDING, 3, 2.0, due_ms),
        a_row(RowKind.BOOK, 3, 99.0, 101.0, 1.0, 1.0, 1.0),
    )
    line = tape.lines[0]
    assert (line["mark_price"], line["index_price"]) == (101.0, 0.0)
    assert (line["funding_rate"], line["funding_due_ms"]) == (0.0001, due_ms)


def test_blocks_with_books_and_with_bars_are_told_apart() -> None:
    told: list[tuple[str, int]] = []
    tape = a_tape()
    tape.on_bars = lambda rows: told.append(("bars", len(rows)))
    tape.on_books = lambda rows: told.append(("books", len(rows)))
    level = a_row(RowKind.BOOK, 3, 99.0, 101.0, 1.0, 1.0, 1.0)
    for block in (
        [level, level],
        [a_minute(60, 1, 1, 1, 1, 1)],
        [a_trade(61, 1)],
        [level, a_minute(60, 1, 1, 1, 1, 1)],
    ):
        tape.take(np.array(block, MARKET_ROW))
    assert told == [("books", 2), ("bars", 1), ("bars", 2), ("books", 2)]
