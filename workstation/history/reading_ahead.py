"""A file's row groups, each decoded by a thread while the one before is used: Parquet's decoding waits for nobody."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from threading import BoundedSemaphore

from workstation.history.segments import Table

MOST_AHEAD = 8
"""Row groups, of all readers of a process together, that wait in memory; who comes later decodes his own."""

_ROOM = BoundedSemaphore(MOST_AHEAD)
_READERS = ThreadPoolExecutor(2, thread_name_prefix="history-reader")


def read_ahead(read: Callable[[int], Table], groups: Sequence[int]) -> Iterator[Table]:
    """read(group) of each, in order and never two at once; once this is closed nothing is being read."""
    if len(groups) < 2 or not _ROOM.acquire(blocking=False):
        yield from map(read, groups)
        return
    coming = _READERS.submit(read, groups[0])
    try:
        for group in groups[1:]:
            table = coming.result()
            coming = _READERS.submit(read, group)
            yield table
        yield coming.result()
    finally:
        coming.cancel()
        wait([coming])
        _ROOM.release()
