"""Flat tables: the state of every window, instrument and condition of one market, as plain structured arrays.

Types never hold sizes (that would cost 0.5 to 0.8 s of compilation for each), so tables grow between batches and
compiled code sees only longer arrays.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.kernels.binned_quantile import BINS
from workstation.windows.extremes import ring_rows

Table = npt.NDArray[Any]

INSTRUMENT = np.dtype(
    [
        ("ts_received", np.int64),  # of the last quote
        ("ts_price", np.int64),  # of the last quote, trade or bar
        ("bid", np.float64),
        ("ask", np.float64),
        ("bid_quantity", np.float64),
        ("ask_quantity", np.float64),
        ("log_mid", np.float64),
        ("last_price", np.float64),  # last trade, or last bar's close
        # levels that somebody waits for; infinite where nobody does
        ("buy_touch", np.float64),  # an ask (or trade, or low) at or below
        ("sell_touch", np.float64),  # a bid (or trade, or high) at or above
        ("rise", np.float64),  # an ask (or high) at or above
        ("fall", np.float64),  # a bid (or low) at or below
        ("bar_wake", np.int64),  # one bit per interval code
        ("bars_pass_until", np.int64),  # bars that end before it wake nobody
        ("routes_from", np.int64),  # its windows: members[routes_from : routes_to]
        ("routes_to", np.int64),
        ("waits_on", np.uint8),  # which rows are tested against the levels: ON_TICKS, ON_BARS or ON_BOTH
        ("every_row", np.uint8),
    ]
)

SLOT = np.dtype(
    [
        ("kind", np.int64),
        ("instrument_a", np.int64),
        ("instrument_b", np.int64),
        ("basis", np.int64),  # what turns B's prices into A's currency; NO_BASIS
        ("span_buckets", np.int64),
        ("resolution_ns", np.int64),
        ("anchor_ns", np.int64),
        ("stale_after_ns", np.int64),
        ("min_points", np.int64),
        ("offset", np.int64),
        ("capacity", np.int64),
        ("head", np.int64),
        ("count", np.int64),
        ("bucket", np.int64),
        ("bucket_end", np.int64),
        ("anchor_end", np.int64),
        ("lost_bucket", np.int64),  # of the newest point that left early, while is_truncated
        ("conditions_from", np.int64),  # its conditions: members[conditions_from : conditions_to]
        ("conditions_to", np.int64),
        ("mean", np.float64),
        ("m2", np.float64),
        ("peak_m2", np.float64),  # the largest m2 since it was computed exactly
        ("written", np.int64),  # points so far, which numbers them
        ("min", np.float64),  # of the points, and the newest that is it; infinite of none
        ("max", np.float64),
        ("min_at", np.int64),
        ("max_at", np.int64),
        ("current", np.float64),
        ("pending", np.float64),
        ("fee_a", np.float64),
        ("fee_b", np.float64),
        ("band_deviations", np.float64),
        ("lower_quantile", np.float64),
        ("upper_quantile", np.float64),
        ("watch", np.int64),  # its opportunities: watches[watch : watch + 2]; NO_WATCH
        ("bins_offset", np.int64),  # its counts: bins[bins_offset : bins_offset + BINS]; NO_BINS
        ("lower_bin", np.int64),  # the cursors of kernels.binned_quantile
        ("lower_below", np.int64),
        ("upper_bin", np.int64),
        ("upper_below", np.int64),
        ("open", np.float64),  # of the bar in the making; volume is NaN before the first trade
        ("high", np.float64),
        ("low", np.float64),
        ("volume", np.float64),
        ("has_pending", np.uint8),
        ("is_truncated", np.uint8),
    ]
)

POINT = np.dtype([("value", np.float64), ("bucket", np.int64)])

CONDITION = np.dtype(
    [
        ("slot", np.int64),  # -1 when its window is gone
        ("field", np.int64),
        ("operator", np.int64),
        ("threshold", np.float64),
        ("rearm", np.float64),
        ("subscriber", np.int64),
        ("is_true", np.uint8),
    ]
)

WATCH = np.dtype(
    [
        ("slot", np.int64),  # -1: nobody watches
        ("way", np.int64),
        ("least_bps", np.float64),
        ("least_value", np.float64),
        ("least_ns", np.int64),
        ("latency_ns", np.int64),
        ("opened_ns", np.int64),  # 0: not open
        ("peak_ns", np.int64),
        ("peak_bps", np.float64),
        ("quantity", np.float64),  # in base, that could be crossed at the peak
        ("left_bps", np.float64),  # the edge that stood `latency_ns` after it opened
        ("edge_bps", np.float64),  # after the last row, while open; so is
        ("stale_ns", np.int64),  # when the older of the two quotes gets too old
        ("is_left_known", np.uint8),
    ]
)
OPPORTUNITY = np.dtype(
    [
        ("slot", np.int64),
        ("way", np.int64),
        ("opened_ns", np.int64),
        ("closed_ns", np.int64),
        ("peak_ns", np.int64),
        ("peak_bps", np.float64),
        ("quantity", np.float64),
        ("left_bps", np.float64),
    ]
)

CLOSED_KEPT = 4_096
"""Opportunities that closed, of all windows together, before the oldest are overwritten."""

CLOCK = np.dtype(
    [
        ("sequence", np.int64),  # of the last row or input
        ("ts_received", np.int64),
        ("bar_due", np.int64),  # the next end of a bar in the making
        ("changes", np.int64),  # conditions that changed at the last row
        ("opportunities", np.int64),  # that have closed
        ("rows", np.int64),
        ("keeps_numbers", np.int64),  # rows bear their `sequence` already: a recording's
        ("rejected_unknown", np.int64),
        ("rejected_value", np.int64),  # NaN, infinite, zero or negative
        ("rejected_crossed", np.int64),
    ]
)

NEVER = np.iinfo(np.int64).max
UNTOUCHED = np.iinfo(np.int64).min
"""The `bucket_end` of a slot that has taken no row."""
NO_BINS, NO_WATCH, NO_BASIS = -1, -1, -1
CONTENT = (
    "head", "count", "bucket", "bucket_end", "anchor_end", "lost_bucket", "mean", "m2", "peak_m2", "current",
    "pending", "open", "high", "low", "volume", "has_pending", "is_truncated",
    "lower_bin", "lower_below", "upper_bin", "upper_below", "written", "min", "max", "min_at",
    "max_at",
)  # fmt: skip
"""The fields of a slot that rows write."""
QUOTED = ("ts_received", "ts_price", "bid", "ask", "bid_quantity", "ask_quantity", "log_mid")
"""The fields of an instrument that a quote writes."""
ON_TICKS, ON_BARS, ON_BOTH = 0, 1, 2
"""Which rows are tested against an instrument's levels: quotes and trades, bars, or all."""


def _empty(dtype: np.dtype[Any], rows: int = 0) -> Table:
    return np.zeros(rows, dtype)


@dataclass(slots=True)
class Tables:
    """All arrays of one market; `arrays()` is what the loop takes.

    `members` holds, one behind the other: the conditions that changed at the last row, the windows of each instrument,
    the conditions of each window.
    """

    clock: Table = field(default_factory=lambda: _empty(CLOCK, 1))
    instruments: Table = field(default_factory=lambda: _empty(INSTRUMENT))
    slots: Table = field(default_factory=lambda: _empty(SLOT))
    points: Table = field(default_factory=lambda: _empty(POINT))
    bins: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    watches: Table = field(default_factory=lambda: _empty(WATCH))
    opportunities: Table = field(default_factory=lambda: _empty(OPPORTUNITY))
    """A ring of the last that closed; number n is at n modulo its length."""
    conditions: Table = field(default_factory=lambda: _empty(CONDITION))
    members: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    _arrays: tuple[Table, ...] = ()
    _pooled: int = 0
    _free: dict[int, list[int]] = field(default_factory=dict)
    _free_bins: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock["bar_due"] = NEVER
        self._index()

    @property
    def changes(self) -> npt.NDArray[np.int64]:
        """Conditions that changed at the last row; the first `clock["changes"]` places count."""
        return self.members[: len(self.conditions)]

    def arrays(self) -> tuple[Table, ...]:
        """clock, instruments, slots, points, bins, watches, opportunities, conditions, members."""
        return self._arrays

    def add_instrument(self) -> int:
        """A new instrument without a price; its place."""
        row = _empty(INSTRUMENT, 1)
        row["bid"] = row["ask"] = row["log_mid"] = row["last_price"] = np.nan
        row["buy_touch"] = row["fall"] = -np.inf
        row["sell_touch"] = row["rise"] = np.inf
        self.instruments = np.concatenate([self.instruments, row])
        self._index()
        return len(self.instruments) - 1

    def add_slot(self, **fields: float) -> int:
        """A new slot with a ring of `capacity` points; freed slots, and freed rings of that size, are taken again."""
        row = _empty(SLOT, 1)
        row["basis"] = NO_BASIS
        for name, value in fields.items():
            row[name] = value
        row["current"] = row["pending"] = row["volume"] = np.nan
        row["min"], row["max"] = np.inf, -np.inf
        row["bucket_end"] = row["anchor_end"] = UNTOUCHED
        capacity = int(row["capacity"][0])
        free = self._free.get(capacity)
        row["offset"] = free.pop() if free else self._grow_pool(capacity)
        row["watch"] = NO_WATCH
        row["bins_offset"] = self._take_bins() if row["upper_quantile"][0] > 0 else NO_BINS
        unused = np.flatnonzero(self.slots["kind"] == 0)
        slot = int(unused[0]) if unused.size else len(self.slots)
        if slot == len(self.slots):
            self.slots = np.concatenate([self.slots, row])
        else:
            self.slots[slot] = row[0]
        self._index()
        return slot

    def free_slot(self, slot: int) -> None:
        """Gives slot and ring back; the slot's conditions are tested no more."""
        capacity, offset = int(self.slots["capacity"][slot]), int(self.slots["offset"][slot])
        self._free.setdefault(capacity, []).append(offset)
        if (bins := int(self.slots["bins_offset"][slot])) != NO_BINS:
            self.bins[bins : bins + BINS] = 0
            self._free_bins.append(bins)
        if (watch := int(self.slots["watch"][slot])) != NO_WATCH:
            self.watches["slot"][watch : watch + 2] = -1
        self.slots[slot] = _empty(SLOT, 1)[0]
        self.conditions["slot"][self.conditions["slot"] == slot] = -1
        self._index()

    def add_watch(self, slot: int, **fields: float) -> int:
        """Watches both ways of a spread's slot from now on; the first one's place, the other way is behind it."""
        pair = _empty(WATCH, 2)
        for name, value in fields.items():
            pair[name] = value
        pair["slot"], pair["way"] = slot, (0, 1)
        unused = np.flatnonzero(self.watches["slot"] == -1)
        place = int(unused[0]) if unused.size else len(self.watches)
        if place == len(self.watches):
            self.watches = np.concatenate([self.watches, pair])
        else:
            self.watches[place : place + 2] = pair
        if not len(self.opportunities):
            self.opportunities = _empty(OPPORTUNITY, CLOSED_KEPT)
        self.slots["watch"][slot] = place
        self._index()
        return place

    def add_condition(self, **fields: float) -> int:
        """A new condition, not true unless `is_true` says so; its place, which is never taken again."""
        row = _empty(CONDITION, 1)
        for name, value in fields.items():
            row[name] = value
        self.conditions = np.concatenate([self.conditions, row])
        self._index()
        return len(self.conditions) - 1

    def drop_conditions(self, subscriber: int) -> None:
        """The subscriber's conditions are tested no more."""
        self.conditions["slot"][self.conditions["subscriber"] == subscriber] = -1
        self._index()

    def copy_window(self, slot: int, other: "Tables", theirs: int) -> None:
        """Gives a slot that has taken no row, or holds fewer points, the content of one with the same spec."""
        mine, source = self.slots[slot], other.slots[theirs]
        if mine["bucket_end"] != UNTOUCHED and mine["count"] >= source["count"]:
            return
        for name in CONTENT:
            mine[name] = source[name]
        rows, to, start = ring_rows(int(mine["capacity"])), int(mine["offset"]), int(source["offset"])
        self.points[to : to + rows] = other.points[start : start + rows]
        if (bins := int(mine["bins_offset"])) != NO_BINS:
            theirs = int(source["bins_offset"])
            self.bins[bins : bins + BINS] = other.bins[theirs : theirs + BINS]

    def copy_unquoted(self, other: "Tables") -> None:
        """Gives instruments without a quote the last one that other tables have of them; both number them alike."""
        count = len(other.instruments)
        missing = np.flatnonzero(np.isnan(self.instruments["bid"][:count]))
        for name in QUOTED:
            self.instruments[name][missing] = other.instruments[name][missing]

    def _grow_pool(self, capacity: int) -> int:
        offset = self._pooled
        self._pooled += ring_rows(capacity)
        if self._pooled > len(self.points):
            pool = np.empty(max(self._pooled, 2 * len(self.points)), POINT)
            pool[:offset] = self.points[:offset]
            self.points = pool
        return offset

    def _take_bins(self) -> int:
        """Empty counts of one window, at their place in `bins`."""
        if not self._free_bins:
            held = len(self.bins)
            self.bins = np.concatenate([self.bins, np.zeros(max(BINS, held), np.int32)])
            self._free_bins = list(range(len(self.bins) - BINS, held - 1, -BINS))
        return self._free_bins.pop()

    def _index(self) -> None:
        """Writes who belongs to whom into `members`: instrument → slots, slot → conditions."""
        slots, conditions = self.slots, self.conditions
        used = np.flatnonzero(slots["kind"])
        pairs = used[slots["instrument_b"][used] >= 0]
        turned = used[slots["basis"][used] != NO_BASIS]
        sides = [slots["instrument_a"][used], slots["instrument_b"][pairs], slots["basis"][turned]]
        members = np.concatenate([used, pairs, turned])
        routes, starts = _grouped(np.concatenate(sides), members, len(self.instruments))
        first = len(conditions)
        self.instruments["routes_from"], self.instruments["routes_to"] = first + starts[:-1], first + starts[1:]
        tested = np.flatnonzero(conditions["slot"] >= 0)
        lists, starts = _grouped(conditions["slot"][tested], tested, len(slots))
        first += len(routes)
        slots["conditions_from"], slots["conditions_to"] = first + starts[:-1], first + starts[1:]
        self.members = np.concatenate([np.zeros(len(conditions), np.int64), routes, lists])
        self._arrays = (
            self.clock, self.instruments, self.slots, self.points, self.bins, self.watches, self.opportunities,
            self.conditions, self.members,
        )  # fmt: skip


def _grouped(
    owners: npt.NDArray[np.int64], members: npt.NDArray[np.int64], count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(members ordered by owner, then by number; where each of `count` owners begins, and the end)."""
    order = np.lexsort((members, owners))
    return members[order], np.searchsorted(owners[order], np.arange(count + 1))
