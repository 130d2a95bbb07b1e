"""Windows shared by count: equal specs have one slot, whoever asks; the last one to leave frees it."""

from collections.abc import Mapping

from workstation.errors import BadInput
from workstation.model.ids import SlotIndex
from workstation.model.instrument import Registry
from workstation.windows.opportunities import OpportunitySpec
from workstation.windows.specs import WindowKind, WindowSpec
from workstation.windows.tables import NO_BASIS, NO_WATCH, Tables


class SharedWindows:
    """Which windows one market has, and where each lies in its tables."""

    def __init__(self, registry: Registry, tables: Tables) -> None:
        self._registry, self._tables = registry, tables
        self._slots: dict[WindowSpec, SlotIndex] = {}
        self._uses: dict[WindowSpec, int] = {}
        self._watched: dict[WindowSpec, OpportunitySpec] = {}

    @property
    def slots(self) -> Mapping[WindowSpec, SlotIndex]:
        return self._slots

    def take(self, spec: WindowSpec) -> SlotIndex:
        """The window's slot, one user more."""
        slot = self._slots.get(spec)
        if slot is None:
            slot = self._slots[spec] = SlotIndex(self._tables.add_slot(**self._fields(spec)))
        self._uses[spec] = self._uses.get(spec, 0) + 1
        return slot

    def release(self, spec: WindowSpec) -> None:
        """One user less; the last one frees the slot."""
        self._uses[spec] -= 1
        if not self._uses[spec]:
            del self._uses[spec]
            self._watched.pop(spec, None)
            self._tables.free_slot(self._slots.pop(spec))

    def watch(self, spec: WindowSpec, opportunities: OpportunitySpec) -> None:
        """Finds opportunities in a window that is there, from now on. Raises BadInput where others are looked for."""
        if spec.kind is not WindowKind.SPREAD:
            raise BadInput(f"window {spec.kind.name} {spec.instrument_a}: only a spread has opportunities")
        if (known := self._watched.setdefault(spec, opportunities)) != opportunities:
            raise BadInput(f"window {spec.instrument_a} with {spec.instrument_b}: watched for {known} already")
        slot = self._slots[spec]
        if self._tables.slots["watch"][slot] == NO_WATCH:
            self._tables.add_watch(
                slot, least_bps=opportunities.least_bps, least_value=opportunities.least_value,
                least_ns=opportunities.least_ns, latency_ns=opportunities.latency_ns,
            )  # fmt: skip

    def adopt(self, other: "SharedWindows") -> None:
        """Fills the windows that reach less far back from equal ones of another market with the same registry.

        So it is with instruments that have no quote yet. A window that somebody only watched since the start is
        made whole for a session that decides by it; one that is whole stays as it is.
        """
        for spec, theirs in other.slots.items():
            mine = self._slots.get(spec)
            if mine is not None:
                self._tables.copy_window(mine, other._tables, theirs)
        self._tables.copy_unquoted(other._tables)

    def _fields(self, spec: WindowSpec) -> dict[str, float]:
        a = self._registry.snapshot(spec.instrument_a)
        b = None if spec.instrument_b is None else self._registry.snapshot(spec.instrument_b)
        return {
            "kind": spec.kind,
            "instrument_a": self._registry.index(spec.instrument_a),
            "instrument_b": -1 if spec.instrument_b is None else self._registry.index(spec.instrument_b),
            "basis": NO_BASIS if spec.basis is None else self._registry.index(spec.basis),
            "span_buckets": spec.span_buckets,
            "resolution_ns": spec.resolution_ns,
            "anchor_ns": spec.anchor_ns,
            "stale_after_ns": spec.stale_after_ns,
            "min_points": spec.min_points,
            "capacity": spec.capacity,
            "fee_a": float(a.taker_fee_rate),
            "fee_b": 0.0 if b is None else float(b.taker_fee_rate),
            "band_deviations": spec.band_deviations,
            "lower_quantile": 0.0 if spec.quantiles is None else spec.quantiles[0],
            "upper_quantile": 0.0 if spec.quantiles is None else spec.quantiles[1],
        }
