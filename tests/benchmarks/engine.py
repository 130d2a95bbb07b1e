"""An engine at 10,000 quotes a second: three simulated venues, ccxt.pro, windows and recorder.

    python -m tests.benchmarks.engine [quotes a second] [seconds]

The simulator has a process of its own beside it. Goals: nothing dropped, receipt to windows under 5 ms (p99).
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from tests.faults.running import Engine, Venues, until, write_configuration
from workstation.client.client import Client
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey

RATE, SECONDS = 10_000, 60
VENUES = "nova,orion,vega"
SYMBOLS = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
WARM_UP_S = 10


def main() -> None:
    rate, seconds = (int(given) for given in (sys.argv[1:] + [str(RATE), str(SECONDS)][len(sys.argv) - 1 :])[:2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Venues(folder, VENUES, quotes_per_second=rate) as venues:
            configuration = write_configuration(folder, venues, symbols=SYMBOLS)
            with Engine(configuration) as engine, engine.client() as client:
                until(lambda: [one.state for one in client.health().feeds] == ["live"] * 3, "feeds are live")
                until(lambda: sum(one.symbols for one in client.health().feeds) == 9, "all is watched")
                time.sleep(WARM_UP_S)
                measure(client, psutil.Process(engine.pid), psutil.Process(venues.pid), seconds)
                engine.end()
            print_travel(HistoryStore(engine.home / "history"))


def print_travel(store: HistoryStore) -> None:
    """From the venue's time to the engine's stamp: sockets, ccxt's parsing, and what had to wait for them."""
    keys = [InstrumentKey(Venue(venue), Symbol(symbol)) for venue in VENUES.split(",") for symbol in SYMBOLS]
    trades = np.concatenate([store.rows(key, HistoryKind.TRADES, 0, as_recorded=True) for key in keys])
    took_ms = (trades["ts_received"] - trades["ts_event"]) / 1e6  # the venue's time is cut to the millisecond
    middle, most = np.percentile(took_ms, [50, 99])
    print(f"  venue to receipt, trades   {middle:9.2f} ms, p99 {most:.2f} ms, the simulator's own delay among it")


def measure(client: Client, engine: psutil.Process, venues: psutil.Process, seconds: int) -> None:
    processes = {"engine": engine, "simulator": venues}
    began, cpu = client.health(), {name: sum(one.cpu_times()[:2]) for name, one in processes.items()}
    lags = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(1)
        lags.append(client.health().loop_lag_ms_p99)
    ended = client.health()
    past_s = (ended.now_ns - began.now_ns) / 1e9
    rows = ended.rows - began.rows
    print(f"  rows into windows          {rows / past_s:9,.0f} a second over {past_s:.0f} s")
    print(f"  dropped, conflated         {ended.dropped - began.dropped:9,} and {ended.conflated - began.conflated:,}")
    print(f"  reconnects                 {sum(one.reconnects for one in ended.feeds):9,}")
    print(f"  receipt to windows, p99    {ended.loop_lag_ms_p99:9.2f} ms over the last minute (worst {max(lags):.2f})")
    for name, one in processes.items():
        share = (sum(one.cpu_times()[:2]) - cpu[name]) / past_s
        print(f"  {name:<26} {share:9.0%} of a core, {one.memory_info().rss / 2**20:,.0f} MB")
    print(f"  engine, for each row       {(sum(engine.cpu_times()[:2]) - cpu['engine']) / max(rows, 1) * 1e6:9.1f} us")
    if ended.recorder is not None:
        print(f"  recorder                   {ended.recorder.rows:9,} rows, {ended.recorder.failure or 'no failure'}")


if __name__ == "__main__":
    main()
