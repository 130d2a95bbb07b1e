"""Stored rows as a table of pandas: a notebook shows it, plots it and takes it further."""

import numpy as np
import pandas as pd

from workstation.history.layout import HistoryKind
from workstation.history.segments import Table
from workstation.model.durations import MS_NS, SECOND_NS
from workstation.model.market import (
    Bars,
    IntArray,
    RowFlag,
    Rows,
)


def bar_frame(bars: Bars) -> pd.DataFrame:
    """One row a bar, by its opening in UTC."""
    names = ("open", "high", "low", "close", "volume")
    return pd.DataFrame({name: getattr(bars, name) for name in names}, index=_times(bars.ts_open, "ts_open"))


def quote_frame(rows: Rows) -> pd.DataFrame:
    """One row a quote, by its receipt in UTC; `ts_event` is NaT where the venue told none."""
    names = ("bid", "ask", "bid_quantity", "ask_quantity")
    return _received(rows, {name: np.array(rows[f"x{place}"]) for place, name in enumerate(names)})


def trade_frame(rows: Rows) -> pd.DataFrame:
    """One row a public trade, as quotes are."""
    seller_takes = (rows["flags"] & RowFlag.SELLER_TAKES) != 0
    return _received(
        rows, {"price": np.array(rows["x0"]), "quantity": np.array(rows["x1"]), "seller_takes": seller_takes}
    )


def mark_frame(rows: Rows) -> pd.DataFrame:
    """One row a mark price, as quotes are; an index price that was not told is NaN."""
    index = np.where(rows["x1"] > 0, rows["x1"], np.nan)
    return _received(rows, {"price": np.array(rows["x0"]), "index_price": index})


def funding_frame(rows: Rows) -> pd.DataFrame:
    """One row a funding rate, as quotes are; `ts_due` is NaT of a rate that was paid at `ts_event`."""
    due = _times((rows["x1"] * MS_NS).astype(np.int64), "ts_due")
    return _received(rows, {"rate": np.array(rows["x0"])}).assign(ts_due=due.where(rows["x1"] != 0))


def book_frame(rows: Rows) -> pd.DataFrame:
    """One row a level of an order book, as quotes are, the best level 0; what a side has not is NaN."""
    names = ("bid", "ask", "bid_quantity", "ask_quantity")
    columns = {name: np.array(rows[f"x{place}"]) for place, name in enumerate(names)}
    for side in ("bid", "ask"):
        is_absent = columns[side] == 0
        columns[side][is_absent] = columns[f"{side}_quantity"][is_absent] = np.nan
    return _received(rows, columns | {"level": rows["interval_code"].astype(np.int64)})


FRAMES = {
    HistoryKind.QUOTES: quote_frame,
    HistoryKind.TRADES: trade_frame,
    HistoryKind.BOOKS: book_frame,
    HistoryKind.MARKS: mark_frame,
    HistoryKind.FUNDING: funding_frame,
}
"""By the kind; bars have an interval, and a function of their own."""


def spread_frame(table: Table) -> pd.DataFrame:
    """One row a point, by receipt in UTC."""
    frame: pd.DataFrame = table.to_pandas()
    return frame.set_index(_times(frame.pop("ts_received").to_numpy(), "ts_received"))


def opportunity_frame(table: Table) -> pd.DataFrame:
    """One row an opportunity, by its closing in UTC."""
    frame: pd.DataFrame = table.to_pandas()
    closed, opened, peak = (frame.pop(f"ts_{name}").to_numpy() for name in ("closed", "opened", "peak"))
    frame.insert(0, "opened", _times(opened, "opened"))
    frame.insert(1, "peak_at", _times(peak, "peak_at"))
    frame.insert(2, "seconds", (closed - opened) / SECOND_NS)
    return frame.set_index(_times(closed, "closed"))


PAIR_FRAMES = {HistoryKind.SPREADS: spread_frame, HistoryKind.OPPORTUNITIES: opportunity_frame}
"""By the kind, of a table's stored columns."""


def _received(rows: Rows, columns: dict[str, np.ndarray]) -> pd.DataFrame:
    told = _times(rows["ts_event"], "ts_event")
    columns_and_time = columns | {"ts_event": told.where(rows["ts_event"] != 0)}
    return pd.DataFrame(columns_and_time, index=_times(rows["ts_received"], "ts_received"))


def _times(times_ns: IntArray, name: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(np.array(times_ns).astype("datetime64[ns]"), name=name).tz_localize("UTC")
