"""Which rows of a new file are stored already."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workstation.history.layout import HistoryKind
from workstation.history.segments import Table

BoolArray = npt.NDArray[np.bool_]


def known_rows(kind: HistoryKind, stored: Table, new: Table) -> tuple[BoolArray, BoolArray]:
    """Masks over `new`: rows that are stored, and among them those that the store has with other values.

    A bar is known by ts_open, a trade by trade_id. Rows without an id are known by all their values, and as often as
    they are stored: equal fills in one millisecond are genuine, so two of them stay two, and a third one is new.
    """
    key = {HistoryKind.BARS: "ts_open", HistoryKind.TRADES: "trade_id"}.get(kind)
    if key is None or new[key].null_count or stored[key].null_count:
        is_known = _repeated(_counted(stored), _counted(new))
        return is_known, np.zeros(len(is_known), np.bool_)
    is_known = _repeated(stored.select([key]).to_pandas(), new.select([key]).to_pandas())
    is_equal = _repeated(_values(stored), _values(new))
    return is_known, is_known & ~is_equal


def _values(table: Table) -> Any:
    # receipt differs between two collectors of the same row
    return table.drop_columns(["ts_received"]).to_pandas()


def _counted(table: Table) -> Any:
    frame = table.to_pandas()
    return frame.assign(nth=frame.groupby(list(frame.columns), dropna=False).cumcount())


def _repeated(stored: Any, new: Any) -> BoolArray:
    together = pd.concat([stored, new], ignore_index=True)
    mask: BoolArray = together.duplicated(keep="first").to_numpy()[len(stored) :]
    return mask
