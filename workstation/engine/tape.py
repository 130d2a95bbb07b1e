"""The tape: of each instrument the last trade, the minute in the making and the venue's last closed minute; of a
perpetual its mark price and funding rate.

Only viewers read it; nothing is decided by it. One compiled pass over each block, behind the market's own.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.kernels.compiled import compiled
from workstation.model.durations import MINUTE_NS
from workstation.model.market import (
    RowFlag,
    RowKind,
    Rows,
    interval_code,
)
from workstation.windows.advance import LARGEST, bar_fault, quote_fault

QUOTE, TRADE, BAR = int(RowKind.QUOTE), int(RowKind.TRADE), int(RowKind.BAR)
MARK, FUNDING, BOOK = int(RowKind.MARK), int(RowKind.FUNDING), int(RowKind.BOOK)
IS_CLOSED, SELLER_TAKES = int(RowFlag.IS_CLOSED), int(RowFlag.SELLER_TAKES)
MINUTE, MINUTE_CODE = MINUTE_NS, interval_code(MINUTE_NS)

MINUTE_BAR = np.dtype(
    [
        ("ts_open", np.int64),
        ("open", np.float64),
        ("high", np.float64),
        ("low", np.float64),
        ("close", np.float64),
        ("volume", np.float64),  # NaN: there is no bar
    ]
)

LINE = np.dtype(
    [
        ("changes", np.int64),  # rows of any kind
        ("quotes", np.int64),
        ("quote_event", np.int64),  # the venue's time of the last quote, 0 where it gives none
        ("trade_event", np.int64),
        ("trade_received", np.int64),
        ("trade_price", np.float64),  # NaN before the first trade
        ("trade_quantity", np.float64),
        ("seller_takes", np.uint8),
        ("mark_price", np.float64),  # NaN before the first
        ("index_price", np.float64),  # 0 where the venue tells none
        ("funding_rate", np.float64),  # NaN before the first
        ("funding_due_ms", np.int64),
        ("forming", MINUTE_BAR),
        ("closed", MINUTE_BAR),
    ]
)

Lines = npt.NDArray[Any]


@compiled
def take_into_minute(row: Any, line: Any) -> None:
    """A trade goes into the minute of the venue's clock, so that it becomes the bar that the venue closes.

    One from before the minute in the making, or of a minute that is closed, is too late. A time more than a minute
    ahead of the receipt is not believed: it would stand in the way of all that follow.
    """
    ts = row["ts_event"]
    if ts <= 0 or ts > row["ts_received"] + MINUTE:
        ts = row["ts_received"]
    ts_open = ts // MINUTE * MINUTE
    forming, closed = line["forming"], line["closed"]
    price, has_none = row["x0"], math.isnan(forming["volume"])
    if not math.isnan(closed["volume"]) and ts_open <= closed["ts_open"]:
        return
    if has_none or ts_open > forming["ts_open"]:
        forming["ts_open"] = ts_open
        forming["open"] = forming["high"] = forming["low"] = price
        forming["volume"] = 0.0
    elif ts_open < forming["ts_open"]:
        return
    forming["high"] = max(forming["high"], price)
    forming["low"] = min(forming["low"], price)
    forming["close"] = price
    forming["volume"] += row["x1"]


@compiled
def take_trade(row: Any, line: Any) -> None:
    line["trade_event"], line["trade_received"] = row["ts_event"], row["ts_received"]
    line["trade_price"], line["trade_quantity"] = row["x0"], row["x1"]
    line["seller_takes"] = 1 if row["flags"] & SELLER_TAKES else 0
    take_into_minute(row, line)


@compiled
def take_closed_minute(row: Any, line: Any) -> None:
    """The venue's own minute stands for the one in the making; an older one that comes again changes nothing."""
    ts_open = row["ts_event"] - MINUTE
    forming, closed = line["forming"], line["closed"]
    if not math.isnan(closed["volume"]) and ts_open < closed["ts_open"]:
        return
    closed["ts_open"] = ts_open
    closed["open"], closed["high"], closed["low"] = row["x0"], row["x1"], row["x2"]
    closed["close"], closed["volume"] = row["x3"], row["x4"]
    if forming["ts_open"] <= ts_open:
        forming["volume"] = math.nan


@compiled
def take_mark(row: Any, line: Any) -> None:
    if 0.0 < row["x0"] < LARGEST and 0.0 <= row["x1"] < LARGEST:
        line["mark_price"], line["index_price"] = row["x0"], row["x1"]


@compiled
def take_funding(row: Any, line: Any) -> None:
    if -1.0 < row["x0"] < 1.0 and 0.0 <= row["x1"] < LARGEST:
        line["funding_rate"], line["funding_due_ms"] = row["x0"], int(row["x1"])


@compiled
def take_rows(rows: Any, lines: Any) -> tuple[int, int]:
    """Takes a block; returns how many closed bars of any length it has, and how many levels of books. Rows that the
    market rejects are passed by."""
    bars = levels = 0
    for i in range(len(rows)):
        row = rows[i]
        place = row["instrument"]
        if place < 0 or place >= len(lines):
            continue
        line = lines[place]
        kind = row["kind"]
        if kind == QUOTE and not quote_fault(row):
            line["quotes"] += 1
            line["quote_event"] = row["ts_event"]
        elif kind == TRADE and 0.0 < row["x0"] < LARGEST and 0.0 < row["x1"] < LARGEST:
            take_trade(row, line)
        elif kind == BAR and row["flags"] & IS_CLOSED and not bar_fault(row):
            bars += 1
            if row["interval_code"] == MINUTE_CODE:
                take_closed_minute(row, line)
        elif kind == MARK:
            take_mark(row, line)
        elif kind == FUNDING:
            take_funding(row, line)
        else:
            levels += kind == BOOK
            continue
        line["changes"] += 1
    return bars, levels


class Tape:
    """A line for each instrument of the registry, at its number."""

    def __init__(self, instruments: Callable[[], int]) -> None:
        """`instruments` says how many there are: more come while it runs."""
        self._instruments = instruments
        self.lines = _blank(instruments())
        self.on_bars: Callable[[Rows], None] = lambda rows: None
        """Called with each block that has a closed bar; its memory is used again."""
        self.on_books: Callable[[Rows], None] = lambda rows: None
        """The same of blocks with an order book."""

    def take(self, rows: Rows) -> None:
        """Rows that the market has taken."""
        missing = self._instruments() - len(self.lines)
        if missing:
            self.lines = np.concatenate([self.lines, _blank(missing)])
        bars, levels = take_rows(rows, self.lines)
        if bars:
            self.on_bars(rows)
        if levels:
            self.on_books(rows)


def _blank(count: int) -> Lines:
    lines = np.zeros(count, LINE)
    lines["mark_price"] = lines["funding_rate"] = np.nan
    lines["trade_price"] = lines["forming"]["volume"] = lines["closed"]["volume"] = np.nan
    return lines
