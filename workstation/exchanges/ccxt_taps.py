"""Taps in a ccxt client: each message reaches us once, as it is parsed.

ccxt's `watch_*` calls conflate: they return what is in a cache when their task wakes (20 to 50 times for a burst of
40,000 quotes), and a race between two symbols loses one of them. So the caches themselves are ours: ccxt writes every
parsed message into them. They keep next to nothing, because nobody reads them.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import WSMsgType
from google.protobuf.message import DecodeError

from workstation.exchanges.ccxt_client import UNREADABLE
from workstation.exchanges.ccxt_library import ArrayCache, ArrayCacheByTimestamp, ccxt

FAULTS = (*UNREADABLE, ccxt.BaseError, DecodeError)
"""What reading a broken frame raises: in the parser of JSON or of protobuf, or in ccxt's own parsing."""


class QuoteTap(dict[str, Any]):
    """Stands for `client.bidsasks`, `client.tickers` and `client.fundingRates`."""

    def __init__(self, take: Callable[[str, Any], None]) -> None:
        super().__init__()
        self._take = take

    def __setitem__(self, symbol: str, ticker: Any) -> None:
        super().__setitem__(symbol, ticker)
        self._take(symbol, ticker)


BEST = ("bid", "ask", "bidVolume", "askVolume")


def keep_best_prices(client: Any) -> None:
    """Spares each ticker what ccxt derives of the day (change, average, volumes): a fifth of its reading of a quote.

    Reading the venue's frame stays ccxt's; the best prices become numbers as they did.
    """
    number = client.parse_number

    def safe_ticker(ticker: dict[str, Any], market: Any = None) -> dict[str, Any]:
        for name in BEST:
            ticker[name] = number(ticker.get(name))
        if "markPrice" in ticker:
            ticker["markPrice"], ticker["indexPrice"] = number(ticker["markPrice"]), number(ticker.get("indexPrice"))
        return ticker

    client.safe_ticker = safe_ticker


class TradeTap(ArrayCache):  # type: ignore[misc]
    """Stands for `client.trades[symbol]`."""

    def __init__(self, take: Callable[[Any], None]) -> None:
        super().__init__(1)
        self._take = take

    def append(self, item: Any) -> None:
        super().append(item)
        self._take(item)


class BarTap(ArrayCacheByTimestamp):  # type: ignore[misc]
    """Stands for `client.ohlcvs[symbol][timeframe]`."""

    def __init__(self, take: Callable[[Any], None]) -> None:
        super().__init__(2)
        self._take = take

    def append(self, item: Any) -> None:
        super().append(item)
        self._take(item)


class BookTap:
    """The top of some order books, looked at after each frame, told when it has changed."""

    def __init__(self, client: Any, symbols: Iterable[str], take: Callable[[str, Any, Any, Any], None]) -> None:
        self._client, self._take = client, take
        self._tops: dict[str, Any] = dict.fromkeys(symbols)

    def add(self, symbols: Iterable[str]) -> None:
        self._tops.update(dict.fromkeys(symbols))

    def look(self) -> None:
        for symbol, last in self._tops.items():
            book = self._client.orderbooks.get(symbol)
            if book is None or not book["bids"] or not book["asks"]:
                continue
            bid, ask = book["bids"][0], book["asks"][0]
            top = (bid[0], bid[1], ask[0], ask[1])
            if top != last:
                self._tops[symbol] = top
                self._take(symbol, book.get("timestamp"), bid, ask)


class FrameTap:
    """Guards the reading of frames: a broken one is counted, where ccxt's own loop would end without a word.

    `heard` is when each socket last spoke, pongs included, in seconds of the monotonic clock.
    """

    def __init__(
        self,
        client: Any,
        *,
        on_broken: Callable[[str, Exception, Any], None],
        on_lost: Callable[[str, Any], None],
        after_frame: Callable[[], None] | None,
        read_quickly: Callable[[str, Any], bool] | None = None,
    ) -> None:
        """`read_quickly` is given a text and what ccxt's calls wait for; ccxt reads what it does not tell."""
        self.heard: dict[str, float] = {}
        self.count = 0
        self._on_broken, self._on_lost, self._after_frame = on_broken, on_lost, after_frame
        self._read_quickly = read_quickly
        make = client.client

        def make_tapped(url: str) -> Any:
            is_new = url not in (client.clients or {})
            socket = make(url)
            if is_new:
                self._tap(socket)
            return socket

        client.client = make_tapped

    def _tap(self, socket: Any) -> None:
        read, reject, url, quickly = socket.handle_message, socket.reject, socket.url, self._read_quickly
        self.heard[url] = time.monotonic()

        def handle_message(message: Any) -> None:
            self.heard[url] = time.monotonic()
            self.count += 1
            if quickly is not None and message.type is WSMsgType.TEXT and quickly(message.data, socket.futures):
                return
            try:
                read(message)
            except FAULTS as error:
                self._on_broken(url, error, message.data)
            if self._after_frame is not None:
                self._after_frame()

        def reject_all(result: Any, message_hash: str | None = None) -> Any:
            if message_hash is None:  # the socket is gone: ccxt rejects whatever waits
                self._on_lost(url, result)
            return reject(result, message_hash)

        socket.handle_message, socket.reject = handle_message, reject_all
