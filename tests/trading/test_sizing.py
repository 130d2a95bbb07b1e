"""Sizing: what each mode buys, in whole lots, and what is refused."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.research.bar_runs import an_instrument
from workstation.errors import BadInput
from workstation.trading.sizing import Refusal, SizingMode, SizingSettings, entry_quantity, entry_size


def sizing(mode: SizingMode, value: float, **rest: float) -> SizingSettings:
    return SizingSettings(mode=mode, value=value, **rest)


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        (SizingMode.FIXED_QUANTITY, 1.2345, "1.234"),
        (SizingMode.FIXED_NOTIONAL, 500.0, "4.975"),  # 500 / 100.5
        (SizingMode.EQUITY_FRACTION, 0.5, "49.701"),  # 5000 / (100.5 * 1.001)
        (SizingMode.RISK_FRACTION, 0.01, "50.000"),  # 100 lost over a distance of 2
    ],
)
def test_each_mode_buys_whole_lots_of_its_own_measure(mode: SizingMode, value: float, expected: str) -> None:
    instrument = an_instrument(taker_fee_rate=Decimal("0.001"))
    assert entry_quantity(sizing(mode, value), instrument, 10_000.0, 100.5, 2.0) == Decimal(expected)


def test_all_in_can_be_paid_with_fee_and_slippage() -> None:
    instrument = an_instrument(taker_fee_rate=Decimal("0.001"))
    quantity = float(
        entry_quantity(sizing(SizingMode.EQUITY_FRACTION, 1.0, slippage_rate=0.01), instrument, 1e4, 7.0, None)
    )
    assert 1e4 - 0.01 < quantity * 7.0 * 1.01 * 1.001 <= 1e4


@pytest.mark.parametrize("equity", [0.0, -5.0])
@pytest.mark.parametrize("mode", list(SizingMode))
def test_without_equity_nothing_is_bought(mode: SizingMode, equity: float) -> None:
    assert entry_size(sizing(mode, 0.5), an_instrument(), equity, 100.0, 1.0).refusal is Refusal.BELOW_MINIMUM


def test_risk_without_a_stop_is_refused() -> None:
    assert entry_quantity(sizing(SizingMode.RISK_FRACTION, 0.01), an_instrument(), 1e4, 100.0, None) == 0


def test_risk_over_a_hair_s_breadth_is_refused_and_does_not_raise() -> None:
    size = entry_size(sizing(SizingMode.RISK_FRACTION, 0.01), an_instrument(), 1e4, 100.0, 1e-300)
    assert size == (0, Refusal.INSUFFICIENT_BALANCE)


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"min_quantity": Decimal(2)}, 1.999),
        ({"min_notional_quote": Decimal(10)}, 0.099),
        ({"lot_size": Decimal(1)}, 0.9),
    ],
)
def test_less_than_a_minimum_is_refused(changes: dict[str, Decimal], value: float) -> None:
    size = entry_size(sizing(SizingMode.FIXED_QUANTITY, value), an_instrument(**changes), 1e4, 100.0, None)
    assert size == (0, Refusal.BELOW_MINIMUM)


def test_exactly_a_minimum_is_accepted() -> None:
    instrument = an_instrument(min_notional_quote=Decimal(29), min_quantity=Decimal("0.29"))
    assert entry_quantity(sizing(SizingMode.FIXED_QUANTITY, 0.29), instrument, 1e4, 100.0, None) == Decimal("0.29")


def test_notional_over_equity_times_leverage_is_refused() -> None:
    for leverage, refusal in ((1.0, Refusal.INSUFFICIENT_BALANCE), (2.0, None)):
        settings = sizing(SizingMode.FIXED_QUANTITY, 150.0, leverage=leverage)
        assert entry_size(settings, an_instrument(), 1e4, 100.0, None).refusal is refusal


@given(
    mode=st.sampled_from(list(SizingMode)),
    value=st.floats(1e-6, 1e6),
    equity=st.floats(-1e3, 1e9),
    price=st.floats(1e-6, 1e7),
    distance=st.none() | st.floats(1e-9, 1e6),
)
def test_quantity_is_whole_lots_within_the_equity(
    mode: SizingMode, value: float, equity: float, price: float, distance: float | None
) -> None:
    quantity = entry_quantity(sizing(mode, value), an_instrument(), equity, price, distance)
    assert quantity % Decimal("0.001") == 0
    assert float(quantity) * price <= max(equity, 0.0) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": 0.0}, "value 0.0: expected a finite number over 0"),
        ({"value": math.nan}, "value nan"),
        ({"leverage": -1.0}, "leverage -1.0"),
        ({"slippage_rate": 1.0}, "slippage_rate 1.0: expected a fraction from 0 to below 1"),
        ({"mode": 7}, "mode 7: expected one of FIXED_QUANTITY"),
    ],
)
def test_settings_out_of_range_name_the_setting_and_its_value(changes: dict[str, float], message: str) -> None:
    values = {"mode": SizingMode.EQUITY_FRACTION, "value": 0.5} | changes
    with pytest.raises(BadInput, match=message):
        SizingSettings(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("equity", "price"), [(math.nan, 1.0), (1.0, 0.0), (1.0, math.inf)])
def test_a_price_or_equity_that_is_no_number_raises_with_the_instrument(equity: float, price: float) -> None:
    with pytest.raises(BadInput, match="test:ABC/USDT:USDT: sizing at price"):
        entry_quantity(sizing(SizingMode.EQUITY_FRACTION, 0.5), an_instrument(), equity, price, None)
