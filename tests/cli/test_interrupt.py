"""Ctrl-C ends a replay with a sentence; its journal is whole, and the session goes on."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.histories import BTC, run, store_bars
from workstation.history.store import HistoryStore
from workstation.ledger.journal import read_runs

COMMAND = (
    "replay", "ma-cross", "--venue", "nova", "--symbol", BTC, "--interval", "1h",
    "--param", "fast=1", "--param", "slow=2", "--session", "cut", "--durable",
)  # fmt: skip


def facts_in(ledger: Path) -> int:
    """Durable facts; 0 while the ledger is being made."""
    if not ledger.exists():
        return 0
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        made = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'journal'").fetchone()[0]
        return int(connection.execute("SELECT count(*) FROM journal").fetchone()[0]) if made else 0


@pytest.mark.slow
def test_ctrl_c_leaves_a_journal_that_goes_on(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store_bars(HistoryStore(home / "history"), 5_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "workstation", *COMMAND],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    while facts_in(home / "ledger.db") < 100 and process.poll() is None:
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert "stopped by Ctrl-C; the journal is whole" in err and "Traceback" not in err
    assert run("verify", "cut.1") == 0
    assert run(*COMMAND[:-1]) != 2
    printed = capsys.readouterr()
    assert "session cut goes on after row " in printed.err
    assert [one.run_id for one in read_runs(home / "ledger.db")] == ["cut.1", "cut.2"]
    assert run("verify", "cut.2") == 0
