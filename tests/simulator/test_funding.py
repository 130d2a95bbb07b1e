"""A perpetual beside its spot market: how far its price is from it, its index and mark, and what it pays for that."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.cli.exchange_simulation import model_source
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey, InstrumentKind
from workstation.model.market import (
    Bars,
    Rows,
)
from workstation.simulator.bar_history import BarHistory
from workstation.simulator.basis import PERIODS_NS, WEIGHTS, basis_at
from workstation.simulator.funding import CYCLE_NS, INTEREST, MOST_RATE, Funding, fundings
from workstation.simulator.market_source import Listing
from workstation.simulator.markets import ORIGIN_NS, MarketModel
from workstation.simulator.order_book import Touch
from workstation.simulator.settings import BTC, ETH, NOVA, ORION
from workstation.simulator.venue_market import VenueMarket

SIZE_BPS = 6.0
START_NS = ORIGIN_NS + 3 * DAY_NS
PERPETUAL = replace(BTC, basis_bps=SIZE_BPS)
SPOT_KEY, KEY = (InstrumentKey(Venue("nova"), one.symbol) for one in (BTC.spot(), BTC))


def a_model(**changes: object) -> MarketModel:
    symbols = (replace(PERPETUAL, **changes), BTC.spot())  # type: ignore[arg-type]
    return MarketModel(seed=7, venues=(NOVA, ORION), symbols=symbols)


@given(st.integers(0, 2**32), st.floats(0, 50), st.integers(0, 10**18))
def test_the_basis_stays_within_its_size_and_hardly_moves_in_a_second(seed: int, size_bps: float, at_ns: int) -> None:
    told = basis_at(seed, BTC.symbol, size_bps, np.array([at_ns, at_ns + SECOND_NS]))
    assert np.all(np.abs(told) <= size_bps * 1e-4 * (1 + 1e-12))
    fastest = sum(weight * 2 * np.pi / period for weight, period in zip(WEIGHTS, PERIODS_NS, strict=True))
    assert abs(told[1] - told[0]) <= size_bps * 1e-4 * fastest * SECOND_NS + 1e-12


def test_the_basis_moves_both_ways_is_another_for_each_symbol_and_the_same_in_parts() -> None:
    times = START_NS + np.arange(0, 7 * DAY_NS, MINUTE_NS)
    told = basis_at(7, BTC.symbol, SIZE_BPS, times)
    assert told.min() < -0.5 * SIZE_BPS * 1e-4 and told.max() > 0.5 * SIZE_BPS * 1e-4
    assert not np.allclose(told, basis_at(7, ETH.symbol, SIZE_BPS, times))
    assert np.array_equal(told[100:], basis_at(7, BTC.symbol, SIZE_BPS, times[100:]))


def test_bars_of_a_perpetual_are_those_of_its_base_and_the_basis() -> None:
    model = a_model()
    stop_ns = START_NS + 6 * HOUR_NS
    spot, own = (model.bars(key, START_NS, stop_ns) for key in (SPOT_KEY, KEY))
    expected = basis_at(7, BTC.symbol, SIZE_BPS, own.ts_open + MINUTE_NS)
    tick = float(BTC.tick_size) / spot.close.min()
    assert np.abs(np.log(own.close / spot.close) - expected).max() <= 1.01 * tick
    assert np.all(own.low <= np.minimum(own.open, own.close)) and np.all(own.high >= np.maximum(own.open, own.close))


def test_quotes_of_a_perpetual_are_off_the_common_price_by_the_basis_at_each_venue() -> None:
    span = START_NS, START_NS + 1800 * SECOND_NS
    for venue in ("nova", "orion"):
        key = InstrumentKey(Venue(venue), BTC.symbol)
        with_basis, without = (model.quotes(*span, [key]) for model in (a_model(), a_model(basis_bps=0.0)))
        assert np.array_equal(with_basis["ts_received"], without["ts_received"])
        mids = [(rows["x0"] + rows["x1"]) / 2 for rows in (with_basis, without)]
        expected = basis_at(7, BTC.symbol, SIZE_BPS, with_basis["ts_received"])
        assert np.abs(np.log(mids[0] / mids[1]) - expected).max() < 0.5e-4


def test_perpetuals_beside_coins_leave_the_coins_prices_as_they_are() -> None:
    span = START_NS, START_NS + 60 * SECOND_NS
    with_perpetuals, without = (model_source(venues, 3, None) for venues in ("nova,orion:mexc", "nova,orion"))
    listed = [str(one.instrument.key) for one in with_perpetuals.listings()]
    assert listed[6:] == [f"orion:{coin}/USDT:USDT" for coin in ("BTC", "ETH", "SOL")]
    assert listed[:6] == [str(one.instrument.key) for one in without.listings()]
    rows, of_spot = (next(source.blocks(span[0])) for source in (with_perpetuals, without))
    assert np.array_equal(rows[rows["instrument"] < 6], of_spot) and len(rows) > len(of_spot)


class Told:
    """A source whose minutes are told: closes of the perpetual and of spot from a moment on."""

    def __init__(self, closes: dict[InstrumentKey, list[float]], start_ns: int) -> None:
        self._closes, self._start_ns = closes, start_ns

    def listings(self) -> list[Listing]:
        raise NotImplementedError

    def blocks(self, start_ns: int) -> Iterator[Rows]:
        raise NotImplementedError

    def minutes(self, key: InstrumentKey, start_ns: int, stop_ns: int) -> Bars:
        close = np.array(self._closes[key])
        opens = self._start_ns + np.arange(len(close)) * MINUTE_NS
        inside = slice(*np.searchsorted(opens, (start_ns, stop_ns)).tolist())
        price = close[inside]
        return Bars(
            interval_ns=MINUTE_NS,
            ts_open=opens[inside],
            open=price,
            high=price,
            low=price,
            close=price,
            volume=np.ones(len(price)),
        )


def a_market(symbol: Symbol, kind: InstrumentKind) -> VenueMarket:
    instrument = Instrument(
        venue=Venue("nova"),
        symbol=symbol,
        kind=kind,
        base=BTC.base,
        quote=BTC.spot().symbol.partition("/")[2],  # type: ignore[arg-type]
        tick_size=Decimal("0.5"),
        lot_size=Decimal("0.001"),
        min_quantity=Decimal("0.001"),
        min_notional_quote=Decimal(5),
        maker_fee_rate=Decimal(0),
        taker_fee_rate=Decimal(0),
    )
    return VenueMarket(Listing(instrument=instrument, level_lots=10), str(symbol), START_NS)


def a_funding(own: list[float], spot: list[float] | None) -> Funding:
    """Of a perpetual with these closes by minutes from a settlement on; None: there is no spot beside it."""
    source = Told({KEY: own, SPOT_KEY: spot or []}, CYCLE_START_NS)
    markets = {"perpetual": a_market(BTC.symbol, InstrumentKind.LINEAR)}
    if spot is not None:
        markets["spot"] = a_market(BTC.spot().symbol, InstrumentKind.SPOT)
    histories = {name: BarHistory(source, one.instrument.key) for name, one in markets.items()}
    (found,) = fundings(markets, histories).values()
    return found


CYCLE_START_NS = START_NS // CYCLE_NS * CYCLE_NS
PRICES = st.lists(st.tuples(st.floats(900, 1100), st.floats(900, 1100)), min_size=1, max_size=480)


@given(PRICES)
def test_a_rate_is_interest_and_mean_premium_within_bounds(prices: list[tuple[float, float]]) -> None:
    own, spot = ([pair[side] for pair in prices] for side in (0, 1))
    funding = a_funding(own, spot)
    mean = sum(one / other - 1 for one, other in prices) / len(prices)
    expected = round(min(max(INTEREST + mean, -MOST_RATE), MOST_RATE), 6)
    if len(prices) < CYCLE_NS // MINUTE_NS:
        coming = funding.coming(CYCLE_START_NS + len(prices) * MINUTE_NS)
        assert coming == (pytest.approx(expected, abs=1e-9), CYCLE_START_NS + CYCLE_NS)
    (paid,) = funding.settled(CYCLE_START_NS + CYCLE_NS, 1)
    assert paid == (pytest.approx(expected, abs=1e-9), CYCLE_START_NS + CYCLE_NS)


def test_the_rate_to_come_is_that_of_the_whole_minutes_so_far() -> None:
    funding = a_funding([1000.1] * 2 + [1000.4] * 2, [1000.0] * 4)
    told = [funding.coming(CYCLE_START_NS + at_s * SECOND_NS).rate for at_s in (0, 59, 60, 119, 120, 180, 239)]
    assert told == pytest.approx([0.0001, 0.0001, 0.0002, 0.0002, 0.0002, 0.0003, 0.0003])


def test_rates_that_were_paid_come_newest_first_and_in_pages() -> None:
    funding = a_funding([1000.1] * 480 + [999.8] * 480, [1000.0] * 960)
    now_ns = CYCLE_START_NS + 2 * CYCLE_NS + HOUR_NS
    paid = funding.settled(now_ns, 3)
    assert [one.settles_ns for one in paid] == [CYCLE_START_NS + number * CYCLE_NS for number in (2, 1, 0)]
    assert [one.rate for one in paid] == pytest.approx([-0.0001, 0.0002, INTEREST])
    assert funding.settled(now_ns, 1, skip=1) == paid[1:2]
    assert funding.settled(CYCLE_NS // 2, 3) == []


@pytest.mark.parametrize("has_spot", [True, False])
def test_the_index_is_the_spot_market_beside_it_or_its_own_price(has_spot: bool) -> None:
    funding = a_funding([1000.0] * 60, [999.0] * 60 if has_spot else None)
    funding.perpetual.book.quote(Touch(2000, 5, 2003, 5))
    assert funding.mark() == 1001.0  # 1000.75 on a grid of 0.5
    assert funding.index() == (0.0 if has_spot else 1001.0)  # no quote yet
    funding.index_market.book.quote(Touch(1998, 5, 1999, 5))
    assert funding.index() == 999.0 and funding.mark() == (1001.0 if has_spot else 999.0)
    rate = funding.coming(CYCLE_START_NS + 60 * MINUTE_NS).rate
    assert rate == (MOST_RATE if has_spot else INTEREST)
