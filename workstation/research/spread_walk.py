"""Stored quotes of two venues, and the market that they are walked through: what all spreads of the past begin with."""

from collections.abc import Iterator, Sequence

import numpy as np

from workstation.errors import RowsOutOfOrder
from workstation.history.blocks import BLOCK_ROWS, Selection, merged_blocks, merging_prices
from workstation.history.layout import HistoryKind
from workstation.history.market_rows import Span
from workstation.history.merging import Merging
from workstation.history.store import HistoryStore, shown_time
from workstation.model.instrument import Instrument
from workstation.model.market import IntArray, Rows
from workstation.session.market import Market
from workstation.windows.advance import advance_rows
from workstation.windows.specs import WindowSpec
from workstation.windows.tables import NEVER


class SpreadWalk:
    """One pass over the quotes that `window` takes, from as long before the span as the window needs to be warm.

    Net edges are by the rules that were stored at the span's start, or by `rules` of both sides. Raises HistoryMissing.
    """

    def __init__(
        self, store: HistoryStore, window: WindowSpec, span: Span, rules: Sequence[Instrument] | None = None
    ) -> None:
        self.window, self._store, self._span = window, store, span
        self._keys = window.instruments
        self.market = Market()
        for one in [store.instrument(key, span.start_ns) for key in self._keys] if rules is None else rules:
            self.market.list_instrument(one)
        self.slot = self.market.subscribe_window(window)

    def blocks(self) -> Iterator[Rows]:
        """The quotes of all in the order of their receipt, still to be taken."""
        selections = [Selection(key=key, kind=HistoryKind.QUOTES) for key in self._keys]
        span = self._warm_span()
        return merged_blocks(
            self._store, selections, self.market.registry, start_ns=span.start_ns, end_ns=span.end_ns,
            block_rows=BLOCK_ROWS,
        )  # fmt: skip

    def prices(self) -> tuple[Merging, IntArray]:
        """Their receipts, bids and asks alone, still to be merged, and which instrument each series is of."""
        merging, places = merging_prices(self._store, self._keys, self._warm_span())
        numbers = np.array([self.market.registry.index(key) for key in self._keys], np.int64)
        return merging, numbers[places]

    def take(self, rows: Rows) -> None:
        """Raises RowsOutOfOrder."""
        position, _ = advance_rows(rows, 0, len(rows), NEVER, NEVER, *self.market.tables.arrays())
        if position < len(rows):
            raise self.disorder(int(rows["ts_received"][position]))

    def disorder(self, ts: int) -> RowsOutOfOrder:
        """Of a row that was received at `ts`, before one that lies before it."""
        return RowsOutOfOrder(f"{' with '.join(map(str, self._keys))}: a quote received at {shown_time(ts)} lies late")

    def _warm_span(self) -> Span:
        start_ns = None if self._span.start_ns is None else self._warm_from_ns(self._span.start_ns)
        return Span(start_ns=start_ns, end_ns=self._span.end_ns)

    def _warm_from_ns(self, start_ns: int) -> int:
        """At an anchor statistics are computed from the points of one span; these need quotes of one staleness more."""
        window = self.window
        anchor_ns = start_ns // window.anchor_ns * window.anchor_ns
        return anchor_ns - window.span_ns - window.stale_after_ns - window.resolution_ns
