"""Processes that record and read one history, for a test that kills the recorder."""

from dataclasses import replace
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

from tests.history.live import a_registry, live_rows, stored_numbers
from tests.history.series import BTC, DAY_START_NS
from workstation.history.layout import HistoryKind
from workstation.history.log_writer import WriterSettings
from workstation.history.recorder import Recorder, RecorderSettings
from workstation.history.store import HistoryStore
from workstation.model.durations import MS_NS

HURRIED = RecorderSettings(
    roll_interval_s=0.05,
    check_interval_s=0.01,
    rolls_apart=False,
    writer=WriterSettings(write_interval_s=0.002, sync_interval_s=0.01),
)
"""Rolls all the time, so that many kills find it at work."""
BLOCK = 10


def received_ns(number: int) -> int:
    return DAY_START_NS + number * MS_NS


def record(root: Path, first: int, told: Connection, *, rolls_apart: bool = False) -> None:
    """Records rows from number `first` on until it is killed; tells the gap it found, then what is on the disk."""
    settings = replace(HURRIED, rolls_apart=rolls_apart)
    recorder = Recorder.open(HistoryStore(root), now_ns=received_ns(first), settings=settings)
    gap = recorder.recovered.gap
    told.send(None if gap is None else (gap.from_ns, gap.to_ns))
    registry = a_registry()
    for start in count(first, BLOCK):
        recorder.record(live_rows(BLOCK, start), registry)
        recorder.sync()
        told.send((recorder.state.writer.synced_sequence or 0) >> 20)


def read(root: Path, is_over: Event, told: Connection) -> None:
    """Queries until it is over; tells how often, or what a reader must never see."""
    store, seen, queries = HistoryStore(root), 0, 0
    try:
        while not is_over.is_set():
            numbers = stored_numbers(store)
            if numbers != list(range(1, len(numbers) + 1)):
                raise AssertionError(f"not each row once: {len(numbers)} rows, {len(set(numbers))} of them different")
            if len(numbers) < seen:
                raise AssertionError(f"{seen} rows, then {len(numbers)}")
            seen, queries = len(numbers), queries + 1
            if seen > BLOCK:
                store.rows(BTC, HistoryKind.QUOTES, 0, as_recorded=True)
                store.datasets()
        told.send(queries)
    except BaseException as error:
        told.send(repr(error))
        raise
