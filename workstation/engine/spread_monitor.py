"""The spreads that the engine watches for everybody: each symbol at each pair of its venues."""

import math
from collections.abc import Iterable, Iterator
from itertools import combinations

from workstation.client.messages import SpreadView
from workstation.model.ids import SlotIndex, Symbol
from workstation.model.instrument import InstrumentKey
from workstation.session.market import Market
from workstation.windows.specs import Field, WindowKind, WindowSpec
from workstation.windows.spread_window import field_value


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


class SpreadMonitor:
    """Windows that always run; a view is made when somebody asks."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._slots: dict[WindowSpec, SlotIndex] = {}

    def watch(self, keys: Iterable[InstrumentKey]) -> None:
        """Every pair among the instruments, besides what is watched already."""
        for spec in pair_windows(keys):
            if spec not in self._slots:
                self._slots[spec] = self._market.subscribe_window(spec)

    def views(self, now_ns: int, symbol: str | None = None) -> Iterator[SpreadView]:
        for spec, slot in self._slots.items():
            if symbol is None or spec.instrument_a.symbol == symbol:
                yield self._view(spec, slot, now_ns)

    def _view(self, spec: WindowSpec, slot_index: SlotIndex, now_ns: int) -> SpreadView:
        tables, registry = self._market.tables, self._market.registry
        assert spec.instrument_b is not None
        slot = tables.slots[slot_index]
        a = tables.instruments[registry.index(spec.instrument_a)]
        b = tables.instruments[registry.index(spec.instrument_b)]

        def of(field: Field) -> float | None:
            return _known(float(field_value(slot, tables.instruments, int(field))))

        return SpreadView(
            symbol=spec.instrument_a.symbol,
            venue_a=spec.instrument_a.venue,
            venue_b=spec.instrument_b.venue,
            spread_bps=of(Field.VALUE),
            mean_bps=of(Field.MEAN),
            deviation_bps=of(Field.DEVIATION),
            z=of(Field.Z),
            upper_bps=of(Field.UPPER_BAND),
            lower_bps=of(Field.LOWER_BAND),
            edge_ab_bps=of(Field.EDGE_AB),
            edge_ba_bps=of(Field.EDGE_BA),
            net_edge_ab_bps=of(Field.NET_EDGE_AB),
            net_edge_ba_bps=of(Field.NET_EDGE_BA),
            bid_a=_known(float(a["bid"])),
            ask_a=_known(float(a["ask"])),
            bid_b=_known(float(b["bid"])),
            ask_b=_known(float(b["ask"])),
            age_a_ms=_age_ms(int(a["ts_received"]), now_ns),
            age_b_ms=_age_ms(int(b["ts_received"]), now_ns),
            points=int(slot["count"]),
            is_truncated=bool(slot["is_truncated"]),
        )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _age_ms(received_ns: int, now_ns: int) -> float | None:
    return (now_ns - received_ns) / 1e6 if received_ns else None
