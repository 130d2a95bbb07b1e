"""What an account at OANDA may trade, and in what lengths its bars come."""

import difflib
import time

from workstation.errors import BadInput, UnknownInstrument
from workstation.exchanges.oanda_client import OandaClient
from workstation.exchanges.oanda_instruments import Listed, ListedInstruments, name_of, symbol_of
from workstation.exchanges.settings import VenueSettings
from workstation.model.ids import Symbol
from workstation.model.market import interval_label

GRANULARITIES = {
    "5s": "S5",
    "15s": "S15",
    "30s": "S30",
    "1m": "M1",
    "5m": "M5",
    "15m": "M15",
    "30m": "M30",
    "1h": "H1",
    "2h": "H2",
    "4h": "H4",
    "6h": "H6",
    "8h": "H8",
    "12h": "H12",
    "1d": "D",
    "1w": "W",
}
"""By our label."""


class OandaListing:
    """`fresh_s`: for so long the account's instruments are not asked for again."""

    def __init__(self, client: OandaClient, settings: VenueSettings, fresh_s: float) -> None:
        self._client, self._settings, self._fresh_s = client, settings, fresh_s
        self.known: dict[Symbol, Listed] | None = None
        """As they were last told; None before."""
        self._told_s = 0.0

    async def fresh(self) -> dict[Symbol, Listed]:
        """Raises VenueUnavailable, VenueRefused."""
        if self.known is None or time.monotonic() - self._told_s >= self._fresh_s:
            answer = await self._client.ask(f"{self._client.account_path}/instruments", {}, ListedInstruments)
            self.known = {symbol_of(each.name): each for each in answer.instruments}
            self._told_s = time.monotonic()
        return self.known

    def listed(self, symbol: Symbol) -> Listed:
        """Of those that are known. Raises UnknownInstrument with the nearest."""
        known = {} if self.known is None else self.known
        if symbol not in known:
            near = difflib.get_close_matches(symbol, known, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"it has {len(known)} others"
            raise UnknownInstrument(f"{self._settings.venue}:{symbol}: not on {self._settings.exchange}; {hint}")
        return known[symbol]


def granularity_of(settings: VenueSettings, interval_ns: int) -> str:
    """OANDA's name of a length. Raises BadInput with those it has."""
    label = interval_label(interval_ns)
    if label not in GRANULARITIES:
        raise BadInput(
            f"venue {settings.venue} ({settings.exchange}): no bars of {label}; it has {', '.join(GRANULARITIES)}"
        )
    return GRANULARITIES[label]


def names_of(symbols: list[Symbol]) -> str:
    """As a query names several."""
    return ",".join(map(name_of, symbols))
