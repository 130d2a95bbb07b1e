"""The writer: one thread with the ledger's only read-write connection, and the queue before it.

Group commit: it takes everything that waits, commits once, then releases every ticket. Groups are whole or absent, in
the order in which they were queued. Position and hash are given here, after the last durable row, so a group that could
not be committed leaves no hole.

A failed commit (full disk, I/O error) refuses every waiting group and all that follow, until `resume`. A group that
breaks a rule of the schema (a second order of one id) is refused alone, and with it the rest of its session.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Connection, insert
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from workstation.errors import JournalStalled, JournalWriteFailed
from workstation.ledger.codec import GENESIS, PreparedFact, chain_hash
from workstation.ledger.database import write_engine
from workstation.ledger.mark import Tail, write_mark
from workstation.ledger.schema import JOURNAL, RUN
from workstation.model.ids import RunId, SessionId

MARK_EVERY_GROUPS = 1000
MARK_AFTER_IDLE_S = 1.0

_DIALECT = write_engine(Path()).dialect
_INSERT_FACT = str(insert(JOURNAL).compile(dialect=_DIALECT, column_keys=[c.name for c in JOURNAL.c if c.name != "id"]))
_INSERT_RUN = str(insert(RUN).compile(dialect=_DIALECT))
_TAIL = "SELECT position, hash FROM journal WHERE session_id = ? ORDER BY position DESC LIMIT 1"
_SAVE_SNAPSHOT = (
    "INSERT INTO snapshot (session_id, position, state) VALUES (?, ?, ?) "
    "ON CONFLICT (session_id) DO UPDATE SET position = excluded.position, state = excluded.state"
)


class Ticket:
    """A group on its way to the disk."""

    __slots__ = ("_done", "_reason", "is_settled", "queued_s")

    def __init__(self) -> None:
        self.queued_s = time.monotonic()
        self.is_settled = False
        """Durable or refused: `wait` will not wait."""
        self._reason: str | None = None
        self._done = threading.Lock()  # held until the group's fate is known; an Event costs ten times as much
        self._done.acquire()

    def wait(self, timeout_s: float | None = None) -> None:
        """Returns once the group is durable. Raises JournalWriteFailed, or JournalStalled after `timeout_s` seconds."""
        if not self._done.acquire(timeout=-1 if timeout_s is None else timeout_s):
            raise JournalStalled(f"journal: a group is not durable {timeout_s} s after it was waited for")
        self._done.release()
        if self._reason is not None:
            raise JournalWriteFailed(self._reason)

    def settle(self, reason: str | None = None) -> None:
        """Once, by the writer: durable, or refused for `reason`."""
        self._reason = reason
        self.is_settled = True
        self._done.release()


class Batch:
    """What one transaction writes: rows chained onto `tails`, which become the writer's when it is committed."""

    def __init__(self, connection: Connection, tails: dict[SessionId, Tail]) -> None:
        self.connection = connection
        self.tails = dict(tails)
        self.rows: list[tuple[object, ...]] = []
        self.rows_written = 0
        self.written_ns = time.time_ns()

    def tail(self, session_id: SessionId) -> Tail:
        """Position and hash of the session's last row, those of this batch included."""
        tail = self.tails.get(session_id)
        if tail is None:
            stored = self.connection.exec_driver_sql(_TAIL, (session_id,)).first()
            tail = self.tails[session_id] = (-1, GENESIS) if stored is None else (stored[0], stored[1])
        return tail

    def add_facts(self, session_id: SessionId, run_id: RunId, facts: Sequence[PreparedFact]) -> None:
        position, previous = self.tail(session_id)
        for values, client_order_id in facts:
            position += 1
            digest = chain_hash(previous, session_id, position, *values)
            kind, name, version, body, *rest = values
            head = (run_id, session_id, position, kind, name, version, body.decode())
            self.rows.append((*head, *rest, previous, digest, client_order_id, self.written_ns))
            previous = digest
        self.tails[session_id] = (position, previous)

    def add_run(self, session_id: SessionId, run_id: RunId, manifest: bytes) -> None:
        position = self.tail(session_id)[0] + 1
        self.connection.exec_driver_sql(_INSERT_RUN, (run_id, session_id, position, manifest, self.written_ns))

    def save_snapshot(self, session_id: SessionId, position: int, state: bytes) -> None:
        self.write_rows()  # a snapshot refers to its row
        self.connection.exec_driver_sql(_SAVE_SNAPSHOT, (session_id, position, state))

    def write_rows(self) -> None:
        if self.rows:
            self.connection.exec_driver_sql(_INSERT_FACT, self.rows)
            self.rows_written += len(self.rows)
            self.rows = []


class Group:
    """Work of one session that is committed whole or not at all; without work, a mark in the queue."""

    __slots__ = ("session_id", "ticket", "work")

    def __init__(self, session_id: SessionId, work: Callable[[Batch], None] | None = None) -> None:
        self.session_id = session_id
        self.work = work
        self.ticket = Ticket()


class Writer:
    """Starts its thread at once; `close` ends it. `put` may be called from any thread."""

    def __init__(self, path: Path, marked: dict[SessionId, Tail], queue_groups: int) -> None:
        self.rows_written = 0
        self.commits = 0
        self.failure: str | None = None
        self._path = path
        self._marked = marked
        self._groups_since_mark = 0
        self._tails: dict[SessionId, Tail] = {}
        self._refused: dict[SessionId, str] = {}
        self._queue: queue.SimpleQueue[Group] = queue.SimpleQueue()
        self._queue_groups = queue_groups
        self._is_closing = False
        self._oldest_s: float | None = None
        self._lock = threading.Lock()  # over failure, refusals and the act of queueing
        self._thread = threading.Thread(target=self._run, name=f"ledger {path.name}")
        self._thread.start()

    @property
    def queue_depth(self) -> int:
        return self._queue.qsize()

    @property
    def oldest_pending_s(self) -> float:
        """Age of the oldest group that is being committed, in seconds; 0.0 when the writer rests."""
        oldest = self._oldest_s
        return 0.0 if oldest is None else time.monotonic() - oldest

    def put(self, group: Group) -> Ticket:
        """Queues the group. Raises JournalStalled when the queue is full, JournalWriteFailed after a failure."""
        with self._lock:
            closed = f"journal {self._path}: closed" if self._is_closing else None
            reason = self.failure or self._refused.get(group.session_id) or closed
            if reason is not None:
                raise JournalWriteFailed(reason)
            depth = self._queue.qsize()
            if depth >= self._queue_groups:
                raise JournalStalled(
                    f"journal {self._path}: {depth} groups wait for the disk, the oldest for "
                    f"{self.oldest_pending_s:.1f} s; the limit is {self._queue_groups}"
                )
            self._queue.put(group)
        return group.ticket

    def resume(self) -> None:
        """Takes groups again, chained onto the last durable row. Raises JournalWriteFailed if the thread is dead."""
        with self._lock:
            if not self._thread.is_alive():
                raise JournalWriteFailed(f"journal {self._path}: the writer has ended; open the ledger again")
            self.failure = None
            self._refused.clear()

    def close(self) -> None:
        """Commits what waits and ends the thread. Raises JournalWriteFailed if something could not be committed."""
        with self._lock:
            self._is_closing = True
            self._queue.put(Group(SessionId("")))
        self._thread.join()
        if self.failure is not None:
            raise JournalWriteFailed(self.failure)

    def _run(self) -> None:
        groups: list[Group] = []
        try:
            with write_engine(self._path).connect() as connection:
                while not (self._is_closing and self._queue.empty()):
                    groups = self._take()
                    self._commit(connection, groups)
                    if not groups or self._groups_since_mark >= MARK_EVERY_GROUPS:
                        self._write_mark()
                self._write_mark()
        except BaseException as error:
            self._fail(f"journal {self._path}: the writer ended: {error!r}", groups)
            raise

    def _take(self) -> list[Group]:
        """Everything queued; no group when the mark is behind and nothing came for a while."""
        self._oldest_s = None
        try:
            first = self._queue.get(timeout=MARK_AFTER_IDLE_S if self._groups_since_mark else None)
        except queue.Empty:
            return []
        self._oldest_s = first.ticket.queued_s
        return [first, *self._waiting()]

    def _waiting(self) -> list[Group]:
        # only this thread takes, so what is counted is there
        return [self._queue.get() for _ in range(self._queue.qsize())]

    def _commit(self, connection: Connection, groups: Sequence[Group]) -> None:
        try:
            self._write(connection, groups)
        except IntegrityError:
            self._commit_one_by_one(connection, groups)
        except (SQLAlchemyError, OSError) as error:
            self._fail(self._not_committed(error), groups)
        else:
            for group in groups:
                group.ticket.settle()

    def _commit_one_by_one(self, connection: Connection, groups: Sequence[Group]) -> None:
        """After a broken rule: the group that breaks it is refused, with all that its session queued behind it."""
        for number, group in enumerate(groups):
            if group.ticket.is_settled:
                continue
            try:
                self._write(connection, [group])
            except IntegrityError as error:
                self._refuse(group.session_id, self._not_committed(error), groups[number:])
            except (SQLAlchemyError, OSError) as error:
                self._fail(self._not_committed(error), groups[number:])
            else:
                group.ticket.settle()

    def _not_committed(self, error: Exception) -> str:
        cause = error.orig if isinstance(error, DBAPIError) else error
        return f"journal {self._path}: not committed: {cause}"

    def _write(self, connection: Connection, groups: Sequence[Group]) -> None:
        works = [group.work for group in groups if group.work is not None]
        if not works:
            return
        batch = Batch(connection, self._tails)
        with connection.begin():
            for work in works:
                work(batch)
            batch.write_rows()
        self._tails = batch.tails
        self._marked.update(batch.tails)
        self._groups_since_mark += len(works)
        self.rows_written += batch.rows_written
        self.commits += 1

    def _write_mark(self) -> None:
        if not self._groups_since_mark:
            return
        try:
            write_mark(self._path, self._marked)
        except OSError as error:
            self._fail(f"journal {self._path}: high-water mark not written: {error}", [])
        self._groups_since_mark = 0

    def _fail(self, reason: str, groups: Sequence[Group]) -> None:
        """Refuses `groups` and everything queued, and whatever comes until `resume`."""
        with self._lock:
            self.failure = reason
            self._tails.clear()  # read again from the disk: it alone knows what a failed commit left
            waiting = self._waiting()
        _settle_all([*groups, *waiting], reason)

    def _refuse(self, session_id: SessionId, reason: str, groups: Sequence[Group]) -> None:
        """As `_fail`, for one session; the others keep their places in the queue."""
        reason = f"{reason} (session {session_id})"
        with self._lock:
            self._refused[session_id] = reason
            waiting = self._waiting()
            for group in waiting:
                if group.session_id != session_id:
                    self._queue.put(group)
        _settle_all([group for group in (*groups, *waiting) if group.session_id == session_id], reason)


def _settle_all(groups: Sequence[Group], reason: str) -> None:
    for group in groups:
        if not group.ticket.is_settled:
            group.ticket.settle(reason)
