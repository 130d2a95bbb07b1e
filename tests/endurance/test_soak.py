"""A desk for minutes or hours: 1,000 rows a second, five sessions; nothing dropped, memory flat, every run verified.

SOAK_MINUTES says how long (2 by default; `make soak` takes an hour).
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.faults.running import DECIDES_S, Engine, Venues, busy_session, until, write_configuration
from workstation.client.messages import Health, SessionStatus
from workstation.history.store import HistoryStore
from workstation.ledger.journal import read_runs
from workstation.research.verify import verify

MINUTES = float(os.environ.get("SOAK_MINUTES") or 2)
VENUES = "nova,orion,vega"
SYMBOLS = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
SESSIONS = [
    ("a", "nova", "orion", "BTC/USDT"),
    ("b", "nova", "vega", "BTC/USDT"),
    ("c", "nova", "orion", "ETH/USDT"),
    ("d", "orion", "vega", "ETH/USDT"),
    ("e", "nova", "orion", "SOL/USDT"),
]
ROWS_PER_SECOND = 1_000
MOST_GROWTH = 0.10
WARM_UP = 1 / 3
"""Of the time: windows, caches and allocator pools fill."""


@pytest.mark.soak
@pytest.mark.slow
def test_a_desk_that_runs_on_drops_nothing_grows_nowhere_and_can_be_verified(tmp_path: Path) -> None:
    with Venues(tmp_path, VENUES, quotes_per_second=ROWS_PER_SECOND) as venues:
        configuration = write_configuration(tmp_path, venues, symbols=SYMBOLS)
        with Engine(configuration) as engine, engine.client() as client:
            until(lambda: all(one.state == "live" for one in client.health().feeds), "feeds are live")
            for name, one, other, symbol in SESSIONS:
                client.start_session(busy_session(name, one, other, symbol=symbol))
            until(lambda: all(one.signals for one in client.sessions()), "every session has decided", DECIDES_S)
            seen = watch(client.health)
            assert [one.status for one in client.sessions()] == [SessionStatus.RUNNING] * len(SESSIONS)
            assert engine.end() == 0
    check(seen)
    store = HistoryStore(tmp_path / "home" / "history")
    for run in read_runs(engine.ledger):
        assert verify(engine.ledger, run.run_id, store).beyond == 0


def watch(health: Callable[[], Health]) -> list[Health]:
    """What the engine says of itself, each second."""
    seen: list[Health] = []
    end = time.monotonic() + 60 * MINUTES
    while time.monotonic() < end:
        seen.append(health())
        time.sleep(1)
    return seen


def check(seen: list[Health]) -> None:
    last = seen[-1]
    assert (last.dropped, last.conflated, last.rejected) == (0, 0, 0)
    assert last.problems == ()
    settled = seen[int(len(seen) * WARM_UP) :]
    times = np.array([one.now_ns - settled[0].now_ns for one in settled]) / 1e9
    slope, start = np.polyfit(times, [one.memory_mb for one in settled], 1)
    growth = slope * times[-1] / start
    rate = (last.rows - settled[0].rows) / times[-1]
    print(
        f"\n{rate:,.0f} rows/s for {times[-1]:.0f} s; receipt to windows p99 {last.loop_lag_ms_p99:.2f} ms; memory "
        f"{settled[0].memory_mb:.0f} to {last.memory_mb:.0f} MB, by its line {growth:+.1%}"
    )
    assert rate > 0.8 * ROWS_PER_SECOND, "too little to tell"
    assert growth < MOST_GROWTH
