"""What a chart is given, as the columns that it draws: bars, fills, orders, lines."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workstation.errors import BadInput
from workstation.model.durations import MS_NS, SECOND_NS
from workstation.model.market import (
    Bars,
    FloatArray,
    IntArray,
)

Columns = dict[str, npt.NDArray[Any]]
TEXTS = ("side", "label", "kind", "words", "short")
OHLCV = ("open", "high", "low", "close", "volume")
SIDES = ("buy", "sell")
ORDER_KINDS = ("entry", "stop", "target")


def bars_of(bars: Bars | pd.DataFrame) -> Bars:
    """Bars from a table by opening with columns open, high, low, close, volume; raises BadInput for another one."""
    if isinstance(bars, Bars):
        return bars
    require_columns(bars, OHLCV, "bars")
    times = times_of(bars, "bars")
    steps = np.diff(times)
    return Bars(
        interval_ns=int(steps.min()) if len(steps) else SECOND_NS,
        ts_open=times,
        **{name: bars[name].to_numpy(np.float64) for name in OHLCV},
    )


def bar_columns(bars: Bars) -> Columns:
    """Columns of the source "candles": t (ms, the opening), o, h, l, c, v, and the body as middle, height and rise.

    `rise` is 1.0 where the close is not below the open, else 0.0; it chooses the colour.
    """
    return {
        "t": bars.ts_open / MS_NS,
        "o": bars.open,
        "h": bars.high,
        "l": bars.low,
        "c": bars.close,
        "v": bars.volume,
        "mid": (bars.open + bars.close) / 2,
        "height": np.abs(bars.close - bars.open),
        "rise": (bars.close >= bars.open).astype(np.float64),
    }


def fill_columns(fills: pd.DataFrame | None) -> Columns:
    """Columns of the source "fills": time (ms), price, side, quantity, label."""
    if fills is None or fills.empty:
        return _empty("time", "price", "side", "quantity", "label")
    require_columns(fills, ("time", "price", "side", "quantity"), "fills")
    return {"time": milliseconds(fills["time"], "fills")} | _priced(fills, "fills")


def order_columns(orders: pd.DataFrame | None) -> Columns:
    """Columns of the source "orders": price, side, quantity, label, kind; `words` or `short` stand at the line."""
    if orders is None or orders.empty:
        return _empty("price", "side", "quantity", "label", "kind", "words", "short")
    require_columns(orders, ("price", "side", "quantity", "kind"), "orders")
    columns = _priced(orders, "orders") | {"kind": _words(orders["kind"], ORDER_KINDS, "orders", "kind")}
    words, short = [], []
    for side, quantity, label in zip(columns["side"], columns["quantity"], columns["label"], strict=True):
        sign = "▲" if side == "buy" else "▼"
        words.append(f"{sign} {side} {quantity:.8g}" + (f" · {label}" if label else ""))
        short.append(f"{sign} {label or format(quantity, '.8g')}")
    return columns | {"words": np.array(words, dtype=object), "short": np.array(short, dtype=object)}


def line_columns(lines: Mapping[str, Any] | pd.DataFrame, bars: Bars, shown: Bars) -> Columns:
    """Columns of the source "lines": t, and one per line: its last value in each bar shown. Raises BadInput."""
    columns: Columns = {"t": shown.ts_open / MS_NS}
    lasts = np.searchsorted(bars.ts_open, shown.ts_open + shown.interval_ns) - 1
    for name, values in lines.items():
        array = np.asarray(values, np.float64)
        if array.shape != (len(bars),):
            raise BadInput(f"line {name}: {array.size} values for {len(bars)} bars: expected one for each bar")
        if name == "t":
            raise BadInput("line t: the name of the time column: expected another one")
        columns[str(name)] = array[lasts]
    return columns


def require_columns(frame: pd.DataFrame, names: tuple[str, ...], subject: str) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise BadInput(f"{subject} {type(frame).__name__}: expected a table of pandas with columns {', '.join(names)}")
    missing = [name for name in names if name not in frame]
    if missing:
        raise BadInput(f"{subject}: no column {', '.join(missing)}: expected {', '.join(names)}")


def times_of(frame: pd.DataFrame, subject: str) -> IntArray:
    """The index in ns UTC; raises BadInput where it is no time, or does not ascend."""
    if not isinstance(frame.index, pd.DatetimeIndex):
        raise BadInput(f"{subject}: index of {frame.index.dtype}: expected times (UTC)")
    if not frame.index.is_monotonic_increasing:
        raise BadInput(f"{subject}: times do not ascend: sort them by their index")
    return nanoseconds(frame.index)


def nanoseconds(times: pd.DatetimeIndex) -> IntArray:
    """ns UTC; a time without a zone is UTC."""
    result: IntArray = np.asarray(times.as_unit("ns").asi8, np.int64)
    return result


def milliseconds(times: Any, subject: str) -> FloatArray:
    """A column of times as ms UTC; raises BadInput."""
    try:
        index = pd.DatetimeIndex(times)
    except (TypeError, ValueError):
        raise BadInput(f"{subject}: time {list(times)[:1]}: expected times (UTC)") from None
    result: FloatArray = nanoseconds(index) / MS_NS
    return result


def _priced(frame: pd.DataFrame, subject: str) -> Columns:
    return {
        "price": frame["price"].to_numpy(np.float64),
        "side": _words(frame["side"], SIDES, subject, "side"),
        "quantity": frame["quantity"].to_numpy(np.float64),
        "label": frame["label"].astype(str).to_numpy(object)
        if "label" in frame
        else np.full(len(frame), "", dtype=object),
    }


def _words(column: "pd.Series[Any]", known: tuple[str, ...], subject: str, name: str) -> npt.NDArray[Any]:
    words = column.astype(str).to_numpy(object)
    for word in words:
        if word not in known:
            raise BadInput(f"{subject}: {name} {word!r}: expected one of {', '.join(known)}")
    return words


def _empty(*names: str) -> Columns:
    return {name: np.array([], dtype=object if name in TEXTS else float) for name in names}
