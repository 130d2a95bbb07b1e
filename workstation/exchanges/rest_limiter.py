"""One limiter for every REST call from this process to one exchange: an even pace, and a full stop when it is told.

429 ("slow down") and 418 ("banned") stop all calls, not only the one that was answered so: each further one would
lengthen the ban. Times are seconds of the running loop's clock; the pure half has them passed in.
"""

import asyncio
import math
import re
from collections.abc import Mapping
from typing import Protocol

from workstation.exchanges.venue_facts import RestLimits

TOO_MANY = 429
BANNED = 418
FORBIDDEN = 403
MOST_SECONDS = 1e11
"""A moment of Unix time beyond this is in milliseconds."""
PAUSE_S = 60.0
"""After a 429 that names no time: the venues count by the minute."""
BAN_S = 180.0
"""After a 418 that names no time; the shortest ban that Binance documents is two minutes."""
LONGEST_PAUSE_S = 7 * 86_400.0


class RestPace:
    """When the next call may go; pure."""

    def __init__(self) -> None:
        self._next_s = 0.0
        self._paused_until_s = 0.0
        self._banned_until_s = 0.0

    def place(self, now_s: float, spacing_s: float) -> float:
        """Takes the next place in the line: its time. `spacing_s` is what this call costs."""
        place = max(now_s, self._next_s, self._paused_until_s)
        self._next_s = place + spacing_s
        return place

    def pause_left_s(self, now_s: float) -> float:
        return max(0.0, self._paused_until_s - now_s)

    def ban_left_s(self, now_s: float) -> float:
        return max(0.0, self._banned_until_s - now_s)

    def answered(self, now_s: float, status: int, retry_after: str | None) -> None:
        """Learns from a reply's HTTP status; a pause is never shortened by a later, shorter one."""
        if status not in (TOO_MANY, BANNED):
            return
        until = now_s + retry_after_s(retry_after, BAN_S if status == BANNED else PAUSE_S)
        self._paused_until_s = max(self._paused_until_s, until)
        if status == BANNED:
            self._banned_until_s = max(self._banned_until_s, until)


def limit_told(
    limits: RestLimits, status: int, headers: Mapping[str, str], body: str, now_s: float
) -> tuple[int, str | None]:
    """What an answer says of limits, as HTTP says it: a status, 429 and 418 among them, and seconds to wait.

    `now_s` is Unix time.
    """
    named = {name.lower(): value for name, value in headers.items()}
    if status == FORBIDDEN and limits.ban_text and limits.ban_text in body:
        return BANNED, str(limits.ban_s)
    if limits.ban_end and (end := re.search(limits.ban_end, body)):
        return BANNED, _until_s(end[1], now_s)
    if limits.code and body.replace(" ", "").find(limits.code) >= 0:
        status = TOO_MANY
    if status == TOO_MANY and limits.reset_header in named:
        return status, _until_s(named[limits.reset_header], now_s)
    return status, named.get("retry-after")


def _until_s(moment: str, now_s: float) -> str | None:
    """Seconds to a moment of Unix time, in s or ms; a second at least, since the venue's clock is not ours."""
    try:
        at_s = float(moment)
    except ValueError:
        return None
    return str(max((at_s / 1000 if at_s > MOST_SECONDS else at_s) - now_s, 1.0))


def retry_after_s(header: str | None, otherwise_s: float) -> float:
    """Seconds of a Retry-After header; `otherwise_s` where it is absent or no number of seconds."""
    try:
        seconds = float(header) if header is not None else math.nan
    except ValueError:  # the form with a date; no venue of ours sends it
        return otherwise_s
    return min(seconds, LONGEST_PAUSE_S) if seconds >= 0 else otherwise_s


class RestLimiter(RestPace):
    """The line that the calls of all clients of one exchange stand in.

    `share` of the exchange's pace is this process's; the rest is left to others that ask from the same address.
    """

    def __init__(self, share: float = 1.0) -> None:
        super().__init__()
        self._share = share

    async def turn(self, spacing_s: float) -> None:
        """Returns when this call may go; a pause that begins while it stands in line puts it in line again."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.place(loop.time(), spacing_s / self._share) - loop.time())
            if not self.pause_left_s(loop.time()):
                return


class Line(Protocol):
    """What a client asks before a call, and tells behind it."""

    async def turn(self, spacing_s: float) -> None: ...

    def answered(self, now_s: float, status: int, retry_after: str | None) -> None: ...


class LineOfAnotherLoop:
    """A limiter's line for a client in another thread than the limiter's `loop`."""

    def __init__(self, limiter: RestLimiter, loop: asyncio.AbstractEventLoop) -> None:
        self._limiter, self._loop = limiter, loop

    async def turn(self, spacing_s: float) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._limiter.turn(spacing_s), self._loop))

    def answered(self, now_s: float, status: int, retry_after: str | None) -> None:
        """`now_s` is of the client's loop; what counts is the time of the limiter's."""
        self._loop.call_soon_threadsafe(lambda: self._limiter.answered(self._loop.time(), status, retry_after))


class RestLimiters:
    """A limiter per exchange, of which each may take that share: venues with the same address share its limits."""

    def __init__(self, share: float = 1.0) -> None:
        self._share = share
        self._limiters: dict[str, RestLimiter] = {}

    def of(self, address: str) -> RestLimiter:
        return self._limiters.setdefault(address, RestLimiter(self._share))
