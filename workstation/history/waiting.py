"""What waits for the live log's writer: rows in memory that is used again and again, and what is said between them.

The caller of `append` is an engine's loop with two thousand small blocks a second, so a block costs one copy of bytes:
no array is made for it, and what its rows need besides is done by the writer's thread.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from workstation.history.live_log import RAW_ROW
from workstation.model.market import MARKET_ROW, Rows

Said = TypeVar("Said")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(Generic[Said]):
    """All that waited at one moment. `rows` are the taker's until it takes again."""

    rows: Rows
    said: list[tuple[int, Said]]
    """With how many rows were before it."""
    since_s: float | None
    """When the first row came, of time.monotonic; None where there is none."""

    def parts(self) -> Iterator[Rows | Said]:
        """Rows and what was said, in the order in which they came."""
        start = 0
        for stop, said in self.said:
            if start < stop:
                yield self.rows[start:stop]
            yield said
            start = stop
        if start < len(self.rows):
            yield self.rows[start:]


class Waiting(Generic[Said]):
    """Rows up to a number of bytes, left by one thread and taken by another; nobody waits."""

    def __init__(self, most_bytes: int) -> None:
        self._most_rows = most_bytes // MARKET_ROW.itemsize
        self._lock = threading.Lock()
        self._rows: Rows = np.empty(self._most_rows, RAW_ROW)  # the system gives memory where it is first written
        self._spare: Rows = np.empty(self._most_rows, RAW_ROW)
        self._count = 0
        self._said: list[tuple[int, Said]] = []
        self._has_ended = False
        self.since_s: float | None = None

    def append(self, rows: Rows) -> bool:
        """Copies at least one MARKET_ROW; whether there was room for all of them, and somebody to take them."""
        with self._lock:
            start = self._count
            stop = start + len(rows)
            if stop > self._most_rows or self._has_ended:
                return False
            self._rows[start:stop] = rows.view(RAW_ROW)
            self._count = stop
            if self.since_s is None:
                self.since_s = time.monotonic()
        return True

    def say(self, said: Said, join: Callable[[Said], bool] = lambda _: False) -> bool:
        """Leaves something behind the rows that wait; where something stands there already, `join` may take it in.

        Whether there is somebody to take it.
        """
        with self._lock:
            if self._has_ended:
                return False
            if self._said and self._said[-1][0] == self._count and join(self._said[-1][1]):
                return True
            self._said.append((self._count, said))
        return True

    def take(self) -> Taken[Said]:
        """All that waits; the rows that were taken before are used again."""
        with self._lock:
            rows, self._rows, self._spare = self._rows[: self._count], self._spare, self._rows
            taken = Taken(rows=rows.view(MARKET_ROW), said=self._said, since_s=self.since_s)
            self._count, self._said, self.since_s = 0, [], None
        return taken

    def end(self) -> Taken[Said]:
        """All that waits; from here on nothing is left."""
        with self._lock:
            self._has_ended = True
        return self.take()
