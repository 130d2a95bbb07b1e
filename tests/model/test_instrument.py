from decimal import Decimal
from typing import Any

import pytest

from tests.builders import KEY, an_instrument
from workstation.errors import BadInput, UnknownInstrument
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey, InstrumentKind, Registry, require_contract_of_one, split_symbol

OTHER = InstrumentKey(Venue("orion"), Symbol("BTC/USDT:USDT"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[
            (name, value)
            for name in ("tick_size", "lot_size", "contract_size")
            for value in ("0", "-1", "NaN", "Infinity")
        ],
        *[(name, value) for name in ("min_quantity", "min_notional_quote") for value in ("-0.1", "NaN", "Infinity")],
        *[(name, value) for name in ("maker_fee_rate", "taker_fee_rate") for value in ("-1", "1", "NaN", "Infinity")],
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_name(field: str, value: str) -> None:
    with pytest.raises(BadInput, match=f"nova:BTC/USDT:USDT: {field} {value}: expected"):
        an_instrument(**{field: Decimal(value)})


@pytest.mark.parametrize("field", ["venue", "symbol", "base", "quote"])
def test_a_name_that_is_empty_is_refused(field: str) -> None:
    with pytest.raises(BadInput, match=f"{field} is empty"):
        an_instrument(**{field: ""})


def test_base_and_quote_differ() -> None:
    with pytest.raises(BadInput, match="both USDT"):
        an_instrument(base="USDT")


def test_spot_counts_in_base() -> None:
    with pytest.raises(BadInput, match="contract_size 10: spot"):
        an_instrument(kind=InstrumentKind.SPOT, contract_size=Decimal(10))


def test_zero_minima_and_a_rebate_are_allowed() -> None:
    instrument = an_instrument(
        min_quantity=Decimal(0), min_notional_quote=Decimal(0), maker_fee_rate=Decimal("-0.0001")
    )
    assert instrument.key == KEY


def test_a_snapshot_is_named_by_the_time_from_which_it_holds() -> None:
    assert an_instrument(valid_from_ns=7).snapshot_id == "nova:BTC/USDT:USDT@7"


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("BTC/USDT", ("BTC", "USDT", InstrumentKind.SPOT)),
        ("BTC/USDT:USDT", ("BTC", "USDT", InstrumentKind.LINEAR)),
        ("1000SATS/USDT", ("1000SATS", "USDT", InstrumentKind.SPOT)),
        ("币安人生/USDT", ("币安人生", "USDT", InstrumentKind.SPOT)),
        ("$WIF.X-2/EUR", ("$WIF.X-2", "EUR", InstrumentKind.SPOT)),
    ],
)
def test_a_symbol_is_split(symbol: str, expected: tuple[Any, ...]) -> None:
    assert split_symbol(symbol) == expected


@pytest.mark.parametrize(
    "symbol",
    [
        "",
        "BTC",
        "BTCUSDT",
        "/USDT",
        "BTC/",
        "BTC/USDT:",
        "BTC/USD:BTC",
        "BTC/USDT:USDT-240628",
        "BTC/USDT/EUR",
        "BTC /USDT",
        "BTC/USDT\n",
        "BTC/US\x00DT",
        "<img src=x onerror=alert(1)>",
        "<img/onerror=alert(1)>",
        "BTC/USDT'--",
    ],
)
def test_what_is_no_symbol_is_refused_with_its_text(symbol: str) -> None:
    with pytest.raises(BadInput) as error:
        split_symbol(symbol)
    assert repr(symbol) in str(error.value)


def test_an_instrument_keeps_its_number_when_its_rules_change() -> None:
    registry = Registry()
    assert registry.add(an_instrument()) == 0
    assert registry.add(an_instrument(OTHER)) == 1
    assert registry.add(an_instrument(tick_size=Decimal("0.1"), valid_from_ns=5)) == 0
    assert [instrument.key for instrument in registry] == [KEY, OTHER]
    assert registry.snapshot(KEY).tick_size == Decimal("0.1")
    assert (registry.index(OTHER), registry.key(1), len(registry)) == (1, OTHER, 2)


def test_an_unknown_instrument_is_refused_with_the_known_ones() -> None:
    registry = Registry()
    with pytest.raises(
        UnknownInstrument, match=r"^instrument orion:BTC/USDT:USDT: not in the registry \(known: none\)$"
    ):
        registry.index(OTHER)
    registry.add(an_instrument())
    for lookup in (registry.index, registry.snapshot):
        with pytest.raises(UnknownInstrument, match=r"known: nova:BTC/USDT:USDT"):
            lookup(OTHER)


@pytest.mark.parametrize("number", [-1, 1])
def test_a_number_that_was_never_given_is_refused(number: int) -> None:
    registry = Registry()
    registry.add(an_instrument())
    with pytest.raises(UnknownInstrument, match=f"instrument number {number}: the registry has 1"):
        registry.key(number)


def test_the_markets_steps_are_base_currency_where_orders_count_contracts() -> None:
    contract = an_instrument(lot_size=Decimal("0.1"), contract_size=Decimal("0.01"), kind=InstrumentKind.LINEAR)
    assert contract.lot_in_base == Decimal("0.001")
    with pytest.raises(BadInput, match=r"contract_size 0.01: expected 1, contracts of one base unit; of others there"):
        require_contract_of_one(contract)
    require_contract_of_one(an_instrument())
