"""F24, F25: damaged files cost their own rows and who needs these, not the engine that records and trades on."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.cli.services import ROOT, environment
from tests.faults.running import DECIDES_S, Engine, Venues, busy_session, until, write_configuration
from tests.history.live import a_recorder, a_registry, live_rows, stored_numbers
from workstation.client.client import Client
from workstation.client.messages import SessionStatus, SessionSummary
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey

NAMES = ("nova", "orion")
SYMBOLS = {"btc": "BTC/USDT", "eth": "ETH/USDT"}


def session(client: Client, name: str) -> SessionSummary:
    """Waits for it: an engine that has just started may be recovering it still."""
    return until(lambda: next((one for one in client.sessions() if one.session == name), None), f"session {name}")


def have_traded(client: Client) -> bool:
    return all(session(client, name).signals for name in SYMBOLS)


@pytest.mark.slow
def test_f24_an_engine_over_damaged_files_records_on_and_only_who_needs_them_waits(tmp_path: Path) -> None:
    with Venues(tmp_path, ",".join(NAMES), quotes_per_second=200) as venues:
        configuration = write_configuration(tmp_path, venues)
        with Engine(configuration) as engine, engine.client() as client:
            for name, symbol in SYMBOLS.items():
                client.start_session(busy_session(name, *NAMES, symbol=symbol))
            until(lambda: have_traded(client), "both sessions trade", DECIDES_S)
            assert engine.end() == 0
        history = engine.home / "history"
        damaged = sorted(history.glob("kind=quotes/venue=nova/symbol=BTC*/**/*.parquet"))
        for path in damaged:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with Engine(configuration) as engine, engine.client() as client:
            until(
                lambda: session(client, "btc").status is SessionStatus.BROKEN, "the session says that it cannot go on"
            )
            reason = session(client, "btc").reason
            assert damaged[0].name in reason and "data check --set-aside" in reason
            assert any(damaged[0].name in problem for problem in client.health().problems)
            until(lambda: session(client, "eth").status is SessionStatus.RUNNING, "the other session goes on")
            known = session(client, "eth").signals
            until(lambda: session(client, "eth").signals > known, "the other session decides again", DECIDES_S)
            rows = client.health().rows
            until(lambda: client.health().rows > rows + 100, "it records")
            said = set_aside(engine, configuration)
            assert said.count("it was recorded, and nobody tells it again") == len(damaged)
            assert engine.end() == 0
        with Engine(configuration) as engine, engine.client() as client:
            until(lambda: session(client, "btc").status is SessionStatus.RUNNING, "the session goes on")
            known = session(client, "btc").signals
            until(lambda: session(client, "btc").signals > known, "it decides again", DECIDES_S)
            assert client.health().problems == ()
            assert engine.end() == 0
        assert [path.with_name(path.name + ".damaged").exists() for path in damaged] == [True] * len(damaged)
        key = InstrumentKey(Venue("nova"), Symbol("BTC/USDT"))
        assert len(HistoryStore(history).rows(key, HistoryKind.QUOTES, 0, as_recorded=True))


def set_aside(engine: Engine, configuration: Path) -> str:
    """What the command prints, run as a process of its own beside the engine."""
    arguments = ["data", "check", "--set-aside", "--config", str(configuration)]
    variables = environment(engine.home)
    done = subprocess.run(
        [sys.executable, "-m", "workstation", *arguments],
        capture_output=True,
        text=True,
        env=variables,
        cwd=ROOT,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_f25_no_database_file_is_there_to_be_locked_or_broken(tmp_path: Path) -> None:
    """DuckDB answers in memory, from what is recorded: each process has its own, and none has a file."""
    store, registry = HistoryStore(tmp_path), a_registry()
    (tmp_path / "history.duckdb").write_bytes(b"DUCK" * 1_000)
    recorder = a_recorder(store)
    with duckdb.connect(str(tmp_path.parent / "another.duckdb")) as held:  # as a person may have one open
        held.execute("CREATE TABLE t AS SELECT 1")
        for first in (1, 201):
            recorder.record(live_rows(200, first), registry)
            recorder.sync()
            assert stored_numbers(store) == list(range(1, first + 200))
            recorder.roll()
            assert stored_numbers(store) == list(range(1, first + 200))
    recorder.close()
    databases = [path for path in tmp_path.rglob("*") if path.is_file() and b"DUCK" in path.read_bytes()[:16]]
    assert databases == [tmp_path / "history.duckdb"]


READS = """
import sys, time
from pathlib import Path
from workstation.history.store import HistoryStore
store = HistoryStore(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    store.query("SELECT count(*), avg(bid) FROM quotes")
"""


def test_f25_a_process_killed_while_it_asks_leaves_nothing_that_others_trip_over(tmp_path: Path) -> None:
    store, registry = HistoryStore(tmp_path), a_registry()
    recorder = a_recorder(store)
    recorder.record(live_rows(2_000), registry)
    recorder.roll()
    for first in range(2_001, 2_601, 200):
        reader = subprocess.Popen(
            [sys.executable, "-c", READS, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert reader.stdout is not None and reader.stdout.readline() == "ready\n"
        recorder.record(live_rows(200, first), registry)
        recorder.roll()
        reader.kill()
        reader.wait()
        reader.stdout.close()
        assert stored_numbers(store) == list(range(1, first + 200))
    recorder.close()
    assert stored_numbers(store) == list(range(1, 2_601))
