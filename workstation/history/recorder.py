"""The recorder: takes the blocks that the market took, keeps them in the live log, and rolls that into Parquet.

    recorder = Recorder.open(store, now_ns=clock())
    recorder.recovered.gap             # what was not recorded since the last time: for the journal and the screen
    recorder.record(block, registry)   # behind market.advance, with the numbers that the gate gave
    recorder.close()

The caller only copies its rows. One thread writes the log, another one rolls it; neither ever stops the caller.
"""

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from workstation.errors import BadInput
from workstation.history.durable import Ownership, one_writer, remove_leftovers, take_ownership
from workstation.history.layout import Series
from workstation.history.live_log import (
    LIVE_FOLDER,
    LogFacts,
    Note,
    NoteKind,
    as_rows,
    log_number,
    logs_in,
    scan_log,
)
from workstation.history.log_writer import LogWriter, WriterSettings, WriterState
from workstation.history.opportunities import KeptOpportunity
from workstation.history.recording import last_received_ns, load_recording
from workstation.history.roll_process import roll_apart
from workstation.history.rolling import LOCK_NAME, Outcome, Rolled, roll_held, roll_logs
from workstation.history.series_counts import SeriesCount
from workstation.history.store import HistoryStore
from workstation.model.instrument import Instrument, InstrumentKey, Registry
from workstation.model.market import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderSettings:
    """When a log is rolled: after so many seconds or bytes; and how it is written."""

    roll_interval_s: float = 900.0
    roll_bytes: int = 256 * 2**20
    retry_interval_s: float = 30.0
    """Between two attempts at a roll that failed."""
    check_interval_s: float = 1.0
    rolls_apart: bool = True
    """Whether a child rolls, at low priority, while this process records: the thread of a roll makes others wait."""
    writer: WriterSettings = field(default_factory=WriterSettings)

    def __post_init__(self) -> None:
        for name in ("roll_interval_s", "roll_bytes", "retry_interval_s", "check_interval_s"):
            if not getattr(self, name) > 0:
                raise BadInput(f"recorder: {name} {getattr(self, name)}: expected more than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What an opening found: `gap` is the time without a recorder (None: the first recording), `rolled` its logs."""

    gap: Note | None
    rolled: tuple[Rolled, ...]
    failure: str | None
    """Why logs could not be rolled; their rows stay readable."""
    last_log: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderState:
    """The writer's state, and the roller's; `roll_failure` says why rows stay in the log for now."""

    writer: WriterState
    rows_rolled: int
    last_roll_s: float | None
    """How long the last roll took, in seconds."""
    roll_failure: str | None


class Recorder:
    """The one recorder of a history; `open` it. Its methods may be called from any thread, `record` from one."""

    def __init__(
        self,
        store: HistoryStore,
        owner: Ownership,
        settings: RecorderSettings,
        recovered: Recovered,
        now_ns: int,
    ) -> None:
        self.recovered = recovered
        self._store = store
        self._settings = settings
        self._owner = owner
        self._numbers: dict[InstrumentKey, int] = {}
        self._rules: dict[InstrumentKey, Instrument] = {}
        self._registry: Registry | None = None
        self._known = 0
        """Instruments of the registry."""
        self._rolling = threading.Lock()
        self._rows_rolled = sum(one.rows for one in recovered.rolled)
        self._last_roll_s: float | None = None
        self._roll_failure = recovered.failure
        self._ending = threading.Event()
        started = Note(what=NoteKind.STARTED, at_ns=now_ns)
        self._writer = LogWriter(
            store.root / LIVE_FOLDER,
            settings=settings.writer,
            first_notes=(started,) if recovered.gap is None else (started, recovered.gap),
            after=recovered.last_log,
        )
        self._thread = threading.Thread(target=self._run, name=f"recorder {store.root}", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, store: HistoryStore, *, now_ns: int, settings: RecorderSettings | None = None) -> "Recorder":
        """Rolls what an earlier process left, and begins a log. `now_ns` is the engine's clock, ns UTC.

        Raises RecorderRunning, naming the process that records already; BadInput for impossible settings.
        """
        settings = RecorderSettings() if settings is None else settings
        owner = take_ownership(store.root / LIVE_FOLDER)
        try:
            with one_writer(store.root / LIVE_FOLDER, LOCK_NAME):
                remove_leftovers(store.root / LIVE_FOLDER)
                recovered = _recovered(store, now_ns)
            return cls(store, owner, settings, recovered, now_ns)
        except BaseException:
            owner.close()
            raise

    def record(self, rows: Rows, registry: Registry) -> None:
        """Takes a block of MARKET_ROWs with the gate's `sequence`, instruments numbered by `registry`; never waits.

        `rows` are copied, so the caller may use their memory again.
        """
        if registry is not self._registry or len(registry) != self._known:
            self._learn(registry)
        self._writer.append(rows)

    def declare(self, instrument: Instrument) -> None:
        """The rules of an instrument, written where they are others than the last ones; `record` declares the first."""
        number = self._numbers.setdefault(instrument.key, len(self._numbers))
        last = self._rules.get(instrument.key)
        if last is None or replace(last, valid_from_ns=instrument.valid_from_ns) != instrument:
            self._rules[instrument.key] = instrument
            self._writer.declare(number, instrument)

    def keep(self, opportunity: KeptOpportunity) -> None:
        """Takes an opportunity that has closed; never waits."""
        self._writer.keep(opportunity)

    def mark(self) -> "Future[dict[Series, SeriesCount]]":
        """Is told what was written and let go of each series, of all that was recorded before; never waits."""
        return self._writer.mark()

    def counts(self) -> dict[Series, SeriesCount]:
        """The same as of now, of what has been written."""
        return self._writer.counts()

    def sync(self) -> None:
        """Returns when all that was recorded before is on the disk, or let go (see `state`)."""
        self._writer.sync()

    def roll(self) -> list[Rolled]:
        """Rolls what is recorded so far; `state` tells what could not be. Raises OSError where no new log opens."""
        with self._rolling:
            started_s = time.perf_counter()
            rolled = self._roll(self._writer.rotate(), apart=self._settings.rolls_apart)
            self._last_roll_s = time.perf_counter() - started_s
        return rolled

    def resume(self) -> None:
        """Tries at once to record again after a failure. Raises OSError where the disk still refuses."""
        self._writer.resume()

    @property
    def state(self) -> RecorderState:
        return RecorderState(
            writer=self._writer.state,
            rows_rolled=self._rows_rolled,
            last_roll_s=self._last_roll_s,
            roll_failure=self._roll_failure,
        )

    def close(self) -> None:
        """Writes and syncs what waits, rolls it, and lets another process record."""
        self._ending.set()
        self._thread.join()
        self._writer.close()
        with self._rolling:
            self._roll(logs_in(self._store.root / LIVE_FOLDER), apart=False)
        self._owner.close()

    def _learn(self, registry: Registry) -> None:
        for instrument in registry:
            if instrument.key not in self._numbers:
                self.declare(instrument)
        self._registry, self._known = registry, len(registry)
        self._writer.renumber(np.array([self._numbers[one.key] for one in registry], np.int32))

    def _roll(self, paths: list[Path], *, apart: bool) -> list[Rolled]:
        outcome = Outcome()
        if paths:
            outcome = roll_apart(self._store, paths) if apart else roll_logs(self._store, paths)
        self._roll_failure = outcome.failure
        self._rows_rolled += sum(one.rows for one in outcome.rolled)
        return list(outcome.rolled)

    def _run(self) -> None:
        next_s = time.monotonic() + self._settings.roll_interval_s
        while not self._ending.wait(self._settings.check_interval_s):
            if time.monotonic() < next_s and self._writer.log_bytes < self._settings.roll_bytes:
                continue
            try:
                self.roll()
            except OSError as error:
                self._roll_failure = f"history {self._store.root}: no new log: {error.strerror or error}"
            except BaseException as error:
                self._roll_failure = f"history {self._store.root}: the roller ended: {error!r}"
                raise
            wait_s = self._settings.retry_interval_s if self._roll_failure else self._settings.roll_interval_s
            next_s = time.monotonic() + wait_s


def _recovered(store: HistoryStore, now_ns: int) -> Recovered:
    """The gap since the last row that any recording has, and what became of the logs that were left."""
    paths, recording = logs_in(store.root / LIVE_FOLDER), load_recording(store.root)
    logs = [_witness(path) for path in paths]
    known = [recording.last_received_ns, *(last_received_ns(*log) for log in logs)]
    times = [one for one in known if one is not None]
    gap = None
    if times:
        was_stopped = not logs or any(note.what is NoteKind.STOPPED for note in logs[-1][0].notes)
        why = "nobody recorded" if was_stopped else "the recording process ended without stopping"
        gap = Note(what=NoteKind.GAP, at_ns=now_ns, from_ns=max(times), to_ns=now_ns, why=why)
    outcome = roll_held(store, paths)
    names = [recording.last_log, *(path.name for path in paths)]
    last_log = max((log_number(name) for name in names if name), default=0)
    return Recovered(gap=gap, rolled=outcome.rolled, failure=outcome.failure, last_log=last_log)


def _witness(path: Path) -> tuple[LogFacts, int | None]:
    """A log that was left, and when its last row was received."""
    last_ns: int | None = None

    def take(raw: Rows, _: int) -> None:
        nonlocal last_ns
        if len(raw):
            last_ns = int(as_rows([raw[-1:]])["ts_received"][0])

    return scan_log(path, take), last_ns
