"""Rows as the gate hands them to the recorder, and ways to count them."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.history.series import BTC, DAY_START_NS, ETH, an_instrument
from workstation.history.live_log import LIVE_FOLDER, logs_in
from workstation.history.log_writer import WriterSettings
from workstation.history.recorder import Recorder, RecorderSettings
from workstation.history.store import HistoryStore
from workstation.model.durations import MINUTE_NS, MS_NS
from workstation.model.instrument import Registry
from workstation.model.market import (
    MARKET_ROW,
    STEP_BITS,
    RowFlag,
    RowKind,
    Rows,
    interval_code,
)

NOW_NS = DAY_START_NS + 3_600_000_000_000
NEVER = RecorderSettings(
    roll_interval_s=1e6, check_interval_s=0.01, rolls_apart=False, writer=WriterSettings(write_interval_s=0.005)
)
"""Rolls when it is told to."""


def a_registry() -> Registry:
    registry = Registry()
    for key in (BTC, ETH):
        registry.add(an_instrument(key))
    return registry


def live_rows(count: int, first: int = 1, *, step_ns: int = MS_NS, start_ns: int = DAY_START_NS) -> Rows:
    """Market rows number `first` and on: quotes and trades of both instruments, and a one-minute bar now and then."""
    numbers = np.arange(first, first + count)
    rows = np.zeros(count, MARKET_ROW)
    rows["sequence"] = numbers << STEP_BITS
    rows["ts_received"] = start_ns + numbers * step_ns
    rows["ts_event"] = np.where(numbers % 7 == 0, 0, rows["ts_received"] - 250)
    rows["instrument"] = numbers % 2
    rows["kind"] = np.where(numbers % 5 == 0, RowKind.TRADE, RowKind.QUOTE)
    rows["x0"] = np.round(100 + numbers % 1000 / 100, 2)
    rows["x1"] = np.where(rows["kind"] == RowKind.QUOTE, np.round(rows["x0"] + 0.01, 2), 0.5)
    quotes = rows["kind"] == RowKind.QUOTE
    rows["x2"][quotes], rows["x3"][quotes] = 1.0, numbers[quotes]
    rows["flags"] = np.where(numbers % 10 == 0, int(RowFlag.SELLER_TAKES), 0)
    for place in np.flatnonzero(numbers % 50 == 49):
        rows[place] = a_bar(int(numbers[place]), int(rows["ts_received"][place]))
    return rows


def a_bar(number: int, ts_received: int) -> Any:
    row = np.zeros(1, MARKET_ROW)
    row["sequence"], row["ts_received"], row["kind"] = number << STEP_BITS, ts_received, RowKind.BAR
    row["ts_event"] = DAY_START_NS + number * MINUTE_NS
    row["flags"], row["interval_code"] = RowFlag.IS_CLOSED, interval_code(MINUTE_NS)
    for name in ("x0", "x1", "x2", "x3"):
        row[name] = 100.0
    row["x4"] = number
    return row[0]


def a_recorder(store: HistoryStore, settings: RecorderSettings = NEVER, now_ns: int = NOW_NS) -> Recorder:
    return Recorder.open(store, now_ns=now_ns, settings=settings)


def logs(store: HistoryStore) -> list[Path]:
    return logs_in(store.root / LIVE_FOLDER)


def stored_numbers(store: HistoryStore) -> list[int]:
    """The number of every row that a reader sees, in order; what is there twice is there twice."""
    sql = "SELECT sequence FROM quotes UNION ALL SELECT sequence FROM trades UNION ALL SELECT sequence FROM bars"
    numbers: list[int] = sorted(store.query(sql)["sequence"].to_pylist())
    return numbers
