"""Round trips, folded from facts: when a group went in and out, at what price, for what result."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from itertools import groupby
from typing import NamedTuple

from workstation.model.events import EntryRefused, Fact, GroupOpened, OrderFilled, OrderSubmitted
from workstation.model.ids import ClientOrderId, GroupId
from workstation.model.instrument import InstrumentKey
from workstation.model.order import OrderPurpose, OrderRequest
from workstation.model.units import MONEY, Side

ZERO = Decimal(0)


@dataclass(slots=True)
class LegTrade:
    """One leg of a group. Quantities in base, money in quote currency; times in ns UTC, None while open."""

    group_id: GroupId
    instrument: InstrumentKey
    side: Side
    entry_ns: int | None = None
    exit_ns: int | None = None
    entry_quantity: Decimal = ZERO
    entry_notional_quote: Decimal = ZERO
    exit_quantity: Decimal = ZERO
    exit_notional_quote: Decimal = ZERO
    fees_quote: Decimal = ZERO
    exit_reason: str = ""

    @property
    def is_open(self) -> bool:
        return self.exit_quantity < self.entry_quantity

    @property
    def entry_price(self) -> Decimal | None:
        return self.entry_notional_quote / self.entry_quantity if self.entry_quantity else None

    @property
    def exit_price(self) -> Decimal | None:
        return self.exit_notional_quote / self.exit_quantity if self.exit_quantity else None

    @property
    def pnl_quote(self) -> Decimal:
        """Realized result of what is closed, fees of the whole leg taken off."""
        gone = MONEY.subtract(self.exit_notional_quote, self.entry_notional_quote)
        return MONEY.subtract(MONEY.multiply(gone, Decimal(self.side.value)), self.fees_quote)


class Trade(NamedTuple):
    """A position group that was entered: the legs that hold something or did. Times in ns UTC."""

    group_id: GroupId
    legs: tuple[LegTrade, ...]

    @property
    def is_open(self) -> bool:
        return any(leg.is_open for leg in self.legs)

    @property
    def entry_ns(self) -> int:
        """The first entry's fill."""
        return min(leg.entry_ns for leg in self.legs if leg.entry_ns is not None)

    @property
    def exit_ns(self) -> int | None:
        """The last fill that closed it; None while a leg is open."""
        return None if self.is_open else max(leg.exit_ns for leg in self.legs if leg.exit_ns is not None)

    @property
    def pnl_quote(self) -> Decimal:
        """The legs' results together."""
        return reduce(MONEY.add, (leg.pnl_quote for leg in self.legs))


class FillPoint(NamedTuple):
    """What one fill did to cash and position; for an equity curve."""

    ts_received: int
    instrument: InstrumentKey
    signed_quantity: Decimal
    price: Decimal
    fee: Decimal


class RefusedEntries(NamedTuple):
    """How many entries one limit refused, and the last of them."""

    number: int
    last: EntryRefused


@dataclass(slots=True)
class TradeLog:
    """Watches facts go by; keeps legs that were entered, every fill, and for each limit what it refused."""

    legs: dict[tuple[GroupId, int], LegTrade] = field(default_factory=dict)
    fills: list[FillPoint] = field(default_factory=list)
    requests: dict[ClientOrderId, OrderRequest] = field(default_factory=dict)
    refused: dict[str, RefusedEntries] = field(default_factory=dict)
    orders: int = 0

    def watch(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            event = fact.event
            if isinstance(event, OrderFilled):
                self._filled(event, fact.ts_received)
            elif isinstance(event, OrderSubmitted):
                self.orders += 1
                self.requests[event.request.client_order_id] = event.request
            elif isinstance(event, EntryRefused):
                before = self.refused.get(event.limit)
                self.refused[event.limit] = RefusedEntries(1 if before is None else before.number + 1, event)
            elif isinstance(event, GroupOpened):
                for index, leg in enumerate(event.group.legs):
                    key = event.group.group_id, index
                    self.legs[key] = LegTrade(event.group.group_id, leg.instrument, leg.side)

    @property
    def entered_legs(self) -> list[LegTrade]:
        """Legs that were entered, in the order of their groups."""
        return [leg for leg in self.legs.values() if leg.entry_quantity]

    @property
    def trades(self) -> list[Trade]:
        """One for each group of which a leg was entered, in their order."""
        by_group = groupby(self.entered_legs, key=lambda leg: leg.group_id)
        return [Trade(group_id, tuple(legs)) for group_id, legs in by_group]

    def _filled(self, event: OrderFilled, ts_received: int) -> None:
        fill = event.fill
        request = self.requests[fill.client_order_id]
        leg = self.legs[request.group_id, request.leg]
        notional = MONEY.multiply(fill.price, fill.quantity)
        leg.fees_quote = MONEY.add(leg.fees_quote, fill.fee)
        if request.purpose is OrderPurpose.ENTRY:
            leg.entry_ns = ts_received if leg.entry_ns is None else leg.entry_ns
            leg.entry_quantity += fill.quantity
            leg.entry_notional_quote = MONEY.add(leg.entry_notional_quote, notional)
        else:
            leg.exit_ns = ts_received
            leg.exit_quantity += fill.quantity
            leg.exit_notional_quote = MONEY.add(leg.exit_notional_quote, notional)
            leg.exit_reason = "signal" if request.purpose is OrderPurpose.CLOSE else str(request.purpose)
        signed = fill.quantity * fill.side.value
        self.fills.append(FillPoint(ts_received, fill.instrument, signed, fill.price, fill.fee))
