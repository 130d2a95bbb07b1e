"""Rows and time go on behind everything that recording and live sessions know."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.bench import Bench, a_bench
from tests.session.desks import START_NS, random_quotes
from workstation.engine.last_place import last_place
from workstation.history.store import HistoryStore
from workstation.ledger.journal import Ledger
from workstation.model.events import Fact, SessionPaused
from workstation.model.ids import RunId, SessionId
from workstation.model.market import STEP_BITS
from workstation.session.manifest import PAPER, REPLAY, manifest_bytes, read_manifest

ROWS = random_quotes(5, 300)


@pytest.fixture
def bench(tmp_path: Path):
    with a_bench(tmp_path / "home") as bench:
        bench.start()
        yield bench


def journal(ledger: Ledger, mode: str, row: int, time_ns: int) -> None:
    """A session of that mode whose last fact stands behind `row`, in its second run."""
    session, manifest = SessionId(mode), read_manifest(ledger.runs()[0].manifest)
    for number in (1, 2):
        ledger.begin_run(session, RunId(f"{mode}.{number}"), manifest_bytes(replace(manifest, mode=mode)))
        sequence = row + number - 2 << STEP_BITS
        ledger.append(session, [Fact(SessionPaused(by="me"), sequence, time_ns)]).wait()


def test_where_nothing_is_known_all_begins(tmp_path: Path) -> None:
    assert last_place(tmp_path / "ledger.db", HistoryStore(tmp_path / "history")) == (0, 0)


def test_rows_go_on_behind_the_recorded_ones(bench: Bench) -> None:
    bench.play(ROWS)
    bench.recorder.sync()
    assert last_place(bench.ledger.path, bench.store) == (len(ROWS), int(ROWS["ts_received"][-1]))


def test_rows_go_on_behind_a_session_that_knows_more_than_the_recording(bench: Bench) -> None:
    journal(bench.ledger, PAPER, 1_000, START_NS + 7)
    assert last_place(bench.ledger.path, bench.store) == (1_000, START_NS + 7)


def test_the_numbers_of_replays_do_not_count(bench: Bench) -> None:
    journal(bench.ledger, REPLAY, 1_000, START_NS + 7)
    assert last_place(bench.ledger.path, bench.store).row < 1_000
