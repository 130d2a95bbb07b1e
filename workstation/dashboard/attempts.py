"""Wrong passwords: some are free, then each doubles the wait. Pure, told the time, and bounded in memory."""

import math
from collections import OrderedDict
from dataclasses import dataclass

MOST_REMEMBERED = 1_024
LONGEST_WAIT_S = 300.0
FORGOTTEN_AFTER_S = 1_800.0
"""Without another wrong one."""


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    last_s: float


class Failures:
    """Counted for each of many (users, or addresses); the one that was quiet longest is forgotten first."""

    def __init__(self, free: int, most_remembered: int = MOST_REMEMBERED) -> None:
        self._free, self._most_remembered = free, most_remembered
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures)

    def wait_s(self, who: str, now_s: float) -> float:
        """How long until the next attempt is looked at; 0 where it is now."""
        known = self._failures.get(who)
        if known is None or known.count < self._free:
            return 0.0
        pause_s = min(2.0 ** min(known.count - self._free, 16), LONGEST_WAIT_S)
        return max(0.0, known.last_s + pause_s - now_s)

    def note(self, who: str, now_s: float) -> None:
        known = self._failures.pop(who, None)
        is_fresh = known is not None and now_s - known.last_s < FORGOTTEN_AFTER_S
        self._failures[who] = _Failures(1 + (known.count if known is not None and is_fresh else 0), now_s)
        if len(self._failures) > self._most_remembered:
            self._failures.popitem(last=False)

    def forgive(self, who: str) -> None:
        self._failures.pop(who, None)

    def take_back(self, who: str) -> None:
        """One attempt, that was no failure after all."""
        known = self._failures.get(who)
        if known is not None:
            self._failures[who] = _Failures(max(0, known.count - 1), known.last_s)


class Attempts:
    """Of logins. An attempt counts as wrong from its beginning, so that many at once are as many in a row."""

    def __init__(self, free_of_user: int = 5, free_of_address: int = 20) -> None:
        self._of_user, self._of_address = Failures(free_of_user), Failures(free_of_address)

    def __len__(self) -> int:
        return len(self._of_user) + len(self._of_address)

    def begin(self, user: str, address: str, now_s: float) -> int:
        """0: it may be looked at, and is counted. Otherwise how many seconds to wait; it is not looked at."""
        wait_s = max(self._of_user.wait_s(user, now_s), self._of_address.wait_s(address, now_s))
        if wait_s == 0.0:
            self._of_user.note(user, now_s)
            self._of_address.note(address, now_s)
        return math.ceil(wait_s)

    def was_right(self, user: str, address: str) -> None:
        """Forgives the user; of the address this attempt alone: a password of one's own buys no guesses at others'."""
        self._of_user.forgive(user)
        self._of_address.take_back(address)
