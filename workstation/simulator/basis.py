"""How far a perpetual trades from the common price of its base: slow waves that the seed and the symbol set going."""

import numpy as np

from workstation.model.durations import HOUR_NS, MINUTE_NS
from workstation.model.ids import Symbol
from workstation.model.market import (
    FloatArray,
    IntArray,
)
from workstation.simulator.price_path import generator

PERIODS_NS = (37 * HOUR_NS, 7 * HOUR_NS, 47 * MINUTE_NS, 5 * MINUTE_NS)
WEIGHTS = (0.45, 0.3, 0.15, 0.1)
"""Of the waves, in this order; they add up to 1."""


def basis_at(seed: int, symbol: Symbol, size_bps: float, times_ns: IntArray) -> FloatArray:
    """The difference of log prices at these times, at most `size_bps` either way; the same at all venues."""
    found = np.zeros(len(times_ns))
    phases = generator(seed, "basis", symbol).random(len(PERIODS_NS)).tolist()
    for period_ns, weight, phase in zip(PERIODS_NS, WEIGHTS, phases, strict=True):
        found += weight * np.sin(2 * np.pi * ((times_ns % period_ns) / period_ns + phase))
    return found * (size_bps * 1e-4)
