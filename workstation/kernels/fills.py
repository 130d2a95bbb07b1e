"""At which price a bar fills an order: the formulas of the paper broker and of the bar simulator.

They are plain Python, called one at a time by the broker and compiled unchanged into `simulate_bars`: one formula, two
drivers. `side` is +1 or -1, of the order for a paid price and of the position elsewhere. Prices are floats
on the tick grid `tick_numerator / tick_scale` (`units.Grid`), in quote currency; NaN is no level, or no fill.
"""

import math

from workstation.kernels.formula import formula
from workstation.model.units import ceil_steps, floor_steps, grid_value


@formula
def paid_price(reference: float, side: int, slippage_rate: float, tick_numerator: float, tick_scale: float) -> float:
    """What a market order of `side` pays: reference * (1 ± slippage_rate), rounded to the worse tick, at least one."""
    if side > 0:
        ticks = ceil_steps(reference * (1.0 + slippage_rate), tick_numerator, tick_scale)
    else:
        ticks = floor_steps(reference * (1.0 - slippage_rate), tick_numerator, tick_scale)
    return grid_value(max(ticks, 1), tick_numerator, tick_scale)


@formula
def stop_level(entry_price: float, side: int, stop_distance: float, tick_numerator: float, tick_scale: float) -> float:
    """A position's stop price: entry - distance rounded up for a long, entry + distance rounded down for a short.

    NaN for a NaN distance and for a level below one tick.
    """
    return _level(entry_price - side * stop_distance, side, tick_numerator, tick_scale)


@formula
def target_level(
    entry_price: float, side: int, target_distance: float, tick_numerator: float, tick_scale: float
) -> float:
    """A position's target price: entry + distance rounded up for a long, entry - distance rounded down for a short.

    NaN for a NaN distance and for a level below one tick.
    """
    return _level(entry_price + side * target_distance, side, tick_numerator, tick_scale)


@formula
def _level(price: float, side: int, tick_numerator: float, tick_scale: float) -> float:
    if math.isnan(price):
        return math.nan
    if side > 0:
        ticks = ceil_steps(price, tick_numerator, tick_scale)
    else:
        ticks = floor_steps(price, tick_numerator, tick_scale)
    return grid_value(ticks, tick_numerator, tick_scale) if ticks >= 1 else math.nan


@formula
def stop_reference(open_: float, high: float, low: float, side: int, stop: float) -> float:
    """Where a bar touches the stop of a position of `side`: at its open if that is beyond the stop, or at the stop."""
    if side > 0:
        if open_ <= stop:
            return open_
        return stop if low <= stop else math.nan
    if open_ >= stop:
        return open_
    return stop if high >= stop else math.nan


@formula
def stop_fill(
    open_: float,
    high: float,
    low: float,
    side: int,
    stop: float,
    slippage_rate: float,
    tick_numerator: float,
    tick_scale: float,
) -> float:
    """What the stop of a position of `side` gets: the paid price from where a bar touches it; NaN if not."""
    reference = stop_reference(open_, high, low, side, stop)
    if math.isnan(reference):
        return math.nan
    return paid_price(reference, -side, slippage_rate, tick_numerator, tick_scale)


@formula
def target_fill(open_: float, high: float, low: float, side: int, target: float) -> float:
    """What the target, a resting limit, of a position of `side` gets: an open beyond it, or itself; NaN if not."""
    if side > 0:
        if open_ >= target:
            return open_
        return target if high >= target else math.nan
    if open_ <= target:
        return open_
    return target if low <= target else math.nan
