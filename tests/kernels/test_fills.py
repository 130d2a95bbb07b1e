"""Fill formulas: prices on the grid, never better for us than the reference."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.kernels.compiled import compiled
from workstation.kernels.fills import paid_price, stop_fill, stop_level, target_fill, target_level

CENT = (1.0, 100.0)


@given(reference=st.floats(0.01, 1e6), side=st.sampled_from([1, -1]), slippage_rate=st.floats(0, 0.05))
def test_paid_price_is_on_the_grid_and_never_better(reference: float, side: int, slippage_rate: float) -> None:
    price = paid_price(reference, side, slippage_rate, *CENT)
    assert price == round(price * 100) / 100
    assert side * price >= side * reference * (1 + side * slippage_rate) - 1e-10 - 1e-15 * reference or price == 0.01
    assert abs(price - reference * (1 + side * slippage_rate)) <= 0.01 + 1e-9


def test_paid_price_without_slippage_on_the_grid_is_the_reference() -> None:
    assert [paid_price(n / 100, side, 0.0, *CENT) for n in (1, 29, 57, 10_007) for side in (1, -1)] == [
        n / 100 for n in (1, 29, 57, 10_007) for _ in (1, -1)
    ]


def test_a_sale_pays_at_least_one_tick() -> None:
    assert paid_price(0.01, -1, 0.5, *CENT) == 0.01


@pytest.mark.parametrize(
    ("level", "side", "expected"),
    [(stop_level, 1, 97.67), (stop_level, -1, 102.33), (target_level, 1, 102.34), (target_level, -1, 97.66)],
)
def test_levels_are_rounded_up_for_a_long_and_down_for_a_short(level: object, side: int, expected: float) -> None:
    assert level(100.0, side, 2.335, *CENT) == expected  # type: ignore[operator]


@pytest.mark.parametrize(("level", "side"), [(stop_level, 1), (target_level, -1)])
def test_level_below_one_tick_is_none(level: object, side: int) -> None:
    assert math.isnan(level(1.0, side, 1.0, *CENT))  # type: ignore[operator]
    assert math.isnan(level(1.0, side, math.nan, *CENT))  # type: ignore[operator]
    assert level(1.0, side, 0.99, *CENT) == 0.01  # type: ignore[operator]


@pytest.mark.parametrize(
    ("open_", "high", "low", "side", "expected"),
    [
        (100, 101, 99, 1, 98.9),  # touched at the stop: 99 less 0.1 %
        (98, 100, 97, 1, 97.9),  # opened below it
        (100, 101, 99.01, 1, math.nan),
        (98, 99, 97, -1, 99.1),
        (100, 101, 99, -1, 100.1),
        (98, 98.99, 97, -1, math.nan),
    ],
)
def test_stop_fills_where_the_bar_touches_it(open_: float, high: float, low: float, side: int, expected: float) -> None:
    assert stop_fill(open_, high, low, side, 99.0, 0.001, *CENT) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("open_", "high", "low", "side", "expected"),
    [
        (98, 99, 97, 1, 99.0),
        (100, 101, 98, 1, 100.0),
        (98, 98.99, 97, 1, math.nan),
        (100, 101, 99, -1, 99.0),
        (98, 101, 97, -1, 98.0),
        (100, 101, 99.01, -1, math.nan),
    ],
)
def test_target_fills_at_its_price_or_a_better_open(
    open_: float, high: float, low: float, side: int, expected: float
) -> None:
    assert target_fill(open_, high, low, side, 99.0) == pytest.approx(expected, nan_ok=True)


def test_no_level_is_never_filled() -> None:
    for side in (1, -1):
        assert math.isnan(stop_fill(100.0, 1e9, 0.01, side, math.nan, 0.0, *CENT))
        assert math.isnan(target_fill(100.0, 1e9, 0.01, side, math.nan))


@given(
    open_=st.floats(1, 200),
    up=st.floats(0, 9),
    down=st.floats(0, 0.9),
    side=st.sampled_from([1, -1]),
    stop=st.floats(1, 200),
)
def test_compiled_and_plain_formulas_agree_to_the_last_bit(
    open_: float, up: float, down: float, side: int, stop: float
) -> None:
    arguments = (open_, open_ + up, open_ - down, side, stop, 0.0003, *CENT)
    plain, fast = stop_fill(*arguments), _compiled_stop_fill(*arguments)
    assert plain == fast or (math.isnan(plain) and math.isnan(fast))


@compiled
def _compiled_stop_fill(
    open_: float, high: float, low: float, side: int, stop: float, slippage_rate: float, numerator: float, scale: float
) -> float:
    return stop_fill(open_, high, low, side, stop, slippage_rate, numerator, scale)
