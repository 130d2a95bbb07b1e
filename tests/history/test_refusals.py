"""What must not come in is refused in one sentence, and leaves nothing behind."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.history.series import BTC, DAY_START_NS, HOURS, a_source, bars_from, segment_files
from workstation.errors import BadInput, HistoryMissing, ImportRefused
from workstation.history.durable import HistoryCorrupt
from workstation.history.importing import ImportReport, ImportRequest, import_file
from workstation.history.layout import HistoryKind
from workstation.history.removing import remove_series
from workstation.history.rules import GivenRules
from workstation.history.store import HistoryStore
from workstation.model.durations import HOUR_NS, SECOND_NS

ROOT = Path(__file__).resolve().parents[2]
HEADER = "ts,open,high,low,close,volume"
START_S = DAY_START_NS // SECOND_NS


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    return HistoryStore(tmp_path / "history")


def bar_lines(count: int) -> list[str]:
    return [f"{START_S + n * 3600},100.5,101,99.25,100,{n + 1}" for n in range(count)]


def take(store: HistoryStore, lines: list[str], name: str = "source.csv", **options: Any) -> ImportReport:
    path = store.root.parent / name
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return import_file(store, path, ImportRequest(kind=HistoryKind.BARS, venue="binance", symbol="BTC/USDT", **options))


@pytest.mark.parametrize("cell", ['"100.5', 'x"y,"100.5', '"100\n.5"'])
def test_a_stray_quote_is_refused_with_its_line(store: HistoryStore, cell: str) -> None:
    lines = bar_lines(5_000)
    lines[500] = lines[500].replace("100.5", cell)
    with pytest.raises(ImportRefused, match="line 502: a quote"):
        take(store, lines)
    assert not store.root.exists()


def test_quoted_cells_are_read(store: HistoryStore) -> None:
    take(store, [",".join(f'"{cell}"' for cell in line.split(",")) for line in bar_lines(3)])
    assert store.bars(BTC, HOUR_NS).open.tolist() == [100.5] * 3


@pytest.mark.parametrize(
    ("option", "name", "value"),
    [
        ("--tick-size", "tick_size", "1e-30"),
        ("--tick-size", "tick_size", "inf"),
        ("--lot-size", "lot_size", "1e-400"),
        ("--lot-size", "lot_size", "1e30"),
        ("--lot-size", "lot_size", "nan"),
        ("--min-quantity", "min_quantity", "-1"),
        ("--min-notional", "min_notional_quote", "1e30"),
        ("--maker-fee", "maker_fee_rate", "-0.051"),
        ("--taker-fee", "taker_fee_rate", "0.1"),
    ],
)
def test_a_rule_out_of_range_is_named_with_its_option(option: str, name: str, value: str) -> None:
    with pytest.raises(BadInput, match=f"{option} .*: expected .* to "):
        GivenRules(**{name: Decimal(value)})


def test_a_refused_file_leaves_no_rules(store: HistoryStore) -> None:
    take(store, bar_lines(3))
    remove_series(store.root, HOURS)
    take(store, bar_lines(3))
    with pytest.raises(ImportRefused):
        take(store, bar_lines(3), sort=True, rules=GivenRules(tick_size=Decimal("0.5")))
    assert store.instrument(BTC).tick_size == Decimal("0.01")


def test_a_file_of_our_own_is_not_taken_for_prices(store: HistoryStore) -> None:
    store.write(HOURS, bars_from(DAY_START_NS, 20), a_source())
    (path,) = segment_files(store, HOURS)
    request = ImportRequest(kind=HistoryKind.BARS, venue="other", symbol="BTC/USDT")
    with pytest.raises(ImportRefused, match=f"do not import it, use it: --history {store.root}"):
        import_file(store, path, request)


def test_another_mapping_of_the_same_file_is_refused_until_the_series_is_removed(store: HistoryStore) -> None:
    take(store, bar_lines(3), columns={"close": "open", "open": "close"})
    with pytest.raises(
        ImportRefused, match="workstation data remove --kind bars --venue binance --symbol BTC/USDT --interval 1h"
    ):
        take(store, bar_lines(3))
    remove_series(store.root, HOURS)
    assert store.datasets() == []
    with pytest.raises(HistoryMissing, match="not stored"):
        remove_series(store.root, HOURS)
    take(store, bar_lines(3))
    assert store.bars(BTC, HOUR_NS).open.tolist() == [100.5] * 3


FULL_DISK = """
import resource, sys
from workstation.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))
main(sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE")
def test_a_full_disk_is_one_sentence_and_tears_nothing(store: HistoryStore) -> None:
    rng = np.random.default_rng(1)
    lines = [f"{START_S + n * 3600},100,101,99,100,{rng.random()}" for n in range(5_000)]
    source = store.root.parent / "source.csv"
    source.write_text("\n".join([HEADER, *lines]))
    options = ["--kind", "bars", "--venue", "binance", "--symbol", "BTC/USDT", "--history", str(store.root)]
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, "data", "import", str(source), *options],
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "run the import again" in done.stderr
    assert str(store.root) in done.stderr
    assert "Traceback" not in done.stderr
    assert store.datasets() == []
    assert not list(store.root.rglob("*.parquet"))
    assert not (store.root / "instruments").exists()


def test_an_impossible_time_format_is_refused(store: HistoryStore) -> None:
    with pytest.raises(ImportRefused, match="--time-format '%Q'"):
        take(store, ["yesterday,1,1,1,1,1"], time_format="%Q")


def test_one_date_beyond_2262_is_one_bad_row(store: HistoryStore) -> None:
    lines = [f"2024-08-{1 + n // 24:02}T{n % 24:02}:00:00,1,1,1,1,1.5" for n in range(40)]
    report = take(store, [*lines, "2300-01-01T00:00:00,1,1,1,1,1.5"])
    assert [(one.line, "within 1677 to 2262" in one.reason) for one in report.rejected] == [(42, True)]


def test_an_unsigned_time_beyond_int64_is_a_bad_row(store: HistoryStore) -> None:
    times = pa.array([*(DAY_START_NS + n * HOUR_NS for n in range(40)), 2**64 - 1], pa.uint64())
    flat = {name: [1.0] * 41 for name in ("open", "high", "low", "close", "volume")}
    path = store.root.parent / "bars.PARQUET"
    pq.write_table(pa.table({"ts": times, **flat}), path)
    report = import_file(store, path, ImportRequest(kind=HistoryKind.BARS, venue="binance", symbol="BTC/USDT"))
    assert [one.line for one in report.rejected] == [41]


def test_a_folder_a_file_and_a_broken_name_in_the_wrong_place_are_refused(store: HistoryStore, tmp_path: Path) -> None:
    request = ImportRequest(kind=HistoryKind.BARS, venue="binance", symbol="BTC/USDT")
    with pytest.raises(ImportRefused, match="is a folder"):
        import_file(store, tmp_path, request)
    with pytest.raises(ImportRefused, match="not UTF-8: rename"):
        import_file(store, tmp_path / "b\udce4rs.csv", request)
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(BadInput, match="is a file: expected a folder"):
        HistoryStore(tmp_path / "a.csv")


def test_capitals_in_the_ending_and_a_single_bar_with_its_interval_are_taken(store: HistoryStore) -> None:
    assert take(store, bar_lines(1), "BARS.CSV", interval_ns=HOUR_NS).rows_good == 1


def test_quotes_have_no_interval() -> None:
    with pytest.raises(BadInput, match="quotes have no interval"):
        ImportRequest(kind=HistoryKind.QUOTES, venue="binance", symbol="BTC/USDT", interval_ns=HOUR_NS)


def test_whole_quantities_are_warned_of(store: HistoryStore) -> None:
    report = take(store, bar_lines(3))
    assert any("the lot size is 1" in note and "--lot-size" in note for note in report.notes)


def test_a_missing_manifest_or_segment_says_what_to_do(store: HistoryStore) -> None:
    take(store, bar_lines(3))
    (segment,) = segment_files(store, HOURS)
    (store.root / HOURS.folder / "manifest.json").rename(store.root / "kept")
    with pytest.raises(HistoryCorrupt, match=r"manifest.json: missing.*import the file again"):
        store.bars(BTC, HOUR_NS)
    (store.root / "kept").rename(store.root / HOURS.folder / "manifest.json")
    segment.unlink()
    with pytest.raises(
        HistoryCorrupt, match=r"parquet: missing.*data check --forget-missing.*source.csv can be.*imported again"
    ):
        store.bars(BTC, HOUR_NS)


def test_a_flipped_bit_is_noticed_with_the_name_of_the_file(store: HistoryStore) -> None:
    store.write(HOURS, bars_from(DAY_START_NS, 1_000), a_source())
    (segment,) = segment_files(store, HOURS)
    chunk = pq.ParquetFile(segment).metadata.row_group(0).column(1)
    content = bytearray(segment.read_bytes())
    content[chunk.data_page_offset + chunk.total_compressed_size - 3] ^= 1
    segment.write_bytes(content)
    with pytest.raises(HistoryCorrupt, match=segment.name):
        store.bars(BTC, HOUR_NS)


def test_a_question_reaches_nothing_outside_the_history(store: HistoryStore, tmp_path: Path) -> None:
    take(store, bar_lines(3))
    (tmp_path / "secret.csv").write_text("a\n1\n")
    assert store.query("SELECT count(*) AS n FROM bars")["n"].to_pylist() == [3]
    for sql in (f"SELECT * FROM read_csv('{tmp_path}/secret.csv')", f"COPY bars TO '{tmp_path}/out.csv'", "SELEC 1"):
        with pytest.raises(BadInput, match="history query"):
            store.query(sql)
    assert not (tmp_path / "out.csv").exists()
