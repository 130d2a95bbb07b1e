"""Bars and spreads made from a printed seed, for tests of charts."""

from typing import Any

import numpy as np
import pandas as pd

from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.market import (
    Bars,
)

START_NS = 19_844 * 86_400 * SECOND_NS
"""2024-05-01T00:00Z."""
SEED = 11
EVIL = "<img src=x onerror=alert(1)>"


def some_bars(count: int, *, interval_ns: int = MINUTE_NS, start_ns: int = START_NS, seed: int = SEED) -> Bars:
    print(f"bars of seed {seed}")
    random = np.random.default_rng(seed)
    close = np.round(50_000 + np.cumsum(random.normal(0, 20, count)), 1)
    open_ = np.concatenate([[50_000.0], close[:-1]])[:count]
    return Bars(
        interval_ns=interval_ns,
        ts_open=start_ns + interval_ns * np.arange(count),
        open=open_,
        high=np.maximum(open_, close) + 5.0,
        low=np.minimum(open_, close) - 5.0,
        close=close,
        volume=random.gamma(2.0, 5.0, count),
    )


def utc(seconds: Any) -> pd.DatetimeIndex:
    """Times, so many seconds after START_NS."""
    times = START_NS + (np.asarray(seconds, np.float64) * SECOND_NS).astype(np.int64)
    return pd.DatetimeIndex(times.astype("datetime64[ns]"), name="ts_received").tz_localize("UTC")


def some_spreads(**columns: list[float]) -> pd.DataFrame:
    """One row a second; what is not given is 0, the band a basis point wide on both sides."""
    count = len(next(iter(columns.values())))
    names = ("spread_bps", "mean_bps", "z", "net_edge_ab_bps", "net_edge_ba_bps")
    values = {name: np.zeros(count) for name in names} | {"upper_bps": np.ones(count), "lower_bps": -np.ones(count)}
    return pd.DataFrame(values | columns, index=utc(np.arange(count)))
