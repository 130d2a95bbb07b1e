"""A market's tables without the market: slots, conditions and rows, walked by the loop alone."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from tests.builders import KEY, NOW_NS, a_quote, rows
from workstation.kernels.binned_quantile import BINS
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.ids import Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.market import (
    Rows,
)
from workstation.windows.advance import DEADLINE, advance_rows
from workstation.windows.specs import Field, Operator, WindowKind, WindowSpec
from workstation.windows.spread_window import field_value
from workstation.windows.tables import NEVER, NO_BASIS, NO_BINS, Tables

KEYS = [InstrumentKey(Venue(name), KEY.symbol) for name in ("nova", "orion", "vega", "lyra")]
FEE_A, FEE_B = 0.001, 0.0004
PLACES = ("offset", "head", "written", "bins_offset", "conditions_from", "conditions_to")
"""Of a slot: where its things lie, which others move."""


def a_spread(a: int = 0, b: int = 1, **changes: Any) -> WindowSpec:
    """Ten seconds of the spread of two instruments, in buckets of a second."""
    fields: dict[str, Any] = {
        "span_ns": 10 * SECOND_NS,
        "resolution_ns": SECOND_NS,
        "min_points": 2,
        "anchor_ns": MINUTE_NS,
    }
    return WindowSpec(kind=WindowKind.SPREAD, instrument_a=KEYS[a], instrument_b=KEYS[b], **(fields | changes))


def a_mid(a: int = 0, **changes: Any) -> WindowSpec:
    """Ten seconds of the mid of one instrument, in buckets of a second."""
    fields: dict[str, Any] = {
        "span_ns": 10 * SECOND_NS,
        "resolution_ns": SECOND_NS,
        "min_points": 2,
        "anchor_ns": MINUTE_NS,
    }
    return WindowSpec(kind=WindowKind.QUOTE, instrument_a=KEYS[a], **(fields | changes))


def trade_bars(a: int = 0, length_ns: int = SECOND_NS) -> WindowSpec:
    return WindowSpec(kind=WindowKind.TRADE_BARS, instrument_a=KEYS[a], span_ns=length_ns, resolution_ns=length_ns)


class Board:
    """Tables with some instruments; walks rows and keeps what the loop stopped for."""

    def __init__(self, *specs: WindowSpec, instruments: int = 4) -> None:
        self.tables = Tables()
        for _ in range(instruments):
            self.tables.add_instrument()
        self.slots = [self.add(spec) for spec in specs]

    def add(self, spec: WindowSpec) -> int:
        return self.tables.add_slot(
            kind=spec.kind,
            instrument_a=KEYS.index(spec.instrument_a),
            instrument_b=-1 if spec.instrument_b is None else KEYS.index(spec.instrument_b),
            basis=NO_BASIS if spec.basis is None else KEYS.index(spec.basis),
            span_buckets=spec.span_buckets,
            resolution_ns=spec.resolution_ns,
            anchor_ns=spec.anchor_ns,
            stale_after_ns=spec.stale_after_ns,
            min_points=spec.min_points,
            capacity=spec.capacity,
            fee_a=FEE_A,
            fee_b=FEE_B,
            band_deviations=spec.band_deviations,
            lower_quantile=0.0 if spec.quantiles is None else spec.quantiles[0],
            upper_quantile=0.0 if spec.quantiles is None else spec.quantiles[1],
        )

    def condition(
        self, slot: int, field: Field, operator: Operator, threshold: float, rearm: float | None = None
    ) -> int:
        return self.tables.add_condition(
            slot=slot,
            field=field,
            operator=operator,
            threshold=threshold,
            rearm=threshold if rearm is None else rearm,
            subscriber=0,
        )

    def step(self, market: Rows, start: int = 0, next_due: int = NEVER, stop_sequence: int = NEVER) -> tuple[int, int]:
        """One call of the loop."""
        return advance_rows(market, start, len(market), next_due, stop_sequence, *self.tables.arrays())

    def walk(self, market: Rows) -> list[tuple[int, int, list[int]]]:
        """All rows; (rows taken, reasons, conditions that changed) of each wake after a row."""
        wakes = []
        position, reasons = self.step(market)
        while reasons:
            assert reasons < DEADLINE, reasons
            found = self.tables.changes[: self.clock("changes")].tolist()
            wakes.append((position, reasons, found))
            position, reasons = self.step(market, position)
        return wakes

    def clock(self, name: str) -> int:
        return int(self.tables.clock[name][0])

    def set(self, instrument: int, **fields: float) -> None:
        """Levels and wishes of an instrument."""
        for name, value in fields.items():
            self.tables.instruments[name][instrument] = value

    def field(self, name: str, slot: int = 0) -> float:
        return float(field_value(self.tables.slots[slot], self.tables.instruments, int(Field[name.upper()])))

    def points(self, slot: int = 0) -> list[float]:
        """The window's points, oldest first."""
        row = self.tables.slots[slot]
        places = (int(row["head"]) + np.arange(int(row["count"]))) % max(int(row["capacity"]), 1)
        return self.tables.points["value"][int(row["offset"]) + places].tolist()

    def window_state(self, slot: int = 0) -> tuple[Any, ...]:
        """Everything about a window that is not a place in a table: its points with buckets, and its slot, as bytes."""
        row = self.tables.slots[slot].copy()
        places = (int(row["head"]) + np.arange(int(row["count"]))) % max(int(row["capacity"]), 1)
        ring = self.tables.points[int(row["offset"]) + places]
        start = int(row["bins_offset"])
        counts = b"" if start == NO_BINS else self.tables.bins[start : start + BINS].tobytes()
        oldest = row["written"] - row["count"]  # points are numbered from the first that a window ever took
        for name in ("min_at", "max_at"):
            row[name] = row[name] - oldest if row["count"] else 0
        for name in PLACES if row["has_pending"] else (*PLACES, "pending"):
            row[name] = 0
        return row.tobytes(), ring.tobytes(), counts

    def state(self) -> tuple[bytes, ...]:
        """Every table as bytes; of the pool, what the windows hold."""
        tables = self.tables
        rings = [part for slot in self.slots for part in self.window_state(slot)]
        return (tables.clock.tobytes(), tables.instruments.tobytes(), tables.conditions.tobytes(), *rings)


def seconds(*quotes: tuple[float, int, float]) -> Rows:
    """Quotes from (second, instrument, mid), each 2 wide, from NOW_NS on."""
    return rows(
        *(
            a_quote(instrument=i, bid=mid - 1, ask=mid + 1, ts_received=NOW_NS + round(second * SECOND_NS))
            for second, i, mid in quotes
        )
    )


def pieces(market: Rows, cuts: Iterable[int]) -> Iterator[Rows]:
    """The rows cut at `cuts`, each piece a copy."""
    edges = sorted({0, len(market), *(cut for cut in cuts if cut < len(market))})
    return (market[start:stop].copy() for start, stop in pairwise(edges))


def random_rows(seed: int, count: int, instruments: int = 3, jump_s: float = 40.0) -> Rows:
    """Quotes and trades of a common walk: repeated times, silences, dislocations, rows that cannot be."""
    rng = np.random.default_rng(seed)
    gaps = rng.choice([0, 0.13, 0.7, 3.1, jump_s], count, p=[0.15, 0.5, 0.25, 0.08, 0.02]) * SECOND_NS
    mids = 10_000 * np.exp(np.cumsum(rng.normal(0, 2e-4, count))) + rng.choice([0, 0, 0, 0, 300], count)
    ts = NOW_NS + rng.integers(0, 10**9) + np.cumsum(gaps).astype(np.int64)
    out = rows(*(a_quote(bid=mid - 0.5, ask=mid + 0.5, ts_received=t) for mid, t in zip(mids, ts, strict=True)))
    out["instrument"] = rng.integers(0, instruments, count)
    is_trade = rng.random(count) < 0.15
    out["kind"][is_trade] = 2
    out["x1"][is_trade] = 1.0
    out["x0"][rng.random(count) < 0.03] = np.nan
    return out
