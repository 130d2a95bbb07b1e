"""Flat tables: the state of every window, instrument and condition of one market, as plain structured arrays.

Types never hold sizes (that would cost 0.5–0.8 s of compilation for each), so tables grow between batches and compiled
code sees only longer arrays.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

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
        ("waits_on_bars", np.uint8),  # levels are tested on bars, not on quotes and trades
        ("every_row", np.uint8),
    ]
)

SLOT = np.dtype(
    [
        ("kind", np.int64),
        ("instrument_a", np.int64),
        ("instrument_b", np.int64),
        ("span_ns", np.int64),
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
        ("mean", np.float64),
        ("m2", np.float64),
        ("current", np.float64),
        ("pending", np.float64),
        ("fee_a", np.float64),
        ("fee_b", np.float64),
        ("band_deviations", np.float64),
        ("open", np.float64),  # of the bar in the making; volume is NaN before the first trade
        ("high", np.float64),
        ("low", np.float64),
        ("volume", np.float64),
        ("has_pending", np.uint8),
        ("is_truncated", np.uint8),
    ]
)

CONDITION = np.dtype(
    [
        ("slot", np.int64),
        ("field", np.int64),
        ("operator", np.int64),
        ("threshold", np.float64),
        ("rearm", np.float64),
        ("subscriber", np.int64),
        ("is_true", np.uint8),
    ]
)

CLOCK = np.dtype(
    [
        ("sequence", np.int64),  # of the last row or input
        ("ts_received", np.int64),
        ("bar_due", np.int64),  # the next end of a bar in the making
        ("changes", np.int64),  # conditions that changed at the last row
        ("rows", np.int64),
        ("rejected_unknown", np.int64),
        ("rejected_value", np.int64),  # NaN, infinite, zero or negative
        ("rejected_crossed", np.int64),
    ]
)

NEVER = np.iinfo(np.int64).max


def _empty(dtype: np.dtype[Any], rows: int = 0) -> Table:
    return np.zeros(rows, dtype)


@dataclass(slots=True)
class Tables:
    """All arrays of one market; `arrays()` is what the loop takes."""

    clock: Table = field(default_factory=lambda: _empty(CLOCK, 1))
    instruments: Table = field(default_factory=lambda: _empty(INSTRUMENT))
    slots: Table = field(default_factory=lambda: _empty(SLOT))
    conditions: Table = field(default_factory=lambda: _empty(CONDITION))
    values: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    buckets: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    route_start: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    route_slot: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    condition_start: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    condition_row: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    changes: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    _arrays: tuple[Table, ...] = ()
    _free: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock["bar_due"] = NEVER
        self._changed()

    def arrays(self) -> tuple[Table, ...]:
        """clock, instruments, slots, values, buckets, routes (2), conditions, their index (2), changes."""
        return self._arrays

    def add_instrument(self) -> int:
        row = _empty(INSTRUMENT, 1)
        row["bid"] = row["ask"] = row["log_mid"] = row["last_price"] = np.nan
        row["buy_touch"] = row["fall"] = -np.inf
        row["sell_touch"] = row["rise"] = np.inf
        self.instruments = np.concatenate([self.instruments, row])
        self._index()
        return len(self.instruments) - 1

    def add_slot(self, **fields: float) -> int:
        """A new slot with a ring of `capacity` points; a freed ring of the same size is taken again."""
        row = _empty(SLOT, 1)
        for name, value in fields.items():
            row[name] = value
        row["current"] = row["pending"] = row["volume"] = np.nan
        row["bucket_end"] = row["anchor_end"] = np.iinfo(np.int64).min
        capacity = int(row["capacity"][0])
        free = self._free.get(capacity)
        row["offset"] = free.pop() if free else self._grow_pool(capacity)
        slot = next((i for i in range(len(self.slots)) if self.slots["kind"][i] == 0), len(self.slots))
        if slot == len(self.slots):
            self.slots = np.concatenate([self.slots, row])
        else:
            self.slots[slot] = row[0]
        self._index()
        return slot

    def free_slot(self, slot: int) -> None:
        capacity, offset = int(self.slots["capacity"][slot]), int(self.slots["offset"][slot])
        self._free.setdefault(capacity, []).append(offset)
        self.slots[slot] = _empty(SLOT, 1)[0]
        self._index()

    def add_condition(self, **fields: float) -> int:
        row = _empty(CONDITION, 1)
        for name, value in fields.items():
            row[name] = value
        self.conditions = np.concatenate([self.conditions, row])
        self._index()
        return len(self.conditions) - 1

    def _grow_pool(self, capacity: int) -> int:
        offset = len(self.values)
        self.values = np.concatenate([self.values, np.empty(capacity)])
        self.buckets = np.concatenate([self.buckets, np.empty(capacity, np.int64)])
        return offset

    def _index(self) -> None:
        """Routes (instrument → slots) and condition lists (slot → conditions), as starts and members."""
        members: list[list[int]] = [[] for _ in self.instruments]
        for slot, row in enumerate(self.slots):
            if row["kind"]:
                for side in {int(row["instrument_a"]), int(row["instrument_b"])} - {-1}:
                    members[side].append(slot)
        self.route_start, self.route_slot = _starts(members)
        lists: list[list[int]] = [[] for _ in self.slots]
        for index, row in enumerate(self.conditions):
            lists[int(row["slot"])].append(index)
        self.condition_start, self.condition_row = _starts(lists)
        self.changes = np.zeros(len(self.conditions), np.int64)
        self._changed()

    def _changed(self) -> None:
        self._arrays = (
            self.clock,
            self.instruments,
            self.slots,
            self.values,
            self.buckets,
            self.route_start,
            self.route_slot,
            self.conditions,
            self.condition_start,
            self.condition_row,
            self.changes,
        )


def _starts(members: list[list[int]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    starts = np.zeros(len(members) + 1, np.int64)
    starts[1:] = np.cumsum([len(m) for m in members])
    return starts, np.array([item for group in members for item in group], np.int64)
