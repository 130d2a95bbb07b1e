"""Quotes and spreads as events: as often as an eye can use, what has changed since, and what somebody wants."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np

from workstation.client.messages import Topic
from workstation.engine.bus import Bus
from workstation.engine.clock import Clock
from workstation.engine.quote_monitor import QuoteMonitor
from workstation.engine.spread_monitor import SpreadMonitor
from workstation.model.market import IntArray

QUOTES_EVERY_S = 0.05
SPREADS_EVERY_S = 0.1
TURN = 64
"""Events that are made before feeds and the API have their turn."""


class Teller:
    """One topic: `figures` of each place whose count of changes is another than when it was last told."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        topic: Topic,
        changes: Callable[[], IntArray],
        symbol: Callable[[int], str],
        figures: Callable[[int, int], dict[str, Any]],
    ) -> None:
        self._bus, self._clock, self._topic = bus, clock, topic
        self._changes, self._symbol, self._figures = changes, symbol, figures
        self._told = np.zeros(0, np.int64)

    async def run(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            await self.tell()

    async def tell(self) -> None:
        """Costs next to nothing while nobody wants the topic."""
        if not self._bus.is_wanted(self._topic):
            return
        changes = self._changes()
        missing = len(changes) - len(self._told)
        self._told = np.concatenate([self._told, np.zeros(missing, np.int64)])
        changed: list[int] = np.flatnonzero(changes != self._told).tolist()
        for number, place in enumerate(changed):
            symbol = self._symbol(place)
            if self._bus.is_wanted(self._topic, symbol):
                now_ns = self._clock.now_ns()
                self._told[place] = changes[place]
                self._bus.publish(self._topic, self._figures(place, now_ns), time_ns=now_ns, symbol=symbol)
            if number % TURN == TURN - 1:
                await asyncio.sleep(0)


def quote_teller(bus: Bus, clock: Clock, quotes: QuoteMonitor) -> Teller:
    return Teller(bus, clock, Topic.MARKET_DATA, lambda: quotes.changes, quotes.symbol, quotes.figures)


def spread_teller(bus: Bus, clock: Clock, quotes: QuoteMonitor, spreads: SpreadMonitor) -> Teller:
    return Teller(
        bus,
        clock,
        Topic.INDICATOR_UPDATED,
        lambda: spreads.changes(quotes.quotes),
        spreads.symbol,
        spreads.figures,
    )
