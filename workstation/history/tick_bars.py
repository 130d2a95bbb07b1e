"""The compiled pass that makes bars of ticks: each tick in the bar that its time lies in, in whatever order they come.

Callees stand in this file: the compiler's cache does not notice an edit in another one.
"""

import math

import numpy as np

from workstation.kernels.compiled import compiled
from workstation.model.market import FloatArray, IntArray, Rows

BAR = np.dtype(
    [
        ("ts_open", np.int64),
        ("first_ns", np.int64),
        ("last_ns", np.int64),
        ("open", np.float64),
        ("high", np.float64),
        ("low", np.float64),
        ("close", np.float64),
        ("volume", np.float64),
    ]
)
"""A bar in the making: `first_ns` and `last_ns` are the times of the ticks that its open and close come from."""
COUNT, SESSION, OUTSIDE, UNUSABLE, NEWEST = range(5)
"""Places in the state: bars so far, the session last looked at, ticks left out and why, the newest tick's time."""


@compiled
def find_session(opens: IntArray, ends: IntArray, at: int, near: int) -> int:
    """The session that holds `at`, looked for from `near` on; -1 where none does."""
    while near + 1 < len(opens) and at >= opens[near + 1]:
        near += 1
    while near > 0 and at < opens[near]:
        near -= 1
    return near if opens[near] <= at < ends[near] else -1


@compiled
def place_of(bars: Rows, count: int, ts_open: int) -> int:
    """Where among the first `count` bars one of this opening is, or would have to be put."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if bars[middle]["ts_open"] < ts_open:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def begin_bar(bars: Rows, count: int, place: int, ts_open: int, at: int, price: float, quantity: float) -> None:
    """Puts a bar of one tick at `place`, the later ones one further."""
    for later in range(count, place, -1):
        bars[later] = bars[later - 1]
    bars[place]["ts_open"] = ts_open
    bars[place]["first_ns"] = at
    bars[place]["last_ns"] = at
    bars[place]["open"] = price
    bars[place]["high"] = price
    bars[place]["low"] = price
    bars[place]["close"] = price
    bars[place]["volume"] = quantity


@compiled
def take_ticks(
    times: IntArray,
    prices: FloatArray,
    quantities: FloatArray,
    opens: IntArray,
    ends: IntArray,
    interval_ns: int,
    start_ns: int,
    end_ns: int,
    bars: Rows,
    state: IntArray,
) -> None:
    """Adds ticks, arrays of shape (n,), to `bars` (BAR), which has room for n more; `quantities` may be of shape (0,).

    The open is the earliest tick's price and the close the latest's; of one time the first and the last that came. A
    tick outside of [start, end) or of every session, and one of a price not finite and over 0, is counted and left out.
    """
    current, current_from, current_end = 0, 0, 0  # the bar of the tick before: most ticks lie in it
    for tick in range(len(times)):
        at, price = times[tick], prices[tick]
        quantity = quantities[tick] if len(quantities) else 0.0
        if not (price > 0.0 and price < math.inf):
            state[UNUSABLE] += 1
            continue
        if not current_from <= at < current_end:
            session = find_session(opens, ends, at, state[SESSION])
            if session < 0 or at < start_ns or at >= end_ns:
                state[OUTSIDE] += 1
                continue
            state[SESSION] = session
            ts_open = opens[session] + (at - opens[session]) // interval_ns * interval_ns
            current_from, current_end = max(ts_open, start_ns), min(ts_open + interval_ns, ends[session], end_ns)
            count = state[COUNT]
            current = place_of(bars, count, ts_open)
            if current == count or bars[current]["ts_open"] != ts_open:
                begin_bar(bars, count, current, ts_open, at, price, quantity)
                state[COUNT] = count + 1
                state[NEWEST] = max(state[NEWEST], at)
                continue
        state[NEWEST] = max(state[NEWEST], at)
        bar = bars[current]
        bar["volume"] += quantity
        bar["high"] = max(bar["high"], price)
        bar["low"] = min(bar["low"], price)
        if at >= bar["last_ns"]:
            bar["last_ns"] = at
            bar["close"] = price
        elif at < bar["first_ns"]:
            bar["first_ns"] = at
            bar["open"] = price
