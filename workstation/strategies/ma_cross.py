"""Moving-average cross with an ATR stop and target."""

from typing import Any, ClassVar

import numpy as np
import param

from workstation.errors import BadInput
from workstation.kernels.trend import crossings, ema, sma, wma
from workstation.kernels.volatility import atr
from workstation.model.market import Bars, FloatArray
from workstation.strategies.base import BarStrategy, Signals

AVERAGES = {"sma": sma, "ema": ema, "wma": wma}


class MACross(BarStrategy):
    """Long when the fast average crosses above the slow one, short (or out) when it crosses below.

    Stop and target stand `atr_stop` and `atr_target` ATRs of the signal's bar from the entry price.
    """

    name_in_cli: ClassVar[str] = "ma-cross"

    average: Any = param.Selector(default="ema", objects=list(AVERAGES), doc="kind of both averages")
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
        average = AVERAGES[self.average]
        fast, slow = average(bars.close, self.fast), average(bars.close, self.slow)
        crossed_up, crossed_down = crossings(fast, slow)
        # fresh memory costs more than the arithmetic on it: the averages are not needed any more
        distance = self._atr(bars, out=fast)
        # without an ATR there is no stop, and without its stop no entry
        can_enter = distance > 0 if self._is_protected else True
        entries = np.zeros(len(bars), np.int8)
        if self.side != "short":
            entries[crossed_up & can_enter] = 1
        if self.side != "long":
            entries[crossed_down & can_enter] = -1
        return Signals(
            entries=entries,
            exit_long=crossed_down,
            exit_short=crossed_up,
            stop_distance=np.multiply(distance, np.nan if self.atr_stop is None else self.atr_stop, out=slow),
            target_distance=np.multiply(distance, np.nan if self.atr_target is None else self.atr_target, out=distance),
        )

    @property
    def _is_protected(self) -> bool:
        return self.atr_stop is not None or self.atr_target is not None

    def _atr(self, bars: Bars, out: FloatArray) -> FloatArray:
        if self._is_protected:
            return atr(bars.high, bars.low, bars.close, self.atr_window, out=out)
        out.fill(np.nan)
        return out
