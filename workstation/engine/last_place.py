"""Where rows and time go on: behind the last ones that the recording or any live session knows."""

from pathlib import Path
from typing import NamedTuple

from workstation.history.store import HistoryStore
from workstation.ledger.journal import read_last_place, read_latest_runs
from workstation.model.market import rows_taken
from workstation.session.manifest import REPLAY, read_manifest


class LastPlace(NamedTuple):
    """The last row's number, and the last time (ns)."""

    row: int
    time_ns: int


def last_place(ledger: Path, store: HistoryStore) -> LastPlace:
    """Of recording and ledger together; a ledger that is not there yet knows nothing.

    Replays do not count: they have numbers and times of their own.
    """
    recording = store.recording()
    rows, times = [recording.last_row], [recording.last_received_ns or 0]
    for run in read_latest_runs(ledger) if ledger.exists() else ():
        last = None if read_manifest(run.manifest).mode == REPLAY else read_last_place(ledger, run.session_id)
        if last is not None:
            rows.append(rows_taken(last[0]))
            times.append(last[1])
    return LastPlace(max(rows), max(times))
