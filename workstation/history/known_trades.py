"""Which trades of a new file are stored already: by their ids, and where one side has none by what was traded.

Recorded trades bear no id, those that are downloaded or imported over them mostly do. Where one side lacks it, a trade
is known by the venue's time, price, quantity and the side that takes, and as often as it is stored: equal trades in one
millisecond are genuine, so two of them stay two, and a third one is new. Times of receipt are no part of it.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workstation.history.segments import Table, whole_numbers
from workstation.model.durations import MS_NS
from workstation.model.market import BoolArray, FloatArray, IntArray

US_NS = 1_000
RELATIVE_ROUNDING = 1e-9
"""Of a sum of quantities in float64; no lot of a venue is as small a part of what one moment traded."""


@dataclass(frozen=True, slots=True)
class _Trades:
    """Columns that tell one trade from another, without nulls."""

    time: IntArray
    """Of the venue, ns UTC; of receipt where it told none: nothing else sets such rows apart."""
    has_event: BoolArray
    price: FloatArray
    quantity: FloatArray
    side: npt.NDArray[np.int8]
    """1 where the seller takes, 0 where the buyer does, -1 where nobody knows."""

    @classmethod
    def of(cls, table: Table) -> Self:
        event = table["ts_event"]
        return cls(
            time=whole_numbers(pc.coalesce(event, table["ts_received"])),
            has_event=event.is_valid().to_numpy(),
            price=table["price"].to_numpy(),
            quantity=table["quantity"].to_numpy(),
            side=table["seller_takes"].cast(pa.int8()).fill_null(-1).to_numpy(),
        )

    def at(self, places: Any) -> Self:
        return type(self)(*(getattr(self, name)[places] for name in self.__slots__))

    def followed_by(self, other: Self) -> Self:
        return type(self)(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in self.__slots__))

    def equal(self, other: Self) -> BoolArray:
        """Row by row."""
        is_equal: BoolArray = (self.has_event == other.has_event) & (~self.has_event | (self.time == other.time))
        is_equal &= (self.price == other.price) & (self.quantity == other.quantity) & (self.side == other.side)
        return is_equal

    @property
    def step_ns(self) -> int:
        """The coarsest of ms, us and ns that all times of the venue are whole numbers of."""
        times = self.time[self.has_event]
        return next((step for step in (MS_NS, US_NS) if not (times % step).any()), 1)


def known_trades(stored: Table, new: Table) -> tuple[BoolArray, BoolArray]:
    """Masks over `new`: trades that are stored, and among them those that the store has with other values.

    Two trades with ids are one where the ids are. Where times of one side are whole ms (or us) and those of the other
    are finer, they are compared as the coarser ones; where one side tells as one what the other tells as several trades
    of one time, price and side, the sums of their quantities are.
    """
    stored_ids, new_ids = stored["trade_id"], new["trade_id"]
    before, trades = _Trades.of(stored), _Trades.of(new)
    is_known, is_differing = _known_by_id(stored_ids, new_ids, before, trades)
    is_named, was_named = new_ids.is_valid().to_numpy(), stored_ids.is_valid().to_numpy()
    is_free = ~was_named | ~pc.is_in(stored_ids, value_set=new_ids.combine_chunks(), skip_nulls=True).to_numpy()
    for is_asking, is_answering in ((is_named & ~is_known, is_free & ~was_named), (~is_named, is_free)):
        asking, answering = np.flatnonzero(is_asking), np.flatnonzero(is_answering & is_free)
        used, found = _paired(before.at(answering), trades.at(asking))
        is_free[answering[used]] = False
        is_known[asking[found]] = True
    return is_known, is_differing


def _known_by_id(stored_ids: Any, new_ids: Any, before: _Trades, trades: _Trades) -> tuple[BoolArray, BoolArray]:
    """A trade is also known where the same file has its id twice."""
    first = pc.index_in(new_ids, value_set=pa.concat_arrays([*stored_ids.chunks, *new_ids.chunks]), skip_nulls=True)
    places = whole_numbers(first.cast(pa.int64()))
    is_known = first.is_valid().to_numpy() & (places < len(stored_ids) + np.arange(len(new_ids)))
    is_differing = np.zeros(len(new_ids), np.bool_)
    known = np.flatnonzero(is_known)
    for is_stored, those, offset in ((True, before, 0), (False, trades, len(stored_ids))):
        rows = known[(places[known] < len(stored_ids)) == is_stored]
        is_differing[rows] = ~trades.at(rows).equal(those.at(places[rows] - offset))
    return is_known, is_differing


def _paired(stored: _Trades, new: _Trades) -> tuple[BoolArray, BoolArray]:
    """Masks of both: the nth of equal trades of one side is the nth of the other, and then by sums."""
    used, found = np.zeros(len(stored.time), np.bool_), np.zeros(len(new.time), np.bool_)
    if not len(used) or not len(found):
        return used, found
    step = max(stored.step_ns, new.step_ns)
    first, last = new.time.min() // step, new.time.max() // step
    near = np.flatnonzero((stored.time // step >= first) & (stored.time // step <= last))  # few of a day, as a rule
    both = stored.at(near).followed_by(new)
    both = replace(both, time=np.where(both.has_event, both.time // step, both.time))
    is_pair = _pairs(both, is_new=np.arange(len(both.time)) >= len(near))
    used[near], found[:] = is_pair[: len(near)], is_pair[len(near) :]
    return used, found


def _pairs(both: _Trades, is_new: BoolArray) -> BoolArray:
    """Which trades of either side are one of the other's, in one sort of both."""
    order = np.lexsort((is_new, both.quantity, both.side, both.price, both.has_event, both.time))
    both, is_new = both.at(order), is_new[order]
    begins_moment = _begins(both.time) | _begins(both.has_event) | _begins(both.price) | _begins(both.side)
    begins = begins_moment | _begins(both.quantity)
    equal, firsts = np.cumsum(begins) - 1, np.flatnonzero(begins)
    news = np.add.reduceat(is_new.astype(np.int64), firsts)
    olds = np.diff(firsts, append=len(begins)) - news
    nth = np.arange(len(begins)) - firsts[equal] - np.where(is_new, olds[equal], 0)  # those that are stored come first
    is_pair: BoolArray = nth < np.minimum(olds, news)[equal]

    left = np.where(is_pair, 0.0, both.quantity)
    moments = np.flatnonzero(begins_moment)
    owed, total = np.add.reduceat(np.where(is_new, left, -left), moments), np.add.reduceat(left, moments)
    is_pair |= (np.abs(owed) < RELATIVE_ROUNDING * total)[np.cumsum(begins_moment) - 1]
    of_rows = np.empty_like(is_pair)
    of_rows[order] = is_pair
    return of_rows


def _begins(column: Any) -> BoolArray:
    """Where a sorted column has another value than the row before."""
    changes = np.ones(len(column), np.bool_)
    changes[1:] = column[1:] != column[:-1]
    return changes
