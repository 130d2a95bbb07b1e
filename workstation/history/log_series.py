"""A finished log by series, whatever its size, in bounded memory: where each row belongs, then group after group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from workstation.history.layout import Series
from workstation.history.live_log import RAW_ROW, as_rows, scan_log
from workstation.history.live_rows import series_codes, series_of
from workstation.model.market import IntArray, Rows

GROUP_ROWS = 400_000
"""In memory at a time: 29 MB, and as much again as columns."""
GROUP_SERIES = 128
"""Are written together: each holds a lock, which is an open file."""
PIECE_BYTES = 4 * 2**20


class LogBySeries:
    """A log that nobody writes any more. It is read twice when this is made, and once for each group of series."""

    def __init__(self, path: Path) -> None:
        frames: list[tuple[int, int]] = []
        self.facts = scan_log(path, lambda rows, offset: frames.append((offset, len(rows))))
        self._pieces = list(_pieces(frames))
        self.rows = sum(len(piece.places) for piece in self._pieces)
        self.last_sequence: int | None = None
        """The highest; None where there is no row."""
        self.last_received_ns: int | None = None
        numbers, codes = self._numbered()
        self._series = [series_of(int(code), self.facts.instruments) for code in codes]
        self._ends = np.cumsum(np.bincount(numbers, minlength=len(codes)))
        self._places: IntArray = np.empty(self.rows, np.min_scalar_type(-self.rows - 1))
        """Of each row, in the order of series."""
        self._places[np.argsort(numbers, kind="stable")] = np.arange(self.rows)

    def groups(self) -> Iterator[Iterator[tuple[Series, Rows]]]:
        """Series after series with its rows in the order in which they came; a large one comes in several pieces.

        Rows of unknown kinds and instruments are left out.
        """
        first = 0
        while first < len(self._series):
            last = int(np.searchsorted(self._ends, self._start(first) + GROUP_ROWS, side="right"))
            last = min(max(last, first + 1), first + GROUP_SERIES)
            yield self._group(first, last)
            first = last

    def _start(self, number: int) -> int:
        return int(self._ends[number - 1]) if number else 0

    def _group(self, first: int, last: int) -> Iterator[tuple[Series, Rows]]:
        end = int(self._ends[last - 1])
        for low in range(self._start(first), end, GROUP_ROWS):
            high = min(low + GROUP_ROWS, end)
            rows = self._gathered(low, high)
            for number in range(first, last):
                start, stop = max(self._start(number), low), min(int(self._ends[number]), high)
                series = self._series[number]
                if series is not None and start < stop:
                    yield series, rows[start - low : stop - low]

    def _gathered(self, low: int, high: int) -> Rows:
        """The rows whose places are low … high-1, in their places."""
        gathered: Rows = np.empty(high - low, RAW_ROW)
        first = 0
        with self.facts.path.open("rb") as file:
            for piece in self._pieces:
                places = self._places[first : first + len(piece.places)] - low
                first += len(places)
                is_wanted = (places >= 0) & (places < len(gathered))
                gathered[places[is_wanted]] = piece.rows(file, piece.places[is_wanted])
        return as_rows([gathered])

    def _numbered(self) -> tuple[IntArray, IntArray]:
        """Each row's place among the codes, in integers so small that they are sorted by radix; the codes."""
        import pandas as pd  # of use in the child that rolls, and not in the engine

        found = [np.zeros(0, np.int64)]
        with self.facts.path.open("rb") as file:
            for piece in self._pieces:
                rows = as_rows([piece.rows(file, piece.places)])
                found.append(series_codes(rows))
                self.last_sequence = max(self.last_sequence or 0, int(rows["sequence"].max()))
                self.last_received_ns = int(rows["ts_received"][-1])
        joined = np.concatenate(found)
        found.clear()
        numbers, codes = pd.factorize(joined)
        return numbers.astype(np.min_scalar_type(len(codes))), codes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A stretch of the file with many frames, so that what is done for each costs little for a row."""

    start: int
    stop: int
    places: npt.NDArray[np.int32]
    """At which bytes of the stretch its rows begin."""

    def rows(self, file: BinaryIO, places: npt.NDArray[np.int32]) -> Rows:
        """The rows at these places, as RAW_ROW."""
        file.seek(self.start)
        content = file.read(self.stop - self.start)
        # a row may begin at any byte: an array of all of them, each overlapping the next, of which some are taken
        everywhere: Rows = np.ndarray(len(content) - RAW_ROW.itemsize + 1, RAW_ROW, content, strides=(1,))
        return everywhere[places]


def _pieces(frames: Sequence[tuple[int, int]]) -> Iterator[_Piece]:
    """Frames (first byte and number of rows) that have rows, together until they have PIECE_BYTES."""
    together: list[tuple[int, int]] = []
    for place, (offset, count) in enumerate(frames):
        if count:
            together.append((offset, count))
        if together and (place + 1 == len(frames) or offset - together[0][0] >= PIECE_BYTES):
            start, (last, rows) = together[0][0], together[-1]
            places = [np.arange(count, dtype=np.int32) * RAW_ROW.itemsize + (at - start) for at, count in together]
            yield _Piece(start=start, stop=last + rows * RAW_ROW.itemsize, places=np.concatenate(places))
            together = []
