"""One engine with the connections of fifty venues: how soon all are live, and what they cost.

    python -m tests.benchmarks.many_venues [venues] [seconds]

Three simulated venues stand behind the fifty names. Each is a connection of its own, with its own client of ccxt.
"""

import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.faults.running import Engine, Venues, until

COUNT, SECONDS = 50, 60
BEHIND = ("nova", "orion", "vega")
PATIENCE_S = 300.0


def main() -> None:
    count, seconds = (int(given) for given in (sys.argv[1:] + [str(COUNT), str(SECONDS)][len(sys.argv) - 1 :])[:2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Venues(folder, ",".join(BEHIND)) as venues:
            began_s = time.monotonic()
            with Engine(configured(folder, venues, count)) as engine, engine.client() as client:
                until(
                    lambda: [one.state for one in client.health().feeds] == ["live"] * count,
                    "feeds are live",
                    PATIENCE_S,
                )
                print(f"  {count} venues live after     {time.monotonic() - began_s:8.1f} s")
                process = psutil.Process(engine.pid)
                began, cpu = client.health(), sum(process.cpu_times()[:2])
                time.sleep(seconds)
                ended = client.health()
                past_s = (ended.now_ns - began.now_ns) / 1e9
                share = (sum(process.cpu_times()[:2]) - cpu) / past_s
                print(f"  rows                       {(ended.rows - began.rows) / past_s:8,.0f} a second")
                print(f"  pairs of venues            {len(client.spreads()):8,}, in windows all the time")
                print(f"  dropped                    {ended.dropped - began.dropped:8,}")
                print(f"  reconnects                 {sum(one.reconnects for one in ended.feeds):8,}")
                print(f"  receipt to windows, p99    {ended.loop_lag_ms_p99:8.2f} ms")
                print(f"  engine                     {share:8.0%} of a core")
                print(f"  memory                     {process.memory_info().rss / 2**20:8,.0f} MB")


def configured(folder: Path, venues: Venues, count: int) -> Path:
    lines = [f'[paths]\nhome = "{folder / "home"}"', '[engine]\nsymbols = ["BTC/USDT"]']
    for number in range(count):
        behind = BEHIND[number % len(BEHIND)]
        lines.append(f'[venues.v{number:02d}]\nexchange = "binance"\nurl = "{venues.url}/{behind}"')
    file = folder / "workstation.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


if __name__ == "__main__":
    main()
