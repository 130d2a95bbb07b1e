"""The source's rows by simulated time: made ahead in a thread, so that the event loop never waits for them."""

import asyncio
from collections import deque
from collections.abc import Iterator

import numpy as np

from workstation.model.market import MARKET_ROW, Rows

BLOCKS_AHEAD = 8
"""Seconds of the market that are ready, and two more for each second by which simulated time runs in one of ours."""


class MarketFeed:
    """Hands out rows up to a moment. Each block that `blocks` yields covers a second."""

    def __init__(self, blocks: Iterator[Rows], speed: float) -> None:
        self._blocks = blocks
        self._ahead = BLOCKS_AHEAD + int(2 * speed)
        self._ready: deque[Rows] = deque()
        self._wanted = asyncio.Event()

    async def fill(self, count: int) -> None:
        """Makes blocks until `count` are ready."""
        while len(self._ready) < count:
            self._ready.append(await asyncio.to_thread(next, self._blocks))

    async def run(self) -> None:
        """Keeps them ready until cancelled."""
        while True:
            await self.fill(self._ahead)
            self._wanted.clear()
            await self._wanted.wait()

    def take(self, to_ns: int) -> Rows:
        """The rows received before `to_ns` that were not taken yet."""
        parts = []
        while self._ready:
            rows = self._ready[0]
            cut = int(np.searchsorted(rows["ts_received"], to_ns))
            parts.append(rows[:cut])
            if cut < len(rows):
                self._ready[0] = rows[cut:]
                break
            if len(rows) == 0 and len(self._ready) == 1:
                break
            self._ready.popleft()
        if len(self._ready) < self._ahead:
            self._wanted.set()
        return np.concatenate(parts) if parts else np.empty(0, MARKET_ROW)

    def next_ns(self) -> int | None:
        """When the next row is due; None if it is not known."""
        return next((int(rows["ts_received"][0]) for rows in self._ready if len(rows)), None)
