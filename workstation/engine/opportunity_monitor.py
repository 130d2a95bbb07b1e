"""Opportunities of every pair that the engine watches: found in the loop, told when they count and when they close."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from workstation.client.messages import OpportunityView, Topic
from workstation.engine.bus import Bus
from workstation.engine.clock import Clock
from workstation.engine.quote_monitor import fields_of, known
from workstation.model.ids import SlotIndex
from workstation.session.market import Market
from workstation.windows.opportunities import AB, ClosedOpportunities, OpportunitySpec
from workstation.windows.specs import WindowSpec

EVERY_S = 0.1
KEPT = 5_000
"""Of those that closed, for whoever asks later."""


class OpportunityMonitor:
    """Tells one event when an opportunity has lasted long enough to count, and one when it has closed."""

    def __init__(self, market: Market, bus: Bus, clock: Clock, wanted: OpportunitySpec) -> None:
        self._market, self._bus, self._clock, self._wanted = market, bus, clock, wanted
        self._closed = ClosedOpportunities(market.tables)
        self._kept: deque[OpportunityView] = deque(maxlen=KEPT)
        self._pairs: dict[int, WindowSpec] = {}
        self._told: set[tuple[str, str, str, int]] = set()
        """Those that last and were told, by symbol, venues and opening."""

    @property
    def lost(self) -> int:
        """That closed and were overwritten before they were told."""
        return self._closed.lost

    def watch(self, pairs: Iterable[tuple[WindowSpec, SlotIndex]]) -> None:
        for spec, slot in pairs:
            self._market.windows.watch(spec, self._wanted)
            self._pairs[slot] = spec

    def views(self, symbol: str | None, limit: int) -> Sequence[OpportunityView]:
        """The last `limit` of one symbol or of all: those that closed, by their closing, and those that last."""
        found = [*self._kept, *self.lasting()]
        return [one for one in found if symbol in (None, one.symbol)][-limit:]

    def lasting(self) -> list[OpportunityView]:
        """Those that count already, by their opening."""
        watches, now_ns = self._market.tables.watches, self._clock.now_ns()
        counts = (watches["opened_ns"] > 0) & (now_ns - watches["opened_ns"] >= watches["least_ns"])
        counts &= watches["stale_ns"] > now_ns  # one whose side fell silent closes with the next quote
        found = [self._view(fields_of(watches[place]) | {"closed_ns": None}) for place in np.flatnonzero(counts)]
        return sorted(found, key=lambda one: one.opened_ns)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self.tell()

    def tell(self) -> None:
        """What has closed, and what has come to count, since the last call."""
        for row in self._closed.take():
            if int(row["slot"]) in self._pairs:
                view = self._view(fields_of(row))
                self._kept.append(view)
                self._publish(view)
        lasting = self.lasting()
        for view in lasting:
            if _name(view) not in self._told:
                self._publish(view)
        self._told = {_name(view) for view in lasting}

    def _publish(self, view: OpportunityView) -> None:
        self._bus.publish(Topic.OPPORTUNITY, view, time_ns=self._clock.now_ns(), symbol=view.symbol)

    def _view(self, row: dict[str, Any]) -> OpportunityView:
        spec = self._pairs[row["slot"]]
        assert spec.instrument_b is not None
        sold, bought = spec.instrument_a.venue, spec.instrument_b.venue
        if row["way"] != AB:
            sold, bought = bought, sold
        return OpportunityView(
            symbol=spec.instrument_a.symbol,
            sell_at=sold,
            buy_at=bought,
            opened_ns=row["opened_ns"],
            closed_ns=row["closed_ns"],
            peak_ns=row["peak_ns"],
            peak_bps=row["peak_bps"],
            quantity=row["quantity"],
            left_bps=known(row["left_bps"]),
        )


def _name(view: OpportunityView) -> tuple[str, str, str, int]:
    return view.symbol, view.sell_at, view.buy_at, view.opened_ns
