"""The border: whatever a venue sends becomes clean numbers or a reason, never an exception."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.exchanges.ccxt_parse import (
    FUTURE_NS,
    MOST_PRICE,
    BarNumbers,
    QuoteNumbers,
    Refusal,
    Refusals,
    TradeNumbers,
    bar_numbers,
    quote_numbers,
    trade_numbers,
)

NOW_NS = 1_700_000_100_000_000_000
NOW_MS = NOW_NS // 1_000_000
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.none(), max_size=2)
)


def a_ticker(**changes: Any) -> dict[str, Any]:
    return {"timestamp": NOW_MS, "bid": 99.0, "ask": 101.0, "bidVolume": 1.0, "askVolume": 2.0} | changes


def a_trade(**changes: Any) -> dict[str, Any]:
    return {"timestamp": NOW_MS, "price": 100.0, "amount": 0.5, "side": "sell", "id": "7"} | changes


def test_a_sound_quote_trade_and_bar_are_taken_as_they_are() -> None:
    assert quote_numbers(a_ticker(), NOW_NS, None) == QuoteNumbers(NOW_NS, 99.0, 101.0, 1.0, 2.0)
    assert trade_numbers(a_trade(), NOW_NS, None) == TradeNumbers(NOW_NS, 100.0, 0.5, True, "7")
    candle = [NOW_MS, 100.0, 102, 98.0, 101.0, 5.0]
    assert bar_numbers(candle, NOW_NS, None) == BarNumbers(NOW_NS, 100.0, 102.0, 98.0, 101.0, 5.0)


def test_no_time_and_no_id_are_allowed() -> None:
    assert quote_numbers(a_ticker(timestamp=None), NOW_NS, None) == QuoteNumbers(0, 99.0, 101.0, 1.0, 2.0)
    assert trade_numbers(a_trade(id=None), NOW_NS, None) == TradeNumbers(NOW_NS, 100.0, 0.5, True, None)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.nan, Refusal.NOT_A_NUMBER),
        (None, Refusal.NOT_A_NUMBER),
        ("100", Refusal.NOT_A_NUMBER),
        (True, Refusal.NOT_A_NUMBER),
        ({}, Refusal.NOT_A_NUMBER),
        (0, Refusal.NOT_POSITIVE),
        (0.0, Refusal.NOT_POSITIVE),
        (-1e-9, Refusal.NOT_POSITIVE),
        (-math.inf, Refusal.NOT_POSITIVE),
        (math.inf, Refusal.ABSURD),
        (1e308, Refusal.ABSURD),
        (10**400, Refusal.ABSURD),
        (MOST_PRICE * 1e7, Refusal.ABSURD),
    ],
)
def test_a_value_that_is_no_price_or_quantity_is_refused_in_each_field(value: object, reason: Refusal) -> None:
    for name in ("bid", "ask", "bidVolume", "askVolume"):
        assert quote_numbers(a_ticker(**{name: value}), NOW_NS, None) is reason
    for name in ("price", "amount"):
        assert trade_numbers(a_trade(**{name: value}), NOW_NS, None) is reason
    for place in range(1, 5):
        candle: list[Any] = [NOW_MS, 100.0, 100.0, 100.0, 100.0, 5.0]
        candle[place] = value
        assert bar_numbers(candle, NOW_NS, None) is reason


def test_times_from_the_future_or_of_another_kind_are_refused() -> None:
    latest = NOW_MS + FUTURE_NS // 1_000_000
    assert isinstance(quote_numbers(a_ticker(timestamp=latest), NOW_NS, None), QuoteNumbers)
    for parse in (
        lambda time: quote_numbers(a_ticker(timestamp=time), NOW_NS, None),
        lambda time: trade_numbers(a_trade(timestamp=time), NOW_NS, None),
        lambda time: bar_numbers([time, 1.0, 1.0, 1.0, 1.0, 1.0], NOW_NS, None),
    ):
        assert parse(latest + 1) is Refusal.FUTURE
        assert parse(math.inf) is Refusal.FUTURE
        assert parse(-1) is Refusal.NOT_POSITIVE
        assert parse(math.nan) is Refusal.NOT_POSITIVE
        assert parse("soon") is Refusal.NOT_A_NUMBER


def test_a_bid_a_little_above_the_ask_is_a_moment_and_far_above_a_fault() -> None:
    assert isinstance(quote_numbers(a_ticker(bid=102.0), NOW_NS, None), QuoteNumbers)
    assert quote_numbers(a_ticker(bid=110.0), NOW_NS, None) is Refusal.CROSSED


def test_a_trade_without_side_and_a_bar_that_does_not_hold_its_prices_are_refused() -> None:
    assert trade_numbers(a_trade(side=None), NOW_NS, None) is Refusal.NO_SIDE
    assert bar_numbers([NOW_MS, 100.0, 99.0, 98.0, 99.0, 1.0], NOW_NS, None) is Refusal.NOT_A_BAR
    assert bar_numbers([NOW_MS, 100.0], NOW_NS, None) is Refusal.NOT_A_NUMBER


@pytest.mark.parametrize("volume", [0, 0.0, None])
def test_a_silent_bar_has_no_volume(volume: object) -> None:
    assert bar_numbers([NOW_MS, 1.0, 1.0, 1.0, 1.0, volume], NOW_NS, None) == BarNumbers(
        NOW_NS, 1.0, 1.0, 1.0, 1.0, 0.0
    )


@given(values=st.lists(ANYTHING, min_size=6, max_size=6))
def test_whatever_comes_is_clean_numbers_or_a_reason(values: list[Any]) -> None:
    names = ("timestamp", "bid", "ask", "bidVolume", "askVolume")
    quote = quote_numbers(dict(zip(names, values, strict=False)), NOW_NS, None)
    names = ("timestamp", "price", "amount", "side", "id")
    trade = trade_numbers(dict(zip(names, values, strict=False)), NOW_NS, None)
    bar = bar_numbers(values, NOW_NS, None)
    for row, numbers in ((quote, slice(1, 5)), (trade, slice(1, 3)), (bar, slice(1, 5))):
        if not isinstance(row, Refusal):
            assert all(type(value) is float and 0 < value < math.inf for value in row[numbers])
            assert type(row[0]) is int
            assert 0 <= row[0] <= NOW_NS + FUTURE_NS


def test_refusals_are_counted_by_reason_and_the_last_is_kept_short() -> None:
    refusals = Refusals()
    refusals.add(Refusal.ABSURD, "quote of BTC/USDT", 1e308)
    refusals.add(Refusal.BROKEN_FRAME, "frame", "x" * 100_000)
    assert (refusals.total, refusals.counts[Refusal.ABSURD]) == (2, 1)
    assert refusals.last is not None
    assert refusals.last.startswith("frame: frame that could not be read: 'xxx")
    assert len(refusals.last) < 300
