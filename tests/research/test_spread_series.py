"""The spread of the past is what its window told at the same rows: cut anywhere, started anywhere, gaps and all."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workstation as ws
from tests import naive_windows
from tests.cli.histories import BTC, START_NS, perpetual, store_quotes
from tests.engine.bench import HandClock
from tests.naive_windows import Quote
from tests.research.test_real_data import LINEAR, take_in
from workstation.engine.pair_monitor import PairMonitor
from workstation.engine.spread_monitor import SpreadMonitor
from workstation.errors import BadInput, HistoryMissing
from workstation.history.blocks import Selection, merged_blocks
from workstation.history.layout import HistoryKind, Series
from workstation.history.market_rows import Span
from workstation.history.segments import Source
from workstation.history.store import HistoryStore
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.market import (
    quote_rows,
)
from workstation.research.spread_series import COLUMNS, spread_series
from workstation.session.market import Market
from workstation.simulator.sample import quote_table
from workstation.windows.specs import WindowKind, WindowSpec

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
NOVA, ORION = (InstrumentKey(Venue(name), Symbol(BTC)) for name in ("nova", "orion"))
SHOWN = [name for name in COLUMNS if "quantile" not in name]
"""The engine's own windows have no quantiles."""
FEE = 0.0005
NAIVE = {
    "spread_bps": "value", "mean_bps": "mean", "upper_bps": "upper_band", "lower_bps": "lower_band", "z": "z",
    "edge_ab_bps": "edge_ab", "edge_ba_bps": "edge_ba", "net_edge_ab_bps": "net_edge_ab",
    "net_edge_ba_bps": "net_edge_ba", "lower_quantile_bps": "lower_quantile", "upper_quantile_bps": "upper_quantile",
    "min_bps": "min", "max_bps": "max",
}  # fmt: skip


def a_window(a: InstrumentKey = NOVA, b: InstrumentKey = ORION, **changes: Any) -> WindowSpec:
    return WindowSpec(kind=WindowKind.SPREAD, instrument_a=a, instrument_b=b, **changes)


def store_at(store: HistoryStore, key: InstrumentKey, seconds: list[float], bids: list[float]) -> None:
    """Quotes a tenth wide, received so many seconds after START_NS."""
    store.put_instrument(perpetual(key.venue))
    times = START_NS + (np.array(seconds) * SECOND_NS).astype(np.int64)
    bid, size = np.array(bids), np.ones(len(bids))
    rows = quote_rows(instrument=0, ts_received=times, bid=bid, ask=bid + 0.1, bid_quantity=size, ask_quantity=size)
    source = Source(name=key.venue, content_hash=key.venue.encode().hex().ljust(64, "0"), written_by="test")
    store.write(Series(kind=HistoryKind.QUOTES, key=key), quote_table(rows), source)


def seconds_of(frame: pd.DataFrame) -> list[float]:
    return [round((stamp.value - START_NS) / SECOND_NS, 6) for stamp in frame.index]


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    made = HistoryStore(tmp_path)
    store_quotes(made)
    return made


def monitored(store: HistoryStore, a: InstrumentKey, b: InstrumentKey, at: set[int]) -> pd.DataFrame:
    """What the engine's monitor shows after the rows received at those times."""
    market = Market()
    for key in (a, b):
        market.list_instrument(store.instrument(key))
    monitor = SpreadMonitor(market, PairMonitor(market, HandClock(START_NS)))
    monitor.watch([a, b])
    selections = [Selection(key=key, kind=HistoryKind.QUOTES) for key in (a, b)]
    seen = {}
    for block in merged_blocks(store, selections, market.registry):
        for place in range(len(block)):
            assert list(market.advance(block[place : place + 1])) == []
            now_ns = int(block[place]["ts_received"])
            if now_ns in at:
                view = next(iter(monitor.views(now_ns)))
                seen[now_ns] = [math.nan if (x := getattr(view, name)) is None else x for name in SHOWN]
    return pd.DataFrame(seen.values(), index=list(seen), columns=SHOWN, dtype=np.float64)


def test_every_row_equals_what_the_engine_shows_then(store: HistoryStore) -> None:
    frame = spread_series(store, a_window(), Span(), every_ns=SECOND_NS)
    shown = monitored(store, NOVA, ORION, set(frame.index.as_unit("ns").asi8.tolist()))
    assert np.array_equal(shown.index, frame.index.as_unit("ns").asi8)
    assert np.array_equal(shown.to_numpy(), frame[SHOWN].to_numpy(), equal_nan=True)
    assert frame["z"].notna().sum() > 1_000


def test_every_row_equals_the_naive_twin(store: HistoryStore) -> None:
    window = a_window(span_ns=20 * SECOND_NS, min_points=5, quantiles=(0.1, 0.9))
    frame = spread_series(store, window, Span(start_ns=START_NS, end_ns=START_NS + 90 * SECOND_NS), every_ns=SECOND_NS)
    rows = [store.rows(key, HistoryKind.QUOTES, side) for side, key in enumerate((NOVA, ORION))]
    told = sorted(
        Quote(int(row["ts_received"]), side, float(row["x0"]), float(row["x1"]))
        for side, of_one in enumerate(rows) for row in of_one[:200]
    )  # fmt: skip
    for at_ns, values in zip(frame.index.as_unit("ns").asi8, frame.to_numpy(), strict=True):
        expected = naive_windows.fields([one for one in told if one.ts <= at_ns], window, FEE, FEE)
        for name, value in zip(COLUMNS, values, strict=True):
            assert value == pytest.approx(expected[NAIVE[name]], rel=1e-6, abs=1e-6, nan_ok=True), (name, at_ns)


def test_a_part_equals_the_whole_bit_for_bit(store: HistoryStore) -> None:
    whole = spread_series(store, a_window(span_ns=MINUTE_NS), Span(), every_ns=SECOND_NS)
    for second in (300, 417, 999):
        start_ns = START_NS + second * SECOND_NS + 123
        part = spread_series(store, a_window(span_ns=MINUTE_NS), Span(start_ns=start_ns), every_ns=SECOND_NS)
        pd.testing.assert_frame_equal(whole[whole.index.as_unit("ns").asi8 >= start_ns], part, check_exact=True)


@pytest.mark.parametrize("segment_rows", [13, 64, 500])
def test_files_may_be_cut_anywhere(store: HistoryStore, tmp_path: Path, segment_rows: int) -> None:
    cut = HistoryStore(tmp_path / "cut", segment_rows=segment_rows)
    store_quotes(cut)
    whole, found = (spread_series(one, a_window(), Span(), every_ns=3 * SECOND_NS) for one in (store, cut))
    pd.testing.assert_frame_equal(whole, found, check_exact=True)


def test_a_side_that_falls_silent_is_a_gap_also_where_no_row_says_so(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store_at(store, NOVA, [0.0, 1.0, 2.0, 60.0, 61.0], [100.0] * 5)
    store_at(store, ORION, [0.5, 1.5, 2.5, 60.5, 61.5], [100.2] * 5)
    frame = spread_series(store, a_window(), Span(), every_ns=SECOND_NS)
    # both are silent from 2.5 s on; the older side is too old 10 s after its last quote, at 12 s and a nanosecond
    assert seconds_of(frame) == [0.5, 1.5, 2.5, 12.0, 60.5, 61.5]
    assert np.isnan(frame["spread_bps"]).tolist() == [False, False, False, True, False, False]
    assert np.isnan(frame["net_edge_ab_bps"]).tolist() == [False, False, False, True, False, False]


def test_a_side_that_stays_silent_is_a_gap_while_the_other_speaks(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store_at(store, NOVA, [0.0, 1.0], [100.0] * 2)
    store_at(store, ORION, [float(second) for second in range(0, 20)], [100.2] * 20)
    frame = spread_series(store, a_window(), Span(), every_ns=SECOND_NS)
    is_gap = frame["spread_bps"].isna().to_numpy()
    # from a nanosecond behind the tenth second of silence on
    assert [second for second, gap in zip(seconds_of(frame), is_gap, strict=True) if gap] == [
        11.0, *[float(second) for second in range(12, 20)]
    ]  # fmt: skip
    assert (seconds_of(frame)[11], is_gap[11]) == (11.0, False)


def test_there_is_at_most_one_row_in_each_step(store: HistoryStore) -> None:
    frame = spread_series(store, a_window(), Span(), every_ns=5 * SECOND_NS)
    steps = frame.index.as_unit("ns").asi8 // (5 * SECOND_NS)
    assert len(set(steps)) == len(steps) == 240


def test_plain_words_give_the_engine_s_own_window(store: HistoryStore) -> None:
    frame = ws.spreads("nova", "orion", BTC, start="2024-05-01T00:10", history=store)
    expected = spread_series(store, a_window(), Span(start_ns=START_NS + 600 * SECOND_NS), every_ns=SECOND_NS)
    pd.testing.assert_frame_equal(frame, expected, check_exact=True)
    found = ws.opportunities("nova", "orion", BTC, start="2024-05-01T00:10", history=store)
    assert set(found["way"]) == {"ab"}  # nova is dear for twenty seconds in every fifth minute
    assert found["seconds"].between(19, 21).all() and len(found) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"window_minutes": "30"}, "window_minutes '30': expected a number, not str"),
        ({"window_minutes": 0.0}, "span_ns 0: expected more than 0"),
        ({"min_points": 2.5}, "min_points 2.5: expected a whole number"),
        ({"resolution_ms": 0}, "resolution 0 ns: expected more than 0"),
        ({"resolution_ms": -1}, "resolution_ms -1: expected a whole number"),
        ({"venue_b": "nova"}, "venue nova: named twice"),
    ],
)
def test_wrong_words_are_refused(store: HistoryStore, words: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput, match=re.escape(sentence)):
        ws.spreads(**({"venue_a": "nova", "venue_b": "orion", "symbol": BTC, "history": store} | words))


def test_quotes_that_nobody_stored_are_named(store: HistoryStore) -> None:
    with pytest.raises(HistoryMissing, match="quotes vega:BTC/USDT:USDT: not stored"):
        ws.spreads("nova", "vega", BTC, history=store)


def test_the_sample_s_spread_is_what_the_engine_shows() -> None:
    store = HistoryStore(SAMPLE)
    frame = spread_series(store, a_window(), Span(), every_ns=SECOND_NS).iloc[:600]
    shown = monitored(store, NOVA, ORION, set(frame.index.as_unit("ns").asi8.tolist()))
    assert np.array_equal(shown.to_numpy(), frame[SHOWN].to_numpy(), equal_nan=True)


@pytest.mark.shared
def test_a_real_market_s_spread_is_what_the_engine_shows(tmp_path: Path, shared_dir: Path) -> None:
    store = HistoryStore(tmp_path / "history")
    take_in(store, shared_dir, "bbo/binance_linear_btcusdt_20240808.parquet", HistoryKind.QUOTES, LINEAR)
    other = InstrumentKey(Venue("spot"), LINEAR.symbol)
    take_in(store, shared_dir, "bbo/binance_spot_btcusdt_20240808.parquet", HistoryKind.QUOTES, other)
    frame = ws.spreads(LINEAR.venue, "spot", LINEAR.symbol, history=store)
    assert len(frame) > 100
    wanted = set(frame.index.as_unit("ns").asi8[:: max(1, len(frame) // 200)].tolist())
    shown = monitored(store, LINEAR, other, wanted)
    told = frame[np.isin(frame.index.as_unit("ns").asi8, shown.index)]
    assert np.array_equal(shown.groupby(level=0).last().to_numpy(), told[SHOWN].to_numpy(), equal_nan=True)
