"""Progress of a command, on stderr: a bar with the time left on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from tqdm import tqdm

PATIENCE_S = 2.0
"""What is done sooner needs no progress."""
LINES = 10
"""At most so many plain lines for one run."""


class Progress:
    """Shows how many of all rows (or another unit) are done once it has taken over `patience_s`; a context manager."""

    def __init__(
        self,
        name: str,
        *,
        unit: str = "row",
        patience_s: float = PATIENCE_S,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._unit, self._patience_s, self._clock = name, unit, patience_s, clock
        self._stream = sys.stderr if stream is None else stream
        self._bar = tqdm(
            desc=name,
            unit=unit,
            unit_scale=unit == "row",
            delay=patience_s,
            file=self._stream,
            disable=not self._stream.isatty(),
            leave=patience_s == 0,
        )
        self._started_s = clock()
        self._lines = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.close()

    def show(self, done: int, total: int) -> None:
        """`done` of `total` have been taken."""
        if not self._bar.disable:
            self._bar.total = total
            self._bar.update(done - self._bar.n)
            return
        spent_s = self._clock() - self._started_s
        line = LINES * done // max(total, 1)
        if spent_s >= self._patience_s and line > self._lines:
            self._lines = line
            left_s = spent_s * (total - done) / done
            print(
                f"{self._name}: {done:,} of {total:,} {self._unit}s, {left_s:.0f} s left", file=self._stream, flush=True
            )
