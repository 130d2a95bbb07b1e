"""THE loop: rows in, windows updated, until something matters to somebody.

It stops after a woken row, and before the first row at or past a deadline, the end of a bar in the making, a place in
the sequence that belongs to an input, or a row out of order. It knows a fixed list of window kinds and no user code. A
row that cannot be true (unknown instrument, NaN, zero, negative, crossed, beyond LARGEST) takes its number, is counted
and touches nothing; one of a kind beyond DECIDING takes its number and touches nothing.
"""

import math
from typing import Any

from workstation.kernels.compiled import compiled
from workstation.model.market import DECIDING, INTERVALS_NS, STEP_BITS, RowFlag, RowKind
from workstation.windows.opportunities import watch_slot
from workstation.windows.specs import Operator, WindowKind
from workstation.windows.spread_window import BPS, field_value, update_point
from workstation.windows.tables import NO_BASIS, NO_WATCH, ON_BARS, ON_TICKS

QUOTE, TRADE, BAR = int(RowKind.QUOTE), int(RowKind.TRADE), int(RowKind.BAR)
MARK, FUNDING, BOOK = int(RowKind.MARK), int(RowKind.FUNDING), int(RowKind.BOOK)
LAST_DECIDING = int(DECIDING)
IS_CLOSED = int(RowFlag.IS_CLOSED)
SPREAD, TRADE_BARS = int(WindowKind.SPREAD), int(WindowKind.TRADE_BARS)
ABOVE = int(Operator.ABOVE)
INTERVALS = len(INTERVALS_NS)
NO_FIELD = -1
LARGEST = 1e100
"""No price and no quantity; the sum of squares of more would overflow and leave NaN in a window."""

PRICE, BAR_CLOSED, CONDITION, EVERY_ROW = 1, 2, 4, 8
"""Reasons to wake after a row, as bits."""
DEADLINE, BAR_DUE, INPUT, DISORDER = 16, 32, 64, 128
"""Reasons to stop before a row; DISORDER: its receipt time lies before the last row's."""


@compiled
def price_fault(bid: float, ask: float) -> int:
    """0 for two prices of a quote that can be true, 1 for a value that is none, 2 for crossed ones."""
    if not (0.0 < bid < LARGEST and 0.0 < ask < LARGEST):
        return 1
    return 2 if bid > ask else 0


@compiled
def quote_fault(row: Any) -> int:
    """0 for a quote that can be true, 1 for a value that is none, 2 for a crossed one."""
    if not (0.0 <= row["x2"] < LARGEST and 0.0 <= row["x3"] < LARGEST):
        return 1
    return price_fault(row["x0"], row["x1"])


@compiled
def bar_fault(row: Any) -> int:
    """0 for a bar of a known interval whose prices are positive and within its low and high, else 1."""
    low, high = row["x2"], row["x1"]
    if not (0.0 < low <= high < LARGEST and 0.0 <= row["x4"] < LARGEST and row["interval_code"] < INTERVALS):
        return 1
    return 0 if low <= row["x0"] <= high and low <= row["x3"] <= high else 1


@compiled
def level_fault(row: Any) -> int:
    """0 for a book's level that can be true, 1 for a value that is none, 2 for a crossed one; a side may be absent."""
    bid, ask = row["x0"], row["x1"]
    if not (0.0 <= bid < LARGEST and 0.0 <= ask < LARGEST and bid + ask > 0.0):
        return 1
    if not (0.0 <= row["x2"] < LARGEST and 0.0 <= row["x3"] < LARGEST):
        return 1
    return 2 if bid > ask > 0.0 else 0


@compiled
def row_fault(row: Any, instruments: Any, clock: Any) -> int:
    """0 for a row to take; others are counted in the clock."""
    instrument = row["instrument"]
    if instrument < 0 or instrument >= len(instruments):
        clock["rejected_unknown"] += 1
        return 1
    kind = row["kind"]
    if kind == QUOTE:
        fault = quote_fault(row)
    elif kind == TRADE:
        fault = 0 if 0.0 < row["x0"] < LARGEST and 0.0 < row["x1"] < LARGEST else 1
    elif kind == BAR:
        fault = bar_fault(row)
    elif kind == BOOK:
        fault = level_fault(row)
    elif kind == MARK:
        fault = 0 if 0.0 < row["x0"] < LARGEST and 0.0 <= row["x1"] < LARGEST else 1
    elif kind == FUNDING:
        fault = 0 if -1.0 < row["x0"] < 1.0 and 0.0 <= row["x1"] < LARGEST else 1
    else:
        fault = 1
    if fault == 2:
        clock["rejected_crossed"] += 1
    elif fault == 1:
        clock["rejected_value"] += 1
    return fault


@compiled
def changed_conditions(slot: Any, instruments: Any, conditions: Any, members: Any, found: int) -> int:
    """Tests a slot's conditions; writes those whose truth changed behind the `found` first; returns their number."""
    field, x = NO_FIELD, math.nan
    for place in range(slot["conditions_from"], slot["conditions_to"]):
        index = members[place]
        condition = conditions[index]
        if condition["field"] != field:  # an entry's and an exit's are the same
            field = condition["field"]
            x = field_value(slot, instruments, field)
        sign = 1.0 if condition["operator"] == ABOVE else -1.0
        if condition["is_true"]:
            flips = sign * x <= sign * condition["rearm"]
        else:
            flips = sign * x > sign * condition["threshold"]
        if flips:
            condition["is_true"] = 1 - condition["is_true"]
            members[found] = index
            found += 1
    return found


@compiled
def log_mid(bid: float, ask: float) -> float:
    """ln of the price between the two."""
    return math.log(0.5 * (bid + ask))


@compiled
def spread_bps(slot: Any, instruments: Any, ts: int) -> float:
    """10⁴ · ln(mid_A / mid_B) of the last quotes, B's turned by the basis if there is one; NaN while one of them is
    missing or older than the slot allows."""
    a, b = instruments[slot["instrument_a"]], instruments[slot["instrument_b"]]
    oldest = ts - slot["stale_after_ns"]
    if a["ts_received"] < oldest or b["ts_received"] < oldest:
        return math.nan
    if slot["basis"] == NO_BASIS:
        return float(BPS * (a["log_mid"] - b["log_mid"]))
    basis = instruments[slot["basis"]]
    if basis["ts_received"] < oldest:
        return math.nan
    return float(BPS * (a["log_mid"] - (b["log_mid"] + basis["log_mid"])))


@compiled
def take_quote(row: Any, instrument: Any, ts: int) -> int:
    """Updates the instrument; returns PRICE where a level is reached."""
    bid, ask = row["x0"], row["x1"]
    instrument["ts_received"] = ts
    instrument["ts_price"] = ts
    instrument["bid"], instrument["ask"] = bid, ask
    instrument["bid_quantity"], instrument["ask_quantity"] = row["x2"], row["x3"]
    instrument["log_mid"] = log_mid(bid, ask)
    if instrument["waits_on"] == ON_BARS:
        return 0
    reached = ask <= instrument["buy_touch"] or bid >= instrument["sell_touch"]
    return PRICE if reached or ask >= instrument["rise"] or bid <= instrument["fall"] else 0


@compiled
def take_trade(row: Any, instrument: Any, ts: int) -> int:
    """Updates the instrument; returns PRICE where a resting level is traded at."""
    price = row["x0"]
    instrument["ts_price"] = ts
    instrument["last_price"] = price
    if instrument["waits_on"] == ON_BARS:
        return 0
    return PRICE if price <= instrument["buy_touch"] or price >= instrument["sell_touch"] else 0


@compiled
def take_bar(row: Any, instrument: Any, ts: int) -> int:
    """Updates the instrument; returns PRICE where the range reaches a level, BAR_CLOSED where the end is awaited."""
    instrument["ts_price"] = ts
    instrument["last_price"] = row["x3"]
    if not row["flags"] & IS_CLOSED:
        return 0
    reasons = 0
    if instrument["waits_on"] != ON_TICKS:
        low, high = row["x2"], row["x1"]
        reached = low <= instrument["buy_touch"] or high >= instrument["sell_touch"]
        if reached or high >= instrument["rise"] or low <= instrument["fall"]:
            reasons = PRICE
    if instrument["bar_wake"] >> row["interval_code"] & 1 and row["ts_event"] >= instrument["bars_pass_until"]:
        reasons |= BAR_CLOSED
    return reasons


@compiled
def take_into_bar(slot: Any, price: float, quantity: float, ts: int) -> None:
    """A trade goes into the bar in the making; bars are [open, close) by receipt time."""
    if slot["volume"] != slot["volume"]:
        slot["volume"] = 0.0
        slot["bucket_end"] = (ts // slot["resolution_ns"] + 1) * slot["resolution_ns"]
        slot["open"] = slot["high"] = slot["low"] = price
    elif slot["volume"] == 0.0:
        slot["open"] = slot["high"] = slot["low"] = price
    slot["high"] = max(slot["high"], price)
    slot["low"] = min(slot["low"], price)
    slot["current"] = price
    slot["volume"] += quantity


@compiled
def take_row(row: Any, instrument: Any, ts: int) -> int:
    """Updates the instrument; returns the reasons to wake that its prices give."""
    if row["kind"] == QUOTE:
        return take_quote(row, instrument, ts)
    if row["kind"] == TRADE:
        return take_trade(row, instrument, ts)
    return take_bar(row, instrument, ts)


@compiled
def update_window(row: Any, slot: Any, instruments: Any, points: Any, bins: Any, clock: Any, ts: int) -> bool:
    """Takes a row into one window of its instrument; whether the window's conditions are to be tested."""
    kind = row["kind"]
    if slot["kind"] == TRADE_BARS:
        if kind == TRADE:
            take_into_bar(slot, row["x0"], row["x1"], ts)
            clock["bar_due"] = min(clock["bar_due"], slot["bucket_end"])
        return False
    if kind != QUOTE:
        return False
    is_spread = slot["kind"] == SPREAD
    update_point(
        slot, points, bins, ts, spread_bps(slot, instruments, ts) if is_spread else 0.5 * (row["x0"] + row["x1"])
    )
    return True


@compiled
def stop_before(ts: int, sequence: int, clock: Any, next_due: int, stop_sequence: int) -> int:
    """Why the row received at `ts`, which would be numbered `sequence`, must wait; 0 where it need not."""
    if ts < clock["ts_received"] or sequence <= clock["sequence"]:
        return DISORDER
    if ts >= clock["bar_due"] and clock["bar_due"] <= next_due:
        return BAR_DUE
    if ts >= next_due:
        return DEADLINE
    return INPUT if stop_sequence < sequence else 0


@compiled
def advance_rows(
    rows: Any,
    start: int,
    stop: int,
    next_due: int,
    stop_sequence: int,
    clocks: Any,
    instruments: Any,
    slots: Any,
    points: Any,
    bins: Any,
    watches: Any,
    opportunities: Any,
    conditions: Any,
    members: Any,
) -> tuple[int, int]:
    """Takes rows[start:stop] until something matters.

    Returns (position, reasons): behind a woken row, or at the row before which a deadline (`next_due`, ns), a bar's end
    or the input numbered `stop_sequence` comes; (stop, 0) when all rows are in. Writes `sequence` into the rows, unless
    they keep the numbers of a recording.
    """
    clock = clocks[0]
    for i in range(start, stop):
        row = rows[i]
        ts = row["ts_received"]
        sequence = row["sequence"] if clock["keeps_numbers"] else (clock["sequence"] >> STEP_BITS) + 1 << STEP_BITS
        waits = stop_before(ts, sequence, clock, next_due, stop_sequence)
        if waits:
            return i, waits
        clock["sequence"] = row["sequence"] = sequence
        clock["rows"] += 1
        clock["ts_received"] = ts
        if row_fault(row, instruments, clock) or row["kind"] > LAST_DECIDING:
            continue
        instrument = instruments[row["instrument"]]
        reasons = take_row(row, instrument, ts)
        found = 0
        for route in range(instrument["routes_from"], instrument["routes_to"]):
            slot = slots[members[route]]
            if update_window(row, slot, instruments, points, bins, clock, ts):
                if slot["watch"] != NO_WATCH:
                    watch_slot(slot, instruments, ts, watches, opportunities, clock)
                found = changed_conditions(slot, instruments, conditions, members, found)
        if found:
            reasons |= CONDITION
        if instrument["every_row"]:
            reasons |= EVERY_ROW
        if reasons:
            clock["changes"] = found
            return i + 1, reasons
    return stop, 0
