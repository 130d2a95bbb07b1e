"""The live log's writer: the caller leaves rows in a buffer, one thread brings them to the disk.

What waits is written as one frame every `write_interval_s` and synced every `sync_interval_s`. When the disk refuses,
recording stops, with `failure` saying why, and what comes is counted and let go: whoever trades is not held up. When a
new log can be opened again, it begins with a note of the gap.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workstation.errors import BadInput
from workstation.history.live_log import Declared, Note, NoteKind, logs_in
from workstation.history.log_file import LogFile
from workstation.history.opportunities import KeptOpportunity
from workstation.history.said import Counted, Mark, Missed, Numbered, Numbers, Said, missed_rows
from workstation.history.series_counts import INSTRUMENT_BITS, SeriesCounts, rows_by_code
from workstation.history.unkept import Unkept
from workstation.history.waiting import Waiting
from workstation.model.instrument import Instrument
from workstation.model.market import Rows

FRAME_ROWS = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterSettings:
    """Seconds between writes, syncs, and attempts after a failure; bytes that may wait before rows are let go."""

    write_interval_s: float = 0.1
    sync_interval_s: float = 1.0
    retry_interval_s: float = 10.0
    buffer_bytes: int = 64 * 2**20

    def __post_init__(self) -> None:
        for name in ("write_interval_s", "sync_interval_s", "retry_interval_s", "buffer_bytes"):
            if not getattr(self, name) > 0:
                raise BadInput(f"live log: {name} {getattr(self, name)}: expected more than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterState:
    """The writer in figures, since it began. `lag_s` is the age of the oldest row that is not on the disk."""

    rows_written: int
    rows_missed: int
    opportunities_missed: int
    bytes_written: int
    synced_sequence: int | None
    """The gate's number of the last row that is on the disk."""
    lag_s: float
    failure: str | None
    """Why nothing is recorded now; None while it works."""


class LogWriter:
    """Writes logs into `folder`, one after the other; starts its thread at once, `close` ends it."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: WriterSettings | None = None,
        first_notes: tuple[Note, ...] = (),
        after: int = 0,
    ) -> None:
        """`after` is the number of the last log there was, in the folder or rolled."""
        self._folder = folder
        self._settings = WriterSettings() if settings is None else settings
        self._waiting: Waiting[Said] = Waiting(self._settings.buffer_bytes)
        self._rows_let_go = self._opportunities_let_go = 0  # by the caller
        self._counts = SeriesCounts()
        self._marks: set[Mark] = set()
        self._lock = threading.Lock()  # over the orders
        self._orders: list[tuple[Callable[[], Any], Future[Any]]] = []
        self._wake = threading.Event()
        self._is_closing = self._has_ended = False
        # changed by the thread alone
        self._log: LogFile | None = None
        self._instruments: dict[int, Instrument] = {}
        self._numbers: Numbers | None = None
        self._first_notes = first_notes
        self._last_number = after
        self._missed: Missed | None = None
        self._unkept = Unkept(f"live log {folder}")
        self._next_sync_s = self._next_try_s = 0.0
        self._unsynced_since_s: float | None = None
        self._rows_written = self._rows_missed = self._bytes_finished = 0
        self._synced_sequence: int | None = None
        self._failure: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"live log {folder}", daemon=True)
        self._thread.start()

    # -- any thread

    def append(self, rows: Rows) -> None:
        """Copies MARKET_ROWs; never waits. Over `buffer_bytes` of waiting rows they are let go, and counted."""
        if len(rows) and not self._waiting.append(rows):
            missed = missed_rows(f"the disk is behind: over {self._settings.buffer_bytes} bytes wait", rows)
            missed.rows_of.update(rows_by_code(rows))
            self._let_go(missed)

    def declare(self, number: int, instrument: Instrument) -> None:
        """Names `number`, before the first rows that bear it; again when the rules change."""
        self._waiting.say(Declared(number=number, instrument=instrument))

    def renumber(self, numbers: Numbers) -> None:
        """Rows bear, from here on, places in `numbers`, where the log's own numbers stand."""
        self._waiting.say(Numbered(numbers=numbers))

    def keep(self, opportunity: KeptOpportunity) -> None:
        """Is written behind the rows that were appended before; one that cannot be is let go, and counted."""
        if not self._waiting.say(opportunity):
            self._opportunities_let_go += 1

    def mark(self) -> Mark:
        """Is told how many rows of each series were written and let go up to here, once they are; never waits."""
        mark = Mark()
        with self._lock:
            if self._has_ended:
                mark.set_exception(BadInput(f"live log {self._folder}: the writer is closed"))
                return mark
            self._marks.add(mark)
        self._waiting.say(mark)
        self._wake.set()
        return mark

    def counts(self) -> Counted:
        """How many rows of each series were written and let go so far."""
        return self._counts.by_series(self._instruments.copy())

    def sync(self) -> None:
        """Returns when all that was appended before is on the disk, or let go (see `state`)."""
        self._order(self._sync)

    def rotate(self) -> list[Path]:
        """Rows go to a new log from here on; where the present one has none, it stays. Returns the finished ones.

        The new file is there before the old one is closed. Raises OSError, with the old one still being written.
        """
        finished: list[Path] = self._order(self._rotate)
        return finished

    def resume(self) -> None:
        """Tries at once to record again after a failure. Raises OSError where the disk still refuses."""
        self._order(self._open)

    @property
    def path(self) -> Path | None:
        """The log being written; None while there is none."""
        log = self._log
        return None if log is None else log.path

    @property
    def log_bytes(self) -> int:
        """Bytes in the log being written."""
        log = self._log
        return 0 if log is None else log.bytes

    @property
    def state(self) -> WriterState:
        waiting = [one for one in (self._unsynced_since_s, self._waiting.since_s) if one is not None]
        return WriterState(
            rows_written=self._rows_written,
            rows_missed=self._rows_missed + self._rows_let_go,
            opportunities_missed=self._unkept.missed + self._opportunities_let_go,
            bytes_written=self._bytes_finished + self.log_bytes,
            synced_sequence=self._synced_sequence,
            lag_s=time.monotonic() - min(waiting) if waiting else 0.0,
            failure=self._failure,
        )

    def close(self) -> None:
        """Writes and syncs what waits, and ends the thread."""
        self._is_closing = True
        self._wake.set()
        self._thread.join()

    def _let_go(self, missed: Missed) -> None:
        self._rows_let_go += missed.rows
        self._waiting.say(missed, lambda last: isinstance(last, Missed) and last.join(missed))

    def _order(self, work: Callable[[], Any]) -> Any:
        """Has the thread do `work` behind all that was appended before, and returns or raises what comes of it."""
        future: Future[Any] = Future()
        with self._lock:
            if self._has_ended:
                raise BadInput(f"live log {self._folder}: the writer is closed")
            self._orders.append((work, future))
        self._wake.set()
        return future.result()

    # -- the thread

    def _run(self) -> None:
        try:
            is_last = False
            while not is_last:
                self._wake.wait(self._settings.write_interval_s)
                self._wake.clear()
                is_last = self._is_closing
                with self._lock:
                    orders, self._orders = self._orders, []
                self._write_waiting()
                for work, future in orders:
                    _answer(work, future)
                if is_last:
                    self._stop()
                elif time.monotonic() >= self._next_sync_s:
                    self._sync()
        except BaseException as error:
            self._failure = f"live log {self._folder}: the writer ended: {error!r}"
            raise
        finally:
            late = self._waiting.end()
            self._rows_missed += len(late.rows)
            self._unkept.give_up(sum(isinstance(said, KeptOpportunity) for _, said in late.said))
            with self._lock:
                self._has_ended = True
                self._marks = {mark for mark in self._marks if mark.set_running_or_notify_cancel()}
                for future in (*(future for _, future in self._orders), *self._marks):
                    future.set_exception(BadInput(f"live log {self._folder}: the writer is closed"))
                self._marks.clear()

    def _write_waiting(self) -> None:
        waiting = self._waiting.take()
        if self._unsynced_since_s is None:
            self._unsynced_since_s = waiting.since_s
        if self._log is None and time.monotonic() >= self._next_try_s:
            self._attempt(self._open)
            self._write_unkept()
        for part in waiting.parts():
            if isinstance(part, np.ndarray):
                self._write_rows(self._own(part))
            elif isinstance(part, Missed):
                self._counts.lost(self._own_codes(part.rows_of))
                self._miss(part)
            elif isinstance(part, Future):
                self._tell(part)
            elif isinstance(part, KeptOpportunity):
                self._unkept.add(part)
                self._write_unkept()
            elif isinstance(part, Numbered):
                self._numbers = part.numbers
            else:
                self._declare(part)

    def _own(self, rows: Rows) -> Rows:
        """The rows with the log's own numbers; those of an instrument that nobody named are let go."""
        if self._numbers is None:
            return rows
        numbers = rows["instrument"]
        is_known = (numbers >= 0) & (numbers < len(self._numbers))
        if not is_known.all():
            self._lose(rows[~is_known], f"instrument {numbers[~is_known][0]}: the registry has {len(self._numbers)}")
            rows = rows[is_known]
        rows["instrument"] = self._numbers[rows["instrument"]]
        return rows

    def _own_codes(self, rows_of: Mapping[int, int]) -> Counter[int]:
        """Codes of series with the log's own numbers in them."""
        own, numbers = Counter[int](), self._numbers
        for code, rows in rows_of.items():
            number = code >> INSTRUMENT_BITS
            if numbers is None:
                own[code] += rows
            elif 0 <= number < len(numbers):
                own[code + ((int(numbers[number]) - number) << INSTRUMENT_BITS)] += rows
        return own

    def _write_unkept(self) -> None:
        if self._unkept.write(self._keep) and self._unsynced_since_s is None:
            self._unsynced_since_s = time.monotonic()

    def _keep(self, opportunity: KeptOpportunity) -> bool:
        log = self._log
        return log is not None and self._attempt(log.keep, opportunity)

    def _tell(self, mark: Mark) -> None:
        with self._lock:
            self._marks.discard(mark)
        if mark.set_running_or_notify_cancel():
            mark.set_result(self.counts())

    def _write_rows(self, rows: Rows) -> None:
        for start in range(0, len(rows), FRAME_ROWS):
            part = rows[start : start + FRAME_ROWS]
            self._note_missed()
            log = self._log
            if log is not None and self._attempt(log.append, part):
                self._rows_written += len(part)
                self._counts.written(part)
            else:
                self._counts.lost(rows_by_code(part))
                self._lose(part, self._failure or "")

    def _lose(self, rows: Rows, why: str) -> None:
        self._rows_missed += len(rows)
        self._miss(missed_rows(why, rows))

    def _declare(self, declared: Declared) -> None:
        self._instruments[declared.number] = declared.instrument
        log = self._log
        if log is not None:
            self._attempt(log.declare, declared)

    def _miss(self, missed: Missed) -> None:
        if self._missed is None:
            self._missed = missed
        else:
            self._missed.join(missed)

    def _note_missed(self) -> None:
        log, missed = self._log, self._missed
        if log is not None and missed is not None and self._attempt(log.note, missed.note()):
            self._missed = None

    def _open(self) -> None:
        """A log where there is none. Raises OSError."""
        if self._log is not None:
            return
        missed = () if self._missed is None else (self._missed.note(),)
        self._log = self._new_log((*self._first_notes, *missed))
        self._first_notes, self._missed, self._failure = (), None, None

    def _attempt(self, work: Callable[..., Any], *arguments: object) -> bool:
        """Whether `work` was done; else recording has stopped, and the log is as it was before."""
        try:
            work(*arguments)
        except OSError as error:
            self._failure = f"live log {self._folder}: {error.strerror or error}: nothing is recorded until it can be"
            self._next_try_s = time.monotonic() + self._settings.retry_interval_s
            log, self._log = self._log, None
            if log is not None:
                self._bytes_finished += log.bytes
                self._abandon(log)
            return False
        return True

    def _abandon(self, log: LogFile) -> None:
        try:
            log.abandon()
        except OSError as error:  # the checksums tell how far it is valid
            self._failure = f"{self._failure} ({log.path.name}: {error.strerror or error})"

    def _sync(self) -> None:
        self._next_sync_s = time.monotonic() + self._settings.sync_interval_s
        log = self._log
        if self._unsynced_since_s is not None and log is not None and self._attempt(log.sync):
            self._synced_sequence = log.last_sequence if log.rows else self._synced_sequence
        self._unsynced_since_s = None  # on the disk, or let go

    def _rotate(self) -> list[Path]:
        self._sync()
        old = self._log
        if old is not None and old.rows:
            self._log = self._new_log(())
            self._bytes_finished += old.bytes
            old.close()
        return [path for path in logs_in(self._folder) if self._log is None or path != self._log.path]

    def _new_log(self, notes: Sequence[Note]) -> LogFile:
        number = max(time.time_ns(), self._last_number + 1)
        log = LogFile(self._folder, number, self._instruments, notes)
        self._last_number = number
        return log

    def _stop(self) -> None:
        if self._log is None:
            self._attempt(self._open)  # a last time, for what waits and the note of what was missed
        self._write_unkept()
        self._note_missed()
        log = self._log
        if log is None:
            return
        self._attempt(log.note, Note(what=NoteKind.STOPPED, at_ns=time.time_ns()))
        self._unsynced_since_s = time.monotonic()
        self._sync()
        self._log = None
        self._bytes_finished += log.bytes
        log.close()


def _answer(work: Callable[[], Any], future: Future[Any]) -> None:
    try:
        future.set_result(work())
    except OSError as error:
        future.set_exception(error)
