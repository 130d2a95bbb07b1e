"""Opportunities of all pairs that were kept lately: what an engine's next life still knows."""

from contextlib import suppress

from workstation.errors import HistoryMissing
from workstation.history.layout import HistoryKind
from workstation.history.opportunities import KeptOpportunity, opportunities_in
from workstation.history.store import HistoryStore


def last_opportunities(store: HistoryStore, since_ns: int) -> list[KeptOpportunity]:
    """Those of all pairs that closed at or after `since_ns`, by their closing. Raises HistoryCorrupt."""
    found: list[KeptOpportunity] = []
    for series in store.series():
        if series.kind is HistoryKind.OPPORTUNITIES:
            with suppress(HistoryMissing):  # none of so late
                found += opportunities_in(series, store.table(series, since_ns))
    return sorted(found, key=lambda one: one.closed_ns)
