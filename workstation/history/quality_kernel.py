"""The compiled pass over a series' rows that counts what is wrong with them, one row group after the other.

Nothing is kept of the rows but counters, a histogram of distances and one of lags, the silences that may be gaps, and
the last 51 prices. Callees stand in this file: the compiler's cache does not notice an edit in another one.
"""

import math

import numpy as np

from workstation.kernels.compiled import compiled
from workstation.model.durations import DAY_NS
from workstation.model.market import (
    FloatArray,
    IntArray,
    RowKind,
    Rows,
)

HAS_RECEIPT = 64
"""A bit of our own in a row's `flags`: its `ts_received` was stored, not assumed."""
SIDE = 25
"""Neighbours on each side that a price is compared with."""
WINDOW = 2 * SIDE + 1
FEWEST_NEIGHBOURS = 10
"""With fewer no price is called an outlier."""
FROZEN_ROWS = 20
"""So many rows of one price are a price that stands still."""
FINE_BITS = 10
BUCKETS = 56 << FINE_BITS
"""Of a histogram: whole numbers from 0 to 2^63, each within 1/2048 of its bucket's middle."""

_QUOTE, _TRADE, _BAR = int(RowKind.QUOTE), int(RowKind.TRADE), int(RowKind.BAR)

STATE = np.dtype(
    [
        ("rows", np.int64),
        ("last_ns", np.int64),
        ("newest_event_ns", np.int64),
        ("duplicates", np.int64),
        ("out_of_order", np.int64),
        ("crossed", np.int64),
        ("zero_prices", np.int64),
        ("outliers", np.int64),
        ("priced", np.int64),
        ("held", np.int64),
        ("last_price", np.float64),
        ("frozen_rows", np.int64),
        ("frozen_ns", np.int64),
        ("frozen", np.int64),
        ("longest_frozen_ns", np.int64),
    ]
)
"""Counters, and what is known of the rows before: `held` prices are in the window, `frozen_*` are of the run now."""


@compiled
def bucket_of(value: int) -> int:
    """The bucket of a whole number ≥ 0: exact below 2,048, then with ten binary digits."""
    if value < 2 << FINE_BITS:
        return value
    exponent = math.frexp(float(value))[1] - FINE_BITS - 1
    return (exponent << FINE_BITS) + (value >> exponent)


def bucket_middle(bucket: int) -> float:
    """The number in the middle of a bucket."""
    if bucket < 2 << FINE_BITS:
        return float(bucket)
    exponent = (bucket >> FINE_BITS) - 1
    return (bucket - (exponent << FINE_BITS) + 0.5) * 2.0**exponent


@compiled
def price_of(rows: Rows, place: int) -> float:
    """The mid of a quote, the price of a trade, the close of a bar; NaN where it is not finite and over 0."""
    kind = rows[place]["kind"]
    if kind == _QUOTE:
        price = (rows[place]["x0"] + rows[place]["x1"]) / 2.0
        is_good = rows[place]["x0"] > 0.0 and rows[place]["x1"] > 0.0 and price < math.inf
    elif kind == _TRADE:
        price = rows[place]["x0"]
        is_good = price > 0.0 and price < math.inf
    else:
        price = rows[place]["x3"]
        is_good = rows[place]["x0"] > 0.0 and rows[place]["x2"] > 0.0 and price > 0.0 and rows[place]["x1"] < math.inf
    return price if is_good else math.nan


@compiled
def is_crossed(rows: Rows, place: int) -> bool:
    """A bid over its ask; a bar whose high or low does not hold its open and close."""
    kind = rows[place]["kind"]
    if kind == _QUOTE:
        return bool(rows[place]["x0"] > rows[place]["x1"])
    if kind == _BAR:
        low, high = rows[place]["x2"], rows[place]["x1"]
        return bool(
            rows[place]["x0"] < low or rows[place]["x0"] > high or rows[place]["x3"] < low or rows[place]["x3"] > high
        )
    return False


@compiled
def is_repeat(rows: Rows, place: int, before: Rows, held: int) -> bool:
    """Whether a row is the one before it again: of a bar the opening counts, of a quote all its values."""
    kind = rows[place]["kind"]
    if held == 0 or kind == _TRADE or rows[place]["ts_event"] != before[0]["ts_event"]:
        return False
    if kind == _BAR:
        return True
    is_same = bool(rows[place]["ts_received"] == before[0]["ts_received"])
    for one, other in (
        (rows[place]["x0"], before[0]["x0"]),
        (rows[place]["x1"], before[0]["x1"]),
        (rows[place]["x2"], before[0]["x2"]),
        (rows[place]["x3"], before[0]["x3"]),
    ):
        is_same = is_same and bool(one == other)
    return is_same


@compiled
def place_in(ordered: FloatArray, count: int, value: float) -> int:
    """The first place of `value` among the first `count`, which ascend and have it."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def put_sorted(ordered: FloatArray, count: int, value: float) -> None:
    """Puts a value among the first `count`, which ascend."""
    place = count
    while place > 0 and ordered[place - 1] > value:
        ordered[place] = ordered[place - 1]
        place -= 1
    ordered[place] = value


@compiled
def take_sorted(ordered: FloatArray, count: int, value: float) -> None:
    """Takes a value out of the first `count`, which ascend and have it."""
    for after in range(place_in(ordered, count, value), count - 1):
        ordered[after] = ordered[after + 1]


@compiled
def exchange_sorted(ordered: FloatArray, count: int, old: float, new: float) -> None:
    """Takes `old` out and puts `new` in; only what lies between them moves."""
    place = place_in(ordered, count, old)
    while place + 1 < count and ordered[place + 1] < new:
        ordered[place] = ordered[place + 1]
        place += 1
    while place > 0 and ordered[place - 1] > new:
        ordered[place] = ordered[place - 1]
        place -= 1
    ordered[place] = new


@compiled
def is_outlier(ordered: FloatArray, count: int, price: float, deviations: float, least: float) -> bool:
    """Whether `price`, one of the first `count` values, is further than `deviations` mean absolute deviations, and than
    the fraction `least`, from the median of the others."""
    others = count - 1
    if others < FEWEST_NEIGHBOURS or ordered[count - 1] - ordered[0] <= least * ordered[0]:
        return False  # as a rule all prices are so near to one another that none can be far from their median
    own = place_in(ordered, count, price)
    lower, upper = (others - 1) // 2, others // 2
    median = (ordered[lower + (lower >= own)] + ordered[upper + (upper >= own)]) / 2.0
    distance = abs(price - median)
    if distance <= least * median:
        return False
    total = 0.0
    for place in range(count):
        if place != own:
            total += abs(ordered[place] - median)
    return bool(distance > deviations * total / others)


@compiled
def take_price(
    state: Rows, recent: FloatArray, ordered: FloatArray, price: float, deviations: float, least: float
) -> None:
    """The newest price; judges the one SIDE rows before it, which has all its neighbours now.

    `recent` (WINDOW) has the price number n at n % WINDOW, `ordered` (WINDOW) the same prices ascending.
    """
    number, held = state[0]["priced"], state[0]["held"]
    if held == WINDOW:
        exchange_sorted(ordered, held, recent[number % WINDOW], price)
    else:
        put_sorted(ordered, held, price)
        held += 1
    recent[number % WINDOW] = price
    state[0]["priced"] = number + 1
    state[0]["held"] = held
    if number >= SIDE:
        judged = recent[(number - SIDE) % WINDOW]
        state[0]["outliers"] += is_outlier(ordered, held, judged, deviations, least)


@compiled
def judge_last(state: Rows, recent: FloatArray, ordered: FloatArray, deviations: float, least: float) -> None:
    """Judges the last rows, which have fewer than SIDE neighbours behind them."""
    total, held = state[0]["priced"], state[0]["held"]
    for number in range(max(total - SIDE, 0), total):
        first = number - SIDE - 1
        if first >= 0:
            take_sorted(ordered, held, recent[first % WINDOW])
            held -= 1
        state[0]["outliers"] += is_outlier(ordered, held, recent[number % WINDOW], deviations, least)


@compiled
def end_frozen(state: Rows, frozen_ns: int) -> None:
    """Counts the run of one price that ends; one of few rows, or shorter than `frozen_ns`, is none."""
    if state[0]["frozen_rows"] >= FROZEN_ROWS:
        state[0]["longest_frozen_ns"] = max(state[0]["longest_frozen_ns"], state[0]["frozen_ns"])
        state[0]["frozen"] += state[0]["frozen_ns"] >= frozen_ns
    state[0]["frozen_rows"] = 0
    state[0]["frozen_ns"] = 0


@compiled
def take_frozen(state: Rows, price: float, is_flat: bool, step_ns: int, most_step_ns: int, frozen_ns: int) -> None:
    """A price goes on with the run of its like, or ends it; of a silence `most_step_ns` count."""
    if price == state[0]["last_price"] and is_flat:
        state[0]["frozen_rows"] += 1
        state[0]["frozen_ns"] += min(step_ns, most_step_ns)
    else:
        end_frozen(state, frozen_ns)
        state[0]["frozen_rows"] = 1
    state[0]["last_price"] = price


@compiled
def take_times(state: Rows, rows: Rows, place: int, lags: IntArray, length_ns: int) -> None:
    """Order and lag of a row with both times; `lags` has negative ones from BUCKETS on."""
    received, event = rows[place]["ts_received"], rows[place]["ts_event"]
    if event == 0 or not rows[place]["flags"] & HAS_RECEIPT:
        return
    lag = received - event
    if lag >= 0:
        lags[bucket_of(lag)] += 1
    else:
        lags[BUCKETS + bucket_of(-lag)] += 1
    later = received if length_ns else event  # bars stand in the order of their opening, the others by their receipt
    if later < state[0]["newest_event_ns"]:
        state[0]["out_of_order"] += 1
    else:
        state[0]["newest_event_ns"] = later


@compiled
def look_at(
    rows: Rows,
    length_ns: int,
    least_gap_ns: int,
    frozen_ns: int,
    deviations: float,
    least_deviation: float,
    first_day: int,
    state: Rows,
    before: Rows,
    recent: FloatArray,
    ordered: FloatArray,
    distances: IntArray,
    lags: IntArray,
    days: IntArray,
    silences: IntArray,
) -> int:
    """Takes rows of one series in order; returns how many of `silences` (n, 2: from, to) they filled.

    `length_ns` is of a bar, else 0. A silence begins with the last row (a bar's end) and is longer than `least_gap_ns`
    (of bars: than nothing). `days` counts rows from `first_day` on; `before` (1) has the last row.
    """
    found = 0
    most_step_ns = length_ns if length_ns else least_gap_ns
    for place in range(len(rows)):
        at = rows[place]["ts_event"] - length_ns if length_ns else rows[place]["ts_received"]
        day = at // DAY_NS - first_day
        if 0 <= day < len(days):  # a file that was exchanged may have rows outside of what its manifest says
            days[day] += 1
        step = 0
        if state[0]["rows"] > 0:
            step = at - state[0]["last_ns"]
            if step < 0:
                state[0]["out_of_order"] += 1
                step = 0
            distances[bucket_of(step)] += 1
            if step > max(least_gap_ns, length_ns):
                silences[found, 0] = state[0]["last_ns"] + length_ns
                silences[found, 1] = at
                found += 1
            state[0]["duplicates"] += is_repeat(rows, place, before, 1)
        take_times(state, rows, place, lags, length_ns)
        state[0]["crossed"] += is_crossed(rows, place)
        price = price_of(rows, place)
        if price == price:
            is_flat = length_ns == 0 or rows[place]["x1"] == rows[place]["x2"]
            take_frozen(state, price, is_flat, step, most_step_ns, frozen_ns)
            take_price(state, recent, ordered, price, deviations, least_deviation)
        else:
            state[0]["zero_prices"] += 1
        state[0]["last_ns"] = max(at, state[0]["last_ns"])
        state[0]["rows"] += 1
        before[0] = rows[place]
    return found
