"""Which rows of a new file are stored already."""

from typing import Any

import numpy as np

from workstation.history.known_trades import known_trades
from workstation.history.layout import HistoryKind
from workstation.history.segments import Table
from workstation.model.market import BoolArray


def known_rows(kind: HistoryKind, stored: Table, new: Table) -> tuple[BoolArray, BoolArray]:
    """Masks over `new`: rows that are stored, and among them those that the store has with other values.

    A bar is known by ts_open, a trade as `known_trades` says, others by all their values, as often as they are stored.
    """
    if kind is HistoryKind.TRADES:
        return known_trades(stored, new)
    if kind is not HistoryKind.BARS:
        is_known = _repeated(_counted(stored), _counted(new))
        return is_known, np.zeros(len(is_known), np.bool_)
    is_known = _repeated(stored.select(["ts_open"]).to_pandas(), new.select(["ts_open"]).to_pandas())
    is_equal = _repeated(_values(stored), _values(new))
    return is_known, is_known & ~is_equal


def _values(table: Table) -> Any:
    # receipt differs between two collectors of the same row
    return table.drop_columns(["ts_received"]).to_pandas()


def _counted(table: Table) -> Any:
    frame = table.to_pandas()
    return frame.assign(nth=frame.groupby(list(frame.columns), dropna=False).cumcount())


def _repeated(stored: Any, new: Any) -> BoolArray:
    import pandas as pd  # 25 MB, and an engine that only records never asks

    together = pd.concat([stored, new], ignore_index=True)
    mask: BoolArray = together.duplicated(keep="first").to_numpy()[len(stored) :]
    return mask
