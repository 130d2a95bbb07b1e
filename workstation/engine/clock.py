"""The one clock of the engine: the core below never asks for the time, it is told."""

import time


class Clock:
    """UTC nanoseconds that never go back: the wall clock at the start, and the monotonic one from there on.

    A step of the wall clock (NTP, suspend) is not followed, only seen: `drift_ns`.
    """

    def __init__(self, *, at_least_ns: int = 0) -> None:
        """`at_least_ns`: the last time that an earlier process knew; a wall clock set back since is not believed."""
        self._offset_ns = max(time.time_ns(), at_least_ns) - time.monotonic_ns()

    def now_ns(self) -> int:
        return time.monotonic_ns() + self._offset_ns

    def drift_ns(self) -> int:
        """How far the wall clock has run ahead of this one since the start (negative: behind)."""
        return time.time_ns() - self.now_ns()
