"""How far a venue's clock is ahead of ours, and how long it takes to answer."""

import time
from typing import NamedTuple, Protocol

from workstation.errors import VenueUnavailable
from workstation.exchanges.ccxt_client import open_client, venue_errors
from workstation.exchanges.oanda_client import OandaClient
from workstation.exchanges.oanda_instruments import ListedInstruments
from workstation.exchanges.oanda_parse import Prices, time_ns
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings


class Reading(NamedTuple):
    """In milliseconds; `took_ms` without standing in line."""

    took_ms: float
    ahead_ms: float


class VenueClock(Protocol):
    async def read(self) -> Reading | None:
        """None where the exchange does not tell its time. Raises VenueUnavailable, VenueRefused."""
        ...

    async def close(self) -> None: ...


class CcxtClock:
    """By the exchange's own answer to what time it is."""

    def __init__(self, settings: VenueSettings, limiter: RestLimiter) -> None:
        self._settings, self._client = settings, open_client(settings, limiter)
        self._sent_ns = 0
        self._turn, self._client.throttle = self._client.throttle, self._throttle

    async def read(self) -> Reading | None:
        if self._client.has.get("fetchTime") is not True:
            return None
        with venue_errors(self._settings):
            venue_ms = await self._client.fetch_time()
        return _reading(self._sent_ns, venue_ms)

    async def close(self) -> None:
        await self._client.close()

    async def _throttle(self, cost: float | None = None) -> None:
        await self._turn(cost)
        self._sent_ns = time.time_ns()


class OandaClock:
    """By the time in OANDA's answer to a question for a price."""

    def __init__(self, settings: VenueSettings, limiter: RestLimiter, connections: RestLimiter) -> None:
        self._settings, self._client = settings, OandaClient(settings, limiter, connections)
        self._name = ""

    async def read(self) -> Reading | None:
        path = self._client.account_path
        if not self._name:
            listed = await self._client.ask(f"{path}/instruments", {}, ListedInstruments)
            if not listed.instruments:
                return None
            self._name = listed.instruments[0].name
        answer = await self._client.ask(f"{path}/pricing", {"instruments": self._name}, Prices)
        venue_ns = time_ns(answer.time)
        if venue_ns is None:
            raise VenueUnavailable(f"{self._settings.venue}: pricing: time {answer.time!r:.40}: expected a time")
        return _reading(self._client.sent_ns, venue_ns / 1e6)

    async def close(self) -> None:
        await self._client.close()


def _reading(sent_ns: int, venue_ms: float) -> Reading:
    """The venue's time is taken for that of the middle between question and answer."""
    took_ms = (time.time_ns() - sent_ns) / 1e6
    return Reading(took_ms, venue_ms - (sent_ns / 1e6 + took_ms / 2))
