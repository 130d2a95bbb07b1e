import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.kernels.compiled import compiled
from workstation.kernels.fma import fma

numbers = st.floats(min_value=-1e9, max_value=1e9)


@compiled
def fused(a: float, b: float, c: float) -> float:
    return fma(a, b, c)


@settings(deadline=None)  # the first example compiles
@given(a=numbers, b=numbers, c=numbers)
def test_compiled_and_plain_fma_have_the_same_bits(a: float, b: float, c: float) -> None:
    assert fused(a, b, c).hex() == fma(a, b, c).hex()


def test_fma_rounds_once() -> None:
    a = 1.0 + 2.0**-30
    assert fma(a, a, -1.0) == float(Fraction(a) ** 2 - 1) != a * a - 1.0


@pytest.mark.parametrize(("a", "c", "expected"), [(1e308, 0.0, math.inf), (-1e308, 0.0, -math.inf)])
def test_an_overflow_gives_an_infinity(a: float, c: float, expected: float) -> None:
    assert fma(a, 10.0, c) == fused(a, 10.0, c) == expected


def test_a_zero_keeps_its_sign() -> None:
    assert math.copysign(1.0, fma(-0.0, 1.0, -0.0)) == math.copysign(1.0, fused(-0.0, 1.0, -0.0)) == -1.0
