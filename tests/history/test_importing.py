"""A foreign file is right row by row, or says which line is not and why."""

import csv
import gzip
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from tests.builders import an_instrument
from tests.history.series import BTC, DAY_START_NS
from workstation.errors import BadInput, ImportRefused
from workstation.history.importing import ImportReport, ImportRequest, import_file
from workstation.history.layout import HistoryKind
from workstation.history.rules import GivenRules
from workstation.history.store import HistoryStore
from workstation.model.durations import HOUR_NS, SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.market import (
    RowFlag,
)

PERPETUAL = InstrumentKey(Venue("binance"), Symbol("BTC/USDT:USDT"))
START_S = DAY_START_NS // SECOND_NS
BAR_HEADER = "ts,open,high,low,close,volume"
QUOTE_HEADER = "ts,bid,ask,bid_size,ask_size"
TRADE_HEADER = "ts,price,amount,side,trade_id"


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    return HistoryStore(tmp_path / "history")


def a_request(kind: HistoryKind = HistoryKind.BARS, **options: Any) -> ImportRequest:
    return ImportRequest(kind=kind, venue="binance", symbol="BTC/USDT", **options)


def a_file(store: HistoryStore, content: str | bytes, name: str = "source.csv") -> Path:
    path = store.root.parent / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def bar_lines(count: int, step_s: int = 3600) -> list[str]:
    return [f"{START_S + n * step_s},100.5,101,99.25,100,{n + 1}" for n in range(count)]


def quote_lines(count: int) -> list[str]:
    return [f"{START_S + n},100.01,100.02,1.5,2" for n in range(count)]


def trade_lines(count: int) -> list[str]:
    return [f"{START_S + n},100.01,0.5,{'sell' if n % 2 else 'buy'},{n + 1}" for n in range(count)]


def take(store: HistoryStore, header: str, lines: list[str], request: ImportRequest) -> ImportReport:
    return import_file(store, a_file(store, "\n".join([header, *lines]) + "\n"), request)


def test_bars_are_taken_in_with_interval_and_rules_found(store: HistoryStore) -> None:
    report = take(store, BAR_HEADER, bar_lines(3), a_request())
    bars = store.bars(BTC, HOUR_NS)
    assert bars.ts_open.tolist() == [DAY_START_NS + n * HOUR_NS for n in range(3)]
    assert (bars.low.tolist(), bars.volume.tolist()) == ([99.25] * 3, [1, 2, 3])
    instrument = store.instrument(BTC)
    assert (instrument.tick_size, instrument.lot_size) == (Decimal("0.01"), Decimal(1))
    assert (instrument.maker_fee_rate, instrument.taker_fee_rate) == (Decimal("0.001"), Decimal("0.001"))
    assert any("interval 1h" in note for note in report.notes)
    assert any("decimals in the file" in note for note in report.notes)


def test_given_rules_go_before_the_decimals_in_the_file(store: HistoryStore) -> None:
    rules = GivenRules(tick_size=Decimal("0.5"), taker_fee_rate=Decimal("0.0004"))
    report = take(store, BAR_HEADER, bar_lines(3), a_request(rules=rules))
    instrument = store.instrument(BTC)
    assert (instrument.tick_size, instrument.lot_size) == (Decimal("0.5"), Decimal(1))
    assert (instrument.maker_fee_rate, instrument.taker_fee_rate) == (Decimal("0.001"), Decimal("0.0004"))
    assert any("warning: the file has prices or quantities in steps of 0.01" in note for note in report.notes)


def test_quantities_in_base_are_no_finer_than_the_lot_of_a_contract_that_is_a_part_of_it(store: HistoryStore) -> None:
    contract = replace(an_instrument(PERPETUAL), lot_size=Decimal(1), contract_size=Decimal("0.01"))
    store.put_instrument(contract)
    lines = [line.rsplit(",", 1)[0] + ",0.07" for line in bar_lines(3)]
    request = ImportRequest(kind=HistoryKind.BARS, venue="binance", symbol=PERPETUAL.symbol)
    assert not [note for note in take(store, BAR_HEADER, lines, request).notes if "warning" in note]


def test_an_impossible_rule_stores_nothing(store: HistoryStore) -> None:
    with pytest.raises(BadInput, match="--tick-size -1"):
        take(store, BAR_HEADER, bar_lines(3), a_request(rules=GivenRules(tick_size=Decimal(-1))))
    assert store.datasets() == []


@pytest.mark.parametrize(
    ("column", "seller_takes"),
    [("side:sell", True), ("side:buy", False), ("isBuyerMaker:true", True), ("is_buyer_maker:False", False)],
)
def test_the_taker_side_is_read_from_side_or_from_the_maker(
    store: HistoryStore, column: str, seller_takes: bool
) -> None:
    name, value = column.split(":")
    take(store, f"time,price,qty,{name},id", [f"{START_S},1,1,{value},7"], a_request(HistoryKind.TRADES))
    rows = store.rows(BTC, HistoryKind.TRADES, 0)
    assert bool(rows["flags"][0] & RowFlag.SELLER_TAKES) is seller_takes
    assert store.query("SELECT trade_id FROM trades")["trade_id"].to_pylist() == ["7"]


@pytest.mark.parametrize(
    "text",
    [
        f"{START_S}",
        f"{START_S}000",
        f"{START_S}000000",
        f"{START_S}000000000",
        f"{START_S}.000000",
        "2024-08-08",
        "2024-08-08 00:00:00",
        "2024-08-08T00:00:00Z",
        "2024-08-08T02:00:00+02:00",
    ],
)
def test_a_time_is_the_same_moment_in_every_unit_and_zone(store: HistoryStore, text: str) -> None:
    take(store, BAR_HEADER, [f"{text},1,1,1,1,1"], a_request(interval_ns=HOUR_NS))
    assert store.bars(BTC, HOUR_NS).ts_open.tolist() == [DAY_START_NS]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_arrow_timestamps_of_every_unit_are_read(store: HistoryStore, unit: str) -> None:
    times = pa.array(np.array([DAY_START_NS], "datetime64[ns]")).cast(pa.timestamp(unit, "UTC"))
    path = store.root.parent / "bars.parquet"
    pq.write_table(
        pa.table({"ts": times, **{name: [1.0] for name in ("open", "high", "low", "close", "volume")}}), path
    )
    import_file(store, path, a_request(interval_ns=HOUR_NS))
    assert store.bars(BTC, HOUR_NS).ts_open.tolist() == [DAY_START_NS]


BAD_ROWS = [
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "{ts},nan,101,99,100,1", "open is missing or no finite number"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "{ts},100,inf,99,100,1", "high is missing or no finite number"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "{ts},100,1e999,99,100,1", "high is missing or no finite number"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "{ts},100,101,-99,100,1", "low is 0 or negative"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "{ts},100,101,99,0,1", "close is 0 or negative"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "{ts},100,101,99,100,-1", "volume is negative"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "{ts},100,99,101,100,1", "high below low"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "{ts},102,101,99,100,1", "open outside low to high"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "{ts},abc,101,99,100,1", "open is missing or no finite number"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "{ts},100,101,99,100", "5 cells, the header has 6"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, ",100,101,99,100,1", "ts_open is missing or no time"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "99999999999999999999,1,1,1,1,1", "ts_open is missing or no time"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "yesterday,100,101,99,100,1", "ts_open is missing or no time"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "0,100,101,99,100,1", "ts_open is missing or no time"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "{repeat},100,101,99,100,1", "duplicate ts_open"),
    (HistoryKind.BARS, BAR_HEADER, bar_lines, "{early},100,101,99,100,1", "out of order"),
    (HistoryKind.QUOTES, QUOTE_HEADER, quote_lines, "{ts},2,1,1,1", "crossed: bid above ask"),
    (HistoryKind.QUOTES, QUOTE_HEADER, quote_lines, "{ts},0,1,1,1", "bid is 0 or negative"),
    (HistoryKind.QUOTES, QUOTE_HEADER, quote_lines, "{ts},1,2,-1,1", "bid_quantity is negative"),
    (HistoryKind.QUOTES, QUOTE_HEADER, quote_lines, "{repeat},100.01,100.02,1.5,2", "equal to the row above"),
    (HistoryKind.TRADES, TRADE_HEADER, trade_lines, "{ts},1,0,buy,900", "quantity is 0 or negative"),
    (HistoryKind.TRADES, TRADE_HEADER, trade_lines, "{ts},1,1,buy,39", "duplicate trade_id"),
]


@pytest.mark.parametrize(("kind", "header", "good_lines", "bad", "reason"), BAD_ROWS)
def test_a_bad_row_is_named_with_its_line_and_kept_out(
    store: HistoryStore, kind: HistoryKind, header: str, good_lines: Any, bad: str, reason: str
) -> None:
    lines = good_lines(40)
    last = int(lines[-1].split(",")[0])
    step = last - int(lines[-2].split(",")[0])
    lines.append(bad.format(ts=last + step, repeat=last, early=last - 5 * step))
    lines += [good_lines(43)[-1]]
    report = take(store, header, lines, a_request(kind))
    assert report.rows_good == 41
    (rejected,) = report.rejected
    assert (rejected.line, rejected.text) == (42, lines[40])
    assert reason in rejected.reason
    assert report.rejects_path == store.root.parent / "source.csv.rejects.csv"
    with report.rejects_path.open(newline="") as file:
        assert list(csv.reader(file)) == [["line", "reason", "text"], ["42", rejected.reason, lines[40]]]
    assert store.datasets()[0].rows == 41


def test_lines_are_counted_over_empty_ones_and_skipped_ones(store: HistoryStore) -> None:
    lines = bar_lines(40)
    lines[20] = lines[20].replace("100.5", "-5")
    path = a_file(store, "\n".join(["a banner", BAR_HEADER, *lines[:10], "", *lines[10:]]))
    report = import_file(store, path, a_request(skip_lines=1))
    assert [one.line for one in report.rejected] == [24]


def test_a_file_with_too_many_bad_rows_is_refused_whole(store: HistoryStore) -> None:
    lines = bar_lines(20)
    lines[3] = lines[3].replace("100.5", "-5")
    lines[4] = lines[4].replace("100.5", "-5")
    with pytest.raises(
        ImportRefused, match=r"2 of 20 rows are bad, over 5% .--max-bad-percent.: nothing was stored.*First, line 5"
    ):
        take(store, BAR_HEADER, lines, a_request())
    assert store.datasets() == []
    assert take(store, BAR_HEADER, lines, a_request(max_bad_share=0.2)).rows_good == 18


REFUSED = {
    "empty": (b"", "empty: expected a header"),
    "header only": (BAR_HEADER, "a header and no rows"),
    "no header": ("\n".join(bar_lines(3)), "the first line holds numbers"),
    "missing column": ("ts,open,high,low,close\n1,1,1,1,1", "no column for volume .*--column volume=NAME"),
    "repeated column": ("ts,open,high,low,close,close,volume\n1,1,1,1,1,1,1", "'close' more than once"),
    "no time": ("open,high,low,close,volume\n1,1,1,1,1", "no column for ts_open"),
    "UTF-16": ((BAR_HEADER + "\n").encode("utf-16"), r"byte 0 \(0xff\) is not UTF-8"),
    "Latin-1": (BAR_HEADER.encode() + b",\xe9t\xe9\n", r"byte 30 \(0xe9\) is not UTF-8"),
    "binary": (b"ts,open\0", "byte 7 is zero"),
    "two units": (
        f"{BAR_HEADER}\n{START_S},1,1,1,1,1\n{START_S + 3600}000,1,1,1,1,1",
        "two units in one column: line 2 has .* line 3 has",
    ),
    "no unit": (f"{BAR_HEADER}\n20240808,1,1,1,1,1", "no value is a time .*line 2: 2.02408e"),
    "12-hour text": (f"{BAR_HEADER}\n2019-10-17 09-AM,1,1,1,1,1", "line 2: '2019-10-17 09-AM'.*--time-format"),
    "unit against name": (f"{BAR_HEADER.replace('ts', 'time_ms')}\n{START_S},1,1,1,1,1", "no column for ts_open"),
    "two candidates": (
        f"{BAR_HEADER},volume_btc\n{START_S},1,1,1,1,5,6",
        r"two columns could be volume: 'volume' and 'volume_btc' differ at line 2 \(5.0 and 6.0\)",
    ),
    "wrong type": (f"{BAR_HEADER}\n{START_S},a,b,c,d,e", r"1 of 1 rows are bad, over 5% \(--max-bad-percent\)"),
    "carriage returns": ("\r".join([BAR_HEADER, *bar_lines(3)]), "line 1: a carriage return without a line feed"),
    "pipes": ("\n".join([BAR_HEADER, *bar_lines(3)]).replace(",", "|"), r"separated by \|"),
    "decimal commas": (
        "\n".join([BAR_HEADER, *bar_lines(3)]).replace(",", ";").replace("100.5", "100,5"),
        "'open': '100,5' has a decimal comma",
    ),
    "dates after 2262": (f"{BAR_HEADER}\n2300-01-01,1,1,1,1,1", "every time is outside 1677 to 2262"),
    "dates before 1677": (f"{BAR_HEADER}\n1600-01-01,1,1,1,1,1", "every time is outside 1677 to 2262"),
    "one bar": ("\n".join([BAR_HEADER, *bar_lines(1)]), "the interval is not to be seen"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_right_is_refused_with_the_reason(store: HistoryStore, name: str) -> None:
    content, reason = REFUSED[name]
    with pytest.raises(ImportRefused, match=reason):
        import_file(store, a_file(store, content), a_request())
    assert store.datasets() == []


def test_a_name_that_states_another_unit_is_refused(store: HistoryStore) -> None:
    with pytest.raises(ImportRefused, match=r"its name says ms, line 2 .* is s"):
        take(store, "event_ms,bid,ask,bid_size,ask_size", quote_lines(2), a_request(HistoryKind.QUOTES))


def test_two_columns_of_one_meaning_are_taken_where_they_agree(store: HistoryStore) -> None:
    header = "unix,date,open,high,low,close,volume,volume_btc"
    take(store, header, [f"{START_S},2024-08-08 00:00:00,1,1,1,1,5,5"], a_request(interval_ns=HOUR_NS))
    assert store.bars(BTC, HOUR_NS).volume.tolist() == [5]


def test_a_chosen_column_settles_two_candidates(store: HistoryStore) -> None:
    request = a_request(columns={"volume": "volume_btc"}, interval_ns=HOUR_NS)
    take(store, f"{BAR_HEADER},volume_btc", [f"{START_S},1,1,1,1,5,6"], request)
    assert store.bars(BTC, HOUR_NS).volume.tolist() == [6]
    with pytest.raises(ImportRefused, match="no column 'nope'"):
        take(store, BAR_HEADER, bar_lines(3), a_request(columns={"volume": "nope"}))


def test_a_byte_order_mark_and_other_separators_are_understood(store: HistoryStore) -> None:
    text = "\r\n".join([BAR_HEADER, *bar_lines(3)]).replace(",", ";")
    import_file(store, a_file(store, b"\xef\xbb\xbf" + text.encode()), a_request())
    assert len(store.bars(BTC, HOUR_NS)) == 3


def test_a_file_from_newest_to_oldest_is_reversed_and_said_so(store: HistoryStore) -> None:
    report = take(store, BAR_HEADER, bar_lines(5)[::-1], a_request())
    assert store.bars(BTC, HOUR_NS).volume.tolist() == [1, 2, 3, 4, 5]
    assert any("newest to oldest: reversed" in note for note in report.notes)


def test_sort_takes_rows_in_that_are_out_of_order(store: HistoryStore) -> None:
    lines = bar_lines(5)
    lines[1], lines[3] = lines[3], lines[1]
    with pytest.raises(ImportRefused, match=r"out of order.*--sort"):
        take(store, BAR_HEADER, lines, a_request())
    take(store, BAR_HEADER, lines, a_request(sort=True))
    assert store.bars(BTC, HOUR_NS).volume.tolist() == [1, 2, 3, 4, 5]


def test_swapped_volume_columns_are_bad_rows(store: HistoryStore) -> None:
    lines = [f"{line},{100 * (n + 1)}" for n, line in enumerate(bar_lines(40))]
    ts, *prices, volume, quoted = lines[30].split(",")
    lines[30] = ",".join([ts, *prices, quoted, volume])
    report = take(store, f"{BAR_HEADER},volume_usdt", lines, a_request())
    assert [(one.line, "columns swapped?" in one.reason) for one in report.rejected] == [(32, True)]


def test_a_wrong_interval_is_refused(store: HistoryStore) -> None:
    with pytest.raises(ImportRefused, match=r"not a whole multiple of 1h"):
        take(store, BAR_HEADER, bar_lines(40, step_s=300), a_request(interval_ns=HOUR_NS))
    with pytest.raises(ImportRefused, match=r"at least 14,400 s apart, --interval says 1h"):
        take(store, BAR_HEADER, bar_lines(40, step_s=4 * 3600), a_request(interval_ns=HOUR_NS))


def test_a_dry_run_shows_and_stores_nothing(store: HistoryStore) -> None:
    lines = [*bar_lines(40), f"{START_S + 40 * 3600},-1,1,1,1,1"]
    path = a_file(store, "\n".join([BAR_HEADER, *lines]))
    report = import_file(store, path, a_request(), is_dry_run=True)
    assert (report.rows_good, report.written, report.rejects_path) == (40, None, None)
    assert report.mapping["ts_open"] == ("ts",)
    assert report.first_rows["ts_open"].to_pylist()[0] == DAY_START_NS
    assert [file.name for file in store.root.parent.iterdir()] == ["source.csv"]


def test_the_same_file_twice_and_an_overlapping_one_double_nothing(store: HistoryStore) -> None:
    take(store, BAR_HEADER, bar_lines(10), a_request())
    again = take(store, BAR_HEADER, bar_lines(10), a_request())
    assert again.written is not None and again.written.is_repeat
    longer = take(store, BAR_HEADER, bar_lines(15), a_request())
    assert longer.written is not None and (longer.written.rows_stored, longer.written.rows_known) == (5, 10)
    assert len(store.bars(BTC, HOUR_NS)) == 15


def test_receipt_before_the_event_is_kept_and_warned_of(store: HistoryStore) -> None:
    header = "ts_recv,event_ms,bid,ask,bid_size,ask_size"
    lines = [f"{START_S + n},{START_S + n + 1}000,1,2,3,4" for n in range(3)]
    report = take(store, header, lines, a_request(HistoryKind.QUOTES))
    rows = store.rows(BTC, HistoryKind.QUOTES, 0)
    assert set(rows["ts_received"] - rows["ts_event"]) == {-SECOND_NS}
    assert report.median_receive_minus_event_ns == -SECOND_NS
    assert any("warning: received 1,000 ms before" in note for note in report.notes)


def test_a_file_that_is_no_gzip_or_no_parquet_is_refused(store: HistoryStore) -> None:
    with pytest.raises(ImportRefused, match="not a whole gzip file"):
        import_file(store, a_file(store, gzip.compress(b"x" * 1000)[:-9], "a.csv.gz"), a_request())
    with pytest.raises(ImportRefused, match="not a readable Parquet file"):
        import_file(store, a_file(store, "PAR1", "a.parquet"), a_request())
    with pytest.raises(ImportRefused, match="expected a name that ends with"):
        import_file(store, a_file(store, "", "a.xlsx"), a_request())
    with pytest.raises(ImportRefused, match="no such file"):
        import_file(store, store.root / "none.csv", a_request())


@pytest.mark.parametrize("compression", ["lz4", "zstd", "uncompressed"])
def test_feather_comes_in_like_parquet_with_the_types_of_its_columns(store: HistoryStore, compression: str) -> None:
    times = pa.array(DAY_START_NS + HOUR_NS * np.arange(20)).cast(pa.timestamp("ns", "UTC"))
    closes = np.linspace(100, 119, 20)
    names = ("open", "high", "low", "close")
    columns = {"date": times} | dict.fromkeys(names, closes) | {"volume": np.ones(20)}
    store.root.parent.mkdir(exist_ok=True)
    path = store.root.parent / "BTC_USDT-1h.feather"
    feather.write_feather(pa.table(columns), path, compression=compression)
    report = import_file(store, path, a_request())
    assert (report.rows_good, report.mapping["ts_open"], report.series.interval_ns) == (20, ("date",), HOUR_NS)
    assert store.bars(BTC, HOUR_NS).close.tolist() == closes.tolist()


def test_a_feather_file_that_is_none_or_lacks_a_column_is_refused(store: HistoryStore) -> None:
    path = a_file(store, "date,open\n1,2\n", "bars.feather")
    with pytest.raises(ImportRefused, match=r"bars\.feather: not a readable Feather file"):
        import_file(store, path, a_request())
    path.write_bytes(b"FEA1 and more")
    with pytest.raises(ImportRefused, match="Feather of version 1: write it anew"):
        import_file(store, path, a_request())
    feather.write_feather(pa.table({"date": [1], "open": [1.0]}), path)
    with pytest.raises(ImportRefused, match=r"bars\.feather: no column for high"):
        import_file(store, path, a_request())


# -- real files


@pytest.mark.shared
def test_real_hourly_bars_come_back_bit_for_bit(store: HistoryStore, shared_dir: Path) -> None:
    path = shared_dir / "data/bars/binance_BTC_USDT_1h.parquet"
    import_file(store, path, a_request())
    table, bars = pq.read_table(path), store.bars(BTC, HOUR_NS)
    assert bars.ts_open.tolist() == table["ts"].cast(pa.timestamp("ns", "UTC")).cast(pa.int64()).to_pylist()
    for name in ("open", "high", "low", "close", "volume"):
        assert getattr(bars, name).tobytes() == table[name].to_numpy().tobytes()


@pytest.mark.shared
def test_real_quotes_and_trades_keep_both_clocks(store: HistoryStore, shared_dir: Path) -> None:
    name = "binance_spot_btcusdt_20240808.parquet"
    quotes = import_file(store, shared_dir / "data/bbo" / name, a_request(HistoryKind.QUOTES))
    assert (quotes.rows_good, quotes.rejected) == (28_040, ())
    assert quotes.mapping["ts_received"] == ("ts_recv", "ts_recv_ns")
    source = pq.read_table(shared_dir / "data/bbo" / name)
    rows = store.rows(BTC, HistoryKind.QUOTES, 0)
    assert rows["ts_received"].tolist() == source["ts_recv_ns"].to_pylist()
    for field, column in (("x0", "bid"), ("x1", "ask"), ("x2", "bid_size"), ("x3", "ask_size")):
        assert rows[field].tobytes() == source[column].to_numpy().tobytes()
    trades = import_file(store, shared_dir / "data/trades" / name, a_request(HistoryKind.TRADES))
    assert trades.rows_good == 9_757
    assert trades.median_receive_minus_event_ns == pytest.approx(-1.272e9, rel=1e-3)
    rows = store.rows(BTC, HistoryKind.TRADES, 0)
    sides = pq.read_table(shared_dir / "data/trades" / name)["side"].to_pylist()
    assert (rows["flags"] & RowFlag.SELLER_TAKES).astype(bool).tolist() == [side == "sell" for side in sides]


@pytest.mark.shared
def test_real_dirty_files_are_refused_with_the_reason_and_right_when_told_how(
    store: HistoryStore, shared_dir: Path
) -> None:
    for name in ("BTC_USD-Hourly.csv.gz", "Coinbase_BTCUSD_1h.csv.gz"):
        shutil.copy(shared_dir / "data/raw_dirty" / name, store.root.parent)
    swapped, clock = (store.root.parent / name for name in ("BTC_USD-Hourly.csv.gz", "Coinbase_BTCUSD_1h.csv.gz"))
    dollars = {"kind": HistoryKind.BARS, "symbol": "BTC/USD"}
    with pytest.raises(ImportRefused, match=r"20,141 of 33,259 rows are bad.*columns swapped\?.*line 12114"):
        import_file(store, swapped, ImportRequest(venue="bitstamp", **dollars))
    with pytest.raises(ImportRefused, match="no column for ts_open"):
        import_file(store, clock, ImportRequest(venue="coinbase", **dollars))
    with pytest.raises(ImportRefused, match="line 3: '2019-10-17 09-AM'"):
        import_file(store, clock, ImportRequest(venue="coinbase", skip_lines=1, **dollars))
    told = {"skip_lines": 1, "time_format": "%Y-%m-%d %I-%p", "sort": True}
    names = {"volume": "volume_btc", "volume_quote": "volume"}
    report = import_file(store, clock, ImportRequest(venue="coinbase", columns=names, **told, **dollars))
    assert (report.rows_good, report.rejected) == (20_111, ())
    bars = store.bars(InstrumentKey(Venue("coinbase"), Symbol("BTC/USD")), HOUR_NS)
    assert (bars.close[-1], bars.volume[-1]) == (8035.88, 61.25)
