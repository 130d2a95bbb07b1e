"""Order books to a depth: ccxt keeps them whole, here they are looked at now and then, and told when changed."""

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn

from workstation.exchanges.ccxt_parse import Refusal, Refusals, book_numbers
from workstation.exchanges.intake import Stream
from workstation.ports.feed import Levels, MarketSink


class Books:
    """Of each stream that wants levels, the last state of its book; what changed between two looks is told once."""

    def __init__(
        self,
        client: Any,
        sink: MarketSink,
        refusals: Refusals,
        now_ns: Callable[[], int],
        note: Callable[[], None],
    ) -> None:
        """`note` is called behind each that is told."""
        self._client, self._sink, self._refusals, self._now_ns, self._note = client, sink, refusals, now_ns, note
        self._streams: dict[str, Stream] = {}
        self._told: dict[str, tuple[Levels, Levels]] = {}

    def add(self, stream: Stream) -> None:
        if stream.subscription.book_levels:
            self._streams[stream.symbol] = stream

    async def run(self, look_s: float) -> NoReturn:
        while True:
            await asyncio.sleep(look_s)
            self.look()

    def look(self) -> None:
        for symbol, stream in self._streams.items():
            # none before the first, and none between a gap that ccxt noticed and the book that it then takes anew
            if (book := self._client.orderbooks.get(symbol)) is None:
                continue
            counted = stream.counting.quantity
            numbers = book_numbers(book, stream.subscription.book_levels, self._now_ns(), counted)
            if isinstance(numbers, Refusal):
                self._refusals.add(numbers, f"order book of {symbol}", (book["bids"][:2], book["asks"][:2]))
                continue
            sides = numbers.bids, numbers.asks
            if sides != self._told.get(symbol) and any(sides):
                self._told[symbol] = sides
                self._sink.book(stream.subscription.index, numbers.ts_event, *sides)
                self._note()
