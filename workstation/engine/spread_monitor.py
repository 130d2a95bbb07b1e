"""The spreads that the engine watches for everybody: each symbol at each pair of its venues, and the declared pairs."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from workstation.client.messages import SpreadView
from workstation.engine.pair_monitor import PairMonitor
from workstation.engine.quote_monitor import fields_of, known
from workstation.kernels.compiled import compiled
from workstation.model.ids import SlotIndex, Symbol
from workstation.model.instrument import InstrumentKey
from workstation.model.market import FloatArray, IntArray
from workstation.model.sides import Sides
from workstation.session.market import Market
from workstation.windows.specs import Field, WindowKind, WindowSpec
from workstation.windows.spread_window import field_value

FIELDS = len(Field)
NAMES = {
    Field.VALUE: "spread_bps",
    Field.MEAN: "mean_bps",
    Field.DEVIATION: "deviation_bps",
    Field.Z: "z",
    Field.UPPER_BAND: "upper_bps",
    Field.LOWER_BAND: "lower_bps",
    Field.MIN: "min_bps",
    Field.MAX: "max_bps",
    Field.EDGE_AB: "edge_ab_bps",
    Field.EDGE_BA: "edge_ba_bps",
    Field.NET_EDGE_AB: "net_edge_ab_bps",
    Field.NET_EDGE_BA: "net_edge_ba_bps",
}
"""What a SpreadView calls them."""


NO_BASIS: dict[str, float | None] = dict.fromkeys(("bid_basis", "ask_basis", "age_basis_ms"))


def pair_windows(keys: Iterable[InstrumentKey]) -> list[WindowSpec]:
    """One window per symbol and pair of venues, with the defaults of WindowSpec."""
    by_symbol: dict[Symbol, list[InstrumentKey]] = {}
    for key in sorted(keys):
        by_symbol.setdefault(key.symbol, []).append(key)
    return [
        WindowSpec(kind=WindowKind.SPREAD, instrument_a=a, instrument_b=b)
        for same in by_symbol.values()
        for a, b in combinations(same, 2)
    ]


def declared_window(sides: Sides) -> WindowSpec:
    """The same of a declared pair, A's and B's prices over its basis."""
    return WindowSpec(kind=WindowKind.SPREAD, instrument_a=sides.a, instrument_b=sides.b, basis=sides.basis)


@compiled
def read_fields(slot: Any, instruments: Any, fields: FloatArray) -> None:
    """Every Field of a window now, each at its number less one; (FIELDS,)."""
    for place in range(FIELDS):
        fields[place] = field_value(slot, instruments, place + 1)


class SpreadMonitor:
    """Windows that always run; a view is made when somebody asks."""

    def __init__(self, market: Market, statistics: PairMonitor, declared: Sequence[Sides] = ()) -> None:
        self._market, self._statistics, self._declared = market, statistics, declared
        self._slots: dict[WindowSpec, SlotIndex] = {}
        self._pairs: list[tuple[WindowSpec, SlotIndex]] = []
        self._sides = np.empty((0, 3), np.int64)
        """Of A, B and the basis, or A again where there is none: the instruments' numbers."""
        self._fields = np.empty(FIELDS)

    def watch(self, keys: Iterable[InstrumentKey]) -> list[tuple[WindowSpec, SlotIndex]]:
        """Every pair among the instruments, and the declared ones that are listed; returns those that are new."""
        registry, before = self._market.registry, len(self._pairs)
        listed = {one.key for one in registry}
        declared = [declared_window(sides) for sides in self._declared if listed.issuperset(sides.instruments)]
        for spec in (*pair_windows(keys), *declared):
            if spec not in self._slots:
                self._slots[spec] = slot = self._market.subscribe_window(spec)
                sides = [registry.index(key) for key in spec.instruments]
                self._pairs.append((spec, slot))
                self._sides = np.vstack([self._sides, (sides + sides[:1])[:3]])
        news = self._pairs[before:]
        self._statistics.watch(spec for spec, _ in news)
        return news

    def changes(self, quotes: IntArray) -> IntArray:
        """Of each pair, how many quotes have changed what is seen of it; `quotes` counts those of each instrument."""
        is_counted = (self._sides < len(quotes)).all(axis=1)
        changes = np.zeros(len(self._sides), np.int64)
        changes[is_counted] = quotes[self._sides[is_counted]].sum(axis=1)  # A counts twice where there is no basis
        return changes

    def symbol(self, place: int) -> str:
        """Under which it is told: A's."""
        return self._pairs[place][0].instrument_a.symbol

    def views(self, now_ns: int, symbol: str | None = None) -> Iterator[SpreadView]:
        for place in range(len(self._pairs)):
            spec, _ = self._pairs[place]
            assert spec.instrument_b is not None
            if symbol in (None, spec.instrument_a.symbol, spec.instrument_b.symbol):
                yield SpreadView.model_validate(self.figures(place, now_ns))

    def figures(self, place: int, now_ns: int) -> dict[str, Any]:
        """A SpreadView's fields of one pair; plain, since one is written ten times a second for each."""
        tables, (spec, slot_index) = self._market.tables, self._pairs[place]
        assert spec.instrument_b is not None
        slot = tables.slots[slot_index]
        side_a, side_b, turning = self._sides[place].tolist()
        a, b = fields_of(tables.instruments[side_a]), fields_of(tables.instruments[side_b])
        read_fields(slot, tables.instruments, self._fields)
        values = self._fields.tolist()
        return {
            "symbol": spec.instrument_a.symbol,
            "venue_a": spec.instrument_a.venue,
            "venue_b": spec.instrument_b.venue,
            "symbol_b": spec.instrument_b.symbol,
            "basis": None if spec.basis is None else str(spec.basis),
            **{name: known(values[field - 1]) for field, name in NAMES.items()},
            "bid_a": known(a["bid"]),
            "ask_a": known(a["ask"]),
            "bid_b": known(b["bid"]),
            "ask_b": known(b["ask"]),
            "age_a_ms": _age_ms(a["ts_received"], now_ns),
            "age_b_ms": _age_ms(b["ts_received"], now_ns),
            **(NO_BASIS if spec.basis is None else _of_basis(tables.instruments[turning], now_ns)),
            **self._statistics.figures(place),
            "points": int(slot["count"]),
            "is_truncated": bool(slot["is_truncated"]),
        }


def _of_basis(row: Any, now_ns: int) -> dict[str, float | None]:
    basis = fields_of(row)
    age_ms = _age_ms(basis["ts_received"], now_ns)
    return {"bid_basis": known(basis["bid"]), "ask_basis": known(basis["ask"]), "age_basis_ms": age_ms}


def _age_ms(received_ns: int, now_ns: int) -> float | None:
    return (now_ns - received_ns) / 1e6 if received_ns else None
