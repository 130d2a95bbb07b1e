from collections.abc import Mapping
from typing import Any

import pytest

from tests.builders import KEY
from workstation.errors import BadInput
from workstation.model.durations import SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.signal import SignalAction, SignalLeg
from workstation.model.units import Side
from workstation.strategies.spread_reversion import SpreadReversion
from workstation.windows.specs import Field, Operator, WindowKind

A, B = KEY, InstrumentKey(Venue("orion"), Symbol("BTC/USDT:USDT"))
SELL_A = (SignalLeg(A, Side.SELL), SignalLeg(B, Side.BUY))
BUY_A = (SignalLeg(A, Side.BUY), SignalLeg(B, Side.SELL))


class Sight:
    """What a strategy sees: edges in bps, and what is held."""

    def __init__(self, held: tuple[SignalLeg, ...] = (), *, net_edge_ab: float = 5.0, net_edge_ba: float = 5.0) -> None:
        self._held = held
        self._fields = {"net_edge_ab": net_edge_ab, "net_edge_ba": net_edge_ba, "z": 3.21}

    def field(self, window: str, field: str) -> float:
        assert window == "spread"
        return self._fields[field]

    def held(self) -> tuple[SignalLeg, ...]:
        return self._held


def a_strategy(**parameters: Any) -> SpreadReversion:
    strategy = SpreadReversion(**parameters)
    strategy.windows([A, B])
    return strategy


def test_it_watches_one_spread() -> None:
    strategy = SpreadReversion(window_minutes=2, resolution_ms=250, min_points=9, stale_after_seconds=1.5)
    (spec,) = strategy.windows([A, B]).values()
    assert (spec.kind, spec.instrument_a, spec.instrument_b) == (WindowKind.SPREAD, A, B)
    assert (spec.span_ns, spec.resolution_ns) == (120 * SECOND_NS, SECOND_NS // 4)
    assert (spec.min_points, spec.stale_after_ns) == (9, 1_500_000_000)


def test_a_span_is_cut_to_whole_buckets() -> None:
    (spec,) = SpreadReversion(window_minutes=0.1, resolution_ms=7, min_points=2).windows([A, B]).values()
    assert spec.span_ns == 857 * 7_000_000


@pytest.mark.parametrize("keys", [[], [A], [A, B, A]])
def test_it_needs_two_instruments(keys: list[InstrumentKey]) -> None:
    with pytest.raises(BadInput, match=f"spread-reversion: {len(keys)} instruments: expected two"):
        SpreadReversion().windows(keys)


def test_its_conditions_enter_far_out_and_leave_near() -> None:
    rows = [
        (c.name, c.field, c.operator, c.threshold, c.rearm) for c in SpreadReversion(entry_z=3, exit_z=1).conditions()
    ]
    assert rows == [
        ("rich", Field.Z, Operator.ABOVE, 3, 1),
        ("cheap", Field.Z, Operator.BELOW, -3, -1),
        ("back from rich", Field.Z, Operator.BELOW, 1, 3),
        ("back from cheap", Field.Z, Operator.ABOVE, -1, -3),
    ]


def test_an_exit_beyond_the_mean_is_allowed() -> None:
    assert [c.threshold for c in SpreadReversion(entry_z=2, exit_z=-1).conditions()] == [2, -2, -1, 1]


NOTHING: list[Any] = []
ENTER_SHORT = [(SignalAction.ENTER, SELL_A)]
ENTER_LONG = [(SignalAction.ENTER, BUY_A)]
EXIT = [(SignalAction.EXIT, ())]


@pytest.mark.parametrize(
    ("changes", "sight", "expected"),
    [
        ({"rich": True}, Sight(), ENTER_SHORT),
        ({"cheap": True}, Sight(), ENTER_LONG),
        ({"rich": True, "back from rich": False}, Sight(), ENTER_SHORT),
        ({"rich": False}, Sight(), NOTHING),
        ({"back from rich": True, "back from cheap": True}, Sight(), NOTHING),
        ({"rich": True}, Sight(net_edge_ab=-0.01), NOTHING),
        ({"rich": True}, Sight(net_edge_ab=float("nan")), NOTHING),
        ({"rich": True}, Sight(net_edge_ab=0.0, net_edge_ba=-9.0), ENTER_SHORT),
        ({"cheap": True}, Sight(net_edge_ba=-0.01), NOTHING),
        ({"back from rich": True}, Sight(SELL_A), EXIT),
        ({"back from cheap": True}, Sight(BUY_A), EXIT),
        ({"back from cheap": True}, Sight(SELL_A), NOTHING),
        ({"back from rich": True}, Sight(BUY_A), NOTHING),
        ({"back from rich": False}, Sight(SELL_A), NOTHING),
        ({"rich": True}, Sight(SELL_A), NOTHING),
        ({"cheap": True, "back from rich": True}, Sight(SELL_A), EXIT),
    ],
)
def test_what_it_answers(changes: Mapping[str, bool], sight: Sight, expected: list[Any]) -> None:
    assert [(intent.action, intent.legs) for intent in a_strategy().on_wake(changes, sight)] == expected


@pytest.mark.parametrize("held", [(), SELL_A, BUY_A])
def test_asked_with_no_changes_it_answers_nothing(held: tuple[SignalLeg, ...]) -> None:
    assert list(a_strategy().on_wake({}, Sight(held))) == []


def test_without_a_wanted_edge_any_will_do() -> None:
    (intent,) = a_strategy(min_net_edge_bps=None).on_wake({"rich": True}, Sight(net_edge_ab=-500.0))
    assert intent.reason == "rich: z 3.21"
