"""The last whole order book of each instrument, and only a whole one."""

import numpy as np
import pytest

from tests.engine.bench import HandClock
from tests.history.live import a_registry
from tests.history.series import BTC, ETH
from workstation.engine.book_shelf import BookShelf
from workstation.engine.channel import Channel
from workstation.errors import BadInput, UnknownInstrument
from workstation.model.durations import SECOND_NS
from workstation.model.ids import InstrumentIndex, Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.market import (
    Rows,
)

REGISTRY = a_registry()


def book_rows(index: int, bids: list[tuple[float, float]], asks: list[tuple[float, float]], event: int = 7) -> Rows:
    channel = Channel(HandClock(SECOND_NS).now_ns, lambda status: None)
    channel.book(InstrumentIndex(index), event, bids, asks)
    return channel.take().copy()


def test_the_last_book_of_each_instrument_stands_with_its_sides() -> None:
    shelf = BookShelf(REGISTRY)
    first = book_rows(0, [(100.0, 1.0)], [(101.0, 2.0)])
    last = book_rows(0, [(99.0, 1.0), (98.0, 4.0)], [], event=0)
    other = book_rows(1, [], [(5.0, 6.0)])
    block = np.concatenate([first, other, last])
    shelf.take(block)
    block["x0"] = -1.0  # the caller uses its memory again
    view = shelf.view(BTC, SECOND_NS + 5_000_000)
    assert (view.bids, view.asks) == (((99.0, 1.0), (98.0, 4.0)), ())
    assert (view.venue, view.symbol, view.ts_event, view.ts_received, view.age_ms) == (*BTC, None, SECOND_NS, 5.0)
    assert shelf.view(ETH, SECOND_NS).asks == ((5.0, 6.0),) and shelf.view(ETH, SECOND_NS).ts_event == 7


def test_a_book_that_was_cut_leaves_the_one_before() -> None:
    shelf = BookShelf(REGISTRY)
    whole = book_rows(0, [(100.0, 1.0), (99.0, 1.0)], [(101.0, 2.0)])
    shelf.take(whole)
    torn = book_rows(0, [(50.0, 1.0), (49.0, 1.0), (48.0, 1.0)], [])
    shelf.take(torn[1:])
    shelf.take(np.concatenate([torn[:2], book_rows(1, [(1.0, 1.0), (0.9, 1.0), (0.8, 1.0)], [])[2:]]))
    shelf.take(torn[:2])
    assert shelf.view(BTC, SECOND_NS).bids == ((100.0, 1.0), (99.0, 1.0))


def test_what_has_no_book_or_is_not_watched_is_said() -> None:
    shelf = BookShelf(REGISTRY)
    with pytest.raises(BadInput, match=r"binance:BTC/USDT: no order book; the setting engine\.book_levels"):
        shelf.view(BTC, 0)
    with pytest.raises(UnknownInstrument, match="nova:DOGE/USDT"):
        shelf.view(InstrumentKey(Venue("nova"), Symbol("DOGE/USDT")), 0)
