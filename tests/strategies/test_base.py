import math
from typing import Any

import numpy as np
import pytest

from workstation.errors import BadInput, StrategyNonsense
from workstation.strategies.base import BarStrategy, Signals, TickStrategy, make_strategy
from workstation.strategies.catalog import STRATEGIES, strategy_named
from workstation.strategies.ma_cross import MACross
from workstation.strategies.spread_reversion import SpreadReversion


@pytest.mark.parametrize(
    ("kind", "name", "value", "expected"),
    [
        (MACross, "fast", 0, "at least 1"),
        (MACross, "fast", 2.5, "int"),
        (MACross, "fast", "20", "int"),
        (MACross, "slow", 10_001, "10000"),
        (MACross, "atr_stop", 0, "0"),
        (MACross, "atr_stop", math.nan, "100"),
        (MACross, "atr_target", 100.5, "100"),
        (MACross, "atr_target", math.inf, "100"),
        (MACross, "average", "hull", "ema"),
        (MACross, "side", "up", "both"),
        (SpreadReversion, "entry_z", 0.0, "0.1"),
        (SpreadReversion, "min_points", 1, "at least 2"),
        (SpreadReversion, "stale_after_seconds", -1, "at least 0.001"),
        (SpreadReversion, "window_minutes", None, "numeric"),
    ],
)
def test_a_parameter_out_of_bounds_is_refused_with_name_value_and_bounds(
    kind: Any, name: str, value: Any, expected: str
) -> None:
    with pytest.raises(BadInput, match=f"strategy {kind.name_in_cli}: ") as error:
        make_strategy(kind, {name: value})
    for word in (name, str(value) if expected != "int" else str(type(value)), expected):
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        (MACross, {"fast": 50, "slow": 50}, "fast 50: expected less than slow 50"),
        (SpreadReversion, {"entry_z": 1.0, "exit_z": 1.0}, r"exit_z 1\.0: expected less than entry_z 1\.0"),
        (MACross, {"fsat": 3}, r"parameter 'fsat' is not declared \(known: atr_stop, .*fast"),
        (MACross, {"name": "x"}, "parameter 'name' is not declared"),
        (MACross, {"fast": True}, "parameter 'fast' True: expected a number"),
    ],
)
def test_parameters_that_contradict_are_refused(kind: Any, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        make_strategy(kind, parameters)


@pytest.mark.parametrize("kind", STRATEGIES.values())
def test_the_same_declaration_makes_the_same_strategy(kind: Any) -> None:
    declared = make_strategy(kind, {}).parameters()
    assert "name" not in declared
    assert make_strategy(kind, declared).parameters() == declared


def test_a_strategy_is_found_by_its_name_and_a_slip_by_its_neighbour() -> None:
    assert strategy_named("ma-cross") is MACross
    with pytest.raises(BadInput, match="'ma-croos': not known, did you mean 'ma-cross'"):
        strategy_named("ma-croos")
    with pytest.raises(BadInput, match="known are by-hand, ma-cross, spread-reversion"):
        strategy_named("zzz")


def some_signals(**changes: Any) -> Signals:
    fields: dict[str, Any] = {
        "entries": np.array([0, 1, -1], np.int8),
        "exit_long": np.zeros(3, bool),
        "exit_short": np.zeros(3, bool),
        "stop_distance": np.array([-5.0, 1.0, math.nan]),
        "target_distance": np.array([math.inf, 1.0, 2.0]),
    }
    return Signals(**(fields | changes))


def test_distances_are_read_at_entries_only() -> None:
    signals = some_signals()
    assert signals.checked(3, "x") is signals


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entries": np.zeros(2, np.int8)}, r"strategy x: entries is int8 \(2,\), expected shape \(3,\) of kind 'i'"),
        ({"entries": np.zeros(3)}, "entries is float64"),
        ({"entries": [0, 1, 0]}, "entries is list"),
        ({"entries": np.array([0, 2, 0], np.int8)}, r"entries hold \[0 2\], expected -1, 0 or 1"),
        ({"exit_long": np.zeros(3, np.int8)}, "exit_long is int8"),
        ({"exit_short": np.zeros((3, 1), bool)}, r"exit_short is bool \(3, 1\)"),
        ({"stop_distance": np.array([1.0, 0.0, math.nan])}, r"stop_distance at an entry is 0\.0"),
        ({"stop_distance": np.array([1.0, math.nan, -2.0])}, r"stop_distance at an entry is -2\.0"),
        ({"target_distance": np.array([1.0, math.inf, 1.0])}, "target_distance at an entry is inf"),
    ],
)
def test_nonsense_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StrategyNonsense, match=message):
        some_signals(**changes).checked(3, "x")


def test_a_strategy_that_is_not_written_says_so() -> None:
    with pytest.raises(StrategyNonsense, match=r"BarStrategy: signals\(\) is not written"):
        BarStrategy().signals(None)  # type: ignore[arg-type]
    tick = TickStrategy()
    for call in (lambda: tick.windows([]), tick.conditions, lambda: tick.on_wake({}, None)):  # type: ignore[arg-type]
        with pytest.raises(StrategyNonsense, match="TickStrategy"):
            call()
