"""A venue's past by REST, page by page: bars of a span, each once, in order of time.

Nothing is concluded from how many rows a page has. It goes on behind the last row that came; where nothing came, or far
less than was asked for, the venue is asked once more before that is taken for its answer.
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from workstation.errors import BadInput, VenueUnavailable
from workstation.exchanges.ccxt_parse import BarNumbers, Refusals
from workstation.exchanges.circuit_breaker import CircuitBreaker
from workstation.exchanges.download_tables import bar_page_table
from workstation.exchanges.settings import VenueSettings
from workstation.history.backfill import Page
from workstation.history.longer_bars import opening_of
from workstation.model.durations import SECOND_NS
from workstation.model.instrument import Instrument

GRACE_NS = 5 * SECOND_NS
"""So long after its end a bar, or a moment of trades, is taken for settled."""
LONG_HOLE = 10
"""A hole of more bars before the first one of a page is asked for once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often a venue that does not answer is asked, and how long between, doubled each time up to the most."""

    tries: int = 8
    first_wait_s: float = 1.0
    most_wait_s: float = 60.0


class PastOfVenue(ABC):
    """One venue's past. `tell` gets a sentence about each answer that did not come."""

    def __init__(
        self,
        settings: VenueSettings,
        now_ns: Callable[[], int],
        *,
        patience: Patience | None = None,
        breaker: CircuitBreaker | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.settings, self._now_ns = settings, now_ns
        self._patience = Patience() if patience is None else patience
        self._breaker = CircuitBreaker() if breaker is None else breaker
        self._tell = tell or (lambda _sentence: None)
        self.refusals = Refusals()
        """Rows that are no bar or no trade."""
        self.asked = 0
        """Questions to the venue."""

    @abstractmethod
    async def open(self) -> None:
        """Learns what the venue lists. Raises VenueUnavailable, VenueRefused, ConfigError."""

    @abstractmethod
    async def close(self) -> None:
        """Lets go of what is open."""

    @abstractmethod
    def instrument(self, symbol: str, valid_from_ns: int) -> Instrument:
        """The rules as they are now. Raises UnknownInstrument with the nearest, BadInput for another kind of market."""

    @abstractmethod
    def listed_ns(self, symbol: str) -> int | None:
        """Since when it is traded, where the venue says so. Raises UnknownInstrument."""

    @abstractmethod
    def require_interval(self, interval_ns: int) -> None:
        """Raises BadInput for bars that the venue does not have, with those it has."""

    @abstractmethod
    def require_trades(self) -> None:
        """Raises BadInput for a venue whose trades cannot be fetched."""

    @abstractmethod
    def trades(self, symbol: str, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """Pages of the trades in [start, end). Raises VenueUnavailable after many tries, VenueRefused."""

    def require_funding(self, symbol: str) -> None:
        """Raises BadInput for a market without funding rates, or a venue whose past ones cannot be fetched."""
        raise BadInput(f"venue {self.settings.venue} ({self.settings.exchange}): it has no funding rates")

    def funding(self, symbol: str, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """Pages of the funding rates paid in [start, end). Raises VenueUnavailable after many tries, VenueRefused."""
        raise NotImplementedError("`require_funding` says that there are none")

    @abstractmethod
    def _page_size(self, symbol: str) -> int:
        """How many bars may be asked for at once."""

    @abstractmethod
    async def _bar_page(self, symbol: str, interval_ns: int, at: int, size: int) -> list[BarNumbers]:
        """The venue's bars from `at` on, ascending, each opening once. Raises VenueUnavailable, VenueRefused."""

    async def _ask(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """What the call returns, its errors as ours."""
        return await call()

    def settled_ns(self, interval_ns: int | None) -> int:
        """Up to here the past does not change any more: bars that open before it have ended."""
        settled = self._now_ns() - GRACE_NS
        return settled if interval_ns is None else opening_of(settled, interval_ns)

    async def bars(self, symbol: str, interval_ns: int, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """Pages of the bars that open in [start, end), both of them openings and the end settled.

        Raises VenueUnavailable after many tries, VenueRefused.
        """
        size = self._page_size(symbol)
        at = start_ns
        while at < end_ns:
            bars = await self._bars_from(symbol, interval_ns, at, size)
            taken = [bar for bar in bars if at <= bar.ts_open < end_ns]
            # where none came there is none in the stretch that one page covers
            following = bars[-1].ts_open + interval_ns if bars else at + size * interval_ns
            at = min(following, end_ns)
            yield Page(table=bar_page_table(taken), until_ns=at)

    async def _bars_from(self, symbol: str, interval_ns: int, at: int, size: int) -> list[BarNumbers]:
        """The venue's bars from `at` on, ascending, each opening once."""
        pages: list[list[BarNumbers]] = []
        for _ in range(2):
            page: list[BarNumbers] = await self._patiently(lambda: self._bar_page(symbol, interval_ns, at, size))
            if page and page[0].ts_open <= at + LONG_HOLE * interval_ns:
                return page
            pages += [page] if page else []
        return min(pages, key=lambda page: page[0].ts_open, default=[])

    async def _patiently(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """The answer, asked for again while the venue gives none. Raises VenueUnavailable, VenueRefused."""
        loop, patience = asyncio.get_running_loop(), self._patience
        wait_s = patience.first_wait_s
        for attempt in range(1, patience.tries + 1):
            await asyncio.sleep(self._breaker.wait_s(loop.time()))
            self._breaker.attempt(loop.time())
            self.asked += 1
            try:
                answer = await self._ask(call)
            except VenueUnavailable as error:
                self._breaker.failed(loop.time())
                if attempt == patience.tries:
                    raise VenueUnavailable(
                        f"{error} ({attempt} tries). What came before is stored: the same command goes on from there"
                    ) from error
                self._tell(f"{error}: asked again")
                await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))
                wait_s = min(2 * wait_s, patience.most_wait_s)
            else:
                self._breaker.succeeded(loop.time())
                return answer
        raise AssertionError("the last try returns or raises")
