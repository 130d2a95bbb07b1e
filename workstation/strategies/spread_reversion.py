"""Reversion of the spread between two venues of one symbol: both legs, hedged."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import param

from workstation.errors import BadInput
from workstation.model.durations import SECOND_NS
from workstation.model.instrument import InstrumentKey
from workstation.model.signal import SignalAction, SignalLeg
from workstation.model.units import Side
from workstation.strategies.base import Intent, TickStrategy, View
from workstation.windows.specs import ConditionSpec, Field, Operator, WindowKind, WindowSpec

WINDOW = "spread"
RICH, CHEAP, BACK_FROM_RICH, BACK_FROM_CHEAP = "rich", "cheap", "back from rich", "back from cheap"


class SpreadReversion(TickStrategy):
    """Sells A and buys B when A has become dear by `entry_z` deviations, and the other way round; leaves at `exit_z`.

    An entry also needs the executable edge, both taker fees paid, to be at least `min_net_edge_bps`: a spread that is
    wide by its own measure may still be too thin to pay for crossing it.
    """

    name_in_cli: ClassVar[str] = "spread-reversion"

    entry_z = param.Number(default=3.0, bounds=(0.1, 100), softbounds=(1, 6), doc="deviations at which it enters")
    exit_z = param.Number(default=0.5, bounds=(-100, 100), softbounds=(-1, 2), doc="deviations at which it leaves")
    window_minutes = param.Number(default=30.0, bounds=(0.1, 1440), softbounds=(5, 120), doc="length of the window")
    resolution_ms = param.Integer(default=100, bounds=(1, 60_000), doc="length of a bucket of the window")
    min_points = param.Integer(default=300, bounds=(2, 1_000_000), doc="points before the window speaks")
    stale_after_seconds = param.Number(default=5.0, bounds=(0.001, 3600), doc="age at which a side makes a gap")
    min_net_edge_bps = param.Number(
        default=0.0, bounds=(-1000, 1000), allow_None=True, doc="edge that an entry needs after both fees; None: any"
    )

    def __init__(self, **parameters: object) -> None:
        super().__init__(**parameters)  # type: ignore[no-untyped-call]  # param's is untyped
        if self.exit_z >= self.entry_z:
            raise BadInput(f"exit_z {self.exit_z}: expected less than entry_z {self.entry_z}")

    def windows(self, instruments: Sequence[InstrumentKey]) -> Mapping[str, WindowSpec]:
        if len(instruments) != 2:
            got = f"{self.name_in_cli}: {len(instruments)} instruments"
            raise BadInput(f"{got}: expected two, of one symbol at two venues")
        resolution_ns = self.resolution_ms * 1_000_000
        span_ns = max(round(self.window_minutes * 60 * SECOND_NS) // resolution_ns, 1) * resolution_ns
        self._instruments = tuple(instruments)
        spec = WindowSpec(
            kind=WindowKind.SPREAD,
            instrument_a=instruments[0],
            instrument_b=instruments[1],
            span_ns=span_ns,
            resolution_ns=resolution_ns,
            min_points=self.min_points,
            stale_after_ns=round(self.stale_after_seconds * SECOND_NS),
        )
        return {WINDOW: spec}

    def conditions(self) -> Sequence[ConditionSpec]:
        above, below = Operator.ABOVE, Operator.BELOW
        rows = (
            (RICH, above, self.entry_z, self.exit_z),
            (CHEAP, below, -self.entry_z, -self.exit_z),
            (BACK_FROM_RICH, below, self.exit_z, self.entry_z),
            (BACK_FROM_CHEAP, above, -self.exit_z, -self.entry_z),
        )
        return [
            ConditionSpec(name=name, window=WINDOW, field=Field.Z, operator=operator, threshold=at, rearm=rearm)
            for name, operator, at, rearm in rows
        ]

    def on_wake(self, changes: Mapping[str, bool], view: View) -> Sequence[Intent]:
        held = view.held()
        if held:
            # legs[0] is A: sold when A was rich
            back = BACK_FROM_RICH if held[0].side is Side.SELL else BACK_FROM_CHEAP
            return [Intent(action=SignalAction.EXIT, reason=back)] if changes.get(back) else []
        a, b = self._instruments
        for name, sold, bought, edge in ((RICH, a, b, "net_edge_ab"), (CHEAP, b, a, "net_edge_ba")):
            if changes.get(name) and self._pays(view.field(WINDOW, edge)):
                sides = {sold: Side.SELL, bought: Side.BUY}
                legs = tuple(SignalLeg(key, sides[key]) for key in (a, b))
                return [Intent(action=SignalAction.ENTER, legs=legs, reason=f"{name}: z {view.field(WINDOW, 'z'):.2f}")]
        return []

    def _pays(self, net_edge_bps: float) -> bool:
        return self.min_net_edge_bps is None or net_edge_bps >= self.min_net_edge_bps
