"""An engine whose windows are full: 100 symbols at three venues, 10,000 quotes a second through ccxt.pro, for long.

    python -m tests.benchmarks.full_desk [minutes, filling included] [symbols] [quotes a second]

A window is 30 minutes: from then on nothing may be dropped, and memory is to be flat. A shorter run says how full they
are. The engine is the command, as a user has it; the simulator has a process of its own beside it.
"""

import asyncio
import re
import signal
import sys
import tempfile
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from tests.cli.services import lines_until, process_of
from tests.faults.forked import fork
from tests.faults.running import Running, Venues, until, write_configuration
from workstation.client.access import read_token
from workstation.client.client import Client
from workstation.client.messages import Health
from workstation.model.durations import MINUTE_NS
from workstation.model.ids import Symbol
from workstation.simulator.market_source import ModelSource
from workstation.simulator.markets import MarketModel
from workstation.simulator.server import ServerSettings, SimulatedExchanges
from workstation.simulator.settings import NOVA, ORION, SOL, VEGA

MINUTES, SYMBOLS, RATE = 5, 100, 10_000
VENUES = (NOVA, ORION, VEGA)
FULL_MINUTES = 30
PATIENCE_S = 300.0


class Crowd(Venues):
    """The usual venues, with many symbols."""

    def __init__(self, folder: Path, symbols: list[str], rate: float) -> None:
        log = folder / "venues.log"
        Running.__init__(self, *fork(simulate, symbols, rate, log=log), log)
        self.names = [str(one.venue) for one in VENUES]


def simulate(symbols: list[str], rate: float, told: Connection) -> None:
    async def serve() -> None:
        listed = tuple(replace(SOL, symbol=Symbol(symbol)) for symbol in symbols)
        source = ModelSource(MarketModel(seed=1, venues=VENUES, symbols=listed), rate)
        exchanges = SimulatedExchanges(source, ServerSettings(port=0))
        await exchanges.start()
        told.send(exchanges.port)
        await exchanges.wait()

    asyncio.run(serve())


def main() -> None:
    given = [int(one) for one in sys.argv[1:]]
    minutes, count, rate = given + [MINUTES, SYMBOLS, RATE][len(given) :]
    symbols = [f"C{number:02d}/USDT" for number in range(count)]
    with tempfile.TemporaryDirectory() as name, Crowd(Path(name), symbols, rate) as venues:
        home = Path(name)
        write_configuration(home, venues, symbols=symbols)
        with process_of(home, ["engine", "--port", "0"]) as engine:
            address = re.search(r"^API +(http://\S+)$", lines_until(engine, "Ctrl-C ends it"), re.MULTILINE)
            assert address is not None
            with Client(address[1], read_token(home), by="benchmark", timeout_s=PATIENCE_S) as client:
                wanted = [("live", count)] * len(VENUES)
                until(lambda: [(one.state, one.symbols) for one in client.health().feeds] == wanted, "live", PATIENCE_S)
                print(f"  {count} symbols at {len(VENUES)} venues, {len(client.spreads())} pairs", flush=True)
                watch(client, psutil.Process(engine.pid), minutes)
            engine.send_signal(signal.SIGINT)
            engine.wait(PATIENCE_S)


def watch(client: Client, process: psutil.Process, minutes: int) -> None:
    """A line a minute; memory from when the windows are full."""
    began = before = client.health()
    cpu_s = sum(process.cpu_times()[:2])
    full_mb: list[float] = []
    for minute in range(1, minutes + 1):
        time.sleep(max(0.0, (began.now_ns + minute * MINUTE_NS - client.health().now_ns) / 1e9))
        now, used_s = client.health(), sum(process.cpu_times()[:2])
        past_s = (now.now_ns - before.now_ns) / 1e9
        memory_mb = process.memory_info().rss / 2**20
        print(
            f"  minute {minute:3}, windows {min(1.0, minute / FULL_MINUTES):4.0%} full: "
            f"{(now.rows - before.rows) / past_s:7,.0f} rows/s, dropped {now.dropped - began.dropped}, "
            f"conflated {now.conflated - began.conflated}, p99 {now.loop_lag_ms_p99:.2f} ms, "
            f"{(used_s - cpu_s) / past_s:4.0%} of a core, {memory_mb:,.0f} MB",
            flush=True,
        )
        full_mb += [memory_mb] if minute >= FULL_MINUTES else []
        before, cpu_s = now, used_s
    tell_end(began, before, full_mb)


def tell_end(began: Health, ended: Health, full_mb: list[float]) -> None:
    if len(full_mb) > 1:
        print(f"  memory with full windows: {full_mb[0]:,.0f} MB at first, {full_mb[-1]:,.0f} MB at last")
    print(f"  reconnects {sum(one.reconnects for one in ended.feeds)}, rows {ended.rows - began.rows:,}")
    if ended.recorder is not None:
        print(f"  recorder: {ended.recorder.rows:,} rows, {ended.recorder.failure or 'no failure'}")


if __name__ == "__main__":
    main()
