"""The spread between two venues over the past, as its window told it: the windows' own code over stored quotes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from workstation.errors import BadInput
from workstation.history.market_rows import Span
from workstation.history.segments import SPREAD_COLUMNS
from workstation.history.store import HistoryStore
from workstation.model.instrument import Instrument
from workstation.model.market import IntArray
from workstation.research.spread_walk import SpreadWalk
from workstation.windows.sampling import FIELDS, sample_rows
from workstation.windows.specs import WindowSpec

COLUMNS = SPREAD_COLUMNS
"""As `sampling.SAMPLED` orders them."""
GROWTH = 2


@dataclass(slots=True)
class _Samples:
    """Room that grows between blocks."""

    times: IntArray
    values: npt.NDArray[np.float64]
    is_gap: npt.NDArray[np.bool_]
    written: int = 0

    @classmethod
    def empty(cls) -> Self:
        return cls(np.empty(0, np.int64), np.empty((0, len(FIELDS))), np.empty(0, np.bool_))

    def make_room(self, rows: int) -> None:
        """For two samples a row."""
        needed = self.written + 2 * rows
        if needed <= len(self.times):
            return
        size = max(needed, GROWTH * len(self.times))
        for name in ("times", "values", "is_gap"):
            old = getattr(self, name)
            new = np.empty((size, *old.shape[1:]), old.dtype)
            new[: self.written] = old[: self.written]
            setattr(self, name, new)


def spread_series(
    store: HistoryStore, window: WindowSpec, span: Span, *, every_ns: int, rules: Sequence[Instrument] | None = None
) -> pd.DataFrame:
    """What `window` tells after the last quote of each `every_ns` (UTC) that has one, by that quote's receipt.

    Columns COLUMNS, in bps, z without unit. NaN in spread, z and edges is a gap: a side is stale, also where no row
    says so; in mean and band it is a window with too few points. Quotes from before the span warm the window up, so
    that it is as if it had always run. Net edges are by the rules that were stored at its start, or by `rules` of both
    sides. Raises BadInput, HistoryMissing, HistoryCorrupt.
    """
    if every_ns <= 0:
        raise BadInput(f"resolution {every_ns} ns: expected more than 0")
    walk, samples = SpreadWalk(store, window, span, rules), _Samples.empty()
    for block in walk.blocks():
        samples.make_room(len(block))
        position, samples.written = sample_rows(
            block, every_ns, walk.slot, samples.times, samples.values, samples.is_gap, samples.written,
            *walk.market.tables.arrays(),
        )  # fmt: skip
        walk.require_all(position, block)
    return _frame(samples, span)


def _frame(samples: _Samples, span: Span) -> pd.DataFrame:
    times = samples.times[: samples.written]
    first = 0 if span.start_ns is None else int(np.searchsorted(times, span.start_ns))
    index = pd.DatetimeIndex(times[first:].astype("datetime64[ns]"), name="ts_received").tz_localize("UTC")
    values: npt.NDArray[Any] = samples.values[first : samples.written]
    return pd.DataFrame(values.copy(), index=index, columns=list(COLUMNS))
