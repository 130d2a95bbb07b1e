"""Trades that are stored twice, by their ids: a partition at a time, and where the ids rise a row group at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workstation.history.durable import HistoryCorrupt
from workstation.history.market_rows import OnCorrupt, Span, partitions
from workstation.history.segments import Segment, corrupt, open_segment

COLUMN = "trade_id"


def repeated_ids(folder: Path, segments: Sequence[Segment], on_corrupt: OnCorrupt) -> int | None:
    """How many trades bear an id that one before them in their partition bears; None where none has an id."""
    repeats, has_ids = 0, False
    for together in partitions(segments, Span()):
        newest: int | None = None
        is_rising, count = True, 0
        for ids in _ids(folder, together, on_corrupt):
            count += len(ids)
            numbers = _numbers(ids) if is_rising else None
            is_rising = numbers is not None and _rises(numbers, newest)
            newest = int(numbers[-1]) if numbers is not None and len(numbers) else newest
        has_ids |= count > 0
        if not is_rising:
            distinct = pc.count_distinct(pa.chunked_array(list(_ids(folder, together, on_corrupt)), pa.string()))
            repeats += count - distinct.as_py()
    return repeats if has_ids else None


def _ids(folder: Path, segments: Sequence[Segment], on_corrupt: OnCorrupt) -> Iterator[Any]:
    for segment in segments:
        try:
            with open_segment(folder, segment) as file:
                for group in range(file.groups):
                    yield _group(file, folder, segment, group)
        except HistoryCorrupt as error:
            on_corrupt(error)


def _group(file: Any, folder: Path, segment: Segment, number: int) -> Any:
    try:
        return file.group(number, [COLUMN])[COLUMN].drop_null().combine_chunks()
    except (OSError, pa.ArrowException) as error:
        raise corrupt(folder / segment.path, segment, f"row group {number}: {error}") from error


def _numbers(ids: Any) -> Any:
    """Ids that are all whole numbers as int64; else None."""
    try:
        return ids.cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return None


def _rises(numbers: Any, before: int | None) -> bool:
    if not len(numbers):
        return True
    return (before is None or numbers[0] > before) and bool((np.diff(numbers) > 0).all())
