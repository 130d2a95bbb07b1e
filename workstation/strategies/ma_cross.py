"""Moving-average cross with an ATR stop and target."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import param

from workstation.errors import BadInput
from workstation.kernels.trend import Flags, crossings, ema_crossings, sma, wma
from workstation.kernels.volatility import atr
from workstation.model.market import Bars, FloatArray
from workstation.strategies.base import BarStrategy, Signals

CROSSINGS: dict[str, Callable[[FloatArray, int, int], tuple[Flags, Flags]]] = {
    "sma": lambda close, fast, slow: crossings(sma(close, fast), sma(close, slow)),
    "ema": ema_crossings,
    "wma": lambda close, fast, slow: crossings(wma(close, fast), wma(close, slow)),
}
"""Where the fast average of closes crosses above and below the slow one, by the kind of both."""


class MACross(BarStrategy):
    """Long when the fast average crosses above the slow one, short (or out) when it crosses below.

    Stop and target stand `atr_stop` and `atr_target` ATRs of the signal's bar from the entry price.
    """

    name_in_cli: ClassVar[str] = "ma-cross"

    average: Any = param.Selector(default="ema", objects=list(CROSSINGS), doc="kind of both averages")
    fast = param.Integer(default=20, bounds=(1, 5000), softbounds=(5, 50), doc="bars of the fast average")
    slow = param.Integer(default=50, bounds=(2, 10000), softbounds=(20, 200), doc="bars of the slow average")
    atr_window = param.Integer(default=14, bounds=(1, 1000), doc="bars of the ATR")
    atr_stop = param.Number(
        default=2.0, bounds=(0, 100), allow_None=True, inclusive_bounds=(False, True), doc="stop, in ATRs; None: none"
    )
    atr_target = param.Number(
        default=3.0, bounds=(0, 100), allow_None=True, inclusive_bounds=(False, True), doc="target, in ATRs; None: none"
    )
    side: Any = param.Selector(default="both", objects=["long", "short", "both"], doc="which positions it takes")

    def __init__(self, **parameters: object) -> None:
        super().__init__(**parameters)  # type: ignore[no-untyped-call]  # param's is untyped
        if self.fast >= self.slow:
            raise BadInput(f"fast {self.fast}: expected less than slow {self.slow}")

    def signals(self, bars: Bars) -> Signals:
        crossed_up, crossed_down = CROSSINGS[self.average](bars.close, self.fast, self.slow)
        distance = self._atr(bars)
        # without an ATR there is no stop, and without its stop no entry
        can_enter = distance > 0 if self._is_protected else True
        up, down = (crossed_up & can_enter).view(np.int8), (crossed_down & can_enter).view(np.int8)
        return Signals(
            entries=up - down if self.side == "both" else up if self.side == "long" else -down,
            exit_long=crossed_down,
            exit_short=crossed_up,
            stop_distance=np.multiply(distance, np.nan if self.atr_stop is None else self.atr_stop),
            # the second in place: fresh memory costs more than the arithmetic on it
            target_distance=np.multiply(distance, np.nan if self.atr_target is None else self.atr_target, out=distance),
        )

    @property
    def _is_protected(self) -> bool:
        return self.atr_stop is not None or self.atr_target is not None

    def _atr(self, bars: Bars) -> FloatArray:
        if self._is_protected:
            return atr(bars.high, bars.low, bars.close, self.atr_window)
        return np.full(len(bars), np.nan)
