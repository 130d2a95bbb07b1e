"""A venue's past trades, page by page: by running number where it has such, else by time.

By number nothing is lost or doubled, however many trades one millisecond has. By time the last millisecond of a page is
left to the next one, which begins with it; only where a millisecond fills a page are trades lost, and that is told.
MEXC's spot tells the latest of a window alone: one that fills a page is asked for again in halves.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from workstation.errors import VenueUnavailable
from workstation.exchanges.ccxt_parse import Refusal, Refusals, TradeNumbers, trade_numbers
from workstation.exchanges.contract_sizes import counting_of
from workstation.exchanges.download_tables import trade_page_table
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.venue_facts import facts_of
from workstation.history.backfill import Page
from workstation.model.durations import HOUR_NS, MINUTE_NS, MS_NS

PAGE = 1_000
STRETCH_NS = HOUR_NS
"""What a question by time covers at least: Binance, as ccxt asks it, answers for an hour."""

WINDOW_NS = 30 * MINUTE_NS
"""Of a question that names an end too: MEXC answers for less than an hour."""

Patiently = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]


class TradePages:
    """The trades of one symbol."""

    def __init__(
        self,
        client: Any,
        settings: VenueSettings,
        symbol: str,
        patiently: Patiently,
        refusals: Refusals,
        now_ns: Callable[[], int],
        tell: Callable[[str], None],
    ) -> None:
        self._client, self._settings, self._symbol = client, settings, symbol
        self._counted = counting_of(client.market(symbol), settings).quantity
        self._patiently, self._refusals, self._now_ns, self._tell = patiently, refusals, now_ns, tell
        told = client.feature_value(symbol, "fetchTrades", "limit")
        self._size = min(int(told), PAGE) if told else PAGE

    def run(self, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """Pages of the trades in [start, end)."""
        facts = facts_of(self._settings.exchange)
        if facts.trades_by_id:
            return self._by_number(start_ns, end_ns)
        is_window = facts.trades_until and self._client.market(self._symbol)["spot"] is True
        return self._by_window(start_ns, end_ns) if is_window else self._by_time(start_ns, end_ns)

    async def _by_number(self, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        at = start_ns
        while at < end_ns and not (found := await self._asked_twice(since=at)):
            at = min(at + STRETCH_NS, end_ns)
            yield Page(table=trade_page_table([]), until_ns=at)
        if at >= end_ns:
            return
        number = await self._first_number(found, start_ns)
        while trades := await self._asked_twice(number=number):
            newest = max(one.ts_event for one in trades)
            number = max(_number(one) for one in trades) + 1
            inside = [one for one in trades if start_ns <= one.ts_event < end_ns]
            yield Page(table=trade_page_table(inside), until_ns=min(max(newest, start_ns), end_ns))
            if newest >= end_ns:
                return

    async def _first_number(self, found: Sequence[TradeNumbers], start_ns: int) -> int:
        """The number of the first trade at or after the start; `found` may be any of those behind it.

        Looked for by numbers alone: backwards in steps that double, then by halves, however few trades a page has.
        """
        answer = min(_number(one) for one in found)
        low, high, step = -1, answer, self._size  # all up to low are too early, and none lies from high to the answer
        while high - low > 1:
            probe = max(high - step, 0) if low < 0 else (low + high) // 2
            step *= 2
            page = await self._asked_twice(number=probe)
            early = [_number(one) for one in page if one.ts_event < start_ns]
            late = [_number(one) for one in page if one.ts_event >= start_ns]
            if early and late:
                return min(late)
            if early:
                low = max(early)
            else:
                answer, high = min([answer, *late]), probe
        return answer

    async def _by_time(self, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        at = start_ns
        while at < end_ns:
            trades = await self._asked_twice(since=at)
            newest = max((one.ts_event for one in trades), default=None)
            if newest is None:
                whole, until_ns = [], at + STRETCH_NS
            elif newest > at:  # of the newest millisecond there may be more: it is asked for again
                whole, until_ns = [one for one in trades if one.ts_event < newest], newest
            else:
                whole, until_ns = trades, at + MS_NS
                if len(trades) >= self._size:
                    self._tell_lost(len(trades), at)
            at = min(until_ns, end_ns)
            yield Page(table=trade_page_table([one for one in whole if one.ts_event < end_ns]), until_ns=at)

    async def _by_window(self, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """The latest trades before an end, as many as a page has: only a window with fewer is known to be whole."""
        at, length = start_ns, WINDOW_NS
        while at < end_ns:
            until = min(at + length, end_ns)
            trades = await self._of_window(at, until) or await self._of_window(at, until)
            is_full = len(trades) >= self._size
            if is_full and until - at > MS_NS:
                length = max((until - at) // 2 // MS_NS, 1) * MS_NS
                continue
            inside = [one for one in trades if at <= one.ts_event < until]
            if is_full:
                self._tell_lost(len(inside), at)
            yield Page(table=trade_page_table(inside), until_ns=until)
            at = until
            if 2 * len(trades) < self._size:
                length = min(2 * length, WINDOW_NS)

    async def _of_window(self, start_ns: int, end_ns: int) -> list[TradeNumbers]:
        """Ascending, and maybe those of the last millisecond's end too."""
        until_ms = -(-end_ns // MS_NS)
        found: list[TradeNumbers] = await self._patiently(lambda: self._fetch(start_ns // MS_NS, {"until": until_ms}))
        return found

    def _tell_lost(self, count: int, at: int) -> None:
        subject = f"{self._settings.venue}:{self._symbol}"
        self._tell(f"{subject}: {count} trades or more in the millisecond of {at} ns: some are lost")

    async def _asked_twice(self, *, since: int | None = None, number: int | None = None) -> list[TradeNumbers]:
        """A second time where nothing came: that may have been a fault."""
        return await self._asked(since=since, number=number) or await self._asked(since=since, number=number)

    async def _asked(self, *, since: int | None = None, number: int | None = None) -> list[TradeNumbers]:
        """Trades at or after `since`, or from a number on, ascending."""
        params = {} if number is None else {"fromId": number}
        since_ms = None if since is None else since // MS_NS
        found: list[TradeNumbers] = await self._patiently(lambda: self._fetch(since_ms, params))
        return [
            one
            for one in found
            if (since is None or one.ts_event >= since) and (number is None or _number(one) >= number)
        ]

    async def _fetch(self, since_ms: int | None, params: dict[str, int]) -> list[TradeNumbers]:
        raws = await self._client.fetch_trades(self._symbol, since_ms, self._size, params)
        require_json(self._client, f"{self._settings.venue}: trades of {self._symbol}")
        parsed = [(trade_numbers(raw, self._now_ns(), self._counted), raw) for raw in raws]
        trades = [one for one, _ in parsed if not isinstance(one, Refusal) and one.ts_event]
        if raws and not trades:  # ccxt reads an answer that breaks off as text, and that as a trade for each letter
            raise VenueUnavailable(f"{self._settings.venue}: trades of {self._symbol}: answer not understood")
        for one, raw in parsed:
            if isinstance(one, Refusal) or not one.ts_event:
                refusal = one if isinstance(one, Refusal) else Refusal.NOT_A_NUMBER
                self._refusals.add(refusal, f"trade of {self._symbol}", raw)
        facts = facts_of(self._settings.exchange)
        # sorting keeps those of one moment in the order in which they came
        ascending = trades[::-1] if facts.trades_newest_first else trades
        return sorted(ascending, key=_number if facts.trades_by_id else _event)


def require_json(client: Any, subject: str) -> None:
    """Raises VenueUnavailable where the last answer was none: ccxt makes an empty list of what breaks off."""
    if client.last_json_response is None:
        raise VenueUnavailable(f"{subject}: answer not understood: no JSON")


def _number(trade: TradeNumbers) -> int:
    """0 for an id that is no number."""
    return int(trade.trade_id) if trade.trade_id is not None and trade.trade_id.isdecimal() else 0


def _event(trade: TradeNumbers) -> int:
    return trade.ts_event
