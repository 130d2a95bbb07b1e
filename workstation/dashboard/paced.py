"""What changes many times a second is told as often as an eye can use, and the first change at once."""

import asyncio
from collections.abc import Callable


class Paced:
    """Calls `tell` as soon as the loop is free after `ask`, and `every_s` after the last time at the earliest."""

    def __init__(self, tell: Callable[[], None], every_s: float) -> None:
        self._tell, self._every_s = tell, every_s
        self._due: asyncio.TimerHandle | None = None
        self._next_s = 0.0

    def ask(self) -> None:
        """There is something to tell; several questions before it is told are one."""
        if self._due is None:
            loop = asyncio.get_running_loop()
            self._due = loop.call_at(max(loop.time(), self._next_s), self._run, loop)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due, self._next_s = None, loop.time() + self._every_s
        self._tell()

    def close(self) -> None:
        """What was asked for is told no more."""
        if self._due is not None:
            self._due.cancel()
