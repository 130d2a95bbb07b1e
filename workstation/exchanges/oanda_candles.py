"""OANDA's candles of mid prices as bars: UTC days, weeks from Monday, and only what the venue calls complete."""

from collections.abc import Callable
from typing import NamedTuple

from workstation.exchanges.ccxt_parse import BarNumbers, Refusal, Refusals
from workstation.exchanges.oanda_client import OandaClient
from workstation.exchanges.oanda_instruments import name_of
from workstation.exchanges.oanda_listing import granularity_of
from workstation.exchanges.oanda_parse import Candles, candle_bar, time_text
from workstation.exchanges.settings import VenueSettings
from workstation.model.ids import Symbol
from workstation.model.market import interval_label

MOST_CANDLES = 5_000
MOST_PAGES = 50
ALIGNED = {"price": "M", "dailyAlignment": "0", "alignmentTimezone": "UTC", "weeklyAlignment": "Monday"}
"""Bars as everywhere here; OANDA's own days end at 17:00 in New York."""


class BarPage(NamedTuple):
    """Ascending, each opening once; `is_late`: one has ended and is not complete yet."""

    closed: list[BarNumbers]
    is_late: bool


class OandaCandles:
    """Asks for them; what is no bar is counted."""

    def __init__(
        self, client: OandaClient, settings: VenueSettings, refusals: Refusals, now_ns: Callable[[], int]
    ) -> None:
        self._client, self._settings, self._refusals, self._now_ns = client, settings, refusals, now_ns

    async def page(self, symbol: Symbol, interval_ns: int, since_ns: int, count: int = MOST_CANDLES) -> BarPage:
        """The first `count` closed bars that open from `since_ns` on. Raises BadInput, VenueUnavailable, VenueRefused.

        Where nothing was traded there is none.
        """
        query = {"granularity": granularity_of(self._settings, interval_ns), "from": time_text(since_ns)}
        path = f"/v3/instruments/{name_of(symbol)}/candles"
        answer = await self._client.ask(path, query | ALIGNED | {"count": str(count)}, Candles)
        now_ns, closed, is_late = self._now_ns(), dict[int, BarNumbers](), False
        for candle in answer.candles:
            bar = candle_bar(candle, now_ns)
            if isinstance(bar, Refusal):
                self._refusals.add(bar, f"{interval_label(interval_ns)} bar of {symbol}", candle)
            elif candle.complete and bar.ts_open >= since_ns:
                closed[bar.ts_open] = bar
            elif not candle.complete:
                is_late = is_late or bar.ts_open + interval_ns <= now_ns
        return BarPage([closed[ts_open] for ts_open in sorted(closed)], is_late)

    async def since(self, symbol: Symbol, interval_ns: int, since_ns: int) -> BarPage:
        """All closed bars that open from `since_ns` on. Raises as `page` does."""
        found, is_late = list[BarNumbers](), False
        for _ in range(MOST_PAGES):
            if since_ns + interval_ns > self._now_ns():
                break
            page = await self.page(symbol, interval_ns, since_ns)
            found, is_late = found + page.closed, page.is_late
            if not page.closed or is_late:
                break
            since_ns = page.closed[-1].ts_open + interval_ns
        return BarPage(found, is_late)
