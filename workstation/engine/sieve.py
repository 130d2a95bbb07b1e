"""What is wanted no more, kept out: a venue goes on telling it until its next connection."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from workstation.engine.wish import Wish
from workstation.model.instrument import InstrumentKey, Registry
from workstation.model.market import RowKind, Rows, interval_code

KINDS = 8
"""Places of kinds; behind them the lengths of bars have theirs."""
PLACES = 32


class Sieve:
    """Of the instruments it is made with, lets pass what is wished; all rows of others pass."""

    def __init__(self, registry: Registry, wishes: Mapping[InstrumentKey, Wish | None]) -> None:
        """`wishes` None: nothing is wanted of it."""
        self._passes: npt.NDArray[np.bool_] = np.ones((len(registry), PLACES), np.bool_)
        self._levels = np.full(len(registry), np.iinfo(np.int64).max)
        for key, wish in wishes.items():
            index = registry.index(key)
            self._passes[index] = False
            if wish is not None:
                self._passes[index, _places(wish)] = True
                self._levels[index] = wish.book_levels

    def take(self, rows: Rows) -> Rows:
        """The rows that are wanted; a book to the depth that is."""
        instruments, kinds = rows["instrument"], rows["kind"]
        is_known = instruments < len(self._passes)
        places = np.where(kinds == RowKind.BAR, KINDS + rows["interval_code"], kinds)
        known = np.where(is_known, instruments, 0)
        is_level = is_known & (kinds == RowKind.BOOK)
        passes = ~is_known | (self._passes[known, places] & (~is_level | (rows["interval_code"] < self._levels[known])))
        kept: Rows = rows[passes]
        is_level = is_level[passes]
        kept["x4"][is_level] = np.minimum(kept["x4"][is_level], self._levels[kept["instrument"][is_level]])
        return kept


def _places(wish: Wish) -> list[int]:
    kinds = {
        RowKind.QUOTE: wish.quotes,
        RowKind.TRADE: wish.trades,
        RowKind.FUNDING: wish.funding,
        RowKind.MARK: wish.funding,
        RowKind.BOOK: wish.book_levels > 0,
    }
    wanted = [int(kind) for kind, is_wanted in kinds.items() if is_wanted]
    return [*wanted, *(KINDS + interval_code(length) for length in wish.intervals_ns)]
