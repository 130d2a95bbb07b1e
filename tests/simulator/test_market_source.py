"""Where prices come from: the model as it is, thickened into a load, or recorded history shifted to now."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.simulator.client import a_source
from workstation.errors import BadInput, HistoryMissing
from workstation.history.layout import HistoryKind, Series
from workstation.history.segments import Source
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.market import (
    RowKind,
    Rows,
)
from workstation.simulator.bar_history import WEEK_NS, BarHistory, interval_start
from workstation.simulator.market_source import HistorySource, ModelSource
from workstation.simulator.markets import ORIGIN_NS, MarketModel
from workstation.simulator.sample import quote_table, trade_table
from workstation.simulator.settings import BTC, NOVA

START_NS = ORIGIN_NS + 3 * DAY_NS + 14 * HOUR_NS
KEY = InstrumentKey(Venue("nova"), Symbol("BTC/USDT"))


def seconds(source: object, start_ns: int, count: int) -> Rows:
    blocks = list(islice(source.blocks(start_ns), count))  # type: ignore[attr-defined]
    return np.concatenate(blocks)


def test_blocks_are_the_models_rows_a_second_each() -> None:
    source = a_source()
    expected = source.model.rows(START_NS, START_NS + 30 * SECOND_NS)
    assert np.array_equal(seconds(source, START_NS, 30), expected)


def test_a_market_is_not_before_its_origin() -> None:
    with pytest.raises(BadInput, match="origin"):
        next(a_source().blocks(ORIGIN_NS - 1))
    assert len(a_source().minutes(KEY, ORIGIN_NS - DAY_NS, ORIGIN_NS)) == 0


def test_a_path_that_was_walked_before_is_the_same() -> None:
    late = START_NS + 200 * DAY_NS
    walked = a_source()
    list(islice(walked.blocks(late), 1))
    for start_ns in (late + 3 * DAY_NS, START_NS, late):
        fresh = a_source().minutes(KEY, start_ns, start_ns + HOUR_NS)
        again = walked.minutes(KEY, start_ns, start_ns + HOUR_NS)
        assert fresh.close.tolist() == again.close.tolist()


@pytest.mark.parametrize("hour", [3, 15, 2 * 24 + 3], ids=["night", "afternoon", "weekend"])
def test_a_load_has_the_rate_asked_for_in_every_second_of_the_week(hour: int) -> None:
    start_ns = START_NS - START_NS % DAY_NS + hour * HOUR_NS
    calm, busy = seconds(a_source(), start_ns, 20), seconds(a_source(4000), start_ns, 20)
    of_second = np.bincount((busy[quotes_of(busy)]["ts_received"] - start_ns) // SECOND_NS, minlength=20)
    usual = np.bincount((calm[quotes_of(calm)]["ts_received"] - start_ns) // SECOND_NS, minlength=20)
    assert np.all((of_second >= 4000) & (of_second < 4000 + usual))


def test_a_load_is_in_order_on_the_grid_and_at_the_models_prices() -> None:
    calm, busy = seconds(a_source(), START_NS, 20), seconds(a_source(4000), START_NS, 20)
    assert np.all(np.diff(busy["ts_received"]) >= 0)
    assert np.array_equal(busy[~quotes_of(busy)], calm[~quotes_of(calm)])
    bitcoin, was = (rows[quotes_of(rows) & (rows["instrument"] == 0)] for rows in (busy, calm))
    moved = np.flatnonzero(np.any([np.diff(was[side]) != 0 for side in ("x0", "x1")], axis=0))
    changes = np.flatnonzero(np.any([np.diff(bitcoin[side]) != 0 for side in ("x0", "x1")], axis=0))
    assert np.array_equal(bitcoin["ts_received"][changes + 1], was["ts_received"][moved + 1]), "no quote comes back"
    lots = bitcoin["x2"] * 1000
    assert np.allclose(lots, np.rint(lots)) and bitcoin["x2"].min() > 0
    assert len(np.unique(bitcoin["ts_event"])) > 0.9 * len(bitcoin), "each is of its own time"
    assert all(len(np.unique(bitcoin[side])) > len(np.unique(was[side])) for side in ("x2", "x3"))


def test_a_load_fills_the_seconds_in_which_the_market_is_silent() -> None:
    slow = replace(NOVA, quotes_per_second=0.3)
    source = ModelSource(MarketModel(seed=3, venues=(slow,), symbols=(BTC.spot(),)), 50.0)
    rows = seconds(source, START_NS, 60)
    of_second = np.bincount((rows["ts_received"] - START_NS) // SECOND_NS, rows["kind"] == RowKind.QUOTE, minlength=60)
    first = int(np.flatnonzero(of_second)[0])
    assert np.all(of_second[first:] >= 50) and np.all(np.diff(rows["ts_received"]) >= 0)
    quotes = rows[quotes_of(rows)]
    age = (quotes["ts_received"] - quotes["ts_event"])[quotes["ts_event"] > 0]
    assert age.max() < SECOND_NS, "told again, it is of now"


def quotes_of(rows: Rows) -> np.ndarray:
    return rows["kind"] == RowKind.QUOTE


@pytest.fixture
def recorded(tmp_path: Path) -> HistoryStore:
    """Ten minutes of quotes and trades of one instrument."""
    model = MarketModel(seed=3, venues=(NOVA,), symbols=(BTC.spot(),))
    store = HistoryStore(tmp_path)
    store.put_instrument(model.instruments()[0])
    stop_ns = START_NS + 10 * MINUTE_NS
    source = Source(name="test", content_hash="x", written_by="test")
    quotes, trades = model.quotes(START_NS, stop_ns), model.trades(START_NS, stop_ns)
    store.write(Series(kind=HistoryKind.QUOTES, key=KEY), quote_table(quotes), source)
    store.write(Series(kind=HistoryKind.TRADES, key=KEY), trade_table(trades), source)
    return store


def test_history_is_played_from_the_start_that_is_given_and_again_at_its_end(recorded: HistoryStore) -> None:
    begin_ns = START_NS + 1000 * DAY_NS
    source = HistorySource(recorded, [KEY], begin_ns)
    rows = seconds(source, begin_ns, 1200)
    stored = recorded.rows(KEY, HistoryKind.QUOTES, 0)
    quotes = rows[rows["kind"] == RowKind.QUOTE]
    assert len(quotes) > 1.9 * len(stored)
    assert np.array_equal(quotes["x0"][: len(stored)], stored["x0"])
    shifts = quotes["ts_received"][: len(stored)] - stored["ts_received"]
    assert len(set(shifts.tolist())) == 1 and rows["ts_received"][0] == begin_ns
    assert np.array_equal(quotes["x0"][len(stored) :], stored["x0"][: len(quotes) - len(stored)])
    assert np.all(np.diff(rows["ts_received"]) >= 0)
    assert source.listings()[0].instrument.symbol == "BTC/USDT" and source.listings()[0].level_lots > 1


def test_history_has_bars_of_what_was_recorded_and_none_from_before(recorded: HistoryStore) -> None:
    begin_ns = START_NS + 1000 * DAY_NS
    source = HistorySource(recorded, [KEY], begin_ns)
    assert len(source.minutes(KEY, begin_ns - DAY_NS, begin_ns)) == 0
    bars = source.minutes(KEY, begin_ns - DAY_NS, begin_ns + 5 * MINUTE_NS)
    assert len(bars) == 5 and bars.ts_open[0] == begin_ns


def test_history_that_is_not_there_is_said(recorded: HistoryStore) -> None:
    with pytest.raises(HistoryMissing, match="nova:ETH/USDT"):
        HistorySource(recorded, [InstrumentKey(Venue("nova"), Symbol("ETH/USDT"))], START_NS)


def test_the_running_candle_never_contradicts_the_one_it_becomes() -> None:
    source, minute = a_source(), START_NS + 7 * MINUTE_NS
    history = BarHistory(source, KEY)
    (final,) = BarHistory(source, KEY).candles(MINUTE_NS, minute, minute + MINUTE_NS, None)
    for second, price in enumerate((final.open, 1.0, 1e9, final.close)):
        running = history.candles(MINUTE_NS, minute, minute + (1 + second) * 10 * SECOND_NS, price)[-1]
        assert running.open == final.open
        assert final.low <= running.low <= running.close <= running.high <= final.high
        assert running.volume < final.volume


@pytest.mark.parametrize("length_ns", [MINUTE_NS, 5 * MINUTE_NS, HOUR_NS, DAY_NS, WEEK_NS])
def test_candles_of_any_length_join_the_minutes(length_ns: int) -> None:
    source = a_source()
    now_ns = START_NS + 20 * DAY_NS + 90 * SECOND_NS
    first = interval_start(now_ns - 2 * length_ns, length_ns)
    candles = BarHistory(source, KEY).candles(length_ns, first, now_ns, None)
    assert [one.ts_open for one in candles] == list(range(first, now_ns - now_ns % MINUTE_NS, length_ns))
    minutes = source.minutes(KEY, first, first + length_ns)
    assert (candles[0].open, candles[0].close) == (minutes.open[0], minutes.close[-1])
    assert (candles[0].high, candles[0].low) == (minutes.high.max(), minutes.low.min())
    assert BarHistory(source, KEY).candle(length_ns, first + length_ns) == candles[0]


def test_weeks_begin_on_mondays() -> None:
    assert (interval_start(ORIGIN_NS + 3 * DAY_NS, WEEK_NS) - ORIGIN_NS) == 0  # 2024-01-01 was a Monday
