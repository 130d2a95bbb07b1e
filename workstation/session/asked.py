"""Which orders and groups an input from outside is about: a stop, the kill switch, a person's cancel or close. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from workstation.model.events import CancelAsked, CloseAsked, Event, SessionKilled, SessionStopped
from workstation.model.group import GroupStatus, Leg, PositionGroup
from workstation.model.instrument import InstrumentKey
from workstation.model.order import Order, OrderPurpose
from workstation.model.signal import Signal, SignalLeg
from workstation.model.units import Side
from workstation.session.state import SessionState
from workstation.strategies.by_hand import BY_HAND
from workstation.trading.limits import Refusal


class Asked(NamedTuple):
    """Entries to cancel and groups to close, and why. What is done already is not among them."""

    cancel: list[Order]
    close: list[PositionGroup]
    reason: str


def asked_by(event: Event, state: SessionState) -> Asked:
    """Stops and targets are never cancelled alone: what is held would be left without protection."""
    if isinstance(event, SessionStopped):
        return Asked([], _closable(state.groups.values()) if event.flatten else [], f"stopped by {event.by}")
    if isinstance(event, SessionKilled):
        closing = _closable(state.groups.values()) if event.flatten else []
        return Asked(waiting_entries(state), closing, f"killed by {event.by}")
    if isinstance(event, CancelAsked):
        named = [one for one in waiting_entries(state) if one.request.client_order_id == event.client_order_id]
        return Asked(named, [], f"cancelled by {event.by}")
    if isinstance(event, CloseAsked):
        wanted = [group for group in state.groups.values() if _is_meant(event, group)]
        return Asked([], _closable(wanted), f"closed by {event.by}")
    return Asked([], [], "")


def waiting_entries(state: SessionState) -> list[Order]:
    """Orders that may still open something."""
    orders = state.orders.values()
    return [one for one in orders if one.request.purpose is OrderPurpose.ENTRY and not one.is_final]


def of_strategy(state: SessionState) -> list[PositionGroup]:
    """The groups that the strategy opened: what a person opened is the person's to close."""
    return [group for group in state.groups.values() if group.strategy != BY_HAND]


def opposed(signal: Signal, groups: Iterable[PositionGroup]) -> Refusal | None:
    """Two groups of one session never hold against each other: their closing orders would find nothing to reduce."""
    wanted = {leg.instrument: leg.side for leg in signal.legs}
    for group in groups:
        for leg in group.legs:
            if wanted.get(leg.instrument, leg.side) is not leg.side:
                side = "long" if leg.side is Side.BUY else "short"
                return Refusal("opposite position", "none", f"group {group.group_id} is {side}", leg.instrument)
    return None


def sides_of(legs: Iterable[SignalLeg | Leg]) -> list[tuple[InstrumentKey, Side]]:
    return [(leg.instrument, leg.side) for leg in legs]


def is_left_by(group: PositionGroup, side: Side | None) -> bool:
    """Whether an exit of `side` (None: any) ends the group, or the entry that waits for its end."""
    if group.status is not GroupStatus.CLOSING:
        return side in (None, group.legs[0].side)
    return group.next_signal is not None and side in (None, group.next_signal.legs[0].side)


def _closable(groups: Iterable[PositionGroup]) -> list[PositionGroup]:
    """A group that closes to be turned round is closed for good."""
    return [group for group in groups if group.status is not GroupStatus.CLOSING or group.next_signal is not None]


def _is_meant(event: CloseAsked, group: PositionGroup) -> bool:
    if event.group_id is not None:
        return group.group_id == event.group_id
    return any(leg.instrument == event.instrument for leg in group.legs)
