"""The protocols that a simulated venue may speak."""

from workstation.simulator.binance.wire import BINANCE
from workstation.simulator.binanceusdm.wire import BINANCEUSDM
from workstation.simulator.bitvavo.wire import BITVAVO
from workstation.simulator.bybit.wire import BYBIT
from workstation.simulator.gate.wire import GATE
from workstation.simulator.mexc.wire import MEXC
from workstation.simulator.oanda.wire import OANDA
from workstation.simulator.wire import WireKind

DEFAULT_WIRE = BINANCE.name
WIRES: dict[str, WireKind] = {kind.name: kind for kind in (BINANCE, BINANCEUSDM, BYBIT, GATE, BITVAVO, MEXC, OANDA)}
"""By name."""
