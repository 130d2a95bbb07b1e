"""A position group: the legs that one signal opened, from the decision to the last closing fill."""

from decimal import Decimal
from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType

from workstation.model.ids import GroupId, SignalId
from workstation.model.instrument import InstrumentKey
from workstation.model.signal import Signal
from workstation.model.units import Side


class GroupStatus(StrEnum):
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class Leg(Struct, frozen=True, kw_only=True):
    instrument: InstrumentKey
    side: Side
    quantity: Decimal
    """What was asked for; what is held is folded from fills."""


class PositionGroup(Struct, frozen=True, kw_only=True):
    """`next_signal` is taken as soon as the group is closed: a reversal closes first, then opens at what is left."""

    group_id: GroupId
    signal_id: SignalId
    strategy: str
    legs: tuple[Leg, ...]
    status: GroupStatus = GroupStatus.OPENING
    stop_distance: float | None = None
    target_distance: float | None = None
    opened_ns: int
    due_ns: int | None = None
    """When an entry that is not filled is given up."""
    next_signal: Signal | None = None
    close_reason: str = ""
    stop_price: Decimal | UnsetType = UNSET
    """Of a group opened by hand: where its stop stands, whatever the entry's price was."""
    target_price: Decimal | UnsetType = UNSET
