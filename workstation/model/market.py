"""MARKET_ROW: one row for a quote, a trade, a bar or a level of a book, so that kinds interleave in one order.

| kind    | x0   | x1    | x2           | x3           | x4     | ts_event                |
|---------|------|-------|--------------|--------------|--------|-------------------------|
| QUOTE   | bid  | ask   | bid_quantity | ask_quantity | 0      | venue's time, 0 = none  |
| TRADE   | price| qty   | 0            | 0            | 0      | venue's time, 0 = none  |
| BAR     | open | high  | low          | close        | volume | end of the bar          |
| MARK    | price| index | 0            | 0            | 0      | venue's time, 0 = none  |
| FUNDING | rate | due   | 0            | 0            | 0      | venue's time, 0 = none  |
| BOOK    | bid  | ask   | bid_quantity | ask_quantity | levels | venue's time, 0 = none  |

`interval_code`, an index into INTERVALS_NS, tells a bar's series. Its `ts_open` is `ts_event - interval`.

A MARK's index price is 0 where the venue tells none. A FUNDING rate is a fraction per interval, over 0 where longs pay
shorts; it is due at so many ms of Unix time, or, with 0 there, was paid at `ts_event`. An order book comes as one row
for each level, the best first, all of one `ts_received`: `interval_code` is the level's place from 0, `levels` how many
there are, and a side that has fewer shows price and quantity 0.
Times are integer nanoseconds UTC; `sequence` and `ts_received` are the gate's: the one order of everything.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.errors import BadInput
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Rows = npt.NDArray[Any]
"""A plain structured array of MARKET_ROW (never a recarray: slicing one costs 40 times as much)."""

MARKET_ROW = np.dtype(
    [
        ("sequence", np.int64),
        ("ts_received", np.int64),
        ("ts_event", np.int64),
        ("instrument", np.int32),
        ("kind", np.uint8),
        ("flags", np.uint8),
        ("interval_code", np.uint16),
        ("x0", np.float64),
        ("x1", np.float64),
        ("x2", np.float64),
        ("x3", np.float64),
        ("x4", np.float64),
    ]
)


STEP_BITS = 20
"""A `sequence` is (market rows taken) << STEP_BITS | step: a row has step 0, whatever passes the gate before the next
row (inputs, reports, wakes) has the steps 1, 2, 3 … One integer orders everything, and counts the rows before."""


def rows_taken(sequence: int) -> int:
    """Market rows at or before a place in the one order."""
    return sequence >> STEP_BITS


class RowKind(IntEnum):
    QUOTE = 1
    TRADE = 2
    BAR = 3
    MARK = 4
    FUNDING = 5
    BOOK = 6


DECIDING = RowKind.BAR
"""Kinds up to this one move windows, orders and strategies; those after it are recorded and shown."""


class RowFlag(IntFlag):
    SELLER_TAKES = 1
    """Of a trade: the taker sold."""
    IS_CLOSED = 2
    """Of a bar: it will not change any more."""


_LABELS = {
    "1s": SECOND_NS,
    "5s": 5 * SECOND_NS,
    "15s": 15 * SECOND_NS,
    "30s": 30 * SECOND_NS,
    "1m": MINUTE_NS,
    "3m": 3 * MINUTE_NS,
    "5m": 5 * MINUTE_NS,
    "15m": 15 * MINUTE_NS,
    "30m": 30 * MINUTE_NS,
    "1h": HOUR_NS,
    "2h": 2 * HOUR_NS,
    "4h": 4 * HOUR_NS,
    "6h": 6 * HOUR_NS,
    "8h": 8 * HOUR_NS,
    "12h": 12 * HOUR_NS,
    "1d": DAY_NS,
    "1w": 7 * DAY_NS,
}
INTERVALS_NS: tuple[int, ...] = tuple(_LABELS.values())
"""Append-only: a row holds an index into it."""


def interval_ns(label: str) -> int:
    """ "1m" -> 60 000 000 000. Raises BadInput with the known labels."""
    try:
        return _LABELS[label]
    except KeyError:
        raise BadInput(f"interval {label!r}: expected one of {', '.join(_LABELS)}") from None


def interval_label(length_ns: int) -> str:
    """60 000 000 000 -> "1m"."""
    return list(_LABELS)[interval_code(length_ns)]


def interval_code(length_ns: int) -> int:
    """The index of a bar length in INTERVALS_NS."""
    try:
        return INTERVALS_NS.index(length_ns)
    except ValueError:
        raise BadInput(f"interval of {length_ns} ns: expected one of {', '.join(_LABELS)}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """One series of closed bars as arrays of shape (n,): `ts_open` in ns UTC, prices in quote, volume in base."""

    interval_ns: int
    ts_open: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def __post_init__(self) -> None:
        for name in ("open", "high", "low", "close", "volume"):
            if len(getattr(self, name)) != len(self.ts_open):
                raise BadInput(f"bars: {name} has {len(getattr(self, name))} values, ts_open {len(self.ts_open)}")

    def __len__(self) -> int:
        return len(self.ts_open)

    def slice(self, start: int, stop: int) -> "Bars":
        """Bars start … stop-1 as views."""
        return Bars(
            interval_ns=self.interval_ns,
            ts_open=self.ts_open[start:stop],
            open=self.open[start:stop],
            high=self.high[start:stop],
            low=self.low[start:stop],
            close=self.close[start:stop],
            volume=self.volume[start:stop],
        )


def bar_rows(bars: Bars, instrument: int, delay_ns: int = 0) -> Rows:
    """MARKET_ROWs of closed bars; each is received `delay_ns` after its end. `sequence` is left to the gate."""
    rows = np.zeros(len(bars), MARKET_ROW)
    rows["ts_event"] = bars.ts_open + bars.interval_ns
    rows["ts_received"] = rows["ts_event"] + delay_ns
    rows["instrument"] = instrument
    rows["kind"] = RowKind.BAR
    rows["flags"] = RowFlag.IS_CLOSED
    rows["interval_code"] = interval_code(bars.interval_ns)
    for field, name in (("x0", "open"), ("x1", "high"), ("x2", "low"), ("x3", "close"), ("x4", "volume")):
        rows[field] = getattr(bars, name)
    return rows


def quote_rows(
    *,
    instrument: int,
    ts_received: IntArray,
    bid: FloatArray,
    ask: FloatArray,
    bid_quantity: FloatArray,
    ask_quantity: FloatArray,
    ts_event: IntArray | None = None,
) -> Rows:
    """MARKET_ROWs of best bid and ask; arrays of shape (n,), prices in quote, quantities in base, times in ns UTC."""
    rows = np.zeros(len(ts_received), MARKET_ROW)
    rows["ts_received"] = ts_received
    rows["ts_event"] = 0 if ts_event is None else ts_event
    rows["instrument"] = instrument
    rows["kind"] = RowKind.QUOTE
    for field, values in (("x0", bid), ("x1", ask), ("x2", bid_quantity), ("x3", ask_quantity)):
        rows[field] = values
    return rows


def trade_rows(
    *,
    instrument: int,
    ts_received: IntArray,
    price: FloatArray,
    quantity: FloatArray,
    seller_takes: npt.NDArray[np.bool_],
    ts_event: IntArray | None = None,
) -> Rows:
    """MARKET_ROWs of public trades; arrays of shape (n,)."""
    rows = np.zeros(len(ts_received), MARKET_ROW)
    rows["ts_received"] = ts_received
    rows["ts_event"] = 0 if ts_event is None else ts_event
    rows["instrument"] = instrument
    rows["kind"] = RowKind.TRADE
    rows["flags"] = np.where(seller_takes, int(RowFlag.SELLER_TAKES), 0)
    rows["x0"] = price
    rows["x1"] = quantity
    return rows
