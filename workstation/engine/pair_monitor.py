"""Half-life, correlation and lead of every pair that the engine watches, read anew every few seconds."""

import asyncio
from collections.abc import Iterable

from workstation.engine.clock import Clock
from workstation.engine.quote_monitor import known
from workstation.model.ids import SlotIndex
from workstation.session.market import Market
from workstation.windows.pair import PairReader, PairStatistics, side_windows
from workstation.windows.specs import WindowSpec

EVERY_S = 5.0
TURN = 8
"""Pairs, of a tenth of a millisecond each, that are read before rows and the API have their turn."""
UNKNOWN: dict[str, float | None] = dict.fromkeys(PairStatistics._fields)


class PairMonitor:
    """What was read last of each pair, at the place it was given in."""

    def __init__(self, market: Market, clock: Clock) -> None:
        self._market, self._clock = market, clock
        self._readers: dict[tuple[int, int, int], PairReader] = {}
        """By span, staleness and sides: pairs of the same ones share a reader's room."""
        self._pairs: list[tuple[PairReader, list[SlotIndex]]] = []
        self._figures: list[dict[str, float | None]] = []

    def watch(self, specs: Iterable[WindowSpec]) -> None:
        for spec in specs:
            slots = [self._market.subscribe_window(side) for side in side_windows(spec)]
            alike = spec.span_ns, spec.stale_after_ns, len(slots)
            reader = self._readers.setdefault(alike, PairReader(spec))
            self._pairs.append((reader, slots))
            self._figures.append(UNKNOWN)

    def figures(self, place: int) -> dict[str, float | None]:
        """PairStatistics by name; None for what is not known, or has no end."""
        return self._figures[place]

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            for place in range(len(self._pairs)):
                self.read(place)
                if place % TURN == TURN - 1:
                    await asyncio.sleep(0)

    def read(self, place: int) -> None:
        reader, slots = self._pairs[place]
        told = reader.read(self._market.tables, slots, self._clock.now_ns())
        self._figures[place] = {name: known(value) for name, value in told._asdict().items()}
