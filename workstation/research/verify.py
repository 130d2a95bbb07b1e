"""Mode verify: the same rows and inputs through the same code; every decision must be the same, byte for byte.

Results of the venue are not made again but taken from the journal, each at its own place in the one order; effects go
to a sink. What a run decided behind the end of its journal (it was cut off) is not looked at.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from workstation.errors import VerifyMismatch
from workstation.history.store import HistoryStore
from workstation.ledger.codec import JournalRow, encode_event
from workstation.ledger.journal import RunRecord, read_rows, read_run
from workstation.model.events import BalanceSet, Fact, FactKind, InstrumentListed, RunStarted
from workstation.model.ids import RunId, SessionId
from workstation.model.market import rows_taken
from workstation.research.desk import Desk, Start, foresee_bars, set_up, walk, walk_recording
from workstation.research.differences import differences, in_words
from workstation.session import identity
from workstation.session.manifest import REPLAY, RunManifest, manifest_hash, read_manifest
from workstation.session.session import Session
from workstation.session.state import fold
from workstation.session.wake import Wake
from workstation.strategies.catalog import strategy_named

START = (RunStarted, InstrumentListed, BalanceSet)
Progress = Callable[[int, int], None]
"""Told how much of how much is done: rows of a replay, nanoseconds of a recording."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A run whose decisions were made again."""

    run_id: RunId
    inputs: int
    decisions: int
    is_same_code: bool
    """The run was made by the very code and kernels that verified it."""
    is_same_strategy: bool = True
    """A strategy of one's own came from the very file that it comes from now."""
    beyond: int = 0
    """Facts of a live run behind the end of its recording: a crash lost the rows, they cannot be made again."""


class Comparer:
    """The session's broker and journal in one: compares what it decides with what it had decided."""

    def __init__(self, session: Session, rows: Iterator[JournalRow]) -> None:
        self.session = session
        self._rows = rows
        self._next = next(rows, None)
        self.inputs = self.decisions = 0

    def pass_over_beyond(self, last_row: int) -> int:
        """Leaves the facts behind market row `last_row` uncompared; returns how many."""
        beyond = 0
        while self._next is not None and rows_taken(self._next.sequence) > last_row:
            self._next = next(self._rows, None)
            beyond += 1
        return beyond

    @property
    def is_over(self) -> bool:
        return self._next is None

    def handle(self, wake: Wake) -> None:
        row = self._next
        if row is None:
            return
        if wake.facts and row.sequence < wake.facts[0].sequence:
            raise VerifyMismatch(f"{_place(row)}; the same inputs now give nothing there")
        for fact in self.session.act(wake).facts:
            if self._next is not None:
                self._compare(fact, self._next)
                self._next = next(self._rows, None)

    def _compare(self, fact: Fact, row: JournalRow) -> None:
        found = differences(row, fact)
        if found:
            raise VerifyMismatch(
                f"{_place(row)}; the same inputs now give another {found[0][0]}: {in_words(found)}. "
                f"All of it now: {type(fact.event).__name__} {encode_event(fact.event)[2].decode()} "
                f"at {fact.ts_received} (sequence {fact.sequence})"
            )
        self.inputs += row.kind != FactKind.DECISION
        self.decisions += row.kind == FactKind.DECISION


def _rows(ledger: Path, session_id: SessionId, run_id: RunId | None = None) -> Generator[JournalRow, None, None]:
    """Journal rows that can be left before their end."""
    yield from read_rows(ledger, session_id, run_id)


def _place(row: JournalRow) -> str:
    return (
        f"run {row.run_id}, position {row.position}: the journal has {row.name} {row.body.decode()} at "
        f"{row.ts_received} (sequence {row.sequence})"
    )


def verify(
    ledger: Path, run_id: RunId, store: HistoryStore | None = None, progress: Progress | None = None
) -> Verified:
    """Makes a run's decisions again and compares. Raises VerifyMismatch at the first that differs, RunNotFound,
    JournalCorrupt, HistoryMissing."""
    record = read_run(ledger, run_id)
    manifest = read_manifest(record.manifest)
    rows_of = HistoryStore(Path(manifest.history)) if store is None else store
    try:
        return _made_again(ledger, record, manifest, rows_of, _told_nobody if progress is None else progress)
    except VerifyMismatch as difference:
        if not _has_changed(manifest):
            raise
        then, now = manifest.strategy_hash, strategy_named(manifest.session.strategy).file_hash
        raise VerifyMismatch(
            f"the file of strategy {manifest.session.strategy} is another one than in the run: its SHA-256 was {then}, "
            f"and is {now}\n{difference}"
        ) from difference


def _told_nobody(done: int, total: int) -> None:
    """Nobody waits to hear how far it is."""


def _has_changed(manifest: RunManifest) -> bool:
    """Whether a strategy of one's own came from another file than now."""
    return manifest.strategy_hash != strategy_named(manifest.session.strategy).file_hash


def _made_again(
    ledger: Path, record: RunRecord, manifest: RunManifest, store: HistoryStore, progress: Progress
) -> Verified:
    run_id = record.run_id
    with closing(_rows(ledger, record.session_id)) as earlier:
        state = fold(row.fact() for row in takewhile(lambda row: row.position < record.started_position, earlier))
    desk = set_up(manifest, state)
    with closing(_rows(ledger, record.session_id, run_id)) as rows:
        comparer = Comparer(desk.session, rows)
        desk.session.subscribe(comparer)
        told = (row for row in read_rows(ledger, record.session_id, run_id) if row.kind != FactKind.DECISION)
        facts = [row.fact() for row in told]
        if manifest.mode == REPLAY:
            beyond = 0
            _walk_history(store, manifest, desk, comparer, facts, record.manifest, progress)
        else:
            last_row = _walk_recording(store, manifest, desk, comparer, facts, record.manifest, progress)
            if not comparer.is_over:
                _pass_time(desk, last_row, _rows(ledger, record.session_id, run_id))
            beyond = comparer.pass_over_beyond(last_row)
    if not comparer.is_over:
        raise VerifyMismatch(
            f"run {run_id}: the journal goes on after position {comparer.inputs + comparer.decisions - 1} of the run, "
            "the rows of history do not"
        )
    is_same = (manifest.code_hash, manifest.kernel_hash) == (identity.code_hash(), identity.kernels())
    return Verified(
        run_id=run_id,
        inputs=comparer.inputs,
        decisions=comparer.decisions,
        is_same_code=is_same,
        is_same_strategy=not _has_changed(manifest),
        beyond=beyond,
    )


def _walk_history(
    store: HistoryStore,
    manifest: RunManifest,
    desk: Desk,
    comparer: Comparer,
    facts: list[Fact],
    manifest_bytes: bytes,
    progress: Progress,
) -> None:
    """Takes a replay's rows; `facts` are its inputs and results."""
    desk.market.expect(comparer, facts)
    foresee_bars(store, manifest, desk.session)

    def watch(seen: int, total: int) -> bool:
        progress(seen, total)
        return comparer.is_over

    walk(store, manifest, desk, lambda start: _begin(desk, comparer, manifest_bytes, start), watch)


def _walk_recording(
    store: HistoryStore,
    manifest: RunManifest,
    desk: Desk,
    comparer: Comparer,
    facts: list[Fact],
    manifest_bytes: bytes,
    progress: Progress,
) -> int:
    """Takes a live run's rows from the recording; returns the number of the last one that is there."""
    started = facts[0] if facts else None
    if started is None or not isinstance(started.event, RunStarted):
        raise VerifyMismatch(f"run {manifest.run_id}: its journal does not begin with a RunStarted")
    start = Start(started.event.sequence, started.ts_received, started.event.rebuild_from_ns, None)

    def begin() -> None:
        desk.market.expect(
            comparer, facts
        )  # not before: rows that rebuild windows would be taken for those they follow
        _begin(desk, comparer, manifest_bytes, start)

    span_ns = max(fact.ts_received for fact in facts) - started.ts_received

    def is_over() -> bool:
        progress(min(desk.market.gate.now_ns - started.ts_received, span_ns), span_ns)
        return comparer.is_over

    return walk_recording(store, manifest, desk, started, begin, is_over)


def _pass_time(desk: Desk, last_row: int, rows: Iterator[JournalRow]) -> None:
    """Behind the last row: until the run's last fact that was before the row which the recording lacks."""
    until_ns = max((one.ts_received for one in rows if rows_taken(one.sequence) <= last_row), default=0)
    for wake in desk.market.advance_time(until_ns):
        wake.subscriber.handle(wake)


def _begin(desk: Desk, comparer: Comparer, manifest: bytes, start: Start) -> None:
    """The run's first facts, and the session's own conditions and deadlines."""
    market, steps = desk.market, desk.market.steps_of(comparer)
    started = steps.expected[0].event if steps.expected else None
    if not isinstance(started, RunStarted) or started.manifest_hash != manifest_hash(manifest):
        raise VerifyMismatch("the run's journal does not begin with a RunStarted that names its manifest")
    market.start_after(comparer, start.sequence, start.now_ns)
    while steps.expected and isinstance(steps.expected[0].event, START):
        comparer.handle(market.next_expected(comparer))
    desk.session.resume(comparer)
