"""Sorted series side by side in one pool, a chunk of each at a time: what the compiled merges take their rows from."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from workstation.kernels.merging import NEVER
from workstation.model.market import IntArray, Rows


class Merging:
    """Sorted cursors, of each of which a chunk lies in one pool: number n's rows are pool[heads[n] : ends[n]].

    `next_ts` is the time of each one's first row; NEVER when it has ended.
    """

    def __init__(self, cursors: Sequence[Iterator[Rows]], pool: Rows, starts: IntArray) -> None:
        self.pool, self._starts, self._cursors = pool, starts, cursors
        self.heads, self.ends = starts.copy(), starts.copy()
        self.next_ts = np.full(len(cursors), 0, np.int64)

    def refill(self) -> bool:
        """Brings the next chunk of each that has none left; False when all have ended."""
        for rank, cursor in enumerate(self._cursors):
            if self.heads[rank] == self.ends[rank] and self.next_ts[rank] != NEVER:
                rows = next(cursor, None)
                self.heads[rank] = self._starts[rank]
                self.ends[rank] = self._starts[rank] + (0 if rows is None else len(rows))
                self.next_ts[rank] = NEVER if rows is None else rows["ts_received"][0]
        return not bool((self.next_ts == NEVER).all())


def merge_cursors(merging: Merging, out: Rows, merge: Callable[..., int]) -> Iterator[Rows]:
    """What the cursors give, in the order of `merge`, as parts of `out`."""
    filled = 0
    while merging.refill():
        filled = merge(merging.pool, merging.heads, merging.ends, merging.next_ts, out, filled)
        if filled == len(out):
            yield out[:filled]
            filled = 0
    if filled:
        yield out[:filled]
