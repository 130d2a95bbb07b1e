"""The least program with a back-test of a year of one-minute bars; `backtest.py` times it from its start."""

from decimal import Decimal

import numpy as np

from tests.research.bar_runs import an_instrument, some_bars
from workstation.research.backtest import backtest
from workstation.strategies.ma_cross import MACross

BARS = 525_600


def main() -> None:
    close = np.round(100 * np.exp(np.cumsum(np.random.default_rng(7).normal(0, 5e-4, BARS))), 2)
    bars = some_bars(np.r_[100.0, close[:-1]], close=close)
    print(backtest(MACross(), bars, an_instrument(taker_fee_rate=Decimal("0.0005"))))


if __name__ == "__main__":
    main()
