"""No strategy at all: for sessions that are traded by hand alone."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from workstation.model.instrument import InstrumentKey
from workstation.strategies.base import Intent, TickStrategy, View
from workstation.windows.specs import ConditionSpec, WindowSpec

BY_HAND = "by-hand"
"""Also the strategy of whatever a person opens in another strategy's session."""


class ByHand(TickStrategy):
    """Never signals. On one symbol, at one venue or at two."""

    name_in_cli: ClassVar[str] = BY_HAND
    venues: ClassVar[tuple[int, ...]] = (1, 2)

    def windows(self, instruments: Sequence[InstrumentKey]) -> Mapping[str, WindowSpec]:
        return {}

    def conditions(self) -> Sequence[ConditionSpec]:
        return ()

    def on_wake(self, changes: Mapping[str, bool], view: View) -> Sequence[Intent]:
        return ()
