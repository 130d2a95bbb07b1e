"""Books, mark prices and funding rates in the history: recorded, stored, read, asked for and judged."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.history.live import a_recorder, a_registry
from tests.history.series import BTC, DAY_START_NS, segment_files
from workstation.errors import BadInput, ImportRefused
from workstation.history.importing import ImportRequest, import_file
from workstation.history.layout import HistoryKind, Series
from workstation.history.quality import history_quality
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, HOUR_NS, MS_NS, SECOND_NS
from workstation.model.market import (
    MARKET_ROW,
    STEP_BITS,
    RowKind,
    Rows,
)
from workstation.research import notebook as ws

REGISTRY = a_registry()
KINDS = (HistoryKind.BOOKS, HistoryKind.MARKS, HistoryKind.FUNDING)
LEVELS = 3
DUE_MS = (DAY_START_NS + 8 * HOUR_NS) // MS_NS


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    return HistoryStore(tmp_path / "history")


def perpetual_rows(seconds: int) -> Rows:
    """Each second a book of three levels, of which the third has no ask, a mark price, and now and then a rate."""
    found = []
    for second in range(seconds):
        for level in range(LEVELS):
            has_ask = level < LEVELS - 1
            ask = (100.1 + level, 3.0) if has_ask else (0.0, 0.0)
            found.append((RowKind.BOOK, second, level, 100.0 - level, ask[0], 2.0, ask[1], LEVELS))
        found.append((RowKind.MARK, second, 0, 100.05, 100.0 if second % 2 else 0.0, 0.0, 0.0, 0.0))
        if second % 10 == 0:
            found.append((RowKind.FUNDING, second, 0, 0.0001 - second * 1e-6, DUE_MS, 0.0, 0.0, 0.0))
    rows = np.zeros(len(found), MARKET_ROW)
    rows["sequence"] = np.arange(1, len(found) + 1) << STEP_BITS
    for name, values in zip(
        ("kind", "ts_received", "interval_code", "x0", "x1", "x2", "x3", "x4"), zip(*found, strict=True), strict=True
    ):
        rows[name] = values
    rows["ts_received"] = DAY_START_NS + rows["ts_received"] * SECOND_NS
    rows["ts_event"] = rows["ts_received"] - 5 * MS_NS
    return rows


def recorded(store: HistoryStore, rows: Rows) -> None:
    recorder = a_recorder(store)
    recorder.record(rows.copy(), REGISTRY)
    recorder.sync()
    recorder.roll()
    recorder.close()


def test_each_kind_comes_back_bit_for_bit_from_the_log_and_from_its_segments(store: HistoryStore) -> None:
    rows = perpetual_rows(60)
    recorder = a_recorder(store)
    recorder.record(rows.copy(), REGISTRY)
    recorder.sync()
    for _ in ("from the log", "from segments"):
        for kind, row_kind in zip(KINDS, (RowKind.BOOK, RowKind.MARK, RowKind.FUNDING), strict=True):
            stored = store.rows(BTC, kind, 0, as_recorded=True)
            assert stored.tobytes() == rows[rows["kind"] == row_kind].tobytes(), kind
        recorder.roll()
    recorder.close()
    (funding,) = segment_files(store, Series(kind=HistoryKind.FUNDING, key=BTC))
    assert funding.parent.name == "date=2024"  # three rates a day make no file a day


def test_they_are_views_of_the_query_and_tables_of_the_notebook(store: HistoryStore) -> None:
    recorded(store, perpetual_rows(20))
    best = "SELECT max(bid), min(ask), count(*) FROM books WHERE level = 0"
    assert store.query(best).to_pylist() == [{"max(bid)": 100.0, "min(ask)": 100.1, "count_star()": 20}]
    rates = "SELECT rate, ts_due FROM funding ORDER BY ts_received"
    assert store.query(rates).to_pylist()[0] == {"rate": 0.0001, "ts_due": DUE_MS * MS_NS}
    books = ws.history("binance", "BTC/USDT", "books", history=store)
    assert books["level"].tolist() == [0, 1, 2] * 20
    assert books["ask"].isna().tolist() == [False, False, True] * 20
    funding = ws.history("binance", "BTC/USDT", "funding", history=store)
    assert str(funding["ts_due"].iloc[0]) == "2024-08-08 08:00:00+00:00"
    marks = ws.history("binance", "BTC/USDT", "marks", history=store)
    assert marks["index_price"].isna().tolist() == [True, False] * 10


def test_quality_judges_books_by_their_best_level_and_rates_by_their_times(store: HistoryStore) -> None:
    rows = perpetual_rows(120)
    spoiled = (rows["kind"] == RowKind.BOOK) & (rows["interval_code"] == 0)
    rows["x0"][np.flatnonzero(spoiled)[5]] = 200.0  # its bid is above its ask
    recorded(store, rows)
    found = {one.series.kind: one for one in history_quality(store, now_ns=DAY_START_NS + DAY_NS)}
    books, marks, funding = (found[kind] for kind in KINDS)
    assert (books.rows, books.crossed, books.zero_prices, books.out_of_order) == (120, 1, 0, 0)
    assert (marks.rows, marks.crossed, marks.duplicates, marks.zero_prices) == (120, None, None, 0)
    assert (funding.rows, funding.zero_prices, funding.crossed, funding.duplicates) == (12, 0, None, 0)
    assert all(one.clock_offset_ns == pytest.approx(5 * MS_NS, rel=1e-3) for one in found.values())


def a_request(kind: HistoryKind) -> ImportRequest:
    return ImportRequest(kind=kind, venue="binance", symbol="BTC/USDT:USDT", max_bad_share=0.5)


def a_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "source.csv"
    path.write_text(text)
    return path


def test_rates_are_imported_and_those_in_percent_are_kept_out(store: HistoryStore, tmp_path: Path) -> None:
    lines = ["calc_time,funding_interval_hours,last_funding_rate"]
    lines += [f"{DAY_START_NS // MS_NS + n * 28_800_000},8,{rate}" for n, rate in enumerate((0.0001, -0.00025, 1.5))]
    report = import_file(store, a_file(tmp_path, "\n".join(lines)), a_request(HistoryKind.FUNDING))
    assert [(one.line, one.reason) for one in report.rejected] == [(4, "rate is no fraction below 1: in percent?")]
    rows = store.rows(report.series.key, HistoryKind.FUNDING, 0)
    assert rows["x0"].tolist() == [0.0001, -0.00025] and rows["x1"].tolist() == [0.0, 0.0]
    assert rows["ts_event"].tolist() == [DAY_START_NS, DAY_START_NS + 8 * HOUR_NS]


def test_mark_prices_are_imported_with_and_without_their_index(store: HistoryStore, tmp_path: Path) -> None:
    text = f"timestamp,mark_price\n{DAY_START_NS // MS_NS},100.5\n"
    report = import_file(store, a_file(tmp_path, text), a_request(HistoryKind.MARKS))
    assert store.rows(report.series.key, HistoryKind.MARKS, 0)[["x0", "x1"]].tolist() == [(100.5, 0.0)]
    text = f"timestamp,mark_price,index_price\n{DAY_START_NS // MS_NS + 1},100.5,100.25\n"
    import_file(store, a_file(tmp_path, text), a_request(HistoryKind.MARKS))
    assert store.rows(report.series.key, HistoryKind.MARKS, 0)["x1"].tolist() == [0.0, 100.25]


def test_books_in_a_file_are_refused_with_what_to_do(store: HistoryStore, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="recorded live, or import quotes"):
        import_file(store, a_file(tmp_path, "ts,bid,ask\n1,2,3\n"), a_request(HistoryKind.BOOKS))


def test_a_kind_that_is_not_there_is_named_with_those_that_are(store: HistoryStore) -> None:
    with pytest.raises(BadInput, match="expected bars, quotes, trades, books, marks, funding"):
        ws.history("binance", "BTC/USDT", "klines", history=store)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["bybit_BTCUSDT", "binance_ADAUSDT", "binance_XRP_USDT_perp"])
def test_real_funding_rates_come_in_whole(store: HistoryStore, shared_dir: Path, name: str) -> None:
    path = shared_dir / "data" / "funding" / f"{name}.parquet"
    theirs = pq.read_table(path)["funding_rate"].to_pylist()
    report = import_file(store, path, a_request(HistoryKind.FUNDING))
    ours = store.rows(report.series.key, HistoryKind.FUNDING, 0)
    assert theirs and report.rejected == () and ours["x0"].tolist() == theirs
