"""Spans of time in which crossing from one venue to the other would have paid, both fees taken off."""

import numpy as np
import pandas as pd

from workstation.charts.tables import require_columns

SIDES = ("ab", "ba")
"""Sell at A and buy at B; and the other way round."""


def opportunities(spreads: pd.DataFrame, threshold_bps: float = 0.0) -> pd.DataFrame:
    """One row a span in which `net_edge_ab_bps` or `net_edge_ba_bps` is over the threshold, by its start.

    Columns start, end, side ("ab": sell A, buy B), peak_bps, seconds. A span ends with the first row at which the edge
    is over it no more, or not known; one that had not ended, with the last row.
    """
    require_columns(spreads, tuple(f"net_edge_{side}_bps" for side in SIDES), "spreads")
    found = pd.concat([_spans(spreads, side, threshold_bps) for side in SIDES], ignore_index=True)
    return found.sort_values(["start", "side"], ignore_index=True)


def _spans(spreads: pd.DataFrame, side: str, threshold_bps: float) -> pd.DataFrame:
    edge = spreads[f"net_edge_{side}_bps"].to_numpy(np.float64)
    is_over = np.concatenate(([False], edge > threshold_bps, [False]))
    starts, ends = (
        np.flatnonzero(np.diff(is_over.astype(np.int8)) == 1),
        np.flatnonzero(np.diff(is_over.astype(np.int8)) == -1),
    )
    index = spreads.index
    peaks = [edge[start:end].max() for start, end in zip(starts, ends, strict=True)]
    frame = pd.DataFrame(
        {"start": index[starts], "end": index[np.minimum(ends, len(index) - 1)] if len(index) else index}
    )
    frame["side"] = side
    frame["peak_bps"] = np.array(peaks, np.float64)
    frame["seconds"] = (frame["end"] - frame["start"]).dt.total_seconds()
    return frame
