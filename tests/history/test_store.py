"""What is written is what is read, once, in order, and one symbol's files never touch another's."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history.series import (
    BTC,
    DAY_START_NS,
    ETH,
    HOURS,
    QUOTES,
    TRADES,
    a_source,
    a_table,
    an_instrument,
    bars_from,
    quotes_at,
    segment_files,
)
from workstation.errors import BadInput, HistoryMissing, RowsOutOfOrder
from workstation.history.durable import HistoryCorrupt
from workstation.history.layout import HistoryKind, Series, series_of_folder
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey, checked_key
from workstation.model.market import (
    RowFlag,
    RowKind,
)

positive = st.floats(min_value=1e-12, max_value=1e12)


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    return HistoryStore(tmp_path / "history")


@settings(max_examples=30)  # each example writes and syncs files
@given(st.lists(st.tuples(positive, positive), min_size=1, max_size=40))
def test_any_prices_and_quantities_come_back_bit_for_bit(values: list[tuple[float, float]]) -> None:
    price, quantity = np.array(values).T
    times = DAY_START_NS + np.arange(len(values))
    with TemporaryDirectory() as folder:
        store = HistoryStore(Path(folder))
        table = a_table(HistoryKind.TRADES, ts_event=times, price=price, quantity=quantity)
        store.write(TRADES, table, a_source())
        rows = store.rows(BTC, HistoryKind.TRADES, 0)
    assert rows["x0"].tobytes() == price.tobytes()
    assert rows["x1"].tobytes() == quantity.tobytes()


def test_quotes_become_market_rows_with_receipt_and_event(store: HistoryStore) -> None:
    table = quotes_at([DAY_START_NS, DAY_START_NS + 5]).set_column(
        1, "ts_event", pa.array([DAY_START_NS - 7, None], pa.int64())
    )
    store.write(QUOTES, table, a_source())
    rows = store.rows(BTC, HistoryKind.QUOTES, 3)
    assert rows["ts_received"].tolist() == [DAY_START_NS, DAY_START_NS + 5]
    assert rows["ts_event"].tolist() == [DAY_START_NS - 7, 0]
    assert set(rows["kind"]) == {RowKind.QUOTE}
    assert set(rows["instrument"]) == {3}
    assert [tuple(row) for row in rows[["x0", "x1", "x2", "x3"]]] == [(100.0, 100.01, 1, 2), (100.01, 100.02, 1, 2)]


def test_rows_without_receipt_get_the_assumed_delay(store: HistoryStore) -> None:
    table = a_table(
        HistoryKind.TRADES, ts_event=[DAY_START_NS], price=[1.5], quantity=[2.0], seller_takes=[True], trade_id=["a1"]
    )
    store.write(TRADES, table, a_source())
    rows = store.rows(BTC, HistoryKind.TRADES, 0, assumed_delay_ns=1_000)
    assert rows["ts_received"].tolist() == [DAY_START_NS + 1_000]
    assert rows["flags"].tolist() == [RowFlag.SELLER_TAKES]


def test_a_bar_is_received_at_its_end_plus_the_delay(store: HistoryStore) -> None:
    store.write(HOURS, bars_from(DAY_START_NS, 2), a_source())
    rows = store.rows(BTC, HistoryKind.BARS, 0, interval_ns=HOUR_NS, assumed_delay_ns=9)
    assert rows["ts_event"].tolist() == [DAY_START_NS + HOUR_NS, DAY_START_NS + 2 * HOUR_NS]
    assert (rows["ts_received"] - rows["ts_event"]).tolist() == [9, 9]


def test_bars_are_selected_by_their_opening(store: HistoryStore) -> None:
    store.write(HOURS, bars_from(DAY_START_NS, 10), a_source())
    bars = store.bars(BTC, HOUR_NS, DAY_START_NS + 2 * HOUR_NS, DAY_START_NS + 5 * HOUR_NS)
    assert ((bars.ts_open - DAY_START_NS) // HOUR_NS).tolist() == [2, 3, 4]
    assert bars.volume.tolist() == [3, 4, 5]


def test_partitions_are_days_for_quotes_months_for_minutes_and_years_for_hours(store: HistoryStore) -> None:
    store.write(QUOTES, quotes_at([DAY_START_NS, DAY_START_NS + DAY_NS]), a_source())
    store.write(HOURS, bars_from(DAY_START_NS, 24 * 200), a_source())
    minutes = Series(kind=HistoryKind.BARS, key=BTC, interval_ns=MINUTE_NS)
    store.write(minutes, bars_from(DAY_START_NS, 24 * 60 * 30, MINUTE_NS), a_source())
    labels = {series: [file.parent.name for file in segment_files(store, series)] for series in store.series()}
    assert labels[QUOTES] == ["date=2024-08-08", "date=2024-08-09"]
    assert labels[HOURS] == ["date=2024", "date=2025"]
    assert labels[minutes] == ["date=2024-08", "date=2024-09"]


def test_rows_of_one_time_keep_their_order(store: HistoryStore) -> None:
    store.write(QUOTES, quotes_at([DAY_START_NS] * 5), a_source())
    assert store.rows(BTC, HistoryKind.QUOTES, 0)["x0"].tolist() == [100.0, 100.01, 100.02, 100.03, 100.04]


def test_the_same_source_is_taken_in_once(store: HistoryStore) -> None:
    store.write(QUOTES, quotes_at([DAY_START_NS]), a_source())
    again = store.write(QUOTES, quotes_at([DAY_START_NS]), a_source())
    assert again.is_repeat
    assert len(store.rows(BTC, HistoryKind.QUOTES, 0)) == 1


def test_overlapping_bars_are_not_doubled_and_changed_ones_are_counted(store: HistoryStore) -> None:
    store.write(HOURS, bars_from(DAY_START_NS, 4), a_source("first"))
    second = bars_from(DAY_START_NS + 2 * HOUR_NS, 4)  # volumes 1 and 2 where 3 and 4 are stored
    written = store.write(HOURS, second, a_source("second"))
    assert (written.rows_stored, written.rows_known, written.rows_differing) == (2, 2, 2)
    assert store.bars(BTC, HOUR_NS).volume.tolist() == [1, 2, 3, 4, 3, 4]


def test_overlapping_trades_are_known_by_their_id(store: HistoryStore) -> None:
    def trades(ids: list[str]) -> object:
        times = [DAY_START_NS + int(one) for one in ids]
        return a_table(HistoryKind.TRADES, ts_event=times, price=[1.0] * 3, quantity=[1.0] * 3, trade_id=ids)

    store.write(TRADES, trades(["1", "2", "3"]), a_source("first"))
    written = store.write(TRADES, trades(["2", "3", "4"]), a_source("second"))
    assert (written.rows_stored, written.rows_known, written.rows_differing) == (1, 2, 0)
    assert len(store.rows(BTC, HistoryKind.TRADES, 0)) == 4


def test_equal_fills_without_an_id_stay_as_often_as_they_happened(store: HistoryStore) -> None:
    def fills(count: int) -> object:
        return a_table(HistoryKind.TRADES, ts_event=[DAY_START_NS] * count, price=[1.0] * count, quantity=[2.0] * count)

    store.write(TRADES, fills(2), a_source("first"))
    assert store.write(TRADES, fills(3), a_source("second")).rows_stored == 1
    assert len(store.rows(BTC, HistoryKind.TRADES, 0)) == 3


def test_files_that_interleave_are_read_in_order_of_time(store: HistoryStore) -> None:
    store.write(QUOTES, quotes_at(DAY_START_NS + np.arange(0, 100, 2)), a_source("even"))
    store.write(QUOTES, quotes_at(DAY_START_NS + np.arange(1, 100, 2), bid=200), a_source("odd"))
    times = store.rows(BTC, HistoryKind.QUOTES, 0)["ts_received"]
    assert (times - DAY_START_NS).tolist() == list(range(100))


def test_rows_out_of_order_are_refused_with_the_row(store: HistoryStore) -> None:
    with pytest.raises(RowsOutOfOrder, match=f"row 2 is {DAY_START_NS + 1}"):
        store.write(QUOTES, quotes_at([DAY_START_NS, DAY_START_NS + 2, DAY_START_NS + 1]), a_source())
    assert store.datasets() == []


def test_what_is_missing_is_named_with_what_is_there_and_what_to_run(store: HistoryStore) -> None:
    store.write(QUOTES, quotes_at([DAY_START_NS]), a_source())
    with pytest.raises(HistoryMissing, match=r"stored are: quotes binance:BTC/USDT.*data import FILE --kind trades"):
        store.rows(BTC, HistoryKind.TRADES, 0)
    with pytest.raises(HistoryMissing, match="stored are 2024-08-08T00:00:00Z"):
        store.rows(BTC, HistoryKind.QUOTES, 0, DAY_START_NS + 1)


def test_a_query_sees_decoded_values_with_venue_and_symbol(store: HistoryStore) -> None:
    table = quotes_at([DAY_START_NS, DAY_START_NS + 1])
    store.write(QUOTES, table, a_source())
    store.write(Series(kind=HistoryKind.QUOTES, key=ETH), quotes_at([DAY_START_NS], bid=1 / 3), a_source())
    store.write(HOURS, bars_from(DAY_START_NS, 3), a_source())
    answer = store.query("SELECT bid FROM quotes WHERE symbol = 'BTC/USDT' ORDER BY ts_received")
    assert answer["bid"].to_pylist() == table["bid"].to_pylist()
    counts = store.query("SELECT venue, symbol, count(*) AS n FROM quotes GROUP BY ALL ORDER BY ALL").to_pylist()
    assert counts == [
        {"venue": "binance", "symbol": "BTC/USDT", "n": 2},
        {"venue": "binance", "symbol": "ETH/USDT", "n": 1},
    ]
    assert store.query("SELECT interval, sum(volume) AS v FROM bars GROUP BY 1").to_pylist() == [
        {"interval": "1h", "v": 6.0}
    ]
    assert store.query("SELECT count(*) AS n FROM trades").to_pylist() == [{"n": 0}]


def test_a_query_decodes_cents_as_the_parsed_float(store: HistoryStore) -> None:
    cents = np.arange(1, 20_001) / 100
    times = DAY_START_NS + np.arange(len(cents))
    store.write(TRADES, a_table(HistoryKind.TRADES, ts_event=times, price=cents, quantity=cents), a_source())
    answer = store.query("SELECT price FROM trades ORDER BY ts_event")["price"].to_numpy()
    assert answer.tobytes() == cents.tobytes()


def test_prices_lie_in_the_file_as_delta_packed_whole_numbers_with_their_lineage(store: HistoryStore) -> None:
    store.write(QUOTES, quotes_at(DAY_START_NS + np.arange(1_000)), a_source("origin.csv"))
    (path,) = segment_files(store, QUOTES)
    file = pq.ParquetFile(path)
    assert str(file.schema_arrow.field("bid").type) == "int64"
    assert "DELTA_BINARY_PACKED" in file.metadata.row_group(0).column(2).encodings
    described = file.schema_arrow.metadata[b"workstation"].decode()
    for part in ('"schema_version": 1', '"bid": 2', "origin.csv", "workstation test", "quotes binance:BTC/USDT"):
        assert part in described


def test_a_corrupt_file_raises_with_its_name_or_is_passed_over_and_reported(store: HistoryStore) -> None:
    store.write(QUOTES, quotes_at([DAY_START_NS, DAY_START_NS + DAY_NS]), a_source())
    damaged, _ = segment_files(store, QUOTES)
    damaged.write_bytes(damaged.read_bytes()[:-20])
    with pytest.raises(HistoryCorrupt, match=damaged.name):
        store.rows(BTC, HistoryKind.QUOTES, 0)
    told: list[HistoryCorrupt] = []
    rows = store.rows(BTC, HistoryKind.QUOTES, 0, on_corrupt=told.append)
    assert rows["ts_received"].tolist() == [DAY_START_NS + DAY_NS]
    assert len(told) == 1 and str(damaged) in str(told[0])


def test_a_flipped_bit_that_the_decoder_accepts_is_noticed_by_the_pages_checksum(store: HistoryStore) -> None:
    times = DAY_START_NS + np.cumsum(np.random.default_rng(1).integers(0, 10**9, 2_000))
    store.write(QUOTES, quotes_at(times), a_source())
    (path,) = segment_files(store, QUOTES)
    whole = pq.read_table(path, partitioning=None)
    column = pq.ParquetFile(path).metadata.row_group(0).column(0)
    content = bytearray(path.read_bytes())
    content[column.data_page_offset + column.total_compressed_size // 2] ^= 1
    path.write_bytes(content)
    decoded = pq.read_table(path, partitioning=None)  # unchecked: other times, and not a word
    assert decoded.num_rows == whole.num_rows and not decoded.equals(whole)
    with pytest.raises(HistoryCorrupt, match=rf"{path.name}.*CRC checksum verification failed"):
        store.rows(BTC, HistoryKind.QUOTES, 0)


def test_a_damaged_manifest_is_named(store: HistoryStore) -> None:
    store.write(QUOTES, quotes_at([DAY_START_NS]), a_source())
    path = store.root / QUOTES.folder / "manifest.json"
    path.write_text('{"version": 1, "segments": [{}]}')
    with pytest.raises(HistoryCorrupt, match=str(path)):
        store.rows(BTC, HistoryKind.QUOTES, 0)


def test_instruments_keep_every_snapshot_by_time(store: HistoryStore) -> None:
    store.put_instrument(an_instrument(tick_size="0.01", valid_from_ns=10))
    store.put_instrument(an_instrument(tick_size="0.1", valid_from_ns=0))
    store.put_instrument(an_instrument(tick_size="0.001", valid_from_ns=10))
    assert store.instrument(BTC) == an_instrument(tick_size="0.001", valid_from_ns=10)
    assert store.instrument(BTC, at_ns=9) == an_instrument(tick_size="0.1", valid_from_ns=0)
    with pytest.raises(HistoryMissing, match=r"at binance there are: BTC/USDT"):
        store.instrument(ETH)


@pytest.mark.parametrize("venue", ["../..", "Binance", "", "a/b", "a" * 41, "x\n"])
def test_a_venue_can_never_be_a_path(venue: str) -> None:
    with pytest.raises(BadInput, match="venue"):
        checked_key(venue, "BTC/USDT")


@pytest.mark.parametrize(
    "symbol", ["<img src=x onerror=alert(1)>", "<b>/USDT", "BTC", "A/B C", "A/B\n", "A" * 300 + "/B"]
)
def test_a_symbol_is_refused_in_a_sentence(symbol: str) -> None:
    with pytest.raises(BadInput, match="symbol"):
        checked_key("binance", symbol)


@pytest.mark.parametrize("symbol", ["BTC/USDT", "BTC/USDT:USDT", "../..", "1000PEPE/USDT", "币安人生/USDT", "A%2FB/C"])
def test_every_symbol_is_one_folder_and_comes_back_from_it(symbol: str) -> None:
    series = Series(kind=HistoryKind.QUOTES, key=InstrumentKey(Venue("binance"), Symbol(symbol)))
    assert len(series.folder.parts) == 3
    assert series_of_folder(series.folder) == series
