"""The spread between two venues over the past, as its window told it: the windows' own code over stored quotes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workstation.errors import BadInput
from workstation.history.blocks import BLOCK_ROWS
from workstation.history.market_rows import Span
from workstation.history.segments import SPREAD_COLUMNS
from workstation.history.store import HistoryStore
from workstation.model.instrument import Instrument
from workstation.model.market import FloatArray, IntArray
from workstation.research.spread_walk import SpreadWalk
from workstation.windows.sampling import FIELDS, sample_rows
from workstation.windows.specs import WindowSpec

COLUMNS = SPREAD_COLUMNS
"""As `sampling.SAMPLED` orders them."""


class _Samples:
    """Room for those of a block, and of them the ones that no further row changes, set aside."""

    def __init__(self) -> None:
        room = 2 * BLOCK_ROWS + 1
        self.times = np.empty(room, np.int64)
        self.values = np.empty((room, len(FIELDS)))
        self.is_gap = np.empty(room, np.bool_)
        self.written = 0
        self._aside: list[tuple[IntArray, FloatArray]] = []

    def set_aside(self) -> None:
        """All but the last, which the next block may go on with."""
        done = self.written - 1
        if done > 0:
            self._aside.append((self.times[:done].copy(), self.values[:done].copy()))
            for array in (self.times, self.values, self.is_gap):
                array[0] = array[done]
            self.written = 1

    def all(self) -> tuple[IntArray, FloatArray]:
        """Times in ns, and float64[n, len(FIELDS)]."""
        parts = [*self._aside, (self.times[: self.written], self.values[: self.written])]
        return np.concatenate([times for times, _ in parts]), np.concatenate([values for _, values in parts])


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
    walk, samples = SpreadWalk(store, window, span, rules), _Samples()
    for block in walk.blocks():
        samples.set_aside()
        position, samples.written = sample_rows(
            block, every_ns, walk.slot, samples.times, samples.values, samples.is_gap, samples.written,
            *walk.market.tables.arrays(),
        )  # fmt: skip
        walk.require_all(position, block)
    times, values = samples.all()
    first = 0 if span.start_ns is None else int(np.searchsorted(times, span.start_ns))
    index = pd.DatetimeIndex(times[first:].astype("datetime64[ns]"), name="ts_received").tz_localize("UTC")
    return pd.DataFrame(values[first:], index=index, columns=list(COLUMNS), copy=False)
