"""Scaled whole numbers give back every float bit for bit, or are not used."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.history.scaling import LARGEST_EXPONENT, decode, encode, scale_exponent

on_a_grid = st.integers(0, LARGEST_EXPONENT).flatmap(
    lambda digits: st.lists(st.integers(-(10**12), 10**12).map(lambda n: n / 10**digits), min_size=1, max_size=50)
)
any_floats = st.lists(st.floats(), min_size=1, max_size=50)


@given(on_a_grid)
def test_values_on_a_decimal_grid_come_back_bit_for_bit(numbers: list[float]) -> None:
    values = np.array(numbers)
    exponent = scale_exponent(values)
    assert exponent is not None
    assert decode(encode(values, exponent), exponent).tobytes() == values.tobytes()


@given(any_floats)
def test_whatever_is_scaled_comes_back_bit_for_bit(numbers: list[float]) -> None:
    values = np.array(numbers)
    exponent = scale_exponent(values)
    if exponent is not None:
        assert decode(encode(values, exponent), exponent).tobytes() == values.tobytes()


@pytest.mark.parametrize("value", [1 / 3, 0.1 + 0.2, -0.0, np.nan, np.inf, 1e300, 5e-324])
def test_one_value_off_every_grid_leaves_the_column_unscaled(value: float) -> None:
    values = np.full(5_000, 0.25)
    values[4_321] = value  # beyond any sample
    assert scale_exponent(values) is None


def test_the_smallest_exponent_is_taken() -> None:
    assert scale_exponent(np.array([61837.63, 0.5])) == 2
    assert scale_exponent(np.array([3.0, 10.0])) == 0
