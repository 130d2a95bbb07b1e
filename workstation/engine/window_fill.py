"""Windows of a session that starts: rebuilt from the recording beside the market that walks, then put into it.

The rows that come in the meantime are kept and taken behind the recorded ones, so nothing is missed between the two,
and a window that is put in equals one that had been there all along.
"""

import numpy as np

from workstation.errors import HistoryMissing
from workstation.history.blocks import Selection, merged_blocks
from workstation.history.layout import HistoryKind, Series
from workstation.history.market_rows import Span
from workstation.history.store import HistoryStore
from workstation.model.market import STEP_BITS, Rows
from workstation.session.market import Market
from workstation.windows.specs import WindowSpec

BLOCK_ROWS = 8_192
"""Small blocks: while one is taken, the engine's loop cannot run."""


class WindowFill:
    """Make it, let it `take` what the market takes from then on, `load` in a thread, `finish` between two turns."""

    def __init__(self, market: Market, specs: list[WindowSpec]) -> None:
        self._shadow = Market()
        for instrument in market.registry:
            self._shadow.list_instrument(instrument)
        for spec in specs:
            self._shadow.subscribe_window(spec)
        sides = (key for spec in specs for key in (spec.instrument_a, spec.instrument_b))
        self._keys = sorted({key for key in sides if key is not None})
        self._later: list[Rows] = []
        self._loaded = 0
        """Number of the last recorded row that was taken."""

    def take(self, rows: Rows) -> None:
        """Rows that the market has taken, numbered by its gate."""
        self._later.append(rows[np.isin(rows["instrument"], self._indices())])

    def load(self, store: HistoryStore, since_ns: int) -> None:
        """Takes what is recorded since `since_ns`. Raises HistoryCorrupt."""
        selections = [Selection(key=key, kind=HistoryKind.QUOTES) for key in self._keys]
        selections = [one for one in selections if _has_rows(store, one.series, since_ns)]
        if not selections:
            return
        blocks = merged_blocks(
            store, selections, self._shadow.registry, start_ns=since_ns, block_rows=BLOCK_ROWS, as_recorded=True
        )
        for block in blocks:
            self._loaded = int(block["sequence"][-1]) >> STEP_BITS
            self._advance(block)

    def finish(self, market: Market) -> None:
        """Takes the rows since, and puts the windows into the market."""
        for rows in self._later:
            self._advance(rows[rows["sequence"] >> STEP_BITS > self._loaded])
        market.windows.adopt(self._shadow.windows)

    def _advance(self, rows: Rows) -> None:
        for _ in self._shadow.advance(rows):
            raise AssertionError("nobody subscribed to the shadow")

    def _indices(self) -> list[int]:
        return [self._shadow.registry.index(key) for key in self._keys]


def _has_rows(store: HistoryStore, series: Series, since_ns: int) -> bool:
    try:
        return store.count(series, Span(start_ns=since_ns)) > 0
    except HistoryMissing:
        return False
