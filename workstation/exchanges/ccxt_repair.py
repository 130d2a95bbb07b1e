"""What was missed, fetched by REST: trades since the last seen, bars since the last closed."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from workstation.errors import VenueRefused, VenueUnavailable
from workstation.exchanges.bar_series import BarSeries
from workstation.exchanges.ccxt_client import venue_errors
from workstation.exchanges.ccxt_parse import BarNumbers, Refusal, Refusals, TradeNumbers, bar_numbers, trade_numbers
from workstation.exchanges.contract_sizes import counting_of
from workstation.exchanges.retries import asked_again
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.trade_series import TradeSeries, not_among
from workstation.exchanges.venue_facts import facts_of
from workstation.model.durations import MS_NS
from workstation.model.market import (
    interval_label,
)

PAGE = 1_000
MOST_PAGES = 50


class Repair:
    """Asks the venue by REST, a few times where it does not answer."""

    def __init__(
        self, client: Any, settings: VenueSettings, refusals: Refusals, now_ns: Callable[[], int], retry_s: float
    ) -> None:
        self._client, self._settings, self._refusals = client, settings, refusals
        self._now_ns, self._retry_s = now_ns, retry_s

    async def trades(self, symbol: str, series: TradeSeries) -> tuple[list[TradeNumbers], bool]:
        """The trades since the last seen, oldest first, and whether they are all. Raises VenueUnavailable, -Refused."""
        assert series.last is not None
        by_id = facts_of(self._settings.exchange).trades_by_id and series.last.trade_id is not None
        most = self._most_trades(symbol)
        newest, found, is_whole = series.last, list[TradeNumbers](), True
        for page in range(MOST_PAGES):
            since = None if by_id or not newest.ts_event else newest.ts_event // MS_NS
            params = {"fromId": int(newest.trade_id or 0) + 1} if by_id else self._trade_params(symbol, since)
            trades, count = await self._asked(lambda s=since, p=params: self._fetch_trades(symbol, s, most, p))  # type: ignore[misc]
            if not page and not by_id:
                is_whole = series.reaches_back(trades)
            fresh = [trade for trade in not_among(trades, found) if not series.is_known(trade)]
            found += fresh
            if count < most or not fresh or fresh[-1] == newest:
                return found, is_whole
            newest = fresh[-1]
        return found, False

    async def bars(self, symbol: str, series: BarSeries) -> list[BarNumbers]:
        """The venue's bars from the first one that is missing. Raises VenueUnavailable, VenueRefused."""
        return await self.bars_since(symbol, series.interval_ns, series.next_open)

    async def bars_since(self, symbol: str, interval_ns: int, since: int | None) -> list[BarNumbers]:
        """The venue's bars that open from `since` (ns) on, the open one too. Raises VenueUnavailable, VenueRefused."""
        label, found = interval_label(interval_ns), list[BarNumbers]()
        for _ in range(MOST_PAGES):
            start = None if since is None else since // MS_NS
            raws = await self._asked(lambda s=start: self._client.fetch_ohlcv(symbol, label, s))  # type: ignore[misc]
            bars = [bar for bar in self._bars(symbol, label, raws) if since is None or bar.ts_open >= since]
            found += bars
            # a page that ends before the bar that is open now is not the last
            if not bars or bars[-1].ts_open + interval_ns > self._now_ns():
                return found
            since = bars[-1].ts_open + interval_ns
            if since + interval_ns > self._now_ns():
                return found
        return found

    async def best(self, symbol: str) -> tuple[float, float] | None:
        """The best prices by REST, None where the book has no such. Raises VenueUnavailable, VenueRefused."""
        book = await self._asked(lambda: self._client.fetch_order_book(symbol))
        return (book["bids"][0][0], book["asks"][0][0]) if book["bids"] and book["asks"] else None

    async def _asked(self, call: Callable[[], Awaitable[Any]]) -> Any:
        async def ask() -> Any:
            with venue_errors(self._settings):
                return await call()

        return await asked_again(ask, self._retry_s)

    def _most_trades(self, symbol: str) -> int:
        return facts_of(self._settings.exchange).most_spot_trades if self._is_spot(symbol) else PAGE

    def _trade_params(self, symbol: str, since: int | None) -> dict[str, Any]:
        """What must be said beside the time since which trades are missed."""
        facts = facts_of(self._settings.exchange)
        if not self._is_spot(symbol):
            return {}
        until = {"until": self._now_ns() // MS_NS} if facts.trades_until and since is not None else {}
        return {**facts.trades_again, **until}

    def _is_spot(self, symbol: str) -> bool:
        return self._client.market(symbol)["spot"] is True

    async def _fetch_trades(
        self, symbol: str, since: int | None, most: int, params: dict[str, Any]
    ) -> tuple[list[TradeNumbers], int]:
        """Those that are trades, and how many there were.

        ccxt reads an answer that breaks off as text, and that as a trade for each letter, none of which says anything.
        """
        raws = await self._client.fetch_trades(symbol, since, most, params)
        trades = self._trades(symbol, raws)
        if raws and not trades:
            raise VenueUnavailable(f"{self._settings.venue}: trades of {symbol}: answer not understood")
        if facts_of(self._settings.exchange).trades_newest_first:
            trades = sorted(reversed(trades), key=lambda trade: trade.ts_event)
        return trades, len(raws)

    def _trades(self, symbol: str, raws: Sequence[Any]) -> list[TradeNumbers]:
        counted = counting_of(self._client.market(symbol), self._settings).quantity
        parsed = [trade_numbers(raw, self._now_ns(), counted) for raw in raws]
        for trade, raw in zip(parsed, raws, strict=True):
            if isinstance(trade, Refusal):
                self._refusals.add(trade, f"fetched trade of {symbol}", raw)
        return [trade for trade in parsed if not isinstance(trade, Refusal)]

    def _bars(self, symbol: str, label: str, raws: Sequence[Any]) -> list[BarNumbers]:
        counted = counting_of(self._client.market(symbol), self._settings).volume
        parsed = [bar_numbers(raw, self._now_ns(), counted) for raw in raws]
        for bar, raw in zip(parsed, raws, strict=True):
            if isinstance(bar, Refusal):
                self._refusals.add(bar, f"fetched {label} bar of {symbol}", raw)
        return sorted(bar for bar in parsed if not isinstance(bar, Refusal))


GAPS = (VenueUnavailable, VenueRefused)
"""Why a gap could not be repaired."""
