"""A venue's past by REST, page by page: bars and public trades of a span, each once, in order of time.

Nothing is concluded from how many rows a page has. It goes on behind the last row that came; where nothing came, or far
less than was asked for, the venue is asked once more before that is taken for its answer.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workstation.errors import BadInput, VenueUnavailable
from workstation.exchanges.ccxt_client import venue_errors
from workstation.exchanges.ccxt_instruments import instrument_of
from workstation.exchanges.ccxt_markets import Markets
from workstation.exchanges.ccxt_parse import (
    MS_NS,
    BarNumbers,
    Refusal,
    Refusals,
    bar_numbers,
)
from workstation.exchanges.circuit_breaker import CircuitBreaker
from workstation.exchanges.download_tables import bar_page_table
from workstation.exchanges.download_trades import TradePages, require_json
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.history.backfill import Page
from workstation.history.longer_bars import opening_of
from workstation.model.ids import Symbol
from workstation.model.instrument import Instrument
from workstation.model.market import SECOND_NS, interval_label

FRESH_S = 3_600.0
MOST_BARS = 1_000
USUAL_BARS = 300
"""A page of a venue of which ccxt does not say how long its pages are."""
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


class PastOfVenue:
    """One venue's past. `tell` gets a sentence about each answer that did not come."""

    def __init__(
        self,
        settings: VenueSettings,
        limiter: RestLimiter,
        now_ns: Callable[[], int],
        *,
        patience: Patience | None = None,
        breaker: CircuitBreaker | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.settings, self._now_ns = settings, now_ns
        self._markets = Markets(settings, limiter, FRESH_S)
        self._patience = Patience() if patience is None else patience
        self._breaker = CircuitBreaker() if breaker is None else breaker
        self._tell = tell or (lambda _sentence: None)
        self._client: Any = None
        self.refusals = Refusals()
        """Rows that are no bar or no trade."""
        self.asked = 0
        """Questions to the venue."""

    async def open(self) -> None:
        """Learns what the venue lists. Raises VenueUnavailable, VenueRefused, ConfigError."""
        self._client = await self._patiently(self._markets.open_client)
        self._client.enableLastJsonResponse = True  # by which `require_json` knows a torn answer from an empty one

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    def instrument(self, symbol: str, valid_from_ns: int) -> Instrument:
        """The rules as they are now. Raises UnknownInstrument with the nearest, BadInput for another kind of market."""
        market = self._markets.listed(self._client, Symbol(symbol))
        return instrument_of(market, self.settings.venue, self.settings.exchange, valid_from_ns)

    def listed_ns(self, symbol: str) -> int | None:
        """Since when it is traded, where the venue says so. Raises UnknownInstrument."""
        created = self._markets.listed(self._client, Symbol(symbol)).get("created")
        return int(created) * MS_NS if created else None

    def settled_ns(self, interval_ns: int | None) -> int:
        """Up to here the past does not change any more: bars that open before it have ended."""
        settled = self._now_ns() - GRACE_NS
        return settled if interval_ns is None else opening_of(settled, interval_ns)

    def require_interval(self, interval_ns: int) -> None:
        """Raises BadInput for bars that the venue does not have, with those it has."""
        label, known = interval_label(interval_ns), self._client.timeframes or {}
        if label not in known:
            raise BadInput(
                f"venue {self.settings.venue} ({self.settings.exchange}): no bars of {label}; it has "
                f"{', '.join(known) or 'none'}"
            )

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

    def trades(self, symbol: str, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """Pages of the trades in [start, end). Raises VenueUnavailable after many tries, VenueRefused."""
        pages = TradePages(
            self._client, self.settings, symbol, self._patiently, self.refusals, self._now_ns, self._tell
        )
        return pages.run(start_ns, end_ns)

    def require_trades(self) -> None:
        """Raises BadInput for a venue whose trades cannot be fetched."""
        if not self._client.has.get("fetchTrades"):
            raise BadInput(f"venue {self.settings.venue} ({self.settings.exchange}): its past trades cannot be fetched")

    def _page_size(self, symbol: str) -> int:
        told = self._client.feature_value(symbol, "fetchOHLCV", "limit")
        return min(int(told) if told else USUAL_BARS, MOST_BARS)

    async def _bars_from(self, symbol: str, interval_ns: int, at: int, size: int) -> list[BarNumbers]:
        """The venue's bars from `at` on, ascending, each opening once."""
        pages: list[list[BarNumbers]] = []
        for _ in range(2):
            page: list[BarNumbers] = await self._patiently(lambda: self._bar_page(symbol, interval_ns, at, size))
            if page and page[0].ts_open <= at + LONG_HOLE * interval_ns:
                return page
            pages += [page] if page else []
        return min(pages, key=lambda page: page[0].ts_open, default=[])

    async def _bar_page(self, symbol: str, interval_ns: int, at: int, size: int) -> list[BarNumbers]:
        label = interval_label(interval_ns)
        raws = await self._client.fetch_ohlcv(symbol, label, at // MS_NS, size)
        require_json(self._client, f"{self.settings.venue}: {label} bars of {symbol}")
        found = {bar.ts_open: bar for bar in self._read(symbol, label, raws) if bar.ts_open >= at}
        return [found[ts_open] for ts_open in sorted(found)]

    def _read(self, symbol: str, label: str, raws: Sequence[Any]) -> list[BarNumbers]:
        """Raises VenueUnavailable where no row is a bar: ccxt reads a torn answer as text, letter by letter."""
        parsed = [(bar_numbers(raw, self._now_ns()), raw) for raw in raws]
        bars = [bar for bar, _ in parsed if not isinstance(bar, Refusal)]
        if raws and not bars:
            raise VenueUnavailable(f"{self.settings.venue}: {label} bars of {symbol}: answer not understood")
        for bar, raw in parsed:
            if isinstance(bar, Refusal):
                self.refusals.add(bar, f"{label} bar of {symbol}", raw)
        return bars

    async def _patiently(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """The answer, asked for again while the venue gives none. Raises VenueUnavailable, VenueRefused."""
        loop, patience = asyncio.get_running_loop(), self._patience
        wait_s = patience.first_wait_s
        for attempt in range(1, patience.tries + 1):
            await asyncio.sleep(self._breaker.wait_s(loop.time()))
            self._breaker.attempt(loop.time())
            self.asked += 1
            try:
                with venue_errors(self.settings):
                    answer = await call()
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
