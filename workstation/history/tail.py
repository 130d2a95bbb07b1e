"""The logs' valid tail for readers: rows that are in no segment yet, as segments in memory.

While a log is rolled its rows are in the log, then in the log and in a manifest, then in the manifest alone. A reader
that reads the logs first and the manifest after them, and leaves out each log that the manifest names as a source, has
every row once, wherever the roller is. The newest log is read first: it has rows only when the one before is finished.
It may be read half-written, so who reads many manifests looks whether one of them names it: the others, read before,
would lack what was written since.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from workstation.history.layout import PAIR_KINDS, Series, partition_slices
from workstation.history.live_log import LIVE_FOLDER, LogContents, LogFacts, logs_in, read_log
from workstation.history.live_rows import recorded_table, rows_of, split_rows
from workstation.history.manifest import Manifest
from workstation.history.opportunities import opportunity_tables
from workstation.history.segments import SEQUENCE, Segment, Source, Table, TailSegment, order_column, whole_numbers
from workstation.model.instrument import Instrument, InstrumentKey
from workstation.model.market import Rows

LOG_SOURCE = "live log "
"""Begins the name of a log as a source; the log's own name follows."""


class Tail:
    """One log's valid part, by series."""

    def __init__(self, log: LogContents) -> None:
        self.log = log
        self._split: dict[Series, Rows] | None = None
        self._tables = opportunity_tables(log.opportunities)

    def series(self) -> list[Series]:
        """Those with at least one row."""
        if self._split is None:
            self._split = split_rows(self.log.rows, self.log.instruments)
        return [*self._split, *self._tables]

    def table_of(self, series: Series) -> Table | None:
        """Its rows with the columns of its kind; None where there are none."""
        if series.kind in PAIR_KINDS:
            return self._tables.get(series)
        rows = self._rows_of(series)
        return recorded_table(series, rows) if len(rows) else None

    def _rows_of(self, series: Series) -> Rows:
        """In the order in which they came; a search for one series alone is cheaper than the split."""
        if self._split is not None:
            return self._split.get(series, self.log.rows[:0])
        return rows_of(series, self.log.rows, self.log.instruments)


def read_tails(root: Path) -> list[Tail]:
    """All logs with their valid parts, oldest first, to be read before any manifest."""
    tails: list[Tail] = []
    for path in reversed(logs_in(root / LIVE_FOLDER)):
        with suppress(FileNotFoundError):  # rolled since it was listed, so the manifest, read later, names it
            tails.append(Tail(read_log(path)))
    return tails[::-1]


def declared_rules(tails: Iterable[Tail], key: InstrumentKey) -> tuple[Instrument, ...]:
    """What the logs say of an instrument's rules, by time."""
    found = (one for tail in tails for one in tail.log.rules if one.key == key)
    return tuple(sorted(found, key=lambda one: one.valid_from_ns))


def log_source(log: LogFacts) -> Source:
    """The log as the source of its rows, which is how a reader knows that they are stored."""
    writer = "unknown" if log.header is None else log.header.written_by
    return Source(name=f"{LOG_SOURCE}{log.path.name}", content_hash=log.source_hash, written_by=writer)


def newest_rolled(manifests: Iterable[Manifest]) -> str:
    """The name of the last log that any of them has rows of; "" where none has."""
    sources = (source.name for manifest in manifests for source in manifest.sources)
    return max((name.removeprefix(LOG_SOURCE) for name in sources if name.startswith(LOG_SOURCE)), default="")


def tail_segments(series: Series, tails: Sequence[Tail], manifest: Manifest) -> list[Segment]:
    """What the logs have of a series that its manifest, read after them, does not name; one segment a partition."""
    found: list[Segment] = []
    for tail in tails:
        log = tail.log
        if manifest.source(log.source_hash) is not None:
            continue
        table = tail.table_of(series)
        if table is None:
            continue
        times = whole_numbers(table[order_column(series.kind, has_receipt=True)])
        for label, start, stop in partition_slices(times, series.period):
            part = table.slice(start, stop - start)
            found.append(
                TailSegment(
                    path=str(PurePosixPath(f"date={label}", log.path.name)),
                    start_ns=int(times[start]),
                    end_ns=int(times[stop - 1]),
                    rows=part.num_rows,
                    bytes=part.nbytes,
                    has_receipt=True,
                    scales={},
                    source=log_source(log),
                    has_sequence=SEQUENCE in table.column_names,
                    table=part,
                )
            )
    return found
