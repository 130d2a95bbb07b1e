"""Circuit breaker: after too many failures in a short time, no more attempts for a while, then one on trial.

Times are seconds of any clock that does not go back; they are passed in, so that a test needs no clock.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum


class Circuit(StrEnum):
    CLOSED = "closed"
    """Attempts are made."""
    OPEN = "open"
    """No attempt is made."""
    HALF_OPEN = "half-open"
    """One attempt decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerLimits:
    """So many failures within a time open the circuit; after another time it lets one attempt through."""

    failures: int = 5
    within_s: float = 60.0
    open_s: float = 30.0


class CircuitBreaker:
    """Closed until `failures` within `within_s`; open for `open_s`; then one trial closes it or opens it again."""

    def __init__(self, limits: BreakerLimits | None = None) -> None:
        self.limits = BreakerLimits() if limits is None else limits
        self._failed: deque[float] = deque(maxlen=self.limits.failures)
        self._opened: float | None = None
        self._tried: float | None = None  # when the trial began

    def state(self, now_s: float) -> Circuit:
        if self._opened is None:
            return Circuit.CLOSED
        return Circuit.OPEN if now_s < self._opened + self.limits.open_s else Circuit.HALF_OPEN

    def wait_s(self, now_s: float) -> float:
        """Seconds until an attempt is allowed; 0 when it is allowed now."""
        if self._opened is None:
            return 0.0
        # a trial that never reported (its task was cancelled) is given up after the time of an opening
        since = self._opened if self._tried is None else self._tried
        return max(0.0, since + self.limits.open_s - now_s)

    def attempt(self, now_s: float) -> bool:
        """Whether an attempt may be made now; half-open, it takes the one trial."""
        if self.wait_s(now_s) > 0:
            return False
        if self._opened is not None:
            self._tried = now_s
        return True

    def succeeded(self, now_s: float) -> None:
        """Closes a half-open circuit; a closed one goes on counting its failures, so that flapping opens it."""
        if self.state(now_s) is Circuit.HALF_OPEN:
            self.reset()

    def failed(self, now_s: float) -> None:
        if self.state(now_s) is Circuit.HALF_OPEN:
            self._open(now_s)
        elif self._opened is None:
            self._failed.append(now_s)
            is_full = len(self._failed) == self.limits.failures
            if is_full and now_s - self._failed[0] <= self.limits.within_s:
                self._open(now_s)

    def reset(self) -> None:
        """Closes the circuit, by hand or after a trial that went well."""
        self._failed.clear()
        self._opened = self._tried = None

    def _open(self, now_s: float) -> None:
        self._failed.clear()
        self._opened, self._tried = now_s, None
