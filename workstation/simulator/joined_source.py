"""Several sources of prices as one: their instruments one after the other, their rows in order of receipt."""

from collections.abc import Iterator, Sequence

import numpy as np

from workstation.errors import BadInput
from workstation.model.instrument import InstrumentKey
from workstation.model.market import Bars, Rows
from workstation.simulator.market_source import Listing, MarketSource


class JoinedSource:
    """A `MarketSource`; of the first source the rows are what they are without the others."""

    def __init__(self, sources: Sequence[MarketSource]) -> None:
        self._sources = list(sources)
        self._listings = [listing for source in sources for listing in source.listings()]
        self._owners = {one.instrument.key: source for source in sources for one in source.listings()}
        if len(self._owners) < len(self._listings):
            raise BadInput(f"sources: an instrument is in two of them: {[str(key) for key in self._owners]}")

    def listings(self) -> list[Listing]:
        return self._listings

    def blocks(self, start_ns: int) -> Iterator[Rows]:
        counts = [len(source.listings()) for source in self._sources]
        firsts = [sum(counts[:place]) for place in range(len(counts))]
        for parts in zip(*(source.blocks(start_ns) for source in self._sources), strict=True):
            shifted = [rows.copy() for rows in parts]
            for rows, first in zip(shifted, firsts, strict=True):
                rows["instrument"] += first
            joined = np.concatenate(shifted)
            yield joined[np.argsort(joined["ts_received"], kind="stable")]

    def minutes(self, key: InstrumentKey, start_ns: int, stop_ns: int) -> Bars:
        return self._owners[key].minutes(key, start_ns, stop_ns)
