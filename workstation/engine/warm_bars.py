"""The bars before a bar strategy's run: what history has, and what the venue still tells of it."""

import logging

import numpy as np

from workstation.engine.feeds import Feeds
from workstation.errors import HistoryMissing, WorkstationError
from workstation.history.layout import HistoryKind, Series
from workstation.history.store import HistoryStore
from workstation.model.market import Bars
from workstation.session.settings import SessionSettings

MOST_BARS = 2_000
"""Enough for every average; each bar of the run evaluates all of them."""

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
    if Series(kind=HistoryKind.BARS, key=key, interval_ns=length) not in store.series():
        return _none(length)
    try:
        stored = store.bars(key, length, since_ns, now_ns - length + 1)
    except HistoryMissing:
        return _none(length)
    breaks = np.flatnonzero(np.diff(stored.ts_open) != length)
    return stored.slice(int(breaks[-1]) + 1 if breaks.size else 0, len(stored))


def _none(interval_ns: int) -> Bars:
    empty = np.empty(0)
    return Bars(
        interval_ns=interval_ns,
        ts_open=np.empty(0, np.int64),
        open=empty,
        high=empty,
        low=empty,
        close=empty,
        volume=empty,
    )
