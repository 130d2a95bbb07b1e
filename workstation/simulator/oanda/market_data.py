"""What OANDA tells of its markets by REST: rules and prices."""

from collections.abc import Callable

from workstation.simulator.exchange import Exchange
from workstation.simulator.oanda.errors import OandaError, wrong
from workstation.simulator.oanda.format import Json, best_of, instrument_rules, price_fields, rfc3339
from workstation.simulator.request_fields import Fields
from workstation.simulator.venue_market import VenueMarket


class OandaMarketData:
    """`is_open`: whether the market trades now."""

    def __init__(self, exchange: Exchange, is_open: Callable[[], bool]) -> None:
        self._exchange, self._is_open = exchange, is_open

    def market(self, name: str) -> VenueMarket:
        """Raises OandaError."""
        found = self._exchange.markets.get(name)
        if found is None:
            raise wrong("instrument")
        return found

    def instruments(self, fields: Fields) -> Json:
        """All of them, or those that are named. Raises OandaError."""
        wanted = self.named(fields) if "instruments" in fields else list(self._exchange.markets.values())
        return {"instruments": [instrument_rules(market) for market in wanted]}

    def pricing(self, fields: Fields) -> Json:
        """Raises OandaError."""
        prices = [price for market in self.named(fields) if (price := self.price(market)) is not None]
        return {"prices": prices, "time": rfc3339(self._exchange.now_ns)}

    def price(self, market: VenueMarket) -> Json | None:
        """As it stands now; None before the first."""
        best = best_of(market)
        return None if best is None else price_fields(market, best, self._exchange.now_ns, is_open=self._is_open())

    def named(self, fields: Fields) -> list[VenueMarket]:
        """The markets that a query names. Raises OandaError."""
        if not fields.get("instruments"):
            raise OandaError("Missing required parameter 'instruments'")
        found = [self._exchange.markets.get(name) for name in dict.fromkeys(fields["instruments"].split(","))]
        known = [market for market in found if market is not None]
        if len(known) < len(found):
            raise wrong("instruments")
        return known
