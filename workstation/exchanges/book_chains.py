"""Whether an order book misses an update, where ccxt does not ask.

Venues number the updates of a book. ccxt 4.5.90 looks at the numbers on Binance, Gate's perpetuals, Kraken, KuCoin and
OKX; on these here it applies whatever comes, and a book that misses an update stays wrong until each level that it
would have changed changes again. So the update behind a gap is kept from ccxt, and the connection is given up: the
next one begins with a whole book, after the wait that all reconnections have.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Update(NamedTuple):
    """`chain` tells the books of one socket apart, and two streams of one book; numbers are the first and last that it
    holds."""

    chain: str
    first: int
    last: int
    is_whole: bool = False


def _bitvavo(message: Mapping[str, Any]) -> Update:
    number = int(message["nonce"])
    return Update(message["market"], number, number)


def _bybit(message: Mapping[str, Any]) -> Update | None:
    if message["topic"].startswith("orderbook.1."):  # best prices, which the next ones replace
        return None
    number = int(message["data"]["u"])
    return Update(message["topic"], number, number, is_whole=message["type"] == "snapshot")


def _gate(message: Mapping[str, Any]) -> Update | None:
    if message["channel"] != "spot.obu":  # of the others ccxt looks at the numbers
        return None
    told = message["result"]
    is_whole = told.get("full") is True
    return Update(told["s"], int(told["u"] if is_whole else told["U"]), int(told["u"]), is_whole)


def _mexc(message: Mapping[str, Any]) -> Update:
    told = message.get("publicAggreDepths")
    if told is None:  # of a perpetual
        told = message["data"]
        return Update(message["symbol"], int(told.get("begin", told["version"])), int(told["version"]))
    first, last = int(told["fromVersion"]), int(told["toVersion"])
    # ccxt passes over an update whose first change a snapshot has, though its last ones come later: it reads this field
    told["fromVersion"] = told["toVersion"]
    return Update(message["symbol"], first, last)


READERS: Mapping[str, Callable[[Any], Update | None]] = {
    "bitvavo": _bitvavo,
    "bybit": _bybit,
    "gate": _gate,
    "mexc": _mexc,
}


def guard_chains(client: Any, exchange: str, on_gap: Callable[[str], None]) -> None:
    """Puts itself before ccxt's reading of updates; `on_gap` is told what is missing, in words.

    Numbers are remembered by socket: Bybit has one topic, orderbook.50.BTCUSDT, for the books of spot and of perpetual.
    """
    read = READERS.get(exchange)
    if read is None:
        return
    apply, last = client.handle_order_book, dict[tuple[str, str], int]()

    def handle_order_book(socket: Any, message: Any) -> None:
        update = read(message)
        if update is not None:
            chain = socket.url, update.chain
            before = last.get(chain)
            if before is not None and not update.is_whole and update.first > before + 1:
                on_gap(
                    f"order book {update.chain} at {socket.url}: updates {before + 1} to {update.first - 1} are missing"
                )
                return
            last[chain] = update.last
        apply(socket, message)

    client.handle_order_book = handle_order_book
