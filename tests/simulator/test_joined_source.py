"""Currencies beside coins: the joined market shows each of the two as it is alone."""

from decimal import Decimal
from itertools import islice

import numpy as np
import pytest

from workstation.errors import BadInput
from workstation.model.durations import DAY_NS, MINUTE_NS, SECOND_NS
from workstation.model.market import (
    RowKind,
    Rows,
)
from workstation.simulator.joined_source import JoinedSource
from workstation.simulator.market_source import MarketSource, ModelSource
from workstation.simulator.markets import MarketModel
from workstation.simulator.settings import BTC, FX_CLIMATE, FX_SYMBOLS, NOVA, ORION, VEGA, of_fx

START_NS = 19_900 * DAY_NS
SECONDS = 30
COINS = ModelSource(MarketModel(seed=3, venues=(NOVA, ORION), symbols=(BTC.spot(),)))
CURRENCIES = ModelSource(MarketModel(seed=3, venues=(of_fx(VEGA),), symbols=FX_SYMBOLS, climate=FX_CLIMATE))


def rows_of(source: MarketSource) -> Rows:
    return np.concatenate(list(islice(source.blocks(START_NS), SECONDS)))


def test_each_market_is_what_it_is_alone_and_rows_come_in_order_of_receipt() -> None:
    joined = rows_of(JoinedSource([COINS, CURRENCIES]))
    assert (np.diff(joined["ts_received"]) >= 0).all()
    is_coin = joined["instrument"] < 2
    assert joined[is_coin].tobytes() == rows_of(COINS).tobytes()
    own = joined[~is_coin].copy()
    own["instrument"] -= 2
    assert own.tobytes() == rows_of(CURRENCIES).tobytes()


def test_a_row_bears_the_place_of_its_instrument_in_the_list_and_each_second_is_a_block() -> None:
    source = JoinedSource([COINS, CURRENCIES])
    symbols = [str(one.instrument.key) for one in source.listings()]
    assert symbols == ["nova:BTC/USDT", "orion:BTC/USDT", "vega:EUR/USD", "vega:GBP/USD", "vega:USD/JPY"]
    for number, block in enumerate(islice(source.blocks(START_NS), 5)):
        first_ns = START_NS + number * SECOND_NS
        assert ((block["ts_received"] >= first_ns) & (block["ts_received"] < first_ns + SECOND_NS)).all()
    joined = rows_of(source)
    prices = {symbol: joined["x0"][joined["instrument"] == place].mean() for place, symbol in enumerate(symbols)}
    assert prices["vega:EUR/USD"] < 2 < 50 < prices["vega:USD/JPY"] < 500 < prices["nova:BTC/USDT"]


def test_minutes_are_those_of_the_instruments_own_market() -> None:
    source = JoinedSource([COINS, CURRENCIES])
    for own in (COINS, CURRENCIES):
        key = own.listings()[0].instrument.key
        whole = source.minutes(key, START_NS, START_NS + 60 * MINUTE_NS)
        assert whole.close.tolist() == own.minutes(key, START_NS, START_NS + 60 * MINUTE_NS).close.tolist()


def test_one_instrument_in_two_sources_is_refused() -> None:
    with pytest.raises(BadInput, match="an instrument is in two of them"):
        JoinedSource([COINS, COINS])


def test_currencies_have_their_decimals_no_fees_and_spreads_of_parts_of_a_basis_point() -> None:
    euro, pound, yen = (one.instrument for one in CURRENCIES.listings())
    assert (euro.tick_size, pound.tick_size, yen.tick_size) == (
        Decimal("0.00001"),
        Decimal("0.00001"),
        Decimal("0.001"),
    )
    assert {one.taker_fee_rate for one in (euro, pound, yen)} == {0}
    assert {one.min_notional_quote for one in (euro, pound, yen)} == {0}
    rows = rows_of(CURRENCIES)
    quotes = rows[rows["kind"] == RowKind.QUOTE]
    spread_bps = (quotes["x1"] - quotes["x0"]) / quotes["x0"] * 1e4
    assert 0 < spread_bps.min() <= np.median(spread_bps) < 3
    assert quotes["x2"].min() >= 1
