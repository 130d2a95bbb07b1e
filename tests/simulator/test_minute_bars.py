"""Bars of the seeded market: grids, agreement with the quotes, and lengths."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from workstation.errors import BadInput
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS
from workstation.model.ids import Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.market import (
    RowKind,
)
from workstation.simulator.markets import ORIGIN_NS, MarketModel
from workstation.simulator.minute_bars import tick_bars
from workstation.simulator.settings import BTC, NOVA

SEED = 11
KEY = InstrumentKey(Venue("nova"), BTC.symbol)
MARKET = MarketModel(seed=SEED, symbols=(BTC,), venues=(replace(NOVA, dislocations_per_hour=0.0),))
START_NS = ORIGIN_NS + DAY_NS + 7 * HOUR_NS


def test_bars_are_gapless_positive_ordered_and_on_the_grid() -> None:
    bars = MARKET.bars(KEY, START_NS, START_NS + 3 * DAY_NS)
    assert np.array_equal(bars.ts_open, np.arange(START_NS, START_NS + 3 * DAY_NS, MINUTE_NS))
    assert np.all(bars.high >= np.maximum(bars.open, bars.close))
    assert np.all(bars.low <= np.minimum(bars.open, bars.close))
    assert bars.low.min() > 0 and bars.volume.min() > 0
    assert np.array_equal(bars.open[1:], bars.close[:-1])
    for values, step in ((bars.high, "0.1"), (bars.low, "0.1"), (bars.close, "0.1"), (bars.volume, "0.001")):
        assert all(Decimal(repr(value)) % Decimal(step) == 0 for value in values[:500].tolist())


def test_bars_are_the_same_however_the_span_is_cut() -> None:
    whole = MARKET.bars(KEY, START_NS, START_NS + 2 * DAY_NS)
    part = MARKET.bars(KEY, START_NS + DAY_NS, START_NS + 2 * DAY_NS)
    for name in ("ts_open", "open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(whole, name)[DAY_NS // MINUTE_NS :], getattr(part, name))


def test_hours_are_joined_minutes() -> None:
    minutes = MARKET.bars(KEY, START_NS, START_NS + DAY_NS)
    hours = MARKET.bars(KEY, START_NS, START_NS + DAY_NS, HOUR_NS)
    assert len(hours) == 24
    assert np.array_equal(hours.open, minutes.open[::60]) and np.array_equal(hours.close, minutes.close[59::60])
    assert np.array_equal(hours.high, minutes.high.reshape(24, 60).max(axis=1))
    assert np.array_equal(hours.low, minutes.low.reshape(24, 60).min(axis=1))
    assert np.allclose(hours.volume, minutes.volume.reshape(24, 60).sum(axis=1), rtol=1e-12)


def test_direct_bars_agree_with_bars_of_the_quotes() -> None:
    direct = MARKET.bars(KEY, START_NS, START_NS + 2 * HOUR_NS)
    quoted = tick_bars(MARKET.quotes(START_NS, START_NS + 2 * HOUR_NS), 0, MINUTE_NS, RowKind.QUOTE)
    assert np.array_equal(direct.ts_open, quoted.ts_open)
    for name in ("open", "close"):
        apart_bps = 1e4 * np.abs(np.log(getattr(direct, name) / getattr(quoted, name)))
        assert apart_bps.mean() < 1, f"seed {SEED}: {name} {apart_bps.mean()} bps apart"
    # the extremes are drawn anew, so only their sizes agree
    ranges = [np.log(bars.high / bars.low).mean() for bars in (direct, quoted)]
    assert 0.85 < ranges[0] / ranges[1] < 1.15, f"seed {SEED}: {ranges}"


def test_minutes_of_a_venue_hold_what_it_traded_away_from_the_others() -> None:
    restless = replace(NOVA, dislocations_per_hour=30.0)
    market = MarketModel(seed=SEED, symbols=(BTC,), venues=(restless,))
    stop_ns = START_NS + 3 * HOUR_NS
    trades = market.trades(START_NS, stop_ns)
    far = {}
    for name, bars in (
        ("common", market.bars(KEY, START_NS, stop_ns)),
        ("own", market.venue_minutes(KEY, START_NS, stop_ns)),
    ):
        place = np.searchsorted(bars.ts_open, trades["ts_event"], side="right") - 1
        outside = np.maximum(np.log(trades["x0"] / bars.high[place]), np.log(bars.low[place] / trades["x0"]))
        far[name] = 1e4 * np.maximum(outside, 0.0)
        assert np.all(bars.high >= np.maximum(bars.open, bars.close))
        assert np.all(bars.low <= np.minimum(bars.open, bars.close))
    assert far["common"].max() > 30, f"seed {SEED}: nothing left the common price"
    assert far["own"].max() < 10 and (far["own"] > 1).mean() < 0.05, f"seed {SEED}: {far['own'].max()} bps outside"


def test_minutes_of_a_venue_are_the_same_however_the_span_is_cut() -> None:
    market = MarketModel(seed=SEED, symbols=(BTC,), venues=(replace(NOVA, dislocations_per_hour=30.0),))
    whole = market.venue_minutes(KEY, START_NS, START_NS + 2 * HOUR_NS)
    for start in range(0, 120, 7):
        part = market.venue_minutes(KEY, START_NS + start * MINUTE_NS, START_NS + 2 * HOUR_NS)
        for name in ("ts_open", "open", "high", "low", "close", "volume"):
            assert np.array_equal(getattr(whole, name)[start:], getattr(part, name))


def test_trade_bars_hold_first_last_extremes_and_sum() -> None:
    rows = MARKET.rows(START_NS, START_NS + 10 * MINUTE_NS)
    bars = tick_bars(rows, 0, MINUTE_NS)
    trades = rows[rows["kind"] == RowKind.TRADE]
    assert len(bars) == 10
    for number, ts_open in enumerate(bars.ts_open.tolist()):
        own = trades[(trades["ts_received"] >= ts_open) & (trades["ts_received"] < ts_open + MINUTE_NS)]
        expected = (own["x0"][0], own["x0"].max(), own["x0"].min(), own["x0"][-1])
        assert (bars.open[number], bars.high[number], bars.low[number], bars.close[number]) == expected
        assert bars.volume[number] == pytest.approx(own["x1"].sum())


def test_no_ticks_make_no_bars() -> None:
    assert len(tick_bars(MARKET.quotes(START_NS, START_NS + MINUTE_NS), 0, MINUTE_NS)) == 0


def test_daily_volatility_is_about_the_symbol_s() -> None:
    bars = MARKET.bars(KEY, ORIGIN_NS, ORIGIN_NS + 365 * DAY_NS, DAY_NS)
    deviation = np.diff(np.log(bars.close)).std()
    assert 0.6 < deviation / BTC.daily_volatility < 1.6, f"seed {SEED}: {deviation}"


@pytest.mark.parametrize(
    ("start_ns", "interval_ns", "says"),
    [
        (START_NS, 7 * MINUTE_NS, "divide a day"),
        (START_NS, 1_000, "whole minutes"),
        (START_NS + 1, MINUTE_NS, "multiples"),
    ],
)
def test_bars_off_the_minutes_are_refused(start_ns: int, interval_ns: int, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        MARKET.bars(KEY, start_ns, START_NS + DAY_NS, interval_ns)
