"""Opportunities of every pair that the engine watches: found in the loop, told when they count and when they close.

Those that closed are kept with the recording, so that the engine's next life still knows them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from workstation.client.messages import OpportunityView, Topic
from workstation.engine.bus import Bus
from workstation.engine.clock import Clock
from workstation.engine.failures import Failures
from workstation.engine.quote_monitor import fields_of, known
from workstation.history.opportunities import KeptOpportunity
from workstation.model.ids import SlotIndex
from workstation.model.instrument import InstrumentKey
from workstation.session.market import Market
from workstation.windows.opportunities import AB, ClosedOpportunities, OpportunitySpec
from workstation.windows.specs import WindowSpec
from workstation.windows.tables import Table

EVERY_S = 0.1
KEPT = 5_000
"""Of those that closed, for whoever asks later."""


class OpportunityMonitor:
    """Tells one event when an opportunity has lasted long enough to count, and one when it has closed."""

    def __init__(
        self,
        market: Market,
        bus: Bus,
        clock: Clock,
        wanted: OpportunitySpec,
        keep: Callable[[KeptOpportunity], None] = lambda kept: None,
    ) -> None:
        self._market, self._bus, self._clock, self._wanted, self._keep = market, bus, clock, wanted, keep
        self._closed = ClosedOpportunities(market.tables)
        self._kept: deque[OpportunityView] = deque(maxlen=KEPT)
        self._pairs: dict[int, WindowSpec] = {}
        self._told: set[tuple[int, int, int]] = set()
        """Those that last and were told, by slot, way and opening."""
        self._failures = Failures()

    @property
    def lost(self) -> int:
        """That closed and were overwritten before they were told."""
        return self._closed.lost

    def watch(self, pairs: Iterable[tuple[WindowSpec, SlotIndex]]) -> None:
        for spec, slot in pairs:
            self._market.windows.watch(spec, self._wanted)
            self._pairs[slot] = spec

    def remember(self, before: Sequence[KeptOpportunity]) -> None:
        """Those that closed before this life, by their closing: what counted by other rules is left out."""
        rules = _rules(self._wanted)
        alike = [one for one in before if {name: getattr(one, name) for name in rules} == rules]
        views = [view_of(one) for one in alike]
        self._kept = deque([*views, *self._kept], maxlen=KEPT)

    def views(self, symbol: str | None, limit: int) -> Sequence[OpportunityView]:
        """The last `limit` of one symbol, sold or bought, or of all: first those that closed, by their closing."""
        found = [*self._kept, *self.lasting()]
        return [one for one in found if symbol in (None, one.symbol, one.buy_symbol)][-limit:]

    def lasting(self) -> list[OpportunityView]:
        """Those that count already, by their opening."""
        found = list[OpportunityView]()
        for row in self._lasting():
            with self._kept_from_others(row, "what lasts"):
                found.append(self._view(row))
        return sorted(found, key=lambda one: one.opened_ns)

    def _lasting(self) -> Iterator[dict[str, Any]]:
        watches, now_ns = self._market.tables.watches, self._clock.now_ns()
        counts = (watches["opened_ns"] > 0) & (now_ns - watches["opened_ns"] >= watches["least_ns"])
        counts &= watches["stale_ns"] > now_ns  # one whose side fell silent closes with the next quote
        return (row | {"closed_ns": None} for row in self._own(watches[counts]))

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self.tell()

    def tell(self) -> None:
        """What has closed, and what has come to count, since the last call. What fails of one pair stops no other."""
        with self._failures.kept_from_others("opportunities"):
            for row in self._own(self._closed.take()):
                self._tell_closed(row)
            before, self._told = self._told, set()
            for row in sorted(self._lasting(), key=lambda one: int(one["opened_ns"])):
                name = row["slot"], row["way"], row["opened_ns"]
                self._told.add(name)
                if name not in before:
                    with self._kept_from_others(row, "telling what lasts"):
                        self._publish(row, self._view(row))

    def _tell_closed(self, row: dict[str, Any]) -> None:
        with self._kept_from_others(row, "keeping what closed"):
            self._keep(self._kept_of(row))
        with self._kept_from_others(row, "telling what closed"):
            view = self._view(row)
            self._kept.append(view)
            self._publish(row, view)

    def _kept_from_others(self, row: dict[str, Any], what: str) -> AbstractContextManager[None]:
        spec = self._pairs[row["slot"]]
        return self._failures.kept_from_others(f"opportunities of {spec.instrument_a}, {spec.instrument_b}: {what}")

    def _own(self, rows: Table) -> Iterator[dict[str, Any]]:
        """The fields of those that are of a pair that is watched here."""
        return (fields_of(row) for row in rows if int(row["slot"]) in self._pairs)

    def _publish(self, row: dict[str, Any], view: OpportunityView) -> None:
        symbol = self._pairs[row["slot"]].instrument_a.symbol  # as the pair's spread is told, whichever way this goes
        self._bus.publish(Topic.OPPORTUNITY, view, time_ns=self._clock.now_ns(), symbol=symbol)

    def _sold_and_bought(self, row: dict[str, Any]) -> tuple[InstrumentKey, InstrumentKey]:
        spec = self._pairs[row["slot"]]
        assert spec.instrument_b is not None
        a, b = spec.instrument_a, spec.instrument_b
        return (a, b) if row["way"] == AB else (b, a)

    def _kept_of(self, row: dict[str, Any]) -> KeptOpportunity:
        sold, bought = self._sold_and_bought(row)
        return KeptOpportunity(
            sold=(sold.venue, sold.symbol),
            bought=(bought.venue, bought.symbol),
            opened_ns=row["opened_ns"],
            closed_ns=row["closed_ns"],
            peak_ns=row["peak_ns"],
            peak_bps=row["peak_bps"],
            quantity=row["quantity"],
            left_bps=known(row["left_bps"]),
            basis=_named(self._pairs[row["slot"]].basis),
            **_rules(self._wanted),
        )

    def _view(self, row: dict[str, Any]) -> OpportunityView:
        sold, bought = self._sold_and_bought(row)
        return OpportunityView(
            symbol=sold.symbol,
            sell_at=sold.venue,
            buy_at=bought.venue,
            buy_symbol=bought.symbol,
            basis=_named(self._pairs[row["slot"]].basis),
            opened_ns=row["opened_ns"],
            closed_ns=row["closed_ns"],
            peak_ns=row["peak_ns"],
            peak_bps=row["peak_bps"],
            quantity=row["quantity"],
            left_bps=known(row["left_bps"]),
        )


def view_of(kept: KeptOpportunity) -> OpportunityView:
    return OpportunityView(
        symbol=kept.sold[1],
        sell_at=kept.sold[0],
        buy_at=kept.bought[0],
        buy_symbol=kept.bought[1],
        basis=kept.basis,
        opened_ns=kept.opened_ns,
        closed_ns=kept.closed_ns,
        peak_ns=kept.peak_ns,
        peak_bps=kept.peak_bps,
        quantity=kept.quantity,
        left_bps=kept.left_bps,
    )


def _rules(wanted: OpportunitySpec) -> dict[str, Any]:
    """What counts as one, as it is kept beside each."""
    return {name: getattr(wanted, name) for name in ("least_bps", "least_value", "least_ns", "latency_ns")}


def _named(key: InstrumentKey | None) -> str | None:
    return None if key is None else str(key)
