"""Bars out of trades, quotes and shorter bars: as a plain reading makes them, by UTC and by the FX calendar."""

from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.history.series import DAY_START_NS, HOURS, QUOTES, TRADES, a_source, a_table, bars_from
from workstation.errors import BadInput, HistoryMissing
from workstation.history.bar_building import BuiltBars, built_bars
from workstation.history.bar_recipe import BarRecipe, EmptyBars, QuotePrice
from workstation.history.calendars import Calendar, sessions_of
from workstation.history.importing import ImportRequest, import_file
from workstation.history.layout import HistoryKind, Series
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey

WEEK_NS = 7 * DAY_NS
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    return HistoryStore(tmp_path / "history")


def some_trades(times: list[int], received: list[int] | None = None) -> Any:
    """A trade at each time, with a price and a quantity of its own."""
    number = np.arange(len(times))
    prices, quantities = 100 + (number * 7 % 11) / 10, 1 + number % 5 / 4
    columns = {"price": prices, "quantity": quantities, "seller_takes": [True] * len(times), "ts_event": times}
    return a_table(HistoryKind.TRADES, **columns, **({} if received is None else {"ts_received": received}))


def store_with_trades(store: HistoryStore, times: list[int]) -> HistoryStore:
    store.write(TRADES, some_trades(times), a_source())
    return store


def made(store: HistoryStore, interval_ns: int = MINUTE_NS, source: Series = TRADES, **options: Any) -> BuiltBars:
    return built_bars(store, source, BarRecipe(interval_ns=interval_ns, **options))


def rows_of(built: BuiltBars) -> list[tuple[float, ...]]:
    bars = built.bars
    columns = (bars.ts_open, bars.open, bars.high, bars.low, bars.close, bars.volume)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_NS


STEPS = st.sampled_from([0, 1, SECOND_NS, 17 * SECOND_NS, MINUTE_NS, 200 * SECOND_NS])


@given(st.lists(st.tuples(STEPS, st.integers(-90, 90)), min_size=1, max_size=120), st.integers(1, 60))
def test_bars_are_those_of_a_plain_reading_whatever_the_order_and_the_files(
    tmp_path_factory: pytest.TempPathFactory, ticks: list[tuple[int, int]], piece: int
) -> None:
    store = HistoryStore(tmp_path_factory.mktemp("bars") / "history")
    received = (DAY_START_NS + np.cumsum([step for step, _ in ticks])).tolist()
    events = [at - lag * SECOND_NS for at, (_, lag) in zip(received, ticks, strict=True)]
    table = some_trades(events, received)
    store.write_all([(TRADES, table.slice(at, piece)) for at in range(0, len(ticks), piece)], a_source())
    built = made(store, empty=EmptyBars.LEFT_OUT)

    rows = zip(events, table["price"].to_pylist(), table["quantity"].to_pylist(), strict=True)
    expected = []
    for ts_open, group in groupby(sorted(rows, key=lambda row: row[0]), lambda row: row[0] // MINUTE_NS * MINUTE_NS):
        inside = list(group)
        prices = [price for _, price, _ in inside]
        volume = sum(quantity for *_, quantity in inside)  # quarters: every order of adding gives the same
        expected.append((ts_open, prices[0], max(prices), min(prices), prices[-1], volume))
    assert rows_of(built) == expected
    assert not built.is_empty.any() and built.known_until_ns == max(events)

    flat = made(store)
    assert flat.bars.ts_open.tolist() == list(range(expected[0][0], expected[-1][0] + 1, MINUTE_NS))
    kept = [row for row, is_empty in zip(rows_of(flat), flat.is_empty, strict=True) if not is_empty]
    assert kept == expected
    closes = flat.bars.close
    for place in np.flatnonzero(flat.is_empty):
        last = closes[place - 1]
        assert rows_of(flat)[place][1:] == (last, last, last, last, 0.0)


def test_a_tick_at_the_close_opens_the_next_bar(store: HistoryStore) -> None:
    store_with_trades(store, [DAY_START_NS, DAY_START_NS + MINUTE_NS - 1, DAY_START_NS + MINUTE_NS])
    built = made(store)
    assert [row[0] for row in rows_of(built)] == [DAY_START_NS, DAY_START_NS + MINUTE_NS]
    assert built.bars.volume.tolist() == [1.0 + 1.25, 1.5]


def test_the_last_bar_is_whole_once_something_is_known_past_its_end(store: HistoryStore) -> None:
    store_with_trades(store, [DAY_START_NS, DAY_START_NS + 90 * SECOND_NS])
    assert made(store).whole == 1
    store.write(TRADES, some_trades([DAY_START_NS + 2 * MINUTE_NS]), a_source("later"))
    assert (made(store).whole, len(made(store).bars)) == (2, 3)


def test_a_span_takes_ticks_from_its_start_to_before_its_end(store: HistoryStore) -> None:
    times = [DAY_START_NS + second * SECOND_NS for second in (0, 30, 90, 119, 120, 200)]
    store_with_trades(store, times)
    built = made(store, start_ns=times[1], end_ns=times[4])
    assert rows_of(built) == [
        (DAY_START_NS, 100.7, 100.7, 100.7, 100.7, 1.25),
        (DAY_START_NS + MINUTE_NS, 100.3, 101.0, 100.3, 101.0, 3.25),
    ]
    with pytest.raises(HistoryMissing, match="no usable tick from 2024-08-08T00:05:00Z"):
        made(store, start_ns=DAY_START_NS + 5 * MINUTE_NS)
    with pytest.raises(BadInput, match="expected a start before the end"):
        made(store, start_ns=times[4], end_ns=times[1])


def test_a_late_tick_from_before_the_span_is_left_out_of_its_first_bar(store: HistoryStore) -> None:
    events = [DAY_START_NS + second * SECOND_NS for second in (40, 20, 50)]
    received = [DAY_START_NS + second * SECOND_NS for second in (41, 42, 51)]
    store.write(TRADES, some_trades(events, received), a_source())
    built = made(store, start_ns=DAY_START_NS + 30 * SECOND_NS)
    assert (built.bars.volume.tolist(), built.outside) == ([1.0 + 1.5], 1)


@pytest.mark.parametrize(
    ("price", "closes"), [("mid", [100.5, 101.5]), ("bid", [100.0, 101.0]), ("ask", [101.0, 102.0])]
)
def test_quotes_give_bars_of_their_mid_or_of_one_side(store: HistoryStore, price: str, closes: list[float]) -> None:
    times = [DAY_START_NS, DAY_START_NS + 5 * SECOND_NS, DAY_START_NS + 65 * SECOND_NS]
    columns = {"bid": [90.0, 100.0, 101.0], "ask": [91.0, 101.0, 102.0]}
    ones = {"bid_quantity": np.ones(3), "ask_quantity": np.ones(3)}
    store.write(QUOTES, a_table(HistoryKind.QUOTES, ts_received=times, **columns, **ones), a_source())
    built = made(store, source=QUOTES, price=QuotePrice(price))
    assert built.bars.close.tolist() == closes
    assert built.bars.low[0] == closes[0] - 10
    assert built.bars.volume.tolist() == [0.0, 0.0]


def test_a_price_that_is_none_is_counted_and_left_out(store: HistoryStore) -> None:
    table = some_trades([DAY_START_NS, DAY_START_NS + 1, DAY_START_NS + 2])
    store.write(TRADES, table.set_column(2, "price", [[100.0, 0.0, 101.0]]), a_source())
    built = made(store)
    assert (built.unusable, built.bars.low.tolist(), built.bars.volume.tolist()) == (1, [100.0], [2.5])


def test_a_quote_without_one_side_has_no_mid_but_the_other_side(store: HistoryStore) -> None:
    times = [DAY_START_NS, DAY_START_NS + SECOND_NS]
    columns = {"bid": [0.0, 100.0], "ask": [101.0, 101.0], "bid_quantity": [0.0, 1.0], "ask_quantity": [1.0, 1.0]}
    store.write(QUOTES, a_table(HistoryKind.QUOTES, ts_received=times, **columns), a_source())
    built = made(store, source=QUOTES)
    assert (built.bars.low.tolist(), built.unusable) == ([100.5], 1)
    assert made(store, source=QUOTES, price=QuotePrice.ASK).unusable == 0


def test_a_longer_bar_is_whole_with_its_last_shorter_one(store: HistoryStore) -> None:
    store.write(HOURS, bars_from(DAY_START_NS, 8), a_source())
    assert (made(store, 4 * HOUR_NS, HOURS).whole, made(store, DAY_NS, HOURS).whole) == (2, 0)


def test_shorter_bars_give_longer_ones_and_holes_are_flat_or_left_out(store: HistoryStore) -> None:
    store.write(HOURS, bars_from(DAY_START_NS, 5), a_source())
    store.write(HOURS, bars_from(DAY_START_NS + 12 * HOUR_NS, 3, close=200.0), a_source("later"))
    built = made(store, 4 * HOUR_NS, HOURS)
    assert built.bars.volume.tolist() == [1.0 + 2 + 3 + 4, 5.0, 0.0, 6.0]
    assert built.bars.close.tolist() == [100.0, 100.0, 100.0, 200.0]
    assert built.is_empty.tolist() == [False, False, True, False]
    assert (built.whole, built.known_until_ns) == (3, DAY_START_NS + 15 * HOUR_NS)
    assert len(made(store, 4 * HOUR_NS, HOURS, empty=EmptyBars.LEFT_OUT).bars) == 3
    with pytest.raises(BadInput, match="out of bars binance:BTC/USDT 1h: expected a multiple of 1h"):
        made(store, 30 * MINUTE_NS, HOURS)


# -- the FX calendar


def test_fx_days_open_at_seventeen_in_new_york_all_year_and_have_24_hours() -> None:
    sessions = sessions_of(Calendar.FX, HOUR_NS, ns("2024-01-01"), ns("2025-01-01"))
    assert (sessions.ends - sessions.opens == DAY_NS).all()
    for opens in sessions.opens.tolist():
        there = datetime.fromtimestamp(opens // SECOND_NS, NEW_YORK)
        assert (there.hour, there.minute) == (17, 0)
        assert there.weekday() in (6, 0, 1, 2, 3)
    hours = {datetime.fromtimestamp(opens // SECOND_NS, UTC).hour for opens in sessions.opens.tolist()}
    assert hours == {21, 22}


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("2024-03-07T23:00", ["2024-03-07T22:00", "2024-03-10T21:00", "2024-03-11T21:00"]),  # clocks went forward
        ("2024-10-31T23:00", ["2024-10-31T21:00", "2024-11-03T22:00", "2024-11-04T22:00"]),  # and back
    ],
)
def test_an_fx_day_over_a_change_of_the_clocks_opens_an_hour_off(
    store: HistoryStore, first: str, expected: list[str]
) -> None:
    times = [ns(first) + hour * HOUR_NS for hour in range(97)]  # Thursday evening to Monday evening, weekend too
    store_with_trades(store, times)
    built = made(store, DAY_NS, calendar=Calendar.FX)
    assert built.bars.ts_open.tolist() == [ns(text) for text in expected]
    closed = [at for at in times if ns(expected[0]) + DAY_NS <= at < ns(expected[1])]
    assert (built.outside, len(closed) > 40) == (len(closed), True)


def test_empty_fx_bars_are_filled_within_sessions_alone(store: HistoryStore) -> None:
    friday, sunday = ns("2024-06-07T19:30"), ns("2024-06-09T22:10")
    store_with_trades(store, [friday, sunday])
    built = made(store, HOUR_NS, calendar=Calendar.FX)
    opens = ["2024-06-07T19:00", "2024-06-07T20:00", "2024-06-09T21:00", "2024-06-09T22:00"]
    assert built.bars.ts_open.tolist() == [ns(text) for text in opens]
    assert built.is_empty.tolist() == [False, True, True, False]


def test_an_fx_week_is_one_bar_from_sunday(store: HistoryStore) -> None:
    store_with_trades(store, [ns("2024-06-05T12:00"), ns("2024-06-10T12:00"), ns("2024-06-14T20:59:59")])
    built = made(store, WEEK_NS, calendar=Calendar.FX)
    assert built.bars.ts_open.tolist() == [ns("2024-06-02T21:00"), ns("2024-06-09T21:00")]
    utc = made(store, WEEK_NS)
    assert utc.bars.ts_open.tolist() == [ns("2024-06-03"), ns("2024-06-10")]


def test_fx_bars_out_of_shorter_ones_are_those_out_of_ticks(store: HistoryStore) -> None:
    times = [ns("2024-03-07T00:03") + minute * 20 * MINUTE_NS for minute in range(500)]
    store_with_trades(store, times)
    shorter = made(store, HOUR_NS, calendar=Calendar.FX, empty=EmptyBars.LEFT_OUT).bars
    columns = {name: getattr(shorter, name) for name in ("ts_open", "open", "high", "low", "close", "volume")}
    store.write(HOURS, a_table(HistoryKind.BARS, **columns), a_source("hours"))
    for length in (4 * HOUR_NS, DAY_NS, WEEK_NS):
        assert rows_of(made(store, length, HOURS, calendar=Calendar.FX)) == rows_of(
            made(store, length, calendar=Calendar.FX)
        )


def test_bars_across_the_end_of_an_fx_day_are_refused(store: HistoryStore) -> None:
    fours = Series(kind=HistoryKind.BARS, key=TRADES.key, interval_ns=4 * HOUR_NS)
    store.write(fours, bars_from(DAY_START_NS, 20, 4 * HOUR_NS), a_source())
    with pytest.raises(BadInput, match=r"bars of 4h by the calendar fx: that of 2024-08-08T20:00:00Z lies across"):
        made(store, DAY_NS, fours, calendar=Calendar.FX)
    assert len(made(store, DAY_NS, fours).bars) == 4


# -- real files


@pytest.mark.shared
def test_bars_of_a_real_venue_s_trades_are_the_venue_s_own(store: HistoryStore, shared_dir: Path) -> None:
    trades = Series(kind=HistoryKind.TRADES, key=InstrumentKey(Venue("binance"), Symbol("XRP/ETH")))
    path = shared_dir / "data/trades/binance_XRP_ETH_2019-10-11_13.parquet"
    import_file(store, path, ImportRequest(kind=HistoryKind.TRADES, venue="binance", symbol="XRP/ETH"))
    table = pq.read_table(shared_dir / "data/bars/binance_XRP_ETH_1m.parquet")
    built = made(store, source=trades, empty=EmptyBars.LEFT_OUT)
    assert len(built.bars) == 2_469
    opens = table["ts"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    assert built.bars.ts_open.tolist() == opens.tolist()
    for name in ("open", "high", "low", "close", "volume"):
        assert getattr(built.bars, name).tolist() == table[name].to_pylist()
    assert len(made(store, source=trades).bars) == 3_560  # and 1,091 minutes without a trade
