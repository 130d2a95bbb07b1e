"""What a strategy says is input: checked before anything is done by it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from workstation.errors import StrategyNonsense
from workstation.model.instrument import InstrumentKey
from workstation.model.signal import SignalAction
from workstation.model.units import Side
from workstation.strategies.base import Intent
from workstation.windows.specs import ConditionSpec, WindowSpec


def checked_conditions(
    conditions: Iterable[ConditionSpec], windows: Mapping[str, WindowSpec]
) -> tuple[ConditionSpec, ...]:
    """Conditions of declared windows, each with a name of its own: by it the journal knows which is true."""
    kept = tuple(conditions)
    names: set[str] = set()
    for condition in kept:
        if condition.window not in windows:
            raise StrategyNonsense(f"condition {condition.name}: no window {condition.window!r} is declared")
        if condition.name in names:
            raise StrategyNonsense(f"condition {condition.name}: declared twice, expected another name for each")
        names.add(condition.name)
    return kept


def checked_intent(intent: Any, known: Sequence[InstrumentKey]) -> Intent:
    """An intent that can be, of plain values: what a strategy returns is input."""
    if not isinstance(intent, Intent):
        raise StrategyNonsense(f"on_wake returned {type(intent).__name__}: expected Intents")
    for leg in intent.legs:
        if leg.instrument not in known or not isinstance(leg.side, Side):
            raise StrategyNonsense(f"leg {leg}: expected a side of one of {list(map(str, known))}")
    if len({leg.instrument for leg in intent.legs}) != len(intent.legs):
        raise StrategyNonsense(f"legs {intent.legs}: expected each instrument once")
    if (intent.action is SignalAction.ENTER) != bool(intent.legs):
        raise StrategyNonsense(f"{intent.action} with {len(intent.legs)} legs")
    if intent.exit_side is not None and not isinstance(intent.exit_side, Side):
        raise StrategyNonsense(f"exit_side {intent.exit_side!r}: expected a Side, or None")
    distances = {name: getattr(intent, name) for name in ("stop_distance", "target_distance")}
    for name, distance in distances.items():
        if distance is not None and not 0 < distance < float("inf"):
            raise StrategyNonsense(f"{name} {distance!r}: expected more than 0, or None")
        if distance is not None and len(intent.legs) > 1:
            raise StrategyNonsense(f"{name} {distance!r}: several legs have no common stop or target")
    stop, target = (None if distance is None else float(distance) for distance in distances.values())
    return replace(intent, reason=str(intent.reason), stop_distance=stop, target_distance=target)
