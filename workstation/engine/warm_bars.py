"""The bars before a bar strategy's run: what history has, and what the venue still tells of it."""

import logging

import numpy as np

from workstation.engine.feeds import Feeds
from workstation.errors import HistoryMissing, WorkstationError
from workstation.history.layout import HistoryKind, Series
from workstation.history.longer_bars import empty_bars
from workstation.history.market_rows import bars_of
from workstation.history.store import HistoryStore
from workstation.model.instrument import Registry
from workstation.model.market import MARKET_ROW, Bars, RowFlag, RowKind, Rows, interval_code
from workstation.session.settings import SessionSettings

MOST_BARS = 2_000
"""Enough for every average; each bar of the run evaluates all of them."""

COLUMNS = ("ts_open", "open", "high", "low", "close", "volume")

log = logging.getLogger(__name__)


async def warm_bars(store: HistoryStore, feeds: Feeds, settings: SessionSettings, now_ns: int) -> Bars:
    """The last bars before `now_ns`, at most MOST_BARS, in an unbroken row; what is fetched is stored first."""
    key, length = settings.instruments[0], settings.interval_ns
    assert length is not None
    since_ns = now_ns // length * length - MOST_BARS * length
    try:
        await feeds.backfill(store, key, length, since_ns)
    except WorkstationError as error:
        log.warning("session %s: no bars from %s (%s): it starts with what is stored", settings.session_id, key, error)
    if not store.holds(Series(kind=HistoryKind.BARS, key=key, interval_ns=length)):
        return empty_bars(length)
    try:
        stored = store.bars(key, length, since_ns, now_ns - length + 1)
    except HistoryMissing:
        return empty_bars(length)
    breaks = np.flatnonzero(np.diff(stored.ts_open) != length)
    return stored.slice(int(breaks[-1]) + 1 if breaks.size else 0, len(stored))


class LaterBars:
    """The bars that the market takes while those before them are fetched: none is missed between the two."""

    def __init__(self, registry: Registry, settings: SessionSettings) -> None:
        assert settings.interval_ns is not None
        self._index, self._length = registry.index(settings.instruments[0]), settings.interval_ns
        self._rows: list[Rows] = []

    def take(self, rows: Rows) -> None:
        """As Turns.preparing asks."""
        is_mine = (rows["kind"] == RowKind.BAR) & (rows["instrument"] == self._index)
        is_mine &= (rows["interval_code"] == interval_code(self._length)) & (rows["flags"] & RowFlag.IS_CLOSED > 0)
        self._rows.append(rows[is_mine])

    def behind(self, bars: Bars) -> Bars:
        """`bars`, and what was told since, as far as it follows without a gap."""
        told = bars_of(np.concatenate([np.empty(0, MARKET_ROW), *self._rows]), self._length)
        last = int(bars.ts_open[-1]) if len(bars) else None
        taken = []
        for place, ts_open in enumerate(told.ts_open.tolist()):
            if last is None or ts_open == last + self._length:
                taken.append(place)
                last = ts_open
        columns = {name: np.concatenate([getattr(bars, name), getattr(told, name)[taken]]) for name in COLUMNS}
        return Bars(interval_ns=self._length, **columns)
