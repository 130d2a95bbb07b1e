"""The last order book of each instrument that books are watched of, for who asks; nothing is decided by it."""

import numpy as np

from workstation.client.messages import BookView
from workstation.errors import BadInput
from workstation.model.instrument import InstrumentKey, Registry
from workstation.model.market import RowKind, Rows

Side = tuple[tuple[float, float], ...]


class BookShelf:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._books: dict[int, Rows] = {}

    def take(self, rows: Rows) -> None:
        """A block that the market has taken; its memory is used again. A book stands in one block, in order."""
        levels = rows[rows["kind"] == RowKind.BOOK]
        begins = np.flatnonzero(levels["interval_code"] == 0)
        for start in begins.tolist():
            book = levels[start : start + int(levels["x4"][start])]
            if _is_whole(book):
                self._books[int(book["instrument"][0])] = book.copy()

    def view(self, key: InstrumentKey, now_ns: int) -> BookView:
        """Raises UnknownInstrument for what is not watched, BadInput while it has no book."""
        book = self._books.get(self._registry.index(key))
        if book is None:
            raise BadInput(f"{key}: no order book; the setting engine.book_levels says how many levels are watched")
        received = int(book["ts_received"][0])
        return BookView(
            venue=key.venue,
            symbol=key.symbol,
            bids=_side(book, "x0", "x2"),
            asks=_side(book, "x1", "x3"),
            ts_event=int(book["ts_event"][0]) or None,
            ts_received=received,
            age_ms=(now_ns - received) / 1e6,
        )


def _is_whole(book: Rows) -> bool:
    """Whether all levels of one book are there: a full channel may have dropped some."""
    is_in_order = (book["interval_code"] == np.arange(len(book))).all()
    is_of_one = (book["instrument"] == book["instrument"][0]).all()
    return bool(len(book) == book["x4"][0] and is_in_order and is_of_one)


def _side(book: Rows, price: str, quantity: str) -> Side:
    return tuple(zip(book[price][book[price] > 0].tolist(), book[quantity][book[price] > 0].tolist(), strict=True))
