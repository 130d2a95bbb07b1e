"""A market of ccxt's becomes an instrument with exact rules, or is refused by name."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.errors import BadInput
from workstation.exchanges.ccxt_instruments import instrument_of, is_tradable
from workstation.model.ids import Venue
from workstation.model.instrument import Instrument, InstrumentKind


def a_market(**changes: Any) -> dict[str, Any]:
    market: dict[str, Any] = {
        "symbol": "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "spot": True,
        "active": True,
        "precision": {"price": 0.01, "amount": 1e-05},
        "limits": {"amount": {"min": 1e-05}, "cost": {"min": 5.0}},
        "maker": 0.001,
        "taker": 0.001,
        "info": {},
    }
    return market | changes


def a_swap(**changes: Any) -> dict[str, Any]:
    swap = {"symbol": "BTC/USDT:USDT", "spot": False, "swap": True, "linear": True, "contractSize": 0.0001}
    return a_market(**(swap | changes))


def taken(market: dict[str, Any], exchange: str = "other") -> Instrument:
    return instrument_of(market, Venue("nova"), exchange, 7)


def test_spot_has_steps_minima_and_fees_exactly() -> None:
    instrument = taken(a_market())
    assert (instrument.kind, instrument.tick_size, instrument.lot_size) == (
        InstrumentKind.SPOT,
        Decimal("0.01"),
        Decimal("0.00001"),
    )
    assert (instrument.min_notional_quote, instrument.taker_fee_rate) == (Decimal(5), Decimal("0.001"))
    assert instrument.valid_from_ns == 7


def test_a_linear_perpetual_has_its_contract_size() -> None:
    instrument = taken(a_swap())
    assert (instrument.kind, instrument.contract_size) == (InstrumentKind.LINEAR, Decimal("0.0001"))


def test_the_venues_own_text_comes_before_ccxts_number() -> None:
    filters = [
        {"filterType": "PRICE_FILTER", "tickSize": "0.05000000"},
        {"filterType": "LOT_SIZE", "stepSize": "0.00200000", "minQty": "0.00400000"},
        {"filterType": "MIN_NOTIONAL", "notional": "100"},
    ]
    instrument = taken(a_swap(info={"filters": filters}), "binanceusdm")
    assert (instrument.tick_size, instrument.lot_size) == (Decimal("0.05"), Decimal("0.002"))
    assert (instrument.min_quantity, instrument.min_notional_quote) == (Decimal("0.004"), Decimal(100))
    info = {"priceFilter": {"tickSize": "0.10"}, "lotSizeFilter": {"qtyStep": "0.001", "minNotionalValue": "5"}}
    assert taken(a_swap(info=info), "bybit").tick_size == Decimal("0.1")


@given(digits=st.integers(1, 10**12), exponent=st.integers(-12, 3))
def test_a_float_of_ccxts_is_the_decimal_that_the_venue_wrote(digits: int, exponent: int) -> None:
    written = Decimal(digits).scaleb(exponent)
    assert taken(a_market(precision={"price": float(written), "amount": 1.0})).tick_size == written


@pytest.mark.parametrize(
    ("market", "message"),
    [
        (a_swap(linear=False), "inverse perpetual: expected spot or a linear perpetual"),
        (a_market(spot=False, type="option"), "option: expected spot or a linear perpetual"),
        (a_market(precision={"price": None, "amount": 1.0}), "nova:BTC/USDT: the venue gives no tick_size"),
        (a_market(maker=None), "nova:BTC/USDT: the venue gives no maker_fee_rate"),
        (a_market(taker="free"), "nova:BTC/USDT: taker_fee_rate 'free': expected a number"),
        (a_market(precision={"price": float("nan"), "amount": 1.0}), "tick_size NaN: expected more than 0"),
        (a_market(taker="1e999"), "taker_fee_rate '1e999': expected a number of a market"),
        (a_market(taker="1e-999999999"), "taker_fee_rate '1e-999999999': expected a number of a market"),
    ],
)
def test_a_market_without_a_rule_or_of_another_kind_is_refused(market: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        taken(market)


def test_markets_switched_off_are_not_tradable() -> None:
    assert is_tradable(a_market())
    assert is_tradable(a_swap(active=None))
    assert not is_tradable(a_market(active=False))
    assert not is_tradable(a_swap(linear=False))
