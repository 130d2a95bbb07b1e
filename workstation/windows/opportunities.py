"""Opportunities: spans in which crossing two venues would have paid, found in the loop on every quote.

One row of the `watches` table for each way of a spread's window. It opens when the net edge is known and at least
`least_bps`, with quantities on both sides, and of the basis, worth at least `least_value`; it closes when that no
longer holds, or when a side got stale, at the moment it did. Those that lasted `least_ns` are written to a ring, newest
over oldest.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from workstation.errors import BadInput
from workstation.kernels.compiled import compiled
from workstation.model.durations import MS_NS
from workstation.windows.spread_window import NET_EDGE_AB, NET_EDGE_BA, edge_value, prices_of_b, stale_from
from workstation.windows.tables import NO_BASIS, Table, Tables

AB, BA = 0, 1
"""Sell A and buy B; the other way round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunitySpec:
    """What counts as one. `least_value` is in A's quote currency: the quantity that can be crossed times its ask.

    `latency_ns`: how long an order takes to get there. What it finds is the edge that stands then, or, where the
    opportunity has closed before, the edge that closed it.
    """

    least_bps: float = 2.0
    least_value: float = 100.0
    least_ns: int = 250 * MS_NS
    latency_ns: int = 100 * MS_NS

    def __post_init__(self) -> None:
        """Raises BadInput."""
        if not -math.inf < self.least_bps < math.inf:
            raise BadInput(f"opportunities: least_bps {self.least_bps}: expected a number of bps")
        for name in ("least_value", "least_ns", "latency_ns"):
            if not 0 <= getattr(self, name) < math.inf:
                raise BadInput(f"opportunities: {name} {getattr(self, name)}: expected 0 or more")


@compiled
def crossable(slot: Any, instruments: Any, way: int) -> tuple[float, float]:
    """(quantity in base that both sides and the basis show, the ask it would be bought at, in A's quote currency).

    The basis counts B's currency, which is bought to pay for B, or sold once B has paid it.
    """
    a, b = instruments[slot["instrument_a"]], instruments[slot["instrument_b"]]
    if way == AB:
        quantity, ask = min(a["bid_quantity"], b["ask_quantity"]), prices_of_b(slot, instruments)[1]
    else:
        quantity, ask = min(b["bid_quantity"], a["ask_quantity"]), a["ask"]
    if slot["basis"] == NO_BASIS:
        return quantity, ask
    basis = instruments[slot["basis"]]
    if way == AB:
        return min(quantity, basis["ask_quantity"] / b["ask"]), ask
    return min(quantity, basis["bid_quantity"] / b["bid"]), ask


@compiled
def know_left(watch: Any, edge: float) -> None:
    """What an order would have found, the first time that this is known."""
    if not watch["is_left_known"]:
        watch["left_bps"], watch["is_left_known"] = edge, 1


@compiled
def close_watch(watch: Any, closed_ns: int, found: Any, clock: Any) -> None:
    """Writes what has closed behind the last in the ring, if it lasted."""
    if closed_ns - watch["opened_ns"] >= watch["least_ns"]:
        one = found[clock["opportunities"] % len(found)]
        clock["opportunities"] += 1
        one["slot"], one["way"], one["closed_ns"] = watch["slot"], watch["way"], closed_ns
        one["opened_ns"], one["peak_ns"], one["peak_bps"] = watch["opened_ns"], watch["peak_ns"], watch["peak_bps"]
        one["quantity"], one["left_bps"] = watch["quantity"], watch["left_bps"]
    watch["opened_ns"] = 0


@compiled
def watch_edge(watch: Any, slot: Any, instruments: Any, ts: int, found: Any, clock: Any) -> None:
    """Takes the quote that came at `ts` into one way's watch."""
    edge = edge_value(slot, instruments, NET_EDGE_AB if watch["way"] == AB else NET_EDGE_BA)
    is_open, due = watch["opened_ns"] > 0, watch["opened_ns"] + watch["latency_ns"]
    if is_open and watch["stale_ns"] < ts:
        if due < watch["stale_ns"]:
            know_left(watch, watch["edge_bps"])
        close_watch(watch, watch["stale_ns"], found, clock)
        is_open = False
    if not is_open and not edge >= watch["least_bps"]:
        return  # nearly always
    quantity, ask = crossable(slot, instruments, watch["way"])
    holds = edge >= watch["least_bps"] and quantity * ask >= watch["least_value"]
    if is_open and ts > due:
        know_left(watch, watch["edge_bps"])
    if is_open and not holds:
        know_left(watch, edge)
        close_watch(watch, ts, found, clock)
    if holds and not is_open:
        watch["opened_ns"], watch["peak_bps"] = ts, -math.inf
        watch["left_bps"], watch["is_left_known"] = math.nan, 0
    if holds and edge > watch["peak_bps"]:
        watch["peak_ns"], watch["peak_bps"], watch["quantity"] = ts, edge, quantity
    watch["edge_bps"], watch["stale_ns"] = edge, stale_from(slot, instruments)


@compiled
def watch_slot(slot: Any, instruments: Any, ts: int, watches: Any, found: Any, clock: Any) -> None:
    """Both ways of a spread's window, after it took a quote."""
    place = slot["watch"]
    watch_edge(watches[place], slot, instruments, ts, found, clock)
    watch_edge(watches[place + 1], slot, instruments, ts, found, clock)


class ClosedOpportunities:
    """Reads what has closed, once. `lost` counts those that nobody took before they were overwritten."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._taken = int(tables.clock["opportunities"][0])
        self.lost = 0

    def take(self) -> Table:
        """Those since the last call, in the order of their closing; a copy."""
        ring, number = self._tables.opportunities, int(self._tables.clock["opportunities"][0])
        first = max(self._taken, number - len(ring))
        self.lost += first - self._taken
        self._taken = number
        return ring[np.arange(first, number) % max(len(ring), 1)]
