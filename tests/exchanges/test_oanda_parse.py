"""OANDA's JSON becomes plain numbers, exactly, or is refused with a reason; nothing raises."""

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.errors import BadInput
from workstation.exchanges.ccxt_parse import BarNumbers, QuoteNumbers, Refusal
from workstation.exchanges.oanda_instruments import Listed, instrument_of, name_of, symbol_of
from workstation.exchanges.oanda_parse import Candle, CandlePrices, Line, candle_bar, price_quote, time_ns, time_text
from workstation.model.durations import SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKind

NOW_NS = 1_475_645_297 * SECOND_NS
PRICE = {
    "type": "PRICE",
    "time": "2016-10-05T05:28:16.729643492Z",
    "bids": [{"price": "1.12157", "liquidity": 10000000}, {"price": "1.12155", "liquidity": 10000000}],
    "asks": [{"price": "1.12170", "liquidity": 1000000}, {"price": "1.12172", "liquidity": 10000000}],
    "closeoutBid": "1.12153",
    "closeoutAsk": "1.12174",
    "status": "tradeable",
    "tradeable": True,
    "instrument": "EUR_USD",
}


def line_of(**changes: Any) -> Line:
    return msgspec.json.decode(msgspec.json.encode(PRICE | changes), type=Line)


def test_a_price_is_its_best_bid_and_ask_with_their_units_at_the_venues_nanosecond() -> None:
    assert price_quote(line_of(), NOW_NS) == QuoteNumbers(
        1_475_645_296_729_643_492, 1.12157, 1.12170, 10_000_000.0, 1_000_000.0
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"bids": []}, Refusal.NOT_A_NUMBER),
        ({"asks": [{"price": None, "liquidity": 1}]}, Refusal.NOT_A_NUMBER),
        ({"asks": [{"price": "1,12", "liquidity": 1}]}, Refusal.NOT_A_NUMBER),
        ({"asks": [{"price": "NaN", "liquidity": 1}]}, Refusal.NOT_A_NUMBER),
        ({"asks": [{"price": True, "liquidity": 1}]}, Refusal.NOT_A_NUMBER),
        ({"asks": [{"price": "Infinity", "liquidity": 1}]}, Refusal.ABSURD),
        ({"asks": [{"price": "1e308", "liquidity": 1}]}, Refusal.ABSURD),
        ({"bids": [{"price": "-1", "liquidity": 1}]}, Refusal.NOT_POSITIVE),
        ({"bids": [{"price": "1.1", "liquidity": 0}]}, Refusal.NOT_POSITIVE),
        ({"bids": [{"price": "1.2", "liquidity": 1}]}, Refusal.CROSSED),
        ({"time": "yesterday"}, Refusal.NOT_A_NUMBER),
        ({"time": 1475645296}, Refusal.NOT_A_NUMBER),
        ({"time": "2016-10-05T06:28:16.000000000Z"}, Refusal.FUTURE),
    ],
)
def test_what_is_no_price_of_a_market_is_refused_with_the_reason(changes: dict[str, Any], why: Refusal) -> None:
    assert price_quote(line_of(**changes), NOW_NS) is why


@pytest.mark.parametrize("changes", [{"tradeable": False}, {"status": "non-tradeable"}, {"status": "invalid"}])
def test_a_price_of_a_closed_market_says_so(changes: dict[str, Any]) -> None:
    assert line_of().is_tradeable
    assert not line_of(**changes).is_tradeable


@given(st.integers(0, 4_000_000_000 * SECOND_NS))
def test_times_are_read_as_they_are_written_to_the_nanosecond(ts_ns: int) -> None:
    assert time_ns(time_text(ts_ns)) == ts_ns


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))
def test_times_are_those_of_the_calendar(moment: datetime) -> None:
    at = moment.replace(tzinfo=UTC)
    wanted = int(at.replace(microsecond=0).timestamp()) * SECOND_NS + at.microsecond * 1_000
    assert time_ns(f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}Z") == wanted


@pytest.mark.parametrize(
    "text", [None, "", 5, "2016-02-31T00:00:00Z", "2016-10-05T05:28:16", "2016-10-05T05:28:16.1234567890Z", "٢"]
)
def test_what_is_no_time_is_none(text: object) -> None:
    assert time_ns(text) is None


def candle_of(**changes: Any) -> Candle:
    fields: dict[str, Any] = {"o": "1.1", "h": "1.3", "l": "1.0", "c": "1.2"}
    mid = CandlePrices(**(fields | {name: value for name, value in changes.items() if name in fields}))
    return Candle(time=changes.get("time", "2016-10-05T05:27:00Z"), complete=True, mid=mid, volume=changes.get("v", 7))


def test_a_candle_is_a_bar_of_mid_prices_whose_volume_counts_prices() -> None:
    assert candle_bar(candle_of(), NOW_NS) == BarNumbers(1_475_645_220 * SECOND_NS, 1.1, 1.3, 1.0, 1.2, 7.0)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"h": "1.15"}, Refusal.NOT_A_BAR),
        ({"c": "x"}, Refusal.NOT_A_NUMBER),
        ({"time": None}, Refusal.NOT_A_NUMBER),
        ({"v": math.inf}, Refusal.ABSURD),
        ({"time": "2017-10-05T05:27:00Z"}, Refusal.FUTURE),
    ],
)
def test_what_is_no_candle_is_refused_with_the_reason(changes: dict[str, Any], why: Refusal) -> None:
    assert candle_bar(candle_of(**changes), NOW_NS) is why
    assert candle_bar(Candle(time="2016-10-05T05:27:00Z", complete=True), NOW_NS) is Refusal.NOT_A_NUMBER


def listed(**changes: Any) -> Listed:
    fields = {"name": "USD_JPY", "displayPrecision": 3, "tradeUnitsPrecision": 0, "minimumTradeSize": "1"}
    return Listed(**(fields | changes))


def test_rules_are_exact_and_a_position_may_be_short() -> None:
    found = instrument_of(listed(), Venue("fx"), 5)
    assert (found.symbol, found.base, found.quote) == ("USD/JPY", "USD", "JPY")
    assert (found.tick_size, found.lot_size, found.min_quantity) == (Decimal("0.001"), Decimal(1), Decimal(1))
    assert (found.kind, found.valid_from_ns) == (InstrumentKind.LINEAR, 5)
    assert (found.min_notional_quote, found.maker_fee_rate, found.taker_fee_rate) == (0, 0, 0)


def test_parts_of_units_are_lots_too() -> None:
    found = instrument_of(listed(name="XAU_USD", tradeUnitsPrecision=2, minimumTradeSize="0.01"), Venue("fx"), 0)
    assert (found.lot_size, found.min_quantity) == (Decimal("0.01"), Decimal("0.01"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"displayPrecision": -1}, "fx:USD/JPY: displayPrecision -1: expected 0 to 20"),
        ({"minimumTradeSize": "one"}, "fx:USD/JPY: minimumTradeSize 'one': expected a number"),
        ({"minimumTradeSize": "NaN"}, "min_quantity NaN"),
        ({"name": "USDJPY"}, "symbol '/USDJPY'"),
    ],
)
def test_rules_that_are_none_are_refused_with_the_field(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        instrument_of(listed(**changes), Venue("fx"), 0)


def test_names_and_symbols_are_each_others() -> None:
    for name in ("EUR_USD", "DE30_EUR", "XAU_USD"):
        assert name_of(symbol_of(name)) == name
    assert symbol_of("EUR_USD") == Symbol("EUR/USD")
