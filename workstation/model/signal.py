"""Our own intent, before money: what a strategy wants, on which instruments, with which protection."""

from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from workstation.model.ids import SignalId
from workstation.model.instrument import InstrumentKey
from workstation.model.units import Side


class SignalAction(StrEnum):
    ENTER = "enter"
    EXIT = "exit"


class SignalLeg(NamedTuple):
    """One side of a position; a spread has two, of the same quantity."""

    instrument: InstrumentKey
    side: Side


class Signal(Struct, frozen=True, kw_only=True):
    """ENTER opens a position of `legs` (and first closes another one of the strategy); EXIT closes what it holds.

    `stop_distance` and `target_distance` are in quote currency from the entry's average price; None is no such order.
    `legs` is empty for EXIT: whatever is held is closed. `exit_side` limits an EXIT to positions of that side.
    """

    signal_id: SignalId
    strategy: str
    action: SignalAction
    legs: tuple[SignalLeg, ...] = ()
    exit_side: Side | None = None
    stop_distance: float | None = None
    target_distance: float | None = None
    reason: str = ""
