"""Windows of a session that starts: rebuilt from the recording beside the market that walks, then put into it.

The rows that come in the meantime are kept and taken behind the recorded ones, so nothing is missed between the two,
and a window that is put in equals one that had been there all along.
"""

import numpy as np

from workstation.history.blocks import Selection, merged_blocks
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.market import Rows
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
        self._shadow.gate.keep_numbers()
        self._recorded = market.gate.sequence
        """Rows up to this number are on their way into the recording; those behind it are told."""
        for spec in specs:
            self._shadow.subscribe_window(spec)
        self._keys = sorted({key for spec in specs for key in spec.instruments})
        self._later: list[Rows] = []

    def take(self, rows: Rows) -> None:
        """Rows that the market has taken, numbered by its gate."""
        self._later.append(rows[np.isin(rows["instrument"], self._indices())])

    def load(self, store: HistoryStore, since_ns: int) -> None:
        """Takes what is recorded since `since_ns`, all of it on the disk. Raises HistoryCorrupt."""
        selections = [Selection(key=key, kind=HistoryKind.QUOTES) for key in self._keys]
        blocks = merged_blocks(
            store, selections, self._shadow.registry, start_ns=since_ns, block_rows=BLOCK_ROWS, as_recorded=True
        )
        for block in blocks:
            self._advance(block[block["sequence"] <= self._recorded])

    def finish(self, market: Market) -> None:
        """Takes the rows since, and puts the windows into the market."""
        for rows in self._later:
            self._advance(rows)
        market.windows.adopt(self._shadow.windows)

    def _advance(self, rows: Rows) -> None:
        for _ in self._shadow.advance(rows):
            raise AssertionError("nobody subscribed to the shadow")

    def _indices(self) -> list[int]:
        return [self._shadow.registry.index(key) for key in self._keys]
