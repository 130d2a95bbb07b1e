"""Taking in files from elsewhere: columns by name, each row checked, bad rows named and kept out."""

import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from workstation import __version__
from workstation.errors import BadInput, ImportRefused
from workstation.history.checking import (
    Columns,
    Verdict,
    check_duplicates,
    check_order,
    check_rows,
    converted,
    stored_table,
)
from workstation.history.columns import map_columns
from workstation.history.layout import HistoryKind, Series
from workstation.history.rules import GivenRules, settled_instrument
from workstation.history.segments import Source, Table, order_column
from workstation.history.source_files import SourceTable, read_source
from workstation.history.store import HistoryStore
from workstation.history.timestamps import ABSENT
from workstation.history.writing import Written
from workstation.model.instrument import InstrumentKey, checked_key
from workstation.model.market import INTERVALS_NS, IntArray, interval_label

MAX_BAD_SHARE = 0.05
SHOWN_ROWS = 5
SHOWN_REJECTS = 10
ENOUGH_FOR_INTERVAL = 10
"""Fewer bars may all miss their neighbours, so their distance proves nothing."""

OnProgress = Callable[[str, int, int], None]
"""Told what is being done, rows done, rows in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """What a file is said to be. `columns` maps our names to the file's where names alone do not tell."""

    kind: HistoryKind
    venue: str
    symbol: str
    interval_ns: int | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    skip_lines: int = 0
    time_format: str | None = None
    sort: bool = False
    max_bad_share: float = MAX_BAD_SHARE
    rules: GivenRules = field(default_factory=GivenRules)

    def __post_init__(self) -> None:
        if self.kind is not HistoryKind.BARS and self.interval_ns is not None:
            raise BadInput(f"--interval {interval_label(self.interval_ns)}: {self.kind} have no interval")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that was kept out: its line in the file, why, and how it stands there."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did, or with `is_dry_run` would do."""

    series: Series
    file: str
    is_dry_run: bool
    mapping: dict[str, tuple[str, ...]]
    ignored: tuple[str, ...]
    rows_read: int
    rows_good: int
    rejected: tuple[Rejected, ...]
    """The first ones; all of them are in `rejects_path`."""
    rejected_by_reason: dict[str, int]
    rejects_path: Path | None
    written: Written | None
    first_rows: Table
    median_receive_minus_event_ns: int | None
    notes: tuple[str, ...]


def import_file(
    store: HistoryStore,
    path: Path,
    request: ImportRequest,
    *,
    is_dry_run: bool = False,
    rejects_folder: Path | None = None,
    on_progress: OnProgress | None = None,
) -> ImportReport:
    """Takes a .csv, .csv.gz, .parquet or .feather file into the store.

    Rejected rows go to a CSV file in `rejects_folder`, beside the source by default. Raises ImportRefused, with nothing
    stored, where a column or a time is ambiguous or over `max_bad_share` of the rows is bad; BadInput for an impossible
    venue or symbol.
    """
    tell = on_progress or (lambda _what, _done, _total: None)
    key = checked_key(request.venue, request.symbol)
    tell("reading", 0, 1)
    source = read_source(
        path, lambda names: map_columns(names, request.kind, key, request.columns, path.name), request.skip_lines
    )
    rows = source.table.num_rows
    tell("checking", 0, rows)
    checked = _checked(source, request)
    rejects = _rejects(source, checked.verdict)
    rejects_path = None
    if rejects and not is_dry_run:
        folder = rejects_folder or _folder_beside(store, source)
        with _disk_faults(path.name, folder):
            rejects_path = _write_rejects(folder, path.name, rejects)
    _refuse_if_bad(source, request, rejects, rejects_path)
    series, notes = _series(request, key, checked.times[checked.places], path.name)
    table = stored_table(request.kind, checked.columns, checked.places)
    written = None
    if not is_dry_run:
        instrument, said = settled_instrument(store, series, table, request.rules)
        notes += said
        with _disk_faults(path.name, store.root):
            lineage = _lineage(source, request)
            written = store.write(series, table, lineage, on_rows=lambda done: tell("writing", done, table.num_rows))
            if instrument is not None:  # after the rows: a refused file leaves no rules; a second run mends a crash
                store.put_instrument(instrument)
    lag_ns, lag_notes = _lag(table)
    return ImportReport(
        series=series,
        file=path.name,
        is_dry_run=is_dry_run,
        mapping=source.columns.sources,
        ignored=source.columns.ignored,
        rows_read=rows + len(source.malformed),
        rows_good=table.num_rows,
        rejected=tuple(rejects[:SHOWN_REJECTS]),
        rejected_by_reason=dict(Counter(one.reason for one in rejects)),
        rejects_path=rejects_path,
        written=written,
        first_rows=table.slice(0, SHOWN_ROWS),
        median_receive_minus_event_ns=lag_ns,
        notes=(*checked.notes, *notes, *lag_notes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    columns: Columns
    verdict: Verdict
    times: IntArray
    places: IntArray
    """Good rows in the order in which they are stored."""
    notes: list[str]


def _checked(source: SourceTable, request: ImportRequest) -> _Checked:
    columns, notes = converted(source, request.time_format)
    if request.kind is HistoryKind.TRADES:
        notes += _settle_side(columns, source.path.name)
    if request.kind is HistoryKind.MARKS:
        columns.setdefault("index_price", np.zeros(source.table.num_rows))
    verdict = Verdict(np.zeros(source.table.num_rows, np.uint8))
    check_rows(request.kind, columns, verdict)
    times = columns[order_column(request.kind, has_receipt="ts_received" in columns)]
    if request.interval_ns is not None:
        _check_grid(times, request.interval_ns, verdict)
    places, note = check_order(times, verdict, sort=request.sort)
    places = check_duplicates(request.kind, columns, places, verdict)
    notes += [note] if note else []
    return _Checked(columns=columns, verdict=verdict, times=times, places=places, notes=notes)


def _settle_side(columns: Columns, file: str) -> list[str]:
    side, maker = columns.pop("side", None), columns.pop("buyer_is_maker", None)
    if side is None and maker is None:
        return ["warning: no column tells the taker's side: stored without one, replays take the buyer as taker"]
    if side is not None and maker is not None and (side != maker).any():
        raise ImportRefused(f"{file}: the taker's side and the buyer-is-maker column contradict one another")
    columns["seller_takes"] = maker if side is None else side
    return []


def _check_grid(times: IntArray, interval_ns: int, verdict: Verdict) -> None:
    if 24 * 3600 * 10**9 % interval_ns == 0:  # weeks, and days by a calendar, do not begin on the epoch's grid
        is_off = (times != ABSENT) & (times % interval_ns != 0)
        verdict.reject(is_off, f"ts_open is not a whole multiple of {interval_label(interval_ns)}")


def _series(request: ImportRequest, key: InstrumentKey, times: IntArray, file: str) -> tuple[Series, list[str]]:
    """The series with its interval, which is found in the bars where it is not given, and a sentence on that."""
    if request.kind is not HistoryKind.BARS:
        return Series(kind=request.kind, key=key, interval_ns=request.interval_ns), []
    shortest = int(np.diff(times).min()) if len(times) > 1 else 0
    given = request.interval_ns
    if given is not None:
        if len(times) >= ENOUGH_FOR_INTERVAL and shortest != given:
            raise ImportRefused(
                f"{file}: bars are at least {shortest / 1e9:,.0f} s apart, --interval says {interval_label(given)}"
            )
        return Series(kind=request.kind, key=key, interval_ns=given), []
    if shortest not in INTERVALS_NS:
        raise ImportRefused(
            f"{file}: the interval is not to be seen ({len(times)} bars, at least {shortest / 1e9:,.0f} s apart): "
            "give it, such as --interval 1h"
        )
    note = f"interval {interval_label(shortest)}: the shortest distance between two bars"
    return Series(kind=request.kind, key=key, interval_ns=shortest), [note]


def _rejects(source: SourceTable, verdict: Verdict) -> list[Rejected]:
    bad = np.flatnonzero(~verdict.is_good)
    reasons = {int(source.lines[row]): verdict.reasons[verdict.codes[row] - 1] for row in bad} | source.malformed
    return [Rejected(line=line, reason=reasons[line], text=source.text_of(line)) for line in sorted(reasons)]


def _refuse_if_bad(
    source: SourceTable, request: ImportRequest, rejects: list[Rejected], rejects_path: Path | None
) -> None:
    total = source.table.num_rows + len(source.malformed)
    if len(rejects) <= request.max_bad_share * total and len(rejects) < total:
        return
    counts = Counter(one.reason for one in rejects).most_common(3)
    first = rejects[0]
    where = "" if rejects_path is None else f" All of them are in {rejects_path}."
    raise ImportRefused(
        f"{source.path.name}: {len(rejects):,} of {total:,} rows are bad, over {request.max_bad_share:.0%} "
        f"(--max-bad-percent): "
        f"nothing was stored. {'; '.join(f'{count:,} rows: {reason}' for reason, count in counts)}. "
        f"First, line {first.line}: {first.text}.{where}"
    )


def _lineage(source: SourceTable, request: ImportRequest) -> Source:
    read_as = {
        "columns": {ours: list(theirs) for ours, theirs in source.columns.sources.items()},
        "skip_lines": request.skip_lines,
        "time_format": request.time_format,
        "sort": request.sort,
    }
    return Source(
        name=source.path.name,
        content_hash=source.content_hash,
        written_by=f"workstation {__version__}",
        options=json.dumps(read_as, sort_keys=True),
    )


@contextmanager
def _disk_faults(file: str, folder: Path) -> Iterator[None]:
    """A full or failing disk as a sentence; files of the history are whole or not there (see `durable`)."""
    try:
        yield
    except OSError as error:
        raise ImportRefused(
            f"{file}: writing to {folder} failed: {error.strerror or error}. No stored file is torn: "
            "free space there, or allow writing, and run the import again"
        ) from error


def _folder_beside(store: HistoryStore, source: SourceTable) -> Path:
    """The source's folder, or one below the history where that cannot be written."""
    beside = source.path.parent
    return beside if os.access(beside, os.W_OK) else store.root / "rejects" / source.content_hash[:16]


def _write_rejects(folder: Path, name: str, rejects: list[Rejected]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.rejects.csv"
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason", "text"))
        writer.writerows((one.line, one.reason, one.text) for one in rejects)
    return target


def _lag(table: Table) -> tuple[int | None, list[str]]:
    """Median of receipt minus event in ns where every row has both, and a warning where it is negative."""
    if "ts_event" not in table.column_names or table["ts_event"].null_count + table["ts_received"].null_count:
        return None, []
    lag_ns = int(np.median(table["ts_received"].to_numpy() - table["ts_event"].to_numpy()))
    if lag_ns >= 0:
        return lag_ns, []
    behind_ms = -lag_ns / 1e6
    return lag_ns, [
        f"warning: received {behind_ms:,.0f} ms before they happened (median): the receiver's clock was behind"
    ]
