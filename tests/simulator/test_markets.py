"""The seeded market: order, grids, determinism, and what the statistics of its quotes promise."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from workstation.errors import BadInput, UnknownInstrument
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey, InstrumentKind
from workstation.model.market import (
    FloatArray,
    IntArray,
    RowFlag,
    RowKind,
    Rows,
)
from workstation.simulator.markets import ORIGIN_NS, MarketModel
from workstation.simulator.price_path import CELL_NS, STEP_NS, PricePath, season
from workstation.simulator.settings import BTC, ETH, NOVA, ORION, SOL, VEGA, Climate, SymbolSettings, VenueSettings
from workstation.simulator.venue_quotes import Dislocation

SEED = 7
START_NS = ORIGIN_NS + 2 * DAY_NS + 14 * HOUR_NS
GRID_NS = 100_000_000
NOVA_BTC = InstrumentKey(Venue("nova"), BTC.symbol)
VEGA_BTC = InstrumentKey(Venue("vega"), BTC.symbol)


def a_market(**changes: object) -> MarketModel:
    """One symbol on the three default venues."""
    settings = {"seed": SEED, "symbols": (BTC,)} | changes
    print("settings:", settings)  # pytest shows it with a failure: the seed is all that is needed to repeat it
    return MarketModel(**settings)  # type: ignore[arg-type]


def calm(*venues: VenueSettings, **changes: object) -> tuple[VenueSettings, ...]:
    """Venues without dislocations."""
    return tuple(replace(venue, dislocations_per_hour=0.0, **changes) for venue in venues)  # type: ignore[arg-type]


def log_mid(rows: Rows) -> FloatArray:
    mids: FloatArray = np.log((rows["x0"] + rows["x1"]) / 2)
    return mids


def on_grid(times: IntArray, values: FloatArray, at: IntArray) -> FloatArray:
    """The last value at or before each moment."""
    return values[np.maximum(np.searchsorted(times, at, side="right") - 1, 0)]


def true_times(rows: Rows, venue: VenueSettings) -> IntArray:
    times: IntArray = rows["ts_event"] - venue.clock_offset_ns
    return times


def test_rows_come_in_receipt_order_with_both_kinds_and_every_instrument() -> None:
    market = a_market(symbols=(BTC, ETH))
    rows = market.rows(START_NS, START_NS + 5 * MINUTE_NS)
    assert np.all(np.diff(rows["ts_received"]) >= 0)
    assert rows["ts_received"][0] >= START_NS and rows["ts_received"][-1] < START_NS + 5 * MINUTE_NS
    for kind in (RowKind.QUOTE, RowKind.TRADE):
        assert set(rows["instrument"][rows["kind"] == kind]) == set(range(len(market.instruments())))


def test_same_seed_gives_the_same_bytes_however_the_span_is_cut() -> None:
    stop_ns = START_NS + 3 * CELL_NS
    whole = a_market().rows(START_NS, stop_ns).tobytes()
    for block_ns in (7 * SECOND_NS, CELL_NS, CELL_NS + 1, HOUR_NS):
        blocks = list(a_market().blocks(START_NS, stop_ns, block_ns=block_ns))
        assert len(blocks) == -(-3 * CELL_NS // block_ns)
        assert b"".join(block.tobytes() for block in blocks) == whole
    for cut_ns in (START_NS + CELL_NS, START_NS + CELL_NS + 123_456_789):
        assert a_market().rows(START_NS, cut_ns).tobytes() + a_market().rows(cut_ns, stop_ns).tobytes() == whole


def test_each_block_holds_the_rows_of_its_own_time() -> None:
    block_ns = 90 * SECOND_NS
    for number, block in enumerate(a_market().blocks(START_NS, START_NS + CELL_NS, block_ns=block_ns)):
        assert np.all((block["ts_received"] - START_NS) // block_ns == number)


def test_another_seed_gives_another_market() -> None:
    one, other = (a_market(seed=seed).quotes(START_NS, START_NS + MINUTE_NS) for seed in (SEED, SEED + 1))
    assert one.tobytes() != other.tobytes()


def test_a_part_of_the_streams_is_the_same_as_in_the_whole() -> None:
    market = a_market(symbols=(BTC, ETH))
    rows = market.rows(START_NS, START_NS + 2 * MINUTE_NS)
    alone = market.trades(START_NS, START_NS + 2 * MINUTE_NS, [VEGA_BTC])
    number = [instrument.key for instrument in market.instruments()].index(VEGA_BTC)
    assert alone.tobytes() == rows[(rows["instrument"] == number) & (rows["kind"] == RowKind.TRADE)].tobytes()


def test_a_span_may_begin_at_the_origin() -> None:
    market = a_market()
    rows = market.rows(ORIGIN_NS, ORIGIN_NS + MINUTE_NS)
    assert abs(log_mid(rows[rows["kind"] == RowKind.QUOTE])[0] - np.log(BTC.initial_price)) < 0.002


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_quote_is_crossed_and_all_values_lie_exactly_on_the_grids(seed: int) -> None:
    market = a_market(seed=seed, symbols=(BTC, SOL))
    rows = market.rows(START_NS, START_NS + CELL_NS)
    quotes = rows[rows["kind"] == RowKind.QUOTE]
    assert np.all(quotes["x0"] > 0) and np.all(quotes["x0"] < quotes["x1"])
    for number, instrument in enumerate(market.instruments()):
        own = rows[rows["instrument"] == number]
        quoted, traded = own[own["kind"] == RowKind.QUOTE], own[own["kind"] == RowKind.TRADE]
        for values in (quoted["x0"], quoted["x1"], traded["x0"]):
            assert all(Decimal(repr(value)) % instrument.tick_size == 0 for value in values.tolist())
        for values in (quoted["x2"], quoted["x3"], traded["x1"]):
            assert all(Decimal(repr(value)) % instrument.lot_size == 0 for value in values.tolist())
            assert np.all(values >= float(instrument.min_quantity))


def test_a_price_of_a_few_ticks_stays_positive_and_uncrossed() -> None:
    penny = SymbolSettings(
        symbol=Symbol("PEPE/USDT:USDT"),
        initial_price=0.0001,
        daily_volatility=0.5,
        tick_size=Decimal("0.000001"),
        lot_size=Decimal(1000),
        touch_quantity=5e6,
        trade_quantity=1e5,
    )
    quotes = a_market(symbols=(penny,), venues=(replace(VEGA, tick_multiple=200),)).quotes(START_NS, START_NS + HOUR_NS)
    assert quotes["x0"].min() > 0 and np.all(quotes["x0"] < quotes["x1"])


def test_trades_hit_the_touch_of_the_quote_that_stood() -> None:
    market = a_market(venues=(NOVA,))
    rows = market.rows(START_NS, START_NS + CELL_NS)
    quotes, trades = rows[rows["kind"] == RowKind.QUOTE], rows[rows["kind"] == RowKind.TRADE]
    assert len(trades) > 500
    stood = np.searchsorted(quotes["ts_event"], trades["ts_event"], side="right") - 1
    for trade, last in zip(trades, stood, strict=True):
        # stamps are whole milliseconds: quotes of the trade's own millisecond may have come after it
        near = quotes[max(last - 3, 0) : last + 1]
        is_sell = bool(trade["flags"] & RowFlag.SELLER_TAKES)
        price, quantity = ("x0", "x2") if is_sell else ("x1", "x3")
        assert np.any((near[price] == trade["x0"]) & (near[quantity] >= trade["x1"]))


def test_messages_arrive_late_by_about_the_venue_s_delay_and_never_overtake() -> None:
    for venue in (NOVA, VEGA):
        quotes = a_market(venues=(venue,)).quotes(START_NS, START_NS + CELL_NS)
        delay = quotes["ts_received"] - true_times(quotes, venue)
        assert np.all(np.diff(quotes["ts_event"]) >= 0)
        assert delay.min() >= 0 and delay.max() < 5 * SECOND_NS
        assert 0.8 < np.median(delay) / venue.delay_ns < 1.6


def test_slow_messages_are_neither_lost_nor_overtaken_where_one_cell_ends_and_the_next_begins() -> None:
    slow = replace(NOVA, delay_ns=SECOND_NS, quotes_per_second=300.0)
    edge_ns = START_NS + CELL_NS
    quotes = a_market(venues=(slow,)).quotes(START_NS, edge_ns + MINUTE_NS)
    assert np.all(np.diff(quotes["ts_event"]) >= 0)
    assert quotes["ts_received"][0] < START_NS + SECOND_NS // 2, "sent in the cell before the span"
    before, after = (
        np.count_nonzero((quotes["ts_event"] >= since_ns) & (quotes["ts_event"] < since_ns + SECOND_NS))
        for since_ns in (edge_ns - SECOND_NS, edge_ns)
    )
    assert 1 / 3 < before / after < 3, f"seed {SEED}: {before} before, {after} after"


def test_a_lagging_venue_shows_the_end_of_the_cell_before_when_a_cell_begins() -> None:
    lag_ns, since_edge_ns = 4 * SECOND_NS, 2 * SECOND_NS
    (venue,) = calm(replace(NOVA, lag_ns=lag_ns, quotes_per_second=100.0), noise_bps=0.01)
    market = a_market(venues=(venue,))
    path = PricePath(seed=SEED, origin_ns=ORIGIN_NS, climate=market.climate, symbol=BTC)
    minutes = path.minutes(START_NS, START_NS + HOUR_NS)
    quotes = market.quotes(START_NS, START_NS + HOUR_NS)
    for cell in range(START_NS // CELL_NS + 1, START_NS // CELL_NS + 5):
        at_ns = cell * CELL_NS + since_edge_ns
        common = path.fine(cell - 1, minutes).log_price[-1 - (lag_ns - since_edge_ns) // STEP_NS]
        shown = on_grid(true_times(quotes, venue), log_mid(quotes), np.array([at_ns]))[0]
        assert abs(1e4 * (shown - common)) < 0.6, f"seed {SEED}, cell {cell}"


def test_returns_of_venues_correlate() -> None:
    at = np.arange(START_NS, START_NS + HOUR_NS, SECOND_NS)
    returns = []
    for venue in calm(NOVA, ORION, VEGA):
        quotes = a_market(venues=(venue,)).quotes(START_NS, START_NS + HOUR_NS)
        returns.append(np.diff(on_grid(quotes["ts_received"], log_mid(quotes), at)))
    correlation = np.atleast_2d(np.corrcoef(returns))
    print(correlation)
    assert correlation[0, 1] > 0.8 and correlation[0, 2] > 0.5 and correlation[1, 2] > 0.5


def test_symbols_correlate_as_the_climate_says() -> None:
    market = a_market(symbols=(BTC, ETH), climate=Climate(correlation=0.6, trend_bps_per_day=0.0))
    closes = [
        market.bars(InstrumentKey(Venue("nova"), symbol.symbol), ORIGIN_NS, ORIGIN_NS + 60 * DAY_NS).close
        for symbol in (BTC, ETH)
    ]
    correlation = np.corrcoef([np.diff(np.log(close)) for close in closes])[0, 1]
    assert abs(correlation - 0.6) < 0.02, f"seed {SEED}: {correlation}"


@pytest.mark.parametrize("lag_ms", [100, 300])
def test_the_lag_of_a_venue_is_found_by_cross_correlation(lag_ms: int) -> None:
    leader, follower = calm(
        replace(NOVA, lag_ns=0),
        replace(VEGA, lag_ns=lag_ms * 1_000_000, tick_multiple=1),
        noise_bps=0.05,
        quotes_per_second=60.0,
    )
    market = a_market(venues=(leader, follower))
    rows = market.quotes(START_NS, START_NS + HOUR_NS)
    at = np.arange(START_NS + SECOND_NS, START_NS + HOUR_NS - SECOND_NS, STEP_NS)
    series = []
    for number, venue in enumerate((leader, follower)):
        own = rows[rows["instrument"] == number]
        series.append(np.diff(on_grid(true_times(own, venue), log_mid(own), at)))
    shifts = range(40)
    matches = [np.corrcoef(series[0][: len(series[0]) - shift], series[1][shift:])[0, 1] for shift in shifts]
    found_ms = int(np.argmax(matches)) * STEP_NS / 1e6
    assert abs(found_ms - lag_ms) <= 40, f"seed {SEED}: found {found_ms} ms of {lag_ms}"


def test_dislocations_come_at_the_configured_rate_and_sizes() -> None:
    climate = Climate(dislocation_bps=(10.0, 40.0), dislocation_ns=(20 * SECOND_NS, 100 * SECOND_NS))
    market = a_market(venues=(replace(NOVA, dislocations_per_hour=6.0),), climate=climate)
    events = market.dislocations(NOVA_BTC, START_NS, START_NS + 10 * DAY_NS)
    assert abs(len(events) - 1440) < 4 * 1440**0.5, f"seed {SEED}: {len(events)} in 240 hours at 6 an hour"
    sizes = np.array([abs(event.size_bps) for event in events])
    lengths = np.array([event.stop_ns - event.start_ns for event in events])
    assert 10 <= sizes.min() < 11 and 38 < sizes.max() <= 40
    assert lengths.min() >= 20e9 and lengths.max() <= 100e9
    assert 0.4 < np.mean([event.size_bps > 0 for event in events]) < 0.6


@pytest.mark.parametrize(("shortest_s", "longest_s"), [(60, 120), (500, 600)])
def test_a_dislocation_shows_in_the_quotes_and_reverts(shortest_s: int, longest_s: int) -> None:
    """The longer ones end in another cell than they began in."""
    climate = Climate(dislocation_bps=(30.0, 60.0), dislocation_ns=(shortest_s * SECOND_NS, longest_s * SECOND_NS))
    away = replace(VEGA, dislocations_per_hour=2.0, quotes_per_second=20.0)
    market = a_market(venues=(*calm(NOVA), away), climate=climate)
    rows = market.quotes(START_NS, START_NS + 10 * HOUR_NS)
    own = [rows[rows["instrument"] == number] for number in (0, 1)]
    alone = lone(market.dislocations(VEGA_BTC, START_NS - HOUR_NS, START_NS + 10 * HOUR_NS), 30 * SECOND_NS)
    assert len(alone) >= 5
    for event in alone:
        length_ns = event.stop_ns - event.start_ns
        at = np.array([event.start_ns - 5 * SECOND_NS, event.start_ns + length_ns // 4, event.stop_ns + 5 * SECOND_NS])
        nova, vega = (on_grid(side["ts_received"], log_mid(side), at) for side in own)
        before, during, after = (1e4 * (vega - nova)).tolist()
        assert abs(before) < 12 and abs(after) < 12, f"seed {SEED}: {event}: {before}, {after} bps"
        assert abs(during - event.size_bps) < 12, f"seed {SEED}: {event}: {during} bps"


def lone(events: list[Dislocation], gap_ns: int) -> list[Dislocation]:
    """Those in the nine hours from START_NS that overlap no other, with a gap on both sides."""
    return [
        one
        for one in events
        if START_NS + gap_ns < one.start_ns < START_NS + 9 * HOUR_NS
        and not any(
            other is not one and other.start_ns < one.stop_ns + gap_ns and one.start_ns - gap_ns < other.stop_ns
            for other in events
        )
    ]


def test_quiet_hours_have_fewer_quotes_than_busy_ones() -> None:
    market = a_market(venues=(NOVA,), climate=Climate(quiet_activity=0.2))
    counts = np.zeros(24)
    for day in (2, 3):
        midnight_ns = ORIGIN_NS + day * DAY_NS
        for hour in (2, 3, 14, 15):
            counts[hour] += len(market.quotes(midnight_ns + hour * HOUR_NS, midnight_ns + (hour + 1) * HOUR_NS))
    assert 2.5 * (counts[2] + counts[3]) < counts[14] + counts[15], f"seed {SEED}: {counts}"


def test_weekends_are_quieter() -> None:
    saturday = ORIGIN_NS // DAY_NS + 5  # 2024-01-06
    means = [season(Climate(weekend_activity=0.5), saturday + day).mean() for day in (-1, 0, 1, 2)]
    assert means == pytest.approx([1.0, 0.5, 0.5, 1.0])


def test_quotes_quicken_with_volatility() -> None:
    quotes = a_market(venues=calm(NOVA)).quotes(START_NS, START_NS + 6 * HOUR_NS)
    by_minute = (quotes["ts_event"] - START_NS) // MINUTE_NS
    counts = np.bincount(by_minute[by_minute >= 0], minlength=360)[:360]
    at = np.arange(START_NS, START_NS + 6 * HOUR_NS, 5 * SECOND_NS)
    squares = np.diff(on_grid(quotes["ts_event"], log_mid(quotes), at), append=np.nan).reshape(360, 12) ** 2
    deviation = np.sqrt(np.nanmean(squares, axis=1))
    correlation = np.corrcoef(np.log(counts), np.log(deviation))[0, 1]
    assert correlation > 0.5, f"seed {SEED}: {correlation}"


def test_quotes_come_in_bursts_beyond_a_poisson_clock() -> None:
    quotes = a_market(venues=(NOVA,)).quotes(START_NS, START_NS + HOUR_NS)
    counts = np.bincount((quotes["ts_received"] - START_NS) // SECOND_NS)
    assert counts.var() > 3 * counts.mean(), f"seed {SEED}: variance {counts.var()}, mean {counts.mean()}"


def test_mids_follow_the_common_price_within_lag_and_noise() -> None:
    market = a_market(venues=calm(NOVA))
    quotes = market.quotes(START_NS, START_NS + HOUR_NS)
    path = PricePath(seed=SEED, origin_ns=ORIGIN_NS, climate=market.climate, symbol=BTC)
    minutes = path.minutes(START_NS, START_NS + HOUR_NS)
    at = np.arange(START_NS + MINUTE_NS, START_NS + HOUR_NS, MINUTE_NS)
    common = minutes.log_price[(at - minutes.start_ns) // MINUTE_NS]
    error_bps = 1e4 * (on_grid(true_times(quotes, NOVA), log_mid(quotes), at) - common)
    assert np.abs(error_bps).max() < 5, f"seed {SEED}: {error_bps}"


def test_instruments_have_their_venue_s_tick_and_fees() -> None:
    market = MarketModel(seed=SEED, symbols=(BTC, ETH, SOL.spot()))
    instruments = market.instruments()
    assert [str(instrument.key) for instrument in instruments[:3]] == [
        "nova:BTC/USDT:USDT",
        "nova:ETH/USDT:USDT",
        "nova:SOL/USDT",
    ]
    assert [instrument.kind for instrument in instruments[:3]] == [
        InstrumentKind.LINEAR,
        InstrumentKind.LINEAR,
        InstrumentKind.SPOT,
    ]
    vega_btc = next(instrument for instrument in instruments if instrument.key == VEGA_BTC)
    assert (vega_btc.tick_size, vega_btc.lot_size) == (Decimal("0.5"), Decimal("0.001"))
    assert (vega_btc.taker_fee_rate, vega_btc.maker_fee_rate) == (Decimal("0.0005"), Decimal("0.0002"))


def test_spot_and_perpetual_share_one_price_but_not_their_quotes() -> None:
    market = a_market(symbols=(BTC, BTC.spot()), venues=calm(NOVA))
    rows = market.quotes(START_NS, START_NS + CELL_NS)
    at = np.arange(START_NS + SECOND_NS, START_NS + CELL_NS, SECOND_NS)
    perpetual, spot = (rows[rows["instrument"] == number] for number in (0, 1))
    basis_bps = 1e4 * (
        on_grid(spot["ts_received"], log_mid(spot), at) - on_grid(perpetual["ts_received"], log_mid(perpetual), at)
    )
    assert 0 < np.abs(basis_bps).mean() < 2, f"seed {SEED}: {np.abs(basis_bps).mean()}"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seed": -1}, "seed -1"),
        ({"venues": ()}, "venues"),
        ({"symbols": (BTC, BTC)}, "each once"),
        ({"origin_ns": ORIGIN_NS + 1}, "midnight"),
    ],
)
def test_impossible_settings_are_refused_with_their_values(changes: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        a_market(**changes)


def test_impossible_venues_symbols_and_climates_are_refused() -> None:
    with pytest.raises(BadInput, match="lag_ns -1"):
        replace(NOVA, lag_ns=-1)
    with pytest.raises(BadInput, match="initial_price nan"):
        replace(BTC, initial_price=float("nan"))
    with pytest.raises(BadInput, match="longest dislocation_ns"):
        Climate(dislocation_ns=(SECOND_NS, HOUR_NS))


def test_spans_before_the_origin_and_unknown_instruments_are_refused() -> None:
    with pytest.raises(BadInput, match=str(ORIGIN_NS)):
        a_market().rows(ORIGIN_NS - 1, ORIGIN_NS + 1)
    with pytest.raises(UnknownInstrument, match="nova:DOGE/USDT"):
        a_market().quotes(START_NS, START_NS + 1, [InstrumentKey(Venue("nova"), Symbol("DOGE/USDT"))])
