"""OANDA's past by REST: bars of mid prices; of public trades there is none."""

from collections.abc import AsyncIterator, Callable

from workstation.errors import BadInput, VenueUnavailable
from workstation.exchanges.ccxt_parse import BarNumbers
from workstation.exchanges.circuit_breaker import CircuitBreaker
from workstation.exchanges.oanda_candles import MOST_CANDLES, OandaCandles
from workstation.exchanges.oanda_client import OandaClient
from workstation.exchanges.oanda_instruments import instrument_of
from workstation.exchanges.oanda_listing import OandaListing, granularity_of
from workstation.exchanges.past import PastOfVenue, Patience
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.history.backfill import Page
from workstation.model.ids import Symbol
from workstation.model.instrument import Instrument

FRESH_S = 3_600.0


class OandaPast(PastOfVenue):
    """Of one account at OANDA."""

    def __init__(
        self,
        settings: VenueSettings,
        limiter: RestLimiter,
        connections: RestLimiter,
        now_ns: Callable[[], int],
        *,
        patience: Patience | None = None,
        breaker: CircuitBreaker | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """Raises ConfigError without account or token."""
        super().__init__(settings, now_ns, patience=patience, breaker=breaker, tell=tell)
        self._client = OandaClient(settings, limiter, connections)
        self._listing = OandaListing(self._client, settings, FRESH_S)
        self._candles = OandaCandles(self._client, settings, self.refusals, now_ns)

    async def open(self) -> None:
        await self._patiently(self._listing.fresh)

    async def close(self) -> None:
        await self._client.close()

    def instrument(self, symbol: str, valid_from_ns: int) -> Instrument:
        return instrument_of(self._listing.listed(Symbol(symbol)), self.settings.venue, valid_from_ns)

    def listed_ns(self, symbol: str) -> int | None:
        self._listing.listed(Symbol(symbol))
        return None

    def require_interval(self, interval_ns: int) -> None:
        granularity_of(self.settings, interval_ns)

    def require_trades(self) -> None:
        raise BadInput(f"venue {self.settings.venue} ({self.settings.exchange}): it tells of no public trades")

    def trades(self, symbol: str, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """Raises BadInput: there are none."""
        self.require_trades()
        raise AssertionError("refused")

    def _page_size(self, symbol: str) -> int:
        return MOST_CANDLES

    async def _bar_page(self, symbol: str, interval_ns: int, at: int, size: int) -> list[BarNumbers]:
        page = await self._candles.page(Symbol(symbol), interval_ns, at, size)
        if page.is_late:  # named as asked for, it would be missing for good
            raise VenueUnavailable(f"{self.settings.venue}: a bar of {symbol} has ended and is not complete yet")
        return page.closed
