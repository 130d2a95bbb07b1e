"""A perpetual's past funding rates, stretch by stretch: venues tell the oldest or the newest of what is asked for, so
no stretch is longer than what one answer holds. A venue that tells them by pages alone is asked for these first."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from itertools import count
from typing import Any

from workstation.errors import VenueUnavailable
from workstation.exchanges.ccxt_parse import FundingNumbers, Refusal, Refusals, funding_numbers
from workstation.exchanges.download_tables import funding_page_table
from workstation.exchanges.download_trades import require_json
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.venue_facts import facts_of
from workstation.history.backfill import Page
from workstation.model.durations import HOUR_NS, MS_NS

PAGE = 100
"""Every venue tells as many at once."""
STRETCH_NS = PAGE * HOUR_NS
"""Rates are paid once an hour at most."""
_NAMES = ("timestamp", "fundingRate", "no due time: they were paid")

Patiently = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]


class FundingPages:
    """The rates that were paid on one symbol."""

    def __init__(
        self,
        client: Any,
        settings: VenueSettings,
        symbol: str,
        patiently: Patiently,
        refusals: Refusals,
        now_ns: Callable[[], int],
    ) -> None:
        self._client, self._settings, self._symbol = client, settings, symbol
        self._patiently, self._refusals, self._now_ns = patiently, refusals, now_ns

    async def run(self, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """Pages of the rates paid in [start, end). Raises VenueUnavailable, VenueRefused."""
        told = await self._since(start_ns) if facts_of(self._settings.exchange).funding_by_page else None
        for at in range(start_ns, end_ns, STRETCH_NS):
            stop = min(at + STRETCH_NS, end_ns)
            if told is not None:
                found = _inside(told, at, stop)
            else:  # a second time where nothing came: that may have been a fault
                found = await self._asked(at, stop) or await self._asked(at, stop)
            yield Page(table=funding_page_table(found), until_ns=stop)

    async def _since(self, start_ns: int) -> list[FundingNumbers]:
        """Page by page from the newest rate to the first one wanted. One that is paid meanwhile moves others to the
        page behind, where they come again."""
        found: dict[int, FundingNumbers] = {}
        for number in count(1):
            asked = {"page_num": number}
            told = await self._told(start_ns, asked) or await self._told(start_ns, asked)
            if found.keys() >= {one.ts_event for one in told}:
                break
            found |= {one.ts_event: one for one in told}
        return list(found.values())

    async def _asked(self, start_ns: int, stop_ns: int) -> list[FundingNumbers]:
        """Those inside, however many more the venue tells."""
        # venues tell the rates of both moments too: one that is not wanted would cost one that is
        return _inside(await self._told(start_ns, {"until": (stop_ns - 1) // MS_NS}), start_ns, stop_ns)

    async def _told(self, start_ns: int, asked: dict[str, int]) -> list[FundingNumbers]:
        since_ms = -(-start_ns // MS_NS)
        told: list[FundingNumbers] = await self._patiently(lambda: self._fetch(since_ms, asked))
        return told

    async def _fetch(self, since_ms: int, asked: dict[str, int]) -> list[FundingNumbers]:
        raws = await self._client.fetch_funding_rate_history(self._symbol, since_ms, PAGE, asked)
        require_json(self._client, f"{self._settings.venue}: funding rates of {self._symbol}")
        parsed = [(funding_numbers(raw, _NAMES, self._now_ns()), raw) for raw in raws]
        rates = [one for one, _ in parsed if not isinstance(one, Refusal) and one.ts_event]
        if raws and not rates:
            raise VenueUnavailable(f"{self._settings.venue}: funding rates of {self._symbol}: answer not understood")
        for one, raw in parsed:
            if isinstance(one, Refusal) or not one.ts_event:
                refusal = one if isinstance(one, Refusal) else Refusal.NOT_A_NUMBER
                self._refusals.add(refusal, f"funding rate of {self._symbol}", raw)
        return rates


def _inside(told: Iterable[FundingNumbers], start_ns: int, stop_ns: int) -> list[FundingNumbers]:
    """Each rate once, by its time."""
    inside = {one.ts_event: one for one in told if start_ns <= one.ts_event < stop_ns}
    return [inside[ts_event] for ts_event in sorted(inside)]
