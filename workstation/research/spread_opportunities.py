"""Opportunities between two venues over the past: the loop's own, on every stored quote."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workstation.history.market_rows import Span
from workstation.history.store import HistoryStore
from workstation.model.instrument import Instrument
from workstation.research.spread_walk import SpreadWalk
from workstation.windows.opportunities import AB, ClosedOpportunities, OpportunitySpec
from workstation.windows.specs import WindowSpec
from workstation.windows.tables import CLOSED_KEPT, OPPORTUNITY, Table

TIMES = ("opened", "closed", "peak_at")
COLUMNS = ("way", *TIMES, "seconds", "peak_bps", "quantity", "left_bps")


def spread_opportunities(
    store: HistoryStore,
    window: WindowSpec,
    wanted: OpportunitySpec,
    span: Span,
    rules: Sequence[Instrument] | None = None,
) -> pd.DataFrame:
    """Those that closed within the span, and those that last at its end, by their opening; columns COLUMNS, times by
    receipt in UTC.

    `way` is "ab" (sell A, buy B) or "ba"; `quantity` is in base, what both sides and the basis showed at the peak;
    `left_bps` is what an order sent at the opening would have found, NaN where nobody knows: a side fell silent, or no
    quote came behind the order's arrival. One that lasts has no `closed` and no `seconds`, and is told if it had lasted
    `least_ns` by the last quote. One may have opened before the span; one that was open already at the first quote that
    is taken, a warm-up before the span, begins there. Raises HistoryMissing, HistoryCorrupt, RowsOutOfOrder.
    """
    return opportunity_frame(opportunity_rows(store, window, wanted, span, rules))


def opportunity_rows(
    store: HistoryStore,
    window: WindowSpec,
    wanted: OpportunitySpec,
    span: Span,
    rules: Sequence[Instrument] | None = None,
) -> Table:
    """The same as rows of tables.OPPORTUNITY, in the order of their opening; `closed_ns` is 0 of one that lasts."""
    walk = SpreadWalk(store, window, span, rules)
    tables = walk.market.tables
    walk.market.windows.watch(window, wanted)
    closed, found, last_ns = ClosedOpportunities(tables), [], 0
    for block in walk.blocks():
        for start in range(0, len(block), CLOSED_KEPT // 2):  # a quote closes two at most, so that none is overwritten
            walk.take(block[start : start + CLOSED_KEPT // 2])
            found.append(closed.take())
        last_ns = int(block["ts_received"][-1])
    found.append(_lasting(tables.watches, last_ns))
    rows = np.concatenate(found)
    is_in = (rows["closed_ns"] == 0) | (rows["closed_ns"] >= (span.start_ns or 0))
    return np.sort(rows[is_in], order=["opened_ns", "way"])


def _lasting(watches: Table, last_ns: int) -> Table:
    """Those that are open after the last quote and count already, as rows of the ring with no closing."""
    is_open = (watches["opened_ns"] > 0) & (last_ns - watches["opened_ns"] >= watches["least_ns"])
    rows = np.zeros(int(is_open.sum()), OPPORTUNITY)
    for name in ("slot", "way", "opened_ns", "peak_ns", "peak_bps", "quantity", "left_bps"):
        rows[name] = watches[name][is_open]
    return rows


def opportunity_frame(found: Table) -> pd.DataFrame:
    """Rows of tables.OPPORTUNITY as a table of pandas."""
    frame = pd.DataFrame({"way": np.where(found["way"] == AB, "ab", "ba")})
    for name, column in zip(TIMES, ("opened_ns", "closed_ns", "peak_ns"), strict=True):
        stamps = found[column].astype("datetime64[ns]")
        stamps[found[column] == 0] = np.datetime64("NaT")
        frame[name] = pd.DatetimeIndex(stamps).tz_localize("UTC")
    frame["seconds"] = (frame["closed"] - frame["opened"]).dt.total_seconds()
    for name in COLUMNS[-3:]:
        frame[name] = found[name]
    return frame[list(COLUMNS)]
