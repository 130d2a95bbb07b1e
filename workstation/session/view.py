"""What a session sees while it is awake: windows and prices as of the row that woke it."""

import math
from collections.abc import Mapping

from workstation.errors import StrategyNonsense
from workstation.model.events import Fact, OrderFilled
from workstation.model.ids import SlotIndex
from workstation.model.instrument import InstrumentKey
from workstation.model.signal import SignalLeg
from workstation.model.units import to_float
from workstation.session.asked import of_strategy
from workstation.session.entries import Seen
from workstation.session.market import Market
from workstation.session.state import SessionState
from workstation.trading.matching import Touch
from workstation.windows.specs import Field
from workstation.windows.spread_window import field_value


class SessionView:
    """Read-only; `slots` are the strategy's windows by its own names."""

    def __init__(self, market: Market, state: SessionState) -> None:
        self._market, self._state = market, state
        self.slots: Mapping[str, SlotIndex] = {}

    def field(self, window: str, field: str) -> float:
        """A window's field (specs.Field by name, any case); NaN where it is not known."""
        try:
            slot, number = self.slots[window], Field[field.upper()]
        except KeyError as error:
            raise StrategyNonsense(f"window {window!r} field {field!r}: {error} is not declared") from None
        tables = self._market.tables
        return float(field_value(tables.slots[slot], tables.instruments, int(number)))

    def held(self) -> tuple[SignalLeg, ...]:
        """The legs of the strategy's active group, whether opening, open or closing; empty when flat."""
        group = next(iter(of_strategy(self._state)), None)
        return () if group is None else tuple(SignalLeg(leg.instrument, leg.side) for leg in group.legs)

    def quoted(self, key: InstrumentKey, now_ns: int) -> Seen | None:
        """The mid of the last quote and its age; None before the first quote."""
        index, table = self._market.registry.index(key), self._market.tables.instruments
        mid = 0.5 * (table["bid"].item(index) + table["ask"].item(index))
        return None if math.isnan(mid) else Seen(mid, now_ns - table["ts_received"].item(index))

    def fill_price(self, fact: Fact, key: InstrumentKey) -> float | None:
        """The price of our own execution that the fact reports on an instrument."""
        if isinstance(fact.event, OrderFilled) and fact.event.fill.instrument == key:
            return to_float(fact.event.fill.price)
        return None


def touch_of(market: Market, index: int) -> Touch:
    """Best prices of an instrument as of the last row."""
    table = market.tables.instruments  # an item of a column costs a third of a field of a row
    return Touch(
        table["bid"].item(index),
        table["ask"].item(index),
        table["bid_quantity"].item(index),
        table["ask_quantity"].item(index),
    )
