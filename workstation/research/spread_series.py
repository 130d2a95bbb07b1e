"""The spread between two venues over the past, as its window told it: the windows' own code over stored quotes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workstation.errors import BadInput
from workstation.history.market_rows import Span
from workstation.history.merging import Merging
from workstation.history.segments import SPREAD_COLUMNS
from workstation.history.store import HistoryStore
from workstation.kernels.merging import NEVER
from workstation.model.instrument import Instrument
from workstation.model.market import FloatArray, IntArray
from workstation.research.spread_walk import SpreadWalk
from workstation.windows.sampling import SAMPLED, sample_prices
from workstation.windows.specs import WindowSpec

COLUMNS = SPREAD_COLUMNS
"""As `sampling.SAMPLED` orders them."""
LEAST_ROOM = 65_536
"""So many samples lie in pages that the system gives in one piece."""


class _Samples:
    """Those of the blocks so far; of them a further row may change the last one alone."""

    def __init__(self) -> None:
        self.times = np.empty(0, np.int64)
        self.values = np.empty((0, len(SAMPLED)))
        self.is_gap = np.empty(0, np.bool_)
        self.written = 0
        self._aside: list[tuple[IntArray, FloatArray]] = []

    def make_room(self, merging: Merging, every_ns: int) -> None:
        """For what the rows that lie there may add: a sample a step, a gap before each. New arrays begin with the last
        one of those before."""
        going = np.flatnonzero(merging.next_ts != NEVER)
        rows = int((merging.ends - merging.heads)[going].sum())
        last_ns = int(merging.pool["ts_received"][merging.ends[going] - 1].max())
        steps = (last_ns - int(merging.next_ts.min())) // every_ns + 2
        room, done = 1 + 2 * min(rows, steps), self.written - 1
        if self.written + room <= len(self.times):
            return
        room = max(room, LEAST_ROOM)
        before = self.times, self.values, self.is_gap
        self.times, self.values = np.empty(room, np.int64), np.empty((room, len(SAMPLED)))
        self.is_gap, self.written = np.empty(room, np.bool_), 0
        if done >= 0:
            self._aside.append((before[0][:done], before[1][:done]))
            self.times[0], self.values[0], self.is_gap[0] = (array[done] for array in before)
            self.written = 1

    def all(self) -> tuple[IntArray, FloatArray]:
        """Times in ns, and float64[n, len(SAMPLED)]."""
        last = self.times[: self.written], self.values[: self.written]
        if not self._aside:
            return last
        parts = [*self._aside, last]
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
    merging, sides = walk.prices()
    tables = walk.market.tables
    while merging.refill():
        samples.make_room(merging, every_ns)
        samples.written, late_ts = sample_prices(
            merging.pool, merging.heads, merging.ends, merging.next_ts, sides, every_ns, walk.slot,
            samples.times, samples.values, samples.is_gap, samples.written,
            tables.clock, tables.instruments, tables.slots, tables.points, tables.bins,
        )  # fmt: skip
        if late_ts:
            raise walk.disorder(late_ts)
    times, values = samples.all()
    first = 0 if span.start_ns is None else int(np.searchsorted(times, span.start_ns))
    index = pd.DatetimeIndex(times[first:].astype("datetime64[ns]"), name="ts_received").tz_localize("UTC")
    return pd.DataFrame(values[first:], index=index, columns=list(COLUMNS), copy=False)
