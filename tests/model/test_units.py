import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.errors import BadInput
from workstation.model.units import (
    LARGEST_STEPS,
    Side,
    ceil_steps,
    common_lot,
    decimal_steps,
    exact_decimal,
    floor_steps,
    grid_of,
    grid_value,
    price_on_grid,
    quantity_from_float,
    round_quantity,
    to_float,
)

STEPS = [Decimal(text) for text in ("0.01", "0.05", "0.25", "5", "1E-8", "0.00125", "1000", "3", "0.000007")]
steps = st.sampled_from(STEPS)
values = st.floats(min_value=1e-6, max_value=1e7)
sides = st.sampled_from(Side)


def noise(value: float, step: Decimal) -> Fraction:
    """What counts as on the grid: 10^-9 of a step, and the rounding of the float itself."""
    return Fraction(step) / 10**9 + abs(Fraction(value)) / 10**15


@given(value=values, step=steps, side=sides)
def test_a_limit_price_is_never_worse_for_us_than_the_float(value: float, step: Decimal, side: Side) -> None:
    price = Fraction(price_on_grid(value, step, side))
    assert side * price <= side * Fraction(value) + noise(value, step)
    assert abs(price - Fraction(value)) < Fraction(step) + noise(value, step)
    assert price % Fraction(step) == 0


@given(value=values, step=steps)
def test_a_quantity_is_never_above_the_float(value: float, step: Decimal) -> None:
    quantity = Fraction(quantity_from_float(value, step))
    assert 0 <= quantity <= Fraction(value) + noise(value, step)
    assert Fraction(value) - quantity < Fraction(step) + noise(value, step)


@given(count=st.integers(1, 10**15), step=steps, side=sides)
def test_a_value_on_the_grid_stays_where_it_is(count: int, step: Decimal, side: Side) -> None:
    exact = step * count
    assert price_on_grid(float(exact), step, side) == exact
    assert quantity_from_float(float(exact), step) == exact


@given(count=st.integers(0, 9_000_000_000), step=steps)
def test_the_float_of_a_decimal_on_the_grid_is_the_grids_value(count: int, step: Decimal) -> None:
    grid = grid_of(step)
    assert grid_value(count, grid.numerator, grid.scale) == float(step * count)


@pytest.mark.parametrize(
    ("value", "step", "count"), [(0.29, "0.01", 29), (0.57, "0.01", 57), (1.1, "0.1", 11), (0.15, "0.05", 3)]
)
def test_float_noise_is_forgiven_on_both_sides(value: float, step: str, count: int) -> None:
    grid = grid_of(Decimal(step))
    for number in (value, math.nextafter(value, 0), math.nextafter(value, 1e9)):
        assert floor_steps(number, grid.numerator, grid.scale) == count
        assert ceil_steps(number, grid.numerator, grid.scale) == count


def test_a_millionth_of_a_step_is_not_forgiven() -> None:
    assert quantity_from_float(0.29 - 1e-8, Decimal("0.01")) == Decimal("0.28")
    assert price_on_grid(0.29 + 1e-8, Decimal("0.01"), Side.SELL) == Decimal("0.30")


def test_the_largest_step_is_the_last_one() -> None:
    assert decimal_steps(LARGEST_STEPS, Decimal(1), up=True, what="x") == 10**15
    with pytest.raises(BadInput, match=r"x 1e\+16: more than 10\^15 steps of 1"):
        decimal_steps(1e16, Decimal(1), up=True, what="x")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308, -1e308, np.float64(1e300)])
def test_what_is_no_amount_is_refused_by_name_and_value(value: float) -> None:
    tick = Decimal("0.00000001")
    for side in Side:
        with pytest.raises(BadInput, match="price " + str(float(value)).replace("+", r"\+")):
            price_on_grid(value, tick, side)
    with pytest.raises(BadInput, match="quantity"):
        quantity_from_float(value, tick)


@pytest.mark.parametrize("value", [-1.0, -0.001])
def test_a_negative_quantity_is_refused(value: float) -> None:
    with pytest.raises(BadInput, match=r"quantity -.*0 or more"):
        quantity_from_float(value, Decimal("0.01"))


def test_less_than_one_step() -> None:
    tick = Decimal("0.01")
    assert price_on_grid(0.004, tick, Side.BUY) == 0
    assert price_on_grid(0.004, tick, Side.SELL) == tick
    assert quantity_from_float(0.004, tick) == 0
    assert quantity_from_float(-0.0, tick) == 0


@pytest.mark.parametrize(
    "step",
    [
        "0",
        "-0.01",
        "NaN",
        "Infinity",
        "1234567890123456",
        "1E-16",
        "1E+16",
        "123456789012345E+3",
        "1." + "0" * 60 + "1",
    ],
)
def test_a_step_that_floats_cannot_hold_is_refused(step: str) -> None:
    with pytest.raises(BadInput, match="step"):
        grid_of(Decimal(step))


@given(number=st.integers(1, 10**15 - 1), exponent=st.integers(-15, 0))
def test_a_grid_is_exactly_its_step(number: int, exponent: int) -> None:
    step = Decimal(number).scaleb(exponent)
    grid = grid_of(step)
    assert Fraction(grid.numerator) / Fraction(grid.scale) == Fraction(step)


def test_a_decimal_quantity_is_rounded_down() -> None:
    assert round_quantity(Decimal("1.2399999999999999999999"), Decimal("0.01")) == Decimal("1.23")


@given(
    st.lists(
        st.builds(lambda n, e: Decimal(n).scaleb(e), st.integers(1, 10**6), st.integers(-12, 6)), min_size=1, max_size=3
    )
)
def test_a_common_lot_is_the_smallest_whole_number_of_each(lots: list[Decimal]) -> None:
    common = Fraction(common_lot(lots))
    counts = [common / Fraction(lot) for lot in lots]
    assert common > 0 and all(count.denominator == 1 for count in counts)
    assert math.gcd(*(count.numerator for count in counts)) == 1


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_an_exact_decimal_reads_back_as_its_float(value: float) -> None:
    assert to_float(exact_decimal(value, "x")) == value
    assert exact_decimal(np.float64(value), "x") == exact_decimal(value, "x")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_decimal_of_what_is_no_number(value: float) -> None:
    with pytest.raises(BadInput, match=f"rate {value}"):
        exact_decimal(value, "rate")


def test_the_opposite_of_a_side_is_the_other_one() -> None:
    assert Side.BUY.opposite is Side.SELL
    assert Side.SELL.opposite is Side.BUY
