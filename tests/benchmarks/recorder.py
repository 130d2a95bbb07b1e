"""The recorder at 10,000 rows a second, beside a bare write and fsync of the same bytes; what a roll costs others.

    python -m tests.benchmarks.recorder

200 symbols of two kinds, blocks as an engine drains them (every 5 ms). The caller's cost is what `record` keeps the
engine's loop from its work; the share of a core is the whole process's, less that of the same loop without a recorder.
A stall is by how much an asyncio loop's tick of a millisecond comes late while a log is rolled.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.history.live import live_rows
from tests.history.series import DAY_START_NS, an_instrument
from workstation.history.live_log import LIVE_FOLDER
from workstation.history.log_file import LogFile
from workstation.history.log_writer import WriterSettings
from workstation.history.recorder import Recorder, RecorderSettings
from workstation.history.store import HistoryStore
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey, Registry
from workstation.model.market import MARKET_ROW, FloatArray, RowKind, Rows

RATE, SECONDS, SYMBOLS, BLOCKS_PER_SECOND = 10_000, 10, 200, 200
BLOCK = RATE // BLOCKS_PER_SECOND
ROLL_ROWS, STALL_ROWS = 1_000_000, 2_000_000
TICK_S, CALLS, TURNS, FRAME = 0.001, 2_000, 7, 1_000


def a_registry() -> Registry:
    registry = Registry()
    for number in range(SYMBOLS):
        registry.add(an_instrument(InstrumentKey(Venue("nova"), Symbol(f"C{number}/USDT"))))
    return registry


def some_rows(count: int) -> Rows:
    """Quotes and trades, a tenth of a millisecond apart."""
    rows = live_rows(count, step_ns=100_000)
    bars = np.flatnonzero(rows["kind"] == RowKind.BAR)
    kept = rows[["sequence", "ts_received"]][bars]
    rows[bars] = rows[bars - 1]
    rows["sequence"][bars], rows["ts_received"][bars] = kept["sequence"], kept["ts_received"]
    rows["instrument"] = np.random.default_rng(1).integers(0, SYMBOLS, count)
    return rows


def paced(rows: Rows, take: Callable[[Rows], None], look: Callable[[], None]) -> tuple[FloatArray, float]:
    """Hands over a block every 5 ms; seconds of each call, and the process's seconds of processor time."""
    costs, cpu_s, start_s = [], time.process_time(), time.perf_counter()
    for number in range(0, len(rows), BLOCK):
        due_s = start_s + number / RATE
        while (wait_s := due_s - time.perf_counter()) > 0:
            time.sleep(wait_s)
        before_s = time.perf_counter()
        take(rows[number : number + BLOCK])
        costs.append(time.perf_counter() - before_s)
        look()
    return np.array(costs), time.process_time() - cpu_s


def bare(folder: Path, rows: Rows) -> float:
    """Seconds to write the rows in blocks and to sync them once a second's worth."""
    start_s = time.perf_counter()
    with (folder / "bare").open("wb", buffering=0) as file:
        for number in range(0, len(rows), BLOCK):
            file.write(rows[number : number + BLOCK].tobytes())
            if number % RATE == 0:
                os.fsync(file.fileno())
    return time.perf_counter() - start_s


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        measure(folder)
    finally:
        shutil.rmtree(folder)


def measure(folder: Path) -> None:
    rows, registry = some_rows(RATE * SECONDS), a_registry()
    _, idle_s = paced(rows, lambda block: None, lambda: None)
    for title, roll_s in (("log alone", 1e6), ("rolled every 3 s", 3.0)):
        settings = RecorderSettings(roll_interval_s=roll_s, check_interval_s=0.1)
        recorder = Recorder.open(HistoryStore(folder / title.replace(" ", "-")), now_ns=DAY_START_NS, settings=settings)
        lags: list[float] = []

        def take(block: Rows, recorder: Recorder = recorder) -> None:
            recorder.record(block, registry)

        def look(recorder: Recorder = recorder, lags: list[float] = lags) -> None:
            lags.append(recorder.state.writer.lag_s)

        costs, cpu_s = paced(rows, take, look)
        state = recorder.state.writer
        p50, p99, worst = (float(np.quantile(costs, q)) * 1e6 for q in (0.5, 0.99, 1))
        share = (cpu_s - idle_s) / SECONDS
        print(f"{title}: {RATE:,} rows/s for {SECONDS} s in blocks of {BLOCK}, {SYMBOLS} symbols")
        print(f"  caller, per block          p50 {p50:6.1f} us   p99 {p99:6.1f} us   worst {worst:8.1f} us")
        print(f"  share of a core            {share:6.1%}")
        late_s = np.quantile(lags, 0.99)
        print(f"  oldest unsynced row        p99 {late_s:.2f} s, worst {max(lags):.2f} s; {state.rows_missed} missed")
        recorder.close()
    measure_calls(folder)
    measure_bulk(folder)
    measure_memory(folder)
    for apart in (True, False):
        asyncio.run(measure_stalls(folder / f"stalls-{apart}", apart=apart))


def measure_calls(folder: Path) -> None:
    """The least of several turns: what the call itself takes, without what else the machine does."""
    rows, registry = some_rows(20 * CALLS), a_registry()
    recorder = Recorder.open(HistoryStore(folder / "calls"), now_ns=DAY_START_NS)
    print("record(), least mean of a call")
    for size in (1, 5, 20):
        seconds = []
        for _ in range(TURNS):
            blocks = [rows[start : start + size] for start in range(0, size * CALLS, size)]
            start_s = time.perf_counter()
            for block in blocks:
                recorder.record(block, registry)
            seconds.append(time.perf_counter() - start_s)
            recorder.sync()
        cost_s = min(seconds) / CALLS
        print(f"  blocks of {size:>2}               {cost_s * 1e6:6.2f} us   {cost_s * RATE / size:6.2%} of the loop")
    recorder.close()


async def measure_stalls(folder: Path, *, apart: bool) -> None:
    """Ticks late before and during the roll of a log."""
    rows, registry = some_rows(STALL_ROWS), a_registry()
    writer = WriterSettings(buffer_bytes=2 * rows.nbytes)
    settings = RecorderSettings(roll_interval_s=1e6, roll_bytes=2**40, rolls_apart=apart, writer=writer)
    recorder = Recorder.open(HistoryStore(folder), now_ns=DAY_START_NS, settings=settings)
    recorder.record(rows, registry)
    recorder.sync()
    print(f"roll of {STALL_ROWS:,} rows in {'a process of its own' if apart else 'a thread of this process'}")
    show_stalls("before", await late_ticks(asyncio.create_task(asyncio.sleep(3))))
    start_s = time.perf_counter()
    late = await late_ticks(asyncio.create_task(asyncio.to_thread(recorder.roll)))
    seconds = time.perf_counter() - start_s
    show_stalls("meanwhile", late)
    print(f"  rows/s                     {STALL_ROWS / seconds / 1e6:6.2f} M")
    recorder.close()


def measure_memory(folder: Path) -> None:
    """The most that a process had which did nothing but roll a log of 256 MB."""
    store, registry = HistoryStore(folder / "memory"), a_registry()
    rows = some_rows(RecorderSettings().roll_bytes // MARKET_ROW.itemsize)
    instruments = {number: registry.snapshot(registry.key(number)) for number in range(len(registry))}
    log = LogFile(store.root / LIVE_FOLDER, DAY_START_NS, instruments, [])
    for start in range(0, len(rows), FRAME):
        log.append(rows[start : start + FRAME])
    log.close()
    command = [sys.executable, "-c", ROLL_AND_TELL, str(store.root), str(log.path)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    print(f"roll of a log of {log.bytes / 2**20:,.0f} MB, {len(rows):,} rows, in a process of its own")
    print(f"  rows/s                     {len(rows) / float(told[1]) / 1e6:6.2f} M")
    print(f"  memory                     {int(told[0]) / 1e3:6.0f} MB")


ROLL_AND_TELL = """
import sys, time
from pathlib import Path
from workstation.history.rolling import roll_logs
from workstation.history.store import HistoryStore
start_s = time.perf_counter()
assert roll_logs(HistoryStore(Path(sys.argv[1])), [Path(sys.argv[2])]).failure is None
seconds = time.perf_counter() - start_s
(most,) = [line.split()[1] for line in Path("/proc/self/status").open() if line.startswith("VmHWM")]
print(most, seconds)
"""
"""VmHWM is of this program alone; what getrusage tells begins with the parent's memory."""


async def late_ticks(work: asyncio.Task[Any]) -> FloatArray:
    """By how many seconds each tick came late until `work` was done."""
    late = []
    while not work.done():
        due_s = time.perf_counter() + TICK_S
        await asyncio.sleep(TICK_S)
        late.append(time.perf_counter() - due_s)
    work.result()
    return np.array(late)


def show_stalls(title: str, late: FloatArray) -> None:
    p50, p99, worst = (float(np.quantile(late, q)) * 1e3 for q in (0.5, 0.99, 1))
    print(f"  stalls {title:<10}          p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   worst {worst:6.1f} ms")


def measure_bulk(folder: Path) -> None:
    rows, registry = some_rows(ROLL_ROWS), a_registry()
    settings = RecorderSettings(
        roll_interval_s=1e6, roll_bytes=2**40, writer=WriterSettings(buffer_bytes=2 * rows.nbytes)
    )
    store = HistoryStore(folder / "bulk")
    recorder = Recorder.open(store, now_ns=DAY_START_NS, settings=settings)
    start_s = time.perf_counter()
    for number in range(0, len(rows), BLOCK):
        recorder.record(rows[number : number + BLOCK], registry)
    recorder.sync()
    logged_s = time.perf_counter() - start_s
    start_s = time.perf_counter()
    store.query("SELECT count(*) FROM quotes")
    query_s = time.perf_counter() - start_s
    start_s = time.perf_counter()
    recorder.roll()
    rolled_s = time.perf_counter() - start_s
    recorder.close()
    bare_s = bare(folder, rows)
    size = sum(one.bytes for one in store.datasets()) / len(rows)
    print(f"{len(rows):,} rows at once, {SYMBOLS} symbols of two kinds")
    print(f"  into the log, synced       {len(rows) / logged_s / 1e6:6.2f} M rows/s")
    ratio = logged_s / bare_s
    print(f"  bare write and fsync       {len(rows) / bare_s / 1e6:6.2f} M rows/s   ours takes {ratio:.2f} x as long")
    print(f"  count over the tail        {query_s * 1e3:6.0f} ms")
    print(f"  roll into Parquet          {len(rows) / rolled_s / 1e6:6.2f} M rows/s   {size:.1f} bytes a row")


if __name__ == "__main__":
    main()
