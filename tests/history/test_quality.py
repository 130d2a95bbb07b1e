"""Data quality: the figures of a slow, obvious reading of the same rows, and what the real files are known to have."""

import math
import statistics
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.history.live import a_recorder, a_registry, live_rows
from tests.history.series import DAY_START_NS, HOURS, QUOTES, TRADES, a_source, a_table, bars_from, quotes_at
from workstation.errors import BadInput, HistoryMissing
from workstation.history.calendars import Calendar
from workstation.history.importing import ImportRequest, import_file
from workstation.history.layout import HistoryKind
from workstation.history.quality import SeriesQuality, history_quality
from workstation.history.quality_kernel import bucket_middle, bucket_of, exchange_sorted
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS

NOW_NS = DAY_START_NS + 90 * DAY_NS


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    return HistoryStore(tmp_path / "history")


def looked_at(store: HistoryStore, **options: Any) -> SeriesQuality:
    (one,) = history_quality(store, now_ns=NOW_NS, **options)
    return one


def outliers_of(prices: list[float]) -> int:
    """Rule Q4, each price by itself."""
    found = 0
    for place, price in enumerate(prices):
        others = prices[max(place - 25, 0) : place] + prices[place + 1 : place + 26]
        if len(others) < 10:
            continue
        median = statistics.median(others)
        deviation = sum(abs(one - median) for one in others) / len(others)
        found += abs(price - median) > 0.001 * median and abs(price - median) > 10 * deviation
    return found


def longest_frozen(times: list[int], prices: list[float], most_step_ns: int) -> int:
    longest, first = 0, 0
    for place in range(1, len(prices) + 1):
        if place == len(prices) or prices[place] != prices[first]:
            if place - first >= 20:
                steps = [min(times[n] - times[n - 1], most_step_ns) for n in range(first + 1, place)]
                longest = max(longest, sum(steps))
            first = place
    return longest


STEPS = st.sampled_from([0, 1_000_000, SECOND_NS, 59 * SECOND_NS, MINUTE_NS, 61 * SECOND_NS, 7 * HOUR_NS, 3 * DAY_NS])
A_QUOTE = st.tuples(
    STEPS, st.sampled_from([100.0] * 6 + [100.01, 100.2, 150.0]), st.sampled_from([0.01] * 5 + [-0.02, 0.0]),
    st.integers(-3, 3),
)  # fmt: skip


@given(st.lists(A_QUOTE, min_size=1, max_size=150), st.integers(1, 40), st.booleans())
def test_figures_of_quotes_are_those_of_a_plain_reading(
    tmp_path_factory: pytest.TempPathFactory, quotes: list[tuple[int, float, float, int]], piece: int, overlaps: bool
) -> None:
    store = HistoryStore(tmp_path_factory.mktemp("quality") / "history")
    times = (DAY_START_NS + 17 * HOUR_NS + np.cumsum([step for step, *_ in quotes])).tolist()
    bids = [bid for _, bid, _, _ in quotes]
    asks = [round(bid + width, 2) for _, bid, width, _ in quotes]
    events = [at - shift * SECOND_NS for at, (*_, shift) in zip(times, quotes, strict=True)]
    ones = np.ones(len(times))
    columns = {"ts_received": times, "ts_event": events, "bid": bids, "ask": asks, "bid_quantity": ones}
    table = a_table(HistoryKind.QUOTES, ask_quantity=ones, **columns)
    parts = [table.slice(at, piece) for at in range(0, len(times), piece)]
    if overlaps and len(set(times)) == len(times):  # rows of one time would stand in another order
        parts = [table.take(np.arange(shift, len(times), 3)) for shift in range(min(3, len(times)))]
    store.write_all([(QUOTES, part) for part in parts], a_source())
    found = looked_at(store)

    steps = np.diff(times)
    limit = max(MINUTE_NS, 10 * sorted(steps)[int((len(steps) - 1) * 0.99)]) if len(steps) else MINUTE_NS
    assert found.gap_limit_ns == pytest.approx(limit, rel=1e-3)
    gaps = [(a, b) for a, b in pairwise(times) if b - a > found.gap_limit_ns]
    assert (found.gaps, found.missing_ns) == (len(gaps), sum(b - a for a, b in gaps))
    assert [one.length_ns for one in found.longest_gaps] == sorted((b - a for a, b in gaps), reverse=True)[:10]
    span = times[-1] - times[0]
    assert found.coverage == pytest.approx(1 - found.missing_ns / span if span else 1.0)
    rows = list(zip(times, events, bids, asks, strict=True))
    assert found.duplicates == sum(one == other for one, other in pairwise(rows))
    assert found.out_of_order == sum(event < max(events[: n + 1]) for n, event in enumerate(events))
    assert found.crossed == sum(bid > ask for bid, ask in zip(bids, asks, strict=True))
    mids = [(bid + ask) / 2 for bid, ask in zip(bids, asks, strict=True)]
    assert found.outliers == outliers_of(mids)
    assert found.longest_frozen_ns == longest_frozen(times, mids, MINUTE_NS)
    lags = sorted(at - event for at, event in zip(times, events, strict=True))
    assert found.clock_offset_ns == pytest.approx(lags[(len(lags) - 1) // 2], rel=1e-3)
    assert sum(day.rows for day in found.days) == len(times)
    for place, day in enumerate(found.days):
        opens = times[0] // DAY_NS * DAY_NS + place * DAY_NS
        assert day.rows == sum(opens <= at < opens + DAY_NS for at in times)
        part = min(opens + DAY_NS, times[-1]) - max(opens, times[0])
        missing = sum(max(min(b, opens + DAY_NS) - max(a, opens), 0) for a, b in gaps)
        assert day.coverage == pytest.approx(1 - missing / part if part else 1.0)
    assert (found.rows, found.start_ns, found.end_ns) == (len(times), times[0], times[-1])
    assert found.age_ns == NOW_NS - times[-1]


@given(st.lists(st.floats(50, 200) | st.just(100.0), min_size=1, max_size=160))
def test_outliers_are_those_of_the_rule_of_each_price_by_itself(
    tmp_path_factory: pytest.TempPathFactory, closes: list[float]
) -> None:
    store = HistoryStore(tmp_path_factory.mktemp("outliers") / "history")
    prices = dict.fromkeys(("open", "high", "low", "close"), np.array(closes))
    times = DAY_START_NS + HOUR_NS * np.arange(len(closes))
    store.write(HOURS, a_table(HistoryKind.BARS, ts_open=times, volume=np.ones(len(closes)), **prices), a_source())
    found = looked_at(store)
    assert found.outliers == outliers_of(closes)
    assert found.longest_frozen_ns == longest_frozen(times.tolist(), closes, HOUR_NS)


def outliers_found(store: HistoryStore, closes: list[float]) -> int:
    times = DAY_START_NS + HOUR_NS * np.arange(len(closes))
    prices = dict.fromkeys(("open", "high", "low", "close"), np.array(closes))
    store.write(HOURS, a_table(HistoryKind.BARS, ts_open=times, volume=np.ones(len(closes)), **prices), a_source())
    return looked_at(store).outliers


@pytest.mark.parametrize(("price", "is_outlier"), [(101.05, False), (101.07, True)])
def test_an_outlier_is_over_ten_deviations_of_the_fifty_others(
    store: HistoryStore, price: float, is_outlier: bool
) -> None:
    closes = [99.9, 100.1] * 50  # around row 50 24 and 26 of them: median 100.1, mean deviation 0.096
    closes[50] = price
    assert outliers_found(store, closes) == outliers_of(closes) == is_outlier


@pytest.mark.parametrize("place", [0, 30, 60, 80, 98, 99])
@pytest.mark.parametrize("distance", [-26, -25, 25, 26])
def test_neighbours_are_the_25_rows_on_each_side(store: HistoryStore, place: int, distance: int) -> None:
    closes = [99.9, 100.1] * 50
    closes[place] = 102.0
    if 0 <= place + distance < len(closes):
        closes[place + distance] = 1_000.0  # as a neighbour it makes the deviation so large that 102 is within it
    assert outliers_found(store, closes) == outliers_of(closes) >= 1


@given(st.lists(st.integers(0, 9), min_size=1, max_size=51), st.data())
def test_a_value_that_is_exchanged_leaves_the_others_in_order(values: list[int], data: st.DataObject) -> None:
    ordered = np.sort(np.array(values, np.float64))
    old, new = data.draw(st.sampled_from(values)), data.draw(st.integers(-1, 10))
    exchange_sorted(ordered, len(values), float(old), float(new))
    left = sorted(values)
    left.remove(old)
    assert ordered.tolist() == sorted([*left, new])


def test_a_price_stands_still_over_many_rows_of_which_a_silence_counts_a_minute(store: HistoryStore) -> None:
    times = DAY_START_NS + MINUTE_NS * np.arange(40) + np.where(np.arange(40) >= 20, 2 * HOUR_NS, 0)
    flat = quotes_at(times)
    for name, price in (("bid", 100.0), ("ask", 100.5)):
        flat = flat.set_column(flat.schema.get_field_index(name), name, [np.full(40, price)])
    store.write(QUOTES, flat, a_source())
    found = looked_at(store)
    assert (found.frozen, found.longest_frozen_ns) == (1, 39 * MINUTE_NS)
    other = HistoryStore(store.root / "moving")
    other.write(QUOTES, quotes_at(times), a_source())
    assert (looked_at(other).frozen, looked_at(other).longest_frozen_ns) == (0, 0)


def test_missing_bars_are_gaps_and_a_day_without_them_is_seen(store: HistoryStore) -> None:
    for start in (0, 30, 80):  # hours; 10 bars each, so that 20, 40 and what lies between are missing
        source = a_source(f"from {start}")
        store.write(HOURS, bars_from(DAY_START_NS + start * HOUR_NS, 10), source)
    found = looked_at(store)
    assert (found.gaps, found.missing_bars, found.missing_ns) == (2, 60, 60 * HOUR_NS)
    assert [one.length_ns // HOUR_NS for one in found.longest_gaps] == [40, 20]
    assert found.longest_gaps[0].start_ns == DAY_START_NS + 40 * HOUR_NS
    assert found.coverage == pytest.approx(30 / 90)
    assert [day.day for day in found.days] == ["2024-08-08", "2024-08-09", "2024-08-10", "2024-08-11"]
    assert [day.rows for day in found.days] == [10, 10, 0, 10]
    assert [round(day.coverage * 24) for day in found.days] == [10, 10, 0, 13]
    assert found.age_ns == NOW_NS - DAY_START_NS - 90 * HOUR_NS
    assert (found.crossed, found.zero_prices, found.duplicates, found.clock_offset_ns) == (0, 0, 0, None)


def test_a_last_row_at_midnight_is_of_the_day_that_begins(store: HistoryStore) -> None:
    for count in (1, 3):
        own = HistoryStore(store.root / str(count))
        own.write(QUOTES, quotes_at(DAY_START_NS + DAY_NS - SECOND_NS * np.arange(count)[::-1]), a_source())
        days = [(day.day, day.rows, day.coverage) for day in looked_at(own).days]
        assert days[-1] == ("2024-08-09", 1, 1.0)
        assert sum(rows for _, rows, _ in days) == count


def test_a_weekend_of_the_fx_market_is_no_gap_and_an_hour_before_it_is(store: HistoryStore) -> None:
    friday = DAY_START_NS + DAY_NS  # 2024-08-09; the market closes at 21:00 UTC and opens on Sunday at that hour
    store.write(HOURS, bars_from(friday, 19), a_source("friday"))  # 19:00 and 20:00 are missing
    store.write(HOURS, bars_from(friday + 69 * HOUR_NS, 30), a_source("sunday"))
    assert (looked_at(store).missing_bars, looked_at(store).coverage) == (50, pytest.approx(49 / 99))
    found = looked_at(store, calendar=Calendar.FX)
    assert (found.gaps, found.missing_bars, found.coverage) == (1, 2, pytest.approx(49 / 51))
    assert found.longest_gaps[0].start_ns == friday + 19 * HOUR_NS
    assert [day.day for day in found.days] == ["2024-08-09", "2024-08-11", "2024-08-12", "2024-08-13"]
    assert [day.coverage for day in found.days] == pytest.approx([19 / 21, 1.0, 1.0, 1.0])


def test_a_bar_that_was_imported_and_recorded_is_told_of_as_twice_there(store: HistoryStore) -> None:
    store.write(HOURS, bars_from(DAY_START_NS, 5), a_source())
    recorded = bars_from(DAY_START_NS + 2 * HOUR_NS, 2)
    received = [DAY_START_NS + 4 * HOUR_NS, DAY_START_NS + 3 * HOUR_NS + 1]  # the second one came before the first
    recorded = recorded.set_column(recorded.schema.get_field_index("ts_received"), "ts_received", [received])
    recorded = recorded.append_column("sequence", [[1, 2]])
    store.write(HOURS, recorded, a_source("recorded"))
    found = looked_at(store)
    assert (found.rows, found.duplicates, found.out_of_order) == (7, 2, 1)
    assert found.clock_offset_ns == pytest.approx(1 - HOUR_NS, rel=1e-3)


def test_trades_of_one_id_are_twice_there_and_without_ids_nobody_knows(store: HistoryStore) -> None:
    times = DAY_START_NS + SECOND_NS * np.arange(6)
    values = {"price": np.full(6, 100.0), "quantity": np.ones(6), "seller_takes": [True] * 6}
    table = a_table(HistoryKind.TRADES, ts_event=times, trade_id=["7", "9", "8", "9", "a", "a"], **values)
    store.write(TRADES, table, a_source())
    found = looked_at(store)
    assert (found.duplicates, found.crossed, found.out_of_order) == (2, None, 0)
    other = HistoryStore(store.root / "other")
    other.write(TRADES, a_table(HistoryKind.TRADES, ts_event=times, **values), a_source())
    assert looked_at(other).duplicates is None


def test_rising_ids_over_several_files_are_none_twice(store: HistoryStore) -> None:
    for first in (0, 5):
        numbers = np.arange(first, first + 5)
        columns = {"price": np.full(5, 100.0), "quantity": np.ones(5), "seller_takes": [True] * 5}
        ids = [str(number) for number in numbers]
        table = a_table(HistoryKind.TRADES, ts_event=DAY_START_NS + numbers * SECOND_NS, trade_id=ids, **columns)
        store.write(TRADES, table, a_source(f"{first}"))
    assert looked_at(store).duplicates == 0


def test_what_the_recorder_has_not_rolled_yet_counts_too(store: HistoryStore) -> None:
    recorder = a_recorder(store)
    recorder.record(live_rows(500), a_registry())
    recorder.sync()
    found = history_quality(store, now_ns=NOW_NS)
    assert sum(one.rows for one in found) == 500
    assert {one.series.kind for one in found} == {HistoryKind.QUOTES, HistoryKind.TRADES, HistoryKind.BARS}
    recorder.close()


def test_a_damaged_file_is_told_of_and_the_others_are_read(store: HistoryStore) -> None:
    for day in range(3):
        store.write(QUOTES, quotes_at(DAY_START_NS + day * DAY_NS + SECOND_NS * np.arange(100)), a_source(f"{day}"))
    files = sorted((store.root / QUOTES.folder).rglob("*.parquet"))
    files[1].write_bytes(files[1].read_bytes()[:200])
    files[2].unlink()
    found = looked_at(store)
    assert found.rows == 100
    assert len(found.damaged) == 2 and files[1].name in found.damaged[0] and "missing" in found.damaged[1]
    assert found.faults == 2


def test_a_limit_of_silences_can_be_named(store: HistoryStore) -> None:
    store.write(QUOTES, quotes_at(DAY_START_NS + np.array([0, 1, 2, 40, 41]) * SECOND_NS), a_source())
    assert looked_at(store).gaps == 0
    found = looked_at(store, gap_ns=30 * SECOND_NS)
    assert (found.gaps, found.missing_ns, found.gap_limit_ns) == (1, 38 * SECOND_NS, 30 * SECOND_NS)
    with pytest.raises(BadInput, match="gap_ns 5: expected a second or more"):
        looked_at(store, gap_ns=5)


def test_a_series_that_is_not_there_is_named(store: HistoryStore) -> None:
    store.write(HOURS, bars_from(DAY_START_NS, 5), a_source())
    with pytest.raises(HistoryMissing, match=r"quotes binance:BTC/USDT: not stored .*bars binance:BTC/USDT 1h"):
        looked_at(store, series=[QUOTES])
    assert history_quality(HistoryStore(store.root / "none"), now_ns=0) == []


def test_progress_reaches_its_end(store: HistoryStore) -> None:
    store.write(HOURS, bars_from(DAY_START_NS, 50), a_source())
    told: list[tuple[int, int]] = []
    looked_at(store, on_rows=lambda done, total: told.append((done, total)))
    assert told[-1] == (50, 50)


@given(st.integers(0, 2**63 - 1))
def test_a_bucket_holds_its_numbers_within_a_two_thousandth(value: int) -> None:
    assert math.isclose(bucket_middle(bucket_of(value)), value, rel_tol=1 / 2048)


# -- real files


def taken_in(store: HistoryStore, path: Path, kind: HistoryKind, **options: Any) -> SeriesQuality:
    import_file(store, path, ImportRequest(kind=kind, venue="binance", symbol="BTC/USDT", **options))
    return looked_at(store)


@pytest.mark.shared
@pytest.mark.parametrize("folder", ["bbo", "trades"])
def test_the_collector_s_clock_behind_the_exchange_is_found(store: HistoryStore, shared_dir: Path, folder: str) -> None:
    path = shared_dir / "data" / folder / "binance_linear_btcusdt_20240808.parquet"
    found = taken_in(store, path, HistoryKind(folder.replace("bbo", "quotes")))
    assert found.clock_offset_ns == pytest.approx(-1.270e9, abs=2e6)
    assert (found.duplicates, found.zero_prices, found.gaps, found.coverage) == (0, 0, 0, 1.0)
    assert found.crossed in (0, None)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "gaps", "missing"),
    [
        ("unknown2018_ADA_BTC_5m", 5, 40),
        ("unknown2017_UNITTEST_BTC_1m", 538, 717),
        ("binance_XRP_ETH_1m", 676, 1091),
        ("octobot_bittrex_XRP_BTC_1m", 2168, 3150),
        ("octobot_bittrex_XRP_BTC_1h", 0, 0),
    ],
)
def test_gaps_of_real_bars_are_those_that_their_list_has(
    store: HistoryStore, shared_dir: Path, name: str, gaps: int, missing: int
) -> None:
    found = taken_in(store, shared_dir / "data/bars" / f"{name}.parquet", HistoryKind.BARS)
    assert (found.gaps, found.missing_bars, found.duplicates) == (gaps, missing, 0)


@pytest.mark.shared
def test_an_absent_minute_of_an_unchanged_quote_is_no_gap(store: HistoryStore, shared_dir: Path) -> None:
    path = shared_dir / "data/bbo_bars/binance_adausdt_linear_1m.parquet"
    columns = {"bid": "bid_close", "ask": "ask_close"}
    found = taken_in(store, path, HistoryKind.QUOTES, columns=columns)
    assert (found.rows, found.gaps, found.coverage, found.crossed) == (1_100, 0, 1.0, 0)


@pytest.mark.shared
def test_quiet_minutes_of_a_whole_record_of_trades_are_no_gaps(store: HistoryStore, shared_dir: Path) -> None:
    path = shared_dir / "data/trades/binance_XRP_ETH_2019-10-11_13.parquet"
    found = taken_in(store, path, HistoryKind.TRADES)
    assert (found.rows, found.gaps, found.coverage, found.duplicates) == (12_477, 0, 1.0, 0)
