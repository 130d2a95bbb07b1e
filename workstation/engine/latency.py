"""How long rows waited between receipt and windows, over the last minute: a histogram per second, merged when asked."""

from collections import deque

import numpy as np
import numpy.typing as npt

from workstation.model.market import SECOND_NS

EDGES_MS = np.concatenate([[0.0], np.geomspace(0.01, 60_000.0, 200)])
KEPT_S = 60


class Latency:
    def __init__(self) -> None:
        self._seconds: deque[tuple[int, npt.NDArray[np.int64]]] = deque(maxlen=KEPT_S)

    def add(self, now_ns: int, waited_ns: npt.NDArray[np.int64]) -> None:
        """The waits of one block's rows."""
        second = now_ns // SECOND_NS
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, np.zeros(len(EDGES_MS), np.int64)))
        places = np.searchsorted(EDGES_MS, waited_ns / 1e6, side="right") - 1
        self._seconds[-1][1][:] += np.bincount(np.clip(places, 0, None), minlength=len(EDGES_MS))

    def percentile_ms(self, now_ns: int, share: float) -> float:
        """The wait that `share` of the last minute's rows did not exceed, to 8 %; 0 without rows."""
        oldest = now_ns // SECOND_NS - KEPT_S
        counts = [histogram for second, histogram in self._seconds if second > oldest]
        total = np.sum(counts, axis=0) if counts else np.zeros(1, np.int64)
        if not total.sum():
            return 0.0
        place = int(np.searchsorted(np.cumsum(total), share * total.sum()))
        return float(EDGES_MS[min(place + 1, len(EDGES_MS) - 1)])

    def rows_per_second(self, now_ns: int) -> float:
        """Over the last ten whole seconds."""
        second = now_ns // SECOND_NS
        return sum(int(histogram.sum()) for at, histogram in self._seconds if second - 10 <= at < second) / 10.0
