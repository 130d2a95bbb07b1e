"""What one venue lists, asked for in a thread of its own and kept in the form in which ccxt's clients share it."""

import asyncio
import difflib
import json
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from workstation.errors import UnknownInstrument, VenueRefused
from workstation.exchanges.aside import run_aside
from workstation.exchanges.ccxt_client import open_client, venue_errors
from workstation.exchanges.rest_limiter import Line, LineOfAnotherLoop, RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.venue_facts import facts_of
from workstation.model.ids import Symbol


class Markets:
    """`fresh_s`: for so long all markets are not asked for again."""

    def __init__(self, settings: VenueSettings, limiter: RestLimiter, fresh_s: float) -> None:
        self._settings, self._limiter, self._fresh_s = settings, limiter, fresh_s
        self.known: Any = None
        """A client, closed, with all markets as they were last told; None before."""
        self._told_s = 0.0
        self._asking = asyncio.Lock()

    async def open_client(self) -> Any:
        """A new client that knows what the venue lists, as of an earlier answer where there was one.

        Raises VenueUnavailable, VenueRefused.
        """
        known = await self.fresh() if self.known is None else self.known
        client = open_client(self._settings, self._limiter)
        client.open()
        client.set_markets_from_exchange(known)
        return client

    async def fresh(self, symbols: Collection[Symbol] | None = None) -> Any:
        """A client, closed, with the venue's present markets: these at least. Raises VenueUnavailable, VenueRefused.

        Reading thousands of them takes a second of a core. So it is done beside the loop that takes quotes, few are
        asked for where that can be, and whoever asks for all at the same time is given the same answer.
        """
        line = LineOfAnotherLoop(self._limiter, asyncio.get_running_loop())
        only = self._only(symbols)
        if only:
            with suppress(VenueRefused):  # one of them is there no more: which, the answer of all tells
                return await run_aside(lambda: _loaded(self._settings, line, only))
        async with self._asking:
            if self.known is None or time.monotonic() - self._told_s >= self._fresh_s:
                self.known = await run_aside(lambda: _loaded(self._settings, line, {}))
                self._told_s = time.monotonic()
        return self.known

    def listed(self, client: Any, symbol: Symbol) -> Any:
        """The market as ccxt has it. Raises UnknownInstrument with the nearest.

        One that was listed after the client was opened is looked for in the last answer.
        """
        if symbol not in client.markets and self.known is not None:
            client.set_markets_from_exchange(self.known)
        market = client.markets.get(symbol)
        if market is None:
            near = difflib.get_close_matches(symbol, client.markets, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"it has {len(client.markets)} others"
            raise UnknownInstrument(f"{self._settings.venue}:{symbol}: not on {self._settings.exchange}; {hint}")
        return market

    def _only(self, symbols: Collection[Symbol] | None) -> dict[str, str]:
        """How the venue is asked for these alone; empty where that cannot be."""
        name = facts_of(self._settings.exchange).only_markets
        if not name or not symbols or self.known is None or not all(symbol in self.known.markets for symbol in symbols):
            return {}
        return {name: json.dumps([self.known.markets[symbol]["id"] for symbol in symbols], separators=(",", ":"))}


async def _loaded(settings: VenueSettings, line: Line, only: Mapping[str, str]) -> Any:
    client = open_client(settings, line)
    try:
        with venue_errors(settings):
            await client.load_markets(params=only)
    finally:
        await client.close()
    return client
