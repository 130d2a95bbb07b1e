"""What a bar strategy's decisions ask for: entries and exits at a close, and exits that were spoken meanwhile."""

from collections.abc import Iterable

from workstation.model.group import PositionGroup
from workstation.model.instrument import InstrumentKey
from workstation.model.signal import SignalAction, SignalLeg
from workstation.model.units import Side
from workstation.session.bar_signals import BarDecision, BarSignals, leaves
from workstation.strategies.base import Intent

MISSED_EXIT = "exit signal while it was down"


def intents_of(decision: BarDecision, instrument: InstrumentKey) -> list[Intent]:
    if decision.entry:
        leg = SignalLeg(instrument, Side(decision.entry))
        return [
            Intent(
                action=SignalAction.ENTER,
                legs=(leg,),
                stop_distance=decision.stop_distance,
                target_distance=decision.target_distance,
            )
        ]
    sides = ((Side.BUY, decision.exit_long), (Side.SELL, decision.exit_short))
    return [Intent(action=SignalAction.EXIT, exit_side=side) for side, leaves in sides if leaves]


def missed_exits(groups: Iterable[PositionGroup], bars: BarSignals, since_ns: int) -> list[Intent]:
    """Exits that were spoken behind `since_ns`, while nobody listened."""
    exits = []
    for group in groups:
        # of a group that is being turned round, what counts is where it goes
        leg = group.legs[0] if group.next_signal is None else group.next_signal.legs[0]
        missed = bars.missed(max(since_ns, group.opened_ns))
        if any(leaves(decision, leg.side) for decision in missed):
            exits.append(Intent(action=SignalAction.EXIT, exit_side=leg.side, reason=MISSED_EXIT))
    return exits
