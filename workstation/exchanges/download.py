"""The past of a venue that ccxt knows, by REST: its bars, public trades and funding rates."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from workstation.errors import BadInput, VenueUnavailable
from workstation.exchanges.ccxt_client import venue_errors
from workstation.exchanges.ccxt_instruments import instrument_of
from workstation.exchanges.ccxt_markets import Markets
from workstation.exchanges.ccxt_parse import BarNumbers, Refusal, bar_numbers
from workstation.exchanges.circuit_breaker import CircuitBreaker
from workstation.exchanges.contract_sizes import counting_of
from workstation.exchanges.download_funding import FundingPages
from workstation.exchanges.download_trades import TradePages, require_json
from workstation.exchanges.past import PastOfVenue, Patience
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.history.backfill import Page
from workstation.model.durations import MS_NS
from workstation.model.ids import Symbol
from workstation.model.instrument import Instrument
from workstation.model.market import (
    interval_label,
)

FRESH_S = 3_600.0
MOST_BARS = 1_000
USUAL_BARS = 300
"""A page of a venue of which ccxt does not say how long its pages are."""


class CcxtPast(PastOfVenue):
    """Of a venue that ccxt knows."""

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
        super().__init__(settings, now_ns, patience=patience, breaker=breaker, tell=tell)
        self._markets = Markets(settings, limiter, FRESH_S)
        self._client: Any = None

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
        counting_of(market, self.settings)  # what cannot be told in base currency is refused before the first page
        return instrument_of(market, self.settings.venue, self.settings.exchange, valid_from_ns)

    def listed_ns(self, symbol: str) -> int | None:
        """Since when it is traded, where the venue says so. Raises UnknownInstrument."""
        created = self._markets.listed(self._client, Symbol(symbol)).get("created")
        return int(created) * MS_NS if created else None

    def require_interval(self, interval_ns: int) -> None:
        """Raises BadInput for bars that the venue does not have, with those it has."""
        label, known = interval_label(interval_ns), self._client.timeframes or {}
        if label not in known:
            raise BadInput(
                f"venue {self.settings.venue} ({self.settings.exchange}): no bars of {label}; it has "
                f"{', '.join(known) or 'none'}"
            )

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

    def funding(self, symbol: str, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """Pages of the funding rates paid in [start, end). Raises VenueUnavailable after many tries, VenueRefused."""
        pages = FundingPages(self._client, self.settings, symbol, self._patiently, self.refusals, self._now_ns)
        return pages.run(start_ns, end_ns)

    def require_funding(self, symbol: str) -> None:
        """Raises BadInput for a market without funding rates, or a venue whose past ones cannot be fetched."""
        subject = f"venue {self.settings.venue} ({self.settings.exchange})"
        if not self._client.has.get("fetchFundingRateHistory"):
            raise BadInput(f"{subject}: its past funding rates cannot be fetched")
        if self._markets.listed(self._client, Symbol(symbol))["swap"] is not True:
            raise BadInput(f"{subject}: {symbol} has no funding rates: expected a perpetual, such as BTC/USDT:USDT")

    async def _ask(self, call: Callable[[], Awaitable[Any]]) -> Any:
        with venue_errors(self.settings):
            return await call()

    def _page_size(self, symbol: str) -> int:
        told = self._client.feature_value(symbol, "fetchOHLCV", "limit")
        return min(int(told) if told else USUAL_BARS, MOST_BARS)

    async def _bar_page(self, symbol: str, interval_ns: int, at: int, size: int) -> list[BarNumbers]:
        label = interval_label(interval_ns)
        raws = await self._client.fetch_ohlcv(symbol, label, at // MS_NS, size)
        require_json(self._client, f"{self.settings.venue}: {label} bars of {symbol}")
        found = {bar.ts_open: bar for bar in self._read(symbol, label, raws) if bar.ts_open >= at}
        return [found[ts_open] for ts_open in sorted(found)]

    def _read(self, symbol: str, label: str, raws: Sequence[Any]) -> list[BarNumbers]:
        """Raises VenueUnavailable where no row is a bar: ccxt reads a torn answer as text, letter by letter."""
        counted = counting_of(self._client.market(symbol), self.settings).volume
        parsed = [(bar_numbers(raw, self._now_ns(), counted), raw) for raw in raws]
        bars = [bar for bar, _ in parsed if not isinstance(bar, Refusal)]
        if raws and not bars:
            raise VenueUnavailable(f"{self.settings.venue}: {label} bars of {symbol}: answer not understood")
        for bar, raw in parsed:
            if isinstance(bar, Refusal):
                self.refusals.add(bar, f"{label} bar of {symbol}", raw)
        return bars
