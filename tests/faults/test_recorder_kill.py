"""Kill -9 of the recorder at random moments while others read: no reader fails, nothing is doubled, little is lost."""

import random
import sys
from pathlib import Path

import pytest

from tests.faults.forked import forking
from tests.faults.recorder_process import read, received_ns, record
from tests.history.live import a_recorder, stored_numbers
from workstation.history.store import HistoryStore

KILLS, READERS = 30, 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
@pytest.mark.parametrize("rolls_apart", [False, True])
def test_thirty_kills_harm_no_reader_and_lose_nothing_that_was_synced(tmp_path: Path, rolls_apart: bool) -> None:
    """A child that rolls is left behind by the killed one, and ends by itself."""
    context = forking()
    store, moments = HistoryStore(tmp_path), random.Random(5)
    is_over = context.Event()
    readers = []
    for _ in range(READERS):
        told, tells = context.Pipe(duplex=False)
        process = context.Process(target=read, args=(tmp_path, is_over, tells))
        process.start()
        readers.append((process, told))
    kept = 0
    for _ in range(KILLS):
        told, tells = context.Pipe(duplex=False)
        process = context.Process(target=record, args=(tmp_path, kept + 1, tells), kwargs={"rolls_apart": rolls_apart})
        process.start()
        tells.close()
        gap = told.recv()
        assert gap == (None if kept == 0 else (received_ns(kept), received_ns(kept + 1)))
        synced = 0
        for _ in range(moments.randrange(1, 200 if rolls_apart else 40)):
            synced = told.recv()
        process.kill()
        process.join()
        while told.poll():  # what it told before it died
            try:
                synced = told.recv()
            except EOFError:
                break
        numbers = stored_numbers(store)
        kept = len(numbers)
        assert numbers == list(range(1, kept + 1)), "a row is lost or doubled"
        assert kept >= synced, "a row is lost that was on the disk"
    is_over.set()
    answers = [told.recv() for _, told in readers]
    for process, _ in readers:
        process.join()
    assert all(isinstance(answer, int) and answer > 0 for answer in answers), answers
    a_recorder(store, now_ns=received_ns(kept + 1)).close()
    assert stored_numbers(store) == list(range(1, kept + 1))
    assert store.recording().gap_count == KILLS
    assert not list(tmp_path.rglob("*.tmp-*"))
