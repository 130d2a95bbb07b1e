"""Opportunities on their way into the live log: while the disk refuses they wait, and each one let go is counted."""

import logging
from collections import deque
from collections.abc import Callable

from workstation.history.opportunities import KeptOpportunity, kept_fault

MOST_UNKEPT = 10_000
"""Wait for a disk that refuses; the oldest are let go."""

log = logging.getLogger(__name__)


class Unkept:
    """Of one writer; used by its thread alone. Why some were let go is logged once for each reason."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._waiting: deque[KeptOpportunity] = deque()
        self._reasons: set[str] = set()
        self.missed = 0
        """Let go so far."""

    def add(self, opportunity: KeptOpportunity) -> None:
        """One that a log could not give back is let go."""
        fault = kept_fault(opportunity)
        if fault is not None:
            self._let_go(1, fault)
            return
        if len(self._waiting) >= MOST_UNKEPT:
            self._waiting.popleft()
            self._let_go(1, f"over {MOST_UNKEPT} wait for the disk")
        self._waiting.append(opportunity)

    def write(self, keep: Callable[[KeptOpportunity], bool]) -> bool:
        """Hands over the oldest first, up to one that is not taken; whether any was."""
        before = len(self._waiting)
        while self._waiting and keep(self._waiting[0]):
            self._waiting.popleft()
        return len(self._waiting) < before

    def give_up(self, later: int) -> None:
        """The writer ends: what waits is let go, and so are `later` ones that it never saw."""
        lost = len(self._waiting) + later
        self._waiting.clear()
        if lost:
            self._let_go(lost, f"{lost} were not written when the writer ended")

    def _let_go(self, count: int, why: str) -> None:
        self.missed += count
        if why not in self._reasons:
            self._reasons.add(why)
            log.warning("%s: opportunities are not recorded: %s", self._subject, why)
