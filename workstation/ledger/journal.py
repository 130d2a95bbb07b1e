"""The journal: facts, appended and durable, hash-chained per session; state is their fold and nothing else.

    with Ledger.open(path) as ledger:
        ledger.begin_run(session_id, run_id, manifest)
        ticket = ledger.append(session_id, facts)
        ticket.wait()          # on the disk; now the effect may leave

One process writes (`lock.py`), through one thread (`writer.py`); any process reads, with `read_rows` and its like.
Readers see what is durable. After JournalWriteFailed, a session must be folded again from the ledger: what was refused
is not in it.
"""

import difflib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TextIO

from sqlalchemy.exc import DatabaseError

from workstation.errors import BadInput, JournalCorrupt, RunNotFound
from workstation.ledger.codec import GENESIS, JournalRow, chain_hash, prepare_fact
from workstation.ledger.database import bring_up_to_date, connect_to_read, read_engine, require_present_schema
from workstation.ledger.lock import take_lock
from workstation.ledger.mark import Tail, check_mark, read_mark
from workstation.ledger.writer import Batch, Group, Ticket, Writer
from workstation.model.events import Fact
from workstation.model.ids import RunId, SessionId

_COLUMNS = ", ".join("CAST(body AS BLOB)" if name == "body" else name for name in JournalRow._fields)
_ROWS = f"SELECT {_COLUMNS} FROM journal WHERE session_id = ? AND position >= ? ORDER BY position"
_LAST_UP_TO = "SELECT position, hash FROM journal WHERE session_id = ? AND position <= ? ORDER BY position DESC LIMIT 1"
_LAST_PLACE = "SELECT sequence, ts_received FROM journal WHERE session_id = ? ORDER BY position DESC LIMIT 1"
_RUNS = "SELECT run_id, session_id, manifest, started_position, written_ns FROM run ORDER BY written_ns, rowid"
_LATEST_RUNS = (
    "SELECT run.run_id, run.session_id, manifest, started_position, written_ns FROM run "
    "JOIN (SELECT min(rowid) AS first, max(rowid) AS latest FROM run GROUP BY session_id) ON run.rowid = latest "
    "ORDER BY first"
)
_RUN_IDS = "SELECT run_id FROM run WHERE session_id = ? ORDER BY rowid"
_RUN = "SELECT run_id, session_id, manifest, started_position, written_ns FROM run WHERE run_id = ?"
_SNAPSHOT = "SELECT position, state FROM snapshot WHERE session_id = ?"


class RunRecord(NamedTuple):
    """One start of a session: its facts begin at `started_position`; `written_ns` is UTC."""

    run_id: RunId
    session_id: SessionId
    manifest: bytes
    started_position: int
    written_ns: int


class Ledger:
    """The one writing end of a ledger file; a context manager whose end commits what waits."""

    def __init__(self, path: Path, lock: TextIO, writer: Writer) -> None:
        self.path = path
        self._lock = lock
        self._writer = writer
        self._runs: dict[SessionId, RunId] = {}

    @classmethod
    def open(cls, path: Path, *, queue_groups: int = 10_000) -> Self:
        """Creates the file or brings it up to date, and starts the writer.

        Raises LedgerInUse, JournalCorrupt where rows are missing that were durable, OperatorError for what is no ledger
        or one of a newer version.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            lock = stack.enter_context(take_lock(path))
            marked = read_mark(path)
            bring_up_to_date(path)
            check_mark(path, marked, _tails_up_to(path, {name: last for name, (last, _) in marked.items()}))
            ledger = cls(path, lock, Writer(path, marked, queue_groups))
            stack.pop_all()
        return ledger

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Commits what waits and frees the ledger. Raises JournalWriteFailed if something could not be committed."""
        with self._lock:
            self._writer.close()

    def begin_run(self, session_id: SessionId, run_id: RunId, manifest: bytes) -> None:
        """Facts of the session belong to this run from now on; durable on return. Raises BadInput for a known run."""
        known = _find_run(self.path, run_id)
        if known is not None:
            raise BadInput(f"run {run_id}: already in ledger {self.path}, of session {known.session_id}")

        def work(batch: Batch) -> None:
            batch.add_run(session_id, run_id, manifest)

        self._writer.put(Group(session_id, work)).wait()
        self._runs[session_id] = run_id

    def append(self, session_id: SessionId, facts: Sequence[Fact]) -> Ticket:
        """Queues a group that is committed whole or not at all, after every group queued before it; never waits.

        Raises BadInput for a session without a run or a fact that cannot be kept (nothing is queued), JournalStalled
        when the queue is full, JournalWriteFailed after a failed commit, until `resume`.
        """
        run_id = self._runs.get(session_id)
        if run_id is None:
            raise BadInput(f"session {session_id}: append before begin_run")
        prepared = [prepare_fact(fact) for fact in facts]

        def work(batch: Batch) -> None:
            batch.add_facts(session_id, run_id, prepared)

        return self._writer.put(Group(session_id, work))

    def save_snapshot(self, session_id: SessionId, position: int, state: bytes) -> Ticket:
        """Queues `state` as the fold of the session's rows 0 … `position`, in place of the snapshot before."""

        def work(batch: Batch) -> None:
            batch.save_snapshot(session_id, position, state)

        return self._writer.put(Group(session_id, work))

    def flush(self) -> None:
        """Returns when all that was queued is durable. Raises JournalWriteFailed."""
        self._writer.put(Group(SessionId(""))).wait()

    def resume(self) -> None:
        """Takes facts again after a failure, chained onto the last durable row. Fold the sessions again first."""
        self._writer.resume()

    @property
    def rows_written(self) -> int:
        """Durable rows since open."""
        return self._writer.rows_written

    @property
    def commits(self) -> int:
        """Transactions since open."""
        return self._writer.commits

    @property
    def queue_depth(self) -> int:
        """Groups that the writer has not yet taken."""
        return self._writer.queue_depth

    @property
    def oldest_pending_s(self) -> float:
        """Age in seconds of the oldest group that is not durable; 0.0 when none waits."""
        return self._writer.oldest_pending_s

    @property
    def failure(self) -> str | None:
        """Why the ledger takes nothing; None while it works."""
        return self._writer.failure

    def facts(self, session_id: SessionId, start: int = 0) -> Iterator[Fact]:
        """As `read_facts`."""
        return read_facts(self.path, session_id, start=start)

    def rows(self, session_id: SessionId, run_id: RunId | None = None, start: int = 0) -> Iterator[JournalRow]:
        """As `read_rows`."""
        return read_rows(self.path, session_id, run_id, start=start)

    def runs(self) -> list[RunRecord]:
        """As `read_runs`."""
        return read_runs(self.path)

    def latest_runs(self) -> list[RunRecord]:
        """As `read_latest_runs`."""
        return read_latest_runs(self.path)

    def run_ids(self, session_id: SessionId) -> list[RunId]:
        """As `read_run_ids`."""
        return read_run_ids(self.path, session_id)

    def run(self, run_id: RunId) -> RunRecord:
        """As `read_run`."""
        return read_run(self.path, run_id)

    def last_place(self, session_id: SessionId) -> tuple[int, int] | None:
        """As `read_last_place`."""
        return read_last_place(self.path, session_id)

    def latest_snapshot(self, session_id: SessionId) -> tuple[int, bytes] | None:
        """As `read_latest_snapshot`."""
        return read_latest_snapshot(self.path, session_id)


def read_rows(
    path: Path, session_id: SessionId, run_id: RunId | None = None, *, start: int = 0
) -> Iterator[JournalRow]:
    """The session's durable rows from position `start`, of one run or of all, the chain verified on the way.

    The whole chain from `start` is verified also for one run. With `start` > 0 the hash of the row before is believed.
    Raises JournalCorrupt naming session and position, OperatorError for no ledger.
    """
    for row in _verified_rows(path, session_id, start):
        if run_id is None or row.run_id == run_id:
            yield row


def read_facts(path: Path, session_id: SessionId, *, start: int = 0) -> Iterator[Fact]:
    """The facts of `read_rows`, for folding. Raises as it does, and OperatorError for events of a newer version."""
    for row in _verified_rows(path, session_id, start):
        yield row.fact()


def read_runs(path: Path) -> list[RunRecord]:
    """Every run, oldest first."""
    require_present_schema(path)
    with read_engine(path).connect() as connection:
        return [RunRecord(*row) for row in connection.exec_driver_sql(_RUNS)]


def read_latest_runs(path: Path) -> list[RunRecord]:
    """The last run of each session, in the order of the sessions' first ones."""
    require_present_schema(path)
    with read_engine(path).connect() as connection:
        return [RunRecord(*row) for row in connection.exec_driver_sql(_LATEST_RUNS)]


def read_run_ids(path: Path, session_id: SessionId) -> list[RunId]:
    """The session's runs, oldest first."""
    require_present_schema(path)
    with read_engine(path).connect() as connection:
        return [run_id for (run_id,) in connection.exec_driver_sql(_RUN_IDS, (session_id,))]


def read_run(path: Path, run_id: RunId) -> RunRecord:
    """Raises RunNotFound with the nearest known runs."""
    found = _find_run(path, run_id)
    if found is None:
        known = [run.run_id for run in read_runs(path)]
        near = difflib.get_close_matches(run_id, known) or known[-3:]
        raise RunNotFound(f"run {run_id}: not in ledger {path} (nearest: {', '.join(near) or 'it has none'})")
    return found


def _find_run(path: Path, run_id: RunId) -> RunRecord | None:
    require_present_schema(path)
    with read_engine(path).connect() as connection:
        row = connection.exec_driver_sql(_RUN, (run_id,)).first()
    return None if row is None else RunRecord(*row)


def read_latest_snapshot(path: Path, session_id: SessionId) -> tuple[int, bytes] | None:
    """Position of the last row folded into it, and the state; None without one."""
    require_present_schema(path)
    with read_engine(path).connect() as connection:
        row = connection.exec_driver_sql(_SNAPSHOT, (session_id,)).first()
    return None if row is None else (row[0], row[1])


def read_last_place(path: Path, session_id: SessionId) -> tuple[int, int] | None:
    """Sequence and receipt time (ns) of the session's last fact; None without one."""
    require_present_schema(path)
    with read_engine(path).connect() as connection:
        row = connection.exec_driver_sql(_LAST_PLACE, (session_id,)).first()
    return None if row is None else (row[0], row[1])


def _verified_rows(path: Path, session_id: SessionId, start: int) -> Iterator[JournalRow]:
    require_present_schema(path)
    previous = GENESIS if start == 0 else _last_up_to(path, session_id, start - 1)[1]
    position = start
    try:
        with closing(connect_to_read(path)) as connection:
            for stored in connection.execute(_ROWS, (session_id, start)):
                row = JournalRow._make(stored)
                if row[2] != position or row[13] != previous or row[14] != chain_hash(previous, *row[1:13]):
                    raise JournalCorrupt(_what_differs(path, row, position, previous))
                position, previous = position + 1, row[14]
                yield row
    except sqlite3.DatabaseError as error:
        raise JournalCorrupt(f"ledger {path}, session {session_id}: not readable: {error}") from error


def _what_differs(path: Path, row: JournalRow, position: int, previous: bytes) -> str:
    place = f"ledger {path}, session {row.session_id}, position {position}"
    if row.position != position:
        return f"{place}: the row is missing; the next one is {row.position}"
    if row.previous_hash != previous:
        return f"{place}: previous hash {row.previous_hash.hex()}, but the row before has {previous.hex()}"
    return f"{place}: {row.name} was changed: it hashes to {row.expected_hash().hex()}, stored is {row.hash.hex()}"


def _last_up_to(path: Path, session_id: SessionId, position: int) -> Tail:
    return _tails_up_to(path, {session_id: position})[session_id]


def _tails_up_to(path: Path, positions: Mapping[SessionId, int]) -> dict[SessionId, Tail]:
    """Of each session the last row at or before its position."""
    tails: dict[SessionId, Tail] = {}
    session_id: SessionId | None = None
    try:
        with read_engine(path).connect() as connection:
            for session_id, position in positions.items():
                row = connection.exec_driver_sql(_LAST_UP_TO, (session_id, position)).first()
                tails[session_id] = (-1, GENESIS) if row is None else (row[0], row[1])
    except DatabaseError as error:
        raise JournalCorrupt(f"ledger {path}, session {session_id}: not readable: {error.orig}") from error
    return tails
