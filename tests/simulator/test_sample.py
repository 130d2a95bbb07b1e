"""The committed sample is the package's own, small, and gives both kinds of strategy something to do."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from workstation.errors import ConfigError
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.durations import HOUR_NS, MINUTE_NS
from workstation.model.ids import Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.market import (
    FloatArray,
    IntArray,
    Rows,
)
from workstation.simulator.sample import (
    BAR_SPANS_NS,
    BARS_STOP_NS,
    QUOTES_START_NS,
    QUOTES_STOP_NS,
    SAMPLE_SEED,
    sample_market,
    sample_series,
    write_sample,
)
from workstation.simulator.settings import BTC, ETH
from workstation.strategies.ma_cross import MACross

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
STORE = HistoryStore(SAMPLE)
MARKET = sample_market(SAMPLE_SEED)
VENUES = ("nova", "orion", "vega")
NOVA_BTC = InstrumentKey(Venue("nova"), BTC.symbol)
PART_START_NS = QUOTES_START_NS + 20 * MINUTE_NS
PART_STOP_NS = PART_START_NS + 3 * MINUTE_NS


@pytest.mark.parametrize("kind", [HistoryKind.QUOTES, HistoryKind.TRADES])
def test_committed_ticks_are_what_the_seed_generates(kind: HistoryKind) -> None:
    generate = MARKET.quotes if kind is HistoryKind.QUOTES else MARKET.trades
    for number, instrument in enumerate(MARKET.instruments()):
        if kind is HistoryKind.TRADES and instrument.symbol != BTC.symbol:
            continue
        stored = STORE.rows(instrument.key, kind, number, PART_START_NS, PART_STOP_NS)
        assert len(stored) > 20
        assert stored.tobytes() == generate(PART_START_NS, PART_STOP_NS, [instrument.key]).tobytes()


@pytest.mark.parametrize("symbol", [BTC.symbol, ETH.symbol])
@pytest.mark.parametrize("interval_ns", [MINUTE_NS, HOUR_NS])
def test_committed_bars_are_what_the_seed_generates(symbol: str, interval_ns: int) -> None:
    key = InstrumentKey(Venue("nova"), BTC.symbol if symbol == BTC.symbol else ETH.symbol)
    start_ns = BARS_STOP_NS - 500 * interval_ns
    stored, made = STORE.bars(key, interval_ns, start_ns), MARKET.bars(key, start_ns, BARS_STOP_NS, interval_ns)
    for name in ("ts_open", "open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(stored, name), getattr(made, name)), name
    assert len(STORE.bars(key, interval_ns)) == BAR_SPANS_NS[interval_ns] // interval_ns


def test_instruments_of_the_sample_are_stored_with_their_rules() -> None:
    for instrument in MARKET.instruments():
        assert STORE.instrument(instrument.key) == instrument


def test_the_sample_holds_every_series_and_stays_under_3_megabytes() -> None:
    assert {(one.kind, one.venue, one.symbol, one.interval) for one in STORE.datasets()} == {
        *((HistoryKind.QUOTES, venue, symbol, None) for venue in VENUES for symbol in (BTC.symbol, ETH.symbol)),
        *((HistoryKind.TRADES, venue, BTC.symbol, None) for venue in VENUES),
        *(
            (HistoryKind.BARS, "nova", symbol, interval)
            for symbol in (BTC.symbol, ETH.symbol)
            for interval in ("1m", "1h")
        ),
    }
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) < 3_000_000


def test_two_symbols_and_three_venues_give_a_spread_trader_a_dozen_trips_net_of_fees() -> None:
    won = [trip for symbol in (BTC.symbol, ETH.symbol) for trip in spread_trips_bps(symbol)]
    print(f"seed {SAMPLE_SEED}: {len(won)} round trips, net bps: {np.round(won, 1)}")
    assert sum(trip > 0 for trip in won) >= 12
    assert np.mean(won) > 0


def test_an_average_cross_trades_on_both_bar_lengths() -> None:
    for interval_ns in BAR_SPANS_NS:
        entries = MACross(fast=20, slow=50).signals(STORE.bars(NOVA_BTC, interval_ns)).entries
        assert np.count_nonzero(entries == 1) > 20 and np.count_nonzero(entries == -1) > 20


def test_the_sample_is_not_written_over_other_data(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("")
    with pytest.raises(ConfigError, match="holds 1 entries"):
        write_sample(tmp_path)


def test_another_seed_gives_another_sample() -> None:
    one, other = (next(sample_series(sample_market(seed))).table for seed in (SAMPLE_SEED, SAMPLE_SEED + 1))
    assert not one.equals(other)


def spread_trips_bps(symbol: str) -> list[float]:
    """Net results of a plain spread trader on every pair of venues: in at 28 bps from the mean of 30 minutes before,
    out within 4 bps of it, all four fills at the touch and 5 bps of fee on each."""
    at = np.arange(QUOTES_START_NS + MINUTE_NS, QUOTES_STOP_NS, 1_000_000_000)
    sides = [touches(venue, symbol, at) for venue in VENUES]
    return [trip for a, b in combinations(sides, 2) for trip in pair_trips_bps(a, b)]


def touches(venue: str, symbol: str, at: IntArray) -> tuple[FloatArray, FloatArray]:
    """Log bid and log ask of one venue at each moment."""
    key = next(instrument.key for instrument in MARKET.instruments() if instrument.key == (venue, symbol))
    quotes: Rows = STORE.rows(key, HistoryKind.QUOTES, 0)
    last = np.searchsorted(quotes["ts_received"], at, side="right") - 1
    return np.log(quotes["x0"][last]), np.log(quotes["x1"][last])


def pair_trips_bps(a: tuple[FloatArray, FloatArray], b: tuple[FloatArray, FloatArray]) -> list[float]:
    sell_a, buy_a = 1e4 * (a[0] - b[1]), 1e4 * (a[1] - b[0])
    middle = (sell_a + buy_a) / 2
    held, paid, trips = 0, 0.0, []
    for i in range(300, len(middle)):
        away = middle[i] - middle[max(i - 1800, 0) : i].mean()
        if held == 0 and abs(away) > 28:
            held, paid = (-1, -sell_a[i]) if away > 0 else (1, buy_a[i])
        elif held and abs(away) < 4:
            trips.append((-buy_a[i] if held < 0 else sell_a[i]) - paid - 20)
            held = 0
    return trips
