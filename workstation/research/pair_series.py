"""Half-life, correlation and lead of two venues' prices over the past, as the engine tells them of the same quotes."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from workstation.errors import BadInput
from workstation.history.market_rows import Span
from workstation.history.store import HistoryStore
from workstation.model.instrument import Instrument
from workstation.research.spread_walk import SpreadWalk
from workstation.windows.pair import PairReader, PairStatistics, side_windows
from workstation.windows.specs import WindowSpec


def pair_series(
    store: HistoryStore, window: WindowSpec, span: Span, *, every_ns: int, rules: Sequence[Instrument] | None = None
) -> pd.DataFrame:
    """One row for each step of `every_ns` (UTC) that has quotes, at its end; columns as of `PairStatistics`.

    Each is over the `span_ns` of the window before it, on a grid of a second. Raises BadInput, HistoryMissing,
    HistoryCorrupt.
    """
    if every_ns <= 0:
        raise BadInput(f"resolution {every_ns} ns: expected more than 0")
    walk = SpreadWalk(store, window, span, rules)
    slots = [walk.market.subscribe_window(side) for side in side_windows(window)]
    reader, times, told = PairReader(window), [], []
    step = None
    for block in walk.blocks():
        steps = block["ts_received"] // every_ns
        starts = [0, *(np.flatnonzero(np.diff(steps)) + 1).tolist(), len(block)]
        for start, stop in pairwise(starts):
            if step is not None and step != steps[start]:
                times.append((step + 1) * every_ns)
                told.append(reader.read(walk.market.tables, slots, times[-1]))
            walk.take(block[start:stop])
            step = int(steps[start])
    if step is not None:
        times.append((step + 1) * every_ns)
        told.append(reader.read(walk.market.tables, slots, times[-1]))
    index = pd.DatetimeIndex(np.array(times, "datetime64[ns]"), name="ts").tz_localize("UTC")
    frame = pd.DataFrame(told, index=index, columns=list(PairStatistics._fields), dtype=float)
    return frame if span.start_ns is None else frame[np.array(times) > span.start_ns]
