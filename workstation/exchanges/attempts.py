"""Connecting again and again: waits that grow, a circuit breaker, and nothing sent while the venue has banned us."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, Protocol

from workstation.errors import BadInput
from workstation.exchanges.circuit_breaker import CircuitBreaker
from workstation.exchanges.pace import Pace
from workstation.exchanges.rest_limiter import RestPace
from workstation.model.durations import SECOND_NS
from workstation.model.ids import Venue
from workstation.ports.feed import FeedState


class Say(Protocol):
    """Tells how the whole connection fares."""

    def __call__(self, state: FeedState, reason: str, *, until_ns: int | None = None) -> None: ...


class Attempts:
    """`lost` counts the connections that ended."""

    def __init__(
        self,
        pace: Pace,
        breaker: CircuitBreaker,
        limiter: RestPace,
        now_ns: Callable[[], int],
        rng: random.Random | None = None,
    ) -> None:
        self._pace, self._breaker, self._limiter, self._now_ns = pace, breaker, limiter, now_ns
        self._rng = random.Random() if rng is None else rng
        self.lost = 0
        self._task: asyncio.Task[Any] | None = None
        self._hurry = asyncio.Event()

    @contextmanager
    def running(self, venue: Venue) -> Iterator[None]:
        """While the calling task keeps a feed connected. Raises BadInput where another does."""
        if self._task is not None:
            raise BadInput(f"{venue}: the feed runs already; cancel it before it is run with other subscriptions")
        self._task = asyncio.current_task()
        try:
            yield
        finally:
            self._task = None

    def require_running(self, venue: Venue) -> None:
        """Raises BadInput where nothing runs."""
        if self._task is None:
            raise BadInput(f"{venue}: the feed does not run: run it with these subscriptions")

    async def stop(self) -> None:
        """Cancels what runs and waits for its end."""
        if (running := self._task) is not None:
            running.cancel()
            await asyncio.wait([running])

    async def keep(self, connect: Callable[[], Awaitable[str]], say: Say) -> NoReturn:
        """Runs one connection after the other; `connect` returns why it was lost."""
        attempt, loop = 0, asyncio.get_running_loop()
        try:
            while True:
                await self._until_allowed(say)
                began = loop.time()
                reason = await connect()
                self.lost += 1
                self._breaker.failed(loop.time())
                attempt = 0 if loop.time() - began >= self._pace.stable_after_s else attempt + 1
                wait = self._backoff_s(attempt)
                say(FeedState.RECONNECTING, f"{reason}; again in {wait:.1f} s")
                await self._wait(wait)
        finally:
            say(FeedState.STOPPED, "cancelled")

    def succeeded(self) -> None:
        """The connection lives: the venue has told something."""
        self._breaker.succeeded(asyncio.get_running_loop().time())

    def retry_now(self) -> None:
        """By hand: the breaker is closed and no wait kept but that of a ban, which another attempt would prolong."""
        self._breaker.reset()
        self._hurry.set()

    async def _wait(self, seconds: float) -> None:
        """Until the time is over, or somebody cannot wait for it."""
        self._hurry.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # wait_for may lose a cancellation that comes with the event
                await self._hurry.wait()

    async def _until_allowed(self, say: Say) -> None:
        """Waits while the venue has banned us, or the breaker is open; says so, with the end."""
        loop = asyncio.get_running_loop()
        while True:
            banned, wait = self._limiter.ban_left_s(loop.time()), self._breaker.wait_s(loop.time())
            if not banned and self._breaker.attempt(loop.time()):
                return
            limits = self._breaker.limits
            reason = f"{limits.failures} lost connections within {limits.within_s:g} s: no attempt for a while"
            if banned:
                reason = "the venue has banned this address: nothing is sent until the ban ends"
            left = max(banned, wait)
            say(FeedState.BROKEN, reason, until_ns=self._now_ns() + round(left * SECOND_NS))
            await (asyncio.sleep(left) if banned else self._wait(left))

    def _backoff_s(self, attempt: int) -> float:
        """1, 2, 4, 8 … 60 s, of which a random half is taken off, so that clients do not come back together."""
        whole = min(self._pace.most_backoff_s, self._pace.first_backoff_s * 2.0 ** min(max(attempt - 1, 0), 30))
        return whole * (0.5 + self._rng.random() / 2)


def first_of(errors: BaseExceptionGroup[Any]) -> BaseException:
    """The first error within a group of groups."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
