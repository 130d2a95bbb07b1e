"""OKX's checksum of an order book, which ccxt 4.5.90 does not compare.

It is over the texts of prices and quantities as they were sent, so these are kept beside ccxt's numbers. OKX has sent
0 in its place since 2026, which says nothing; the chain of `seqId` is looked at by ccxt itself.
"""

import zlib
from collections.abc import Mapping
from itertools import chain
from typing import Any

from workstation.exchanges.ccxt_library import ccxt

LEVELS = 25
"""Of each side that the checksum is over."""
Texts = dict[float, tuple[str, str]]


def check_sums(client: Any) -> None:
    """From now on a book whose checksum is another is dropped by ccxt and taken anew, as after a gap."""
    apply, kept = client.handle_order_book_message, dict[str, tuple[Texts, Texts]]()

    def handle_order_book_message(socket: Any, message: Any, book: Any, name: str, market: Any = None) -> Any:
        if not book["bids"] and not book["asks"]:  # a whole one begins
            kept[name] = {}, {}
        texts = kept[name]
        for side, levels in zip(texts, (message["bids"], message["asks"]), strict=True):
            _keep(side, levels)
        told = apply(socket, message, book, name, market)
        expected = message.get("checksum") or 0
        if expected and name in socket.subscriptions and expected != checksum(book, texts):
            del socket.subscriptions[name], client.orderbooks[market["symbol"]]
            socket.reject(
                ccxt.ChecksumError(f"okx {name}: the book is not the one that checksum {expected} is of"), name
            )
        return told

    client.handle_order_book_message = handle_order_book_message


def checksum(book: Mapping[str, Any], texts: tuple[Texts, Texts]) -> int:
    """CRC32, signed: the best bid's price and quantity, the best ask's, the second bid's, and on, with colons."""
    bids, asks = (
        [kept[level[0]] for level in book[side][:LEVELS]] for side, kept in zip(("bids", "asks"), texts, strict=True)
    )
    ranks = (levels[rank : rank + 1] for rank in range(LEVELS) for levels in (bids, asks))
    told = zlib.crc32(":".join(chain.from_iterable(chain.from_iterable(ranks))).encode())
    return told - 2**32 if told >= 2**31 else told


def _keep(side: Texts, levels: Any) -> None:
    for price, quantity, *_ in levels:
        if float(quantity):
            side[float(price)] = price, quantity
        else:
            side.pop(float(price), None)
