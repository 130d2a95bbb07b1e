"""Kernels against TA-Lib: 1e6 values, medians of interleaved runs; ours write into `out`, TA-Lib makes its output."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import talib

from workstation.kernels import rolling, trend, volatility
from workstation.kernels.arguments import Float64s

VALUES = 1_000_000
ROUNDS = 25
WINDOWS = (20, 200)
GOAL_RATIO = 1.25


class Row(NamedTuple):
    """One kernel: nanoseconds a value, the peer's, ours / the peer's, and the ratio asked for (None: none is)."""

    name: str
    own_ns: float
    peer_ns: float
    ratio: float
    goal: float | None


def run(values: int = VALUES, rounds: int = ROUNDS) -> list[Row]:
    """Measures every kernel at every window on a seeded random walk; raises where the outputs differ."""
    return [_row(*case, values=values, rounds=rounds) for window in WINDOWS for case in _cases(values, window)]


def main() -> None:
    """Prints a line for each kernel."""
    print(f"{'kernel':<18}{'ns/value':>9}{'TA-Lib':>9}{'ratio':>8}  goal")
    for row in run():
        goal = "" if row.goal is None else f"<= {row.goal} {'met' if row.ratio <= row.goal else 'MISSED'}"
        print(f"{row.name:<18}{row.own_ns:>9.2f}{row.peer_ns:>9.2f}{row.ratio:>8.2f}  {goal}")


Kernel = Callable[[], Float64s]


def _cases(values: int, window: int) -> list[tuple[str, Kernel, Kernel, float | None]]:
    random = np.random.default_rng(1)
    close = 100.0 + np.cumsum(random.normal(scale=0.01, size=values))
    high, low = close + random.random(values), close - random.random(values)
    out = np.empty(values)
    return [
        (f"sma {window}", lambda: trend.sma(close, window, out), lambda: talib.SMA(close, window), GOAL_RATIO),
        (f"ema {window}", lambda: trend.ema(close, window, out), lambda: talib.EMA(close, window), GOAL_RATIO),
        (
            f"atr {window}",
            lambda: volatility.atr(high, low, close, window, out),
            lambda: talib.ATR(high, low, close, window),
            GOAL_RATIO,
        ),
        (f"wma {window}", lambda: trend.wma(close, window, out), lambda: talib.WMA(close, window), None),
        (f"std {window}", lambda: rolling.rolling_std(close, window, out), lambda: talib.STDDEV(close, window), None),
    ]


def _row(name: str, own: Kernel, peer: Kernel, goal: float | None, values: int, rounds: int) -> Row:
    np.testing.assert_allclose(own(), peer(), rtol=1e-7, err_msg=name)  # also compiles, before the clock runs
    times = [(_seconds(own), _seconds(peer)) for _ in range(rounds)]
    own_ns, peer_ns = (float(np.median(column)) * 1e9 / values for column in zip(*times, strict=True))
    return Row(name, own_ns, peer_ns, own_ns / peer_ns, goal)


def _seconds(kernel: Kernel) -> float:
    start = time.perf_counter()
    kernel()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
