"""How patient a feed is: waits between attempts, before repairs, and between looks."""

import asyncio
import time
from dataclasses import dataclass

from workstation.model.durations import SECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often and how long, in seconds; each with the value that suits a real venue."""

    first_backoff_s: float = 1.0
    most_backoff_s: float = 60.0
    stable_after_s: float = 60.0
    """A connection that lived so long begins with the shortest wait again."""
    repair_after_s: float = 1.0
    """A symbol without a trade for so long after connecting is asked for by REST all the same."""
    bar_grace_s: float = 2.0
    """Behind a bar's end, before the venue's answer is taken for its last word."""
    bar_check_s: float = 0.5
    retry_s: float = 1.0
    funding_every_s: float = 30.0
    """Between questions for funding rates, where they are not streamed."""
    look_s: float = 0.1
    """Between two looks at the order books that are told to a depth."""
    recall_s: float = 1.0
    fresh_s: float = 1.0
    """For so long a venue's list of markets is not asked for again."""

    @property
    def bar_grace_ns(self) -> int:
        return round(self.bar_grace_s * SECOND_NS)


async def rest(seconds: float) -> tuple[float, bool]:
    """Sleeps; the monotonic time behind it, and whether that was far too late: it was our loop that stood still, and
    what the venue said meanwhile waits unread."""
    began = time.monotonic()
    await asyncio.sleep(seconds)
    now = time.monotonic()
    return now, now - began > 2 * seconds
