"""Many series as one ordered stream of rows, in blocks that a replay walks through."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workstation.errors import HistoryMissing
from workstation.history.lanes import Lane, lanes_of
from workstation.history.layout import HistoryKind, Series, require_market_rows
from workstation.history.market_rows import PRICES, Form, OnCorrupt, PriceForm, RowForm, Span, bars_of
from workstation.history.merging import Merging, merge_cursors
from workstation.history.store import HistoryStore
from workstation.kernels.merging import merge_numbered, merge_rows
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey, Registry
from workstation.model.market import MARKET_ROW, Bars, IntArray, Rows
from workstation.model.market import interval_ns as length_of

BLOCK_ROWS = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One series of a stream; its place among the selections is its feed rank."""

    key: InstrumentKey
    kind: HistoryKind
    interval_ns: int | None = None

    def __post_init__(self) -> None:
        """Raises BadInput for a kind that has no market rows."""
        require_market_rows(self.kind)

    @property
    def series(self) -> Series:
        return Series(kind=self.kind, key=self.key, interval_ns=self.interval_ns)


def recorded_selections(store: HistoryStore, since_ns: int | None = None) -> list[Selection]:
    """Every series of which rows were recorded at or after `since_ns`, what is recorded now included."""
    return [
        Selection(
            key=InstrumentKey(Venue(one.venue), Symbol(one.symbol)),
            kind=HistoryKind(one.kind),
            interval_ns=None if one.interval is None else length_of(one.interval),
        )
        for one in store.recording().series
        if since_ns is None or one.end_ns >= since_ns
    ]


def count_rows(
    store: HistoryStore,
    selections: Sequence[Selection],
    *,
    start_ns: int | None = None,
    end_ns: int | None = None,
    assumed_delay_ns: int = 0,
    as_recorded: bool = False,
) -> int:
    """How many rows `merged_blocks` will give, from the manifests; only files at the ends of the span are read.

    Raises HistoryMissing for a series without files in the span; `as_recorded` it has 0 rows.
    """
    span = Span(start_ns=start_ns, end_ns=end_ns)
    found = _lanes(store, selections, span, assumed_delay_ns, None, as_recorded=as_recorded)
    return sum(lane.count() for _, lane in found)


def merged_blocks(
    store: HistoryStore,
    selections: Sequence[Selection],
    registry: Registry,
    *,
    start_ns: int | None = None,
    end_ns: int | None = None,
    assumed_delay_ns: int = 0,
    as_recorded: bool = False,
    block_rows: int = BLOCK_ROWS,
    on_corrupt: OnCorrupt | None = None,
) -> Iterator[Rows]:
    """The rows received in [start_ns, end_ns), by (ts_received, rank, file order), at most `block_rows` at a time.

    So a shorter span is the beginning of a longer one. Each block is the same memory: it is valid until the next one is
    asked for. Rows without a receipt time are received at ts_event + assumed_delay_ns; of one series and one time they
    go before those that have one. `as_recorded`: only rows that a recorder took, by (ts_received, sequence), each with
    the `sequence` that the gate gave it; a series of which nothing came has none. In memory are one block and, for each
    lane of a series, one row group (or what overlaps in stored files). Raises UnknownInstrument, HistoryMissing,
    HistoryCorrupt.
    """
    span = Span(start_ns=start_ns, end_ns=end_ns)
    lanes: list[tuple[Lane, Form]] = [
        (lane, RowForm(instrument=registry.index(key), assumed_delay_ns=assumed_delay_ns, as_recorded=as_recorded))
        for key, lane in _lanes(store, selections, span, assumed_delay_ns, on_corrupt, as_recorded=as_recorded)
    ]
    merge = merge_numbered if as_recorded else merge_rows
    return merge_cursors(_merging(lanes, MARKET_ROW, on_corrupt), np.zeros(block_rows, MARKET_ROW), merge)


def merging_prices(store: HistoryStore, keys: Sequence[InstrumentKey], span: Span) -> tuple[Merging, IntArray]:
    """The quotes of all that were received in the span, as rows of PRICES; whose each cursor is, by place in `keys`.

    The first of them goes first at equal times, as in `merged_blocks`. Raises HistoryMissing, HistoryCorrupt.
    """
    selections = [Selection(key=key, kind=HistoryKind.QUOTES) for key in keys]
    found = list(_lanes(store, selections, span, 0, None, as_recorded=False))
    lanes: list[tuple[Lane, Form]] = [(lane, PriceForm()) for _, lane in found]
    return _merging(lanes, PRICES, None), np.array([keys.index(key) for key, _ in found], np.int64)


def _merging(lanes: Sequence[tuple[Lane, Form]], dtype: np.dtype[np.void], on_corrupt: OnCorrupt | None) -> Merging:
    ends = np.cumsum([lane.buffer_rows for lane, _ in lanes], dtype=np.int64)
    starts = np.concatenate(([0], ends))[:-1].astype(np.int64)
    pool = np.zeros(ends[-1] if lanes else 0, dtype)
    cursors = [
        lane.chunks(form, pool[start:end], on_corrupt)
        for (lane, form), start, end in zip(lanes, starts, ends, strict=True)
    ]
    return Merging(cursors, pool, starts)


def received_bars(
    store: HistoryStore,
    key: InstrumentKey,
    interval_ns: int,
    *,
    start_ns: int | None = None,
    end_ns: int | None = None,
    assumed_delay_ns: int = 0,
) -> Bars:
    """The bars that `merged_blocks` gives of one series, by their opening. Raises HistoryMissing, HistoryCorrupt."""
    series = Series(kind=HistoryKind.BARS, key=key, interval_ns=interval_ns)
    form = RowForm(instrument=0, assumed_delay_ns=assumed_delay_ns)
    parts = [np.zeros(0, MARKET_ROW)]
    for lane in lanes_of(store, series, Span(start_ns=start_ns, end_ns=end_ns), assumed_delay_ns):
        buffer = np.zeros(lane.buffer_rows, MARKET_ROW)
        parts += [chunk.copy() for chunk in lane.chunks(form, buffer, None)]
    return bars_of(np.concatenate(parts), interval_ns)


def _lanes(
    store: HistoryStore,
    selections: Sequence[Selection],
    span: Span,
    assumed_delay_ns: int,
    on_corrupt: OnCorrupt | None,
    *,
    as_recorded: bool,
) -> Iterator[tuple[InstrumentKey, Lane]]:
    """The lanes of all selections as of one moment, in their order.

    Raises HistoryMissing, unless only what was recorded is asked for. Then nothing in the span is an answer: whoever
    recorded was told nothing.
    """
    stored = store.stored([one.series for one in selections])
    for one in selections:
        there = stored[one.series]
        try:
            found = lanes_of(
                store, one.series, span, assumed_delay_ns, on_corrupt, as_recorded=as_recorded, stored=there
            )
        except HistoryMissing:
            if not as_recorded:
                raise
            continue
        for lane in found:
            yield one.key, lane
