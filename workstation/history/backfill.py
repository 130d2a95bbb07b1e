"""Filling a series from a venue's past: what was asked for is kept, so a stop costs little and nothing is asked twice.

`asked.json` beside a series' manifest has the spans that the venue has answered for in full; where it said nothing,
there is nothing. Rows come to the disk before the span that they belong to is named: whoever is killed between the two
asks for these again, and the store knows them.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
import pyarrow as pa

from workstation import __version__
from workstation.errors import DownloadRunning
from workstation.history.bar_storing import content_hash
from workstation.history.durable import alone, json_file, one_writer, read_versioned, write_durably
from workstation.history.layout import HistoryKind, Series
from workstation.history.segments import Source, Table
from workstation.history.store import HistoryStore

ASKED_NAME = "asked.json"
ASKED_VERSION = 1
FILLING_NAME = ".filling"
"""Locked by whoever fills a series: two at a time would ask a venue for the same."""
FLUSH_ROWS = 100_000
FLUSH_S = 15.0

Spans = tuple[tuple[int, int], ...]
"""[from, to) in ns UTC, ascending, apart."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """For which spans a venue was asked in full; of a series that is filled from one exchange."""

    version: int = ASKED_VERSION
    exchange: str = ""
    spans: Spans = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows of one answer, sorted; with them everything before `until_ns` is here."""

    table: Table
    until_ns: int


class Pages(Protocol):
    """Asks for a span, page by page, in order of time."""

    def __call__(self, start_ns: int, end_ns: int) -> AsyncIterator[Page]: ...


@dataclass(slots=True)
class Filled:
    """What came of it so far."""

    rows_came: int = 0
    """Of all answers, those that wait to be stored too."""
    rows_stored: int = 0
    rows_known: int = 0
    rows_differing: int = 0
    pages: int = 0
    asked_ns: int = 0
    """Length of the spans that were asked for in this run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlushLimits:
    """After how much the rows that wait are stored: what a kill can cost."""

    rows: int = FLUSH_ROWS
    seconds: float = FLUSH_S
    clock: Callable[[], float] = field(default=time.monotonic)


def load_asked(folder: Path) -> Asked:
    """Empty where nothing was asked for. Raises HistoryCorrupt, naming the file."""
    advice = "delete it: the span is asked for again, no row is doubled"
    return read_versioned(folder / ASKED_NAME, Asked, ASKED_VERSION, advice) or Asked()


def missing_spans(spans: Iterable[tuple[int, int]], start_ns: int, end_ns: int) -> list[tuple[int, int]]:
    """What of [start, end) lies in none of the spans, ascending."""
    missing, at = [], start_ns
    for first, last in sorted(spans):
        if first > at:
            missing.append((at, min(first, end_ns)))
        at = max(at, last)
        if at >= end_ns:
            break
    if at < end_ns:
        missing.append((at, end_ns))
    return [(first, last) for first, last in missing if first < last]


def joined_spans(spans: Iterable[tuple[int, int]]) -> Spans:
    """The same moments in as few spans as can be, ascending."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        elif first < last:
            joined.append((first, last))
    return tuple(joined)


class Backfill:
    """Fills one series from one exchange. `on_progress` is told the length done, and the length in all, in ns."""

    def __init__(
        self,
        store: HistoryStore,
        series: Series,
        exchange: str,
        *,
        limits: FlushLimits | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._store, self._series, self._exchange = store, series, exchange
        self._folder = store.root / series.folder
        self._limits = FlushLimits() if limits is None else limits
        self._tell = on_progress or (lambda _done, _total: None)
        self.filled = Filled()

    def missing(self, start_ns: int, end_ns: int, *, again: bool = False) -> list[tuple[int, int]]:
        """What of the span is yet to be asked for; `again`: all of it. Raises HistoryCorrupt."""
        asked = load_asked(self._folder)
        is_known = asked.exchange == self._exchange and not again
        return missing_spans(asked.spans if is_known else (), start_ns, end_ns)

    async def run(self, pages: Pages, spans: Sequence[tuple[int, int]]) -> Filled:
        """Asks for the spans and stores what comes; whatever ends it, what came before is stored.

        Raises what `pages` raises, HistoryCorrupt, OSError; DownloadRunning while another process fills the series.
        """
        with alone(self._folder, FILLING_NAME) as is_alone:
            if not is_alone:
                raise DownloadRunning(
                    f"{self._series}: another process downloads it already: wait for it, or stop it; what it stores is "
                    "not asked for again"
                )
            return await self._run(pages, spans)

    async def _run(self, pages: Pages, spans: Sequence[tuple[int, int]]) -> Filled:
        total = sum(end - start for start, end in spans)
        for start_ns, end_ns in spans:
            waiting = _Waiting(start_ns)
            begun_s = self._limits.clock()
            try:
                async for page in pages(start_ns, end_ns):
                    self.filled.pages += 1
                    self.filled.rows_came += page.table.num_rows
                    waiting.add(page)
                    is_late = self._limits.clock() - begun_s >= self._limits.seconds
                    if waiting.rows >= self._limits.rows or is_late:
                        self._flush(waiting)
                        begun_s = self._limits.clock()
                    self._tell(self.filled.asked_ns + waiting.until_ns - waiting.from_ns, total)
                waiting.until_ns = end_ns
            finally:
                self._flush(waiting)
            self._tell(self.filled.asked_ns, total)
        return self.filled

    def _flush(self, waiting: "_Waiting") -> None:
        """Stores what waits, then names its span."""
        if waiting.until_ns <= waiting.from_ns:
            return
        if waiting.rows:
            table = _sorted(self._series.kind, pa.concat_tables(waiting.tables))
            source = Source(
                name=f"download from {self._exchange}",
                content_hash=content_hash(table, self._exchange, str(self._series)),
                written_by=f"workstation {__version__}",
            )
            written = self._store.write(self._series, table, source)
            self.filled.rows_stored += written.rows_stored
            self.filled.rows_known += written.rows_known
            self.filled.rows_differing += written.rows_differing
        self._name(waiting.from_ns, waiting.until_ns)
        self.filled.asked_ns += waiting.until_ns - waiting.from_ns
        waiting.begin(waiting.until_ns)

    def _name(self, start_ns: int, end_ns: int) -> None:
        with one_writer(self._folder):
            before = load_asked(self._folder)
            spans = before.spans if before.exchange == self._exchange else ()
            asked = Asked(exchange=self._exchange, spans=joined_spans([*spans, (start_ns, end_ns)]))
            write_durably(self._folder / ASKED_NAME, json_file(asked))


class _Waiting:
    """Pages that are not stored yet: rows from `from_ns` on, whole up to `until_ns`."""

    def __init__(self, from_ns: int) -> None:
        self.begin(from_ns)

    def begin(self, from_ns: int) -> None:
        self.from_ns = self.until_ns = from_ns
        self.tables: list[Table] = []
        self.rows = 0

    def add(self, page: Page) -> None:
        self.tables.append(page.table)
        self.rows += page.table.num_rows
        self.until_ns = max(self.until_ns, page.until_ns)


def _sorted(kind: HistoryKind, table: Table) -> Table:
    column = "ts_open" if kind is HistoryKind.BARS else "ts_event"
    times = table[column].to_numpy()
    return table if (np.diff(times) >= 0).all() else table.take(pa.array(np.argsort(times, kind="stable")))
