"""The trades of one instrument: each once, in order, also across a lost connection. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

from workstation.exchanges.ccxt_parse import TradeNumbers

FOREVER = 2**63
REMEMBERED = 1_024
"""Ids by which a trade is known again: more than any venue repeats on connecting, or tells in one answer. 100 bytes
each, of every symbol."""


class TradeSeries:
    """While it is held, live trades wait behind those that are fetched for the gap.

    `is_numbered`: its ids are running numbers, so that a trade that leaves some out holds the series by itself.
    """

    def __init__(self, *, is_numbered: bool = False) -> None:
        self.is_numbered = is_numbered
        self.last: TradeNumbers | None = None
        self._ids: dict[str, None] = {}
        """In the order in which they came."""
        self._held: list[TradeNumbers] | None = None
        self._latest: list[TradeNumbers] = []
        """Those without id that were passed on with the latest time: more of that moment may have been missed."""

    @property
    def is_held(self) -> bool:
        return self._held is not None

    def hold(self) -> None:
        """From now on live trades wait for `release`."""
        if self._held is None:
            self._held = []

    def told(self, trade: TradeNumbers) -> bool:
        """Whether a live trade is to be passed on now: it is new, and nothing is missing before it."""
        if self._held is None:
            if not self._leaves_out(trade):
                return self._is_new(trade)
            self._held = []
        self._held.append(trade)
        return False

    def release(self, fetched: Iterable[TradeNumbers]) -> list[TradeNumbers]:
        """The fetched trades not seen before, then those that waited.

        One without id is new if it is before those that waited, and not counted among the latest that were passed on.
        """
        held, self._held = self._held or [], None
        since, until = 0 if self.last is None else self.last.ts_event, held[0].ts_event if held else FOREVER
        between = [trade for trade in fetched if trade.trade_id is not None or since <= trade.ts_event < until]
        missing = not_among(between, self._latest)
        return [trade for trade in (*missing, *held) if self._is_new(trade)]

    def mend(self, fetched: Iterable[TradeNumbers]) -> list[TradeNumbers]:
        """As `release`, by number, up to the first that is still missing; what lies behind it waits on."""
        waiting = sorted((*fetched, *(self._held or ())), key=_number)
        self._held = None
        return [trade for trade in waiting if self.told(trade)]

    def reaches_back(self, fetched: Sequence[TradeNumbers]) -> bool:
        """Whether the fetched trades begin at or before the last one seen: then nothing is missing between."""
        if self.last is None or not fetched:
            return True
        last = self.last
        return any(trade.trade_id in self._ids or 0 < trade.ts_event <= last.ts_event for trade in fetched)

    def is_known(self, trade: TradeNumbers) -> bool:
        return trade.trade_id in self._ids

    def _leaves_out(self, trade: TradeNumbers) -> bool:
        """Whether trades are missing between the last one passed on and this one."""
        return self.is_numbered and self.last is not None and _number(trade) > _number(self.last) + 1

    def _is_new(self, trade: TradeNumbers) -> bool:
        name = trade.trade_id
        if name is not None:
            if name in self._ids:
                return False
            self._ids[name] = None
            if len(self._ids) > REMEMBERED:
                del self._ids[next(iter(self._ids))]
        elif self._latest and trade.ts_event == self._latest[0].ts_event:
            self._latest.append(trade)
        elif not self._latest or trade.ts_event > self._latest[0].ts_event:
            self._latest = [trade]
        if not self._is_late(trade):
            self.last = trade
        return True

    def _is_late(self, trade: TradeNumbers) -> bool:
        """Whether it came behind later ones. Numbers far below them are no late trades: the venue counts anew."""
        if not self.is_numbered or self.last is None:
            return False
        return 0 < _number(self.last) - _number(trade) < REMEMBERED


def not_among(trades: Iterable[TradeNumbers], known: Iterable[TradeNumbers]) -> list[TradeNumbers]:
    """Those that are not known; equal ones are told apart by how many there are."""
    left, found = Counter(known), list[TradeNumbers]()
    for trade in trades:
        if left[trade]:
            left[trade] -= 1
        else:
            found.append(trade)
    return found


def _number(trade: TradeNumbers) -> int:
    """0 for an id that is no number: it never leaves anything out."""
    return int(trade.trade_id) if trade.trade_id is not None and trade.trade_id.isdecimal() else 0
