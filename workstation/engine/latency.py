"""How long rows waited between receipt and windows, over the last minute: a histogram per second, merged when asked."""

from collections import deque

import numpy as np
import numpy.typing as npt

from workstation.model.durations import SECOND_NS

EDGES_MS = np.concatenate([[0.0], np.geomspace(0.01, 60_000.0, 200)])
KEPT_S = 60
BUFFERED = 16_384
"""Waits that are kept until they are counted: a histogram for each block would cost as much as the block."""


class Latency:
    def __init__(self) -> None:
        self._seconds: deque[tuple[int, npt.NDArray[np.int64]]] = deque(maxlen=KEPT_S)
        self._waits_ns = np.zeros(BUFFERED, np.int64)
        self._count = 0
        self._second = 0

    def add(self, now_ns: int, waited_ns: npt.NDArray[np.int64]) -> None:
        """The waits of one block's rows."""
        second = now_ns // SECOND_NS
        end = self._count + len(waited_ns)
        if second != self._second or end > BUFFERED:
            self._tally()
            self._second, end = second, len(waited_ns)
            if end > BUFFERED:
                self._histogram()[:] += _counted(waited_ns)
                return
        self._waits_ns[self._count : end] = waited_ns
        self._count = end

    def percentile_ms(self, now_ns: int, share: float) -> float:
        """The wait that `share` of the last minute's rows did not exceed, to 8 %; 0 without rows."""
        self._tally()
        oldest = now_ns // SECOND_NS - KEPT_S
        counts = [histogram for second, histogram in self._seconds if second > oldest]
        total = np.sum(counts, axis=0) if counts else np.zeros(1, np.int64)
        if not total.sum():
            return 0.0
        place = int(np.searchsorted(np.cumsum(total), share * total.sum()))
        return float(EDGES_MS[min(place + 1, len(EDGES_MS) - 1)])

    def rows_per_second(self, now_ns: int) -> float:
        """Over the last ten whole seconds."""
        self._tally()
        second = now_ns // SECOND_NS
        return sum(int(histogram.sum()) for at, histogram in self._seconds if second - 10 <= at < second) / 10.0

    def _tally(self) -> None:
        if self._count:
            self._histogram()[:] += _counted(self._waits_ns[: self._count])
            self._count = 0

    def _histogram(self) -> npt.NDArray[np.int64]:
        """Of the second that is being counted."""
        if not self._seconds or self._seconds[-1][0] != self._second:
            self._seconds.append((self._second, np.zeros(len(EDGES_MS), np.int64)))
        return self._seconds[-1][1]


def _counted(waited_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    places = np.searchsorted(EDGES_MS, waited_ns / 1e6, side="right") - 1
    return np.bincount(np.clip(places, 0, None), minlength=len(EDGES_MS))
