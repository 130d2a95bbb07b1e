"""What was recorded: symbols, spans, rows, what was missed; a small file beside the logs, and the logs themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from workstation.history.durable import json_file, read_versioned, write_durably
from workstation.history.layout import Series
from workstation.history.live_log import LIVE_FOLDER, LogContents, LogFacts, Note, NoteKind
from workstation.history.live_rows import split_rows
from workstation.model.market import Rows, interval_label, rows_taken

RECORDING_NAME = "recording.json"
RECORDING_VERSION = 1
KEPT_GAPS = 1_000
"""Newest gaps that are kept one by one; older ones go on counting."""


class RecordedSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One series as it was received; times in ns UTC, the last one inclusive."""

    kind: str
    venue: str
    symbol: str
    interval: str | None
    rows: int
    start_ns: int
    end_ns: int


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """All recording in one history up to and with `last_log`."""

    version: int = RECORDING_VERSION
    last_log: str = ""
    last_received_ns: int | None = None
    last_row: int = 0
    """The gate's number of the last row."""
    rows: int = 0
    rows_missed: int = 0
    gap_count: int = 0
    gaps: tuple[Note, ...] = ()
    series: tuple[RecordedSeries, ...] = ()
    damages: tuple[str, ...] = ()
    """Logs of which a part could not be read, and where that part is kept."""


def load_recording(root: Path) -> Recording:
    """What the rolled logs had; empty where nothing was recorded. Raises HistoryCorrupt, naming the file."""
    path = root / LIVE_FOLDER / RECORDING_NAME
    advice = "delete it: the figures of collection begin anew, no row is lost"
    return read_versioned(path, Recording, RECORDING_VERSION, advice) or Recording()


def save_recording(root: Path, recording: Recording) -> None:
    write_durably(root / LIVE_FOLDER / RECORDING_NAME, json_file(recording))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRows:
    """The rows of one log in figures."""

    rows: int
    last_sequence: int | None
    """The highest; None where there is no row."""
    last_received_ns: int | None
    series: tuple[RecordedSeries, ...]


def logged_rows(log: LogContents) -> LoggedRows:
    rows = log.rows
    return LoggedRows(
        rows=len(rows),
        last_sequence=int(rows["sequence"].max()) if len(rows) else None,
        last_received_ns=int(rows["ts_received"][-1]) if len(rows) else None,
        series=tuple(recorded_series(*one) for one in split_rows(rows, log.instruments).items()),
    )


def with_log(recording: Recording, log: LogFacts, logged: LoggedRows, damage: str | None = None) -> Recording:
    """The recording with one more log; one that it has already changes nothing."""
    if log.path.name <= recording.last_log:
        return recording
    gaps = [note for note in log.notes if note.what is NoteKind.GAP]
    known = {(one.kind, one.venue, one.symbol, one.interval): one for one in recording.series}
    for one in logged.series:
        key = (one.kind, one.venue, one.symbol, one.interval)
        known[key] = _joined(known[key], one) if key in known else one
    last_ns = last_received_ns(log, logged.last_received_ns)
    return Recording(
        last_log=log.path.name,
        last_received_ns=recording.last_received_ns if last_ns is None else last_ns,
        last_row=recording.last_row if logged.last_sequence is None else rows_taken(logged.last_sequence),
        rows=recording.rows + logged.rows,
        rows_missed=recording.rows_missed + sum(note.rows or 0 for note in gaps),
        gap_count=recording.gap_count + len(gaps),
        gaps=(*recording.gaps, *gaps)[-KEPT_GAPS:],
        series=tuple(known[key] for key in sorted(known, key=str)),
        damages=recording.damages if damage is None else (*recording.damages, damage),
    )


def with_logs(recording: Recording, logs: Sequence[LogContents]) -> Recording:
    """The recording with what is not rolled yet, oldest log first; a torn end is no damage while a log is written."""
    for log in logs:
        fault = log.fault(is_written=True)
        damage = None if fault is None else f"{log.path}: {fault}"
        recording = with_log(recording, log, logged_rows(log), damage)
    return recording


def last_received_ns(log: LogFacts, last_row_ns: int | None) -> int | None:
    """Until when the log bears witness: its last row, or where it says that the recording stopped."""
    times = [note.at_ns for note in log.notes if note.what is NoteKind.STOPPED]
    return max(times if last_row_ns is None else [*times, last_row_ns], default=None)


def recorded_series(series: Series, rows: Rows) -> RecordedSeries:
    """At least one row of a series in figures."""
    return RecordedSeries(
        kind=series.kind,
        venue=series.key.venue,
        symbol=series.key.symbol,
        interval=None if series.interval_ns is None else interval_label(series.interval_ns),
        rows=len(rows),
        start_ns=int(np.min(rows["ts_received"])),
        end_ns=int(np.max(rows["ts_received"])),
    )


def _joined(one: RecordedSeries, other: RecordedSeries) -> RecordedSeries:
    return msgspec.structs.replace(
        one,
        rows=one.rows + other.rows,
        start_ns=min(one.start_ns, other.start_ns),
        end_ns=max(one.end_ns, other.end_ns),
    )
