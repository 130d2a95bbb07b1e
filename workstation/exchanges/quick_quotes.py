"""Binance's best prices, read at a twentieth of what ccxt's reading of every kind of frame takes (1.5 us to 31 or 39).

A busy venue tells little else, so this decides how many quotes a second one core can take. What is not exactly such a
frame, and each symbol's first frame after a call of ccxt's that waits for it, is left to ccxt.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from workstation.exchanges.intake import Stream

Take = Callable[[str, Any, Any, Any], None]
"""Symbol, the venue's milliseconds or None, and price with quantity of bid and of ask."""


class _BestPrices(msgspec.Struct, gc=False):
    """The frame of a `bookTicker` stream; of a spot market it bears neither its kind nor a time."""

    s: str
    b: str
    B: str
    a: str
    A: str
    e: str = "bookTicker"
    E: int | None = None


_decode = msgspec.json.Decoder(_BestPrices).decode


class QuickQuotes:
    """`read` tells what it can; symbols are known from `add` on."""

    def __init__(self, client: Any, take: Take) -> None:
        self._client, self._take = client, take
        self._symbols: dict[str, tuple[str, str]] = {}

    def add(self, stream: Stream) -> None:
        """Its quotes may be read here, if the venue's name of it means nothing else."""
        market = self._client.market(stream.symbol)
        if len(self._client.markets_by_id[market["id"]]) == 1:
            self._symbols[market["id"]] = stream.symbol, f"bidask:bookTicker@{stream.symbol}"

    def read(self, frame: str, waiting: Any) -> bool:
        """Whether the frame was told. `waiting`: what ccxt's calls on this socket wait for, by its names."""
        try:
            best = _decode(frame)
            symbol, awaited = self._symbols[best.s]
            if best.e != "bookTicker" or awaited in waiting:
                return False
            bid, ask = (float(best.b), float(best.B)), (float(best.a), float(best.A))
        except (msgspec.DecodeError, KeyError, ValueError, RecursionError):
            return False
        self._take(symbol, best.E, bid, ask)
        return True
