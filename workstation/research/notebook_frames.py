"""Stored rows as a table of pandas: a notebook shows it, plots it and takes it further."""

import numpy as np
import pandas as pd

from workstation.model.market import Bars, IntArray, RowFlag, Rows


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


def _received(rows: Rows, columns: dict[str, np.ndarray]) -> pd.DataFrame:
    told = _times(rows["ts_event"], "ts_event")
    columns_and_time = columns | {"ts_event": told.where(rows["ts_event"] != 0)}
    return pd.DataFrame(columns_and_time, index=_times(rows["ts_received"], "ts_received"))


def _times(times_ns: IntArray, name: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(np.array(times_ns).astype("datetime64[ns]"), name=name).tz_localize("UTC")
