"""Row groups that a thread decodes ahead: their order, their faults, and that nothing is read behind a closed file."""

import threading
from itertools import count

import pytest

from workstation.history.reading_ahead import MOST_AHEAD, read_ahead

PATIENCE_S = 20.0


class Reader:
    """Notes which group was read in which thread; `held` is read when it may be, `faulty` not at all."""

    def __init__(self, *, faulty: int | None = None, held: int | None = None) -> None:
        self.begun: list[int] = []
        self.threads: set[str] = set()
        self.may_read, self.has_begun = threading.Event(), threading.Semaphore(0)
        self.busy = threading.Lock()
        self._faulty, self._held = faulty, held

    def __call__(self, group: int) -> int:
        assert self.busy.acquire(blocking=False), "two at once, of one file"
        self.begun.append(group)
        self.threads.add(threading.current_thread().name)
        self.has_begun.release()
        try:
            assert group != self._held or self.may_read.wait(PATIENCE_S)
            if group == self._faulty:
                raise OSError(f"group {group}")
            return 10 * group
        finally:
            self.busy.release()


@pytest.mark.parametrize("groups", [[], [4], [4, 5], [1, 3, 4, 7, 8]])
def test_all_come_in_order(groups: list[int]) -> None:
    reader = Reader()
    assert list(read_ahead(reader, groups)) == [10 * group for group in groups]
    assert reader.begun == groups


def test_the_next_one_is_read_while_the_last_is_used() -> None:
    reader = Reader()
    given = read_ahead(reader, [0, 1, 2])
    assert next(given) == 0
    for _ in range(2):
        assert reader.has_begun.acquire(timeout=PATIENCE_S)
    assert reader.begun == [0, 1], "one ahead, not more"
    given.close()


def test_a_single_one_is_read_by_who_asks() -> None:
    reader = Reader()
    assert list(read_ahead(reader, [3])) == [30]
    assert reader.threads == {threading.current_thread().name}


def test_a_fault_comes_at_its_place() -> None:
    given = read_ahead(Reader(faulty=2), [0, 1, 2, 3])
    assert [next(given), next(given)] == [0, 10]
    with pytest.raises(OSError, match="group 2"):
        next(given)


def test_once_it_is_closed_nothing_is_being_read() -> None:
    reader = Reader(held=1)
    given = read_ahead(reader, [0, 1, 2])
    next(given)
    for _ in range(2):
        assert reader.has_begun.acquire(timeout=PATIENCE_S)
    threading.Timer(0.05, reader.may_read.set).start()
    given.close()
    assert not reader.busy.locked() and reader.begun == [0, 1]


def test_who_finds_no_room_reads_by_himself_and_room_is_given_back() -> None:
    others = [read_ahead(Reader(), range(9)) for _ in range(MOST_AHEAD)]
    for other in others:
        next(other)
    late = Reader()
    assert list(read_ahead(late, [0, 1])) == [0, 10]
    assert late.threads == {threading.current_thread().name}
    for number, other in zip(count(), others):
        if number % 2:
            other.close()
        else:
            assert len(list(other)) == 8
    again = Reader()
    assert list(read_ahead(again, [0, 1])) == [0, 10]
    assert threading.current_thread().name not in again.threads
