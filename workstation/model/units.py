"""Where float64 and Decimal meet: the only door between arrays and money.

A venue's grid is a rational step: `numerator / scale`, both whole numbers held exactly in a float64 (tick 0.05 is
5/100, lot 0.001 is 1/1000). A value on the grid is a whole number of steps, so a float on the grid is decoded by one
division, which is correctly rounded: `n * 0.01` differs from the parsed price in 14 % of cases, `n / 100` in none.

The step functions are plain Python and are compiled unchanged by the bar simulator: one formula, two drivers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal, Inexact
from enum import IntEnum
from functools import lru_cache

from workstation.errors import BadInput

MONEY = Context(prec=50)
"""Sums and products of prices, quantities and rates are exact under this context: at most 12 + 3 * 10 digits."""
EXACT = Context(prec=50, traps=[Inexact])
STEP_NOISE = 1e-9
"""Floats within this share of a step count as on it: 0.29 / 0.01 is 28.999999999999996 and means 29."""
RATIO_NOISE = 4e-16
"""The relative noise of one float64 operation; matters where a value is over 10^7 steps."""
LARGEST_STEPS = 1e15
"""Beyond it a float64 cannot tell one step from the next."""


class Side(IntEnum):
    """Which way; the value is its sign on a position."""

    BUY = 1
    SELL = -1

    @property
    def opposite(self) -> "Side":
        return Side(-self.value)


@dataclass(frozen=True, slots=True)
class Grid:
    """A step as a fraction of whole numbers; both are exact in float64."""

    numerator: float
    scale: float


@lru_cache(maxsize=4096)
def grid_of(step: Decimal) -> Grid:
    """The fraction of a step; raises BadInput for a step that is not positive, or not exact as such a fraction."""
    if not step.is_finite() or step <= 0:
        raise BadInput(f"step {step}: expected a positive number")
    normal = step.normalize(MONEY)
    _sign, digits, exponent = normal.as_tuple()
    number = int("".join(map(str, digits)))
    if normal != step or not isinstance(exponent, int) or len(digits) > 15 or abs(exponent) > 15:
        raise BadInput(f"step {step}: expected at most 15 digits")
    numerator = number * 10 ** max(exponent, 0)
    if numerator > LARGEST_STEPS:
        raise BadInput(f"step {step}: expected at most 10^15")
    return Grid(float(numerator), float(10 ** max(-exponent, 0)))


def floor_steps(value: float, numerator: float, scale: float) -> int:
    """Whole steps at or below `value`; float noise of 10^-9 of a step is forgiven."""
    ratio = value * scale / numerator
    return math.floor(ratio + STEP_NOISE + abs(ratio) * RATIO_NOISE)


def ceil_steps(value: float, numerator: float, scale: float) -> int:
    """Whole steps at or above `value`; float noise of 10^-9 of a step is forgiven."""
    ratio = value * scale / numerator
    return math.ceil(ratio - STEP_NOISE - abs(ratio) * RATIO_NOISE)


def grid_value(steps: float, numerator: float, scale: float) -> float:
    """The float of a whole number of steps, correctly rounded: equal to the float of the same Decimal."""
    return steps * numerator / scale


def decimal_steps(value: float, step: Decimal, *, up: bool, what: str) -> Decimal:
    """The one door from float to Decimal: `value` on the grid of `step`, rounded up or down.

    Raises BadInput for NaN, infinities and values beyond LARGEST_STEPS.
    """
    if not math.isfinite(value):
        raise BadInput(f"{what} {float(value)}: expected a finite number")
    grid = grid_of(step)
    if abs(value) * grid.scale / grid.numerator >= LARGEST_STEPS + 1:
        raise BadInput(f"{what} {float(value)}: more than 10^15 steps of {step}")
    steps = ceil_steps(value, grid.numerator, grid.scale) if up else floor_steps(value, grid.numerator, grid.scale)
    return MONEY.multiply(Decimal(steps), step)


def price_on_grid(value: float, tick_size: Decimal, side: Side) -> Decimal:
    """A limit or stop price on the tick grid: a buy is rounded down, a sell up. Zero where a buy is below one tick."""
    return decimal_steps(value, tick_size, up=side is Side.SELL, what="price")


def quantity_from_float(value: float, lot_size: Decimal) -> Decimal:
    """A quantity on the lot grid, rounded down; zero where it is less than one lot. Negative raises BadInput."""
    if value < 0:
        raise BadInput(f"quantity {float(value)}: expected 0 or more")
    return decimal_steps(value, lot_size, up=False, what="quantity")


def round_quantity(quantity: Decimal, lot_size: Decimal) -> Decimal:
    """A Decimal quantity on the lot grid, rounded down."""
    return MONEY.multiply((MONEY.divide(quantity, lot_size)).to_integral_value(ROUND_FLOOR), lot_size)


def common_lot(lots: Sequence[Decimal]) -> Decimal:
    """The smallest quantity that is a whole number of each lot; exact: of 0.1 and 0.03 it is 0.3."""
    finest = min(0, *(int(lot.as_tuple().exponent) for lot in lots))
    counts = [int(lot.scaleb(-finest, MONEY)) for lot in lots]
    return Decimal(math.lcm(*counts)).scaleb(finest, MONEY)


def to_float(value: Decimal) -> float:
    """The one door from Decimal to float: correctly rounded."""
    return float(value)


def exact_decimal(value: float, what: str) -> Decimal:
    """The shortest decimal that reads back as `value`: for what a person wrote. Raises BadInput for NaN, inf."""
    if not math.isfinite(value):
        raise BadInput(f"{what} {float(value)}: expected a finite number")
    return Decimal(repr(float(value)))  # of a numpy float, repr alone is no number
