"""A question asked again where no answer came."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from workstation.errors import VenueUnavailable

TRIES = 3

Answer = TypeVar("Answer")


async def asked_again(ask: Callable[[], Awaitable[Answer]], retry_s: float) -> Answer:
    """What `ask` returns, at the third try at the latest. Raises VenueUnavailable, and what else it raises at once."""
    for attempt in range(1, TRIES + 1):
        try:
            return await ask()
        except VenueUnavailable:
            if attempt == TRIES:
                raise
            await asyncio.sleep(retry_s * attempt)
    raise AssertionError("the last try returns or raises")
