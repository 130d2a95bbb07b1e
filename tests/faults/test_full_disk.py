"""F22: a real file system without space under the history: recording stops and says so, trading goes on, it resumes.

The disk is a small one in memory of this test's own; where none can be mounted, the test is skipped.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.running import DECIDES_S, PATIENCE_S, Engine, Venues, busy_session, until, write_configuration
from workstation.client.client import Client
from workstation.client.messages import RecorderView, SessionStatus, SessionSummary
from workstation.history.layout import HistoryKind
from workstation.history.live_log import LIVE_FOLDER, NoteKind, logs_in, scan_log
from workstation.history.store import HistoryStore
from workstation.ledger.journal import read_runs
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.research.verify import verify

NAMES = ("nova", "orion")
SIZE = 6 * 2**20
SPARED = 256 * 2**10
"""A few seconds of what is recorded here."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Where the history goes."""
    folder = tmp_path / "home" / "history"
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "small_disk", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def session(client: Client) -> SessionSummary:
    return until(lambda: next(iter(client.sessions()), None), "the session")


def recorder(client: Client) -> RecorderView:
    view = client.health().recorder
    assert view is not None
    return view


@pytest.mark.slow
def test_a_full_disk_stops_the_recording_alone_and_it_resumes_with_the_space(small_disk: Path, tmp_path: Path) -> None:
    ballast = small_disk / "ballast"
    with Venues(tmp_path, ",".join(NAMES), quotes_per_second=200) as venues:
        configuration = write_configuration(tmp_path, venues)
        with Engine(configuration) as engine, engine.client() as client:
            client.start_session(busy_session("busy", *NAMES))
            until(lambda: session(client).signals, "it trades", DECIDES_S)
            with ballast.open("wb") as file:  # until nothing goes in
                free = subprocess.run(["df", "--output=avail", "-B1", small_disk], capture_output=True, text=True)
                file.write(b"x" * (int(free.stdout.split()[-1]) - SPARED))

            until(lambda: recorder(client).state == "failed", "the recorder says that it stopped", 2 * PATIENCE_S)
            assert "No space left on device" in (recorder(client).failure or "")
            assert any(one.startswith("recorder: ") and "No space" in one for one in client.health().problems)
            before = session(client)
            until(lambda: session(client).signals > before.signals, "it trades on", DECIDES_S)
            after = session(client)
            assert after.status is SessionStatus.RUNNING and client.health().dropped == 0
            written = recorder(client).rows

            ballast.unlink()
            until(lambda: recorder(client).state == "recording", "it records again")
            until(lambda: recorder(client).rows > written + 100, "rows come")
            assert client.health().problems == ()
            notes = [note for log in logs_in(small_disk / LIVE_FOLDER) for note in scan_log(log, lambda *_: None).notes]
            gap = next(note for note in notes if note.what is NoteKind.GAP)
            assert gap.rows and gap.from_ns and gap.to_ns and gap.to_ns > gap.from_ns
            assert "No space left on device" in (gap.why or "")
            assert engine.end() == 0
        rows = HistoryStore(small_disk).rows(
            InstrumentKey(Venue("nova"), Symbol("BTC/USDT")), HistoryKind.QUOTES, 0, as_recorded=True
        )
        times = rows["ts_received"]
        assert times[0] < gap.from_ns and times[-1] > gap.to_ns and (times[1:] >= times[:-1]).all()
        for run in read_runs(engine.ledger):
            verify(engine.ledger, run.run_id)
