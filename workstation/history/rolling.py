"""A finished live log becomes Parquet segments, in steps that may end anywhere and be taken again.

Rows, series by series (each one's manifest names the log as its source) → the instruments' rules → what could not be
read, kept beside the log → the figures of the recording → the log is removed. A step that was done before does nothing.
"""

from dataclasses import dataclass
from pathlib import Path

from workstation.errors import HistoryMissing
from workstation.history.durable import sync_folder, write_durably
from workstation.history.live_log import LogContents, read_log
from workstation.history.live_rows import recorded_table, split_rows
from workstation.history.recording import load_recording, save_recording, with_log
from workstation.history.store import HistoryStore
from workstation.history.tail import log_source
from workstation.model.instrument import Instrument

DAMAGED_SUFFIX = ".damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolled:
    """What became of one log."""

    log: str
    rows: int
    damage: str | None
    """What could not be read, and where it is kept; None where all was valid."""


def roll_log(store: HistoryStore, path: Path) -> Rolled:
    """Moves a log that nobody writes any more into the store. Raises OSError and HistoryCorrupt, the log in place."""
    log = read_log(path)
    source = log_source(log)
    for series, rows in split_rows(log.rows, log.instruments).items():
        store.write(series, recorded_table(series, rows), source)
    for instrument in log.instruments.values():
        _put_if_new(store, instrument)
    damage = _keep_damaged(log)
    save_recording(store.root, with_log(load_recording(store.root), log, damage))
    path.unlink()
    sync_folder(path.parent)
    return Rolled(log=path.name, rows=len(log.rows), damage=damage)


def _put_if_new(store: HistoryStore, instrument: Instrument) -> None:
    try:
        known = store.instrument(instrument.key, instrument.valid_from_ns)
    except HistoryMissing:
        known = None
    if known != instrument:
        store.put_instrument(instrument)


def _keep_damaged(log: LogContents) -> str | None:
    """The bytes behind the valid part, in a file of their own: nothing is deleted unread."""
    if log.damage is None:
        return None
    rest = log.path.read_bytes()[log.valid_bytes :]
    kept = log.path.with_name(log.path.name + DAMAGED_SUFFIX)
    write_durably(kept, rest)
    return f"{log.path.name}: {log.damage.reason}; the {len(rest)} bytes behind it are kept in {kept}"
