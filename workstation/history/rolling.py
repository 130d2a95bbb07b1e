"""A finished live log becomes Parquet segments, in steps that may end anywhere and be taken again.

Rows, series by series (each one's manifest names the log as its source), then opportunities → the instruments' rules →
what could not be read, kept beside the log → the figures of the recording → the log is removed. A step that was done
before does nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from workstation.errors import OperatorError
from workstation.history.durable import one_writer, sync_folder, write_durably
from workstation.history.instruments import put_instruments
from workstation.history.layout import Series
from workstation.history.live_log import LIVE_FOLDER, LogFacts
from workstation.history.live_rows import recorded_table
from workstation.history.log_series import GROUP_SERIES, LogBySeries
from workstation.history.opportunities import opportunity_tables
from workstation.history.recording import (
    LoggedRows,
    RecordedSeries,
    load_recording,
    recorded_series,
    save_recording,
    with_log,
)
from workstation.history.segments import Table
from workstation.history.store import HistoryStore
from workstation.history.tail import log_source
from workstation.model.market import Rows

DAMAGED_SUFFIX = ".damaged"
LOCK_NAME = "roll.lock"
"""Held by whoever rolls: a process that was left behind may still be at it when the next one begins."""


class Rolled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one log."""

    log: str
    rows: int
    damage: str | None
    """What could not be read, and where it is kept; None where all was valid."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of several logs, in their order; `failure` says why one could not be rolled, and none behind it."""

    rolled: tuple[Rolled, ...] = ()
    failure: str | None = None


def roll_logs(store: HistoryStore, paths: Sequence[Path]) -> Outcome:
    """Rolls the logs in order up to the first that cannot be rolled."""
    with one_writer(store.root / LIVE_FOLDER, LOCK_NAME):
        return roll_held(store, [path for path in paths if path.exists()])


def roll_held(store: HistoryStore, paths: Iterable[Path]) -> Outcome:
    """As roll_logs, for a caller that holds the lock."""
    rolled: list[Rolled] = []
    for path in paths:
        try:
            rolled.append(roll_log(store, path))
        except (OSError, OperatorError, pa.ArrowException) as error:
            why = f"{path}: not rolled into Parquet, its rows stay readable here: {error}"
            return Outcome(rolled=tuple(rolled), failure=why)
    return Outcome(rolled=tuple(rolled))


def roll_log(store: HistoryStore, path: Path) -> Rolled:
    """Moves a log that nobody writes any more into the store. Raises OSError and HistoryCorrupt, the log in place."""
    log = LogBySeries(path)
    facts, found = log.facts, list[RecordedSeries]()
    for group in log.groups():
        store.write_all(_tables(group, found), log_source(facts))
    tables = list(opportunity_tables(facts.opportunities).items())
    for first in range(0, len(tables), GROUP_SERIES):
        store.write_all(tables[first : first + GROUP_SERIES], log_source(facts))
    put_instruments(store.root, facts.rules)
    damage = _keep_damaged(facts)
    logged = LoggedRows(
        rows=log.rows,
        last_sequence=log.last_sequence,
        last_received_ns=log.last_received_ns,
        series=tuple(found),
    )
    save_recording(store.root, with_log(load_recording(store.root), facts, logged, damage))
    path.unlink()
    sync_folder(path.parent)
    return Rolled(log=path.name, rows=log.rows, damage=damage)


def _tables(group: Iterable[tuple[Series, Rows]], found: list[RecordedSeries]) -> Iterator[tuple[Series, Table]]:
    for series, rows in group:
        found.append(recorded_series(series, rows))
        yield series, recorded_table(series, rows)


def _keep_damaged(log: LogFacts) -> str | None:
    """Frames of which nothing could be made, a line each, and the bytes behind the valid part, in a file of their own:
    nothing is deleted unread."""
    fault = log.fault()
    if fault is None:
        return None
    unread = b"".join(one.payload + b"\n" for one in log.unread)
    rest = unread if log.damage is None else unread + log.path.read_bytes()[log.valid_bytes :]
    kept = log.path.with_name(log.path.name + DAMAGED_SUFFIX)
    write_durably(kept, rest)
    return f"{log.path.name}: {fault}; what could not be read, {len(rest)} bytes, is kept in {kept}"
