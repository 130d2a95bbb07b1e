"""The protocols that a simulated venue may speak."""

from workstation.simulator.binance.wire import BINANCE
from workstation.simulator.bybit.wire import BYBIT
from workstation.simulator.gate.wire import GATE
from workstation.simulator.wire import WireKind

DEFAULT_WIRE = BINANCE.name
WIRES: dict[str, WireKind] = {kind.name: kind for kind in (BINANCE, BYBIT, GATE)}
"""By name."""
