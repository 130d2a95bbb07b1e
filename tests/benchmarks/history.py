"""History: import, merged replay, size, bars of ticks and quality against bare pyarrow and DuckDB, turn by turn.

    python -m tests.benchmarks.history

Synthetic quotes: a random walk of one-cent ticks, log-normal quantities on a 0.001 grid, 3 million rows a symbol.
Medians of warm runs; other work on the machine moves seconds, so look at the ratios.
"""

import shutil
import statistics
import subprocess
import sys
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

from tests.history.series import BTC, DAY_START_NS, ETH, TRADES, a_source, a_table, an_instrument
from workstation.history.bar_building import built_bars
from workstation.history.bar_recipe import BarRecipe, EmptyBars
from workstation.history.blocks import Selection, count_rows, merged_blocks
from workstation.history.importing import ImportRequest, import_file
from workstation.history.layout import HistoryKind, Series
from workstation.history.quality import history_quality
from workstation.history.store import HistoryStore
from workstation.model.durations import MINUTE_NS
from workstation.model.instrument import Registry

ROWS, CSV_ROWS, REPEATS = 3_000_000, 1_000_000, 5
TICKS = 10_000_000
MINUTE_BARS = """
    SELECT ts_event // 60000000000 * 60000000000 AS ts_open, {open} AS open, max(price) AS high, min(price) AS low,
        {close} AS close, sum(quantity) AS volume
    FROM '{file}' GROUP BY 1 ORDER BY 1
"""
ANY_ORDER = {"open": "arg_min(price, ts_event)", "close": "arg_max(price, ts_event)"}
FILE_ORDER = {"open": "first(price)", "close": "last(price)"}
"""Right only where one thread reads the rows in their order; the least that DuckDB can do."""
QUALITY = """
    SELECT count(*), count(*) FILTER (bid > ask), count(*) FILTER (bid <= 0 OR ask <= 0), max(step),
        count(*) FILTER (step > 60000000000), count(*) FILTER (step = 0 AND bid = last_bid AND ask = last_ask)
    FROM (SELECT bid, ask, ts_recv_ns - lag(ts_recv_ns) OVER w AS step, lag(bid) OVER w AS last_bid,
        lag(ask) OVER w AS last_ask FROM '{file}' WINDOW w AS (ORDER BY ts_recv_ns))
"""
"""Of our figures those that SQL says in a line: neither outliers nor still prices nor days."""


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
    measure_writing(folder, tables[BTC])
    for key, table in tables.items():
        pq.write_table(table, parquet)
        taken_in(parquet, key, "kept", keep=True)
    measure_replay(HistoryStore(folder / "kept"), folder)
    measure_quality(HistoryStore(folder / "kept"), parquet)
    measure_bars(folder)


def measure_writing(folder: Path, quotes: Any) -> None:
    """Goal: 8 M rows a second, of what lies in memory and has been checked."""
    times, sizes = quotes["ts_recv_ns"].to_numpy(), ("bid_size", "ask_size")
    columns = {"bid": quotes["bid"], "ask": quotes["ask"], **{f"{name[:3]}_quantity": quotes[name] for name in sizes}}
    table = a_table(HistoryKind.QUOTES, ts_received=times, ts_event=times, **columns)

    def stored() -> None:
        shutil.rmtree(folder / "written", ignore_errors=True)
        HistoryStore(folder / "written").write(Series(kind=HistoryKind.QUOTES, key=BTC), table, a_source())

    report(
        "columns in memory to Parquet",
        ROWS,
        {
            "ours: scaled, synced, read back, named": stored,
            "pyarrow: zstd, not synced": lambda: pq.write_table(table, folder / "plain.parquet", compression="zstd"),
        },
    )


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


def measure_quality(store: HistoryStore, parquet: Path) -> None:
    both = [Series(kind=HistoryKind.QUOTES, key=key) for key in (BTC, ETH)]
    report(
        "quality of quotes: all figures",
        ROWS,
        {
            "ours: every figure of one series": lambda: history_quality(store, now_ns=0, series=both[:1]),
            "DuckDB: gaps, doubles, crossed, zero": lambda: answered(QUALITY.format(file=parquet)),
        },
    )
    for count in (1, 2):
        child = [sys.executable, "-c", PEAK.format(root=str(store.root), count=count)]
        told = subprocess.run(child, check=True, capture_output=True, text=True).stdout
        print(f"  memory at its highest, {count * ROWS / 1e6:.0f} M rows: {told.strip()} MB")


PEAK = """
import re
from pathlib import Path
from workstation.history.quality import history_quality
from workstation.history.store import HistoryStore
store = HistoryStore(Path({root!r}))
history_quality(store, now_ns=0, series=store.series()[:{count}])
print(int(re.search(r"VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""
"""Linux alone. What getrusage tells begins with the parent's own."""


def measure_bars(folder: Path) -> None:
    """One-minute bars of ten million trades: our segments against one plain Parquet file."""
    random = np.random.default_rng(3)
    times = DAY_START_NS + np.cumsum(random.integers(1, 20_000_000, TICKS))
    price = np.round(60_000 + np.cumsum(random.integers(-1, 2, TICKS)) / 100, 2)
    quantity = np.round(random.lognormal(0, 1, TICKS), 3)
    plain, store = folder / "trades.parquet", HistoryStore(folder / "ticks")
    pq.write_table(pa.table({"ts_event": times, "price": price, "quantity": quantity}), plain)
    sides = random.random(TICKS) < 0.5
    table = a_table(HistoryKind.TRADES, ts_event=times, price=price, quantity=quantity, seller_takes=sides)
    store.write(TRADES, table, a_source("benchmark"))
    recipe = BarRecipe(interval_ns=MINUTE_NS, empty=EmptyBars.LEFT_OUT)
    ours, theirs = built_bars(store, TRADES, recipe).bars, answered(MINUTE_BARS.format(file=plain, **ANY_ORDER))
    assert ours.ts_open.tolist() == theirs["ts_open"].to_pylist() and ours.close.tolist() == theirs["close"].to_pylist()
    report(
        "one-minute bars of ten million trades",
        TICKS,
        {
            "ours: from our segments": lambda: built_bars(store, TRADES, recipe),
            "DuckDB: plain Parquet, rows in any order": lambda: answered(MINUTE_BARS.format(file=plain, **ANY_ORDER)),
            "DuckDB: plain Parquet, first and last": lambda: answered(MINUTE_BARS.format(file=plain, **FILE_ORDER)),
        },
    )


def answered(sql: str) -> Any:
    with duckdb.connect() as connection:
        return connection.sql(sql).to_arrow_table()


if __name__ == "__main__":
    main()
