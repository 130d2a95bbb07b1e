"""History: import, merged replay and size against bare pyarrow and DuckDB, turn by turn in one process.

    python -m tests.benchmarks.history

Synthetic quotes: a random walk of one-cent ticks, log-normal quantities on a 0.001 grid, 3 million rows a symbol.
Medians of warm runs; other work on the machine moves seconds, so look at the ratios.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from tests.history.series import BTC, DAY_START_NS, ETH, an_instrument
from workstation.history.blocks import Selection, count_rows, merged_blocks
from workstation.history.importing import ImportRequest, import_file
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.instrument import Registry

ROWS, CSV_ROWS, REPEATS = 3_000_000, 1_000_000, 5


def some_quotes(seed: int) -> Any:
    random = np.random.default_rng(seed)
    times = DAY_START_NS + np.cumsum(random.integers(1, 20_000_000, ROWS))
    bid = np.round(60_000 + np.cumsum(random.integers(-1, 2, ROWS)) / 100, 2)
    quantities = [np.round(random.lognormal(0, 1, ROWS), 3) for _ in range(2)]
    columns = {"bid": bid, "ask": np.round(bid + 0.01, 2), "bid_size": quantities[0], "ask_size": quantities[1]}
    return pa.table({"ts_recv_ns": times, **columns})


def report(title: str, rows: int, runs: dict[str, Callable[[], Any]]) -> None:
    """Median rows per second of each run, turn by turn, and its time as a multiple of the first."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(REPEATS + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if turn:  # the first one warms caches and compiles
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ours = next(iter(medians.values()))
    print(title)
    for name, median in medians.items():
        print(f"  {name:<44} {rows / median / 1e6:6.2f} M rows/s   {median / ours:5.2f} x ours")


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        measure(folder)
    finally:
        shutil.rmtree(folder)


def measure(folder: Path) -> None:
    tables = {BTC: some_quotes(1), ETH: some_quotes(2)}
    parquet, text, copy = folder / "quotes.parquet", folder / "quotes.csv", folder / "copy.parquet"
    pq.write_table(tables[BTC], parquet)
    pa_csv.write_csv(tables[BTC].slice(0, CSV_ROWS), text)

    def taken_in(path: Path, key: Any = BTC, root: str = "scratch", keep: bool = False) -> None:
        if not keep:
            shutil.rmtree(folder / root, ignore_errors=True)
        request = ImportRequest(kind=HistoryKind.QUOTES, venue=key.venue, symbol=key.symbol)
        import_file(HistoryStore(folder / root), path, request)

    def copied(reader: str) -> None:
        with duckdb.connect() as connection:
            connection.execute(f"COPY (SELECT * FROM {reader}) TO '{copy}' (FORMAT parquet, COMPRESSION zstd)")

    report(
        "import from Parquet, checked and read back",
        ROWS,
        {
            "ours": lambda: taken_in(parquet),
            "pyarrow: read and write, no checks": lambda: pq.write_table(pq.read_table(parquet), copy),
            "DuckDB: copy, no checks": lambda: copied(f"'{parquet}'"),
        },
    )
    report(
        "import from CSV, checked and read back",
        CSV_ROWS,
        {
            "ours": lambda: taken_in(text),
            "pyarrow: read and write, no checks": lambda: pq.write_table(pa_csv.read_csv(text), copy),
            "DuckDB: copy, no checks": lambda: copied(f"'{text}'"),
        },
    )
    for key, table in tables.items():
        pq.write_table(table, parquet)
        taken_in(parquet, key, "kept", keep=True)
    measure_replay(HistoryStore(folder / "kept"), folder)


def measure_replay(store: HistoryStore, folder: Path) -> None:
    registry = Registry()
    for key in (BTC, ETH):
        registry.add(an_instrument(key))
    both = [Selection(key=key, kind=HistoryKind.QUOTES) for key in (BTC, ETH)]
    files = [str(path) for path in (folder / "kept").rglob("*.parquet")]
    report(
        "replay of two symbols in one order",
        count_rows(store, both),
        {
            "ours: merged blocks": lambda: sum(len(block) for block in merged_blocks(store, both, registry)),
            "pyarrow: read, sort in memory": lambda: pa.concat_tables(map(pq.read_table, files)).sort_by("ts_received"),
            "DuckDB: ORDER BY to Arrow": lambda: store.query("SELECT * FROM quotes ORDER BY ts_received"),
        },
    )
    size = sum(dataset.bytes for dataset in store.datasets()) / count_rows(store, both)
    print(f"size: {size:.2f} bytes a row")


if __name__ == "__main__":
    main()
